"""The small parts of the archive, at both sides of each of their limits: manual dates, assignments, the journal, names and moments."""

import json
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from retrostep.archive.assignments import Assignment, check_assignment, covering
from retrostep.archive.dating import EPOCH_FIRST_MS, TOLERANCE_MS
from retrostep.archive.event_journal import REWRITTEN, EventJournal, parse_entry
from retrostep.archive.identifiers import device_name, generation_name, person_key, person_name, session_id, session_number
from retrostep.archive.manual_date import check_manual_date
from retrostep.archive.moments import now_ms, to_ms
from retrostep.errors import AfterReceipt, AssignmentContradiction, AssignmentExists, Contradiction, ImpossibleDate, UnsafeName
from support.logs import at

NOON = at("2026-11-20 12:00")
HOUR = 3_600_000
DAY = 24 * HOUR


# Manual dates. A session of boot 5, an hour after its start, 10 minutes long, received at noon.


def row(boot: int = 5, **fields: object) -> SimpleNamespace:
    values: dict[str, object] = {
        "name": f"d/{boot}", "boot": boot, "start_ticks_ms": HOUR, "duration_ms": 600_000, "received_at_ms": NOON, "started_at_ms": None,
        "not_before_ms": None, "not_after_ms": NOON - 600_000, "clock_spread_ms": 0, "dated": "undated",
    }  # fmt: skip
    return SimpleNamespace(**{**values, **fields})


def check(session: SimpleNamespace, began_ms: int, *others: SimpleNamespace, now_at_ms: int = NOON + 9 * DAY, wrong: bool = False) -> None:
    check_manual_date(session, [session, *others], began_ms, now_at_ms, wrong)  # type: ignore[arg-type, list-item]


def test_a_session_is_over_by_now() -> None:
    check(row(), NOON - HOUR, now_at_ms=NOON - 50 * 60_000 - TOLERANCE_MS)
    with pytest.raises(ImpossibleDate, match="Session d/5 would not be over yet: it lasted 10 minutes"):
        check(row(), NOON - HOUR, now_at_ms=NOON - 50 * 60_000 - TOLERANCE_MS - 1)


def test_a_session_was_over_when_its_log_was_received() -> None:
    for dated in ({}, {"started_at_ms": NOON - DAY}):
        check(row(**dated), NOON - 600_000 + TOLERANCE_MS)
        with pytest.raises(AfterReceipt, match="d/5 was over when its log was received, at") as late:
            check(row(**dated), NOON - 600_000 + TOLERANCE_MS + 1)
        assert late.value.facts == {"session": "d/5"}
        check(row(**dated), NOON + DAY, wrong=True)
    # Another clock contradicts the one of the receipt: the bounds are later.
    later = row(not_after_ms=NOON + HOUR, clock_spread_ms=1)
    check(later, NOON + HOUR + TOLERANCE_MS)
    with pytest.raises(AfterReceipt):
        check(later, NOON + HOUR + TOLERANCE_MS + 1)
    with pytest.raises(AfterReceipt):
        check(row(not_after_ms=NOON + HOUR, started_at_ms=NOON, dated="manual"), NOON + HOUR)
    # A receipt in 1970 says nothing.
    check(row(received_at_ms=EPOCH_FIRST_MS - 1, clock_spread_ms=1), NOON + DAY)


def test_sessions_of_earlier_boots_end_before_it() -> None:
    before = row(4, started_at_ms=NOON - DAY)
    ended = NOON - DAY + 600_000
    check(row(), ended - TOLERANCE_MS, before)
    with pytest.raises(Contradiction, match="recorded session d/4 before d/5, and that one ended at") as early:
        check(row(), ended - TOLERANCE_MS - 1, before)
    assert early.value.facts == {"session": "d/4"}
    # An earlier session of the same boot comes along.
    first = row(start_ticks_ms=0)
    check(row(), ended - TOLERANCE_MS + HOUR, before, first)
    with pytest.raises(Contradiction):
        check(row(), ended - TOLERANCE_MS + HOUR - 1, before, first)


