"""The rules against their plain definitions, on generated training: sliding windows, crowded days, and work that grows as sessions do."""

import sys
from collections.abc import Callable
from operator import attrgetter
from statistics import median
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrostep.archive.queries import Recording
from retrostep.training.rules.catalog import BY_NAME, RULES
from retrostep.training.rules.rule import RuleLimits, TrainingHistory
from retrostep.training.training_session import TrainingSession
from support.recordings import history_of, recording

TraceFunction = Callable[[FrameType, str, object], object]


def _percent_above(
    found: TrainingHistory, most_days: int, value: Callable[[TrainingSession], int], usual: Callable[[list[int]], float]
) -> list[float]:
    """By how many percent each session is above what is usual in those of the days before it; sessions without any are left out."""
    percents = []
    for index, session in enumerate(found.backward):
        before = [value(other) for other in found.backward[:index] if session.day - other.day <= most_days]
        if before:
            percents.append(round((value(session) - usual(before)) * 100 / usual(before), 2))
    return percents


@given(st.lists(st.tuples(st.integers(0, 45), st.integers(5, 900)), max_size=40))
def test_the_longest_of_thirty_days_is_found_however_many_there_are(plan: list[tuple[int, int]]) -> None:
    """The sliding window against the plain definition."""
    found = history_of([recording(day, seconds) for day, seconds in dict(plan).items()], judged_days=46)
    judged = BY_NAME["session_spike"].judge(found, RuleLimits(10, 30))
    assert [judgement.measured for judgement in judged] == _percent_above(found, 30, attrgetter("backward_ms"), max)


@given(st.lists(st.tuples(st.integers(0, 45), st.integers(1_000, 2_000)), max_size=40))
def test_the_median_of_twenty_eight_days_is_found_however_many_there_are(plan: list[tuple[int, int]]) -> None:
    found = history_of([recording(day, 60, backward_cadence_x10=size) for day, size in dict(plan).items()], judged_days=46)
    judged = BY_NAME["cadence_jump"].judge(found, RuleLimits(10, 15))
    assert [judgement.measured for judgement in judged] == _percent_above(found, 28, attrgetter("cadence_x10"), median)


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
def test_days_with_many_recordings_are_judged_as_the_plain_definitions_require(plan: list[tuple[int, int, str, int, bool]]) -> None:
    """Many overlapping recordings a day, from a device on each leg. Running sums are compared with plain sums."""
    recordings = [
        recording(
            quarters / 96, seconds, device=device, number=index, duration_ms=600_000, backward_cadence_x10=cadence, stretch_mark=stretched
        )
        for index, (quarters, seconds, device, cadence, stretched) in enumerate(plan)
    ]
    found = history_of(recordings)
    for session in found.sessions:
        most = max(session.recordings, key=lambda each: each.backward_ms)
        assert (session.id, session.cadence_x10, session.is_backward) == (most.id, most.backward_cadence_x10, session.backward_ms >= 10_000)
        assert session.end_ms == max((each.started_at_ms or 0) + each.duration_ms for each in session.recordings)
    assert found.between(found.on - 12, found.on - 3) == [each for each in found.sessions if found.on - 12 <= each.day <= found.on - 3]

    backward = [session for session in found.sessions if session.backward_ms >= 10_000]
    judged = [(index, session) for index, session in enumerate(backward) if session.day >= found.since]
    assert [(index, found.backward[index]) for index in found.judged] == judged

    def measured(rule: str) -> list[float | None]:
        return [judgement.measured for judgement in BY_NAME[rule].judge(found, BY_NAME[rule].limits)]

    last_of_day = {session.day: index for index, session in judged}
    assert measured("frequency") == [sum(day - 7 < other.day for other in backward[: index + 1]) for day, index in last_of_day.items()]
    assert measured("stretch") == [any(each.stretch_mark for each in session.recordings) for _, session in judged]
    verdicts = {each.verdict for each in BY_NAME["stretch"].judge(found, BY_NAME["stretch"].limits)}
    is_used = any(each.stretch_mark for session in backward for each in session.recordings)
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
        found = history_of(recordings)
        for rule in RULES:
            list(rule.judge(found, rule.limits))
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("a_day", [1, 4, 24, 96])
def test_twice_the_sessions_are_twice_the_work(a_day: int) -> None:
    def history(count: int) -> list[Recording]:
        return [recording(index / a_day, 20 + index % 7, number=index, duration_ms=500_000) for index in range(count)]

    few, many = _work(history(200)), _work(history(400))
    assert many <= 2.2 * few
