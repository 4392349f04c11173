"""Local dates of this computer, as day numbers (`date.toordinal`)."""

from datetime import date, datetime, time
from functools import lru_cache


def day_of(at_ms: int) -> int:
    """The day number of a moment, in local time."""
    return datetime.fromtimestamp(at_ms / 1_000).toordinal()


def day_start_ms(day: int) -> int:
    """The moment at which a local day begins. A day has 23 or 25 hours when the clocks change."""
    return int(datetime.combine(date.fromordinal(day), time.min).timestamp() * 1_000)


def today() -> date:
    """Today's local date."""
    return datetime.now().date()


@lru_cache(maxsize=1_000)
def day_text(day: int) -> str:
    """`2026-11-22`."""
    return date.fromordinal(day).isoformat()


def weekday(day: int) -> str:
    """`Sun`, in English whatever the locale is."""
    return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[date.fromordinal(day).weekday()]