def test_sessions_of_later_boots_start_after_it() -> None:
    after = row(6, started_at_ms=NOON - DAY)
    check(row(), NOON - DAY - 600_000 + TOLERANCE_MS, after)
    with pytest.raises(Contradiction, match="recorded session d/6 after d/5, and that one began at"):
        check(row(), NOON - DAY - 600_000 + TOLERANCE_MS + 1, after)
    last = row(start_ticks_ms=3 * HOUR, duration_ms=HOUR)
    check(row(), NOON - DAY - 3 * HOUR + TOLERANCE_MS, after, last)
    with pytest.raises(Contradiction):
        check(row(), NOON - DAY - 3 * HOUR + TOLERANCE_MS + 1, after, last)


def test_what_is_undated_or_of_the_same_boot_contradicts_nothing() -> None:
    check(row(), NOON - DAY, row(4), row(6), row(started_at_ms=NOON - 9 * DAY), row(started_at_ms=NOON + DAY))
    with pytest.raises(Contradiction, match="session d/3 before"):
        check(row(), NOON - DAY, row(4, started_at_ms=NOON - HOUR), row(3, started_at_ms=NOON - HOUR))


def test_the_bounds_of_an_undated_session_hold() -> None:
    bounded = {"not_before_ms": NOON - 3 * DAY, "not_after_ms": NOON - 2 * DAY}
    for began_ms in (NOON - 3 * DAY - TOLERANCE_MS, NOON - 2 * DAY + TOLERANCE_MS):
        check(row(**bounded), began_ms)
    for began_ms in (NOON - 3 * DAY - TOLERANCE_MS - 1, NOON - 2 * DAY + TOLERANCE_MS + 1):
        with pytest.raises(ImpossibleDate, match="Session d/5 was not before .* and not after .*, by the syncs of the device"):
            check(row(**bounded), began_ms)
        for free in ({"started_at_ms": NOON - 9 * DAY}, {"clock_spread_ms": 1}):
            check(row(**{**bounded, **free}), began_ms)
        check(row(**bounded), began_ms, wrong=True)
    open_start = {**bounded, "not_before_ms": None}
    check(row(**open_start), 0)
    with pytest.raises(ImpossibleDate, match="Session d/5 was not after"):
        check(row(**open_start), NOON - 2 * DAY + TOLERANCE_MS + 1)


# Assignments

EXISTING = [
    Assignment("d", "Ada", 0, 1_000),
    Assignment("d", "Ben", 1_000, 2_000),
    Assignment("d", None, 2_000, 3_000),
    Assignment("d", "Ben", 3_000, None),
]


@pytest.mark.parametrize(
    ("at_ms", "athlete"),
    [(-1, "none"), (0, "Ada"), (999, "Ada"), (1_000, "Ben"), (1_999, "Ben"), (2_000, None), (2_999, None), (3_000, "Ben"), (9_999, "Ben")],
)
def test_who_wears_a_device_at_a_moment(at_ms: int, athlete: str | None) -> None:
    for order in (EXISTING, EXISTING[::-1]):
        found = covering(order, at_ms)
        assert (found.athlete if found else "none") == athlete
    assert covering([], 5) is None


@pytest.mark.parametrize(
    ("athlete", "from_ms", "to_ms", "error"),
    [
        ("Cem", 3_001, None, None),
        ("Cem", 3_000, None, AssignmentContradiction),
        ("Ada", 500, 900, AssignmentExists),
        ("Ben", 500, 1_000, None),
        ("Cem", 500, 1_001, AssignmentContradiction),
        ("Cem", 500, None, AssignmentContradiction),
        ("Cem", 2_999, 3_000, None),
        ("Cem", 2_999, 3_001, AssignmentContradiction),
        (None, 2_500, 2_600, AssignmentExists),
        (None, 1_500, 1_600, None),
        ("Ben", 3_000, None, AssignmentExists),
    ],
)
def test_an_assignment_contradicts_those_that_start_within_it(
    athlete: str | None, from_ms: int, to_ms: int | None, error: type[Exception] | None
) -> None:
    if error is None:
        check_assignment("d", EXISTING, athlete, from_ms, to_ms)
        return
    with pytest.raises(error) as refused:
        check_assignment("d", EXISTING, athlete, from_ms, to_ms)
    assert refused.value.facts == {"device": "d"}  # type: ignore[attr-defined]


