"""Every rule at its limits: a value that is just allowed, one that is just too much, and what cannot be judged."""

from collections.abc import Callable
from datetime import date
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrostep.archive.imported import NO_CORE
from retrostep.archive.queries import Recording
from retrostep.training.data_quality import is_incomplete, quality_problems
from retrostep.training.dates import day_of, day_start_ms
from retrostep.training.finding import ORDER, worst
from retrostep.training.quality_findings import recording_problems
from retrostep.training.rules.catalog import BY_NAME, RULES
from retrostep.training.rules.rule import ABOVE, BELOW, FROM, Judgement, RuleLimits, grade, grade_between
from retrostep.training.training_session import training_sessions
from retrostep_core.code_names import GAP_NAMES
from retrostep_core.codes import END_BUTTON, END_FLASH_FULL, END_INTERRUPTED, GAP_GYRO, GAP_SAMPLES, GAP_SENSOR
from support.recordings import CORE, history_of, recording

TraceFunction = Callable[[FrameType, str, object], object]


def judge(rule: str, *recordings: Recording, limits: RuleLimits | None = None, judged_days: int = 7) -> list[Judgement]:
    return list(BY_NAME[rule].judge(history_of(recordings, judged_days), limits or BY_NAME[rule].limits))


def one(rule: str, *recordings: Recording, limits: RuleLimits | None = None) -> Judgement:
    (judgement,) = judge(rule, *recordings, limits=limits)
    return judgement


@pytest.mark.parametrize(("days_before", "is_judged"), [(29, True), (30, True), (31, False)])
def test_session_spike_looks_back_thirty_dates(days_before: int, is_judged: bool) -> None:
    assert bool(judge("session_spike", recording(days_before + 2, 100), recording(2, 100))) == is_judged


def test_session_spike_takes_the_longest_and_not_the_last() -> None:
    judgement = one("session_spike", recording(25, 200), recording(10, 50), recording(1, 220))
    assert (judgement.verdict, judgement.measured) == ("ok", 10)
    judgement = one("session_spike", recording(33, 900), recording(25, 200), recording(10, 50), recording(1, 221))
    assert (judgement.verdict, judgement.measured) == ("warn", 10.5)
    assert "3 min 20 s" in judgement.why and "2026-10-28" in judgement.why


def test_an_earlier_session_of_the_same_day_is_history() -> None:
    judgement = one("session_spike", recording(1, 100), recording(0.75, 140))
    assert (judgement.verdict, judgement.measured) == ("fail", 40)


def test_the_first_session_ever_has_no_spike_but_is_a_first_exposure() -> None:
    assert judge("session_spike", recording(1, 400)) == []
    judgement = one("first_exposure", recording(1, 400))
    assert (judgement.verdict, judgement.measured, judgement.limit) == ("fail", 400, 300)
    assert "no other in the 30 days before" in judgement.why


@pytest.mark.parametrize(("days_between", "is_new"), [(13, False), (14, False), (15, True), (40, True)])
def test_a_lay_off_is_fourteen_full_days(days_between: int, is_new: bool) -> None:
    found = judge("first_exposure", recording(days_between + 1, 100), recording(1, 100))
    assert bool(found) == is_new
    if is_new:
        assert "the first since" in found[0].why


def test_ten_seconds_make_a_backward_session() -> None:
    assert judge("first_exposure", recording(1, 9.999)) == []
    assert judge("first_exposure", recording(1, 10)) != []
    assert judge("session_spike", recording(5, 9), recording(1, 100)) == [], "a few steps back are nothing to compare with"
    assert one("frequency", *(recording(day, 5) for day in (1, 2, 3, 4)), recording(0, 60)).measured == 1


def test_frequency_finds_the_crowded_days_within_the_week() -> None:
    found = judge("frequency", *(recording(day, 60) for day in (6, 7, 8, 9, 10)))
    assert [(each.verdict, each.measured) for each in found] == [("fail", 5)]


def test_a_day_that_leaves_the_week_takes_all_its_sessions_along() -> None:
    found = judge("frequency", *(recording(day, 60) for day in (7, 7.1, 7.2, 3, 0)))
    assert [(each.verdict, each.measured) for each in found] == [("warn", 4), ("ok", 2)]


