"""CSV activities: one activity with a line a second, as Retrostep exports it, or a list with a line an activity.

A list is known by its columns, in any order; others are ignored. Times are local where they have no UTC offset.

    of Garmin Connect   `Date`, `Time` or `Elapsed Time`, `Activity Type`, `Avg Run Cadence` in steps a minute
    of Strava           `Activity Date` in UTC, `Elapsed Time` and `Moving Time` in s, `Activity Type`, `Average Cadence` in strides
                        a minute
    of your own         `date`, `duration` as h:mm:ss or in minutes, and where it is known `sport` and `cadence_spm`
"""

import csv
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper

from retrostep_core.codes import BACKWARD, FORWARD, STILL, UNKNOWN

from retrostep.activity_files.track import MAX_POINTS, RUNNING, Point, Track, plausible, sport_named
from retrostep.errors import DamagedFile, RetrostepError, UnusableActivity

_SECONDS = {"session", "time", "t_s", "cadence_spm", "direction", "steps"}
"""The columns by which an export with a line a second is known."""

_DIRECTIONS = {"forward": FORWARD, "backward": BACKWARD, "still": STILL, "unknown": UNKNOWN}
_MAX_LINES = 20_000
_MAX_ROW = 50_000
"""Characters of a row, over all its lines. Garmin and Strava write less than 1 000."""


def read_table(data: bytes) -> list[Track | RetrostepError]:
    """The activities in a CSV file, and for each line that cannot be used the reason, in order.

    Raises DamagedFile where it is not text, UnusableActivity where its columns are not those of a list of activities.
    """
    rows = _rows(data)
    try:
        columns = [name.strip().lower() for name in next(rows, ([], True))[0]]
        if set(columns) >= _SECONDS:
            return [_exported(columns, rows)]
        layout = next((one for one in _LAYOUTS if one.fits(columns)), None)
        if layout is None:
            raise UnusableActivity("it is no FIT, TCX or GPX file, and has no columns `date` and `duration`")
        return list(_listed(layout, columns, rows))
    except UnicodeDecodeError as error:
        raise DamagedFile("it is no FIT, TCX or GPX file, and no text in UTF-8: a spreadsheet saves that as CSV UTF-8") from error
    except csv.Error as error:
        raise DamagedFile(f"it is no table: {error}") from error


def _rows(data: bytes) -> Iterator[tuple[list[str], bool]]:
    """The rows of a table in UTF-8, read line by line, and whether each has a line end. UnicodeDecodeError, csv.Error.

    A row is bounded, so that memory is.
    """
    data = data.removeprefix(BOM_UTF8).lstrip()
    first = data[:_MAX_ROW].partition(b"\n")[0]
    length, has_end = 0, True

    def lines() -> Iterator[str]:
        nonlocal length, has_end
        text = TextIOWrapper(BytesIO(data), "utf-8", newline="")
        while line := text.readline(_MAX_ROW + 1):
            length += len(line)
            has_end = line.endswith(("\n", "\r"))
            if length > _MAX_ROW:
                raise UnusableActivity("it has a longer line than a list of activities can have")
            yield line

    for row in csv.reader(lines(), delimiter=";" if first.count(b";") > first.count(b",") else ","):
        length = 0
        yield row, has_end


def _exported(columns: list[str], rows: Iterator[tuple[list[str], bool]]) -> Track:
    """The activity in a file that Retrostep exported."""
    points: list[Point] = []
    start_ms = None
    for number, (cells, has_end) in enumerate(rows, 2):
        if number > MAX_POINTS:
            raise UnusableActivity("it has more lines than an activity can have")
        if not has_end and len(cells) < len(columns):
            raise DamagedFile(f"its line {number} was cut")
        values = dict(zip(columns, cells, strict=False))
        try:
            at_ms, since_s = _utc_ms(values["time"]), float(values["t_s"])
            point = Point(at_ms, plausible(float(values["cadence_spm"])), _DIRECTIONS[values["direction"]], int(values["steps"]))
        except (KeyError, ValueError) as error:
            raise DamagedFile(f"its line {number} is damaged") from error
        if not 0 <= (point.steps or 0) <= 600 or not 0 <= since_s < 1e6:
            raise DamagedFile(f"its line {number} is damaged")
        start_ms = at_ms - round(1_000 * since_s) if start_ms is None else start_ms
        points.append(point)
    if start_ms is None:
        raise UnusableActivity("it has no lines")
    return Track(start_ms, points[-1].at_ms, RUNNING, points, is_export=True)