def test_the_earliest_contradiction_is_named() -> None:
    with pytest.raises(AssignmentContradiction, match=r"^d is assigned to Ben from .* on, which contradicts this\.$"):
        check_assignment("d", EXISTING[::-1], "Cem", 10, None)
    with pytest.raises(AssignmentContradiction, match=r"^d is not assigned from .* on, which contradicts this\.$"):
        check_assignment("d", EXISTING, "Cem", 1_500, None)
    with pytest.raises(AssignmentExists, match=r"^d is assigned to Ada from its first session on already, until .*\.$"):
        check_assignment("d", EXISTING, "Ada", 10, None)
    with pytest.raises(AssignmentExists, match=r"^d is assigned to Ben from 19.* on already\.$"):
        check_assignment("d", EXISTING, "Ben", 9_000, None)
    with pytest.raises(AssignmentExists, match=r"^d is not assigned to an athlete at that time\.$"):
        check_assignment("d", [], None, 10, None)
    check_assignment("d", [], "Ada", 10, None)


# The journal


@pytest.mark.parametrize(
    ("line", "is_entry"),
    [
        (b'{"entry":"note","at_ms":5}', True),
        (b'{"entry":"note","at_ms":5,"more":[1]}\n', True),
        (b'{"entry":"note"}', False),
        (b'{"at_ms":5}', False),
        (b'{"entry":7,"at_ms":5}', False),
        (b'{"entry":"note","at_ms":"5"}', False),
        (b'["entry","at_ms"]', False),
        (b"7", False),
        (b"{", False),
        (b"\xff\xfe", False),
        (b"[" * 100_000, False),
    ],
)
def test_what_an_entry_is(line: bytes, is_entry: bool) -> None:
    assert (parse_entry(line) is not None) == is_entry


@pytest.fixture
def journal(tmp_path: Path) -> EventJournal:
    return EventJournal(tmp_path / "home" / "entries.jsonl")


def kinds(journal: EventJournal, start: int = 0) -> list[str | None]:
    return [None if line.entry is None else line.entry["entry"] for line in journal.lines(start)]


def test_entries_are_appended_in_one_write_and_read_from_any_line(journal: EventJournal) -> None:
    assert (journal.size(), kinds(journal), journal.torn_end(), journal.appended) == (0, [], b"", 0)
    journal.append("one", 1, name="\u00e9\n")
    journal.append_all(2, [("two", {"a": 1}), ("three", {})])
    text = journal.path.read_bytes()
    assert text == (
        b'{"entry":"one","at_ms":1,"seq":1,"name":"\\u00e9\\n"}\n'
        b'{"entry":"two","at_ms":2,"seq":2,"a":1}\n'
        b'{"entry":"three","at_ms":2,"seq":3}\n'
    )
    lines = list(journal.lines())
    assert [line.raw for line in lines] == text.splitlines(keepends=True) and lines[-1].end == len(text) == journal.size()
    assert journal.appended == 2 and kinds(journal, lines[0].end) == ["two", "three"]
    assert kinds(journal, lines[-1].end) == [] and kinds(journal, lines[-1].end + 1) == []
    for line in lines:
        assert (
            journal.holds(line.raw, line.end)
            and not journal.holds(line.raw, line.end - 1)
            and not journal.holds(b"x" + line.raw[1:], line.end)
        )
    assert not journal.holds(text + b"x", len(text)) and not journal.holds(lines[-1].raw, len(text) + 1)
    assert oct(journal.path.stat().st_mode)[-3:] == "600"


