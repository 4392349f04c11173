"""People make mistakes and undo them: corrections of sessions, notes, names and assignments, from the command line."""

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from retrostep.archive.assignments import Assignment, check_assignment
from retrostep.archive.identifiers import person_key, person_name
from retrostep.archive.store import Store
from retrostep.cli import sessions
from retrostep.errors import AssignmentContradiction, AssignmentExists, AthleteNotFound, AthleteRemoved, RetrostepError
from retrostep.output import lines
from retrostep.output.lines import wrapped
from support.cli import Retrostep, one_sentence
from support.logs import DEVICE, session_log
from support.stored import receive

OTHER = "aabbccddee00"
COMPOSED = unicodedata.normalize("NFC", "Jos\u00e9")
DECOMPOSED = unicodedata.normalize("NFD", "Jos\u00e9")


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M")


@pytest.fixture
def retrostep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Retrostep:
    """The command, with a spike in session 2 of Ada's device, and Ben as another athlete."""
    monkeypatch.setenv("RETROSTEP_HOME", str(tmp_path))
    with Store() as store:
        for number, days, backward_s in ((1, 6, 100), (2, 2, 400)):
            log = session_log(number, started=days_ago(days), backward_s=backward_s, boot=number)
            receive(store, number, log)
        store.add_athlete("Ada")
        store.add_athlete("Ben")
        store.assign(DEVICE, "Ada")
    return Retrostep(tmp_path)


def athletes(retrostep: Retrostep) -> list[str | None]:
    """The athlete of each session."""
    return [session["athlete"] for session in retrostep("sessions", "--json").json["sessions"]]


def assignments(retrostep: Retrostep) -> list[tuple[str | None, str | None, str | None]]:
    listed = retrostep("athletes", "assignments", "--json").json["assignments"]
    return [(one["athlete"], one["from"] and one["from"][:10], one["to"] and one["to"][:10]) for one in listed]


def rebuilt_is_the_same(retrostep: Retrostep) -> bool:
    """Whether a rebuild from the logs and the journal gives the same sessions, athletes, assignments, histories and verdicts."""

    def everything() -> list[object]:
        of_sessions = [{**retrostep("session", number, "--json").json, "received": None} for number in (1, 2)]
        return [*of_sessions, *(retrostep(*words, "--json").json for words in (("athletes",), ("athletes", "assignments"), ("check",)))]

    before = everything()
    assert retrostep("store", "rebuild").status == 0
    return everything() == before


def test_an_excluded_session_is_left_out_of_the_check_and_shown_with_its_reason(retrostep: Retrostep) -> None:
    assert retrostep("check", "--athlete", "Ada").status == 3
    assert retrostep("session", "2", "--exclude", "on the bus").out.startswith(
        f"Saved: session {DEVICE}/2 is left out of the check: on the bus (before: checked)."
    )
    checked = retrostep("check", "--athlete", "Ada")
    assert checked.status == 0 and "WARN    session_spike" not in checked.out and "FAIL    session_spike" not in checked.out
    assert f"Excluded: session {DEVICE}/2 of Ada: on the bus" in checked.out
    assert "excluded: on the bus" in retrostep("sessions").out
    assert "left out of the check: on the bus" in retrostep("session", "2").out
    (excluded,) = retrostep("check", "--json").json["excluded"]
    assert (excluded["session"], excluded["athlete"], excluded["why"]) == (f"{DEVICE}/2", "Ada", "on the bus")
    assert rebuilt_is_the_same(retrostep)

    assert retrostep("session", "2", "--include", "--why", "it was a run").status == 0
    again = retrostep("check", "--athlete", "Ada")
    assert again.status == 3 and "Excluded" not in again.out and "excluded" not in retrostep("check", "--json").json
    assert "is not excluded" in one_sentence(retrostep("session", "2", "--include"))
    history = retrostep("session", "2", "--history", "--json").json["history"]
    assert [(one["what"], one["before"], one["after"], one["why"]) for one in history] == [
        ("excluded", None, True, "on the bus"),
        ("excluded", "on the bus", False, "it was a run"),
    ]


def test_an_excluded_session_of_another_athlete_is_not_mentioned(retrostep: Retrostep) -> None:
    retrostep("session", "2", "--exclude", "on the bus")
    assert "Excluded" not in retrostep("check", "--athlete", "Ben").out
    assert "Excluded" not in retrostep("check", "--on", days_ago(4)[:10]).out, "it was later"


