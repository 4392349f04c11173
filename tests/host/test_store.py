"""The store is derived from raw logs and the journal. Sessions are dated and assigned again when more is known, and it can be rebuilt."""

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from retrostep.archive import schema
from retrostep.archive.journal_repair import Disorder
from retrostep.archive.migrate import MIGRATED_SINCE
from retrostep.archive.schema import SessionRow
from retrostep.archive.store import Store, rebuild_store
from retrostep.errors import (
    DamagedData,
    DamagedJournal,
    DamagedStore,
    NotFound,
    RetrostepError,
    StoreBusy,
    StoreLayout,
    UnsafeName,
    UnsupportedStore,
)
from retrostep_core.codes import BACKWARD, END_FLASH_FULL, END_INTERRUPTED, FORWARD, GAP_FLASH, STILL
from support.logs import CORE_HASH, DEVICE, LogBuilder, at, session_log

OTHER = "112233445566"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as opened:
        yield opened


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def put(
    store: Store, number: int, data: bytes | None = None, device: str = DEVICE, received: str = "2026-11-22 09:00", **plan: object
) -> SessionRow:
    data = session_log(number, device=device, **plan) if data is None else data
    path = store.raw.commit(device, number, data)
    arrival = utc(received)
    os.utime(path, (arrival.timestamp(), arrival.timestamp()))
    return store.ingest(device, number, data, arrival)


def rows(store: Store) -> list[tuple[object, ...]]:
    """All sessions in the store, without the ids of rows, which a rebuild may change."""
    found = []
    for row, athlete in store.sessions():
        values = {column.name: getattr(row, column.name) for column in SessionRow.__table__.columns}
        detail = store.detail(row)
        own = [len(getattr(detail, name)) for name in ("bouts", "epochs", "alerts", "gaps", "loads", "marks")]
        notes = [(note.pain, note.rpe, note.text) for note in detail.notes]
        found.append((athlete, own, notes, {name: value for name, value in values.items() if name not in ("id", "athlete_id")}))
    return found


def test_a_log_becomes_its_totals(store: Store) -> None:
    log = LogBuilder(4, boot=9, start_ticks_ms=5_000).clock(at("2026-11-20 17:00"))
    log.bout(FORWARD, 300, 160).bout(BACKWARD, 60, 150).bout(FORWARD, 30).bout(BACKWARD, 45, 170).bout(STILL, 60)
    log.alert(1, 1).alert(1, 2).alert(2, 2).gap(1_000, 1_500).gap(400_000, 999_000, GAP_FLASH).mark(1).mark(2)
    row = put(store, 4, log.end())
    assert (row.device, row.number, row.boot, row.started_at_ms, row.dated) == (DEVICE, 4, 9, at("2026-11-20 17:00"), "measured")
    assert (row.duration_ms, row.forward_ms, row.backward_ms) == (495_000, 330_000, 105_000)
    assert (row.forward_steps, row.backward_steps, row.unknown_steps) == (880, 277, 0)
    assert (row.first_backward_ms, row.warm_up_ms, row.longest_backward_ms) == (300_000, 300_000, 60_000)
    assert row.backward_cadence_x10 == 1_500, "the median over backward epochs: six at 150, four at 170"
    assert (row.ramp_warns, row.ramp_stops) == (1, 1), "a ceiling alert is no ramp alert"
    assert (row.gaps, row.gap_ms, row.warm_up_mark, row.stretch_mark) == (1, 500, True, True)
    assert (row.damage, row.lost_records, row.contradictory, row.end_reason) == (0, 0, False, 1)
    assert (row.core_version, row.core_hash) == ("0.1.0", CORE_HASH.hex())
    detail = store.detail(row)
    assert [(bout.start_ms, bout.end_ms, bout.direction) for bout in detail.bouts] == [
        (0, 300_000, FORWARD),
        (300_000, 360_000, BACKWARD),
        (360_000, 390_000, FORWARD),
        (390_000, 435_000, BACKWARD),
    ]
    assert [(alert.kind, alert.severity, alert.measured) for alert in detail.alerts] == [(1, 1, 170), (1, 2, 170), (2, 2, 170)]