def test_a_torn_line_is_set_aside_before_the_next_one(journal: EventJournal) -> None:
    journal.append("one", 1)
    with open(journal.path, "ab") as file:
        file.write(b'{"entry":"tw')
    assert kinds(journal) == ["one"] and journal.torn_end() == b'{"entry":"tw'
    journal.append("three", 3)
    assert kinds(journal) == ["one", "three"] and journal.torn_end() == b""
    (aside,) = (journal.path.parent / "quarantine").iterdir()
    assert aside.read_bytes() == b'{"entry":"tw\n'
    with open(journal.path, "ab") as file:
        file.write(b"\n  \n")
    journal.append("four", 4)
    assert kinds(journal) == ["one", "three", "four"], "an empty line is nothing"
    assert list(journal.lines())[-1].end == journal.size()


def test_what_could_not_be_written_completely_is_taken_back(journal: EventJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append("one", 1)
    before = journal.path.read_bytes()

    def fails(handle: int) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(Exception, match="No room left"):
        journal.append("two", 2)
    monkeypatch.undo()
    assert journal.path.read_bytes() == before and journal.appended == 1


def test_a_rewritten_journal_says_so_once_and_keeps_what_is_damaged(journal: EventJournal) -> None:
    for number in range(4):
        journal.append("note", number, text=f"t{number}")
    with open(journal.path, "ab") as file:
        file.write(b"damaged\n")

    def change(entry: dict[str, object]) -> dict[str, object] | None:
        if entry["at_ms"] == 1:
            return None
        return {**entry, "text": "changed"} if entry["at_ms"] == 2 else entry

    assert journal.rewrite(change) == 2
    assert kinds(journal) == [REWRITTEN, "note", "note", "note", None]
    marker, *notes = [line.entry for line in journal.lines() if line.entry]
    assert [note["text"] for note in notes] == ["t0", "changed", "t3"] and abs(marker["at_ms"] - now_ms()) < 60_000
    assert journal.rewrite(lambda entry: entry) == 0 and kinds(journal).count(REWRITTEN) == 1
    assert json.loads(next(iter(journal.lines())).raw)["id"] != marker["id"], "each time another one"


# Names and moments


@pytest.mark.parametrize(
    ("name", "is_valid"),
    [
        ("a", True),
        ("x" * 32, True),
        ("x" * 33, False),
        ("RS-3F_2", True),
        ("", False),
        ("a.b", False),
        ("con", False),
        ("CON", False),
        ("console", True),
        ("com9", False),
        ("com10", True),
        ("lpt", True),
        ("nul", False),
    ],
)
def test_names_of_devices(name: str, is_valid: bool) -> None:
    if is_valid:
        assert device_name(name) == name
    else:
        with pytest.raises(UnsafeName):
            device_name(name)


def test_numbers_and_names_of_sessions() -> None:
    assert (session_number(1), session_number(2**32 - 1)) == (1, 2**32 - 1)
    for number in (0, 2**32):
        with pytest.raises(UnsafeName):
            session_number(number)
    assert (session_id("d", 7), session_id("d", 7, 1), session_id("d", 7, 2)) == ("d/7", "d/7", "d.2/7")
    assert (generation_name(0xABC), generation_name(0xFFFFFFFF)) == ("00000abc", "ffffffff")


def test_one_name_has_many_spellings() -> None:
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    assert person_name(f"  {decomposed}   B ") == f"{composed} B" and person_name(decomposed) == composed
    assert person_key(composed) == person_key(decomposed) == person_key("ZO\u00cb") != person_key("Zoe")
    assert person_key("Stra\u00dfe") == person_key("STRASSE")


def test_moments_have_a_time_zone() -> None:
    assert to_ms(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000
    assert to_ms(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == 0
    with pytest.raises(ValueError, match="time zone"):
        to_ms(datetime(2026, 1, 1))
    assert abs(now_ms() - to_ms(datetime.now(UTC))) < 5_000
