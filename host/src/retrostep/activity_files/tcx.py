"""TCX activities, read element by element: neither entities nor document types are allowed, and no tree is built.

`RunCadence`, and `Cadence` of older files, are in whole strides a minute of one leg. In files that Retrostep exported, the notes of each
lap say its direction and its steps; their laps are its bouts.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser
from retrostep_core.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.log.decoded import Bout

from retrostep.activity_files.track import MAX_POINTS, Point, Track, plausible, steps_per_value
from retrostep.archive.imported import MAX_BOUTS
from retrostep.errors import DamagedFile, UnusableActivity

_MAX_DEPTH = 64
_MAX_ACTIVITIES = 10_000
_MAX_NAMES = 2_000
"""Different names of elements and attributes. The parser keeps each of them."""

_MAX_TOKEN_BYTES = 1_000_000
"""A tag or a comment. The parser keeps the whole of it; its text comes in pieces."""

_CHUNK_BYTES = 65_536
_MAX_TEXT = 4_000
"""Text of an element behind this is left out: times, numbers and our own notes are shorter."""

_OWN_LAP = re.compile(r"(forward|backward|still|unknown), ([0-9]{1,7}) steps")
_OWN_NOTES = "Backward running: "
_DIRECTIONS = {"forward": FORWARD, "backward": BACKWARD, "still": STILL, "unknown": UNKNOWN}


@dataclass
class _Lap:
    started: str
    texts: dict[str, str] = field(default_factory=dict)
    points: list[dict[str, str]] = field(default_factory=list)


@dataclass
class _Activity:
    sport: str
    notes: str = ""
    laps: list[_Lap] = field(default_factory=list)


class _Target:
    """Takes the events of the parser, and keeps what matters."""

    def __init__(self) -> None:
        self.root = ""
        self.activities: list[_Activity] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._names: set[str] = set()
        self._length = self._points = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        self._names.update((tag, *attributes))
        if len(self._names) > _MAX_NAMES:
            raise UnusableActivity("it has more kinds of elements than an activity can have")
        self._path.append(name)
        self._text, self._length = [], 0
        if len(self._path) > _MAX_DEPTH:
            raise UnusableActivity("its elements are nested more deeply than those of an activity")
        if name == "Activity":
            if len(self.activities) >= _MAX_ACTIVITIES:
                raise UnusableActivity("it has more activities than a history can have")
            self.activities.append(_Activity(attributes.get("Sport", "")))
        elif name == "Lap" and self.activities:
            if len(self.activities[-1].laps) >= MAX_BOUTS:
                raise UnusableActivity("it has more laps than an activity can have")
            self.activities[-1].laps.append(_Lap(attributes.get("StartTime", "")))
        elif name == "Trackpoint" and (lap := self._lap()):
            self._points += 1
            if self._points > MAX_POINTS:
                raise UnusableActivity("it has more points than an activity can have")
            lap.points.append({})

    def data(self, text: str) -> None:
        if self._length < _MAX_TEXT:
            self._text.append(text)
            self._length += len(text)

    def end(self, tag: str) -> None:
        name, text = self._path.pop(), "".join(self._text)[:_MAX_TEXT].strip()
        self._text, self._length = [], 0
        lap = self._lap()
        if "Trackpoint" in self._path:
            if lap and name in ("Time", "RunCadence", "Cadence"):
                lap.points[-1][name] = text
        elif name == "Notes" and self._path and self._path[-1] == "Activity" and self.activities:
            self.activities[-1].notes = text
        elif lap and name in ("TotalTimeSeconds", "Notes", "AvgRunCadence", "MaxRunCadence", "Cadence") and "Lap" in self._path:
            lap.texts[name] = text

    def close(self) -> None:
        """Nothing is left to do."""

    def _lap(self) -> _Lap | None:
        return self.activities[-1].laps[-1] if self.activities and self.activities[-1].laps else None


def read_tcx(data: bytes) -> list[Track]:
    """The activities in a TCX file. Raises DamagedFile where it is cut or damaged, UnusableActivity where it holds none."""
    target = _Target()
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    try:
        for at in range(0, len(data), _CHUNK_BYTES):
            parser.feed(data[at : at + _CHUNK_BYTES])
            if at - parser.parser.CurrentByteIndex > _MAX_TOKEN_BYTES:
                raise UnusableActivity("it has a longer tag or comment than an activity can have")
        parser.close()
    except DefusedXmlException as error:
        raise UnusableActivity("it declares a document type or entities, which no activity needs") from error
    except (ParseError, ValueError, LookupError) as error:
        raise DamagedFile("it is a damaged XML file: it was cut, or its text changed") from error
    if target.root != "TrainingCenterDatabase":
        raise UnusableActivity("it is an XML file, but not a TCX file")
    if not any(activity.laps for activity in target.activities):
        raise UnusableActivity("it is a TCX file without an activity")
    return [_track(activity) for activity in target.activities if activity.laps]


def _track(activity: _Activity) -> Track:
    started_ms = _ms(activity.laps[0].started)
    if started_ms is None:
        raise UnusableActivity("its file does not say when it started")
    values = [
        (at_ms, _number(point.get("RunCadence", point.get("Cadence"))))
        for lap in activity.laps
        for point in lap.points
        if (at_ms := _ms(point.get("Time", ""))) is not None
    ]
    lap_means = [_number(lap.texts.get("AvgRunCadence", lap.texts.get("Cadence"))) for lap in activity.laps]
    factor = steps_per_value(value for value in [*(value for _, value in values), *lap_means] if value is not None)
    moving_ms = sum(round(1_000 * (_number(lap.texts.get("TotalTimeSeconds")) or 0)) for lap in activity.laps)
    last_lap_ms = _ms(activity.laps[-1].started) or started_ms
    last_length_ms = round(1_000 * (_number(activity.laps[-1].texts.get("TotalTimeSeconds")) or 0))
    ended_ms = max([last_lap_ms + last_length_ms, *(at_ms for at_ms, _ in values)])
    track = Track(started_ms, ended_ms, {"biking": "cycling"}.get(activity.sport.lower(), activity.sport.lower()))
    track.points = [Point(at_ms, None if value is None else plausible(factor * value)) for at_ms, value in values]
    track.moving_ms = moving_ms or None
    known = [value for value in lap_means if value is not None]
    track.cadence_spm = plausible(factor * sum(known) / len(known)) if known else None
    if activity.notes.startswith(_OWN_NOTES):
        track.own_bouts = _own_bouts(activity.laps)
        track.is_export = bool(track.own_bouts)
    return track


def _own_bouts(laps: list[_Lap]) -> list[Bout]:
    """The bouts of a file that Retrostep exported; empty where a lap does not look like one of ours."""
    bouts: list[Bout] = []
    begin_ms = 0
    for lap in laps:
        own, length_s = _OWN_LAP.fullmatch(lap.texts.get("Notes", "")), _number(lap.texts.get("TotalTimeSeconds"))
        if own is None or not length_s:
            return []
        end_ms, steps = begin_ms + round(1_000 * length_s), int(own[2])
        mean_spm = plausible(60_000 * steps / (end_ms - begin_ms)) or 0.0
        fastest_spm = plausible(2 * (_number(lap.texts.get("MaxRunCadence")) or 0)) or 0.0
        direction = _DIRECTIONS[own[1]]
        if direction != STILL:
            bouts.append(Bout(begin_ms, end_ms, direction, steps, round(10 * mean_spm), round(10 * max(mean_spm, fastest_spm))))
        begin_ms = end_ms
    return bouts


def _number(text: str | None) -> float | None:
    """A number from 0 to a million; None for everything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None


def _ms(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return round(1_000 * (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