def test_a_step_back_does_not_end_the_warm_up(store: Store) -> None:
    log = LogBuilder(1).bout(FORWARD, 60).bout(BACKWARD, 4).bout(FORWARD, 240).bout(BACKWARD, 60)
    row = put(store, 1, log.end())
    assert (row.first_backward_ms, row.warm_up_ms) == (304_000, 300_000)
    only = LogBuilder(2).bout(FORWARD, 60).bout(BACKWARD, 4).bout(FORWARD, 240)
    assert put(store, 2, only.end()).first_backward_ms == 60_000, "unless there is nothing else"


def test_stretching_counts_when_it_comes_after_the_backward_running(store: Store) -> None:
    before = LogBuilder(1).bout(FORWARD, 60).mark(2).bout(BACKWARD, 60)
    assert put(store, 1, before.end()).stretch_mark is False
    after = LogBuilder(2).bout(FORWARD, 60).bout(BACKWARD, 60).bout(STILL, 5).mark(2)
    assert put(store, 2, after.end()).stretch_mark is True


def test_damage_is_counted_and_the_rest_is_kept(store: Store) -> None:
    whole = bytearray(session_log(1, started="2026-11-20 17:00", backward_s=60))
    spot = whole.index(bytes([4]), 120)
    whole[spot + 8] ^= 0xFF
    row = put(store, 1, bytes(whole))
    assert row.damage > 0 and row.lost_records == 1
    assert row.backward_ms == 60_000, "END still has the totals"


def test_an_interrupted_log_keeps_what_was_flushed(store: Store) -> None:
    log = LogBuilder(1).clock(at("2026-11-20 17:00")).bout(FORWARD, 30).bout(BACKWARD, 20)
    row = put(store, 1, bytes(log.data)[:-3])
    assert row.end_reason == 0 and row.damage > 0 and row.backward_ms >= 10_000


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cannot be read"),
        (b"hello", "cannot be read"),
        (b"RSL\x02" + bytes(50), "format version 2"),
        (session_log(2), "is that of session"),
        (session_log(1, device=OTHER), "is that of session"),
        (session_log(1, start_ticks_ms=1 << 60), "impossible"),
    ],
)
def test_a_foreign_log_is_refused_and_changes_nothing(store: Store, data: bytes, why: str) -> None:
    with pytest.raises(DamagedData, match=why):
        store.ingest(DEVICE, 1, data)
    assert store.counts()["sessions"] == 0


def test_impossible_totals_are_flagged(store: Store) -> None:
    log = LogBuilder(1).bout(FORWARD, 60)
    log.totals[1] = 4_000_000_000
    assert put(store, 1, log.end()).contradictory is True
    log = LogBuilder(2).bout(FORWARD, 60)
    log.totals[4] = 120_000
    assert put(store, 2, log.end()).contradictory is True


def test_ingesting_a_log_again_changes_nothing_and_a_longer_one_replaces(store: Store) -> None:
    log = LogBuilder(1).clock(at("2026-11-20 17:00")).bout(FORWARD, 30).bout(BACKWARD, 20)
    first = bytes(log.data)
    put(store, 1, first, received="2026-11-20 18:00")
    before = rows(store)
    put(store, 1, first, received="2026-11-22 18:00")
    assert rows(store) == before
    row = put(store, 1, log.bout(BACKWARD, 30).end(), received="2026-11-21 18:00")
    assert (row.backward_ms, row.end_reason, row.received_at_ms) == (50_000, 1, at("2026-11-21 18:00"))
    assert store.counts()["sessions"] == 1 and len(store.detail(row).bouts) == 3


def test_a_fact_that_comes_later_dates_what_was_there(store: Store) -> None:
    assert put(store, 1, start_ticks_ms=60_000).dated == "undated"
    assert put(store, 2, start_ticks_ms=120_000, boot=2).dated == "undated"
    store.add_clock_fact(DEVICE, 1, 3_660_000, at("2026-11-22 08:00"))
    first, second = (store.find_session(str(number)) for number in (1, 2))
    assert (first.dated, first.started_at_ms) == ("measured", at("2026-11-22 07:00"))
    assert (second.dated, second.not_before_ms) == ("bounded", at("2026-11-22 08:00"))
    assert second.placed_at_ms == second.not_after_ms == at("2026-11-22 09:00") - second.duration_ms


def test_an_impossible_fact_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="between 2020 and 2100"):
        store.add_clock_fact(DEVICE, 1, 0, 0)