def test_a_new_copy_of_the_log_keeps_the_corrections(retrostep: Retrostep) -> None:
    retrostep("session", "2", "--exclude", "bus")
    retrostep("session", "1", "--no-mark", "stretch")
    with Store() as store:
        for number in (1, 2):
            row = store.ingest(DEVICE, number, store.raw.read(DEVICE, number))
        assert row.excluded_why == "bus" and not store.find_session("1").stretch_mark


def test_a_session_is_moved_to_another_athlete_and_back(retrostep: Retrostep) -> None:
    assert "is Ben's" in retrostep("session", "2", "--athlete", "ben", "--why", "they swapped").out
    assert athletes(retrostep) == ["Ada", "Ben"]
    assert "Ben (by hand)" in retrostep("session", "2").out
    assert rebuilt_is_the_same(retrostep)
    retrostep("athletes", "assign", DEVICE, "Ben")
    assert athletes(retrostep) == ["Ada", "Ben"], "a new assignment does not change it"
    assert "is Ada's, as its device is assigned" in retrostep("session", "2", "--as-assigned").out
    assert athletes(retrostep) == ["Ada", "Ada"]
    shown = retrostep("session", "2", "--history").out
    assert "athlete: Ada -> Ben (they swapped)" in shown and "athlete: Ben -> (as its device is assigned)" in shown
    assert "There is no athlete 'Zoe'" in retrostep("session", "2", "--athlete", "Zoe").err


def test_a_text_after_latest_is_not_taken_for_a_note_nor_lost(retrostep: Retrostep) -> None:
    ran = retrostep("note", "latest", "tired")
    assert ran.status == 2 and "After `latest` comes an athlete's name: 'tired'. For a text, write --text tired." in ran.err


def test_notes_are_corrected_and_withdrawn(retrostep: Retrostep) -> None:
    retrostep("note", "2", "--pain", 9, "--text", "typo", "--limp")
    retrostep("note", "2", "--pain", 2)
    assert "Corrected: note 1" in retrostep("note", "2", "--correct", 1, "--pain", 4, "--no-limp", "--why", "4 was meant").out
    session = retrostep("session", "2", "--json").json
    assert session["pain"] == 4 and [note["pain"] for note in session["notes"]] == [4, 2]
    assert not session["notes"][0]["limp"] and session["notes"][0]["text"] == "typo", "what was not given stays"
    assert retrostep("note", "2", "--correct", 1, "--no-pain").status == 0
    assert retrostep("session", "2", "--json").json["pain"] == 2
    assert retrostep("note", "2", "--withdraw", 2, "--why", "wrong session").status == 0
    session = retrostep("session", "2", "--json").json
    assert session["pain"] is None and [note["number"] for note in session["notes"]] == [1]
    assert retrostep("note", "2", "--pain", 1).status == 0
    assert [note["number"] for note in retrostep("session", "2", "--json").json["notes"]] == [1, 3], "numbers are not used again"
    history = retrostep("session", "2", "--history").out
    for line in ("note 1: pain 9, limping, typo -> pain 4, typo (4 was meant)", "note 2: pain 2 -> withdrawn (wrong session)"):
        assert line in history
    assert rebuilt_is_the_same(retrostep)
    assert "has no note 2 (it has 1, 3)" in one_sentence(retrostep("note", "2", "--withdraw", 2))
    for wrong in (
        ("--withdraw", 1, "--pain", 2),
        ("--no-pain",),
        ("--correct", 1),
        ("--correct", 1, "--pain", 1, "--no-pain"),
        ("--no-limp",),
    ):
        assert retrostep("note", "2", *wrong).status == 2, wrong


def test_marks_are_added_and_withdrawn(retrostep: Retrostep) -> None:
    with Store() as store:
        assert store.find_session("2").stretch_mark and not store.find_session("2").warm_up_mark
    assert "has no stretch mark" in retrostep("session", "2", "--no-mark", "stretch").out
    assert "Marks       none\n" in retrostep("session", "2").out, "the mark in the log does not count any more"
    assert "has a warm-up mark" in retrostep("session", "2", "--mark", "warm_up").out
    assert "Marks       warm-up\n" in retrostep("session", "2").out
    with Store() as store:
        assert not store.find_session("2").stretch_mark and store.find_session("2").warm_up_mark
    assert rebuilt_is_the_same(retrostep)
    assert "stretch: yes -> no" in retrostep("session", "2", "--history").out


