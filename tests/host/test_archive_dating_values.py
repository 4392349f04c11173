"""Every way in which a session is dated or bounded, with the complete result, at both sides of each limit."""

import pytest
from retrostep.archive.dating import (
    EPOCH_FIRST_MS,
    EPOCH_LAST_MS,
    TICKS_LAST_MS,
    TOLERANCE_MS,
    ClockFact,
    Dating,
    SessionTiming,
    date_session,
    date_sessions,
)
from support.logs import at

NOON = at("2026-11-20 12:00")
HOUR = 3_600_000
DAY = 24 * HOUR
HOST, HAND = 1, 2


def exact(dated: str, start_ms: int, spread_ms: int = 0) -> Dating:
    return Dating(dated, start_ms, start_ms, start_ms, spread_ms)


def bounded(not_before_ms: int, not_after_ms: int, spread_ms: int = 0) -> Dating:
    return Dating("bounded", None, not_before_ms, not_after_ms, spread_ms)


def test_the_limits_are_stated() -> None:
    assert TOLERANCE_MS == 600_000
    assert at("2020-01-01 00:00") == EPOCH_FIRST_MS and at("2100-01-01 00:00") == EPOCH_LAST_MS
    assert TICKS_LAST_MS == 1 << 45


@pytest.mark.parametrize(
    ("ticks_ms", "epoch_ms", "is_plausible"),
    [
        (0, EPOCH_FIRST_MS, True),
        (0, EPOCH_FIRST_MS - 1, False),
        (0, EPOCH_LAST_MS - 1, True),
        (0, EPOCH_LAST_MS, False),
        (-1, NOON, False),
        (TICKS_LAST_MS - 1, NOON, True),
        (TICKS_LAST_MS, NOON, False),
    ],
)
def test_a_clock_fact_is_possible_or_not(ticks_ms: int, epoch_ms: int, is_plausible: bool) -> None:
    assert ClockFact(1, ticks_ms, epoch_ms, HOST).is_plausible() == is_plausible


# One session: boot 5, an hour after its start, 2 minutes long, received at noon.

LENGTH = 120_000
LATEST = NOON - LENGTH


def dated(*facts: ClockFact) -> Dating:
    return date_session(5, HOUR, LENGTH, NOON, facts)


def own(start_ms: int, source: int = HOST) -> ClockFact:
    """A fact of the session's boot by which it started at `start_ms`."""
    return ClockFact(5, HOUR, start_ms, source)


def test_a_manual_date_is_exact_even_after_the_receipt() -> None:
    for start_ms in (LATEST - DAY, LATEST, LATEST + TOLERANCE_MS + 1, LATEST + DAY):
        assert dated(own(start_ms, HAND)) == exact("manual", start_ms)
    # Facts of the boot that do not contradict the manual date change nothing.
    assert dated(own(LATEST - DAY, HAND), own(LATEST - DAY + TOLERANCE_MS)) == exact("manual", LATEST - DAY)
    assert dated(own(LATEST - DAY, HAND), own(LATEST)) == exact("manual", LATEST - DAY)


def test_a_clock_fact_of_the_boot_is_exact_within_the_tolerance() -> None:
    assert dated(own(LATEST - HOUR)) == exact("measured", LATEST - HOUR)
    assert dated(own(LATEST + TOLERANCE_MS)) == exact("measured", LATEST + TOLERANCE_MS)
    late = LATEST + TOLERANCE_MS + 1
    assert dated(own(late)) == bounded(LATEST, late, TOLERANCE_MS + 1)
    for differ_ms, spread_ms in ((TOLERANCE_MS, TOLERANCE_MS), (TOLERANCE_MS + 1, None)):
        second = ClockFact(5, 9 * HOUR, LATEST - DAY + 8 * HOUR - differ_ms, HOST)
        dating = dated(own(LATEST - DAY), second)
        if spread_ms is not None:
            assert dating == exact("measured", LATEST - DAY, spread_ms)
        else:
            assert dating == bounded(LATEST - DAY - differ_ms, LATEST, TOLERANCE_MS + 1)


