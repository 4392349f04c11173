"""The archive after years: what an entry costs when there are many, and how long a rebuild takes.

    python -m bench.archive --devices 1000 --sessions 200 --entries 5000

Logs and entries are synthetic. An entry's cost is counted, not timed: calls of Python functions and steps of SQLite's virtual machine.
"""

import argparse
import binascii
import json
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from retrostep.archive.data_dir import DataDir
from retrostep.archive.event_journal import SEQ, entry_line
from retrostep.archive.identifiers import generation_name
from retrostep.archive.moments import to_ms
from retrostep.archive.raw_logs import log_file_name
from retrostep.archive.store import Store
from retrostep_core.codes import BACKWARD, FORWARD, STILL
from support.logs import LogBuilder, at

from bench.inputs import BUILD
from bench.tables import console

DAY_MS = 86_400_000
FIRST = at("2026-02-01 10:00")
STEPS_COUNTED = 100
"""SQLite reports its steps in hundreds."""

WITH_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a command, then prints its peak memory in KB. Of a child of this program, the peak would be at least that of this program."""


def device_of(n: int) -> str:
    return f"RS-{n:012X}"


def logs(device: str, count: int) -> Iterator[bytes]:
    """`count` sessions of a device, one a day: a minute forward, half a minute backward, and standing still, with clock and boot."""
    plan = LogBuilder(1, device=device).bout(FORWARD, 60).bout(BACKWARD, 30).bout(STILL, 10)
    plan.end()
    header_length = len(LogBuilder(1, device=device).data)
    body = bytes(plan.data[header_length:])
    for number in range(1, count + 1):
        log = LogBuilder(number, device=device, boot=number, generation=7)
        # The clock's record comes last: the records of the body keep their sequence numbers.
        log.data += body
        log.seq = plan.seq
        yield bytes(log.clock(FIRST + number * DAY_MS).data)


def url_of(folder: Path) -> str:
    """The store in a data folder."""
    return f"sqlite:///{folder}/store.sqlite"


def build(folder: Path, devices: int, sessions: int, entries: int) -> None:
    """Make a data folder with logs, their receipts and `entries` other entries, as syncs and people make them. It has no store yet."""
    shutil.rmtree(folder, ignore_errors=True)
    data_dir = DataDir(folder)
    dice = random.Random(1)
    lines: list[dict[str, object]] = []
    for n in range(devices):
        device = device_of(n)
        place = data_dir.logs / device / generation_name(7)
        place.mkdir(parents=True)
        for number, log in enumerate(logs(device, sessions), 1):
            (place / log_file_name(number)).write_bytes(log)
            fact = {"device": device, "life": 7, "number": number, "length": len(log), "crc": binascii.crc32(log)}
            at_ms = FIRST + number * DAY_MS + 3_600_000
            lines.append({"entry": "received", "at_ms": at_ms, **fact, "received_at_ms": at_ms})
    for n in range(entries):
        lines.append(entry(n, dice, devices, sessions))
    lines.sort(key=lambda line: (line["entry"] != "athlete", line["at_ms"]))
    with open(data_dir.journal, "wb") as file:
        file.writelines(entry_line({"entry": line["entry"], "at_ms": line["at_ms"], SEQ: seq, **line}) for seq, line in enumerate(lines, 1))


def entry(n: int, dice: random.Random, devices: int, sessions: int) -> dict[str, object]:
    """Entry `n`: an athlete, an assignment, a note, a clock time or a sync."""
    device, day = device_of(dice.randrange(devices)), dice.randint(1, sessions)
    at_ms = FIRST + day * DAY_MS + 3_700_000 + n
    of_device = {"at_ms": at_ms, "device": device}
    kind = n % 5
    if kind == 0:
        return {"entry": "athlete", "at_ms": at_ms, "name": f"Athlete {n}"}
    if kind == 1:
        return {"entry": "assign", **of_device, "athlete": f"Athlete {n - 1}", "from_at_ms": at_ms, "who": "", "why": ""}
    if kind == 2:
        note = {"pain": 2, "rpe": 5, "text": f"note {n}", "next_day": False, "limp": False, "swelling": False}
        return {"entry": "note", **of_device, "life": 7, "number": day, **note, "who": ""}
    if kind == 3:
        return {"entry": "clock", **of_device, "life": 7, "boot": day, "ticks_ms": 3_600_000, "epoch_ms": at_ms, "source": 1}
    return {"entry": "seen", **of_device, "board": "VIRTUAL", "core_version": "0.1.0", "core_hash": "00" * 8, "boot": day}


@contextmanager
def counted(store: Store) -> Iterator[Callable[[], tuple[int, int]]]:
    """Count calls of Python functions, and steps of SQLite; the function that is given returns both."""
    calls = steps = 0

    def step() -> int:
        nonlocal steps
        steps += STEPS_COUNTED
        return 0

    def call(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    with store._read() as session:
        connection: sqlite3.Connection = session.connection().connection.driver_connection  # type: ignore[assignment]
        connection.set_progress_handler(step, STEPS_COUNTED)
    sys.setprofile(call)
    try:
        yield lambda: (calls, steps)
    finally:
        sys.setprofile(None)
        connection.set_progress_handler(None, 0)


def entries_cost(folder: Path, last: int) -> None:
    """Compare, for each kind of entry and all of them for one device, the cost of entry 10 with that of entry `last`."""
    build(folder, 1, 200, 0)
    device, moment = device_of(0), datetime.fromtimestamp(FIRST / 1_000, UTC) + timedelta(days=300)
    note = {"pain": 2, "rpe": None, "text": "", "next_day": False, "limp": False, "swelling": False}
    limit = {"rule": "session_spike", "athlete": "Ada", "warn": 20, "fail": 40, "enabled": True, "from_at_ms": FIRST, "to_at_ms": None}
    by = {"who": "Kim", "why": "a test"}

    def clock(n: int) -> dict[str, int]:
        return {"boot": 200 + n // 4, "ticks_ms": 1_000 + n % 4 * 60_000, "epoch_ms": FIRST + 210 * DAY_MS + n * 60_000, "source": 1}

    def wears(n: int) -> dict[str, object]:
        return {"athlete": ("Ada", "Ben")[n % 2], "from_at_ms": to_ms(moment + timedelta(minutes=n))}

    kinds: dict[str, tuple[Callable[[int], dict[str, object]], Callable[[Store, int], object]]] = {
        "athlete": (lambda n: {"name": f"Athlete {n}"}, lambda store, n: store.add_athlete(f"Athlete {n}")),
        "note": (
            lambda n: {"device": device, "life": 7, "number": 5, **note},
            lambda store, n: store.note(device, 5, generation=7, pain=2),
        ),
        "assign": (
            lambda n: {"device": device, **wears(n), **by},
            lambda store, n: store.assign(device, ("Ada", "Ben")[n % 2], moment + timedelta(minutes=n)),
        ),
        "override": (
            lambda n: {**limit, **by},
            lambda store, n: store.override("session_spike", who="Kim", why=f"reason {n}", athlete="Ada", warn=20, fail=40),
        ),
        "clock": (
            lambda n: {"device": device, "life": 7, **clock(n)},
            lambda store, n: store.add_clock_fact(device, **clock(n), generation=7),
        ),
    }
    for kind, (fields, enter) in kinds.items():
        costs = []
        for before in (10, last):
            build(folder, 1, 200, 0)
            with Store(url_of(folder)) as store:
                store.add_athlete("Ada")
                store.add_athlete("Ben")
                store._enter_all([(kind, fields(n)) for n in range(before)])
            with Store(url_of(folder)) as store, counted(store) as so_far:
                enter(store, before)
                costs.append(so_far())
        (calls, steps), (more_calls, more_steps) = costs
        console.print(
            f"{kind:9} after 10: {calls} calls, {steps} steps of SQLite; after {last}: {more_calls}, {more_steps}: "
            f"{more_calls / calls:.2f} and {more_steps / max(steps, STEPS_COUNTED):.2f} times"
        )


def rebuild_cost(folder: Path, devices: int, sessions: int, entries: int) -> float:
    """Build the archive, rebuild its store with the command, and print time and memory. Return the processor's ms for a session."""
    build(folder, devices, sessions, entries)
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "retrostep", "store", "rebuild", "--json", "--store", url_of(folder)]
    printed = subprocess.run([sys.executable, "-c", WITH_PEAK, *command], stdout=subprocess.PIPE, check=True).stdout
    answer, _, peak_kb = printed.decode().strip().rpartition("\n")
    report = json.loads(answer)
    seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert report["sessions"] == devices * sessions and not report["damaged_entries"] and not report["changed"], report
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size_mb = sum(path.stat().st_size for path in folder.glob("store.sqlite*")) / 1e6
    console.print(
        f"rebuild of {devices} devices x {sessions} sessions with {entries} entries: {seconds:.1f} s, {processor_s:.1f} s of processor; "
        f"peak memory {int(peak_kb) / 1_024:.0f} MB; store of {size_mb:.0f} MB"
    )
    return processor_s * 1_000 / report["sessions"]


def run(devices: int = 100, sessions: int = 200, entries: int = 500, last: int = 10_000) -> None:
    """The section of `make bench`, at a tenth of the size by default."""
    folder = BUILD / "archive"
    console.print("[bold]The archive after years[/bold]")
    small = rebuild_cost(folder, max(1, devices // 5), sessions, entries // 5)
    large = rebuild_cost(folder, devices, sessions, entries)
    console.print(f"a session in the archive of five times the size: {large / small:.2f} times the processor's time")
    entries_cost(folder, last)
    shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.archive", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("devices", 100), ("sessions", 200), ("entries", 500), ("last", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    run(**vars(parser.parse_args()))