def test_the_history_names_who_did_it(retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "kim")
    assert "Nothing was entered" in retrostep("session", "2", "--history").out
    retrostep("session", "2", "--date", days_ago(2))
    retrostep("session", "2", "--exclude", "bus")
    history = retrostep("session", "2", "--history", "--json").json["history"]
    assert [(one["what"], one["who"]) for one in history] == [("date", "kim"), ("excluded", "kim")]
    assert history[0]["before"] is not None and "kim" in retrostep("session", "2", "--history").out


def test_an_option_without_its_correction_is_refused(retrostep: Retrostep) -> None:
    for alone in (("--why", "typing error"), ("--clock-was-wrong",), ("--clock-was-wrong", "--include")):
        assert retrostep("session", "2", *alone).status == 2, alone


def test_only_one_correction_at_a_time(retrostep: Retrostep) -> None:
    assert retrostep("session", "2", "--exclude", "bus", "--include").status == 2
    for words in (("--exclude", " "), ("--exclude", "x" * 2_001), ("--why", "x"), ("--exclude", "x", "--why", "y"), ("--clock-was-wrong",)):
        assert retrostep("session", "2", *words).status == 2, words
    assert "Nothing was entered" in retrostep("session", "2", "--history").out


def test_names_are_compared_in_one_form() -> None:
    spellings = (f"{COMPOSED} Q", f"{DECOMPOSED} Q", f"  {COMPOSED.upper()}\t q ", f"{DECOMPOSED.upper()} Q")
    assert {person_key(name) for name in spellings} == {"jos\u00e9 q"} and {person_name(name) for name in spellings[:2]} == {
        f"{COMPOSED} Q"
    }
    assert person_key("Jose Q") not in {person_key(name) for name in spellings}


def test_two_spellings_of_a_name_are_one_athlete(retrostep: Retrostep) -> None:
    assert COMPOSED != DECOMPOSED
    assert retrostep("athletes", "add", DECOMPOSED).status == 0
    assert "already" in one_sentence(retrostep("athletes", "add", COMPOSED))
    assert "already" in one_sentence(retrostep("athletes", "add", DECOMPOSED.upper()))
    assert retrostep("session", "2", "--athlete", DECOMPOSED.upper()).status == 0
    assert athletes(retrostep)[1] == COMPOSED
    assert retrostep("check", "--json", "--athlete", COMPOSED).json["athletes"][0]["athlete"] == COMPOSED


def test_an_old_journal_with_two_spellings_has_one_athlete(retrostep: Retrostep) -> None:
    with Store() as store:
        for name in (DECOMPOSED, COMPOSED):
            store.journal.append("athlete", 1, name=name)
        store.journal.append("correct", 1, device=DEVICE, number=2, what="athlete", value=DECOMPOSED, before=None, who="", why="")
    names = [one["athlete"] for one in retrostep("athletes", "--json").json["athletes"]]
    assert names == ["Ada", "Ben", COMPOSED] and athletes(retrostep)[1] == COMPOSED


def test_an_athlete_is_renamed(retrostep: Retrostep) -> None:
    assert retrostep("athletes", "rename", "ada", "Ada Lovelace").out == "Ada is now called Ada Lovelace.\n"
    assert athletes(retrostep) == ["Ada Lovelace"] * 2
    assert "already" in one_sentence(retrostep("athletes", "rename", "Ben", "ADA lovelace"))
    assert retrostep("athletes", "rename", "Ada Lovelace", "ADA LOVELACE").status == 0, "another spelling of the same name"
    assert rebuilt_is_the_same(retrostep)
    assert retrostep("athletes", "add", "Ada").status == 0, "the old name is free"
    assert athletes(retrostep) == ["ADA LOVELACE"] * 2


def test_an_athlete_is_removed_and_restored(retrostep: Retrostep) -> None:
    error = one_sentence(retrostep("athletes", "remove", "Ada"))
    assert "2 sessions belong to Ada" in error and "--yes" in error
    assert retrostep("athletes", "remove", "Ben").status == 0, "an athlete without sessions goes without a question"
    assert retrostep("athletes", "remove", "Ada", "--yes").status == 0
    assert retrostep("athletes", "--json").json["athletes"] == [] and athletes(retrostep) == [None, None]
    assert rebuilt_is_the_same(retrostep)
    assert "retrostep athletes restore Ada" in retrostep("athletes", "add", "ADA").err
    assert "removed were: Ada, Ben" in retrostep("athletes", "restore", "Zoe").err
    assert retrostep("athletes", "restore", "ada").status == 0
    assert athletes(retrostep) == ["Ada", "Ada"] and assignments(retrostep)[0][0] == "Ada"
    assert rebuilt_is_the_same(retrostep)


