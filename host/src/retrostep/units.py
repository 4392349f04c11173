"""Numbers as people read them: durations, moments, counts, sizes, limits and alerts. Every text of Retrostep uses these functions.

This module and `plain_text` import nothing else of Retrostep, so that every part may use them.
"""

from datetime import UTC, datetime

from retrostep_core.code_names import ALERT_NAMES, SEVERITY_NAMES
from retrostep_core.codes import CEILING, COLD_START, RAMP, SESSION_LIMIT

_PRECISE_MS = 9_950
"""Durations below this are shown to 0.1 s, longer ones to 1 s."""


def duration(ms: int) -> str:
    """A length of time in a sentence: `2.5 s`, `45 s`, `7 min 30 s`, `1 h 5 min`. To 0.1 s below 10 s, then 1 s, from 1 h on 1 min."""
    if ms < _PRECISE_MS:
        return f"{round(ms / 1_000, 1):g} s"
    minutes, seconds = divmod(_whole_seconds(ms), 60)
    if not minutes:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod((_whole_seconds(ms) + 30) // 60, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def clock(ms: int) -> str:
    """A length of time, or a time within a session, in a table: `7:05`, `1:02:03`. To 1 s."""
    minutes, seconds = divmod(_whole_seconds(ms), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def local_time(at_ms: int) -> str:
    """A moment in local time, to the minute: `2026-11-20 17:30`."""
    return datetime.fromtimestamp(at_ms / 1_000).strftime("%Y-%m-%d %H:%M")


def local_date(at_ms: int) -> str:
    """The local date of a moment: `2026-11-20`."""
    return datetime.fromtimestamp(at_ms / 1_000).date().isoformat()


def utc(at_ms: int | None) -> str | None:
    """A moment for other programs: ISO 8601 in UTC, to 1 ms."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def count(number: int, noun: str) -> str:
    """`1 session`, `2 sessions`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def damage_text(unreadable_bytes: int, lost_records: int) -> str:
    """What is damaged in a log: `34 unreadable bytes, 2 records lost`. A zero is left out."""
    parts = ((unreadable_bytes, "unreadable byte", ""), (lost_records, "record", " lost"))
    return ", ".join(count(number, noun) + more for number, noun, more in parts if number)


def kilobytes(number: int) -> str:
    """A number of bytes: `12.3 KB`."""
    return f"{number / 1_024:.1f} KB"


def cadence(spm_x10: int) -> str:
    """A cadence that is stored in 0.1 steps a minute: `172 steps a minute`."""
    return f"{(spm_x10 + 5) // 10} steps a minute"


def quantity(value: float, unit: str) -> str:
    """A rule's measured value or limit in the unit that people use: `5 min`, `15 %`, `1 alert`, `3 of 10`."""
    if unit == "s":
        return duration(round(value * 1_000))
    number = f"{round(value, 1):.12g}" if unit != "ratio" else f"{round(value, 2):.12g}"
    if unit in ("", "ratio"):
        return number
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}"


def alert_value(kind: int, value: int) -> float:
    """An alert's number in `alert_unit`; the log and the engine count percent and cadence in tenths (FORMATS.md, record ALERT)."""
    return value / 10 if kind in (RAMP, CEILING) else value


def alert_unit(kind: int) -> str:
    """The unit of an alert's numbers."""
    return {RAMP: "%", CEILING: "steps/min"}.get(kind, "s")


def alert_text(kind: int, severity: int, measured: int, limit: int) -> str:
    """An alert in a line: `stop: cadence_ramp: rose 17.2 %; stop from 15 %`. Codes of a newer device are shown as numbers."""
    level = named(SEVERITY_NAMES, severity)
    shown = [quantity(alert_value(kind, value), alert_unit(kind)) for value in (measured, limit)]
    words = {
        RAMP: f"rose {shown[0]}; {level} from {shown[1]}",
        COLD_START: f"{shown[0]} of warm-up; {level} below {shown[1]}",
        SESSION_LIMIT: f"{shown[0]} backward; {level} from {shown[1]}",
    }
    return f"{level}: {named(ALERT_NAMES, kind)}: {words.get(kind, f'{shown[0]}; {level} from {shown[1]}')}"


def named(names: tuple[str, ...], code: int) -> str:
    """The name of a code; a code from a newer device is shown as its number."""
    return names[code] if 0 <= code < len(names) else str(code)


def _whole_seconds(ms: int) -> int:
    """The one rounding of durations: to the nearest second, halves up."""
    return (ms + 500) // 1_000
