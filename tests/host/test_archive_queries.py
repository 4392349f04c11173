"""Questions to the store: what is found, what is not, and what several things fit."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from retrostep.archive.store import Store
from retrostep.errors import AthleteNotFound, DamagedStore, NotFound, RetrostepError, SessionNotFound
from support.logs import DEVICE, at, session_log

OTHER = "aabbccdd0000"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Two devices; the first one had its flash erased once. Ada wore it until noon of the 21st, then Ben."""
    with Store(store_url) as opened:
        for name in ("Ben", "ada", "Cem"):
            opened.add_athlete(name)
        for number, started in ((1, "2026-11-20 10:00"), (2, "2026-11-21 10:00"), (3, "2026-11-22 10:00")):
            opened.ingest(DEVICE, number, session_log(number, started=started, boot=number))
        opened.ingest(DEVICE, 3, session_log(3, started="2026-11-23 10:00", generation=9), generation=9)
        opened.ingest(OTHER, 7, session_log(7, device=OTHER))
        opened.assign(DEVICE, "ada")
        yield opened


def test_athletes_are_found_in_any_case_and_listed_by_name(store: Store) -> None:
    assert [row.name for row in store.athletes()] == sorted(["Ben", "ada", "Cem"])
    for name in ("ada", "Ada", "ADA", " ada "):
        assert store.find_athlete(name).name == "ada"
    with pytest.raises(AthleteNotFound) as missing:
        store.find_athlete("Adam")
    assert str(missing.value) == "There is no athlete 'Adam' (did you mean ada?)."
    for name in ("田中さくら（ジュニアチーム）", "Maximiliane Huber"):
        store.add_athlete(name)
    for part, name in (("田中", "田中さくら（ジュニアチーム）"), ("max", "Maximiliane Huber")):
        with pytest.raises(NotFound, match=f"did you mean {name}"):
            store.find_athlete(part)


@pytest.mark.parametrize("half", ["\udcff", "\ud800"])
def test_text_that_no_database_holds_is_nobodys_name(store: Store, half: str) -> None:
    """A byte of the command line that is not UTF-8, or half a surrogate pair on Windows."""
    for name in (half, f"ada{half}"):
        with pytest.raises(AthleteNotFound) as missing:
            store.find_athlete(name)
        assert str(missing.value).startswith(f"There is no athlete {ascii(name)} (")
        for ask in (store.restore_athlete, store.add_athlete, store.find_device, store.find_session):
            with pytest.raises(RetrostepError) as refused:
                ask(name)
            assert str(refused.value).isprintable()
        with pytest.raises(RetrostepError, match="printable characters"):
            store.rename_athlete("ada", name)
    assert [row.name for row in store.athletes_named("ada")] == ["ada"]


def test_at_most_ten_athletes_are_named(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'club' / 'store.sqlite'}") as club:
        with pytest.raises(AthleteNotFound, match=r"\(there are none yet\)"):
            club.find_athlete("Ada")
        for number in range(10, 20):
            club.add_athlete(f"A{number}")
        with pytest.raises(AthleteNotFound, match=r"A18, A19\)\.$"):
            club.find_athlete("Ada")
        club.add_athlete("A20")
        with pytest.raises(AthleteNotFound, match=r"A18, A19 \.\.\.\)\.$"):
            club.find_athlete("Ada")


def test_a_device_is_found_by_a_part_of_its_name(store: Store) -> None:
    assert store.find_device("eeff") == store.find_device("EEFF") == store.find_device(DEVICE) == DEVICE
    assert store.find_device("0000") == OTHER
    with pytest.raises(NotFound) as several:
        store.find_device("aabb")
    assert str(several.value) == f"'aabb' may be {OTHER}, {DEVICE}: write more of the name."
    assert store.find_device("RS-NEW", may_be_new=True) == "RS-NEW", "a full name need not be known"
    for name in ("", "a/b", "x" * 33):
        with pytest.raises(NotFound):
            store.find_device(name, may_be_new=True)
    for mistyped in (DEVICE[:-1] + "0", DEVICE[-4:-1] + "0"):
        with pytest.raises(NotFound, match=rf"did you mean .*{DEVICE}") as unknown:
            store.find_device(mistyped)
        assert "firmware" not in str(unknown.value)


def test_a_session_is_found_by_its_name_or_by_what_is_unique_in_it(store: Store) -> None:
    def found(name: str) -> tuple[str, int, int]:
        row = store.find_session(name)
        return row.device, row.number, row.nth_generation

    assert found(f"{DEVICE}/2") == found("2") == found("eeff/2") == found(f"{DEVICE}.1/2") == (DEVICE, 2, 1)
    assert found("7") == found("0000/7") == (OTHER, 7, 1)
    assert found(f"{DEVICE}/3") == (DEVICE, 3, 1) and found(f"{DEVICE}.2/3") == (DEVICE, 3, 2)
    with pytest.raises(NotFound) as several:
        store.find_session("3")
    assert str(several.value) == f"There are several sessions 3: write one of {DEVICE}/3, {DEVICE}.2/3."
    for name in (f"{DEVICE}/4", "4", f"{DEVICE}.3/3", f"{DEVICE}.x/3", "0000/1", f"{DEVICE}.1/7"):
        with pytest.raises(SessionNotFound, match="There is no session .* in the store"):
            store.find_session(name)
    for name in ("", "x", DEVICE, f"{DEVICE}/", f"{DEVICE}/-1", f"{DEVICE}/1.5", f"{DEVICE}/\u0663", "12345678901"):
        with pytest.raises(SessionNotFound, match="is no session: write DEVICE/NUMBER"):
            store.find_session(name)


