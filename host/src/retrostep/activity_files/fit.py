"""FIT activities, read frame by frame with fitdecode, so that a file with millions of messages takes no memory for them.

Cadence is in strides a minute of one leg, with its fraction in `fractional_cadence`. In files that Retrostep exported, developer fields of
the laps carry the direction; their laps are its bouts.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import fitdecode
from retrostep_core.codes import BACKWARD, FORWARD, UNKNOWN
from retrostep_core.log.decoded import Bout

from retrostep.activity_files.track import MAX_POINTS, Point, Track, plausible, steps_per_value
from retrostep.archive.imported import MAX_BOUTS
from retrostep.errors import DamagedFile, RetrostepError, UnusableActivity

_MAX_FRAMES = 2 * MAX_POINTS
_MAX_DEFINITIONS = 5_000
_MAX_SESSIONS = 100
_MAX_EVENTS = 20_000
_MAX_BYTES = 12_000_000
"""A day with a point each second takes 9 MB. The library reads about 1 MB a second."""

_OWN_UNITS = "1 forward, -1 backward"
"""The units of our own developer field `direction`, by which it is known."""

_DIRECTIONS = {1: FORWARD, -1: BACKWARD}

_DECODING_ERRORS = (fitdecode.FitError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, struct.error)
"""What fitdecode raises for bytes that are not FIT: its own errors, and those of the code that it does not guard."""


@dataclass
class _Read:
    """The messages of a file that matter; all but records as dicts of their values."""

    kind: str = ""
    sessions: list[dict[str, Any]] = field(default_factory=list)
    laps: list[dict[str, Any]] = field(default_factory=list)
    records: list[tuple[int, float | None]] = field(default_factory=list)
    """Time in ms since 1970, and cadence."""
    events: list[dict[str, Any]] = field(default_factory=list)


_WANTED = {
    "file_id": ("type",),
    "session": (
        *("start_time", "timestamp", "total_elapsed_time", "total_timer_time", "sport"),
        *("avg_cadence", "avg_running_cadence", "avg_fractional_cadence"),
    ),
    "lap": (
        *("start_time", "total_elapsed_time", "total_cycles", "total_strides", "total_fractional_cycles"),
        *("avg_cadence", "avg_running_cadence", "avg_fractional_cadence"),
        *("max_cadence", "max_running_cadence", "max_fractional_cadence"),
    ),
    "record": ("timestamp", "cadence", "fractional_cadence"),
    "event": ("timestamp", "event", "event_type"),
}


def read_fit(data: bytes) -> list[Track | RetrostepError]:
    """The activities in a FIT file, in order; for one that cannot be used, why not.

    Raises DamagedFile where the file is cut or damaged, UnusableActivity where it holds no activity.
    """
    read = _Read()
    try:
        for frame in _frames(data):
            _take(read, frame)
    except _DECODING_ERRORS as error:
        raise DamagedFile("it is a damaged FIT file: it was cut, or its bytes changed") from error
    if read.kind not in ("activity", ""):
        raise UnusableActivity(f"it is a FIT file of the kind {read.kind}, not an activity")
    if not read.sessions:
        raise UnusableActivity("it is a FIT file without a session: its watch did not finish it")
    return [_track(read, session) for session in read.sessions]


def _frames(data: bytes) -> Iterator[Any]:
    if len(data) > _MAX_BYTES:
        raise UnusableActivity(f"it is larger than {_MAX_BYTES // 1_000_000} MB, which no activity is")
    definitions = 0
    strict = {"check_crc": fitdecode.CrcCheck.RAISE, "error_handling": fitdecode.ErrorHandling.IGNORE}
    with fitdecode.FitReader(BytesIO(data), **strict) as reader:
        for number, frame in enumerate(reader):
            definitions += frame.frame_type == fitdecode.FIT_FRAME_DEFINITION
            if number >= _MAX_FRAMES or definitions >= _MAX_DEFINITIONS:
                raise UnusableActivity("it has more messages than an activity can have")
            if frame.frame_type == fitdecode.FIT_FRAME_DATA:
                yield frame


def _take(read: _Read, frame: Any) -> None:
    name = frame.name
    if name not in _WANTED:
        return
    values = {one: frame.get_value(one, fallback=None) for one in _WANTED[name]}
    if name == "file_id":
        read.kind = str(values["type"])
        return
    if name == "lap" and frame.has_field("direction"):
        direction = frame.get_field("direction")
        values["direction"] = direction.value if direction.units == _OWN_UNITS else None
    if name == "record":
        at_ms = _ms(values["timestamp"])
        if at_ms is not None:
            read.records.append((at_ms, _with_fraction(values["cadence"], values["fractional_cadence"])))
        return
    into, most = {
        "session": (read.sessions, _MAX_SESSIONS),
        "lap": (read.laps, MAX_BOUTS),
        "event": (read.events, _MAX_EVENTS),
    }[name]
    if len(into) >= most:
        raise UnusableActivity(f"it has more {name}s than an activity can have")
    into.append(values)


def _track(read: _Read, session: dict[str, Any]) -> Track | RetrostepError:
    start_ms = _ms(session["start_time"])
    if start_ms is None:
        return UnusableActivity("its file does not say when it started")
    elapsed_s = _number(session["total_elapsed_time"])
    last_ms = _ms(session["timestamp"])
    end_ms = start_ms + round(1_000 * elapsed_s) if elapsed_s else last_ms if last_ms is not None else start_ms
    inside = [(at_ms, cadence) for at_ms, cadence in read.records if start_ms <= at_ms <= end_ms]
    mean = _with_fraction(_first(session, "avg_cadence", "avg_running_cadence"), session["avg_fractional_cadence"])
    factor = steps_per_value([value for _, value in inside if value is not None] or [mean or 0])
    timer_s = _number(session["total_timer_time"])
    track = Track(start_ms, end_ms, str(session["sport"] or "").lower())
    track.points = [Point(at_ms, _steps(value, factor)) for at_ms, value in inside]
    track.moving_ms = None if timer_s is None else round(1_000 * timer_s)
    track.cadence_spm = _steps(mean, factor)
    track.pauses = _pauses(read.events, end_ms)
    track.own_bouts = _own_bouts(read.laps, track)
    track.is_export = bool(track.own_bouts)
    return track


def _own_bouts(laps: list[dict[str, Any]], track: Track) -> list[Bout]:
    """The bouts of a file that Retrostep exported; empty where a lap has no direction of ours."""
    bouts: list[Bout] = []
    for lap in laps:
        start_ms, length_s = _ms(lap["start_time"]), _number(lap["total_elapsed_time"])
        if start_ms is None or length_s is None or not isinstance(lap.get("direction"), int):
            return []
        # FIT times are whole seconds: a lap begins where the one before ended.
        begin_ms = bouts[-1].end_ms if bouts else 0
        end_ms = min(begin_ms + round(1_000 * length_s), track.duration_ms)
        cycles = _with_fraction(_first(lap, "total_cycles", "total_strides"), lap["total_fractional_cycles"])
        if end_ms <= begin_ms or cycles is None:
            return []
        mean, fastest = (
            _steps(_with_fraction(_first(lap, f"{part}_cadence", f"{part}_running_cadence"), lap[f"{part}_fractional_cadence"]), 2) or 0.0
            for part in ("avg", "max")
        )
        bouts.append(
            Bout(begin_ms, end_ms, _DIRECTIONS.get(lap["direction"], UNKNOWN), round(2 * cycles), round(10 * mean), round(10 * fastest))
        )
    return [bout for bout in bouts if bout.steps or bout.direction != UNKNOWN]


def _pauses(events: list[dict[str, Any]], end_ms: int) -> list[tuple[int, int]]:
    """(from, to) of each pause, from the events of the timer."""
    pauses: list[tuple[int, int]] = []
    stopped_ms = None
    for event in events:
        at_ms = _ms(event["timestamp"])
        if event["event"] != "timer" or at_ms is None:
            continue
        if event["event_type"] == "start" and stopped_ms is not None:
            pauses.append((stopped_ms, at_ms))
            stopped_ms = None
        elif str(event["event_type"]).startswith("stop") and stopped_ms is None:
            stopped_ms = at_ms
    return pauses if stopped_ms is None or stopped_ms >= end_ms else [*pauses, (stopped_ms, end_ms)]


def _first(values: dict[str, Any], *names: str) -> Any:
    return next((values[name] for name in names if values[name] is not None), None)


def _with_fraction(whole: object, fraction: object) -> float | None:
    number = _number(whole)
    return None if number is None else number + (_number(fraction) or 0.0)


def _steps(value: float | None, factor: int) -> float | None:
    return None if value is None else plausible(factor * value)


def _number(value: object) -> float | None:
    """A finite number; None for everything else that a field can hold."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 else None


def _ms(value: object) -> int | None:
    if not isinstance(value, datetime):
        return None
    moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return round(1_000 * moment.timestamp())
