"""Counting while a sync goes on: samples lost, and how late alerts are, beside boards that are left alone."""

import re
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hour import as_of, hour_log
from inputs import ROOT, motion
from retrostep.archive.store import Store
from retrostep.device.client import Board
from retrostep.device.open import Line
from retrostep.sync import sync_board
from retrostep_core.log.reader import read_log
from show import figure, section, table

sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from board import VirtualBoard
from flash_files import new_flash, put_files, put_sessions

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
# What is put before these lines of the app, so that it tells of which sample an alert is, and when it plays the signal.
TELLS = {
    "        self._alert = server.alert\n": "        self._tell = server.out.say\n",
    "        self._player.play(signal.HALT if stop": '        self._tell("alert of %d at %d" % (at_ms, self._clock.ticks_ms()))\n',
}


@dataclass
class Lived:
    """What one board lived through: ms from each alert's sample to its signal, alerts in its log, steps, gaps in ms, bytes sent."""

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
                "synced all the time" if is_synced else "left alone",
                f"{sum(one.sent_bytes for one in of) / 1024:.0f}",
                sum(one.steps for one in of),
                figure(missed, 0, None, 0.0) if is_synced else "",
                figure(sum(one.gap_ms for one in of), 0, None, 0.0),
                f"{len(late)} of {sum(one.alerts for one in of)}",
                f"{statistics.median(late):.0f}",
                max(late),
            ]
        )
    columns = ("", "KB sent", "steps", "steps unlike", "ms lost", "alerts told", "late, median ms", "late, most ms")
    table("", columns, rows, bold=[1])


def _live(folder: Path, seed: int, is_synced: bool, log: bytes) -> Lived:
    """One board through the plan."""
    flash = folder / f"{seed}-{is_synced}.bin"
    device = new_flash(flash)
    app = (ROOT / "firmware/app.py").read_text()
    for where, more in TELLS.items():
        assert app.count(where) == 1, "the app's alerts are played elsewhere now"
        app = app.replace(where, more + where)
    put_files(flash, {"app.py": app.encode()})
    put_sessions(flash, {n: as_of(log, device, n) for n in range(1, LOGS + 1)})
    text: list[str] = []
    sent = 0
    options = ("--link", "uart", "--bps", BPS)
    with VirtualBoard(*options, flash=flash, recording=folder / f"{seed}.csv") as running:
        end = time.monotonic() + sum(segment.seconds for segment in PLAN) + 2
        with Board(Line(running.port), text.append) as talk:
            talk.hello(20)
            while time.monotonic() < end:
                if not is_synced:
                    list(talk.events(LISTEN_S))
                    continue
                with tempfile.TemporaryDirectory(dir=folder) as home, Store(f"sqlite:///{home}/store.sqlite") as store:
                    sent += sync_board(talk, store.raw, store).received_bytes
            status = talk.status()
            list(talk.events(LISTEN_S))
            entry = next(entry for entry in talk.list() if entry.session == status.session)
            stored = read_log(b"".join(talk.read(entry.session, 0, entry.length)))
    late = [int(at) - int(of) for of, at in re.findall(r"alert of (\d+) at (\d+)", "".join(text))]
    steps = sum(status.totals[:3])
    gap_ms = sum(gap.to_ms - gap.from_ms for gap in stored.gaps)
    return Lived(late, len(stored.alerts), steps, gap_ms, sent)
