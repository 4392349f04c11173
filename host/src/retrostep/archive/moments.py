"""Moments, as the archive stores them: milliseconds since 1970, UTC."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """The current time of this computer, in ms since 1970, UTC."""
    return time.time_ns() // 1_000_000


def to_ms(moment: datetime) -> int:
    """`moment` in ms since 1970, UTC. ValueError where it has no time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000)
