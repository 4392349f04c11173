"""The rules at their boundaries: what is just allowed, what is just too much, and what cannot be judged."""

import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrostep.archive.store import Recording
from retrostep.training.dates import day_of, day_start_ms, span_text
from retrostep.training.finding import ORDER, worst
from retrostep.training.outing import outings
from retrostep.training.quality import Core, is_cut, troubles
from retrostep.training.rule import BELOW, FROM, Judgement, Limits, Training, grade
from retrostep.training.rules import BY_NAME, RULES
from retrostep_core.log.records import BY_BUTTON, BY_ITSELF, FLASH_FULL, INTERRUPTED

TraceFunction = Callable[[FrameType, str, object], object]

TODAY = date(2026, 11, 22)
CORE = Core((0, 1, 0), "00112233aabbccdd")


def recording(days_ago: float, backward_s: float, **fields: object) -> Recording:
    """A sound recording at noon, local time, that many days before TODAY."""
    start = datetime(TODAY.year, TODAY.month, TODAY.day, 12) - timedelta(days=days_ago)
    start_ms = int(start.timestamp() * 1_000)
    values: dict[str, object] = {
        "athlete_id": 1,
        "device": "a1",
        "number": 1,
        "started_at_ms": start_ms,
        "not_before_ms": start_ms,
        "placed_at_ms": start_ms,
        "duration_ms": 1_500_000,
        "forward_ms": 900_000,
        "backward_ms": int(backward_s * 1_000),
        "first_backward_ms": 600_000 if backward_s else None,
        "warm_up_ms": 600_000,
        "backward_cadence_x10": 1_500 if backward_s else 0,
        "ramp_stops": 0,
        "warm_up_mark": False,
        "stretch_mark": False,
        "pain": None,
        "pain_next_day": None,
        "limp": False,
        "swelling": False,
        "gap_ms": 0,
        "end_reason": BY_ITSELF,
        "damage": 0,
        "lost_records": 0,
        "contradictory": False,
        "core_version": "0.1.0",
        "core_hash": CORE.hash,
    }
    return Recording(**{**values, **fields})  # type: ignore[arg-type]


def training(recordings: Sequence[Recording], judged_days: int = 7) -> Training:
    ordered = sorted(recordings, key=lambda each: each.placed_at_ms)
    on = TODAY.toordinal()
    return Training(on, on - judged_days + 1, outings(ordered), [])


def judge(rule: str, *recordings: Recording, limits: Limits | None = None, judged_days: int = 7) -> list[Judgement]:
    return list(BY_NAME[rule].judge(training(recordings, judged_days), limits or BY_NAME[rule].limits))


def one(rule: str, *recordings: Recording, limits: Limits | None = None) -> Judgement:
    (judgement,) = judge(rule, *recordings, limits=limits)
    return judgement


@pytest.mark.parametrize(
    ("seconds", "verdict", "limit"),
    [(50, "ok", 10), (110, "ok", 10), (110.001, "warn", 10), (130, "warn", 10), (130.001, "fail", 30), (500, "fail", 30)],
)
def test_session_spike_allows_exactly_its_limits(seconds: float, verdict: str, limit: float) -> None:
    judgement = one("session_spike", recording(10, 100), recording(1, seconds))
    assert (judgement.verdict, judgement.limit) == (verdict, limit)
    assert judgement.measured == round(seconds - 100, 2)


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
    assert (judgement.verdict, judgement.measured, judgement.limit) == ("warn", 400, 300)
    assert "no other on record in the 30 days before" in judgement.why


@pytest.mark.parametrize(("seconds", "verdict"), [(300, "ok"), (300.001, "warn"), (600, "warn"), (600.001, "fail")])
def test_first_exposure_allows_exactly_its_limits(seconds: float, verdict: str) -> None:
    assert one("first_exposure", recording(1, seconds)).verdict == verdict


@pytest.mark.parametrize(("days_between", "is_new"), [(13, False), (14, False), (15, True), (40, True)])
def test_fourteen_whole_days_without_make_a_lay_off(days_between: int, is_new: bool) -> None:
    found = judge("first_exposure", recording(days_between + 1, 100), recording(1, 100))
    assert bool(found) == is_new
    if is_new:
        assert "the first since" in found[0].why


def test_ten_seconds_make_a_backward_session() -> None:
    assert judge("first_exposure", recording(1, 9.999)) == []
    assert judge("first_exposure", recording(1, 10)) != []
    assert judge("session_spike", recording(5, 9), recording(1, 100)) == [], "a few steps back are nothing to compare with"
    assert one("frequency", *(recording(day, 5) for day in (1, 2, 3, 4)), recording(0, 60)).measured == 1


