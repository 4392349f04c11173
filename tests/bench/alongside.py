"""Lost samples and late alerts during a sync, beside boards without a sync."""

import re
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from retrostep.archive.store import Store
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep.sync.sync import sync_board
from retrostep_core.log.reader import read_log
from support.flash_files import new_flash, put_files, put_sessions
from support.virtual_board_process import VirtualBoard

from bench.hour import as_of, hour_log
from bench.inputs import ROOT, motion
from bench.tables import figure, section, table

# A cold start, a ramp past both limits, and on to the ceiling's.
PLAN = [
    motion.Stand(2),
    motion.Walk(6),
    motion.BackwardRun(40, 150, (motion.Ramp(at_s=8, percent=24, over_s=8), motion.Ramp(at_s=26, percent=32, over_s=8))),
    motion.Stand(4),
]
SEEDS = (1, 2, 3)
LOGS = 6
BPS = 115_200
LISTEN_S = 0.5
# A line that is put before this line of the firmware. It then prints the time of each alert's sample and of its pulses: between the frames
# of the link's server, while there is one.
TELLS = {
    "        if severity != _STOP:\n": """\
        tell = self._server.out.queue_text if hasattr(self._server, "out") else print
        tell("alert of %d at %d" % (at_ms, now_ms))
""",
}


@dataclass
class Lived:
    """Results of one board: ms from each alert's sample to its signal, alerts in its log, steps, gaps in ms, bytes sent."""

    late_ms: list[int]
    alerts: int
    steps: int
    gap_ms: int
    sent_bytes: int


def run() -> None:
    """One table: boards that are synced all the time, and boards that are not."""
    section(
        "Counting alongside",
        f"{len(SEEDS)} legs, each with two boards on it, in real time: one is synced without a pause over {BPS} baud, the other is asked "
        "nothing. Late: from the sample that an alert is of to its signal, by the board's clock; samples come twelve at a time (115 ms).",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in SEEDS:
            motion.generate(PLAN, seed).write(folder / f"{seed}.csv")
        log = hour_log()
        tasks = [(folder, seed, is_synced, log) for seed in SEEDS for is_synced in (False, True)]
        with ThreadPoolExecutor(len(tasks)) as pool:
            lived = dict(zip([task[1:3] for task in tasks], pool.map(lambda task: _live(*task), tasks), strict=True))
    rows = []
    for is_synced in (False, True):
        of = [lived[seed, is_synced] for seed in SEEDS]
        late = sorted(ms for one in of for ms in one.late_ms)
        missed = sum(abs(lived[seed, True].steps - lived[seed, False].steps) for seed in SEEDS) if is_synced else 0
        rows.append(
            [
                "synced all the time" if is_synced else "not synced",
                f"{sum(one.sent_bytes for one in of) / 1024:.0f}",
                sum(one.steps for one in of),
                figure(missed, 0, None, 0.0) if is_synced else "",
                figure(sum(one.gap_ms for one in of), 0, None, 0.0),
                f"{len(late)} of {sum(one.alerts for one in of)}",
                f"{statistics.median(late):.0f}",
                max(late),
            ]
        )
    columns = ("", "KB sent", "steps", "steps that differ", "ms lost", "alerts timed", "late, median ms", "late, latest ms")
    table("", columns, rows, bold=[1])


def _live(folder: Path, seed: int, is_synced: bool, log: bytes) -> Lived:
    """One board through the plan."""
    flash = folder / f"{seed}-{is_synced}.bin"
    device = new_flash(flash)
    module = (ROOT / "firmware/signals.py").read_text()
    for where, more in TELLS.items():
        assert module.count(where) == 1, "the app plays alerts in another place now"
        module = module.replace(where, more + where)
    put_files(flash, {"signals.py": module.encode()})
    put_sessions(flash, {n: as_of(log, device, n) for n in range(1, LOGS + 1)})
    text: list[str] = []
    sent = 0
    options = ("--link", "uart", "--bps", BPS)
    with VirtualBoard(*options, flash=flash, recording=folder / f"{seed}.csv") as running:
        end = time.monotonic() + sum(segment.seconds for segment in PLAN) + 2
        with DeviceClient(SerialPort(running.port), text.append) as talk:
            talk.hello(20)
            while time.monotonic() < end:
                if not is_synced:
                    list(talk.events(LISTEN_S))
                    continue
                with tempfile.TemporaryDirectory(dir=folder) as home, Store(f"sqlite:///{home}/store.sqlite") as store:
                    sent += sync_board(talk, store).received_bytes
            status = talk.status()
            list(talk.events(LISTEN_S))
            entry = next(entry for entry in talk.list_sessions() if entry.session == status.session)
            stored = read_log(b"".join(talk.read(entry.session, 0, entry.length)))
    late = [int(at) - int(of) for of, at in re.findall(r"alert of (\d+) at (\d+)", "".join(text))]
    steps = sum(status.totals[:3])
    gap_ms = sum(gap.to_ms - gap.from_ms for gap in stored.gaps)
    return Lived(late, len(stored.alerts), steps, gap_ms, sent)
