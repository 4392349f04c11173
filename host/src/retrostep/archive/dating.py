"""When a session was: told from clock facts of the same device and boot, or bounded by those of other boots, never guessed.

A board knows milliseconds since it started and how often it has started. A clock fact ties such an instant to UTC. Within a boot the
nearest fact dates a session. Facts of earlier and later boots bound it: boots follow each other. Where facts contradict each other
(a host's clock was wrong, a board was erased and counts its boots anew) the session is left undated, with bounds wide enough for every
statement, until somebody says by hand when it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


def date_session(boot: int, start_ticks_ms: int, duration_ms: int, received_at_ms: int, facts: Sequence[ClockFact]) -> Dating:
    """Date one session by `facts` of its device; a session that was received at `received_at_ms` had ended by then."""
    facts = [fact for fact in facts if fact.is_plausible()]
    latest = received_at_ms - duration_ms
    own = [fact for fact in facts if fact.boot == boot]
    by_hand = [fact for fact in own if fact.source == BY_HAND and fact.boot_at_ms + start_ticks_ms <= latest + TOLERANCE_MS]
    if by_hand:
        # Somebody who says when it was settles every contradiction.
        nearest = min(by_hand, key=lambda fact: (abs(fact.ticks_ms - start_ticks_ms), fact.epoch_ms))
        return _exactly("manual", nearest.boot_at_ms + start_ticks_ms, 0)

    # An earlier boot cannot have seen a later time than this session's arrival: that host's clock was ahead.
    before = max((fact.epoch_ms for fact in facts if fact.boot < boot and fact.epoch_ms <= received_at_ms + TOLERANCE_MS), default=None)
    after = min((fact.boot_at_ms - duration_ms for fact in facts if fact.boot > boot), default=latest)
    after = min(after, latest)
    if own:
        starts = [fact.boot_at_ms + start_ticks_ms for fact in own]
        spread = max(starts) - min(starts)
        nearest = min(own, key=lambda fact: (abs(fact.ticks_ms - start_ticks_ms), fact.epoch_ms))
        start = nearest.boot_at_ms + start_ticks_ms
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


def _exactly(dated: str, start_ms: int, spread_ms: int) -> Dating:
    return Dating(dated, start_ms, start_ms, start_ms, spread_ms)