def _listed(layout: "_Layout", columns: list[str], rows: Iterator[tuple[list[str], bool]]) -> Iterator[Track | RetrostepError]:
    free_ms: dict[str, int] = {}
    for number, (cells, has_end) in enumerate(rows, 2):
        if number > _MAX_LINES:
            raise UnusableActivity(f"it has more than {_MAX_LINES} lines")
        if not has_end and len(cells) < len(columns):  # what is left of a number is another number
            yield DamagedFile(f"its line {number} was cut")
            continue
        values: dict[str, str] = {}
        for name, cell in zip(columns, cells, strict=False):
            values.setdefault(name, cell.strip())  # Strava has some columns twice
        if not any(values.values()):
            continue
        try:
            yield _track(layout, values, free_ms)
        except (ValueError, OverflowError, OSError):
            yield UnusableActivity(f"its line {number} has no valid date and duration, as 2026-11-20 17:30 and 0:45:10")


@dataclass(frozen=True)
class _Layout:
    """The columns of a list, and how their cells are read. `lengths`: of those that are there, the first is the whole duration."""

    date: str
    lengths: tuple[str, ...]
    sport: str
    cadence: str
    start_ms: Callable[[str], int]
    length_s: Callable[[str], float]
    factor: int

    def fits(self, columns: list[str]) -> bool:
        return self.date in columns and any(name in columns for name in self.lengths)


def _track(layout: _Layout, values: Mapping[str, str], free_ms: dict[str, int]) -> Track:
    lengths = [layout.length_s(values[name]) for name in layout.lengths if values.get(name, "--") not in ("", "--")]
    if not lengths or not all(0 < length_s < 1e6 for length_s in lengths):
        raise ValueError("no duration")
    date, longest_ms = values[layout.date], round(1_000 * max(lengths))
    start_ms = layout.start_ms(date)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", date):
        # Activities of a day without a time of day follow each other from midnight on, so that they do not overlap.
        start_ms = max(start_ms, free_ms.get(date, 0))
        free_ms[date] = start_ms + longest_ms + 60_000
    cadence = values.get(layout.cadence, "")
    spm = layout.factor * float(cadence.replace(",", ".")) if cadence not in ("", "--") else None
    moving_ms = round(1_000 * min(lengths))
    return Track(start_ms, start_ms + longest_ms, _sport(values, layout), [], moving_ms, plausible(spm or None))


def _sport(values: Mapping[str, str], layout: _Layout) -> str:
    named = values.get(layout.sport, "")
    return sport_named(named) or RUNNING


def _utc_ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round(1_000 * (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp())


def _local_ms(text: str) -> int:
    return round(1_000 * datetime.fromisoformat(text).timestamp())


def _strava_ms(text: str) -> int:
    """`Nov 20, 2026, 4:30:00 PM`, or an ISO date: in UTC. Not by strptime, whose names of months follow the computer's language."""
    parts = re.fullmatch(r"([A-Z][a-z]{2})[a-z]* ([0-9]{1,2}), ([0-9]{4}),? ([0-9]{1,2}):([0-9]{2}):([0-9]{2})[ \u202f]([AP])M", text)
    if parts is None or parts[1] not in _MONTHS:
        return _utc_ms(text)
    hour = int(parts[4]) % 12 + (12 if parts[7] == "P" else 0)
    month = _MONTHS.index(parts[1]) + 1
    moment = datetime(int(parts[3]), month, int(parts[2]), hour, int(parts[5]), int(parts[6]), tzinfo=UTC)
    return round(1_000 * moment.timestamp())


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _clock_s(text: str) -> float:
    """`1:02:03`, `45:10` or `45:10.5` in s."""
    parts = re.fullmatch(r"(?:([0-9]{1,3}):)?([0-9]{1,3}):([0-9]{1,2}(?:[.,][0-9]+)?)", text)
    if parts is None:
        raise ValueError("not a duration")
    return 3_600 * int(parts[1] or 0) + 60 * int(parts[2]) + float(parts[3].replace(",", "."))


def _minutes_or_clock_s(text: str) -> float:
    return _clock_s(text) if ":" in text else 60 * float(text.replace(",", "."))


_LAYOUTS: tuple[_Layout, ...] = (
    _Layout("activity date", ("elapsed time", "moving time"), "activity type", "average cadence", _strava_ms, float, 2),
    _Layout("date", ("elapsed time", "time", "moving time"), "activity type", "avg run cadence", _local_ms, _clock_s, 1),
    _Layout("date", ("duration",), "sport", "cadence_spm", _local_ms, _minutes_or_clock_s, 1),
)