@pytest.mark.parametrize(("count", "verdict"), [(3, "ok"), (4, "warn"), (5, "fail")])
def test_frequency_counts_sessions_of_seven_dates(count: int, verdict: str) -> None:
    days = [0, 2, 4, 5, 6][:count]
    assert judge("frequency", *(recording(day, 60) for day in days))[-1].verdict == verdict
    last = judge("frequency", *(recording(day, 60) for day in days), recording(7, 60), recording(8, 60))[-1]
    assert (last.verdict, last.measured) == (verdict, count), "a week ago is not this week"


def test_frequency_finds_the_crowded_days_within_the_week() -> None:
    found = judge("frequency", *(recording(day, 60) for day in (6, 7, 8, 9, 10)))
    assert [(each.verdict, each.measured) for each in found] == [("fail", 5)]


def test_bouts_with_rests_are_one_session_and_two_practices_are_two() -> None:
    minutes = 1 / (24 * 60)
    rests = [recording(1 - place * 40 * minutes, 60, duration_ms=600_000) for place in range(5)]
    assert one("frequency", *rests).measured == 1, "30 minutes of rest between recordings"
    assert one("first_exposure", *rests).measured == 300
    longer = [recording(1 - place * 41 * minutes, 60, duration_ms=600_000) for place in range(3)]
    assert [each.measured for each in judge("frequency", *longer)] == [1, 2, 3]


def test_a_device_on_each_leg_counts_once() -> None:
    left = recording(1, 100)
    right = recording(1 - 1 / (24 * 60), 104, device="b2")
    (outing,) = outings([left, right])
    assert outing.backward_ms == 104_000 and outing.forward_ms == 900_000
    assert outing.id == "b2/1"


@pytest.mark.parametrize(("days", "verdict", "run"), [((0, 2), "ok", 1), ((0, 1), "warn", 2), ((0, 1, 2), "fail", 3), ((0, 0.2), "ok", 1)])
def test_rest_days_counts_days_in_a_row(days: tuple[float, ...], verdict: str, run: int) -> None:
    found = judge("rest_days", *(recording(day, 60) for day in days))
    assert max(found, key=lambda each: ORDER[each.verdict]).verdict == verdict
    assert max(each.measured or 0 for each in found) == run


def test_a_run_of_days_that_began_before_the_week_counts_whole() -> None:
    assert one("rest_days", *(recording(day, 60) for day in (6, 7, 8, 9))).measured == 4


@pytest.mark.parametrize(("now_s", "verdict", "limit"), [(110, "ok", 30), (110.1, "info", 10), (130, "info", 10), (130.1, "warn", 30)])
def test_weekly_volume_warns_and_never_fails(now_s: float, verdict: str, limit: float) -> None:
    judgement = one("weekly_volume", recording(7, 60), recording(13, 40), recording(14, 999), recording(6, now_s - 30), recording(0, 30))
    assert (judgement.verdict, judgement.limit) == (verdict, limit)


def test_weekly_volume_needs_both_weeks() -> None:
    assert judge("weekly_volume", recording(1, 60)) == []
    assert judge("weekly_volume", recording(8, 60)) == []


@pytest.mark.parametrize(("seconds", "verdict"), [(225, "ok"), (226, "warn"), (600, "warn"), (601, "fail")])
def test_share_of_recorded_moving_time(seconds: float, verdict: str) -> None:
    assert one("share", recording(1, seconds), recording(9, 9_999)).verdict == verdict


def test_a_forward_run_lowers_the_share() -> None:
    assert one("share", recording(1, 300)).verdict == "warn"
    assert one("share", recording(1, 300), recording(3, 0)).verdict == "ok"


@pytest.mark.parametrize(("cadence", "verdict"), [(1_300, "ok"), (1_650, "ok"), (1_651, "warn"), (1_725, "warn"), (1_726, "fail")])
def test_cadence_jump_allows_exactly_its_limits(cadence: int, verdict: str) -> None:
    before = [recording(day, 60, backward_cadence_x10=size) for day, size in ((28, 1_400), (20, 1_600), (10, 1_500), (29.1, 9_999))]
    assert one("cadence_jump", *before, recording(0, 60, backward_cadence_x10=cadence)).verdict == verdict


def test_cadence_jump_needs_a_cadence_and_something_to_compare_with() -> None:
    assert judge("cadence_jump", recording(0, 60)) == []
    assert judge("cadence_jump", recording(5.1, 60), recording(0, 60, backward_cadence_x10=0), judged_days=1) == []
    assert judge("cadence_jump", recording(29, 60), recording(0, 60)) == []


