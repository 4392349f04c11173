"""Recordings of one or several devices that are one training session: each part of the running counts once."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from retrostep.archive.queries import Recording
from retrostep.training.training_session import TrainingSession, training_sessions
from retrostep_core.codes import END_BUTTON, END_INTERRUPTED
from support.recordings import recording

START = recording(1, 0).started_at_ms or 0


def part(device: str, from_s: float, to_s: float, backward_s: float, forward_s: float = 0, **more: object) -> Recording:
    """A recording of `device` from `from_s` to `to_s`, in s from a common start."""
    times = {"started_at_ms": START + round(from_s * 1_000), "duration_ms": round(to_s * 1_000) - round(from_s * 1_000)}
    fields = {"number": round(from_s) + 1, "forward_ms": round(forward_s * 1_000), **times, **more}
    return recording(1, backward_s, device=device, **fields)


def session_of(*recordings: Recording) -> TrainingSession:
    (session,) = training_sessions(recordings)
    return session


def totals(*recordings: Recording) -> tuple[float, float]:
    """(backward, forward) in s."""
    session = session_of(*recordings)
    return session.backward_ms / 1_000, session.forward_ms / 1_000


LEFT = part("LEFT", 0, 960, 300, 600)
RIGHT = part("RIGHT", 0, 780, 120, 600), part("RIGHT", 780, 1_020, 180)


def test_a_device_on_each_leg_counts_once_though_one_was_stopped_and_started() -> None:
    session = session_of(LEFT, *RIGHT)
    assert (session.backward_ms, session.least_backward_ms, session.forward_ms) == (300_000, 300_000, 600_000)
    assert (session.unrecorded_ms, session.contradiction, session.id) == (0, "", "LEFT/1")


@pytest.mark.parametrize("right", [((0, 400, 100, 300), (403, 960, 200, 300)), ((0, 300, 0, 300), (420, 960, 300, 300))])
def test_both_devices_may_be_split(right: tuple[tuple[float, ...], ...]) -> None:
    left = part("LEFT", 0, 500, 60, 430), part("LEFT", 502, 960, 240, 170)
    assert totals(*left, *(part("RIGHT", *each) for each in right)) == (300, 600)


def test_the_larger_time_of_devices_that_agree_counts() -> None:
    assert totals(LEFT, part("RIGHT", 0, 960, 272, 630)) == (300, 630)
    assert totals(part("LEFT", 0, 960, 272, 630), part("RIGHT", 0, 960, 300, 600)) == (300, 630)


def test_three_devices_count_once() -> None:
    assert totals(LEFT, *RIGHT, part("WAIST", 5, 950, 295, 590)) == (300, 600)


def test_contacts_are_those_of_one_leg() -> None:
    session = session_of(
        part("LEFT", 0, 500, 200, 300, backward_contacts=250, backward_impact_g8=9_000),
        part("RIGHT", 0, 960, 290, 600, backward_contacts=360, backward_impact_g8=12_000),
        part("LEFT", 502, 960, 100, 300, backward_contacts=125, backward_impact_g8=5_000),
    )
    assert (session.main_recording.device, session.contacts, session.impact_g8) == ("RIGHT", 360, 12_000)


def test_one_device_after_the_other_adds_up() -> None:
    assert totals(part("A", 0, 600, 200, 300), part("B", 700, 1_300, 150, 400)) == (350, 700)
    assert totals(part("A", 0, 600, 200, 300), part("B", 600, 1_200, 150, 400)) == (350, 700), "the next one starts as the first ends"


def test_devices_that_share_a_short_time_were_worn_one_after_the_other() -> None:
    session = session_of(part("A", 0, 1_800, 300, 900), part("B", 1_740, 3_600, 400, 1_000))
    assert (session.backward_ms, session.unrecorded_ms) == (640_000, 60_000), "up to 60 s of both may be the same running"
    assert session.forward_ms == 1_840_000 and not session.contradiction


@pytest.mark.parametrize(("to_s", "is_denied"), [(600, True), (599, False)])
def test_a_device_that_shares_most_of_the_time_was_worn_together(to_s: int, is_denied: bool) -> None:
    """It recorded nothing backward. If it was taken off early, the other one may have recorded all of it afterwards."""
    session = session_of(part("A", 0, 1_000, 300), part("B", 0, to_s, 0, 99))
    assert (session.backward_ms, bool(session.contradiction)) == (300_000, is_denied)


def test_a_device_worn_for_a_part_of_the_time_adds_nothing() -> None:
    session = session_of(LEFT, part("RIGHT", 700, 900, 150))
    assert (session.backward_ms, session.unrecorded_ms, session.contradiction) == (300_000, 0, "")


def test_what_was_recorded_in_pieces_is_compared_with_all_pieces() -> None:
    """A and B agree about 300 to 600 s. C shares 50 s of A's first piece and 10 s of B's beginning."""
    pieces = part("A", 0, 100, 50, 10), part("A", 300, 600, 165, 90)
    session = session_of(*pieces, part("B", 250, 700, 210, 120), part("C", 50, 260, 100, 40))
    assert (session.backward_ms, session.unrecorded_ms) == (255_000, 60_000), "215 s of A, and 100 s of C less the 60 s they share"
    assert (session.forward_ms, session.contradiction) == (120_000, "")


def test_sets_are_compared_one_by_one() -> None:
    """Both devices in the first set, one of them in the second: that one is not contradicted for the time in which it was alone."""
    session = session_of(part("LEFT", 0, 600, 100), part("RIGHT", 0, 600, 100), part("LEFT", 900, 1_500, 120))
    assert (session.backward_ms, session.contradiction) == (220_000, "")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((0, 960, 300, 600), (0, 660, 0, 600)),  # backward, and nothing
        ((0, 960, 300, 600), (0, 960, 0, 900)),  # backward, and forward
        ((0, 960, 300, 600), (0, 960, 269, 600)),  # 31 s of 300 s
        ((0, 200, 10.001, 60), (0, 200, 0, 60)),
        ((0, 960, 10, 600), (100, 400, 200, 90)),  # a part with more than all of it
    ],
)
def test_devices_worn_together_contradict_each_other(left: tuple[float, ...], right: tuple[float, ...]) -> None:
    for one, other in (("LEFT", "RIGHT"), ("RIGHT", "LEFT")):
        session = session_of(part(one, *left), part(other, *right))
        assert session.contradiction.startswith("Devices worn at the same time contradict each other: LEFT recorded")
        assert session.backward_ms == max(left[2], right[2]) * 1_000 and session.least_backward_ms <= min(left[2], right[2]) * 1_000
        assert session.unrecorded_ms is None


@pytest.mark.parametrize(
    ("left", "right"), [((0, 960, 300, 600), (0, 960, 270, 600)), ((0, 200, 10, 60), (0, 200, 0, 60)), ((0, 960, 300, 600), (0, 960, 0, 0))]
)
def test_small_differences_and_devices_without_a_direction_contradict_nothing(left: tuple[float, ...], right: tuple[float, ...]) -> None:
    session = session_of(part("LEFT", *left), part("RIGHT", *right))
    assert (session.contradiction, session.backward_ms, session.unrecorded_ms) == ("", left[2] * 1_000, 0)


def test_a_contradiction_names_both_devices_and_their_times() -> None:
    session = session_of(LEFT, part("RIGHT", 0, 960, 0, 900))
    assert session.contradiction == (
        "Devices worn at the same time contradict each other: LEFT recorded 5 min backward and 10 min forward, RIGHT recorded 0 s backward "
        "and 15 min forward."
    )
    assert session.is_backward and not session.is_surely_running and session.least_backward_ms == 0


def test_what_several_devices_missed() -> None:
    """C is compared with A and B together. What A and B may have missed together is what the better one missed."""
    long, short = {"gap_ms": 90_000}, {"gap_ms": 20_000}
    for a, b, is_denied in (
        (long, short, True),
        (short, long, True),
        (long, long, False),
        ({"damage": 1}, short, True),
        ({"damage": 1}, long, False),
    ):
        session = session_of(part("A", 0, 900, 100, 500, **a), part("B", 0, 900, 100, 500, **b), part("C", 0, 900, 200, 500))
        assert bool(session.contradiction) == is_denied, (a, b)
    # A and B were worn one after the other: each may have missed some of what C recorded.
    for a, b, is_denied in (
        ({"gap_ms": 60_000}, {"gap_ms": 40_000}, False),
        ({"gap_ms": 60_000}, {"gap_ms": 39_999}, True),
        ({"gap_ms": 59_999}, {"gap_ms": 40_000}, True),
        ({"damage": 1}, {}, False),
        ({}, {"damage": 1}, False),
    ):
        session = session_of(part("A", 0, 1_000, 50, **a), part("B", 1_000, 1_760, 30, **b), part("C", 600, 1_340, 200))
        assert (session.backward_ms, bool(session.contradiction)) == (200_000, is_denied), (a, b)


@pytest.mark.parametrize("missing", [{"end_reason": END_INTERRUPTED}, {"damage": 1}, {"lost_records": 1}, {"gap_ms": 291_000}])
def test_what_a_device_missed_contradicts_nothing(missing: dict[str, object]) -> None:
    session = session_of(LEFT, part("RIGHT", 0, 900, 0, 600, **missing))
    assert session.contradiction == "" and session.backward_ms == 300_000
    assert session_of(LEFT, part("RIGHT", 0, 960, 0, 600, gap_ms=200_000)).contradiction
    # The device that recorded more is complete or not: it has seen what it has seen.
    assert session_of(part("LEFT", 0, 960, 300, 600, **missing), part("RIGHT", 0, 960, 0, 600)).contradiction


def test_one_incomplete_recording_makes_the_device_incomplete() -> None:
    right = part("RIGHT", 0, 400, 0, 300), part("RIGHT", 405, 960, 0, 500)
    assert session_of(LEFT, *right).contradiction
    assert session_of(LEFT, right[0]._replace(damage=1), right[1]).contradiction == ""
    assert session_of(LEFT, right[0], right[1]._replace(damage=1)).contradiction == ""


def test_the_longest_recording_is_compared_first() -> None:
    """A and B agree for as long as they were worn together, and C, which B would contradict, shares little time with both."""
    a, b, c = part("A", 0, 1_000, 100), part("B", 200, 900, 95), part("C", 850, 1_250, 110)
    session = session_of(a, b, c)
    assert (session.backward_ms, session.unrecorded_ms, session.contradiction) == (110_000, 100_000, "")


def test_a_recording_cut_short_and_a_complete_one_are_one_session() -> None:
    cut = {"end_reason": END_INTERRUPTED}
    for recordings in (
        [part("A", 0, 300, 60, 200, **cut), part("A", 400, 900, 90, 100)],
        [part("A", 0, 300, 60, 200), part("A", 400, 900, 90, 100, **cut)],
        [part("A", 0, 300, 60, 200, **cut), part("B", 400, 900, 90, 100)],
        [part("A", 0, 900, 150, 300), part("B", 0, 800, 80, 300, **cut)],
    ):
        session = session_of(*recordings)
        assert (session.backward_ms, session.forward_ms, session.unrecorded_ms) == (150_000, 300_000, None)


def test_gaps_of_all_recordings_add_up() -> None:
    session = session_of(part("A", 0, 300, 60, gap_ms=2_000), part("A", 400, 900, 90, gap_ms=3_000))
    assert session.unrecorded_ms == 5_000


def test_stop_alerts_of_devices_worn_together_are_the_same_ones() -> None:
    assert session_of(part("A", 0, 900, 90, 60, ramp_stops=2), part("B", 0, 900, 95, 60, ramp_stops=3)).ramp_stops == 3
    assert session_of(part("A", 0, 900, 90, 60, ramp_stops=2), part("B", 850, 1_700, 95, 60, ramp_stops=3)).ramp_stops == 5
    assert session_of(part("A", 0, 900, 90, 60, ramp_stops=2), part("A", 901, 1_700, 95, 60, ramp_stops=3)).ramp_stops == 5


def test_forward_time_of_two_legs() -> None:
    """Unequal times, so that the larger, the smaller, the first and the last differ."""
    assert totals(part("A", 0, 960, 50, 300), part("B", 10, 980, 55, 900)) == (55, 900)
    assert totals(part("A", 0, 960, 50, 900), part("B", 10, 980, 55, 300)) == (55, 900)
    assert totals(part("A", 0, 960, 50, 300), part("A", 970, 1_900, 55, 900)) == (105, 1_200)


def test_the_end_is_the_last_end_of_any_device() -> None:
    session = session_of(part("A", 0, 3_000, 50, 60), part("B", 10, 200, 5, 60))
    assert session.end_ms - session.start_ms == 3_000_000
    assert len(training_sessions([part("A", 0, 3_000, 50), part("B", 10, 200, 5), part("C", 4_800, 5_000, 60)])) == 1
    assert len(training_sessions([part("A", 0, 3_000, 50), part("B", 10, 200, 5), part("C", 4_800.001, 5_000, 60)])) == 2


def warm_up_s(*recordings: Recording) -> float:
    return session_of(*recordings).warm_up_ms / 1_000


def running(device: str, from_s: float, forward_s: float, backward_s: float, *, number: int = 1) -> Recording:
    """Forward, then backward."""
    times = {"first_backward_ms": round(forward_s * 1_000) if backward_s else None, "warm_up_ms": round(forward_s * 1_000)}
    return part(device, from_s, from_s + forward_s + backward_s, backward_s, forward_s, number=number, **times)


def test_the_warm_up_of_two_legs_counts_once() -> None:
    assert warm_up_s(running("A", 0, 310, 60), running("B", 0, 300, 70)) == 310
    assert warm_up_s(running("A", 0, 300, 60), running("B", 0, 310, 50)) == 310
    jog = running("A", 0, 200, 0), running("B", 0, 190, 0, number=1)
    assert warm_up_s(*jog, running("A", 500, 100, 60), running("B", 500, 110, 60)) == 310, "200 s in the first set, 110 s in the second"
    split = running("B", 0, 150, 0), running("B", 155, 145, 60)
    assert warm_up_s(running("A", 0, 305, 60), *split) == 305
    assert warm_up_s(running("A", 0, 280, 60), *split) == 295
    assert warm_up_s(running("A", 0, 250, 0), running("B", 0, 20, 0), running("B", 30, 30, 230)) == 50, "A's ends later"


def test_forward_time_after_the_first_backward_bout_is_no_warm_up() -> None:
    assert warm_up_s(running("A", 0, 100, 60), running("A", 200, 400, 60)) == 100
    assert warm_up_s(running("A", 0, 100, 60), running("A", 161, 400, 0), running("B", 0, 90, 60)) == 100
    assert warm_up_s(running("A", 0, 100, 9.999), running("A", 200, 400, 60)) == 500, "a few steps back end no warm-up"
    assert warm_up_s(running("A", 0, 100, 10), running("A", 200, 400, 60)) == 100
    assert warm_up_s(running("A", 0, 100, 0)) == 100


# Any session: bouts of a runner, recorded by up to three devices that are split at any point.

BOUTS = st.lists(st.tuples(st.integers(1, 300), st.sampled_from([0, 0, 1, -1])), min_size=1, max_size=12)
"""(s, direction)"""
CUTS = st.lists(st.floats(0, 1), max_size=5)


def recorded(device: str, bouts: Sequence[tuple[int, int]], cuts: Sequence[float]) -> list[Recording]:
    """What `device` records of the bouts, as one recording for each part between the cuts (shares of the whole)."""
    length = sum(seconds for seconds, _ in bouts)
    points = [0, *sorted({round(cut * length) for cut in cuts} - {0, length}), length]
    parts = []
    for number, (from_s, to_s) in enumerate(zip(points, points[1:], strict=False), 1):
        sums = {-1: 0, 0: 0, 1: 0}
        at_s = 0
        for seconds, direction in bouts:
            sums[direction] += max(0, min(to_s, at_s + seconds) - max(from_s, at_s))
            at_s += seconds
        parts.append(part(device, from_s, to_s, sums[-1], sums[1], number=number, end_reason=END_BUTTON))
    return parts


@given(BOUTS, CUTS, CUTS, CUTS, st.integers(1, 3), st.randoms(use_true_random=False))
def test_splits_copies_and_order_never_change_the_sum(
    bouts: list[tuple[int, int]], one: list[float], two: list[float], three: list[float], devices: int, rng: random.Random
) -> None:
    cuts = dict(list(zip("ABC", (one, two, three), strict=True))[:devices])
    recordings = [each for name in cuts for each in recorded(name, bouts, cuts[name])]
    right = tuple(1_000 * sum(seconds for seconds, direction in bouts if direction == wanted) for wanted in (-1, 1))
    recordings += rng.sample(recordings, rng.randint(0, len(recordings)))
    recordings += [each._replace(nth_generation=2) for each in rng.sample(recordings, 1)]
    rng.shuffle(recordings)
    session = session_of(*recordings)
    assert (session.backward_ms, session.forward_ms, session.least_backward_ms) == (*right, right[0])
    assert (session.contradiction, session.unrecorded_ms) == ("", 0)


@given(BOUTS, BOUTS, CUTS, CUTS, st.integers(0, 2_000))
def test_splits_of_devices_that_differ_never_change_the_sum(
    one: list[tuple[int, int]], two: list[tuple[int, int]], cuts: list[float], others: list[float], later_s: int
) -> None:
    """Two devices that recorded anything, the second from any time on: parts that follow each other at once are the unsplit recording."""

    def moved(recordings: list[Recording]) -> list[Recording]:
        return [each._replace(started_at_ms=(each.started_at_ms or 0) + later_s * 1_000) for each in recordings]

    assume(later_s <= sum(seconds for seconds, _ in one) + 1_800)
    unsplit = session_of(*recorded("A", one, ()), *moved(recorded("B", two, ())))
    split = session_of(*recorded("A", one, cuts), *moved(recorded("B", two, others)))
    for name in ("backward_ms", "least_backward_ms", "forward_ms", "unrecorded_ms", "contradiction", "start_ms", "end_ms"):
        assert getattr(split, name) == getattr(unsplit, name), name


SHARES = st.floats(0, 1)
RECORDINGS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 1_500), st.integers(1, 600), SHARES, SHARES),
    max_size=8,
    unique_by=lambda plan: plan[:2],
)
"""(device, start in s, length in s, backward share, forward share of the rest)"""


@given(RECORDINGS)
def test_the_sum_lies_between_the_largest_device_and_the_sum_of_all(plan: list[tuple[str, int, int, float, float]]) -> None:
    recordings = []
    for number, (device, from_s, length_s, backward, forward) in enumerate(plan, 1):
        backward_s = length_s * backward
        recordings.append(part(device, from_s, from_s + length_s, backward_s, (length_s - backward_s) * forward, number=number))
    found = training_sessions(recordings)
    assert sorted(each.number for session in found for each in session.recordings) == list(range(1, len(plan) + 1))
    for session in found:
        for field in ("backward_ms", "forward_ms"):
            by_device = [sum(getattr(each, field) for each in session.recordings if each.device == name) for name in "ABC"]
            assert max(by_device) <= getattr(session, field) <= sum(by_device)
        assert session.least_backward_ms <= session.backward_ms and (session.unrecorded_ms is None) == bool(session.contradiction)