def test_bouts_with_rests_are_one_session_and_two_practices_are_two() -> None:
    minutes = 1 / (24 * 60)
    rests = [recording(1 - index * 40 * minutes, 60, duration_ms=600_000) for index in range(5)]
    assert one("frequency", *rests).measured == 1, "30 minutes of rest between recordings"
    assert one("first_exposure", *rests).measured == 300
    longer = [recording(1 - index * 41 * minutes, 60, duration_ms=600_000) for index in range(3)]
    assert [each.measured for each in judge("frequency", *longer)] == [3], "one judgement a day"


def test_a_device_on_each_leg_counts_once() -> None:
    left = recording(1, 100)
    right = recording(1 - 1 / (24 * 60), 104, device="b2")
    (session,) = training_sessions([left, right])
    assert session.backward_ms == 104_000 and session.forward_ms == 900_000
    assert session.id == "b2/1"


def test_days_in_a_row_count_from_before_the_week() -> None:
    assert one("rest_days", *(recording(day, 60) for day in (6, 7, 8, 9))).measured == 4


def test_weekly_volume_needs_both_weeks() -> None:
    assert judge("weekly_volume", recording(1, 60)) == []
    assert judge("weekly_volume", recording(8, 60)) == []


def test_a_forward_run_lowers_the_share() -> None:
    assert one("share", recording(1, 300)).verdict == "warn"
    assert one("share", recording(1, 300), recording(3, 0)).verdict == "ok"


def test_cadence_jump_needs_a_cadence_and_something_to_compare_with() -> None:
    assert judge("cadence_jump", recording(0, 60)) == []
    assert judge("cadence_jump", recording(5.1, 60), recording(0, 60, backward_cadence_x10=0), judged_days=1) == []
    assert judge("cadence_jump", recording(29, 60), recording(0, 60)) == []


def test_a_warm_up_in_an_earlier_recording_of_the_session_counts() -> None:
    minutes = 1 / (24 * 60)
    jog = recording(1, 0, duration_ms=300_000, forward_ms=290_000)
    backward = recording(1 - 10 * minutes, 60, warm_up_ms=10_000, first_backward_ms=10_000)
    assert one("warm_up", jog, backward).verdict == "ok"
    later = recording(1 - 36 * minutes, 60, warm_up_ms=10_000, first_backward_ms=10_000)
    assert one("warm_up", jog, later).verdict == "warn", "that was another session"


def test_a_warm_up_by_button_or_in_a_gap() -> None:
    assert one("warm_up", recording(1, 60, warm_up_ms=0, warm_up_mark=True)).verdict == "info"
    assert one("warm_up", recording(1, 60, warm_up_ms=290_000, gap_ms=10_000)).verdict == "unknown"
    assert one("warm_up", recording(1, 60, warm_up_ms=290_000, gap_ms=9_999)).verdict == "warn"


def test_without_a_note_pain_is_not_judged() -> None:
    assert judge("pain", recording(1, 60)) == []
    assert judge("pain", recording(31, 60, pain=9)) == [], "that was more than 30 days ago"


def test_acwr_needs_four_weeks_and_is_never_more_than_information() -> None:
    steady = [recording(day, 100) for day in range(0, 60, 2)]
    assert one("acwr", *steady).verdict == "ok"
    assert BY_NAME["acwr"].enabled is False
    assert judge("acwr", *[recording(day, 100) for day in range(0, 28, 2)]) == []
    spiked = one("acwr", *steady, recording(0.1, 9_000))
    assert spiked.verdict == "info" and (spiked.measured or 0) > 1.5


@pytest.mark.parametrize("rule", ["session_spike", "first_exposure", "weekly_volume", "share"])
def test_unrecorded_time_may_exceed_a_limit(rule: str) -> None:
    history = [] if rule == "first_exposure" else [recording(9, 100)]
    complete = one(rule, *history, recording(1, 100))
    assert complete.verdict == "ok"
    for gap_ms, verdict in ((1, "ok"), (5_000, "ok"), (900_000, "unknown")):
        assert one(rule, *history, recording(1, 100, gap_ms=gap_ms)).verdict == verdict
    for cut in ({"end_reason": END_INTERRUPTED}, {"end_reason": END_FLASH_FULL}, {"end_reason": 0}, {"damage": 1}, {"lost_records": 1}):
        assert one(rule, *history, recording(1, 100, **cut)).verdict == "unknown"
    for cut in ({}, {"damage": 1}, {"gap_ms": 900_000}):
        assert one(rule, *history, recording(1, 5_000, **cut)).verdict in ("warn", "fail"), "too much stays too much"