def test_a_later_fact_that_shows_an_earlier_one_behind_dates_alone() -> None:
    for differ_ms, counts in ((TOLERANCE_MS, 0), (TOLERANCE_MS + 1, TOLERANCE_MS + 1)):
        later = ClockFact(5, 9 * HOUR, LATEST - DAY + 8 * HOUR + differ_ms, HOST)
        assert dated(own(LATEST - DAY), later) == exact("measured", LATEST - DAY + counts, differ_ms)


def test_facts_of_the_boot_and_of_others_agree_within_the_tolerance() -> None:
    start = LATEST - DAY
    before = ClockFact(4, 7 * HOUR, start, HOST)
    assert dated(own(start - TOLERANCE_MS), before) == exact("measured", start - TOLERANCE_MS)
    assert dated(own(start - TOLERANCE_MS - 1), before) == bounded(start - TOLERANCE_MS - 1, LATEST, TOLERANCE_MS + 1)
    # Boot 6 started at start + LENGTH: the session was over by then.
    after = ClockFact(6, HOUR, start + LENGTH + HOUR, HOST)
    assert dated(own(start + TOLERANCE_MS), after) == exact("measured", start + TOLERANCE_MS)
    assert dated(own(start + TOLERANCE_MS + 1), after) == bounded(start, LATEST, TOLERANCE_MS + 1)
    assert dated(own(start), before, after) == exact("measured", start)
    # The earliest of all bounds counts where they contradict each other.
    assert dated(own(start - DAY), before, after) == bounded(start - DAY, LATEST, DAY)


def test_other_boots_bound_a_session_without_a_fact_of_its_own() -> None:
    start = LATEST - DAY
    before, after = ClockFact(4, HOUR, start - HOUR, HOST), ClockFact(6, HOUR, start + LENGTH + 2 * HOUR, HOST)
    assert dated() == Dating("undated", None, None, LATEST, 0)
    assert dated(after) == Dating("undated", None, None, start + HOUR, 0)
    assert dated(before) == bounded(start - HOUR, LATEST)
    assert dated(before, after) == bounded(start - HOUR, start + HOUR)
    # The latest earlier boot and the earliest later one count.
    assert dated(before, ClockFact(3, 0, start - 2 * HOUR, HOST), after, ClockFact(7, 0, start + DAY, HOST)) == bounded(
        start - HOUR, start + HOUR
    )
    assert dated(ClockFact(4, 0, start - 2 * HOUR, HOST), before) == bounded(start - HOUR, LATEST)
    assert dated(ClockFact(6, 0, NOON + HOUR, HOST)) == Dating("undated", None, None, LATEST, 0), "it arrived before that"


def test_bounds_that_exclude_each_other_are_widened() -> None:
    start = LATEST - DAY
    after = ClockFact(6, 0, start + LENGTH, HOST)
    assert dated(ClockFact(4, 0, start + TOLERANCE_MS, HOST), after) == bounded(start, start)
    assert dated(ClockFact(4, 0, start + TOLERANCE_MS + 1, HOST), after) == bounded(start, LATEST, TOLERANCE_MS + 1)
    assert dated(ClockFact(4, 0, start + HOUR, HOST), after) == bounded(start, LATEST, HOUR)


def test_an_earlier_boot_cannot_have_been_seen_after_the_log_arrived() -> None:
    assert dated(ClockFact(4, 0, NOON + TOLERANCE_MS, HOST)) == bounded(LATEST, LATEST, TOLERANCE_MS + LENGTH)
    assert dated(ClockFact(4, 0, NOON + TOLERANCE_MS + 1, HOST)) == Dating("undated", None, None, LATEST, 0)