def test_assignments_are_listed_with_their_periods_and_corrected(retrostep: Retrostep) -> None:
    day = days_ago(4)[:10]
    assert retrostep("athletes", "assign", DEVICE, "Ben", "--from", day).status == 0
    assert assignments(retrostep) == [("Ada", None, assignments(retrostep)[0][2]), ("Ben", assignments(retrostep)[0][2], None)]
    assert athletes(retrostep) == ["Ada", "Ben"]
    rows = retrostep("athletes", "assignments").out.splitlines()
    assert rows[1].split()[:3] == [DEVICE, "1", "Ada"] and rows[2].split()[:3] == [DEVICE, "2", "Ben"] and rows[2].endswith("now")

    later = days_ago(1)[:10]
    refused = one_sentence(retrostep("athletes", "assign", DEVICE, "Ben", "--from", later))
    assert "assigned to Ben from" in refused and "already" in refused, "it would change nothing"
    assert retrostep("athletes", "assign", DEVICE, "Ben", "--from", later, "--replace", 2).status == 0
    assert athletes(retrostep) == ["Ada", "Ada"], "Ben wears it later now"
    refused = one_sentence(retrostep("athletes", "assign", DEVICE, "Ben", "--from", day))
    assert "already" in refused or "contradicts" in refused
    assert retrostep("athletes", "unassign", DEVICE, 2).status == 0
    assert assignments(retrostep) == [("Ada", None, None)]
    assert "no assignment with number 2" in one_sentence(retrostep("athletes", "unassign", DEVICE, 2))
    assert rebuilt_is_the_same(retrostep)


def test_a_wearer_is_corrected_and_a_period_is_inserted(retrostep: Retrostep) -> None:
    assert retrostep("athletes", "assign", DEVICE, "Ben", "--from", days_ago(3)[:10], "--to", days_ago(1)[:10]).status == 0
    assert [one[0] for one in assignments(retrostep)] == ["Ada", "Ben", "Ada"] and athletes(retrostep) == ["Ada", "Ben"]
    refused = one_sentence(retrostep("athletes", "assign", DEVICE, "Ben", "--from", days_ago(5)[:10]))
    assert "contradicts" in refused and f"athletes assignments {DEVICE}" in refused
    assert retrostep("athletes", "assign", DEVICE, "Ben", "--replace", 1).status == 0
    assert athletes(retrostep) == ["Ben", "Ben"]
    same = retrostep("athletes", "assign", DEVICE, "Ada")
    assert same.status == 0 and "already" in same.out and "Nothing was changed" in same.out


def test_a_release_that_contradicts_is_refused(retrostep: Retrostep) -> None:
    retrostep("athletes", "assign", DEVICE, "Ben", "--from", days_ago(3)[:10])
    assert "contradicts" in one_sentence(retrostep("athletes", "release", DEVICE, "--at", days_ago(4)[:10]))
    assert "There is no device 'new-device'" in one_sentence(retrostep("athletes", "release", "new-device"))
    assert retrostep("athletes", "release", DEVICE).status == 0


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "athlete", "error"),
    [
        (100, None, "Ben", None),
        (100, None, "Ada", AssignmentExists),
        (99, None, "Ben", AssignmentContradiction),
        (99, 100, "Ben", None),
        (99, 101, "Ben", AssignmentContradiction),
        (99, None, None, AssignmentExists),
    ],
)
def test_the_boundaries_of_an_assignment(from_ms: int, to_ms: int | None, athlete: str | None, error: type[Exception] | None) -> None:
    existing = [Assignment(DEVICE, "Ada", 100, None)] if athlete != "Ben" or from_ms == 99 else [Assignment(DEVICE, "Ada", 0, None)]
    if error is None:
        check_assignment(DEVICE, existing, athlete, from_ms, to_ms)
        return
    with pytest.raises(AssignmentContradiction) as raised:
        check_assignment(DEVICE, existing, athlete, from_ms, to_ms)
    assert type(raised.value) is error


