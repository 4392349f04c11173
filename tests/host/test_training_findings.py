"""What every finding says, word for word, and which findings there are: all of them, in their order."""

from datetime import date

import pytest
from retrostep.archive.queries import Assignment, Recording
from retrostep.errors import DoubtfulRecording, NotSynced, OtherCore, Unassigned, Undated
from retrostep.training.check import Check, exit_status
from retrostep.training.data_quality import quality_problems
from retrostep.training.finding import AthleteVerdict, Finding
from retrostep.training.rules.catalog import BY_NAME
from retrostep.training.rules.rule import Judgement, RuleLimits, TrainingHistory
from retrostep.training.training_session import training_sessions
from retrostep_core.codes import END_BUTTON, END_FLASH_FULL, END_INTERRUPTED, END_STILLNESS
from support.recordings import CORE, DAY_MS, NOON_MS, TODAY, recording
from support.training_store import StoreWith


def check_of(*recordings: Recording, on: date = TODAY, **store: object) -> Check:
    return Check(StoreWith(recordings, **store), CORE, on)  # type: ignore[arg-type]


def verdict_of(*recordings: Recording, **more: object) -> AthleteVerdict:
    return check_of(*recordings, **more).verdicts()[0]  # type: ignore[arg-type]


def quality(*recordings: Recording, **more: object) -> list[Finding]:
    return [finding for finding in verdict_of(*recordings, **more).findings if finding.rule == "data_quality"]


def judged(rule: str, *recordings: Recording, judged_days: int = 7, limits: RuleLimits | None = None) -> list[Judgement]:
    on = TODAY.toordinal()
    history = TrainingHistory(on, on - judged_days + 1, training_sessions(recordings), [])
    return list(BY_NAME[rule].judge(history, limits or BY_NAME[rule].limits))


# Recordings that cannot be judged


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"gap_ms": 1_001}, "1 s of samples missing"),
        ({"gap_ms": 75_000}, "1 min 15 s of samples missing"),
        ({"end_reason": END_INTERRUPTED}, "interrupted (the device lost power or was reset)"),
        ({"end_reason": END_FLASH_FULL}, "cut short because the device's flash was full"),
        ({"end_reason": 0}, "not ended when it was synced"),
        ({"end_reason": 9}, "ended for a reason that this version does not know (9)"),
        ({"damage": 1}, "log damaged (1 unreadable byte)"),
        ({"lost_records": 1}, "log damaged (1 record lost)"),
        ({"damage": 70, "lost_records": 2}, "log damaged (70 unreadable bytes, 2 records lost)"),
        ({"contradictory": True}, "totals that contradict each other"),
    ],
)
def test_every_problem_of_a_recording_is_named(fields: dict[str, object], problem: str) -> None:
    assert quality_problems(recording(1, 60, **fields)) == [problem]
    (finding,) = quality(recording(1, 60, **fields))
    assert finding.why == f"The recording on 2026-11-21 cannot be judged for certain: {problem}."
    assert (finding.verdict, finding.session, finding.todo) == ("unknown", "a1/1", "")
    assert type(finding.problem) is DoubtfulRecording and finding.problem.facts == {"session": "a1/1"}
    gap = (fields["gap_ms"] / 1_000, 1, "s") if "gap_ms" in fields else (None, None, "")  # type: ignore[operator]
    assert (finding.measured, finding.limit, finding.unit) == gap


@pytest.mark.parametrize("reason", [END_STILLNESS, END_BUTTON])
def test_a_complete_recording_has_no_problem(reason: int) -> None:
    assert quality_problems(recording(1, 60, end_reason=reason, gap_ms=1_000)) == []


def test_several_problems_of_a_recording_are_named_in_one_finding() -> None:
    (finding,) = quality(recording(1, 60, gap_ms=1_000, end_reason=END_INTERRUPTED, damage=3, contradictory=True))
    assert finding.why == (
        "The recording on 2026-11-21 cannot be judged for certain: interrupted (the device lost power or was reset); log damaged (3 "
        "unreadable bytes); totals that contradict each other."
    )
    assert (finding.measured, finding.limit) == (None, None), "a gap of 1 s is allowed"


