"""When a session took place: from clock facts of the same device and boot, or bounded by those of other boots. Never guessed.

A board knows the milliseconds since it started and how often it has started. A clock fact ties such an instant to UTC.

1. A manual date counts, whatever computers report: a person can always date a session.
2. Within a boot, the nearest clock fact dates a session.
3. Facts of earlier and later boots bound it, since boots follow each other. So does the moment when its log was received.
4. Clocks of hosts fall behind (a flat battery, no network) and are put right. Where the last fact of a boot shows earlier ones to be
   behind, it dates the sessions of that boot, and their clock spread says by how much the facts differ.
5. Where facts contradict each other otherwise, the session stays undated, with bounds wide enough for every fact, until a manual date
   settles it. A contradicted fact never narrows the bounds of another session, and nor does the time of a receipt that took place
   with that clock.
6. Sessions are put into the order in which the device recorded them: none is dated before an earlier one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from retrostep_core.codes import CLOCK_BY_HAND

TOLERANCE_MS = 600_000
"""Facts that differ by no more (10 minutes) do not contradict each other: clocks of hosts differ, those of boards drift. An engineering
number."""

SYNC_MS = 3_600_000
"""A log that was received within so long of a clock fact (1 hour) was received in the same sync. An engineering number."""

EPOCH_FIRST_MS = 1_577_836_800_000
"""2020-01-01 UTC. A clock that shows an earlier time was never set."""

FIRST_HOST_MS = 1_767_225_600_000
"""2026-01-01 UTC. No computer had this program before. Computers without a battery for their clock start in 1970, or a bit later."""

EPOCH_LAST_MS = 4_102_444_800_000
"""2100-01-01 UTC."""

TICKS_LAST_MS = 1 << 45
"""More milliseconds since start than any board runs (1 000 years)."""


def is_possible_clock(at_ms: int) -> bool:
    """Whether the clock of a computer that runs this program can have shown that moment, if it was right."""
    return FIRST_HOST_MS <= at_ms < EPOCH_LAST_MS


def has_latest_start(not_after_ms: int, duration_ms: int) -> bool:
    """Whether a session's latest start bounds anything. It does not where the clock was wrong when the log was received."""
    return not_after_ms + duration_ms < EPOCH_LAST_MS


class ClockFact(NamedTuple):
    """At `ticks_ms` of boot `boot` it was `epoch_ms` (UTC since 1970); `source` as in FORMATS.md, "Codes"."""

    boot: int
    ticks_ms: int
    epoch_ms: int
    source: int

    @property
    def boot_at_ms(self) -> int:
        """When the board started, by this fact."""
        return self.epoch_ms - self.ticks_ms

    def is_plausible(self) -> bool:
        """Whether the fact is possible at all."""
        return EPOCH_FIRST_MS <= self.epoch_ms < EPOCH_LAST_MS and 0 <= self.ticks_ms < TICKS_LAST_MS


class Dating(NamedTuple):
    """When a session started: `started_at_ms`, or None with the known bounds. `dated` is measured, manual, bounded or undated."""

    dated: str
    started_at_ms: int | None
    not_before_ms: int | None
    not_after_ms: int
    clock_spread_ms: int

    @property
    def placed_at_ms(self) -> int:
        """The start, or the latest possible one."""
        return self.not_after_ms if self.started_at_ms is None else self.started_at_ms


class SessionTiming(NamedTuple):
    """The times of one session by its log: boot, start in ticks of that boot, length; and when the log was received."""

    boot: int
    start_ticks_ms: int
    duration_ms: int
    received_at_ms: int


@dataclass(frozen=True)
class Cut:
    """What the sessions and facts of the boots before `boot` mean for those from it on, so that these can be dated alone.

    started_ms       the earliest start of a boot, by the facts from `boot` on
    ran_until_ms     when one of the boots before still ran; None where no fact of them is known
    reached_ms       the start of the last dated session before; None where none is dated
    ended_ms         the end of the dated sessions before
    behind_until_ms  a log that arrived until then may have been received with a clock that was behind
    """

    boot: int
    started_ms: int
    ran_until_ms: int | None
    reached_ms: int | None
    ended_ms: int
    behind_until_ms: int