def test_a_device_passes_from_one_to_another(store: Store) -> None:
    for number, started in enumerate(("2026-11-01 10:00", "2026-11-10 10:00", "2026-11-20 10:00"), 1):
        put(store, number, started=started, boot=number)
    store.add_athlete("Ada")
    store.add_athlete("Ben")
    assert [name for _, name in store.sessions()] == [None, None, None]
    assert store.assign(DEVICE, "ada") == 0, "a first assignment reaches back to the first session"
    store.assign(DEVICE, "Ben", utc("2026-11-10 10:00"))
    assert [name for _, name in store.sessions()] == ["Ada", "Ben", "Ben"]
    store.assign(DEVICE, None, utc("2026-11-20 09:59"))
    assert [name for _, name in store.sessions()] == ["Ada", "Ben", None]
    store.assign(DEVICE, "Ada", utc("2026-11-10 10:00"), replaces=store.assignments()[1])
    assert [name for _, name in store.sessions()] == ["Ada", "Ada", None], "the corrected assignment ends where the first one ended"
    assert [(worn.athlete, worn.to_at_ms) for worn in store.assignments()] == [
        ("Ada", at("2026-11-20 09:59")),
        (None, None),
    ]
    assert store.unassigned_sessions() == {DEVICE: 1}
    assert [row.number for row, _ in store.sessions(athlete="ADA")] == [1, 2]


def test_an_undated_session_is_unassigned_where_several_athletes_are_possible(store: Store) -> None:
    store.add_clock_fact(DEVICE, 1, 0, at("2026-11-01 00:00"))
    store.add_clock_fact(DEVICE, 3, 0, at("2026-11-10 00:00"))
    put(store, 1, boot=2)
    store.add_athlete("Ada")
    store.add_athlete("Ben")
    store.assign(DEVICE, "Ada")
    assert store.sessions_by_athlete() == {1: 1}
    store.assign(DEVICE, "Ben", utc("2026-11-05 00:00"))
    assert store.sessions_by_athlete() == {}
    store.assign(DEVICE, "Ben", utc("2026-11-11 00:00"), replaces=store.assignments()[1])
    assert store.sessions_by_athlete() == {1: 1}


def test_names_are_found_and_refused(store: Store) -> None:
    assert store.add_athlete("  Ada   Lovelace ") == "Ada Lovelace"
    with pytest.raises(RetrostepError, match="already"):
        store.add_athlete("ada lovelace")
    for name in ("", "  ", "x" * 81, "Ada\x1b[2J", "A\u202eda"):
        with pytest.raises(RetrostepError, match="printable"):
            store.add_athlete(name)
    assert store.find_athlete("ADA lovelace").name == "Ada Lovelace"
    with pytest.raises(NotFound, match="known: Ada Lovelace"):
        store.find_athlete("Ben")
    put(store, 1)
    put(store, 1, device="aabb00000000")
    assert store.find_device("ccdd") == DEVICE
    assert store.find_device("new-device", may_be_new=True) == "new-device"
    with pytest.raises(NotFound, match="write more"):
        store.find_device("aabb")
    with pytest.raises(NotFound, match="no device '../x'"):
        store.find_device("../x", may_be_new=True)
    assert store.find_session("ccdd/1").device == DEVICE
    for unclear in ("1", "ccdd/2", "x", "", "/", "ccdd/-1", "ccdd/1e3", "ccdd/99999999999"):
        with pytest.raises((NotFound, UnsafeName)):
            store.find_session(unclear)


def test_notes_add_up(store: Store) -> None:
    put(store, 1)
    store.note(DEVICE, 1, pain=2, rpe=6, text="calf")
    store.note(DEVICE, 1, pain=4)
    store.note(DEVICE, 1, pain=1, next_day=True, limp=True)
    row = store.find_session("1")
    assert (row.pain, row.pain_next_day, row.limp, row.swelling) == (4, 1, True, False)
    assert [(note.pain, note.rpe, note.text) for note in store.detail(row).notes] == [(2, 6, "calf"), (4, None, ""), (1, None, "")]
    for wrong in ({"pain": 11}, {"pain": -1}, {"rpe": 11}, {"text": "x" * 2_001}):
        with pytest.raises(ValueError, match="0 to 10"):
            store.note(DEVICE, 1, **wrong)  # type: ignore[arg-type]


