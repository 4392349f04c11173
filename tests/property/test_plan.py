"""What the plan allows never warns in the check of that day, and one step more does."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from retrostep.archive.backward_gait import JOG, NONE, RUN, WALK
from retrostep.archive.queries import Recording
from retrostep.training.finding import FAIL, WARN
from retrostep.training.plan import GAITS, Planner, planned_session
from retrostep.training.rules.catalog import RULES
from retrostep.training.rules.rule import RuleLimits, TrainingHistory
from retrostep.training.training_session import TrainingSession, training_sessions
from support.recordings import TODAY, recording

ON = TODAY.toordinal()
LIMITS = {rule.rule: replace(rule.limits, enabled=rule.enabled) for rule in RULES}
OF_WEEKS = ("weekly_volume", "share")


def session_of(days_ago: float, backward_s: int, walk_percent: int, stage: int, forward_s: int, pain: int | None) -> Recording:
    return recording(
        days_ago,
        backward_s,
        backward_walk_ms=backward_s * 10 * walk_percent,
        backward_stage=stage if backward_s else NONE,
        forward_ms=forward_s * 1_000,
        pain=pain,
    )


SESSIONS = st.lists(
    st.builds(
        session_of,
        st.integers(0, 45 * 4).map(lambda quarters: quarters / 4),
        st.sampled_from([0, 5, 10, 11, 30, 59, 60, 61, 120, 240, 300, 333, 600, 900]),
        st.sampled_from([0, 0, 50, 96, 100]),
        st.sampled_from([NONE, WALK, JOG, RUN]),
        st.integers(0, 3_000),
        st.sampled_from([None] * 12 + [2, 3]),
    ),
    max_size=14,
    unique_by=lambda each: each.placed_at_ms,
)

CHANGES = st.dictionaries(
    st.sampled_from(["session_spike", "first_exposure", "frequency", "rest_days", "ladder", "weekly_volume", "share"]),
    st.one_of(
        st.just(RuleLimits(None, None, enabled=False)),
        st.builds(RuleLimits, st.sampled_from([None, 1, 2, 7, 25, 90]), st.sampled_from([None, 90, 300])),
    ),
    max_size=2,
)


def history_of(recordings: list[Recording]) -> TrainingHistory:
    ordered = sorted(recordings, key=lambda each: each.placed_at_ms)
    return TrainingHistory(ON, ON - 6, training_sessions(ordered), [])


def warnings(sessions: list[TrainingSession], planned: TrainingSession, limits: dict[str, RuleLimits]) -> set[str]:
    """The rules that warn about the planned session or its week, in the check of its day."""
    return _warnings([*sessions, planned], planned, limits)


def caused(sessions: list[TrainingSession], planned: TrainingSession, limits: dict[str, RuleLimits]) -> set[str]:
    """Those that would not warn without the planned session."""
    return warnings(sessions, planned, limits) - _warnings(sessions, planned, limits)


def _warnings(sessions: list[TrainingSession], planned: TrainingSession, limits: dict[str, RuleLimits]) -> set[str]:
    history = TrainingHistory(planned.day, planned.day - 6, sessions, [])
    return {
        rule.rule
        for rule in RULES
        if limits[rule.rule].enabled
        for judgement in rule.judge(history, limits[rule.rule])
        if judgement.verdict in (WARN, FAIL) and (judgement.subject is planned or rule.rule in OF_WEEKS)
    }


@settings(max_examples=400)
@given(SESSIONS, CHANGES, st.integers(0, 20), st.sampled_from(GAITS))
def test_what_the_plan_allows_never_warns_and_one_step_more_does(
    recordings: list[Recording], changes: dict[str, RuleLimits], days_ahead: int, gait: int
) -> None:
    limits = {name: replace(changes.get(name, own), walking=own.walking) for name, own in LIMITS.items()}
    history = history_of(recordings)
    planner = Planner(history, lambda rule: limits[rule.rule])
    day = planner.first_day + days_ahead
    allowed = planner.allowance(day, gait)
    if allowed.most_s is None:
        assert not caused(history.sessions, planned_session(day, gait, 90_000, planner.warm_up_ms), limits)
        return
    if allowed.most_s:
        assert not caused(history.sessions, planned_session(day, gait, allowed.most_s, planner.warm_up_ms), limits)
    more_s = max(10, allowed.most_s + 1)
    found = warnings(history.sessions, planned_session(day, gait, more_s, planner.warm_up_ms), limits)
    assert allowed.rule in found or (allowed.rule == "pain" and not allowed.most_s)


@settings(max_examples=100)
@given(SESSIONS, st.sampled_from(GAITS))
def test_an_outlook_that_is_done_as_planned_never_warns(recordings: list[Recording], gait: int) -> None:
    history = history_of(recordings)
    planner = Planner(history, lambda rule: LIMITS[rule.rule])
    planned = planner.outlook(gait)
    sessions = list(history.sessions)
    for each in planned:
        assert each.most_s
        session = planned_session(each.day, gait, each.most_s, planner.warm_up_ms)
        assert not caused(sessions, session, LIMITS), each
        sessions.append(session)
    for one, other in zip(planned, planned[1:], strict=False):
        assert other.day - one.day >= 3
    if planned:
        assert max(each.most_s or 0 for each in planned) <= 2 * (planned[0].most_s or 0), "at most doubled over six weeks"
        assert planned[0].day - planner.first_day <= 28
