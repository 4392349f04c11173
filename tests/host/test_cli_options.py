"""What people type: local moments that do not exist, exist twice, or lie in the future; numbers, names and limits that cannot be."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from retrostep.archive.store import Store
from retrostep.cli._options import LOCAL_MOMENT, PAST_MOMENT
from support.cli import Retrostep, one_sentence
from support.logs import session_log
from support.stored import with_adas_session

needs_tzset = pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a time zone that a process can choose")


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


def in_utc(text: str, zone: pytest.MonkeyPatch, name: str) -> str:
    """The moment that a person in time zone `name` means by `text`, or the refusal."""
    zone.setenv("TZ", name)
    time.tzset()
    assert os.environ["TZ"] == name
    try:
        return LOCAL_MOMENT.convert(text, None, None).astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    except click.BadParameter as refused:
        return refused.message


@needs_tzset
@pytest.mark.parametrize(
    ("name", "text", "moment"),
    [
        ("Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59"),
        ("Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25 01:59", "2026-10-24 23:59"),
        ("Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00"),
        ("Europe/Berlin", "2026-10-25T02:30+01:00", "2026-10-25 01:30"),
        ("Europe/Berlin", "2026-10-25 02:30+02:00", "2026-10-25 00:30"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28 23:00"),
        ("America/New_York", "2026-11-20 17:30", "2026-11-20 22:30"),
        ("America/New_York", "2026-11-20T17:30Z", "2026-11-20 17:30"),
        ("America/Santiago", "2026-09-06", "2026-09-06 04:00"),  # midnight does not exist: the day begins at 01:00
        ("America/Santiago", "2026-04-05", "2026-04-05 04:00"),
        ("America/Havana", "2026-11-01", "2026-11-01 04:00"),  # 00:00 to 01:00 exists twice: the day begins with the first
    ],
)
def test_a_local_moment_is_that_moment(zone: pytest.MonkeyPatch, name: str, text: str, moment: str) -> None:
    assert in_utc(text, zone, name) == moment


@needs_tzset
@pytest.mark.parametrize(
    ("name", "text", "refusal"),
    [
        (
            "Europe/Berlin",
            "2026-03-29 02:30",
            "'2026-03-29 02:30' does not exist: the clocks were put forward then; write '2026-03-29 01:30' or '2026-03-29 03:30'.",
        ),
        ("Europe/Berlin", "2026-03-29T02:00", "'2026-03-29 02:00' does not exist"),
        ("Europe/Berlin", "2026-03-29 02:59:59", "does not exist"),
        (
            "Europe/Berlin",
            "2026-10-25 02:30",
            "'2026-10-25 02:30' exists twice: the clocks were put back then; write 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00.",
        ),
        ("Europe/Berlin", "2026-10-25 02:00", "exists twice"),
        ("America/Santiago", "2026-09-06 00:30", "does not exist"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "does not exist"),  # half an hour
        ("Australia/Lord_Howe", "2026-04-05 01:45", "exists twice"),
    ],
)
def test_a_moment_that_is_not_clear_is_refused_with_the_choice(zone: pytest.MonkeyPatch, name: str, text: str, refusal: str) -> None:
    assert refusal in in_utc(text, zone, name)


@needs_tzset
def test_both_choices_of_a_refusal_are_accepted(zone: pytest.MonkeyPatch) -> None:
    for text, moments in (
        ("2026-03-29 02:30", ["2026-03-29 00:30", "2026-03-29 01:30"]),
        ("2026-10-25 02:30", ["2026-10-25 00:30", "2026-10-25 01:30"]),
    ):
        choice = in_utc(text, zone, "Europe/Berlin").split("write ")[1].rstrip(".").replace("'", "")
        assert [in_utc(one, zone, "Europe/Berlin") for one in choice.split(" or ")] == moments


def test_the_future_is_refused_where_only_the_past_makes_sense() -> None:
    now = datetime.now(UTC)
    for seconds, is_past in ((-5, True), (60, False)):
        text = (now + timedelta(seconds=seconds)).isoformat()
        assert LOCAL_MOMENT.convert(text, None, None).tzinfo is not None
        if is_past:
            assert PAST_MOMENT.convert(text, None, None) <= datetime.now(UTC)
            continue
        with pytest.raises(click.BadParameter, match="lies in the future"):
            PAST_MOMENT.convert(text, None, None)


@pytest.mark.parametrize(
    "text", ["", "today", "2026-13-01", "2026-11-20 25:00", "0001-01-01", "9999-12-31", "2026-02-29", "20:00", "\x1b[2J"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        LOCAL_MOMENT.convert(text, None, None)


@pytest.mark.parametrize(
    ("words", "status", "refusal"),
    [
        ("chekc", 2, "No such command 'chekc'. Did you mean check?"),
        ("note Ada --pain 11", 2, "'11' is not in the range from 0 to 10: write a whole number."),
        ("note Ada --rpe hard", 2, "'hard' is not in the range from 0 to 10: write a whole number."),
        ("plan Ada --weeks 1.5", 2, "'1.5' is not in the range from 1 to 12: write a whole number."),
        ("athletes unassign C8D9 0", 2, "'0' is not in the range from 1 on: write a whole number."),
        ("settings --auto-stop 1d", 2, "'1d': write a time from 10s to 15min."),
        ("rules set pain --warn 11 --by Kim --why x", 2, "the highest limit is 10 of 10."),
        ("rules set share --warn 1001% --by Kim --why x", 2, "the highest limit is 1000 %."),
        ("export C8D9/1", 4, "The log of session RS-3F2A01B4C8D9/1 is missing on this computer."),
        ("export --athlete Ada", 4, "Skipped: The log of session RS-3F2A01B4C8D9/1 is missing on this computer."),
    ],
)
def test_bad_input_is_answered_with_what_is_right(tmp_path: Path, words: str, status: int, refusal: str) -> None:
    with Store(f"sqlite:///{tmp_path}/home/store.sqlite") as store:
        store.add_athlete("Ada")
        store.assign("RS-3F2A01B4C8D9", "Ada")
        store.ingest("RS-3F2A01B4C8D9", 1, session_log(1, device="RS-3F2A01B4C8D9", started="2026-11-20 18:30"))
    ran = Retrostep(tmp_path / "home")(*words.split())
    assert ran.status == status and refusal in ran.err, ran
    assert "fault of Retrostep" not in ran.err


@pytest.mark.parametrize("name", ["-x", "12", "\u0661\u0662", "A/1", "latest", "Latest Ada"])
def test_a_name_that_commands_take_for_something_else_is_refused(tmp_path: Path, name: str) -> None:
    """With an athlete 12, `note 12` would be about session 12, which may be another athlete's."""
    retrostep = Retrostep(tmp_path)
    assert retrostep("athletes", "add", "Ada").status == 0
    for command in (("add", "--", name), ("rename", "Ada", "--", name)):
        ran = retrostep("athletes", *command)
        assert ran.status == 1 and "would be taken for an option or a session" in one_sentence(ran)


def test_a_text_of_spaces_is_no_note_and_an_empty_name_is_no_file(tmp_path: Path) -> None:
    retrostep = with_adas_session(tmp_path / "home")
    assert "Nothing to note" in retrostep("note", "Ada", " \t").err and retrostep("note", "Ada", " sore ").out.endswith(": sore.\n")
    for command in (("plan", "Ada", "--ics"), ("report", "--to"), ("store", "backup")):
        for name in ("", "-"):
            ran = retrostep(*command, name)
            assert ran.status == 2 and f"{name!r} is no name of a file: write one." in ran.err
