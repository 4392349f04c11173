"""A check that knows earlier sessions only as sums of days, and leaves out what is ok, finds what one finds that judges every session."""

from datetime import date
from types import SimpleNamespace
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st
from retrostep.archive.assignments import Assignment
from retrostep.archive.backward_gait import JOG, NONE, RUN, WALK
from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.queries import Recording
from retrostep.training import check
from retrostep.training.check import Check
from retrostep.training.rules.rule import TrainingHistory
from support.recordings import CORE, TODAY, recording
from support.training_store import StoreWith


def session_of(
    quarters_ago: int, backward_s: int, walk_percent: int, stage: int, cadence_x10: int, contacts: int, device: str, **more: object
) -> Recording:
    return recording(
        quarters_ago / 96,
        backward_s,
        backward_walk_ms=backward_s * 10 * walk_percent,
        backward_stage=stage if backward_s else NONE,
        backward_cadence_x10=cadence_x10,
        backward_contacts=contacts,
        backward_impact_g8=20 * contacts,
        device=device,
        number=quarters_ago + 1,
        **more,
    )


DAYS = [0, 1, 2, 5, 6, 7, 8, 9, 12, 13, 14, 15, 22, 29, 30, 31, 36, 37, 38, 44, 45, 80]
"""Days ago: those at the ends of windows, and some between."""

RECORDINGS = st.builds(
    session_of,
    st.builds(lambda days, quarters: days * 96 + quarters, st.sampled_from(DAYS), st.sampled_from([0, 1, 2, 3, 4, 48, 49])),
    st.sampled_from([0, 9, 10, 11, 60, 61, 100, 110, 140, 300, 600]),
    st.sampled_from([0, 0, 0, 50, 96, 100]),
    st.sampled_from([NONE, WALK, JOG, JOG, RUN]),
    st.sampled_from([0, 1_400, 1_500, 1_560, 1_700]),
    st.sampled_from([0, 50, 60, 60]),
    st.sampled_from(["a1", "a1", "a1", "b2", IMPORTED]),
    duration_ms=st.sampled_from([200_000, 600_000, 600_000, 3_500_000]),
    gap_ms=st.sampled_from([0, 0, 0, 500, 60_000]),
    damage=st.sampled_from([0, 0, 0, 0, 7]),
    stretch_mark=st.booleans(),
    pain=st.sampled_from([None] * 9 + [4]),
)


def apart(recordings: list[Recording]) -> list[Recording]:
    """Those that are sessions of their own, as nearly all are: an hour or more after the one before."""
    found: list[Recording] = []
    for each in sorted(recordings, key=lambda each: each.placed_at_ms):
        if not found or each.placed_at_ms - found[-1].placed_at_ms - found[-1].duration_ms > 3_600_000:
            found.append(each)
    return found


def undated(each: Recording) -> Recording:
    return each._replace(started_at_ms=None, not_before_ms=None)


MANY = st.lists(RECORDINGS, min_size=6, max_size=40, unique_by=lambda each: each.placed_at_ms)
HISTORIES = st.one_of(
    MANY.map(apart),
    MANY,
    st.tuples(MANY.map(apart), RECORDINGS.map(undated)).map(lambda both: [*both[0], both[1]]),
)
ACWR = SimpleNamespace(rule="acwr", athlete_id=None, warn=1.5, fail=None, enabled=True, from_at_ms=0, to_at_ms=None, who="", why="")
WORN = [Assignment("a1", "Ada", 0, None, 1, "", "")]


ACROSS = [session_of(6 * 96 + quarters, 140, 0, JOG, 1_500, 0, "a1", duration_ms=600_000) for quarters in (48, 49, 480)]
"""One session across the midnight from which on sessions are known one by one, and one to compare it with."""


TIED = [
    session_of(quarters, ran_s, 0, JOG, 1_500, 0, "a1", duration_ms=200_000, gap_ms=gap_ms)
    for quarters, ran_s, gap_ms in ((12 * 96 + 48, 10, 60_000), (12 * 96, 10, 0), (96, 100, 0))
]
"""Two sessions of one day that are equally long, one of them with a gap, and a longer one to compare with them."""


RISEN = [session_of(quarters, ran_s, 0, JOG, 0, 0, "a1", duration_ms=200_000) for quarters, ran_s in ((720, 10), (672, 61), (96, 10))]
"""Two sessions of one day, the second of which is a jump from the first, and one to compare with them."""


def judging_each_session(on: int, since: int, *facts: object, **more: object) -> TrainingHistory:
    found = TrainingHistory(on, since, *facts, **more)  # type: ignore[arg-type]
    found.skips_ok = False
    return found


@settings(max_examples=150, deadline=None)
@example(ACROSS, 7, False, 0)
@example(TIED, 7, False, 0)
@example(RISEN, 7, False, 0)
@given(HISTORIES, st.sampled_from([7, 7, 1, 28]), st.booleans(), st.integers(0, 3))
def test_sums_of_days_are_judged_as_the_sessions_are(recordings: list[Recording], judged_days: int, with_acwr: bool, days_ago: int) -> None:
    on = date.fromordinal(TODAY.toordinal() - days_ago)
    store = StoreWith(recordings, assignments=WORN, overrides=[(ACWR, None)] if with_acwr else [])
    found = Check(store, CORE, on, judged_days).verdicts()  # type: ignore[arg-type]
    with (
        mock.patch.object(check, "training_days", lambda outlines, day_starts_ms, first_day: None),
        mock.patch.object(check, "TrainingHistory", judging_each_session),
    ):
        expected = Check(store, CORE, on, judged_days).verdicts()  # type: ignore[arg-type]
    assert [each.as_dict() for each in found] == [each.as_dict() for each in expected]
