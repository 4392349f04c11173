"""Years of entries: the store is the same however its logs and entries came in, and a rebuild that is cut leaves the old one."""

import gc
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from retrostep.archive import log_readers, verify
from retrostep.archive.schema import Base, SessionRow
from retrostep.archive.store import Store
from retrostep.errors import RetrostepError
from sqlalchemy import select
from support.cli import RETROSTEP
from support.logs import DEVICE, LogBuilder, session_log

DEVICES = (DEVICE, "112233445566", "RS-3F2A01B4C8D9")
DERIVED = {"entries", "folders", "store_state"}
"""Tables that depend on the way there."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as opened:
        yield opened


@pytest.fixture
def always_parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_readers, "PARALLEL_LOGS", 1)
    monkeypatch.setattr(log_readers, "BATCH", 3)
    monkeypatch.setattr(log_readers, "_cores", lambda: 2)


def put(store: Store, device: str, number: int, data: bytes, generation: int = 0) -> None:
    store.raw.commit(device, number, data, generation)
    store.ingest(device, number, data, generation=generation)


def contents(store: Store) -> dict[str, list[Any]]:
    """Every row of every table, without the ids that depend on the order of arrival."""
    found = {}
    with store._read() as session:
        keys = {row.id: (row.device, row.generation, row.number) for row in session.scalars(select(SessionRow))}
        for name, table in Base.metadata.tables.items():
            if name in DERIVED:
                continue
            names = [column.name for column in table.columns if column.name != "id" or name == "athletes"]
            rows = [
                tuple(keys[value] if column == "session_id" else value for column, value in zip(names, row, strict=True))
                for row in session.execute(select(*(table.c[column] for column in names)))
            ]
            found[name] = sorted(rows, key=repr)
    return found


def fill(store: Store, sessions: int = 8) -> None:
    """Sessions of several devices and generations, some damaged, some without a date."""
    for at, device in enumerate(DEVICES):
        for number in range(1, sessions + 1):
            log = LogBuilder(number, device=device, boot=1 + number // 2, start_ticks_ms=number * 900_000, generation=at)
            log.bout(1, 20).bout(2, 10 + number).alert(1, 2).gap(100, 700).mark(1)
            data = log.end() if number % 3 else bytes(log.data)[:-9]
            put(store, device, number, data, generation=at)
    put(store, DEVICE, 1, session_log(1, generation=9, started="2026-11-01 10:00", backward_s=40), generation=9)


@pytest.mark.parametrize("seed", range(6))
def test_entries_one_by_one_leave_what_a_rebuild_makes_of_them(store: Store, seed: int) -> None:
    """Also that an entry that changes little changes all that it should: dates, athletes and notes are as if everything was done again."""
    dice = random.Random(seed)
    fill(store, 4)
    names = ["Ada", "Ben", "Cyd"]
    for name in names:
        store.add_athlete(name)
    began = datetime(2026, 11, 1, tzinfo=UTC)
    for _ in range(40):
        device, when = dice.choice(DEVICES), began + timedelta(hours=dice.randrange(400))
        row = dice.choice([row for row, _ in store.sessions(device=device)])
        try:
            match dice.randrange(9):
                case 0 | 1:
                    store.assign(device, dice.choice([*names, None]), when, when + timedelta(hours=40) if dice.random() < 0.3 else None)
                case 2:
                    store.add_clock_fact(
                        device, dice.randint(1, 5), dice.randrange(10**6), int(when.timestamp()) * 1_000, generation=row.generation
                    )
                case 3:
                    store.note(device, row.number, generation=row.generation, pain=dice.randint(0, 9), next_day=dice.random() < 0.5)
                case 4:
                    store.correct_note(row, 1, {"pain": dice.randint(0, 9)}) if dice.random() < 0.5 else store.withdraw_note(row, 1)
                case 5:
                    store.set_session_athlete(row, dice.choice(names))
                case 6:
                    store.unset_session_athlete(row)
                case 7:
                    store.remove_athlete("Cyd") if dice.random() < 0.5 else store.restore_athlete("Cyd")
                case 8:
                    store.set_manual_date(row, when, clock_was_wrong=True)
        except (RetrostepError, ValueError):
            continue  # refused: nothing was entered
    before = contents(store)
    store.rebuild()
    after = contents(store)
    for name in before:
        assert after[name] == before[name], name


def test_logs_read_by_several_processes_make_the_same_store(store: Store, always_parallel: None, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    store.raw.commit(DEVICE, 77, b"no log at all")
    before = contents(store)
    seen: list[tuple[int, int]] = []
    # Nothing is read in this process, so the others did all of it.
    monkeypatch.setattr(log_readers, "read_rows", lambda log: pytest.fail("read here"))
    report = store.rebuild(lambda done, total: seen.append((done, total)))
    assert contents(store) == before
    assert report.sessions == 25 and len(report.unreadable) == 1
    assert seen == [(n, 26) for n in range(1, 27)]


def test_logs_are_read_here_where_the_processes_are_killed(store: Store, always_parallel: None, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    before = contents(store)
    start = log_readers._start
    started: list[subprocess.Popen[bytes]] = []

    def killed(command: list[str]) -> "subprocess.Popen[bytes]":
        started.append(start(command))
        started[-1].kill()
        return started[-1]

    monkeypatch.setattr(log_readers, "_start", killed)
    assert store.rebuild().sessions == 25
    assert len(started) == 2 and contents(store) == before


def test_no_process_is_left_when_a_rebuild_is_stopped(store: Store, always_parallel: None, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    before = contents(store)
    started: list[subprocess.Popen[bytes]] = []
    start = log_readers._start
    monkeypatch.setattr(log_readers, "_start", lambda command: started.append(start(command)) or started[-1])

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    thresholds = gc.get_threshold()
    with pytest.raises(KeyboardInterrupt):
        store.rebuild(stop)
    assert len(started) == 2 and all(process.poll() is not None for process in started)
    assert gc.get_threshold() == thresholds and not gc.get_freeze_count()
    assert contents(store) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_rebuild_leaves_the_old_store(store: Store) -> None:
    fill(store)
    before = contents(store)
    store.close()
    process = subprocess.Popen([*RETROSTEP, "store", "rebuild", "--store", store.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not store.path.with_name("store.sqlite-wal").exists() and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with Store(store.url) as again:
        assert contents(again) == before and not again.notices


@pytest.mark.parametrize("seed", range(4))
def test_verify_finds_missing_logs_wherever_they_were(store: Store, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_BATCH", 1 + 3 * seed)
    fill(store)
    logs = list(store.raw.all())
    gone = [[logs[0], logs[-1]], logs, [log for log in logs if log.device == DEVICES[0]], random.Random(seed).sample(logs, 9)][seed]
    for log in gone:
        log.path.unlink()
    expected = sorted(gone, key=lambda log: (log.device, log.generation, log.session))
    found = store.verify(lambda done, total: None)
    assert [finding.path for finding in found.missing] == [log.path for log in expected]
    assert found.logs == len(logs) - len(gone) and not (found.rotten or found.truncated or found.foreign or found.differing)
