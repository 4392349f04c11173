"""When sessions were: exactly where facts tell, bounded where they only hint, never silently wrong."""

from hypothesis import given, settings
from hypothesis import strategies as st
from logs import at
from retrostep.archive.dating import EPOCH_LAST_MS, TOLERANCE_MS, ClockFact, Dating, Taken, date_session, date_sessions

NOON = at("2026-11-20 12:00")
HOUR = 3_600_000
DAY = 24 * HOUR
HOST, HAND = 1, 2


def test_the_nearest_fact_of_the_same_boot_dates() -> None:
    facts = [ClockFact(3, 0, NOON, HOST), ClockFact(3, 10 * HOUR, NOON + 10 * HOUR + 2_000, HOST)]
    dating = date_session(3, 9 * HOUR, 0, NOON + DAY, facts)
    assert dating.started_at_ms == NOON + 9 * HOUR + 2_000
    assert (dating.dated, dating.clock_spread_ms) == ("measured", 2_000)
    assert dating.not_before_ms == dating.not_after_ms == dating.placed_at_ms == dating.started_at_ms
    assert date_session(3, HOUR, 0, NOON + DAY, facts).started_at_ms == NOON + HOUR


def test_facts_of_other_boots_only_bound() -> None:
    facts = [ClockFact(2, 5 * HOUR, NOON, HOST), ClockFact(4, HOUR, NOON + 10 * HOUR, HOST)]
    dating = date_session(3, HOUR, HOUR, NOON + DAY, facts)
    assert dating.dated == "bounded" and dating.started_at_ms is None
    assert dating.not_before_ms == NOON, "boot 2 still ran then"
    assert dating.not_after_ms == NOON + 8 * HOUR, "boot 4 began an hour before its fact, and the session lasted one"
    assert dating.placed_at_ms == dating.not_after_ms


def test_without_any_fact_only_its_arrival_bounds() -> None:
    dating = date_session(3, HOUR, HOUR, NOON, [])
    assert (dating.dated, dating.started_at_ms, dating.not_before_ms, dating.not_after_ms) == ("undated", None, None, NOON - HOUR)


def test_a_later_boot_alone_leaves_it_undated_but_not_after() -> None:
    dating = date_session(3, 0, 0, NOON, [ClockFact(9, HOUR, NOON - DAY, HOST)])
    assert (dating.dated, dating.not_after_ms) == ("undated", NOON - DAY - HOUR)


def test_contradicting_facts_of_a_boot_are_not_believed() -> None:
    facts = [ClockFact(3, 0, NOON, HOST), ClockFact(3, HOUR, NOON + HOUR + DAY, HOST)]
    dating = date_session(3, 0, 0, NOON + 3 * DAY, facts)
    assert (dating.dated, dating.started_at_ms, dating.clock_spread_ms) == ("bounded", None, DAY)
    assert dating.not_before_ms == NOON and dating.not_after_ms == NOON + 3 * DAY


def test_facts_may_differ_by_the_tolerance() -> None:
    for difference, dated in ((TOLERANCE_MS, "measured"), (TOLERANCE_MS + 1, "bounded")):
        facts = [ClockFact(3, 0, NOON, HOST), ClockFact(3, HOUR, NOON + HOUR + difference, HOST)]
        assert date_session(3, 0, 0, NOON + DAY, facts).dated == dated


def test_a_session_cannot_be_later_than_its_arrival() -> None:
    for late, dated in ((TOLERANCE_MS, "measured"), (TOLERANCE_MS + 1, "bounded")):
        dating = date_session(3, 0, HOUR, NOON, [ClockFact(3, 0, NOON - HOUR + late, HOST)])
        assert dating.dated == dated
        if dated == "bounded":
            assert dating.started_at_ms is None and dating.not_after_ms == NOON - HOUR, "it stays in sight of a check on that day"


def test_device_order_is_never_broken_by_a_wrong_clock() -> None:
    # The host of boot 3 thought it was 2021; boot 2 had been seen in 2026.
    facts = [ClockFact(2, 0, NOON, HOST), ClockFact(3, 0, at("2021-01-01 00:00"), HOST)]
    dating = date_session(3, 0, 0, NOON + DAY, facts)
    assert dating.started_at_ms is None and dating.not_after_ms == NOON + DAY


def test_one_host_whose_clock_was_ahead_spoils_nothing_later() -> None:
    facts = [ClockFact(2, 0, NOON + 400 * DAY, HOST), ClockFact(3, 0, NOON, HOST)]
    assert date_session(3, 0, 0, NOON + HOUR, facts).started_at_ms == NOON


def test_what_somebody_says_settles_contradictions() -> None:
    facts = [ClockFact(3, 0, NOON, HOST), ClockFact(3, HOUR, NOON + 9 * DAY, HOST), ClockFact(3, 2 * HOUR, NOON - DAY, HAND)]
    dating = date_session(3, 2 * HOUR, 0, NOON + 9 * DAY, facts)
    assert (dating.dated, dating.started_at_ms) == ("manual", NOON - DAY)
    assert date_session(3, 3 * HOUR, 0, NOON + 9 * DAY, facts).started_at_ms == NOON - DAY + HOUR