def test_a_device_that_was_never_synced_is_asked_about(retrostep: Retrostep) -> None:
    error = one_sentence(retrostep("athletes", "assign", "RS-TYPO", "Ada"))
    assert "never synced" in error and "--new" in error
    assert assignments(retrostep) == [("Ada", None, None)]
    assert retrostep("athletes", "assign", "RS-TYPO", "Ada", "--new").status == 0
    assert retrostep("athletes", "assign", "RS-TYPO", "Ben").status == 0, "the second time it is known"


def test_moments_in_the_future_and_reversed_limits_are_refused(retrostep: Retrostep) -> None:
    tomorrow = days_ago(-2)[:10]
    for words in (
        ("athletes", "assign", DEVICE, "Ben", "--from", tomorrow),
        ("athletes", "release", DEVICE, "--at", tomorrow),
        ("session", "2", "--date", tomorrow),
        ("check", "--on", tomorrow),
    ):
        refused = retrostep(*words)
        assert refused.status == 2 and "future" in refused.err, words
    by = ("--by", "Kim", "--why", "x")
    assert "--warn is beyond --fail" in retrostep("rules", "set", "session_spike", "--warn", 60, "--fail", 15, *by).err
    assert "--warn is beyond --fail" in retrostep("rules", "set", "warm_up", "--warn", "5min", "--fail", "8min", *by).err
    assert retrostep("rules", "set", "session_spike", "--warn", 15, "--fail", 15, *by).status == 0
    past = retrostep("rules", "set", "session_spike", "--warn", 15, "--until", days_ago(2)[:10], *by)
    assert past.status == 2 and "past" in past.err
    assert retrostep("athletes", "assign", DEVICE, "Ben", "--from", days_ago(1), "--to", days_ago(2)).status == 2


def test_json_of_a_corrected_session(retrostep: Retrostep) -> None:
    out = retrostep("session", "2", "--exclude", "bus", "--json")
    assert json.loads(out.out)["excluded"] == "bus" and "Saved" in out.err


def test_a_session_that_was_received_with_a_wrong_clock_is_unknown_until_a_person_dates_it(retrostep: Retrostep) -> None:
    """The computer's clock stood at 1970, or a week back, when the session of today was received."""
    today = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
    entered = f"{today.astimezone():%Y-%m-%d %H:%M}"
    with Store() as store:
        store.add_athlete("Cy")
        for device, received in (("stood-at-1970", datetime(2100, 1, 1, tzinfo=UTC)), ("week-back", today - timedelta(days=7))):
            store.ingest(device, 1, session_log(1, device=device, forward_s=60, backward_s=300), received)
            store.assign(device, "Cy")
    unknown = retrostep("check", "--athlete", "Cy")
    assert "UNKNOWN Cy" in unknown.out and "because the computer's clock was wrong when it was received" in unknown.out
    assert "undated  " in retrostep("sessions", "--device", "stood-at-1970").out
    assert retrostep("session", "stood-at-1970/1", "--date", entered).status == 0
    refused = one_sentence(retrostep("session", "week-back/1", "--date", entered))
    assert "was over when its log was received" in refused and "retrostep session week-back/1 --date" in refused
    assert "--clock-was-wrong" in refused
    assert retrostep("session", "week-back/1", "--date", entered, "--clock-was-wrong").status == 0
    sessions = retrostep("sessions", "--athlete", "Cy", "--json").json["sessions"]
    assert [(one["dated"], one["started"]) for one in sessions] == [("manual", f"{today:%Y-%m-%dT%H:%M:00.000Z}")] * 2


def test_a_receipt_that_another_clock_contradicts_is_dated_and_needs_no_option(retrostep: Retrostep) -> None:
    """A week back at the first sync; the second one, ten minutes later, had the right time."""
    now = datetime.now(UTC)
    behind = now - timedelta(days=7)
    with Store() as store:
        row = store.ingest("week-back", 1, session_log(1, device="week-back", forward_s=60), behind)
        for ticks, moment in ((300_000, behind), (900_000, now)):
            store.add_clock_fact("week-back", row.boot, ticks, int(moment.timestamp() * 1_000))
    shown = retrostep("session", "week-back/1", "--json").json
    started = now - timedelta(milliseconds=900_000 - row.start_ticks_ms)
    assert shown["dated"] == "measured" and shown["started"] == f"{started:%Y-%m-%dT%H:%M:%S}.{started.microsecond // 1_000:03}Z"
    assert "clock readings differ by " in retrostep("session", "week-back/1").out
    entered = f"{(now - timedelta(minutes=16)).astimezone():%Y-%m-%d %H:%M}"
    assert retrostep("session", "week-back/1", "--date", entered).status == 0