@pytest.mark.parametrize(
    ("ticks_ms", "start_ms"),
    [
        (0, NOON),  # before the first fact
        (HOUR, NOON + HOUR),
        (2 * HOUR, NOON + 2 * HOUR),  # as near to the first as to the second
        (2 * HOUR + 1, NOON + 2 * HOUR + 5_001),
        (3 * HOUR, NOON + 3 * HOUR + 5_000),
        (4 * HOUR, NOON + 4 * HOUR + 5_000),
        (4 * HOUR + 1, NOON + 4 * HOUR + 5_000),  # the third fact is 3 s behind: time stands still until it has caught up
        (4 * HOUR + 3_000, NOON + 4 * HOUR + 5_000),
        (4 * HOUR + 3_001, NOON + 4 * HOUR + 5_001),
        (9 * HOUR, NOON + 9 * HOUR + 2_000),
    ],
)
def test_the_nearest_fact_counts_and_time_never_runs_backward(ticks_ms: int, start_ms: int) -> None:
    facts = [
        ClockFact(5, 5 * HOUR, NOON + 5 * HOUR + 2_000, HOST),
        ClockFact(5, HOUR, NOON + HOUR, HOST),
        ClockFact(5, 3 * HOUR, NOON + 3 * HOUR + 5_000, HOST),
    ]
    assert date_session(5, ticks_ms, 0, NOON + DAY, facts) == exact("measured", start_ms, 5_000)


def test_only_facts_that_differ_from_a_manual_date_are_overruled() -> None:
    start = LATEST - DAY
    for differ_ms in (TOLERANCE_MS, -TOLERANCE_MS):
        nearby = ClockFact(5, 2 * HOUR, start + HOUR + differ_ms, HOST)
        # The host's fact of boot 5 stays and bounds boot 6 and boot 4; a contradicted one would not.
        assert date_session(6, 0, 0, NOON, [own(start, HAND), nearby]).not_before_ms == max(start, start + HOUR + differ_ms)
        beyond = ClockFact(5, 2 * HOUR, start + HOUR + differ_ms + (1 if differ_ms > 0 else -1), HOST)
        assert date_session(6, 0, 0, NOON, [own(start, HAND), beyond]).not_before_ms == start
    of_another_boot = ClockFact(4, 0, start - DAY, HOST)
    assert date_session(4, 0, 0, NOON, [own(start, HAND), of_another_boot]) == exact("measured", start - DAY)


# Several sessions of a device


def session(boot: int, ticks_ms: int = 0, length_ms: int = 0, received_ms: int = NOON + 9 * DAY) -> SessionTiming:
    return SessionTiming(boot, ticks_ms, length_ms, received_ms)


def fact(boot: int, boot_at_ms: int, source: int = HOST) -> ClockFact:
    return ClockFact(boot, 0, boot_at_ms, source)


def test_a_session_is_moved_by_up_to_the_tolerance_to_keep_the_order() -> None:
    for early_ms in (1, TOLERANCE_MS):
        facts = [fact(1, NOON), fact(2, NOON - early_ms)]
        assert date_sessions([session(1), session(2)], facts) == [exact("measured", NOON), exact("measured", NOON, early_ms)]
        assert date_sessions([session(2), session(1)], facts) == [exact("measured", NOON, early_ms), exact("measured", NOON)]
    # Of three, the third is compared with where the second was moved to.
    facts = [fact(1, NOON), fact(2, NOON - 60_000), fact(3, NOON - 30_000), fact(4, NOON + 1)]
    assert date_sessions([session(boot) for boot in (1, 2, 3, 4)], facts) == [
        exact("measured", NOON),
        exact("measured", NOON, 60_000),
        exact("measured", NOON, 30_000),
        exact("measured", NOON + 1),
    ]


def test_the_larger_of_two_doubts_is_kept() -> None:
    own_facts = [ClockFact(2, 0, NOON - 10_000, HOST), ClockFact(2, 0, NOON - 10_000, HOST), ClockFact(2, HOUR, NOON - 40_000 + HOUR, HOST)]
    first, second = date_sessions([session(1), session(2)], [fact(1, NOON), *own_facts])
    assert (first, second) == (exact("measured", NOON), exact("measured", NOON, 30_000))
    _, second = date_sessions([session(1), session(2)], [fact(1, NOON), ClockFact(2, 0, NOON - 50_000, HOST), own_facts[2]])
    assert second == exact("measured", NOON, 50_000)