def test_nobody_can_say_that_a_session_was_after_it_came() -> None:
    dating = date_session(3, 0, 0, NOON, [ClockFact(3, 0, NOON + DAY, HAND)])
    assert dating.started_at_ms is None and dating.not_after_ms == NOON


def test_impossible_facts_are_nothing() -> None:
    never_set = [ClockFact(3, 1_000, 5_000, HOST), ClockFact(3, 1_000, EPOCH_LAST_MS, HOST), ClockFact(3, -1, NOON, HOST)]
    assert date_session(3, 0, 0, NOON, never_set).dated == "undated"


boots = st.lists(st.tuples(st.integers(1, 30 * DAY), st.integers(0, 5 * DAY)), min_size=1, max_size=6)


@given(boots, st.data())
def test_true_facts_never_misdate(history: list[tuple[int, int]], data: st.DataObject) -> None:
    """Any life of a device: boots of any length with any pauses, any instants of it known. What is said then holds."""
    begun_ms, now = [], NOON
    for length, pause in history:
        begun_ms.append(now)
        now += length + pause
    arrival = now
    facts = []
    for boot, (length, _) in enumerate(history):
        for ticks in data.draw(st.lists(st.integers(0, length), max_size=2)):
            facts.append(ClockFact(boot, ticks, begun_ms[boot] + ticks, HOST))
    boot = data.draw(st.integers(0, len(history) - 1))
    start = data.draw(st.integers(0, history[boot][0]))
    duration = data.draw(st.integers(0, history[boot][0] - start))
    truth = begun_ms[boot] + start
    dating = date_session(boot, start, duration, arrival, facts)
    assert (dating.started_at_ms is not None) == any(fact.boot == boot for fact in facts)
    if dating.started_at_ms is not None:
        assert dating.started_at_ms == truth
    assert dating.not_before_ms is None or dating.not_before_ms <= truth
    assert truth <= dating.not_after_ms


def test_undated_sessions_are_bounded_by_their_neighbours() -> None:
    """Boots 1 and 3 were told the time; the session of boot 2 lies between their sessions, whatever else is known."""
    facts = [ClockFact(1, 0, NOON, HOST), ClockFact(3, 5 * HOUR, NOON + 3 * DAY, HOST)]
    sessions = [Taken(3, 6 * HOUR, HOUR, NOON + 9 * DAY), Taken(2, 0, HOUR, NOON + 9 * DAY), Taken(1, 2 * HOUR, HOUR, NOON + 9 * DAY)]
    last, between, first = date_sessions(sessions, facts)
    assert (first.started_at_ms, last.started_at_ms) == (NOON + 2 * HOUR, NOON + 3 * DAY + HOUR)
    assert between.dated == "bounded" and between.not_before_ms == NOON + 3 * HOUR, "the first one had ended by then"
    assert between.not_after_ms == NOON + 3 * DAY - 6 * HOUR, "boot 3 began five hours before its fact, and it lasted one"
    alone = date_sessions(sessions[:2], facts[1:])[1]
    assert (alone.dated, alone.not_before_ms) == ("undated", None)