def test_a_finding_names_a_reference_that_was_not_recorded_completely() -> None:
    assert "not recorded completely" in one("session_spike", recording(9, 100, damage=1), recording(1, 200)).why


@given(st.floats(10, 3_000), st.floats(10, 3_000), st.floats(10, 3_000))
def test_more_is_never_judged_better(history: float, less: float, more: float) -> None:
    less, more = sorted((less, more))
    for rule in ("session_spike", "first_exposure", "weekly_volume", "share"):
        before = [] if rule == "first_exposure" else [recording(9, history)]
        assert ORDER[one(rule, *before, recording(1, less)).verdict] <= ORDER[one(rule, *before, recording(1, more)).verdict]


# Devices that contradict each other: nothing is ok, and what one of them denies is no warning.


def contradicted(days_ago: float, one_s: float, other_s: float, **fields: object) -> list[Recording]:
    """Two devices worn together that recorded so much backward time, and the rest of 1 500 s forward."""
    times = {"one": one_s, "other": other_s}
    return [
        recording(days_ago, seconds, device=device, forward_ms=int(1_000 * (1_500 - seconds)), **fields)
        for device, seconds in times.items()
    ]


@pytest.mark.parametrize(
    ("pair", "verdict"),
    [
        ((150, 0), "unknown"),
        ((110, 50), "unknown"),
        ((400, 0), "unknown"),
        ((400, 200), "warn"),
        ((400, 310), "fail"),
        ((400, 380), "fail"),
        ((119, 110), "ok"),
    ],
)
def test_first_exposure_of_devices_that_contradict_each_other(pair: tuple[float, float], verdict: str) -> None:
    for one_s, other_s in (pair, pair[::-1]):
        judgement = one("first_exposure", *contradicted(1, one_s, other_s))
        assert (judgement.verdict, judgement.measured) == (verdict, pair[0])
        assert ("one recorded" in judgement.why) == (verdict == "unknown")


@pytest.mark.parametrize(("pair", "verdict"), [((100, 0), "unknown"), ((140, 20), "unknown"), ((140, 115), "warn"), ((200, 140), "fail")])
def test_session_spike_of_devices_that_contradict_each_other(pair: tuple[float, float], verdict: str) -> None:
    judgement = one("session_spike", recording(9, 100), *contradicted(1, *pair))
    assert (judgement.verdict, judgement.measured) == (verdict, pair[0] - 100)
    assert ("one recorded" in judgement.why) == (verdict == "unknown")


def test_session_spike_compared_with_a_contradicted_session() -> None:
    judgement = one("session_spike", *contradicted(9, 300, 0), recording(1, 100))
    assert judgement.verdict == "unknown" and "one recorded" in judgement.why, "ok with 300 s, too much without them"
    assert one("session_spike", *contradicted(9, 300, 0), recording(1, 500)).verdict == "fail", "too much even with them"


@pytest.mark.parametrize("rule", ["weekly_volume", "share"])
def test_a_week_with_devices_that_contradict_each_other(rule: str) -> None:
    before = recording(9, 100)
    assert one(rule, before, *contradicted(1, 100, 0)).verdict == "unknown"
    assert one(rule, before, *contradicted(1, 1_400, 0)).verdict == "unknown"
    assert one(rule, before, *contradicted(1, 1_400, 1_200)).verdict == ("fail" if rule == "share" else "warn")
    assert "one recorded" in one(rule, before, *contradicted(1, 1_400, 0), recording(0, 30)).why
    if rule == "weekly_volume":
        assert one(rule, *contradicted(9, 300, 0), recording(1, 200)).verdict == "unknown"
        assert one(rule, *contradicted(9, 300, 0), recording(1, 400)).verdict == "warn"