def date_sessions(sessions: Sequence[SessionTiming], facts: Sequence[ClockFact]) -> list[Dating]:
    """The datings of all sessions of one generation of a device, in the order given. `facts` are in the order they were learned in."""
    return _date(_KnownFacts(facts), sessions, None)[0]


def date_and_cut(sessions: Sequence[SessionTiming], facts: Sequence[ClockFact]) -> tuple[list[Dating], Cut | None]:
    """As `date_sessions`, with the cut from which the next ones can be dated; None while fewer than two boots have facts."""
    return _date(_KnownFacts(facts), sessions, None)


def date_from(cut: Cut, sessions: Sequence[SessionTiming], facts: Sequence[ClockFact]) -> tuple[list[Dating], Cut | None] | None:
    """As `date_and_cut`, where only the sessions and facts from `cut.boot` on are given, and nothing before changed since the cut.

    None where that is not enough: with the facts that are known now, what is before the cut must be dated again too.
    """
    known = _KnownFacts(facts, cut)
    return _date(known, sessions, cut) if known.is_enough(sessions) else None


def _date(known: "_KnownFacts", sessions: Sequence[SessionTiming], cut: Cut | None) -> tuple[list[Dating], Cut | None]:
    datings = [known.dating(each) for each in sessions]
    recorded = sorted(range(len(sessions)), key=lambda n: (sessions[n].boot, sessions[n].start_ticks_ms))
    latest_ms = [known.over_by(each.received_at_ms) - each.duration_ms for each in sessions]
    _keep_order(sessions, datings, recorded, latest_ms, cut)
    _bound_by_next(sessions, datings, recorded)
    return datings, known.next_cut([(sessions[n], datings[n]) for n in recorded])


def date_session(boot: int, start_ticks_ms: int, duration_ms: int, received_at_ms: int, facts: Sequence[ClockFact]) -> Dating:
    """The dating of one session by `facts` of its device. It was over at `received_at_ms`, by the clock of the host that received it."""
    return _KnownFacts(facts).dating(SessionTiming(boot, start_ticks_ms, duration_ms, received_at_ms))