def test_a_session_that_is_too_early_for_its_place_is_undated() -> None:
    early = TOLERANCE_MS + 1
    # Manual dates, which clock facts of other boots do not check.
    facts = [fact(1, NOON, HAND), fact(2, NOON - early, HAND)]
    first, second = date_sessions([session(1), session(2)], facts)
    assert (first, second) == (exact("manual", NOON), bounded(NOON - early, NOON + 9 * DAY, early))
    third = date_sessions([session(1), session(2), session(3)], [*facts, fact(3, NOON + HOUR)])[2]
    assert third == exact("measured", NOON + HOUR)


def test_a_session_is_not_moved_beyond_the_arrival_of_its_log() -> None:
    """Session 2 was received when session 1 is thought to have started, give or take the tolerance."""
    for received_ms, is_moved in ((NOON - TOLERANCE_MS, True), (NOON - TOLERANCE_MS - 1, False)):
        start_ms = NOON - TOLERANCE_MS
        facts = [fact(1, NOON, HAND), fact(2, start_ms)]
        second = date_sessions([session(1), session(2, received_ms=received_ms)], facts)[1]
        assert second == (exact("measured", NOON, TOLERANCE_MS) if is_moved else bounded(received_ms, start_ms, TOLERANCE_MS))
    start_ms = NOON - 300_000
    sessions = [session(1), session(2, received_ms=NOON - 700_000)]
    second = date_sessions(sessions, [fact(1, NOON, HAND), fact(2, start_ms)])[1]
    assert second == bounded(NOON - 700_000, start_ms, 300_000), "bounds that hold both clocks"
    second = date_sessions(sessions, [fact(1, NOON, HAND), fact(2, start_ms, HAND)])[1]
    assert second == exact("manual", NOON, 300_000), "a manual date counts more than the arrival"


def test_an_undated_session_lies_between_its_neighbours() -> None:
    sessions = [session(1, HOUR, HOUR), session(1, 5 * HOUR, HOUR), session(2, 0, 2 * HOUR), session(3, HOUR, HOUR)]
    facts = [ClockFact(1, 0, NOON, HOST), ClockFact(3, HOUR, NOON + 3 * DAY, HOST)]
    assert date_sessions(sessions, facts) == [
        exact("measured", NOON + HOUR),
        exact("measured", NOON + 5 * HOUR),
        bounded(NOON + 6 * HOUR, NOON + 3 * DAY - 3 * HOUR),  # boot 3 began at NOON + 3 * DAY - HOUR
        exact("measured", NOON + 3 * DAY),
    ]


def test_an_undated_session_ends_before_the_next_dated_one_starts() -> None:
    """The next one is dated by hand, after the facts of its boot: what bounds is where it is, not what its boot's clock fact says."""
    sessions = [session(1, 0, 2 * HOUR), session(2, 5 * HOUR, HOUR)]
    assert date_sessions(sessions, [ClockFact(2, 5 * HOUR, NOON, HAND)]) == [
        Dating("undated", None, None, NOON - 7 * HOUR, 0),
        exact("manual", NOON),
    ]
    # Both in one boot, and the date of the second is too late for its log: no fact is left but the first one's place.
    same_boot = [session(1, 0, HOUR, NOON), session(2, 0, HOUR), session(2, 8 * HOUR, HOUR)]
    facts = [ClockFact(3, 0, NOON + 5 * DAY, HOST), ClockFact(2, 8 * HOUR, NOON + DAY, HOST)]
    first, second, third = date_sessions(same_boot, facts)
    assert (second, third) == (exact("measured", NOON + DAY - 8 * HOUR), exact("measured", NOON + DAY))
    assert first == Dating("undated", None, None, NOON - HOUR, 0)