@pytest.mark.parametrize(("stops", "verdict", "limit"), [(0, "ok", 1), (1, "warn", 1), (2, "warn", 1), (3, "fail", 3)])
def test_ramp_alerts(stops: int, verdict: str, limit: float) -> None:
    judgement = one("ramp_alerts", recording(1, 60, ramp_stops=stops))
    assert (judgement.verdict, judgement.limit, judgement.measured) == (verdict, limit, stops)


@pytest.mark.parametrize(("warm_ms", "verdict"), [(300_000, "ok"), (299_999, "warn"), (0, "warn")])
def test_warm_up(warm_ms: int, verdict: str) -> None:
    assert one("warm_up", recording(1, 60, warm_up_ms=warm_ms)).verdict == verdict


def test_warming_up_in_an_earlier_recording_of_the_outing_counts() -> None:
    minutes = 1 / (24 * 60)
    jog = recording(1, 0, duration_ms=300_000, forward_ms=290_000)
    backward = recording(1 - 10 * minutes, 60, warm_up_ms=10_000, first_backward_ms=10_000)
    assert one("warm_up", jog, backward).verdict == "ok"
    later = recording(1 - 36 * minutes, 60, warm_up_ms=10_000, first_backward_ms=10_000)
    assert one("warm_up", jog, later).verdict == "warn", "that was another outing"


def test_a_warm_up_by_button_or_in_a_gap() -> None:
    assert one("warm_up", recording(1, 60, warm_up_ms=0, warm_up_mark=True)).verdict == "info"
    assert one("warm_up", recording(1, 60, warm_up_ms=290_000, gap_ms=10_000)).verdict == "unknown"
    assert one("warm_up", recording(1, 60, warm_up_ms=290_000, gap_ms=9_999)).verdict == "warn"


def test_stretching_is_missed_only_of_who_marks_it() -> None:
    assert one("stretch", recording(1, 60)).verdict == "info"
    assert one("stretch", recording(1, 60, stretch_mark=True)).verdict == "ok"
    assert one("stretch", recording(20, 60, stretch_mark=True), recording(1, 60)).verdict == "warn"


@pytest.mark.parametrize(
    ("noted", "verdict"),
    [
        ({"pain": 0}, "ok"),
        ({"pain": 2}, "ok"),
        ({"pain": 3}, "warn"),
        ({"pain": 4}, "warn"),
        ({"pain": 5}, "fail"),
        ({"pain": 1, "pain_next_day": 1}, "warn"),
        ({"pain_next_day": 0}, "ok"),
        ({"pain_next_day": 5}, "fail"),
        ({"limp": True}, "fail"),
        ({"pain": 0, "swelling": True}, "fail"),
    ],
)
def test_pain(noted: dict[str, object], verdict: str) -> None:
    assert one("pain", recording(1, 0, **noted)).verdict == verdict, "after forward running, too"


def test_without_a_note_nothing_is_said_of_pain() -> None:
    assert judge("pain", recording(1, 60)) == []
    assert judge("pain", recording(7, 60, pain=9)) == [], "that was before the judged days"


def test_acwr_needs_four_weeks_and_is_never_more_than_information() -> None:
    steady = [recording(day, 100) for day in range(0, 60, 2)]
    assert one("acwr", *steady).verdict == "ok"
    assert BY_NAME["acwr"].enabled is False
    assert judge("acwr", *[recording(day, 100) for day in range(0, 28, 2)]) == []
    spiked = one("acwr", *steady, recording(0.1, 9_000))
    assert spiked.verdict == "info" and (spiked.measured or 0) > 1.5


@pytest.mark.parametrize("rule", ["session_spike", "first_exposure", "weekly_volume", "share"])
def test_what_was_not_recorded_may_have_been_too_much(rule: str) -> None:
    history = [] if rule == "first_exposure" else [recording(9, 100)]
    sound = one(rule, *history, recording(1, 100))
    assert sound.verdict == "ok"
    for gap_ms, verdict in ((1, "ok"), (5_000, "ok"), (900_000, "unknown")):
        assert one(rule, *history, recording(1, 100, gap_ms=gap_ms)).verdict == verdict
    for cut in ({"end_reason": INTERRUPTED}, {"end_reason": FLASH_FULL}, {"end_reason": 0}, {"damage": 1}, {"lost_records": 1}):
        assert one(rule, *history, recording(1, 100, **cut)).verdict == "unknown"
    for cut in ({}, {"damage": 1}, {"gap_ms": 900_000}):
        assert one(rule, *history, recording(1, 5_000, **cut)).verdict in ("warn", "fail"), "too much stays too much"