class _KnownFacts:
    """The clock facts of one generation of a device, prepared for many sessions. With `cut`: those from its boot on."""

    def __init__(self, facts: Sequence[ClockFact], cut: Cut | None = None) -> None:
        self._cut = cut
        possible = [fact for fact in facts if fact.is_plausible() and (fact.source == CLOCK_BY_HAND or is_possible_clock(fact.epoch_ms))]
        self._by_boot = _by_boot(_without_overruled(possible))
        self._boots = sorted(self._by_boot)
        started, running = [], []
        for boot in self._boots:
            known = self._by_boot[boot]
            first, last = min(fact.boot_at_ms for fact in known), max(fact.boot_at_ms for fact in known)
            is_contradictory = last - first > TOLERANCE_MS
            started.append(last if is_contradictory else first)
            running.append(first + max(fact.ticks_ms for fact in known) if is_contradictory else max(fact.epoch_ms for fact in known))
        self._running = running
        # Up to each boot: the latest moment at which one of the boots ran. From each boot on: the earliest start.
        self._ran_until = list(accumulate(running, max))
        self._started_from = list(accumulate(reversed(started), min))[::-1]
        self._possible = _by_boot(possible)
        self._behind = list(_clocks_behind(self._possible.values()))

    def dating(self, session: SessionTiming) -> Dating:
        """The dating of one session, whatever is known of the others."""
        own = self._by_boot.get(session.boot, [])
        manual = [fact for fact in own if fact.source == CLOCK_BY_HAND]
        if manual:
            return _exact("manual", _start(manual, session.start_ticks_ms), 0)
        latest = self.over_by(session.received_at_ms) - session.duration_ms
        before = self._before(session.boot, session.received_at_ms)
        following = bisect_right(self._boots, session.boot)
        after = latest
        if following < len(self._boots):
            after = min(latest, self._started_from[following] - session.duration_ms)
        if own:
            starts = [fact.boot_at_ms + session.start_ticks_ms for fact in own]
            if len(own) == 1:  # as below, in less time
                start, spread, right_spread = max(0, starts[0]), 0, 0
            else:
                right = _without_behind(own)
                start, spread, right_spread = _start(right, session.start_ticks_ms), _spread(own), _spread(right)
            contradiction = max(right_spread, start - after, 0 if before is None else before - start)
            if contradiction <= TOLERANCE_MS:
                return _exact("measured", start, spread)
            contradiction = max(spread, contradiction)
            # Bounds that hold every fact.
            floor = min([*starts, after, latest] if before is None else [*starts, after, latest, before])
            return Dating("bounded", None, floor, max(latest, *starts), contradiction)
        if before is None:
            return Dating("undated", None, None, after, 0)
        if before > after + TOLERANCE_MS:
            return Dating("bounded", None, min(before, after), latest, before - after)
        return Dating("bounded", None, min(before, after), after, 0)

    def over_by(self, received_at_ms: int) -> int:
        """When a session was over at the latest: at the receipt of its log, or later if other facts show that clock to be behind."""
        if not self._behind:
            return received_at_ms
        return received_at_ms + max((behind for at_ms, behind in self._behind if abs(at_ms - received_at_ms) <= SYNC_MS), default=0)

    def is_enough(self, sessions: Sequence[SessionTiming]) -> bool:
        """Whether the sessions can be dated without what is before the cut, and what is before it stays as it was dated."""
        if self._cut is None or self._behind or not self._boots or self._started_from[0] != self._cut.started_ms:
            return False
        for each in sessions:
            ran_until = self._ran_before(each.boot)
            if each.received_at_ms <= self._cut.behind_until_ms or (ran_until or 0) > each.received_at_ms + TOLERANCE_MS:
                return False
        return True

    def next_cut(self, dated: Sequence[tuple[SessionTiming, Dating]]) -> Cut | None:
        """The cut at the last boot but one that has facts, from the dated sessions in the order of their recording."""
        if len(self._boots) < 2:
            return None
        boot, cut = self._boots[-2], self._cut
        reached, ended = (None, EPOCH_FIRST_MS) if cut is None else (cut.reached_ms, cut.ended_ms)
        for taken, dating in dated:
            if taken.boot < boot and dating.started_at_ms is not None:
                reached, ended = dating.started_at_ms, max(ended, dating.started_at_ms + taken.duration_ms)
        behind = _clocks_behind(known for earlier, known in self._possible.items() if earlier < boot)
        until = max((at_ms + SYNC_MS for at_ms, _ in behind), default=0)
        return Cut(
            boot, self._started_from[-2], self._ran_before(boot), reached, ended, max(until, 0 if cut is None else cut.behind_until_ms)
        )

    def _ran_before(self, boot: int) -> int | None:
        """The latest moment at which one of the boots before `boot` ran, by all facts; None where no fact of them is known."""
        earlier = bisect_left(self._boots, boot)
        known = [] if self._cut is None or self._cut.ran_until_ms is None else [self._cut.ran_until_ms]
        return max([*known, *self._ran_until[earlier - 1 : earlier]] if earlier else known, default=None)

    def _before(self, boot: int, received_at_ms: int) -> int | None:
        """A moment at which an earlier boot still ran; None where none is known."""
        # It cannot be later than the arrival of this log: a host's clock was ahead then.
        last = received_at_ms + TOLERANCE_MS
        ran_until = self._ran_before(boot)
        if ran_until is None or ran_until <= last:
            return ran_until
        earlier = bisect_left(self._boots, boot)
        facts = (fact.epoch_ms for known in self._boots[:earlier] for fact in self._by_boot[known])
        return max((at_ms for at_ms in (*self._running[:earlier], *facts) if at_ms <= last), default=None)


def _by_boot(facts: Sequence[ClockFact]) -> dict[int, list[ClockFact]]:
    by_boot: dict[int, list[ClockFact]] = {}
    for fact in facts:
        by_boot.setdefault(fact.boot, []).append(fact)
    return by_boot


