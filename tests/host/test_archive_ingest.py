"""The way of a log into the archive: it is parsed once, and its columns are listed once."""

import binascii
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from retrostep.archive import log_summary
from retrostep.archive.ingest import archive_log
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.queries import Recording
from retrostep.archive.schema import RecordingColumns, SessionRow
from retrostep.archive.store import Store
from retrostep.device.client import DeviceClient
from retrostep.errors import DamagedData
from retrostep.sync.sync import sync_board
from support.fake_board import FakeBoard
from support.logs import DEVICE, session_log


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'home' / 'store.sqlite'}") as opened:
        yield opened


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The logs that were parsed, in order."""
    logs: list[bytes] = []
    read_log = log_summary.read_log

    def counted(data: bytes) -> object:
        logs.append(bytes(data))
        return read_log(data)

    monkeypatch.setattr(log_summary, "read_log", counted)
    return logs


def test_a_sync_parses_each_log_once(store: Store, tmp_path: Path, parsed: list[bytes]) -> None:
    logs = {number: session_log(number, forward_s=300 + number) for number in (1, 2, 3)}
    fake = FakeBoard(tmp_path / "flash")
    for number, log in logs.items():
        fake.put(number, log)
    assert len(sync_board(DeviceClient(fake), store).of("received")) == 3
    assert parsed == list(logs.values())
    sync_board(DeviceClient(fake), store)
    assert len(parsed) == 3, "what is archived is not parsed again"
    assert store.rebuild().sessions == 3 and len(parsed) == 6


def test_a_longer_copy_in_the_archive_stays_and_is_what_counts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log = session_log(1, forward_s=60, backward_s=30)
    path = store.raw.commit(DEVICE, 1, log)
    on_disk: list[Path] = []
    monkeypatch.setattr("retrostep.archive.raw_logs.fsync_file", on_disk.append)
    beginning = log[: len(log) // 2]
    summary = archive_log(store, summarize_log(beginning), beginning)
    assert summary == summarize_log(log) != summarize_log(beginning)
    assert store.raw.read(DEVICE, 1) == log and on_disk == [path], "it may not have been before"


def test_an_archived_log_has_the_receipt_for_its_bytes(store: Store) -> None:
    log = session_log(1, forward_s=60, backward_s=30)
    for data in (log[: len(log) // 2], log):
        archive_log(store, summarize_log(data), data)
        receipt = store.receipt((DEVICE, 1, 0))
        assert receipt and (receipt.length, receipt.crc) == (len(data), binascii.crc32(data)) and receipt.received_at_ms


def test_a_complete_copy_replaces_a_damaged_one_which_goes_to_quarantine(store: Store) -> None:
    log = session_log(1, forward_s=60, backward_s=30)
    damaged = bytearray(log)
    damaged[len(log) // 2] ^= 0x10
    store.raw.commit(DEVICE, 1, bytes(damaged))
    assert archive_log(store, summarize_log(log), log) == summarize_log(log)
    assert store.raw.read(DEVICE, 1) == log
    assert [path.read_bytes() for path in store.raw.quarantined()] == [bytes(damaged)]
    other = session_log(1, forward_s=61)
    with pytest.raises(DamagedData, match="both are kept"):
        archive_log(store, summarize_log(other), other)
    assert store.raw.read(DEVICE, 1) == log


def test_a_summary_is_of_the_log_that_is_expected_or_of_the_one_that_is_there() -> None:
    log = session_log(7, generation=5)
    assert summarize_log(log).key == summarize_log(log, DEVICE, 7, 5).key == (DEVICE, 7, 5)
    for expected in (("other", 7, 5), (DEVICE, 8, 5), (DEVICE, 7, 0), (DEVICE, 7, 6)):
        with pytest.raises(DamagedData, match=f"received as session {expected[0]}/{expected[1]}"):
            summarize_log(log, *expected)


def test_the_columns_of_a_session_are_those_of_its_log_its_date_and_its_notes(store: Store) -> None:
    row = store.ingest(DEVICE, 1, session_log(1, started="2026-11-20 17:30", backward_s=60))
    (recording,) = store.recordings(0)
    columns = set(SessionRow.__table__.columns.keys())
    assert Recording._fields == tuple(RecordingColumns.__annotations__) and set(Recording._fields) < columns
    assert all(getattr(recording, name) == getattr(row, name) for name in Recording._fields)
    assert recording.id == row.name == f"{DEVICE}/1"
    of_log = set(summarize_log(session_log(1)).session)
    assert of_log < columns
    dated = {"athlete_id", "started_at_ms", "not_before_ms", "not_after_ms", "placed_at_ms", "dated", "clock_spread_ms", "received_at_ms"}
    noted = {"pain", "pain_next_day", "limp", "swelling", "excluded_why"}
    assert columns == of_log | dated | noted | {"id", "nth_generation"}


def test_a_store_of_the_first_layouts_is_rebuilt_with_its_generations_and_notes(store: Store) -> None:
    """The journal's field for a generation is `life`, as in the first version."""
    log = session_log(1, generation=9)
    store.raw.commit(DEVICE, 1, log, 9)
    for fields in (
        {"kind": "life", "device": DEVICE, "life": 9, "nth": 2},
        {"kind": "note", "device": DEVICE, "life": 9, "number": 1, "pain": 3, "rpe": None, "text": "", "next_day": False, "limp": False}
        | {"swelling": False},
        {"kind": "clock", "device": DEVICE, "life": 9, "boot": 1, "ticks_ms": 10_000, "epoch_ms": 1_795_000_000_000, "source": 1},
    ):
        store.journal.append(str(fields.pop("kind")), 1_795_000_000_000, **fields)
    store.close()
    with sqlite3.connect(store.path) as db:
        db.execute("UPDATE store_state SET layout = 2")
    db.close()
    with Store(store.url, rebuilding=True) as again:
        assert again.rebuild().damaged_entries == 0
    with Store(store.url) as again:
        row = again.find_session(f"{DEVICE}.2/1")
        assert (row.generation, row.pain, row.started_at_ms) == (9, 3, 1_795_000_000_000)