def test_a_removed_athlete_is_named_with_the_command_that_restores(retrostep: Retrostep) -> None:
    assert retrostep("athletes", "remove", "Ada", "--yes").status == 0
    for words in (("check", "--athlete", "ada"), ("sessions", "--athlete", "Ada"), ("athletes", "assign", DEVICE, "Ada")):
        error = one_sentence(retrostep(*words))
        assert "retrostep athletes restore Ada" in error and "athletes add" not in error, words


def test_part_of_a_name_finds_a_device_that_is_only_assigned(retrostep: Retrostep) -> None:
    assert retrostep("athletes", "assign", "RS-3F2A01B4C8D9", "Ben", "--new").status == 0
    assert "RS-3F2A01B4C8D9" in retrostep("athletes", "assignments", "C8D9").out
    assert retrostep("athletes", "unassign", "c8d9", 1).status == 0


def test_an_undated_session_is_named_in_every_command_that_dates_it(retrostep: Retrostep) -> None:
    with Store() as store:
        store.ingest(DEVICE, 3, session_log(3, boot=3, forward_s=60, backward_s=300))
    shown = " ".join(retrostep("check", "--athlete", "Ada").out.split())
    assert shown.count("It is not known when this session was") == shown.count(f"retrostep session {DEVICE}/3 --date") == 1
    (found,) = retrostep("check", "Ada", "--json").json["athletes"]
    affected = {each["rule"] for each in found["findings"] if each["verdict"] == "unknown"}
    number, _, rules = shown.partition("Until it has a date, ")[2].partition(".")[0].partition(" rules stay unknown: ")
    assert len(affected) == int(number) + 1 > 3 and {*rules.split(", "), "data_quality"} == affected and "DEVICE/NUMBER" not in shown


def test_a_recording_of_another_version_names_the_board_to_update(retrostep: Retrostep) -> None:
    with Store() as store:
        receive(store, 3, session_log(3, started=days_ago(1), boot=3, core_version=(0, 0, 9)))
    shown = retrostep("check", "--athlete", "Ada").out
    assert "retrostep deploy --board VIRTUAL --port PORT" in shown


def test_the_numbers_of_assignments_stay_and_are_not_used_again(retrostep: Retrostep) -> None:
    def numbers() -> list[tuple[int, str | None]]:
        listed = retrostep("athletes", "assignments", "--json").json["assignments"]
        return [(one["number"], one["athlete"]) for one in listed]

    retrostep("athletes", "assign", DEVICE, "Ben", "--from", days_ago(4)[:10])
    retrostep("athletes", "assign", DEVICE, "Ada", "--from", days_ago(3)[:10])
    assert numbers() == [(1, "Ada"), (2, "Ben"), (3, "Ada")]
    assert "Withdrawn: number 1" in retrostep("athletes", "unassign", DEVICE, 1).out
    assert numbers() == [(2, "Ben"), (3, "Ada")]
    replaced = retrostep("athletes", "assign", DEVICE, "Ben", "--replace", 3, "--from", days_ago(1)[:10]).out
    assert f"Replaced: number 3, {DEVICE} assigned to Ada" in replaced and numbers() == [(2, "Ben")], "Ben wore it before, too"
    retrostep("athletes", "assign", DEVICE, "Ada", "--from", days_ago(1)[:10], "--why", "sold it")
    assert numbers() == [(2, "Ben"), (4, "Ada")], "3 is not used again"
    moved = retrostep("athletes", "assign", DEVICE, "Ada", "--replace", 4, "--from", days_ago(2)[:10])
    assert moved.out.startswith(f"Replaced: number 4, {DEVICE} assigned to Ada, ") and numbers() == [(2, "Ben"), (4, "Ada")]
    assert rebuilt_is_the_same(retrostep)