@pytest.mark.parametrize(
    ("days", "doubtful", "verdict", "number"),
    [
        ((3, 5), 1, "ok", 3),
        ((2, 4, 6), 1, "unknown", 4),
        ((2, 4, 6, 5.5), 1, "warn", 5),
        ((2, 4, 6, 5.5, 3.5), 1, "fail", 6),
        ((1, 2, 4), 6, "unknown", 4),
        ((1, 2, 4, 5), 8, "warn", 4),
    ],
)
def test_frequency_with_a_session_that_one_device_denies(days: tuple[float, ...], doubtful: float, verdict: str, number: int) -> None:
    judgement = judge("frequency", *(recording(day, 60) for day in days), *contradicted(doubtful, 60, 0))[-1]
    assert (judgement.verdict, judgement.measured) == (verdict, number)
    assert ("contradict each other" in judgement.why) == (verdict == "unknown")


@pytest.mark.parametrize(
    ("days", "doubtful", "verdict", "row"),
    [
        ((), 1, "ok", 1),
        ((2,), 1, "unknown", 2),
        ((2, 3), 1, "warn", 3),
        ((2, 3, 4), 1, "fail", 4),
        ((0, 2), 1, "unknown", 3),
        ((0, 1.2, 2), 1, "fail", 3),
        ((0, 1, 4, 5), 3, "warn", 2),
    ],
)
def test_rest_days_with_a_session_that_one_device_denies(days: tuple[float, ...], doubtful: float, verdict: str, row: int) -> None:
    judgement = judge("rest_days", *(recording(day, 60) for day in days), *contradicted(doubtful, 60, 0))[-1]
    assert (judgement.verdict, judgement.measured) == (verdict, row)
    assert ("contradict each other" in judgement.why) == (verdict == "unknown")


def test_how_a_session_was_done_is_unknown_where_devices_contradict_each_other() -> None:
    pair = contradicted(1, 300, 0, warm_up_ms=0)
    for rule, fields in (("ramp_alerts", {}), ("ramp_alerts", {"ramp_stops": 5}), ("warm_up", {})):
        judgement = one(rule, *(each._replace(**fields) for each in pair))
        assert judgement.verdict == "unknown" and "one recorded 5 min backward" in judgement.why
    for cadence_x10 in (1_500, 1_800):
        judgement = one("cadence_jump", recording(9, 60), *(each._replace(backward_cadence_x10=cadence_x10) for each in pair))
        assert judgement.verdict == "unknown" and "one recorded 5 min backward" in judgement.why
    assert one("warm_up", *contradicted(1, 300, 0)).verdict == "ok", "15 min forward before any of it"


def test_grades() -> None:
    limits = RuleLimits(3, 5)
    assert [grade(value, limits)[0] for value in (3, 3.1, 5, 5.1)] == ["ok", "warn", "warn", "fail"]
    assert [grade(value, limits, FROM)[0] for value in (2.9, 3, 4.9, 5)] == ["ok", "warn", "warn", "fail"]
    assert [grade(value, RuleLimits(5, 3), BELOW)[0] for value in (5, 4.9, 3, 2.9)] == ["ok", "warn", "warn", "fail"]
    assert grade(99, RuleLimits(None, None)) == ("ok", None)
    assert grade(2, RuleLimits(None, 5)) == ("ok", 5)


def test_grades_of_a_value_that_is_not_certain() -> None:
    limits = RuleLimits(3, 5)
    for least, value, most, expected in (
        (1, 2, 3, ("ok", 3)),
        (1, 2, 3.1, ("unknown", 3)),
        (1, 2, None, ("unknown", 3)),
        (3, 4, 4, ("unknown", 3)),
        (3, 6, 6, ("unknown", 5)),
        (3.1, 6, None, ("warn", 3)),
        (5.1, 6, 6, ("fail", 5)),
    ):
        assert grade_between(least, value, most, limits) == expected
    assert grade_between(2, 3, 3, limits, FROM) == ("unknown", 3) and grade_between(1, 2, 3, limits, FROM) == ("unknown", 3)
    assert grade_between(3, 3, 3, limits, FROM) == ("warn", 3) and grade_between(1, 2, 2, limits, FROM) == ("ok", 3)


def test_the_worst_verdict_counts() -> None:
    assert worst(["ok", "unknown", "info"]) == "unknown"
    assert worst(["warn", "unknown"]) == "warn"
    assert worst(["fail", "warn", "ok"]) == "fail"
    assert worst([]) == "unknown"