def test_recordings_with_the_same_problem_share_a_finding_and_others_do_not() -> None:
    cut, full = {"end_reason": END_INTERRUPTED}, {"end_reason": END_FLASH_FULL}
    recordings = [
        recording(4, 60, **cut),
        recording(3, 60, number=2, **full),
        recording(1, 60, number=3, **cut),
        recording(0, 60, number=4),
    ]
    findings = quality(*recordings)
    assert [(finding.session, finding.why) for finding in findings] == [
        (
            "a1/3",
            "2 recordings, the latest on 2026-11-21, cannot be judged for certain: interrupted (the device lost power or was reset).",
        ),
        ("a1/2", "The recording on 2026-11-19 cannot be judged for certain: cut short because the device's flash was full."),
    ]


def test_a_core_that_counts_in_another_way_says_what_to_update() -> None:
    (finding,) = quality(recording(1, 60, core_version="0.0.9", gap_ms=4_000))
    assert finding.why == (
        "The recording on 2026-11-21 cannot be judged for certain: 4 s of samples missing; recorded by firmware 0.0.9, which counts in "
        "another way than this computer's 0.1.0."
    )
    assert finding.todo == "What is recorded afterwards can be judged."
    assert type(finding.problem) is OtherCore and (finding.measured, finding.limit) == (4, 1)
    (finding,) = quality(recording(1, 60, core_version="0.2.0"))
    assert finding.todo == "Update Retrostep on this computer: then they can be judged." and finding.problem is None


def test_a_core_that_counts_alike_is_named_and_the_verdict_stands() -> None:
    plain = [recording(days_ago, 60, number=days_ago) for days_ago in (5, 3, 1)]
    updated = [recording(days_ago, 60, number=days_ago, core_version=version, core_hash="ff" * 8)
               for days_ago, version in ((5, "0.1.0"), (3, "0.1.7"), (1, "0.1.7"))]  # fmt: skip
    assert verdict_of(*updated).verdict == verdict_of(*plain).verdict
    (note,) = [finding for finding in quality(*updated) if finding.is_note]
    assert note.verdict == "ok" and note.why == (
        "3 recordings of 3 by another firmware version: 0.1.0 (ffffffffffffffff), 0.1.7 (ffffffffffffffff). It counts as this computer's "
        "does, 0.1.0 (00112233aabbccdd), so the verdict stands."
    )
    assert not [finding for finding in quality(*plain) if finding.is_note]


@pytest.mark.parametrize(("fields", "met"), [({"damage": 1}, True), ({"lost_records": 1}, True), ({"gap_ms": 5_000}, False), ({}, False)])
def test_damage_of_a_judged_recording_is_met(fields: dict[str, object], met: bool) -> None:
    for days_ago, counts in ((1, True), (6, True), (7, False)):
        check = check_of(recording(days_ago, 60, **fields), recording(0, 60, number=2))
        check.verdicts()
        assert check.met_damage == (met and counts)


def test_exit_status() -> None:
    def status(*verdicts: str, damaged: bool = False) -> int:
        return exit_status([AthleteVerdict(None, verdict, []) for verdict in verdicts], damaged=damaged)

    assert [status(), status("ok", "unknown", "warn"), status("ok", damaged=True)] == [0, 0, 4]
    assert [status("ok", "fail"), status("fail", damaged=True)] == [3, 3]


# Days without a judged session, dates, and devices without an athlete


def test_complete_recordings_are_counted_with_their_days() -> None:
    (finding,) = quality(recording(6, 60), recording(0, 60, number=2), recording(7, 60, number=3))
    assert (finding.verdict, finding.session) == ("ok", "a1/2")
    assert finding.why == "2 recordings in the 7 days to 2026-11-22, complete and dated."
    (finding,) = quality(recording(0, 60))
    assert finding.why == "1 recording in the 7 days to 2026-11-22, complete and dated."
    (finding,) = [
        each for each in Check(StoreWith([recording(2, 60)]), CORE, TODAY, 3).verdicts()[0].findings if each.rule == "data_quality"
    ]  # type: ignore[arg-type]
    assert finding.why == "1 recording in the 3 days to 2026-11-22, complete and dated."


