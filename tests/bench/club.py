"""A club's store: how long a check takes, beside pandas and polars, and from a synced session to its verdict.

    python -m bench.club                                            clubs of 10 and 1,000, in a file and on PostgreSQL
    python -m bench.club --athletes 10 1000 10000 --a-day 1         the largest club: some minutes
    python -m bench.club --athletes 1000 --sessions 1000            a million sessions, at one and at 24 a day
    python -m bench.club --store URL                                in another database, which is filled

Sessions are synthetic: a warm-up, then 54 to 66 s of backward jogging. They are written as the logs of a sync are, without details. Times
are those of the processor, of whole commands where a command is named; what a server takes is not in them.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from retrostep.archive.dating import ClockFact
from retrostep.archive.log_rows import LogRows
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.projected_logs import project_logs
from retrostep.archive.session_dates import date_all
from retrostep.archive.store import Store
from retrostep.device.core_version import core_hash
from retrostep.training.check import Check
from retrostep.training.data_quality import Core
from retrostep_core import VERSION
from retrostep_core.codes import BACKWARD, FORWARD, MARK_STRETCH, STILL
from support.logs import LogBuilder
from support.postgresql import NoServer, empty_schema

from bench.inputs import BUILD
from bench.tables import console

DAY_MS = 86_400_000
RETROSTEP = [sys.executable, "-m", "retrostep"]


def log_of(number: int, device: str, started_ms: int) -> bytes:
    """A session: 5.5 min forward, a minute backward at 160 steps a minute, a walk, and stretching."""
    log = LogBuilder(number, device=device, boot=number, core_hash=core_hash()).clock(started_ms)
    log.bout(FORWARD, 330, 158).bout(BACKWARD, 60, 160).bout(FORWARD, 40, 110).bout(STILL, 10).mark(MARK_STRETCH)
    return log.end()


def device_of(athlete: int) -> str:
    return f"RS-{athlete:012X}"


def fill(url: str, athletes: int, sessions: int, a_day: int) -> None:
    """Write a club: the last session of each athlete is from yesterday evening."""
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end_ms = int(end.timestamp() * 1_000)
    base = summarize_log(log_of(1, device_of(0), end_ms), device_of(0), 1, 0).session
    dice = random.Random(1)
    since = {"from_at_ms": 0, "who": "", "why": ""}
    with Store(url) as store:
        store._enter_all([("athlete", {"name": f"Athlete {n}"}) for n in range(athletes)])
        store._enter_all([("assign", {"device": device_of(n), "athlete": f"Athlete {n}", **since}) for n in range(athletes)])
        for n in range(athletes):
            logs: list[tuple[LogRows, int | None]] = []
            for k in range(sessions):
                started_ms = end_ms - (sessions - k) * DAY_MS // a_day + dice.randrange(60_000)
                varied = {name: int(base[name] * dice.uniform(0.9, 1.1)) for name in ("backward_ms", "backward_cadence_x10")}
                row = {**base, **varied, "device": device_of(n), "number": k + 1, "boot": k + 1}
                fact = ClockFact(k + 1, base["start_ticks_ms"], started_ms, 1)
                logs.append((LogRows(row, {}, [fact]), started_ms + 3_600_000))
            with store._write() as session:
                project_logs(session, logs)
                date_all(session, device_of(n), base["generation"])


def measured(command: Sequence[str]) -> tuple[float, float, str]:
    """(s of the processor, MB of memory at most, output) of a command."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        peak_kb = ended = 0
        while not ended:
            # Not ru_maxrss: it includes the memory of the program that started the command.
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            peak_kb = max([peak_kb, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))])
            time.sleep(0.01)
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode not in (0, 3):
            raise RuntimeError(errors.read().decode().strip().splitlines()[-1])
        return used.ru_utime + used.ru_stime, peak_kb / 1_024, output.read().decode()


