"""A sensor that fails: the real app on the virtual board, and what a walk keeps of its steps."""

import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import motion
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep_core.code_names import GAP_NAMES
from retrostep_core.log.reader import read_log
from support.cli import Retrostep
from support.virtual_board_process import VirtualBoard, wait_until

from bench.tables import figure, section, table

SPEED = 10
WALK_S = 60
PLAN = (motion.Stand(10), motion.Walk(WALK_S), motion.Stand(15))
FAULT_S = (25, 40)
_SPAN = f"{FAULT_S[0]}:{FAULT_S[1]}"
FAULTS = {
    "none": None,
    "frozen for 15 s": f"imu-frozen={_SPAN}",
    "an axis at its rail for 15 s": f"imu-rail={_SPAN}",
    "gyroscope dead for 15 s": f"gyro-dead={_SPAN}",
    "gyroscope dead from the start": "gyro-dead=0:999",
    "measures twice the force, from the start": "imu-heavy=0:999",
    "no supply for 15 s": f"imu-lost={_SPAN}",
    "one of 350 transfers fails": "imu-flaky=350",
    "one of 40 transfers fails": "imu-flaky=40",
}
# Failed transfers may cost no step. The closing step of a walk is inferred, so one is allowed.
NO_LOSS = ("none", "one of 350 transfers fails", "one of 40 transfers fails")


@dataclass
class Walked:
    """What one session recorded of the walk."""

    forward: int
    unknown: int
    gaps_s: dict[str, float]


def walked(fault: str | None, recording: Path, home: Path) -> Walked:
    """Walk with a virtual board that has the fault, and sync it."""
    retrostep = Retrostep(home)
    options = ("--fault", fault) if fault else ()
    end_ms = 1_000 * sum(segment.seconds for segment in PLAN)
    with VirtualBoard(*options, "--speed", SPEED, recording=recording, ready=True) as board:
        late_s = time.monotonic() + 2 * end_ms / 1_000 / SPEED
        with DeviceClient(SerialPort(board.port)) as device:
            # Without a session there is no time to wait for.
            wait_until(lambda: device.status().t_ms > end_ms or time.monotonic() > late_s, "the end of the recording")
        ran = retrostep("sync", "--port", board.port)
        if ran.status:
            raise SystemExit(ran.err)
    found = Walked(0, 0, defaultdict(float))
    for stored in (home / "logs").rglob("*.rsl"):
        log = read_log(stored.read_bytes())
        found.forward += log.totals.forward_steps
        found.unknown += log.totals.unknown_steps
        for gap in log.gaps:
            found.gaps_s[GAP_NAMES[gap.reason]] += (gap.to_ms - gap.from_ms) / 1_000
    return found


def run() -> None:
    """A row for each fault."""
    section(
        "A sensor that fails",
        f"The app on the virtual board, {WALK_S} s of walking; a fault of 15 s begins {FAULT_S[0] - PLAN[0].seconds:.0f} s into it. A "
        "dead gyroscope leaves steps without direction. Lost: of the true steps, with those of the gaps.",
    )
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as name:
        made = motion.generate(list(PLAN), 3, motion.Wear(side="left", mount="+y+z+x"))
        recording, true = made.write(Path(name) / "walk.csv")[0], len(made.truth.steps)
        for k, (what, fault) in enumerate(FAULTS.items()):
            found = walked(fault, recording, Path(name) / f"home{k}")
            lost = true - found.forward - found.unknown
            gaps = ", ".join(f"{reason} {seconds:.1f} s" for reason, seconds in found.gaps_s.items())
            rows.append([what, true, found.forward, found.unknown, figure(lost, 0, None, 1 if what in NO_LOSS else None), gaps or "none"])
    table("", ("", "true steps", "forward", "unknown", "lost", "gaps"), rows)