WORE = Assignment("a1", "Ada", NOON_MS - 10 * DAY_MS, None)


@pytest.mark.parametrize(
    ("assignments", "seen_at_ms", "synced"),
    [
        ([WORE], NOON_MS, "2026-11-22"),
        ([WORE], NOON_MS - 6 * DAY_MS, "2026-11-16"),
        ([WORE], NOON_MS - 7 * DAY_MS, None),
        ([WORE], None, None),
        ([], NOON_MS, None),
        ([Assignment("a1", "Ada", NOON_MS, None)], NOON_MS, "2026-11-22"),
        ([Assignment("a1", "Ada", NOON_MS + 1, None)], NOON_MS, None),
        ([Assignment("a1", "Ada", 0, NOON_MS + 1)], NOON_MS, "2026-11-22"),
        ([Assignment("a1", "Ada", 0, NOON_MS)], NOON_MS, None),
        ([Assignment("a1", None, 0, None)], NOON_MS, None),
        ([Assignment("a1", "Ben", 0, None)], NOON_MS, None),
        ([Assignment("b2", "Ada", 0, None)], NOON_MS, None),
    ],
)
def test_without_a_session_it_matters_whether_the_athletes_device_was_synced(
    assignments: list[Assignment], seen_at_ms: int | None, synced: str | None
) -> None:
    store = {"athletes": ("Ada", "Ben"), "assignments": assignments, "seen": {"a1": seen_at_ms}}
    verdict = next(each for each in check_of(**store).verdicts() if each.athlete == "Ada")  # type: ignore[arg-type]
    (finding,) = verdict.findings
    assert (finding.session, finding.measured, finding.limit, finding.unit) == (None, None, None, "")
    if synced:
        assert finding.why == f"No session in the 7 days to 2026-11-22. The device was last synced on {synced}."
        assert (finding.verdict, finding.todo, finding.problem) == ("info", "Nothing to do. Sync if they trained since.", None)
    else:
        assert finding.why == (
            "No session in the 7 days to 2026-11-22, and no device of this athlete was synced in them. It is not known what was done."
        )
        assert (finding.verdict, finding.todo, type(finding.problem)) == ("unknown", "", NotSynced)


def test_the_last_sync_of_several_devices_counts() -> None:
    assignments = [WORE, WORE.__class__("b2", "Ada", 0, None), WORE.__class__("c3", "Ada", 0, None)]
    seen = {"a1": NOON_MS - 3 * DAY_MS, "b2": NOON_MS - DAY_MS, "c3": NOON_MS - 2 * DAY_MS}
    (finding,) = quality(assignments=assignments, seen=seen)
    assert finding.why.endswith("The device was last synced on 2026-11-21.")


def undated(latest_days_ago: float, earliest_days_ago: float | None = None, **fields: object) -> Recording:
    latest = recording(latest_days_ago, 60).placed_at_ms
    earliest = None if earliest_days_ago is None else recording(earliest_days_ago, 60).placed_at_ms
    return recording(0, 60, started_at_ms=None, not_before_ms=earliest, placed_at_ms=latest, **fields)


def test_an_undated_session_is_reported_with_its_bounds() -> None:
    for each, when in (
        (undated(1), "before 2026-11-21 12:00"),
        (undated(1, 3), "between 2026-11-19 12:00 and 2026-11-21 12:00"),
        (undated(-1, 0), "between 2026-11-22 12:00 and 2026-11-23 12:00"),
    ):
        (finding,) = quality(each)
        assert finding.why == f"It is not known when this session was, only that it was {when}."
        assert (finding.verdict, finding.session) == ("unknown", "a1/1")
        assert type(finding.problem) is Undated and finding.problem.facts == {"session": "a1/1"}
    assert len(quality(undated(1), undated(2, number=2), recording(1, 60, number=3))) == 2, "one for each of them"
    for each in (undated(7), undated(-2, -1)):
        assert "complete and dated" in quality(each, recording(1, 60))[0].why, "before, or after the judged days"