def check_cost(url: str, athletes: int, sessions: int, a_day: int) -> float:
    """The check as a command, and the same rules with data frames. Return the s of the processor of the check."""
    what = f"{athletes} athletes x {sessions} sessions, {a_day} a day, {'in a file' if url.startswith('sqlite') else 'on a server'}"
    seconds, mb, output = measured([*RETROSTEP, "check", "--store", url])
    verdicts = next(line.partition(": ")[2] for line in output.splitlines() if re.match(r"\d{4}-.* to \d{4}-", line))
    console.print(f"{what}: check {seconds:.2f} s, {mb:.0f} MB  [dim]{verdicts}[/dim]")
    for frames in ("pandas", "polars") if url.startswith("sqlite") else ():
        try:
            of_frames, mb, output = measured([sys.executable, "-m", "bench.club_frames", frames, url.removeprefix("sqlite:///")])
        except RuntimeError as error:
            console.print(f"  {frames}: {error}")
            continue
        console.print(f"  {frames}, eight of the rules: {of_frames:.2f} s, {mb:.0f} MB  [dim]{output.strip()}[/dim]")
    return seconds


def verdict_cost(url: str, sessions: int) -> None:
    """From a received log to its athlete's verdict, in an open store."""
    spent, waited = [], []
    with Store(url) as store:
        for n in range(5):
            started = datetime.now(UTC) - timedelta(hours=2)
            log = log_of(sessions + 1, device_of(n), int(started.timestamp() * 1_000))
            begin, begin_s = time.process_time(), time.monotonic()
            store.ingest(device_of(n), sessions + 1, log)
            with store.snapshot():
                (verdict,) = Check(store, Core(VERSION, core_hash().hex()), started.astimezone().date()).verdicts(f"Athlete {n}")
            spent.append(time.process_time() - begin)
            waited.append(time.monotonic() - begin_s)
            assert verdict.review is not None and verdict.review.days_without_data == 0
    console.print(
        f"  from a log to its athlete's verdict: {sorted(spent)[2] * 1_000:.0f} ms of the processor, {sorted(waited)[2] * 1_000:.0f} ms "
        f"elapsed; the first time {spent[0] * 1_000:.0f} ms (at most 200 ms)"
    )


def start_cost(folder: Path) -> float:
    """What a command costs before it does anything. Return the s of the processor of a check of nobody."""
    url = f"sqlite:///{folder}/store.sqlite"
    folder.mkdir(parents=True)
    Store(url).close()
    for words in (["--help"], ["check", "--store", url]):
        seconds, mb, _ = measured([*RETROSTEP, *words])
        console.print(f"retrostep {words[0]}, nothing to do: {seconds:.2f} s, {mb:.0f} MB")
    return seconds


def stores(folder: Path) -> Iterator[str]:
    """The URLs of two empty stores: a file, and a schema on a PostgreSQL server where one can be started."""
    folder.mkdir()
    yield f"sqlite:///{folder}/store.sqlite"
    shutil.rmtree(folder)
    try:
        yield empty_schema()
    except NoServer as why:
        console.print(f"[dim]{why}[/dim]")


def run(athletes: Sequence[int] = (10, 1_000), sessions: int = 100, a_day: Sequence[int] = (1, 24), store: str | None = None) -> None:
    """The section of `make bench`."""
    folder = BUILD / "club"
    shutil.rmtree(folder, ignore_errors=True)
    console.print("[bold]Check of a club[/bold]")
    start_s = start_cost(folder / "empty")
    per_athlete: dict[str, list[str]] = {}
    for number in athletes:
        for each in a_day:
            for url in (store,) if store else stores(folder / f"{number}-{each}"):
                fill(url, number, sessions, each)
                seconds = check_cost(url, number, sessions, each)
                verdict_cost(url, sessions)
                kind = f"{each} a day, {'in a file' if url.startswith('sqlite') else 'on a server'}"
                per_athlete.setdefault(kind, []).append(f"{(seconds - start_s) * 1_000 / number:.2f} ms of {number}")
            if store is not None:
                return  # one club fits into a database
    for kind, costs in per_athlete.items():
        console.print(f"each athlete's part of a check, {kind}: {', '.join(costs)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.club", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--athletes", type=int, nargs="+", default=(10, 1_000), help="the sizes of the clubs; default: 10 1000")
    parser.add_argument("--sessions", type=int, default=100, help="of each athlete")
    parser.add_argument("--a-day", type=int, nargs="+", default=(1, 24), help="how many sessions an athlete has on a day")
    parser.add_argument("--store", metavar="URL", help="an empty store, for example postgresql://...; default: a file and a server")
    run(**vars(parser.parse_args()))