def test_moved_sessions_bound_their_neighbours_by_where_they_were_moved_to() -> None:
    facts = [fact(1, NOON), fact(3, NOON - 60_000)]
    sessions = [session(1, 0, 0), session(2, 0, 0), session(3, 0, 0)]
    first, between, last = date_sessions(sessions, facts)
    assert (first, last) == (exact("measured", NOON), exact("measured", NOON, 60_000))
    assert between.started_at_ms is None and between.not_after_ms == NOON - 60_000 == between.not_before_ms


def test_the_longest_session_before_bounds_not_the_last_one() -> None:
    """The first session is longer than the break to the second, as by a clock that was set back."""
    sessions = [session(1, 0, 5 * HOUR), session(1, HOUR, HOUR), session(2, 0, HOUR)]
    undated = date_sessions(sessions, [fact(1, NOON)])[2]
    assert undated == bounded(NOON + 5 * HOUR, NOON + 9 * DAY - HOUR)


def test_bounds_that_leave_no_room_are_left_as_they_are() -> None:
    """Session 2 lasted longer than there is room for between its neighbours: the clocks are wrong, not the length."""
    sessions = [session(1, 0, HOUR), session(2, 0, 9 * HOUR), session(3, 0, HOUR)]
    between = date_sessions(sessions, [fact(1, NOON), fact(3, NOON + 2 * HOUR)])[1]
    assert between.started_at_ms is None and between.clock_spread_ms == 7 * HOUR
    assert (between.not_before_ms, between.not_after_ms) == (NOON - 7 * HOUR, NOON + 9 * DAY - 9 * HOUR)


def test_a_contradicted_session_is_not_bounded_by_its_neighbours() -> None:
    sessions = [session(1, 0, HOUR), session(2, 0, HOUR), session(3, 0, HOUR)]
    facts = [fact(1, NOON), ClockFact(2, 0, NOON + DAY, HOST), ClockFact(2, HOUR, NOON + 3 * HOUR, HOST), fact(3, NOON + 2 * DAY)]
    assert date_sessions(sessions, facts)[1] == bounded(NOON, NOON + 9 * DAY - HOUR, DAY - 2 * HOUR)


def test_placed_at_is_the_start_or_else_the_latest_possible_one() -> None:
    assert exact("measured", NOON).placed_at_ms == NOON and bounded(NOON, NOON + 5).placed_at_ms == NOON + 5


@pytest.mark.parametrize(
    ("ran_until_ms", "expected"),
    [
        (None, Dating("undated", None, None, NOON - LENGTH, 0)),
        (NOON - LENGTH - 1, bounded(NOON - LENGTH - 1, NOON - LENGTH)),
        (NOON - LENGTH, bounded(NOON - LENGTH, NOON - LENGTH)),
        # It cannot end before the next one starts and start after boot 1: the bounds of the boots hold.
        (NOON - LENGTH + 1, bounded(NOON - LENGTH + 1, NOON + 9 * 60_000 - LENGTH)),
    ],
)
def test_the_start_of_the_next_session_bounds_where_its_boot_has_two_clocks(ran_until_ms: int | None, expected: Dating) -> None:
    """Boot 3 has a manual date, and two clocks within its tolerance. Which of them is right is open, the start of its session is not."""
    facts = [ClockFact(3, 0, NOON - 9 * 60_000, HOST), ClockFact(3, HOUR, NOON + HOUR + 9 * 60_000, HOST)]
    facts += [ClockFact(3, 2 * HOUR, NOON + 2 * HOUR, HAND)]
    if ran_until_ms is not None:
        facts.append(ClockFact(1, HOUR, ran_until_ms, HOST))
    sessions = [
        SessionTiming(2, 0, LENGTH, NOON + DAY),
        SessionTiming(3, 0, HOUR, NOON + DAY),
        SessionTiming(3, 5 * HOUR, HOUR, NOON + DAY),
    ]
    assert date_sessions(sessions, facts) == [expected, exact("manual", NOON), exact("manual", NOON + 5 * HOUR)]