def test_a_clock_that_is_put_back_a_little_reorders_nothing() -> None:
    """Within the tolerance the nearest fact dates, but never a later session before an earlier one."""
    facts = [ClockFact(1, 0, NOON, HOST), ClockFact(1, HOUR, NOON + HOUR - TOLERANCE_MS, HOST)]
    ticks = [HOUR // 2 - 60_000, HOUR // 2 + 60_000, HOUR]
    starts = [dating.started_at_ms for dating in date_sessions([Taken(1, at_ms, 0, NOON + DAY) for at_ms in ticks], facts)]
    assert starts == [NOON + ticks[0], NOON + HOUR // 2, NOON + HOUR - TOLERANCE_MS]
    across = [ClockFact(1, 0, NOON, HOST), ClockFact(2, 0, NOON - TOLERANCE_MS // 2, HOST)]
    first, second = date_sessions([Taken(1, 0, 0, NOON + DAY), Taken(2, 0, 0, NOON + DAY)], across)
    assert first.started_at_ms == NOON <= (second.started_at_ms or 0)


def test_a_computer_that_lived_in_another_year_is_outvoted_by_hand() -> None:
    """Boot 2 was told that it is 2031, and its session came then as well; when the truth comes it is undated, and then dated by hand."""
    wrong = at("2031-05-05 12:00")
    sessions = [Taken(1, 0, HOUR, NOON), Taken(2, 0, HOUR, wrong), Taken(3, 0, HOUR, NOON + 5 * DAY)]
    facts = [ClockFact(1, 0, NOON - DAY, HOST), ClockFact(2, HOUR, wrong, HOST)]
    assert date_sessions(sessions[:2], facts)[1].started_at_ms == wrong - HOUR, "nothing contradicts it yet"
    facts.append(ClockFact(3, 0, NOON + 4 * DAY, HOST))
    first, second, third = date_sessions(sessions, facts)
    assert (first.dated, second.dated, third.dated) == ("measured", "bounded", "measured")
    assert second.not_before_ms is not None and second.not_before_ms <= NOON + 2 * DAY <= second.not_after_ms
    said = date_sessions(sessions, [*facts, ClockFact(2, 0, NOON + 2 * DAY, HAND)])
    assert [dating.dated for dating in said] == ["measured", "manual", "measured"] and said[1].started_at_ms == NOON + 2 * DAY


def test_the_last_that_was_said_by_hand_holds() -> None:
    said = [ClockFact(1, HOUR, NOON, HAND), ClockFact(1, HOUR, NOON + 3 * HOUR, HAND)]
    for facts in (said, said[::-1]):
        assert date_sessions([Taken(1, HOUR, 0, NOON + DAY)], facts)[0].started_at_ms == facts[-1].epoch_ms


def test_hand_dates_out_of_order_are_not_both_believed() -> None:
    """As older versions took them in: boot 1 is said to have been after boot 2."""
    facts = [ClockFact(1, 0, NOON, HAND), ClockFact(2, 0, NOON - DAY, HAND)]
    first, second = date_sessions([Taken(1, 0, HOUR, NOON + DAY), Taken(2, 0, HOUR, NOON + DAY)], facts)
    assert first.started_at_ms == NOON and second.started_at_ms is None
    assert second.clock_spread_ms == DAY and second.not_after_ms == NOON + DAY - HOUR


SOME_MS = st.one_of(
    st.integers(0, 3 * DAY),
    st.integers(-5, 5).map(lambda n: n * TOLERANCE_MS // 2),  # a clock put forward or back a little
    st.sampled_from([-HOUR, HOUR, -2 * HOUR, 2 * HOUR]),  # a time zone, or summer time, taken for UTC
    st.integers(-6, 6).map(lambda years: years * 365 * DAY),
)
JUMPING_FACTS = st.lists(
    st.builds(
        lambda boot, ticks, drift, jump, source: ClockFact(boot, ticks, NOON + boot * DAY + ticks + drift + jump, source),
        st.integers(1, 4), st.integers(0, DAY), SOME_MS, SOME_MS, st.sampled_from([HOST, HOST, HOST, HAND]),
    ),
    max_size=8,
)  # fmt: skip
RECORDED = st.lists(
    st.builds(
        lambda boot, ticks, length, late: Taken(boot, ticks, length, NOON + boot * DAY + ticks + length + late),
        st.integers(1, 4), st.integers(0, DAY), st.integers(0, 2 * HOUR), SOME_MS,
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


@given(RECORDED, JUMPING_FACTS)
@settings(max_examples=400, deadline=None)
def test_no_clock_reorders_or_dates_outside_of_what_is_known(sessions: list[Taken], facts: list[ClockFact]) -> None:
    datings = date_sessions(sessions, facts)
    in_order = sorted(zip(sessions, datings, strict=True), key=lambda pair: (pair[0].boot, pair[0].start_ticks_ms))
    starts = [dating.started_at_ms for _, dating in in_order if dating.started_at_ms is not None]
    assert starts == sorted(starts)
    facts = [fact for fact in facts if fact.is_plausible()]
    settled = {fact.boot for fact in facts if fact.source == HAND}
    for taken, dating in in_order:
        latest = taken.received_at_ms - taken.duration_ms
        if dating.started_at_ms is None:
            assert dating.dated in ("bounded", "undated") and dating.not_after_ms <= latest
            assert dating.not_before_ms is None or dating.not_before_ms <= dating.not_after_ms
            assert (dating.not_before_ms is None) == (dating.dated == "undated")
            continue
        assert dating.dated in ("measured", "manual") and dating.started_at_ms <= latest + TOLERANCE_MS
        assert any(fact.boot == taken.boot for fact in facts), "nothing is dated by other boots' facts"
        for fact in facts:
            if fact.boot > taken.boot and dating.dated == "measured" and fact.boot not in settled:
                assert dating.started_at_ms <= fact.boot_at_ms + TOLERANCE_MS, "a later boot had begun"


@given(RECORDED, JUMPING_FACTS, st.randoms())
@settings(max_examples=100, deadline=None)
def test_dates_do_not_hang_on_the_order_of_arrival(sessions: list[Taken], facts: list[ClockFact], chance) -> None:  # type: ignore[no-untyped-def]
    def dated(order: list[Taken]) -> dict[Taken, Dating]:
        return dict(zip(order, date_sessions(order, facts), strict=True))

    sessions = list({(taken.boot, taken.start_ticks_ms): taken for taken in sessions}.values())
    shuffled = list(sessions)
    chance.shuffle(shuffled)
    assert dated(shuffled) == dated(sessions)
