"""The check at a glance: a line for each athlete, what changed, and findings that a coach accepted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrostep.archive.backward_gait import JOG
from retrostep.archive.decision_tables import AcceptanceRow
from retrostep.archive.store import Store
from retrostep.device.core_version import core_hash
from retrostep.output.triage import LEGEND, characters, triage
from retrostep.training.acceptances import Acceptances
from retrostep.training.finding import ORDER, AthleteVerdict, Finding
from retrostep.training.plan import Allowance
from retrostep.training.review import Review, change_since
from retrostep.training.rules.week import WeekLoad
from rich.cells import cell_len
from support.cli import Retrostep, one_sentence
from support.logs import DEVICE, session_log
from support.stored import receive


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M")


@pytest.fixture
def retrostep(tmp_path: Path) -> Iterator[Retrostep]:
    """Ada, who ran 100 s ten days and 140 s two days ago: a FAIL of session_spike only."""
    command = Retrostep(tmp_path)
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
        for number, (day, seconds) in enumerate(((13, 100), (10, 100), (8, 100), (2, 140)), 1):
            data = session_log(number, started=days_ago(day), backward_s=seconds, boot=number, core_hash=core_hash())
            receive(store, number, data)
    yield command


def ada(retrostep: Retrostep, *arguments: str) -> dict:
    return retrostep("check", "--json", *arguments).json["athletes"][0]


def findings(retrostep: Retrostep, rule: str) -> list[dict]:
    return [each for each in ada(retrostep)["findings"] if each["rule"] == rule]


# Accepted findings


def test_an_accepted_finding_keeps_its_verdict_and_no_longer_decides_the_athletes(retrostep: Retrostep) -> None:
    assert retrostep("check").status == 3 and ada(retrostep)["verdict"] == "fail"
    said = retrostep("accept", "ada", "session_spike", "--because", "a race", "--by", "Kim")
    assert (said.status, said.out) == (
        0,
        "session_spike of Ada: the findings so far are accepted: a race\nTo revoke it: `retrostep accept Ada session_spike --revoke`.\n",
    )
    assert retrostep("check").status == 0 and ada(retrostep)["verdict"] == "info"
    (spike,) = findings(retrostep, "session_spike")
    assert spike["verdict"] == "fail" and (spike["accepted"]["who"], spike["accepted"]["because"]) == ("Kim", "a race")
    assert "Accepted by Kim on" in retrostep("check", "Ada").out and "a race" in retrostep("accept").out
    assert ada(retrostep, "--on", days_ago(1)[:10])["verdict"] == "fail", "yesterday nobody had accepted it"
    retrostep("store", "rebuild")
    assert ada(retrostep)["verdict"] == "info", "the journal keeps it"
    assert retrostep("accept", "Ada", "session_spike", "--revoke", "--because", "no race").status == 0
    assert retrostep("check").status == 3
    assert "(revoked by " in retrostep("accept", "Ada").out and ": no race)" in retrostep("accept", "Ada").out
    assert "Nothing was changed." in retrostep("accept", "Ada", "session_spike", "--revoke").out


@pytest.mark.parametrize(("untils", "last"), [((90, 30), 30), ((30, 90), 90), ((90, None), 90), ((90, 30, 60), 60)])
def test_of_several_dates_until_which_findings_are_accepted_the_one_entered_last_counts(untils: tuple[int | None, ...], last: int) -> None:
    day_ms = 86_400_000
    rows = [
        AcceptanceRow(athlete_id=1, rule="share", who="Kim", because="x", at_ms=at, until_at_ms=until and until * day_ms)
        for at, until in enumerate(untils)
    ]
    known = Acceptances(rows, day_ms)
    assert [known.of(1, "share", day * day_ms, 0) is not None for day in (last - 1, last)] == [True, False]
    assert [known.holds_on(1, "share", day * day_ms) for day in (last - 1, last)] == [True, False]


@pytest.mark.parametrize(("until", "verdict"), [(None, "fail"), (3, "info")])
def test_later_training_is_accepted_only_with_until(retrostep: Retrostep, until: int | None, verdict: str) -> None:
    more = () if until is None else ("--until", (datetime.now() + timedelta(days=until)).strftime("%Y-%m-%d"))
    assert retrostep("accept", "Ada", "session_spike", "--because", "a race", *more).status == 0
    with Store(f"sqlite:///{retrostep.home}/store.sqlite") as store:
        started = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M")
        data = session_log(5, started=started, backward_s=300, boot=5, core_hash=core_hash())
        store.ingest(DEVICE, 5, data, datetime.now(UTC) + timedelta(hours=1))
    assert [each["accepted"] is None for each in findings(retrostep, "session_spike")].count(True) == (1 if until is None else 0)
    others = {each["rule"] for each in ada(retrostep)["findings"] if each["verdict"] == "fail" and not each["accepted"]}
    assert ("session_spike" in others) == (verdict == "fail")


def test_accept_refuses_what_makes_no_sense(retrostep: Retrostep) -> None:
    sentence = one_sentence(retrostep("accept", "Ada", "pain", "--because", "x"))
    assert "no finding of pain about Ada: there are findings of session_spike" in sentence
    assert "did you mean Ada?" in one_sentence(retrostep("accept", "Adda", "pain", "--because", "x"))
    for arguments, what in (
        (("Ada", "session_spik", "--because", "x"), "did you mean session_spike?"),
        (("Ada", "pain"), "Give the reason"),
        (("Ada", "pain", "--because", " "), "Give the reason"),
        (("Ada", "pain", "--because", "x", "--until", "2020-01-01"), "lies in the past"),
        (("Ada", "--because", "x"), "Name the ATHLETE and the RULE."),
    ):
        ran = retrostep("accept", *arguments)
        assert ran.status == 2 and what in ran.err


def test_forgetting_a_person_removes_what_was_accepted(retrostep: Retrostep) -> None:
    retrostep("accept", "Ada", "session_spike", "--because", "Ada had a race")
    assert retrostep("athletes", "forget", "Ada", "--yes").status == 0
    assert "race" not in (retrostep.home / "entries.jsonl").read_text()


# The line of an athlete


def test_pain_comes_first_and_has_to_settle_before_any_plan_holds(retrostep: Retrostep) -> None:
    assert retrostep("note", "Ada", "--pain", "6").status == 0
    found, calendar = ada(retrostep), retrostep.home / "ada.ics"
    assert found["findings"][0]["rule"] == "pain" and found["to_settle"].startswith("Pain 6 of 10, noted for the session on ")
    assert " pain 6 " in retrostep("check").out and " if settled 6 " in retrostep("check").out
    retrostep("plan", "Ada", "--ics", calendar)
    for text in (retrostep("check", "Ada").out, retrostep("plan", "Ada").out):
        assert text.index("No backward running until it has settled. What is planned") < text.index("jog ", text.index("First: "))
    assert calendar.read_text().count("DESCRIPTION:Only if pain") == calendar.read_text().count("BEGIN:VEVENT") > 0
    assert 'Once it has settled: `retrostep accept Ada pain --because "it has settled"`.' in retrostep("plan", "Ada").out
    retrostep("accept", "Ada", "pain", "--because", "it has settled")
    assert ada(retrostep)["to_settle"] is None and "First: " not in retrostep("plan", "Ada").out


def test_an_excluded_session_keeps_its_pain(retrostep: Retrostep) -> None:
    """The motion of the failed session is left out, the pain that was noted for it is not: in check, plan, session and report."""
    retrostep("note", "Ada", "--pain", "6")
    assert "the note still counts: pain 6" in retrostep("session", f"{DEVICE}/4", "--exclude", "two athletes wore it").out
    assert ada(retrostep)["verdict"] == "fail" and not findings(retrostep, "session_spike")
    (pain,) = findings(retrostep, "pain")
    assert pain["verdict"] == "fail" and pain["next_step"]["step"] == "refer"
    assert "excluded: only its notes count" in pain["why"] and pain["why"] == ada(retrostep)["to_settle"]
    shown = retrostep("check", "Ada").out
    assert "two athletes wore it; the note still counts: pain 6" in shown and "Pain: 6" in shown
    assert ada(retrostep)["next_session"]["date"] == days_ago(-5)[:10], "seven dates after the session"
    assert "the note still counts: pain 6" in retrostep("session", f"{DEVICE}/4").out
    retrostep("report", "--to", retrostep.home / "page.html")
    page = (retrostep.home / "page.html").read_text()
    assert "the note still counts: pain 6" in page and "; pain 6" in page
    retrostep("note", f"{DEVICE}/4", "--withdraw", "1", "--why", "another athlete")
    assert not findings(retrostep, "pain") and "still counts" not in retrostep("check", "Ada").out


def test_severe_pain_is_referred_and_other_pain_is_asked_about(retrostep: Retrostep) -> None:
    for note, step, todo in (
        (("--pain", "3"), "ask", "If it does not settle, see a doctor"),
        (("--pain", "5"), "refer", "Send the athlete to a doctor or physiotherapist. No backward running until they agree to it."),
        (("--swelling",), "refer", "Send the athlete to a doctor or physiotherapist."),
    ):
        retrostep("note", "Ada", *note)
        found = [each["next_step"] for each in findings(retrostep, "pain")]
        assert found[-1]["step"] == step and todo in found[-1]["text"]


def test_swelling_with_little_pain_fails_by_the_swelling(retrostep: Retrostep) -> None:
    retrostep("note", "Ada", "--swelling", "--pain", "2")
    shown = retrostep("check", "Ada").out
    assert "FAIL    pain  swelling, pain 2" in shown and "2 of 10 (fails" not in shown
    assert "Pain: 2, and limping or swelling." in shown
    retrostep("note", "Ada", "--pain", "6")
    assert "6 of 10 (fails from 5)" in retrostep("check", "Ada").out


def test_pain_that_no_later_note_settled_is_shown_after_the_week(retrostep: Retrostep) -> None:
    def shown() -> tuple[list[str], str | None]:
        return [each["why"] for each in findings(retrostep, "pain")], ada(retrostep)["to_settle"]

    assert retrostep("note", f"{DEVICE}/3", "--pain", "6").status == 0
    (why,), to_settle = shown()
    assert why == to_settle and why.startswith("Pain 6 of 10, noted for the session on ") and why.endswith("says that it has settled.")
    assert findings(retrostep, "pain")[0]["verdict"] == "warn"
    assert " if settled " in retrostep("check").out and "First: Pain 6 of 10" in retrostep("plan", "Ada").out
    assert retrostep("note", f"{DEVICE}/4", "--pain", "0").status == 0
    assert shown()[1] is None and findings(retrostep, "pain")[0]["verdict"] == "ok"
    assert retrostep("note", f"{DEVICE}/4", "--withdraw", "1", "--why", "another athlete").status == 0 and shown()[1] is not None
    assert retrostep("accept", "Ada", "pain", "--because", "it has settled").status == 0 and shown() == ([], None)


def test_a_device_without_an_athlete_is_named_with_what_to_do(retrostep: Retrostep) -> None:
    with Store(f"sqlite:///{retrostep.home}/store.sqlite") as store:
        receive(store, 1, session_log(1, device="RS-3F2A01B4C8D9", started=days_ago(1), core_hash=core_hash()), "RS-3F2A01B4C8D9")
    assert "\nTo assign the device: `retrostep athletes assign RS-3F2A01B4C8D9 NAME`.\n" in retrostep("check").out


def test_a_step_that_findings_share_is_shown_once(retrostep: Retrostep) -> None:
    retrostep("note", f"{DEVICE}/4", "--limp")
    with Store(f"sqlite:///{retrostep.home}/store.sqlite") as store:
        receive(store, 5, session_log(5, started=days_ago(1), backward_s=0, boot=5, core_hash=core_hash()))
    retrostep("note", f"{DEVICE}/5", "--limp")
    shown = retrostep("check", "Ada").out
    assert shown.count("Limping, noted for the session on") == 3 and shown.count("Refer: Send the athlete to a doctor") == 1


def test_the_review_in_json(retrostep: Retrostep) -> None:
    found = ada(retrostep)
    names = ("change", "before", "pain", "days_without_data", "stage")
    assert [found[name] for name in names] == ["worse", "warn", None, 2, "jog"]
    assert found["load"]["seconds"] == 140 and found["load"]["limit_s"] == 390 and found["load"]["seconds_by_day"][4] == 140
    assert found["next_session"]["gait"] == "jog" and found["next_session"]["rule"]


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ("ok", "fail", "new"),
        ("unknown", "warn", "new"),
        ("warn", "fail", "worse"),
        ("ok", "info", "worse"),
        ("fail", "warn", "better"),
        ("warn", "ok", "better"),
        ("warn", "warn", "same"),
        ("fail", "unknown", "same"),
    ],
)
def test_a_change_within_a_week(before: str, now: str, change: str) -> None:
    assert change_since(before, now, True) == change
    assert change_since(None, now, True) == "new" and change_since(None, now, False) == "same"


VERDICTS = st.builds(
    lambda name, verdict, headline, days, most_s, pain, is_hurt, gone: AthleteVerdict(
        name,
        verdict,
        [Finding("pain", verdict, 1, 1, "", None, "", "", headline=headline)],
        Review("better", "fail", WeekLoad(days, 60_000), Allowance(739_942, JOG, most_s, "pain"), "x" * is_hurt, JOG, pain, is_hurt, gone),
    ),
    st.text(min_size=1, max_size=60),
    st.sampled_from(list(ORDER)),
    st.text(max_size=60),
    st.lists(st.integers(0, 9_000_000), min_size=7, max_size=7),
    st.one_of(st.none(), st.integers(0, 3_599)),
    st.one_of(st.none(), st.integers(0, 10)),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 37)),
)


@given(st.lists(VERDICTS, max_size=5), st.sampled_from([80, 100, 120]), st.sampled_from(["utf-8", "latin-1", "ascii"]))
def test_lines_fit_the_terminal_and_its_characters(verdicts: list[AthleteVerdict], columns: int, encoding: str) -> None:
    shown = characters(encoding)
    lines = [line.plain for line in triage(verdicts, 739_940, columns, shown)]
    assert len(lines) == len(verdicts) + 1
    for line in lines:
        line.encode(encoding)
        assert cell_len(line) <= columns and line.isprintable()
    assert all(len(line) <= 80 for line in LEGEND)
    starts = {line.index(" better ") for line in lines[1:]}
    assert starts <= {7}, "columns are aligned"
