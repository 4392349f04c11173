"""When sessions were: exactly where facts tell, bounded where they only hint, never silently wrong."""

from hypothesis import given
from hypothesis import strategies as st
from logs import at
from retrostep.archive.dating import EPOCH_LAST_MS, TOLERANCE_MS, ClockFact, date_session

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