def fill(store: Store) -> None:
    """A bit of everything."""
    for number in (1, 2, 3):
        put(store, number, started=f"2026-11-{10 + number} 17:00", backward_s=60 * number, start_ticks_ms=number)
    put(store, 1, device=OTHER, boot=2)
    store.saw_device(SimpleNamespace(device=OTHER, board="VIRTUAL", core_version=(0, 1, 0), core_hash=CORE_HASH, boot=3))
    store.add_clock_fact(OTHER, 3, 1_000, at("2026-11-22 08:00"))
    store.add_athlete("Ada")
    store.assign(DEVICE, "Ada")
    store.note(DEVICE, 2, pain=3, text="knee \u202e\x1b[2J")
    store.override("session_spike", who="Kim", why="elite", athlete="Ada", warn=20, fail=40, from_at=utc("2026-01-01 00:00"))


def test_a_rebuilt_store_is_the_same(store: Store) -> None:
    fill(store)
    before = rows(store), store.assignments(), store.counts(), [device.last_seen_at_ms for device in store.devices()]
    rebuilt = store.rebuild()
    assert (rebuilt.sessions, rebuilt.unreadable, rebuilt.damaged_entries) == (4, [], 0)
    assert (rows(store), store.assignments(), store.counts(), [device.last_seen_at_ms for device in store.devices()]) == before
    ((override, athlete),) = store.overrides()
    assert (override.rule, athlete, override.warn, override.fail, override.who) == ("session_spike", "Ada", 20, 40, "Kim")


@pytest.mark.parametrize("damage", ["gone", "empty", "noise", "torn"])
def test_a_lost_or_damaged_store_is_rebuilt_without_loss(store: Store, damage: str) -> None:
    fill(store)
    before = rows(store), store.assignments()
    store.close()
    for path in store.path.parent.glob("store.sqlite*"):
        if path != store.path:
            path.unlink()
    if damage == "gone":
        store.path.unlink()
    else:
        whole = store.path.read_bytes()
        store.path.write_bytes({"empty": b"", "noise": b"noise" * 5_000, "torn": whole[:4096] + bytes(len(whole) - 4096)}[damage])
    if damage in ("noise", "torn"):
        with pytest.raises(DamagedStore, match="can be rebuilt"):
            list(Store(store.url).sessions())
    assert rebuild_store(store.url).sessions == 4
    assert len(list(store.data_dir.quarantine.glob("store.sqlite.*"))) == (damage in ("noise", "torn")), "what was damaged is kept aside"
    with Store(store.url) as rebuilt:
        assert (rows(rebuilt), rebuilt.assignments()) == before


def test_a_rebuild_keeps_and_reports_unreadable_logs(store: Store) -> None:
    put(store, 1)
    store.raw.commit(DEVICE, 2, b"no log at all")
    store.raw.commit(OTHER, 7, session_log(8, device=OTHER))
    calls: list[tuple[int, int]] = []
    rebuilt = store.rebuild(progress=lambda done, total: calls.append((done, total)))
    assert rebuilt.sessions == 1 and calls == [(1, 3), (2, 3), (3, 3)]
    assert [path.read_bytes()[:3] for path, _ in rebuilt.unreadable] == [b"RSL", b"no "]
    assert store.raw.read(DEVICE, 2) == b"no log at all", "the archive itself is never touched"