def test_the_reason_of_an_assignment_is_kept(retrostep: Retrostep) -> None:
    assert retrostep("athletes", "assign", DEVICE, "Ben", "--why", "they swapped").status == 0
    assert retrostep("athletes", "assignments", "--json").json["assignments"][1]["why"] == "they swapped"
    assert "they swapped" in retrostep("athletes", "assignments").out
    assert "Before: assigned to Ben" in retrostep("athletes", "release", DEVICE, "--why", "broken").out
    assert retrostep("athletes", "unassign", DEVICE, 2, "--why", "typing error").status == 0
    with Store() as store:
        assert [line.entry["why"] for line in store.journal.lines() if line.entry and line.entry["entry"] == "unassign"] == ["typing error"]


@pytest.mark.parametrize(
    "words",
    [
        ("session", "2", "--mark", "warm_up"),
        ("session", "2", "--no-mark", "stretch"),
        ("session", "2", "--exclude", "bus"),
        ("session", "2", "--athlete", "Ada"),
        ("session", "2", "--date", days_ago),
        ("note", "2", "--correct", 1, "--pain", 3),
        ("athletes", "rename", "Ben", "Cy"),
        ("rules", "set", "stretch", "--off", "--by", "Kim", "--why", "no"),
    ],
)
def test_a_correction_without_effect_is_not_written(retrostep: Retrostep, words: tuple[object, ...]) -> None:
    words = tuple(word(2) if callable(word) else word for word in words)  # a day counts from the test, not from its collection
    retrostep("note", "2", "--pain", 2)
    assert retrostep(*words).status == 0
    with Store() as store:
        size = store.journal.size()
    again = retrostep(*(("athletes", "rename", "Cy", "Cy") if "rename" in words else words))
    assert again.status == 0 and "already" in again.out and "Nothing was changed." in again.out
    with Store() as store:
        assert store.journal.size() == size


def test_a_correction_prints_one_line_with_what_was_there_before(retrostep: Retrostep) -> None:
    saved = f"Saved: session {DEVICE}/2"
    assert retrostep("session", "2", "--athlete", "Ben").out == f"{saved} is Ben's (before: Ada).\n"
    assert retrostep("session", "2", "--as-assigned").out == f"{saved} is Ada's, as its device is assigned (before: Ben).\n"
    assert retrostep("session", "2", "--no-mark", "stretch").out == f"{saved} has no stretch mark (before: a mark).\n"
    assert retrostep("session", "2", "--exclude", "bus").out == f"{saved} is left out of the check: bus (before: checked).\n"
    retrostep("note", "2", "--pain", 2)
    assert "pain 3 (before: pain 2)." in retrostep("note", "2", "--correct", 1, "--pain", 3).out
    assert retrostep("note", "2", "--withdraw", 1).out.endswith(": pain 3.\n")


def test_a_date_against_a_clock_is_asked_about_and_names_what_moves(retrostep: Retrostep) -> None:
    with Store() as store:
        log = session_log(3, boot=2, start_ticks_ms=4_000_000, forward_s=60)
        receive(store, 3, log)
    entered = days_ago(3)
    before = retrostep("session", "2", "--json").json["started"]
    refused = one_sentence(retrostep("session", "2", "--date", entered))
    assert "computer's clock" in refused and "--yes" in refused and retrostep("session", "2", "--json").json["started"] == before
    saved = retrostep("session", "2", "--date", entered, "--yes").out.splitlines()
    assert len(saved) == 2 and saved[1].startswith(f"Also moved: session {DEVICE}/3: ") and "->" in saved[1]
    assert retrostep("session", "2", "--date", days_ago(2 - 0.5 / 24)).status == 0, "half an hour off a clock is no question"


def test_limits_are_reset(retrostep: Retrostep) -> None:
    def in_force() -> bool:
        return any(one["rule"] == "stretch" for one in retrostep("check", "--json", "--athlete", "Ada").json["athletes"][0]["findings"])

    by = ("--by", "Kim", "--why", "no mats")
    assert in_force() and "already" in retrostep("rules", "reset", "stretch").out
    retrostep("rules", "set", "stretch", "--off", *by)
    retrostep("rules", "set", "stretch", "--off", "--athlete", "Ada", *by)
    assert retrostep("rules", "reset", "stretch", "--athlete", "ada", "--why", "mats").out == "stretch for Ada: reset. Before: off.\n"
    assert not in_force(), "those for all count"
    assert retrostep("rules", "reset", "stretch").status == 0 and in_force()
    shown = retrostep("rules").out
    assert "For Ada: off; from" in shown and "(reset by" in shown and ": mats)" in shown
    (rule,) = (one for one in retrostep("rules", "--json").json["rules"] if one["rule"] == "stretch")
    assert [one["reset_why"] for one in rule["overrides"]] == ["", "mats"]
    assert retrostep("store", "rebuild").status == 0 and in_force()


