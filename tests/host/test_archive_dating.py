"""Sessions are dated by clock facts, bounded where facts only bound them, and never dated wrongly without a sign."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from retrostep.archive.dating import (
    EPOCH_LAST_MS,
    FIRST_HOST_MS,
    SYNC_MS,
    TOLERANCE_MS,
    ClockFact,
    Dating,
    SessionTiming,
    date_and_cut,
    date_from,
    date_session,
    date_sessions,
    is_possible_clock,
)
from support.logs import at

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


def test_a_clock_that_went_back_dates_nothing() -> None:
    """Two clocks, or one that was put back: which of them was right is not known."""
    facts = [ClockFact(3, 0, NOON + DAY, HOST), ClockFact(3, HOUR, NOON + HOUR, HOST)]
    for known in (facts, facts[::-1], [ClockFact(3, 0, NOON, HOST), ClockFact(3, HOUR // 2, NOON + HOUR // 2 + DAY, HOST), facts[1]]):
        dating = date_session(3, 0, 0, NOON + 3 * DAY, known)
        assert (dating.dated, dating.started_at_ms, dating.clock_spread_ms) == ("bounded", None, DAY)
        assert dating.not_before_ms == NOON and dating.not_after_ms == NOON + 3 * DAY


def test_a_clock_that_was_put_right_dates() -> None:
    facts = [ClockFact(3, 0, NOON - 7 * DAY, HOST), ClockFact(3, 1, NOON - DAY, HOST), ClockFact(3, HOUR, NOON + HOUR, HOST)]
    for known in (facts, facts[::-1]):
        dating = date_session(3, HOUR // 2, 0, NOON + 3 * DAY, known)
        assert (dating.dated, dating.started_at_ms) == ("measured", NOON + HOUR // 2)
        assert dating.clock_spread_ms == 7 * DAY, "shown as doubtful"
    seen_before = ClockFact(2, 0, NOON + 2 * DAY, HOST)
    assert date_session(3, HOUR // 2, 0, NOON + 3 * DAY, [*facts, seen_before]).started_at_ms is None, "boot 2 ran later than that"


def test_facts_may_differ_by_the_tolerance() -> None:
    for difference, dated in ((TOLERANCE_MS, "measured"), (TOLERANCE_MS + 1, "bounded")):
        facts = [ClockFact(3, 0, NOON, HOST), ClockFact(3, HOUR, NOON + HOUR - difference, HOST)]
        assert date_session(3, 0, 0, NOON + DAY, facts).dated == dated


def test_a_session_cannot_be_later_than_its_arrival() -> None:
    for late, dated in ((TOLERANCE_MS, "measured"), (TOLERANCE_MS + 1, "bounded")):
        dating = date_session(3, 0, HOUR, NOON, [ClockFact(3, 0, NOON - HOUR + late, HOST)])
        assert dating.dated == dated
        if dated == "bounded":
            assert dating.started_at_ms is None and dating.clock_spread_ms == late
            assert (dating.not_before_ms, dating.not_after_ms) == (NOON - HOUR, NOON - HOUR + late), "bounds that hold both clocks"


def test_device_order_is_never_broken_by_a_wrong_clock() -> None:
    # The host of boot 3 thought it was 2021; boot 2 had been seen in 2026.
    facts = [ClockFact(2, 0, NOON, HOST), ClockFact(3, 0, at("2021-01-01 00:00"), HOST)]
    dating = date_session(3, 0, 0, NOON + DAY, facts)
    assert dating.started_at_ms is None and dating.not_after_ms == NOON + DAY


def test_a_host_with_a_fast_clock_does_not_affect_later_sessions() -> None:
    facts = [ClockFact(2, 0, NOON + 400 * DAY, HOST), ClockFact(3, 0, NOON, HOST)]
    assert date_session(3, 0, 0, NOON + HOUR, facts).started_at_ms == NOON


def test_a_manual_date_settles_contradictions() -> None:
    facts = [ClockFact(3, 0, NOON, HOST), ClockFact(3, HOUR, NOON + 9 * DAY, HOST), ClockFact(3, 2 * HOUR, NOON - DAY, HAND)]
    dating = date_session(3, 2 * HOUR, 0, NOON + 9 * DAY, facts)
    assert (dating.dated, dating.started_at_ms) == ("manual", NOON - DAY)
    assert date_session(3, 3 * HOUR, 0, NOON + 9 * DAY, facts).started_at_ms == NOON - DAY + HOUR


def test_a_person_can_always_date_a_session() -> None:
    """The clock of the computer that received the log was a day behind: who enters a date later than that confirmed it."""
    assert date_session(3, 0, 0, NOON, [ClockFact(3, 0, NOON + DAY, HAND)]).started_at_ms == NOON + DAY
    sessions = [SessionTiming(3, 0, HOUR, NOON), SessionTiming(3, 2 * HOUR, HOUR, NOON)]
    dated = date_sessions(sessions, [ClockFact(3, 0, NOON + DAY, HAND)])
    assert [dating.started_at_ms for dating in dated] == [NOON + DAY, NOON + DAY + 2 * HOUR]


def test_a_clock_that_started_in_1970_bounds_nothing() -> None:
    """A computer without a battery for its clock: its facts, and those of the years before this program, are ignored."""
    for wrong in (at("2020-01-01 00:01"), FIRST_HOST_MS - 1):
        facts = [ClockFact(3, HOUR, wrong, HOST), ClockFact(3, 2 * HOUR, NOON, HOST)]
        assert date_session(3, 0, HOUR, EPOCH_LAST_MS, facts).started_at_ms == NOON - 2 * HOUR
        assert date_session(2, 0, HOUR, EPOCH_LAST_MS, facts[:1]).dated == "undated"
    assert date_session(3, 0, HOUR, NOON, [ClockFact(3, HOUR, FIRST_HOST_MS, HOST)]).started_at_ms == FIRST_HOST_MS - HOUR


def test_a_clock_that_was_a_week_behind_at_the_first_sync_dates_once_it_is_right() -> None:
    """Boot 2 was synced by it, and by a right clock ten minutes later. The sessions of boots 1 and 2 were received in the first sync."""
    behind, right = ClockFact(2, HOUR, NOON - 7 * DAY, HOST), ClockFact(2, HOUR + 600_000, NOON + 600_000, HOST)
    sessions = [SessionTiming(1, 0, HOUR, behind.epoch_ms + 60_000), SessionTiming(2, 0, HOUR, behind.epoch_ms + 60_000)]
    for facts in ([behind, right], [right, behind]):
        first, second = date_sessions(sessions, facts)
        assert first.started_at_ms is None and first.not_after_ms == NOON - HOUR - HOUR, "before boot 2, by the later clock"
        assert (second.dated, second.started_at_ms, second.clock_spread_ms) == ("measured", NOON - HOUR, 7 * DAY)
    first, second = date_sessions(sessions, [behind, right, ClockFact(2, 0, NOON - HOUR, HAND)])
    assert (second.dated, second.started_at_ms) == ("manual", NOON - HOUR)
    assert first.not_after_ms == NOON - 2 * HOUR, "also after a person settled it"
    late = SessionTiming(1, 0, HOUR, behind.epoch_ms + SYNC_MS + 1)
    assert date_sessions([late], [behind, right])[0].not_after_ms == late.received_at_ms - HOUR, "received in another sync"


def test_a_contradicted_fact_of_an_earlier_boot_only_widens_the_bounds() -> None:
    facts = [ClockFact(1, HOUR, NOON - 3 * DAY, HOST), ClockFact(1, 2 * HOUR, NOON, HOST)]
    dating = date_session(2, 0, 0, NOON + DAY, facts)
    assert (dating.dated, dating.not_before_ms) == ("bounded", NOON - 3 * DAY + HOUR), "boot 1 ran for two hours, by its earlier clock"


def test_impossible_facts_are_ignored() -> None:
    never_set = [ClockFact(3, 1_000, 5_000, HOST), ClockFact(3, 1_000, EPOCH_LAST_MS, HOST), ClockFact(3, -1, NOON, HOST)]
    assert date_session(3, 0, 0, NOON, never_set).dated == "undated"


boots = st.lists(st.tuples(st.integers(1, 30 * DAY), st.integers(0, 5 * DAY)), min_size=1, max_size=6)


@given(boots, st.data())
def test_true_facts_never_misdate(history: list[tuple[int, int]], data: st.DataObject) -> None:
    """Any generation of a device: boots of any length with any pauses, any instants of it known. The true facts date it correctly."""
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
    """Boots 1 and 3 have clock facts. The session of boot 2 is between their sessions, whatever else is known."""
    facts = [ClockFact(1, 0, NOON, HOST), ClockFact(3, 5 * HOUR, NOON + 3 * DAY, HOST)]
    boots_and_ticks = ((3, 6 * HOUR), (2, 0), (1, 2 * HOUR))
    sessions = [SessionTiming(boot, ticks, HOUR, NOON + 9 * DAY) for boot, ticks in boots_and_ticks]
    last, between, first = date_sessions(sessions, facts)
    assert (first.started_at_ms, last.started_at_ms) == (NOON + 2 * HOUR, NOON + 3 * DAY + HOUR)
    assert between.dated == "bounded" and between.not_before_ms == NOON + 3 * HOUR, "the first one had ended by then"
    assert between.not_after_ms == NOON + 3 * DAY - 6 * HOUR, "boot 3 began five hours before its fact, and it lasted one"
    alone = date_sessions(sessions[:2], facts[1:])[1]
    assert (alone.dated, alone.not_before_ms) == ("undated", None)


def test_a_clock_that_is_set_back_a_little_keeps_the_order() -> None:
    """Within the tolerance the nearest fact dates, but never a later session before an earlier one."""
    facts = [ClockFact(1, 0, NOON, HOST), ClockFact(1, HOUR, NOON + HOUR - TOLERANCE_MS, HOST)]
    ticks = [HOUR // 2 - 60_000, HOUR // 2 + 60_000, HOUR]
    starts = [dating.started_at_ms for dating in date_sessions([SessionTiming(1, at_ms, 0, NOON + DAY) for at_ms in ticks], facts)]
    assert starts == [NOON + ticks[0], NOON + HOUR // 2, NOON + HOUR - TOLERANCE_MS]
    across = [ClockFact(1, 0, NOON, HOST), ClockFact(2, 0, NOON - TOLERANCE_MS // 2, HOST)]
    first, second = date_sessions([SessionTiming(1, 0, 0, NOON + DAY), SessionTiming(2, 0, 0, NOON + DAY)], across)
    assert first.started_at_ms == NOON <= (second.started_at_ms or 0)


def test_a_manual_date_overrules_a_computer_with_a_wrong_year() -> None:
    """Boot 2 has a clock fact of 2031, and its session was received then. A true fact makes it undated; a manual date dates it."""
    wrong = at("2031-05-05 12:00")
    sessions = [SessionTiming(1, 0, HOUR, NOON), SessionTiming(2, 0, HOUR, wrong), SessionTiming(3, 0, HOUR, NOON + 5 * DAY)]
    facts = [ClockFact(1, 0, NOON - DAY, HOST), ClockFact(2, HOUR, wrong, HOST)]
    assert date_sessions(sessions[:2], facts)[1].started_at_ms == wrong - HOUR, "nothing contradicts it yet"
    facts.append(ClockFact(3, 0, NOON + 4 * DAY, HOST))
    first, second, third = date_sessions(sessions, facts)
    assert (first.dated, second.dated, third.dated) == ("measured", "bounded", "measured")
    assert second.not_before_ms is not None and second.not_before_ms <= NOON + 2 * DAY <= second.not_after_ms
    dated = date_sessions(sessions, [*facts, ClockFact(2, 0, NOON + 2 * DAY, HAND)])
    assert [dating.dated for dating in dated] == ["measured", "manual", "measured"] and dated[1].started_at_ms == NOON + 2 * DAY


def test_the_last_manual_date_counts() -> None:
    manual = [ClockFact(1, HOUR, NOON, HAND), ClockFact(1, HOUR, NOON + 3 * HOUR, HAND)]
    for facts in (manual, manual[::-1]):
        assert date_sessions([SessionTiming(1, HOUR, 0, NOON + DAY)], facts)[0].started_at_ms == facts[-1].epoch_ms


def test_manual_dates_out_of_order_are_not_both_used() -> None:
    """Older versions accepted these: by its manual date, boot 1 was after boot 2."""
    facts = [ClockFact(1, 0, NOON, HAND), ClockFact(2, 0, NOON - DAY, HAND)]
    first, second = date_sessions([SessionTiming(1, 0, HOUR, NOON + DAY), SessionTiming(2, 0, HOUR, NOON + DAY)], facts)
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
        lambda boot, ticks, length, late: SessionTiming(boot, ticks, length, NOON + boot * DAY + ticks + length + late),
        st.integers(1, 4), st.integers(0, DAY), st.integers(0, 2 * HOUR), SOME_MS,
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


@given(RECORDED, JUMPING_FACTS)
@settings(max_examples=400, deadline=None)
def test_no_clock_reorders_or_dates_outside_of_what_is_known(sessions: list[SessionTiming], facts: list[ClockFact]) -> None:
    datings = date_sessions(sessions, facts)
    in_order = sorted(zip(sessions, datings, strict=True), key=lambda pair: (pair[0].boot, pair[0].start_ticks_ms))
    starts = [dating.started_at_ms for _, dating in in_order if dating.started_at_ms is not None]
    assert starts == sorted(starts)
    facts = [fact for fact in facts if fact.is_plausible() and (fact.source == HAND or is_possible_clock(fact.epoch_ms))]
    settled = {fact.boot for fact in facts if fact.source == HAND}
    starts_of = {fact.boot: [other.boot_at_ms for other in facts if other.boot == fact.boot] for fact in facts}
    widest = max((max(starts) - min(starts) for starts in starts_of.values()), default=0)
    is_contradictory = widest > TOLERANCE_MS
    for taken, dating in in_order:
        latest = taken.received_at_ms - taken.duration_ms
        if dating.started_at_ms is None:
            assert dating.dated in ("bounded", "undated")
            assert dating.not_after_ms <= latest or dating.clock_spread_ms or is_contradictory, "only a contradiction widens it"
            assert dating.not_before_ms is None or dating.not_before_ms <= dating.not_after_ms
            assert (dating.not_before_ms is None) == (dating.dated == "undated")
            continue
        assert dating.dated == "manual" or (dating.dated == "measured" and dating.started_at_ms <= latest + widest + TOLERANCE_MS)
        assert any(fact.boot == taken.boot for fact in facts), "nothing is dated by other boots' facts"
        for fact in facts:
            if fact.boot > taken.boot and dating.dated == "measured" and fact.boot not in settled:
                last = max(other.boot_at_ms for other in facts if other.boot == fact.boot)
                assert dating.started_at_ms <= last + TOLERANCE_MS, "a later boot had begun"


@given(RECORDED, JUMPING_FACTS, st.randoms())
@settings(max_examples=100, deadline=None)
def test_dates_do_not_depend_on_the_order_of_arrival(sessions: list[SessionTiming], facts: list[ClockFact], chance) -> None:  # type: ignore[no-untyped-def]
    def dated(order: list[SessionTiming]) -> dict[SessionTiming, Dating]:
        return dict(zip(order, date_sessions(order, facts), strict=True))

    sessions = list({(taken.boot, taken.start_ticks_ms): taken for taken in sessions}.values())
    shuffled = list(sessions)
    chance.shuffle(shuffled)
    assert dated(shuffled) == dated(sessions)


STEADY_FACTS = st.lists(
    st.builds(
        lambda boot, ticks, drift: ClockFact(boot, ticks, NOON + boot * DAY + ticks + drift, HOST),
        st.integers(1, 9), st.integers(0, DAY // 2), st.integers(-2_000, 2_000),
    ),
    max_size=12,
)  # fmt: skip


@given(st.lists(RECORDED.map(lambda each: each[0]), max_size=10), st.one_of(JUMPING_FACTS, STEADY_FACTS), st.randoms())
@settings(max_examples=500, deadline=None)
def test_dating_only_what_changed_is_dating_everything(sessions: list[SessionTiming], facts: list[ClockFact], chance) -> None:  # type: ignore[no-untyped-def]
    arriving: list[SessionTiming | ClockFact] = [*sessions, *facts]
    arriving.sort(key=lambda each: (each.boot, chance.random()) if chance.random() < 0.9 else (chance.randint(1, 9), 0.0))
    here: list[SessionTiming] = []
    known: list[ClockFact] = []
    datings: list[Dating] = []
    cut = None
    for each in arriving:
        if isinstance(each, ClockFact):
            known.append(each)
        else:
            here.append(each)
            datings.append(Dating("undated", None, None, each.received_at_ms, 0))
        everything = date_and_cut(here, known)
        if cut is not None and each.boot >= cut.boot:
            recent = [n for n, taken in enumerate(here) if taken.boot >= cut.boot]
            found = date_from(cut, [here[n] for n in recent], [fact for fact in known if fact.boot >= cut.boot])
            if found is not None:
                for n, dating in zip(recent, found[0], strict=True):
                    datings[n] = dating
                assert (datings, found[1]) == everything
        datings, cut = everything


def test_clocks_that_agree_are_dated_from_the_last_boots_alone() -> None:
    facts = [ClockFact(boot, HOUR, NOON + boot * DAY + HOUR + boot % 3 * 500, HOST) for boot in range(1, 60)]
    sessions = [SessionTiming(boot, 0, HOUR, NOON + (boot + 1) * DAY) for boot in range(1, 60)]
    _, cut = date_and_cut(sessions[:-1], facts[:-1])
    assert cut is not None and cut.boot == 57
    found = date_from(cut, sessions[56:], facts[56:])
    assert found == (date_sessions(sessions, facts)[56:], date_and_cut(sessions, facts)[1])
    behind = ClockFact(59, HOUR, NOON, HOST)
    assert date_from(cut, sessions[56:], [*facts[56:], behind]) is None, "it changes what is before"
    early = ClockFact(59, HOUR, NOON + 40 * DAY, HOST)
    assert date_from(cut, sessions[56:], [*facts[56:58], early]) is None, "the boots before started earlier still"
    wrong = ClockFact(1, 0, NOON - DAY, HOST)
    _, with_wrong = date_and_cut(sessions[:-1], [wrong, *facts[:-1]])
    assert with_wrong == replace(cut, behind_until_ms=wrong.epoch_ms + HOUR)
    at_that_time = replace(cut, behind_until_ms=sessions[58].received_at_ms)
    assert date_from(at_that_time, sessions[56:], facts[56:]) is None, "received with the clock that was behind"