def test_what_keeps_a_recording_from_being_judged() -> None:
    assert quality_problems(recording(0, 60)) == []
    assert quality_problems(recording(0, 60, gap_ms=1_000)) == []
    assert quality_problems(recording(0, 60, gap_ms=1_001)) == ["1 s of samples missing"]
    assert quality_problems(recording(0, 60, gap_ms=1), max_gap_ms=0) == ["0 s of samples missing"]
    for reasons, text in (
        (1 << GAP_SAMPLES, "2 s of samples missing"),
        (1 << GAP_GYRO, "2 s without valid samples (gyroscope dead)"),
        (1 << GAP_SAMPLES | 1 << GAP_SENSOR, "2 s without valid samples (samples missing, sensor fault)"),
        (1 << len(GAP_NAMES), "2 s without valid samples (a reason that this version does not know)"),
    ):
        assert quality_problems(recording(0, 60, gap_ms=2_000, gap_reasons=reasons)) == [text]
    for field, value in (("end_reason", END_INTERRUPTED), ("end_reason", 0), ("end_reason", 77), ("damage", 1), ("contradictory", True)):
        wrong = recording(0, 60, **{field: value})
        assert len(quality_problems(wrong)) == 1 and is_incomplete(wrong)
    assert not is_incomplete(recording(0, 60, end_reason=END_BUTTON))


@pytest.mark.parametrize(
    ("version", "fingerprint", "is_foreign", "is_other"),
    [
        ("0.1.0", CORE.hash, False, False),
        ("0.1.0", "00" * 8, False, False),
        ("0.1.0", "ff" * 8, False, True),
        ("0.1.1", CORE.hash, False, True),
        ("0.1.1", "ff" * 8, False, True),
        ("0.0.9", "ff" * 8, True, False),
        ("0.2.0", CORE.hash, True, False),
        ("0.10.0", "ff" * 8, True, False),
        ("1.0.0", "ff" * 8, True, False),
        ("new", CORE.hash, True, False),
        (NO_CORE, "", False, False),
    ],
)
def test_a_core_that_may_count_in_another_way_is_foreign(version: str, fingerprint: str, is_foreign: bool, is_other: bool) -> None:
    assert (CORE.is_foreign(version), CORE.is_other(version, fingerprint)) == (is_foreign, is_other)
    assert bool(recording_problems(recording(0, 60, core_version=version, core_hash=fingerprint), CORE)) == is_foreign


def test_the_default_limits() -> None:
    limits = {rule.rule: (rule.warn, rule.fail, rule.unit, rule.exceeded, rule.by_dates, rule.enabled) for rule in RULES}
    assert limits == {
        "session_spike": (10, 30, "%", ABOVE, True, True),
        "first_exposure": (120, 300, "s", ABOVE, True, True),
        "frequency": (3, 4, "sessions", ABOVE, True, True),
        "rest_days": (2, 3, "days", FROM, True, True),
        "ladder": (1, 2, "stages", ABOVE, True, True),
        "weekly_volume": (30, None, "%", ABOVE, True, True),
        "acwr": (1.5, None, "ratio", ABOVE, True, False),
        "cadence_jump": (10, 15, "%", ABOVE, True, True),
        "ramp_alerts": (1, 3, "alerts", FROM, False, True),
        "warm_up": (300, None, "s", BELOW, False, True),
        "stretch": (1, None, "marks", BELOW, False, True),
        "share": (20, 40, "%", ABOVE, True, True),
        "pain": (3, 5, "of 10", FROM, False, True),
    }


def test_every_rule_states_its_source() -> None:
    for rule in RULES:
        assert rule.source.startswith("No study: ") or any(char.isdigit() for char in rule.source), rule.rule
        assert rule.basis and rule.judges and rule.unit and rule.study and rule.judge.__doc__
        if rule.source.startswith("No study: "):
            assert "engineering default" in rule.basis, "a rule without a study is an engineering default"
    for name in ("session_spike", "weekly_volume", "cadence_jump", "rest_days", "frequency"):
        assert "carried over" in BY_NAME[name].basis, "a study of forward running is called that"


def test_a_day_begins_at_local_midnight() -> None:
    day = date(2026, 11, 20).toordinal()
    assert [day_of(day_start_ms(day) + shift) for shift in (-1, 0)] == [day - 1, day]