def test_commands_stay_on_one_line_where_text_is_wrapped() -> None:
    text = "It is not known when this session was. To set its date: `retrostep session RS-3F2A01B4C8D9/12 --date 'DATE TIME'`."
    shown = wrapped(text, 80, 2)
    assert len(shown) == 2 and max(map(len, shown)) <= 80 and "--date 'DATE TIME'`." in shown[1]
    assert " ".join(line.strip() for line in shown) == text
    assert wrapped("session 1 min 15 s; cadence 10 % more", 12) == ["session", "1 min 15 s;", "cadence 10 %", "more"]


def test_on_a_terminal_of_80_columns_every_line_fits(retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store() as store:
        device = "RS-3F2A01B4C8D9"
        store.ingest(device, 12, session_log(12, device=device, forward_s=60, backward_s=300, core_hash=b"\x01" * 8))
    commands = (
        ("sessions",), ("session", f"{device}/12"), ("boards",), ("boards", "show", "VIRTUAL"), ("athletes",), ("athletes", "assignments"),
    )  # fmt: skip
    piped = [retrostep(*words).out for words in commands]
    assert "REMARKS" in piped[0].splitlines()[0] and "--date 'DATE TIME'`" in piped[1]
    monkeypatch.setattr(lines, "terminal_width", lambda stream: 80)
    for words, long in zip(commands, piped, strict=True):
        shown = retrostep(*words).out
        assert max(map(len, shown.splitlines())) <= 80, shown
        assert shown.split() == long.split(), "the same words, wrapped"
    retrostep("athletes", "add", "Wolfeschlegelsteinhausenbergerdorff")
    monkeypatch.setattr(sessions, "terminal_width", lambda stream: 80)
    assert retrostep("sessions").out.splitlines()[0].endswith("BACKWARD"), "a long name does not break every line"
    error = retrostep("athletes", "assign", "RS-TYPO", "Ada").err.splitlines()
    assert len(error) == 2 and max(map(len, error)) <= 80


@pytest.mark.parametrize("name", [f"{DEVICE}/1/1", f"+{DEVICE}/1", "a b/1", "é/1", f"{DEVICE}/x", DEVICE])
@pytest.mark.parametrize("command", [("session", "{}"), ("session", "{}", "--exclude", "typo"), ("note", "{}", "--pain", "1")])
def test_a_mistyped_session_is_refused_as_one(retrostep: Retrostep, name: str, command: tuple[str, ...]) -> None:
    ran = retrostep(*(part.format(name) for part in command))
    assert ran.status == 1 and "is no session: write DEVICE/NUMBER." in ran.err, ran.err


def test_names_in_wide_characters_are_the_same_person(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        assert store.add_athlete("Ａｄａ") == "Ａｄａ", "stored as typed"
        with pytest.raises(RetrostepError, match="already"):
            store.add_athlete("ada")
        assert store.find_athlete("ADA").name == "Ａｄａ"
        store.remove_athlete("Ada")
        with pytest.raises(AthleteRemoved):
            store.find_athlete("Ada")
        assert store.restore_athlete("Ada") == "Ａｄａ"


def test_people_of_an_older_journal_whose_names_are_alike_stay_apart(tmp_path: Path) -> None:
    journal = "".join(f'{{"entry":"athlete","at_ms":{n},"name":"{name}"}}\n' for n, name in enumerate(("Ada", "Ａｄａ", "ﬁn")))
    (tmp_path / "entries.jsonl").write_text(journal, encoding="utf-8")
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        assert sorted(row.name for row in store.athletes()) == sorted(["Ada", "Ａｄａ", "ﬁn"])
        assert (store.find_athlete("ada").name, store.find_athlete("Ａｄａ").name) == ("Ada", "Ａｄａ"), "as it is written"
        assert store.find_athlete("FIN").name == "ﬁn"
        with pytest.raises(AthleteNotFound, match="may be 'Ada', 'Ａｄａ'"):
            store.find_athlete("Ａda")
        with pytest.raises(RetrostepError, match="already"):
            store.add_athlete("Ａda")
        store.rename_athlete("Ada", "Eve")
        assert {row.name for row in store.athletes()} == {"Eve", "Ａｄａ", "ﬁn"}
