"""The values in entries of the journal: a wrong one raises ValueError, so that the entry is counted as damaged."""

BEGINNING_MS = 0
"""The start of an assignment that reaches back to the device's first session."""

LAST_MOMENT_MS = 1 << 43
"""In 2248. Every moment in the journal is earlier."""

MAX_LIMIT = 1e6
"""Every limit of a rule is smaller, in any unit."""


def text(value: object) -> str:
    """A text that the store can hold."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    value.encode()  # UnicodeEncodeError, a ValueError, for half a surrogate pair: the store cannot hold it
    return value.replace("\0", "\\x00")  # which PostgreSQL cannot hold


def storable(typed: str) -> str:
    """`typed` as every database can hold it: bytes of the command line that are not UTF-8, and NUL, are written as their codes."""
    return typed.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def integer(value: object) -> int:
    """An integer that the store can hold."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 62:
        raise ValueError("not an integer that the store can hold")
    return value


def moment(value: object) -> int:
    """A moment in ms since 1970 that has a date in every time zone."""
    at_ms = integer(value)
    if not BEGINNING_MS <= at_ms < LAST_MOMENT_MS:
        raise ValueError("not a moment that has a date in every time zone")
    return at_ms


def optional_moment(value: object) -> int | None:
    """As `moment`; None stays None."""
    return None if value is None else moment(value)


def zero_to_ten(value: object) -> int:
    """A pain or an exertion."""
    number = integer(value)
    if not 0 <= number <= 10:
        raise ValueError("not from 0 to 10")
    return number


def limit(value: object) -> float:
    """A limit of a rule."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < MAX_LIMIT:
        raise ValueError("not a limit")
    return float(value)