def test_an_interrupted_rebuild_leaves_the_store_as_it_was(store: Store) -> None:
    fill(store)
    before = rows(store)

    def cut(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.rebuild(progress=cut)
    assert rows(store) == before


def test_entries_of_another_process_are_applied(store: Store) -> None:
    put(store, 1)
    with Store(store.url) as other:
        other.add_athlete("Ada")
        other.assign(DEVICE, "Ada")
    assert [athlete.name for athlete in store.athletes()] == ["Ada"]
    # An entry whose process was killed before it reached the tables.
    store.journal.append("athlete", 1, name="Ben")
    with Store(store.url) as third:
        assert [athlete.name for athlete in third.athletes()] == ["Ada", "Ben"]


def test_two_stores_beside_the_same_logs_share_what_was_entered(store: Store) -> None:
    put(store, 1)
    store.add_athlete("Ada")
    store.assign(DEVICE, "Ada")
    with Store(f"sqlite:///{store.data_dir.path}/second.sqlite") as second:
        second.rebuild()
        assert [name for _, name in second.sessions()] == ["Ada"]


def test_damaged_entries_are_counted_and_skipped(store: Store) -> None:
    store.add_athlete("Ada")
    store.close()
    with open(store.journal.path, "ab") as file:
        file.write(b"\xff garbage\n")
        for entry in (
            '{"entry":"athlete","at_ms":1}',
            '{"entry":"athlete","at_ms":1,"name":{}}',
            '{"entry":"assign","at_ms":1,"device":"../x","athlete":"Ada","from_at_ms":0}',
            '{"entry":"clock","at_ms":1,"device":"a1","boot":1,"ticks_ms":1,"epoch_ms":1,"source":1}',
            '{"entry":"clock","at_ms":1,"device":"a1","boot":1e99,"ticks_ms":1,"epoch_ms":1800000000000,"source":1}',
            '{"entry":"note","at_ms":1,"device":"a1","number":99999999999999999999999}',
            '{"entry":"override","at_ms":1,"rule":"x","athlete":null,"warn":"much"}',
            '{"entry":"what","at_ms":1}',
        ):
            file.write(entry.encode() + b"\n")
    with Store(store.url) as again:
        again.add_athlete("Ben")
        assert [athlete.name for athlete in again.athletes()] == ["Ada", "Ben"]
        assert again.counts()["damaged_entries"] == 9
        assert again.rebuild().damaged_entries == 9


@pytest.mark.parametrize("left", [0, 1, 40, -1, -30])
def test_a_journal_that_lost_lines_gets_them_back_from_the_store(store: Store, left: int) -> None:
    fill(store)
    before = rows(store), store.assignments(), store.counts()
    store.close()
    complete = store.journal.path.read_bytes()
    store.journal.path.write_bytes(complete[:left])
    with Store(store.url) as again:
        if left == -1:  # only the end of the last line
            assert not again.notices
        else:
            (notice,) = again.notices
            assert isinstance(notice, DamagedJournal) and "had lost" in str(notice) and "restored" in str(notice)
            assert ("1 athlete (Ada)" in str(notice)) == (left >= 0)
        assert (rows(again), again.assignments(), again.counts()) == before
        assert again.verify(lambda done, total: None).journal == Disorder(), "and verify finds nothing any more"
    assert store.journal.path.read_bytes() == complete
    pieces = [path.read_bytes() for path in store.data_dir.quarantine.glob("entries.jsonl.*")]
    torn = complete[:left].rpartition(b"\n")[2]
    assert pieces == ([torn + b"\n"] if left in (1, 40, -30) else []), "half a line is kept"
    with Store(store.url) as third:
        assert third.notices == []


def test_a_missing_journal_is_restored_by_a_rebuild_too(store: Store) -> None:
    fill(store)
    before = rows(store), store.assignments()
    store.close()
    complete = store.journal.path.read_bytes()
    store.journal.path.unlink()
    repaired = rebuild_store(store.url).repaired
    assert repaired is not None and len(repaired.restored) == len(complete.splitlines())
    assert store.journal.path.read_bytes() == complete
    with Store(store.url) as again:
        assert (rows(again), again.assignments()) == before


def test_a_damaged_copy_of_an_entry_restores_nothing(store: Store) -> None:
    store.add_athlete("Ada")
    store.add_athlete("Ben")
    store.close()
    with sqlite3.connect(store.path) as db:
        db.execute("UPDATE entries SET line = CAST(replace(CAST(line AS TEXT), 'Ben', 'Bad') AS BLOB)")
    db.close()
    store.journal.path.write_bytes(b"")
    with Store(store.url) as again:
        assert [athlete.name for athlete in again.athletes()] == ["Ada"]


def test_what_was_rewritten_on_purpose_comes_back_from_no_store(store: Store) -> None:
    fill(store)
    with Store(f"sqlite:///{store.data_dir.path}/second.sqlite") as second:
        assert [athlete.name for athlete in second.athletes()] == ["Ada"]
    changed = store.rewrite_journal(lambda entry: None if "Ada" in str(entry) else entry)
    assert changed == 3 and b"Ada" not in store.journal.path.read_bytes() and not store.athletes()
    assert len(list(store.sessions())) == 4
    store.close()
    assert b"Ada" not in store.path.read_bytes()
    for name in ("store", "second"):
        with Store(f"sqlite:///{store.data_dir.path}/{name}.sqlite") as again:
            assert not again.athletes()
    assert b"Ada" not in store.journal.path.read_bytes()


@pytest.mark.parametrize("url", ["mysql://x", "sqlite://", "sqlite:///:memory:", "nonsense", "", "sqlite:///x?mode=ro", "://"])
def test_a_url_that_names_no_store_is_refused(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if url == "":
        monkeypatch.setenv("RETROSTEP_HOME", str(tmp_path / "home"))
        Store(url).close()
        assert (tmp_path / "home/store.sqlite").exists(), "no URL is the default one"
        return
    with pytest.raises(UnsupportedStore, match="sqlite:///PATH"):
        Store(url)
    assert list(tmp_path.iterdir()) == []


def set_layout(path: Path, layout: int) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE store_state SET layout = ?", (layout,))
    db.close()


def test_a_store_of_an_older_layout_is_written_again_and_a_newer_one_refused(store: Store) -> None:
    fill(store)
    before = rows(store)
    store.close()
    set_layout(store.path, MIGRATED_SINCE - 1)
    with Store(store.url) as again:
        assert rows(again) == before
        assert "older version" in str(again.notices[0])
    set_layout(store.path, schema.LAYOUT + 1)
    with pytest.raises(StoreLayout, match="newer version of Retrostep wrote the store"):
        Store(store.url)
    with pytest.raises(StoreLayout, match="newer version of Retrostep wrote the store"):
        rebuild_store(store.url)
    set_layout(store.path, schema.LAYOUT)
    with Store(store.url) as again:
        assert rows(again) == before and not again.notices, "nothing was overwritten"


def test_an_older_store_is_kept_aside_if_its_journal_is_shorter_than_it_was(store: Store) -> None:
    fill(store)
    store.close()
    set_layout(store.path, MIGRATED_SINCE - 1)
    store.journal.path.write_bytes(b"")
    with Store(store.url) as again:
        assert len(list(again.sessions())) == 4 and not again.athletes()
        assert "shorter than it was" in str(again.notices[0])
    (copy,) = store.data_dir.quarantine.glob("store.sqlite.*")
    with sqlite3.connect(copy) as db:
        assert db.execute("SELECT name FROM athletes").fetchall() == [("Ada",)]
    db.close()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE precious (x)")
    db.close()
    for use in (Store, rebuild_store):
        with pytest.raises(StoreLayout, match="another program's database"):
            use(f"sqlite:///{path}")
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("precious",)]
    db.close()


def test_a_store_that_another_program_writes_to_is_an_error_after_a_while(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrostep.archive.database.BUSY_S", 0.1)
    blocker = sqlite3.connect(store.path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with Store(store.url) as second:
        assert list(second.sessions()) == [], "it can be read meanwhile"
        with pytest.raises(StoreBusy, match="wait for it"):
            second.ingest(DEVICE, 1, session_log(1))
    blocker.close()


def test_recordings_come_by_athlete_and_date(store: Store) -> None:
    store.add_athlete("Ada")
    store.add_athlete("Ben")
    for device, days in ((DEVICE, (1, 2, 3)), (OTHER, (2, 3)), ("unassigned", (1,))):
        for number, day in enumerate(days, 1):
            put(store, number, device=device, started=f"2026-11-0{day} 10:00", start_ticks_ms=number, boot=number)
    store.assign(DEVICE, "Ben")
    store.assign(OTHER, "Ada")
    found = [(recording.athlete_id, recording.device, recording.number) for recording in store.recordings(at("2026-11-01 12:00"))]
    assert found == [(1, OTHER, 1), (1, OTHER, 2), (2, DEVICE, 2), (2, DEVICE, 3)]
    everything = [recording.athlete_id for recording in store.recordings(0)]
    assert everything == [None, 1, 1, 2, 2, 2], "unassigned ones come first"
    assert [recording.device for recording in store.recordings(0, 1)] == [OTHER, OTHER]


def test_the_reason_of_the_end_is_stored(store: Store) -> None:
    for number, reason in enumerate((END_INTERRUPTED, END_FLASH_FULL), 1):
        assert put(store, number, LogBuilder(number).bout(FORWARD, 20).end(reason)).end_reason == reason