def _clocks_behind(facts_of_boots: Iterable[list[ClockFact]]) -> Iterator[tuple[int, int]]:
    """(moment, by how much) of every fact that another fact of the same boot shows to be behind."""
    for known in facts_of_boots:
        last = max(fact.boot_at_ms for fact in known)
        yield from ((fact.epoch_ms, last - fact.boot_at_ms) for fact in known if last - fact.boot_at_ms > TOLERANCE_MS)


def _keep_order(
    sessions: Sequence[SessionTiming], datings: list[Dating], recorded: Sequence[int], latest_ms: Sequence[int], cut: Cut | None
) -> None:
    """Let no session be dated before one that was recorded earlier: move it by up to the tolerance, or leave it undated."""
    reached, ended = (None, EPOCH_FIRST_MS) if cut is None else (cut.reached_ms, cut.ended_ms)
    for n in recorded:
        dating, start, latest = datings[n], datings[n].started_at_ms, latest_ms[n]
        if start is None:
            if reached is not None and not dating.clock_spread_ms and ended <= dating.not_after_ms:
                floor = ended if dating.not_before_ms is None else max(ended, dating.not_before_ms)
                datings[n] = dating._replace(dated="bounded", not_before_ms=floor)
            continue
        if reached is not None and start < reached:
            early = reached - start
            if early > TOLERANCE_MS or (dating.dated != "manual" and reached > latest + TOLERANCE_MS):
                datings[n] = Dating("bounded", None, min(start, latest), max(start, latest), early)
                continue
            datings[n] = _exact(dating.dated, reached, max(early, dating.clock_spread_ms))
        reached = datings[n].placed_at_ms
        ended = max(ended, reached + sessions[n].duration_ms)


def _bound_by_next(sessions: Sequence[SessionTiming], datings: list[Dating], recorded: Sequence[int]) -> None:
    """Let every undated session end before the next dated one starts."""
    following: int | None = None
    for n in reversed(recorded):
        dating = datings[n]
        if dating.started_at_ms is not None:
            following = dating.started_at_ms
        elif following is not None and not dating.clock_spread_ms:
            last = min(dating.not_after_ms, following - sessions[n].duration_ms)
            if dating.not_before_ms is None or last >= dating.not_before_ms:
                datings[n] = dating._replace(not_after_ms=last)


def _without_overruled(facts: Sequence[ClockFact]) -> list[ClockFact]:
    """The facts that no manual date contradicts. The last manual date of a boot is right."""
    manual = {fact.boot: fact.boot_at_ms for fact in facts if fact.source == CLOCK_BY_HAND}
    return [fact for fact in facts if abs(fact.boot_at_ms - manual.get(fact.boot, fact.boot_at_ms)) <= TOLERANCE_MS]


def _without_behind(facts: Sequence[ClockFact]) -> list[ClockFact]:
    """The facts of one boot, without those whose clock was behind and was corrected before the last one."""
    last = max(facts, key=lambda fact: (fact.ticks_ms, -fact.epoch_ms))
    return [fact for fact in facts if last.boot_at_ms - fact.boot_at_ms <= TOLERANCE_MS]


def _spread(facts: Sequence[ClockFact]) -> int:
    """By how much facts of one boot differ, in ms."""
    starts = [fact.boot_at_ms for fact in facts]
    return max(starts) - min(starts)


def _start(facts: Sequence[ClockFact], ticks_ms: int) -> int:
    """When it was `ticks_ms`, by the nearest of the facts of that boot. The result rises with `ticks_ms`, even where facts differ."""
    by_ticks: dict[int, ClockFact] = {fact.ticks_ms: fact for fact in facts}
    ordered = [by_ticks[ticks] for ticks in sorted(by_ticks)]
    reached = 0
    for fact, following in zip(ordered, ordered[1:], strict=False):
        middle = (fact.ticks_ms + following.ticks_ms) // 2
        if ticks_ms <= middle:
            return max(reached, fact.boot_at_ms + ticks_ms)
        reached = max(reached, fact.boot_at_ms + middle)
    return max(reached, ordered[-1].boot_at_ms + ticks_ms)


def _exact(dated: str, start_ms: int, spread_ms: int) -> Dating:
    return Dating(dated, start_ms, start_ms, start_ms, spread_ms)