def test_pain_after_an_undated_session_is_judged_and_stops_the_plan() -> None:
    """The verdict, what has to settle, and what the line of the check shows; also a week later, as long as nobody settled it."""
    verdict = verdict_of(recording(3, 60), undated(0, 2, pain=6, limp=True))
    (finding,) = (each for each in verdict.findings if each.rule == "pain")
    assert (verdict.verdict, finding.verdict, finding.step) == ("fail", "fail", "refer")
    assert finding.why == "Pain 6 of 10, limping, noted for the undated session a1/1."
    assert verdict.review is not None and verdict.review.to_settle == finding.why
    assert (verdict.review.pain, verdict.review.is_hurt) == (6, True)
    assert verdict.review.next_session.day == TODAY.toordinal() + 7, "seven dates after the latest possible one"
    old = verdict_of(recording(3, 60), undated(8, 9, pain=6))
    assert [each.verdict for each in old.findings if each.rule == "pain"] == ["warn"]
    assert old.review is not None and old.review.to_settle


def test_an_undated_session_leaves_a_rule_unknown_only_if_it_is_backward_running() -> None:
    dated = recording(1, 60, stretch_mark=True)
    findings = {finding.rule: finding for finding in verdict_of(dated, undated(0, 2)).findings}
    assert {rule for rule, finding in findings.items() if finding.verdict == "unknown"} == {
        "first_exposure", "frequency", "rest_days", "share", "data_quality",
    }  # fmt: skip
    assert findings["frequency"].why == "1 session with backward running in the 7 days to 2026-11-21. Undated sessions may change this."
    assert type(findings["frequency"].problem) is Undated and findings["frequency"].todo == ""
    for backward_ms, verdict in ((9_999, "ok"), (10_000, "unknown")):
        found = {each.rule: each for each in verdict_of(dated, undated(0, 2)._replace(backward_ms=backward_ms)).findings}
        assert found["frequency"].verdict == verdict
    too_much = {each.rule: each for each in verdict_of(recording(1, 900), undated(0, 2)).findings}
    assert (too_much["first_exposure"].verdict, too_much["first_exposure"].problem) == ("fail", None)


def test_sessions_of_devices_without_an_athlete_are_counted_by_device() -> None:
    nobodys = [
        recording(days, 60, athlete_id=None, device=device, number=days + 1)
        for device, days in (("b2", 0), ("a1", 6), ("a1", 1), ("a1", 7))
    ]
    (verdict,) = check_of(*nobodys, athletes=()).verdicts()
    assert (verdict.athlete, verdict.verdict) == (None, "unknown")
    assert [(finding.session, finding.why) for finding in verdict.findings] == [
        ("a1/2", "2 sessions of device a1 have no athlete, so no athlete's limits were checked."),
        ("b2/1", "1 session of device b2 has no athlete, so no athlete's limits were checked."),
    ]
    assert all(type(each.problem) is Unassigned for each in verdict.findings) and verdict.findings[1].problem.facts == {"device": "b2"}  # type: ignore[union-attr]
    assert check_of(recording(7, 60, athlete_id=None), athletes=()).verdicts() == []
    assert check_of(recording(-1, 60, athlete_id=None), athletes=()).verdicts() == [], "later than the day of the check"
    assert len(check_of(undated(-2, 0, athlete_id=None), athletes=()).verdicts()) == 1, "it may have been earlier"
    assert len(check_of(undated(-2, None, athlete_id=None), athletes=()).verdicts()) == 1
    assert check_of(undated(-2, -1, athlete_id=None), athletes=()).verdicts() == []