def test_the_latest_session_is_found_without_its_number(store: Store) -> None:
    def latest(name: str) -> str:
        return store.find_session(name).name

    store.add_athlete("Eve Adams")
    for device in ("worn-1", "worn-2"):
        store.assign(device, "Eve Adams")
    with pytest.raises(SessionNotFound, match="Eve Adams has no session yet"):
        latest("latest eve  adams")
    put_dated(store, "worn-1", 1, "2026-11-20 10:00")
    put_dated(store, "worn-2", 7, "2026-11-19 10:00")
    put_dated(store, "unworn", 3, "2026-11-25 10:00")
    assert latest("latest Eve Adams") == latest("EVE ADAMS") == "worn-1/1"
    put_dated(store, "worn-2", 8, "2026-11-21 10:00")
    assert latest("Eve Adams") == "worn-2/8"
    store.ingest("worn-2", 9, session_log(9, device="worn-2", boot=9), received_at=moment("2026-11-23 10:00"))
    assert latest("Eve Adams") == "worn-2/9", "undated, and after session 8"
    store.ingest("worn-1", 2, session_log(2, device="worn-1", boot=9), received_at=moment("2026-11-23 10:00"))
    with pytest.raises(NotFound, match="not known which is the latest: write one of worn-2/8, "):
        latest("Eve Adams")
    for name in ("Eva Adams", "latest Eva Adams"):
        with pytest.raises(NotFound, match="did you mean Eve Adams"):
            latest(name)


def put_dated(store: Store, device: str, number: int, started: str) -> None:
    log = session_log(number, device=device, boot=number, started=started)
    store.ingest(device, number, log, received_at=moment(started) + timedelta(hours=1))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def names(store: Store, **selected: object) -> list[tuple[str, str | None]]:
    return [(row.name, athlete) for row, athlete in store.sessions(**selected)]  # type: ignore[arg-type]


def test_sessions_are_listed_by_date_and_selected(store: Store) -> None:
    dated = [(f"{DEVICE}/{n}", "ada") for n in (1, 2, 3)] + [(f"{DEVICE}.2/3", "ada")]
    undated = (f"{OTHER}/7", None)
    assert names(store) == [*dated, undated], "an undated one is listed at its latest time"
    assert names(store, athlete="Ada") == dated and names(store, athlete="Ben") == []
    assert names(store, device="0000") == [undated]
    assert names(store, since_ms=at("2026-11-21 10:00")) == [*dated[1:], undated]
    assert names(store, since_ms=at("2026-11-21 10:00") + 1) == [*dated[2:], undated]
    assert names(store, device=DEVICE, since_ms=at("2026-11-22 10:00"), athlete="ada") == dated[2:]


def test_recordings_come_by_athlete_and_date_the_unassigned_first(store: Store) -> None:
    def found(since_ms: int, athlete_id: int | None = None) -> list[str]:
        return [recording.id for recording in store.recordings(since_ms, athlete_id)]

    ada, ben = (store.find_athlete(name).id for name in ("ada", "Ben"))
    store.assign(OTHER, "Ben")
    store.assign(DEVICE, None)
    of_ada = [f"{DEVICE}/1", f"{DEVICE}/2", f"{DEVICE}/3", f"{DEVICE}.2/3"]
    assert found(0) == [f"{OTHER}/7", *of_ada] if ben < ada else [*of_ada, f"{OTHER}/7"]
    assert found(0, ada) == of_ada and found(0, ben) == [f"{OTHER}/7"]
    assert found(at("2026-11-22 10:00"), ada) == of_ada[2:] and found(at("2026-11-22 10:00") + 1, ada) == of_ada[3:]


def test_counts(store: Store) -> None:
    assert store.sessions_by_athlete() == {store.find_athlete("ada").id: 4} and store.unassigned_sessions() == {OTHER: 1}
    expected = {"sessions": 5, "athletes": 3, "devices": 2, "undated": 1, "unassigned": 1, "damaged": 0, "notes": 0, "damaged_entries": 0}
    counts = store.counts()
    assert {name: counts[name] for name in expected} == expected
    damaged = bytearray(session_log(8, boot=8))
    damaged[-60] ^= 0xFF
    store.ingest(DEVICE, 8, bytes(damaged))
    store.note(DEVICE, 2, pain=1)
    counts = store.counts()
    assert (counts["sessions"], counts["damaged"], counts["notes"]) == (6, 1, 1)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_text_that_the_database_cannot_decode_is_damage_wherever_it_is_read(store: Store) -> None:
    assert store.path is not None
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE sessions SET core_hash = CAST(x'ff41' AS TEXT) WHERE number = 2")
    database.close()
    for ask in (lambda: list(store.recordings(0)), lambda: list(store.sessions()), lambda: store.find_session(f"{DEVICE}/2")):
        with pytest.raises(DamagedStore):
            ask()
    assert issubclass(DamagedStore, RetrostepError)