def test_a_reference_that_was_cut_is_said() -> None:
    assert "not recorded whole" in one("session_spike", recording(9, 100, damage=1), recording(1, 200)).why


@given(st.floats(10, 3_000), st.floats(10, 3_000), st.floats(10, 3_000))
def test_more_is_never_judged_better(history: float, less: float, more: float) -> None:
    less, more = sorted((less, more))
    for rule in ("session_spike", "first_exposure", "weekly_volume", "share"):
        before = [] if rule == "first_exposure" else [recording(9, history)]
        assert ORDER[one(rule, *before, recording(1, less)).verdict] <= ORDER[one(rule, *before, recording(1, more)).verdict]


@given(st.lists(st.tuples(st.integers(0, 45), st.integers(5, 900)), max_size=40))
def test_the_longest_of_thirty_days_is_found_however_many_there_are(plan: list[tuple[int, int]]) -> None:
    """The sliding window against the plain definition."""
    found = training([recording(day, seconds) for day, seconds in dict(plan).items()], judged_days=46)
    told = list(BY_NAME["session_spike"].judge(found, Limits(10, 30)))
    expected = []
    for place, outing in enumerate(found.backward):
        before = [other.backward_ms for other in found.backward[:place] if outing.day - other.day <= 30]
        if before:
            expected.append(round((outing.backward_ms - max(before)) * 100 / max(before), 2))
    assert [judgement.measured for judgement in told] == expected


@given(st.lists(st.tuples(st.integers(0, 45), st.integers(1_000, 2_000)), max_size=40))
def test_the_median_of_twenty_eight_days_is_found_however_many_there_are(plan: list[tuple[int, int]]) -> None:
    from statistics import median

    found = training([recording(day, 60, backward_cadence_x10=size) for day, size in dict(plan).items()], judged_days=46)
    told = list(BY_NAME["cadence_jump"].judge(found, Limits(10, 15)))
    expected = []
    for place, outing in enumerate(found.backward):
        before = [other.cadence_x10 for other in found.backward[:place] if outing.day - other.day <= 28]
        if before:
            expected.append(round((outing.cadence_x10 - median(before)) * 100 / median(before), 2))
    assert [judgement.measured for judgement in told] == expected


def test_grades() -> None:
    limits = Limits(3, 5)
    assert [grade(value, limits)[0] for value in (3, 3.1, 5, 5.1)] == ["ok", "warn", "warn", "fail"]
    assert [grade(value, limits, FROM)[0] for value in (2.9, 3, 4.9, 5)] == ["ok", "warn", "warn", "fail"]
    assert [grade(value, Limits(5, 3), BELOW)[0] for value in (5, 4.9, 3, 2.9)] == ["ok", "warn", "warn", "fail"]
    assert grade(99, Limits(None, None)) == ("ok", None)
    assert grade(2, Limits(None, 5)) == ("ok", 5)


def test_the_worst_verdict_counts() -> None:
    assert worst(["ok", "unknown", "info"]) == "unknown"
    assert worst(["warn", "unknown"]) == "warn"
    assert worst(["fail", "warn", "ok"]) == "fail"
    assert worst([]) == "unknown"


def test_what_keeps_a_recording_from_being_judged() -> None:
    assert troubles(recording(0, 60), CORE) == []
    assert troubles(recording(0, 60, gap_ms=1_000), CORE) == []
    assert troubles(recording(0, 60, gap_ms=1_001), CORE) == ["1.0 s of samples are missing"]
    for field, value in (("end_reason", INTERRUPTED), ("end_reason", 0), ("end_reason", 77), ("damage", 1), ("contradictory", True)):
        wrong = recording(0, 60, **{field: value})
        assert len(troubles(wrong, CORE)) == 1 and is_cut(wrong)
    assert not is_cut(recording(0, 60, end_reason=BY_BUTTON))


@pytest.mark.parametrize(
    ("version", "fingerprint", "is_foreign"),
    [
        ("0.1.0", CORE.hash, False),
        ("0.1.0", "ff" * 8, True),
        ("0.1.0", "00" * 8, False),
        ("0.0.9", "ff" * 8, False),
        ("0.1.1", CORE.hash, True),
        ("0.10.0", CORE.hash, True),
        ("new", CORE.hash, True),
    ],
)
def test_a_core_that_is_newer_or_changed_is_foreign(version: str, fingerprint: str, is_foreign: bool) -> None:
    assert CORE.is_foreign(version, fingerprint) == is_foreign
    assert bool(troubles(recording(0, 60, core_version=version, core_hash=fingerprint), CORE)) == is_foreign


