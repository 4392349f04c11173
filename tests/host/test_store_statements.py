"""How many statements a store takes: on a distant server each waits for an answer, and in a large archive each costs time."""

from pathlib import Path

import pytest
from retrostep.activity_files.files import import_file
from retrostep.archive.ingest import archive_log
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.store import Store, rebuild_store
from retrostep_core.codes import BACKWARD, FORWARD
from support.cli import Retrostep
from support.logs import DEVICE, LogBuilder, at
from support.statements import statements

DAY_MS = 86_400_000


def session_log(number: int, device: str = DEVICE) -> bytes:
    """A session of generation 5, one a day, with clock, details and steps in both directions."""
    log = LogBuilder(number, device=device, boot=number, generation=5).clock(at("2026-06-01 12:00") + number * DAY_MS)
    return log.bout(FORWARD, 300).bout(BACKWARD, 30).end()


def take(store: Store, number: int, device: str = DEVICE) -> None:
    """Archive and store a log, as a sync does."""
    log = session_log(number, device)
    store.add_log(archive_log(store, summarize_log(log), log))


def club(url: str, athletes: range, sessions: int) -> None:
    """Athletes with these numbers, and their sessions."""
    with Store(url) as store:
        for n in athletes:
            store.add_athlete(f"Athlete {n}")
            store.assign(f"RS-{n:012X}", f"Athlete {n}")
            for number in range(1, sessions + 1):
                take(store, number, f"RS-{n:012X}")


def test_a_log_takes_few_round_trips_to_a_server_however_many_are_there(postgresql_url: str) -> None:
    counts = []
    with Store(postgresql_url) as store:
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
        for number in range(1, 13):
            with statements() as sent:
                take(store, number)
            counts.append(len(sent))
    assert max(counts[2:]) == min(counts[2:]) <= 39, counts


def test_a_check_takes_few_round_trips_to_a_server_however_large_the_club_is(postgresql_url: str, tmp_path: Path) -> None:
    counts = []
    for athletes in (range(1), range(1, 5)):
        club(postgresql_url, athletes, 3)
        with statements() as sent:
            ran = Retrostep(tmp_path)("check", "--on", "2026-06-04", "--store", postgresql_url)
        assert ran.status in (0, 3) and "no session" not in ran.out
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 24, counts


@pytest.mark.parametrize("kind", ["file", "server"])
def test_a_file_with_many_activities_takes_few_statements(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite" if kind == "file" else request.getfixturevalue("postgresql_url")
    lines = [f"2026-{month:02}-{day:02} 07:00,30,running,160\n" for month in range(1, 11) for day in range(1, 29)]
    path = tmp_path / "year.csv"
    path.write_text("date,duration,sport,cadence_spm\n" + "".join(lines))
    with Store(url) as store:
        store.add_athlete("Ada")
        with statements() as sent:
            outcome = import_file(store, "Ada", path)
        assert len(outcome.sessions) == len(lines) == 280
        assert len(sent) <= 75
        assert len({row.number for row in outcome.sessions}) == 280 and {row.athlete_id for row in outcome.sessions} == {1}


def test_a_rebuild_takes_few_statements_for_each_device(tmp_path: Path) -> None:
    counts = []
    for devices, sessions in ((2, 10), (4, 10), (4, 40)):
        (tmp_path / f"{devices}x{sessions}").mkdir()
        url = f"sqlite:///{tmp_path}/{devices}x{sessions}/store.sqlite"
        club(url, range(devices), sessions)
        with statements() as sent:
            assert rebuild_store(url).sessions == devices * sessions
        assert not any("sessions JOIN receipts" in sql for sql in sent), "it reads every receipt so far, for each batch"
        counts.append(len(sent))
    few, more, longer = counts
    assert longer == more, "sessions of a device are written and dated together"
    assert more - few <= 2 * 21, counts


@pytest.mark.parametrize("kind", ["file", "server"])
def test_verify_takes_as_many_statements_for_many_sessions_as_for_few(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite" if kind == "file" else request.getfixturevalue("postgresql_url")
    counts = []
    for first, last in ((1, 5), (6, 40)):
        with Store(url) as store:
            for number in range(first, last + 1):
                take(store, number)
            with statements() as sent:
                assert store.verify(lambda done, total: None).is_complete
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 25, counts
