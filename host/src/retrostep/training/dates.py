"""The coach's calendar: local dates of this computer, as day numbers (`date.toordinal`)."""

from datetime import date, datetime, time
from functools import lru_cache


def day_of(at_ms: int) -> int:
    """The local date of a moment."""
    return datetime.fromtimestamp(at_ms / 1_000).toordinal()


def day_start_ms(day: int) -> int:
    """When a local date begins; days are 23 or 25 hours long where the clocks change."""
    return int(datetime.combine(date.fromordinal(day), time.min).timestamp() * 1_000)


def today() -> date:
    """The local date now."""
    return datetime.now().date()


@lru_cache(maxsize=1_000)
def day_text(day: int) -> str:
    """`2026-11-22`."""
    return date.fromordinal(day).isoformat()


def span_text(ms: int) -> str:
    """A duration as people say it: `45 s`, `7 min 30 s`, `1 h 5 min`."""
    seconds = (ms + 500) // 1_000
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