def test_every_rule_says_what_it_rests_on() -> None:
    for rule in RULES:
        assert rule.source.startswith("None: ") or any(char.isdigit() for char in rule.source), rule.rule
        assert rule.basis and rule.judges and rule.unit and rule.judge.__doc__
        if rule.source.startswith("None: "):
            assert "engineering default" in rule.basis, "a rule without a study says so"
    for name in ("session_spike", "weekly_volume", "cadence_jump", "rest_days", "frequency"):
        assert "carried over" in BY_NAME[name].basis, "a study of forward running is called that"


def test_durations_and_moments_as_people_write_them() -> None:
    assert [span_text(ms) for ms in (0, 59_499, 59_500, 60_000, 61_000, 3_600_000, 3_660_000)] == [
        "0 s",
        "59 s",
        "1 min",
        "1 min",
        "1 min 1 s",
        "1 h",
        "1 h 1 min",
    ]
    day = date(2026, 11, 20).toordinal()
    assert [day_of(day_start_ms(day) + shift) for shift in (-1, 0)] == [day - 1, day]


CROWDED = st.lists(
    st.tuples(
        st.integers(0, 20 * 24 * 4),  # quarters of an hour before the end
        st.integers(0, 900),  # seconds backward
        st.sampled_from(["a1", "b2"]),
        st.sampled_from([0, 1_400, 1_500, 1_700]),
        st.booleans(),
    ),
    max_size=60,
    unique_by=lambda plan: (plan[0], plan[2]),
)


@given(CROWDED)
def test_crowded_days_are_judged_as_the_plain_definitions_say(plan: list[tuple[int, int, str, int, bool]]) -> None:
    """Many recordings a day, of a device on each leg, that run into each other: every sum kept on the way against one over all."""
    recordings = [
        recording(
            quarters / 96, seconds, device=device, number=place, duration_ms=600_000, backward_cadence_x10=cadence, stretch_mark=stretched
        )
        for place, (quarters, seconds, device, cadence, stretched) in enumerate(plan)
    ]
    found = training(recordings)
    for outing in found.outings:
        most = max(outing.recordings, key=lambda each: each.backward_ms)
        assert (outing.id, outing.cadence_x10, outing.is_backward) == (most.id, most.backward_cadence_x10, outing.backward_ms >= 10_000)
        assert outing.end_ms == max((each.started_at_ms or 0) + each.duration_ms for each in outing.recordings)
    assert found.within(found.on - 12, found.on - 3) == [each for each in found.outings if found.on - 12 <= each.day <= found.on - 3]

    backward = [outing for outing in found.outings if outing.backward_ms >= 10_000]
    judged = [(place, outing) for place, outing in enumerate(backward) if outing.day >= found.since]
    assert [(place, found.backward[place]) for place in found.judged] == judged

    def measured(rule: str) -> list[float | None]:
        return [judgement.measured for judgement in BY_NAME[rule].judge(found, BY_NAME[rule].limits)]

    assert measured("frequency") == [sum(outing.day - 7 < other.day for other in backward[: place + 1]) for place, outing in judged]
    assert measured("stretch") == [any(each.stretch_mark for each in outing.recordings) for _, outing in judged]
    verdicts = {each.verdict for each in BY_NAME["stretch"].judge(found, BY_NAME["stretch"].limits)}
    is_used = any(each.stretch_mark for outing in backward for each in outing.recordings)
    assert verdicts <= ({"ok", "warn"} if is_used else {"info"})
    assert len(measured("warm_up")) == len(measured("ramp_alerts")) == len(judged)


def _work(recordings: list[Recording]) -> int:
    """How many calls and lines of Python every rule takes to judge them."""
    count = 0

    def seen(_frame: FrameType, _event: str, _argument: object) -> TraceFunction:
        nonlocal count
        count += 1
        return seen

    before = sys.gettrace()
    sys.settrace(seen)
    try:
        found = training(recordings)
        for rule in RULES:
            list(rule.judge(found, rule.limits))
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("a_day", [1, 4, 24, 96])
def test_twice_the_sessions_are_twice_the_work(a_day: int) -> None:
    def history(count: int) -> list[Recording]:
        return [recording(place / a_day, 20 + place % 7, number=place, duration_ms=500_000) for place in range(count)]

    few, many = _work(history(200)), _work(history(400))
    assert many <= 2.2 * few
