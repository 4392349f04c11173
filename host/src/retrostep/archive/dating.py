"""When a session was: told from clock facts of the same device and boot, or bounded by those of other boots, never guessed.

A board knows milliseconds since it started and how often it has started. A clock fact ties such an instant to UTC. Within a boot the
nearest fact dates a session. Facts of earlier and later boots bound it: boots follow each other. Where facts contradict each other (a
host's clock was wrong) the session is left undated, with bounds wide enough for every statement, until somebody says by hand when it
was. Whatever clocks say, no dated session comes before one that the device recorded earlier.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrostep_core.log.records import BY_HAND

TOLERANCE_MS = 600_000
"""Contradictions up to this (10 minutes: host clocks differ, boards' clocks drift) leave a date standing. An engineering number."""

EPOCH_FIRST_MS = 1_577_836_800_000
"""2020-01-01 UTC: a clock that says less was never set."""

EPOCH_LAST_MS = 4_102_444_800_000
"""2100-01-01 UTC."""

TICKS_LAST_MS = 1 << 45
"""More milliseconds since start than any board runs (1 000 years)."""


@dataclass(frozen=True)
class ClockFact:
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
        """Whether it can be true at all."""
        return EPOCH_FIRST_MS <= self.epoch_ms < EPOCH_LAST_MS and 0 <= self.ticks_ms < TICKS_LAST_MS


@dataclass(frozen=True)
class Dating:
    """When a session started: `started_at_ms`, or None with the bounds that are known. `dated`: measured, manual, bounded, undated."""

    dated: str
    started_at_ms: int | None
    not_before_ms: int | None
    not_after_ms: int
    clock_spread_ms: int

    @property
    def placed_at_ms(self) -> int:
        """The start, or the latest it can have been."""
        return self.not_after_ms if self.started_at_ms is None else self.started_at_ms


@dataclass(frozen=True)
class Taken:
    """What a log tells of its session's time: its boot, its start in ticks of it, how long it was; and when the log was received."""

    boot: int
    start_ticks_ms: int
    duration_ms: int
    received_at_ms: int

    @property
    def latest_ms(self) -> int:
        """It had ended when it was received."""
        return self.received_at_ms - self.duration_ms


def date_sessions(sessions: Sequence[Taken], facts: Sequence[ClockFact]) -> list[Dating]:
    """Date all sessions of one life of a device, in the order given, by `facts` in the order in which they came to be known."""
    facts = _settled([fact for fact in facts if fact.is_plausible()])
    datings = [date_session(taken.boot, taken.start_ticks_ms, taken.duration_ms, taken.received_at_ms, facts) for taken in sessions]
    in_order = sorted(range(len(sessions)), key=lambda n: (sessions[n].boot, sessions[n].start_ticks_ms))
    reached: int | None = None
    ended = EPOCH_FIRST_MS
    for n in in_order:
        dating, start = datings[n], datings[n].started_at_ms
        if start is None:
            if reached is not None and not dating.clock_spread_ms and ended <= dating.not_after_ms:
                floor = ended if dating.not_before_ms is None else max(ended, dating.not_before_ms)
                datings[n] = replace(dating, dated="bounded", not_before_ms=floor)
            continue
        if reached is not None and start < reached:
            early = reached - start
            if early <= TOLERANCE_MS and reached <= sessions[n].latest_ms + TOLERANCE_MS:
                datings[n] = _exactly(dating.dated, reached, max(early, dating.clock_spread_ms))
            else:
                datings[n] = Dating("bounded", None, min(start, sessions[n].latest_ms), sessions[n].latest_ms, early)
                continue
        reached = datings[n].placed_at_ms
        ended = max(ended, reached + sessions[n].duration_ms)
    following: int | None = None
    for n in reversed(in_order):
        dating = datings[n]
        if dating.started_at_ms is not None:
            following = dating.started_at_ms
        elif following is not None and not dating.clock_spread_ms:
            last = min(dating.not_after_ms, following - sessions[n].duration_ms)
            if dating.not_before_ms is None or last >= dating.not_before_ms:
                datings[n] = replace(dating, not_after_ms=last)
    return datings


def date_session(boot: int, start_ticks_ms: int, duration_ms: int, received_at_ms: int, facts: Sequence[ClockFact]) -> Dating:
    """Date one session by `facts` of its device; a session that was received at `received_at_ms` had ended by then."""
    facts = _settled([fact for fact in facts if fact.is_plausible()])
    latest = received_at_ms - duration_ms
    own = [fact for fact in facts if fact.boot == boot]
    by_hand = [fact for fact in own if fact.source == BY_HAND and fact.boot_at_ms + start_ticks_ms <= latest + TOLERANCE_MS]
    if by_hand:
        return _exactly("manual", _start(by_hand, start_ticks_ms), 0)

    # An earlier boot cannot have seen a later time than this session's arrival: that host's clock was ahead.
    before = max((fact.epoch_ms for fact in facts if fact.boot < boot and fact.epoch_ms <= received_at_ms + TOLERANCE_MS), default=None)
    after = min((fact.boot_at_ms - duration_ms for fact in facts if fact.boot > boot), default=latest)
    after = min(after, latest)
    if own:
        starts = [fact.boot_at_ms + start_ticks_ms for fact in own]
        spread = max(starts) - min(starts)
        start = _start(own, start_ticks_ms)
        sound = spread <= TOLERANCE_MS and start <= after + TOLERANCE_MS and (before is None or start >= before - TOLERANCE_MS)
        if sound:
            return _exactly("measured", start, spread)
        # Everything that was stated, except that nothing is received before it happened.
        floor = min([*starts, after, latest] if before is None else [*starts, after, latest, before])
        return Dating("bounded", None, floor, latest, spread)
    if before is None:
        return Dating("undated", None, None, after, 0)
    if before > after + TOLERANCE_MS:
        return Dating("bounded", None, min(before, after), latest, before - after)
    return Dating("bounded", None, min(before, after), after, 0)


def _settled(facts: list[ClockFact]) -> list[ClockFact]:
    """`facts` without those that somebody has contradicted by hand: the last who says when a boot was settles it."""
    said = {fact.boot: fact.boot_at_ms for fact in facts if fact.source == BY_HAND}
    return [fact for fact in facts if abs(fact.boot_at_ms - said.get(fact.boot, fact.boot_at_ms)) <= TOLERANCE_MS]


def _start(facts: Sequence[ClockFact], ticks_ms: int) -> int:
    """When it was `ticks_ms`, by the nearest of the facts of that boot; what comes later is never said to have been earlier."""
    by_ticks: dict[int, ClockFact] = {fact.ticks_ms: fact for fact in facts}
    ordered = [by_ticks[ticks] for ticks in sorted(by_ticks)]
    reached = 0
    for fact, following in zip(ordered, ordered[1:], strict=False):
        middle = (fact.ticks_ms + following.ticks_ms) // 2
        if ticks_ms <= middle:
            return max(reached, fact.boot_at_ms + ticks_ms)
        reached = max(reached, fact.boot_at_ms + middle)
    return max(reached, ordered[-1].boot_at_ms + ticks_ms)


def _exactly(dated: str, start_ms: int, spread_ms: int) -> Dating:
    return Dating(dated, start_ms, start_ms, start_ms, spread_ms)