def test_an_undated_session_of_an_assigned_device_may_belong_to_either_athlete() -> None:
    for assignments, started, why in (
        ([WORE], None, "1 session of device a1 may belong to one athlete or to another, because the date is not known."),
        ([], None, "1 session of device a1 has no athlete, so no athlete's limits were checked."),
        ([WORE], NOON_MS, "1 session of device a1 has no athlete, so no athlete's limits were checked."),
    ):
        last = undated(0, 2, athlete_id=None)._replace(started_at_ms=started)
        verdict = next(each for each in check_of(last, assignments=assignments).verdicts() if each.athlete is None)
        (finding,) = verdict.findings
        assert finding.why == why and type(finding.problem) is (Undated if "either" in why or "another" in why else Unassigned)


# Rules: the whole list of what they find


def measured(rule: str, *recordings: Recording, **more: object) -> list[tuple[str, float | None, str]]:
    """(verdict, measured value, day of the session) of every judgement."""
    return [(each.verdict, each.measured, (each.session or "").split("/")[1]) for each in judged(rule, *recordings, **more)]  # type: ignore[arg-type]


def on_days(*days: int, **fields: object) -> list[Recording]:
    """A backward session on each of the days before TODAY; its number is that of the day."""
    return [recording(day, 60, number=day + 1, **fields) for day in sorted(days, reverse=True)]


def test_every_row_of_days_is_judged_once_at_its_last_day() -> None:
    assert measured("rest_days", *on_days(0, 1, 2, 4, 5, 6)) == [("fail", 3, "5"), ("fail", 3, "1")]
    assert measured("rest_days", *on_days(0, 2, 4, 5)) == [("warn", 2, "5"), ("ok", 1, "3"), ("ok", 1, "1")]
    assert measured("rest_days", *on_days(3, 7, 8, 9)) == [("ok", 1, "4")], "rows that ended before the judged days"
    assert measured("rest_days", *on_days(6, 7, 8)) == [("fail", 3, "7")]
    twice = [*on_days(0, 1), recording(1.2, 60, number=9), recording(-0.2, 60, number=8)]
    assert measured("rest_days", *twice) == [("warn", 2, "8")], "two sessions on a day are one day"


def test_frequency_judges_every_session_of_the_judged_days() -> None:
    assert measured("frequency", *on_days(0, 2, 4, 5, 6, 7, 13)) == [
        ("ok", 2, "7"), ("ok", 3, "6"), ("warn", 4, "5"), ("fail", 5, "3"), ("fail", 5, "1"),
    ]  # fmt: skip
    assert measured("frequency", *on_days(7, 8, 9, 10, 11)) == []
    assert [each.why for each in judged("frequency", *on_days(0, 2))] == [
        "1 session with backward running in the 7 days to 2026-11-20.",
        "2 sessions with backward running in the 7 days to 2026-11-22.",
    ]


@pytest.mark.parametrize("rule", ["first_exposure", "ramp_alerts", "warm_up", "stretch", "pain", "session_spike", "cadence_jump"])
def test_only_sessions_of_the_judged_days_are_judged(rule: str) -> None:
    for days, expected in (((6,), 1), ((7,), 0), ((6, 7), 1), ((0, 3, 6), 3)):
        before = [] if rule == "first_exposure" else [recording(20, 60, number=99)]
        found = judged(rule, *before, *on_days(*days, pain=1))
        expected_here = min(expected, 1) if rule == "first_exposure" else expected
        if rule == "first_exposure" and len(days) == 2:
            expected_here = 0
        assert len(found) == expected_here, (rule, days)


def test_pain_of_every_recording_is_judged() -> None:
    hour = 1 / 24
    recordings = [
        recording(1, 60, pain=1),
        recording(1 - hour / 2, 60, number=2),
        recording(1 - hour, 60, number=3, pain=4, pain_next_day=2),
    ]
    assert [(each.verdict, each.measured, each.limit, each.session, each.why) for each in judged("pain", *recordings)] == [
        ("ok", 1, 3, "a1/1", "Pain 1 of 10, noted for the session on 2026-11-21."),
        ("warn", 4, 3, "a1/3", "Pain 4 of 10, not settled on the day after, noted for the session on 2026-11-21."),
    ]
    (limping,) = judged("pain", recording(1, 60, limp=True, swelling=True))
    assert (limping.verdict, limping.measured, limping.limit) == ("fail", None, None)
    assert limping.why == "Limping, swelling, noted for the session on 2026-11-21."
    (next_day,) = judged("pain", recording(1, 60, pain_next_day=1))
    assert (next_day.verdict, next_day.measured, next_day.limit) == ("warn", 1, None)


@pytest.mark.parametrize(
    ("seconds", "compared"),
    [
        (100, "as much as"),
        (101, "1 % more than"),
        (100.4, "0.4 % more than"),
        (99.5, "0.5 % less than"),
        (90, "10 % less than"),
        (199.9, "99.9 % more than"),
        (200, "100 % more than"),
        (260.4, "160.4 % more than"),
    ],
)
def test_a_comparison_in_words(seconds: float, compared: str) -> None:
    (judgement,) = judged("session_spike", recording(9, 100), recording(1, seconds))
    assert f" backward on 2026-11-21, {compared} the longest session of the 30 days before (1 min 40 s on 2026-11-13)." in judgement.why


def test_after_a_jump_only_the_plan_names_the_longest_next_session() -> None:
    for limits, step in ((RuleLimits(10, 30), "10 %"), (RuleLimits(None, 30), "30 %")):
        (judgement,) = judged("session_spike", recording(9, 95), recording(1, 200), limits=limits)
        assert judgement.todo == f"Make the next sessions as long as those before this one, and add at most {step} at a time."


def test_what_may_be_done_next_never_exceeds_the_warning_limit() -> None:
    (judgement,) = judged("weekly_volume", recording(9, 100), recording(1, 200))
    assert judgement.todo == "Keep the next 7 days at 2 min 10 s backward or less."


def test_acwr_is_the_ratio_of_two_exponential_averages() -> None:
    recordings = [recording(day, 100, number=day + 1) for day in range(0, 57, 2)]
    recordings.append(recording(0.2, 400, number=90))
    acute = chronic = 100.0
    for day in range(55, -1, -1):
        load = (100 if day % 2 == 0 else 0) + (400 if day == 0 else 0)
        acute += (load - acute) * 2 / 8
        chronic += (load - chronic) * 2 / 29
    (judgement,) = judged("acwr", *recordings)
    assert (judgement.verdict, judgement.measured, judgement.limit) == ("info", round(acute / chronic, 2), 1.5)
    assert judgement.why == f"The backward time of about one week is {acute / chronic:.2f} times that of about four weeks on 2026-11-22."
    assert judged("acwr", *recordings, limits=RuleLimits(acute / chronic + 1e-9, None))[0].verdict == "ok"
    assert judged("acwr", *recordings, limits=RuleLimits(acute / chronic - 1e-9, None))[0].verdict == "info"
    assert judged("acwr", *recordings, limits=RuleLimits(None, None))[0].verdict == "ok"
    assert judged("acwr", *on_days(*range(7, 60))) == [], "nothing was done in the judged days"
    assert judged("acwr", *on_days(0, 27)) == [] and len(judged("acwr", *on_days(0, 28))) == 1


def test_weeks_end_on_the_day_of_the_check() -> None:
    for days, now_s in (((0, 6, 7, 13), 120), ((0, 6, 13), 120), ((6, 7, 14), 60), ((0, 13, 14), 60)):
        (judgement,) = judged("weekly_volume", *on_days(*days))
        assert judgement.why.startswith(f"{now_s // 60} min backward in the 7 days to 2026-11-22, ")
    assert judged("weekly_volume", *on_days(0, 14)) == [] and judged("weekly_volume", *on_days(7)) == []
    (judgement,) = judged(
        "share", recording(7, 900), recording(6, 300, number=2, forward_ms=100_000), recording(5, 9, number=3, forward_ms=500_000)
    )
    assert (judgement.measured, judgement.session) == (round(300 * 100 / 900, 2), "a1/2"), "9 s back are not backward running"
    assert judgement.why == "33.3 % of the moving time recorded in the 7 days to 2026-11-22 was backward running (5 min of 15 min)."
