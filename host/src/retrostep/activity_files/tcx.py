"""TCX activities.

`RunCadence`, and `Cadence` of older files, are in whole strides a minute of one leg. In files that Retrostep exported, the notes of each
lap give its direction and its steps; the laps are the bouts.
"""

import re
from dataclasses import dataclass, field

from retrostep_core.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.log.decoded import Bout

from retrostep.activity_files.track import MAX_POINTS, Point, Track, plausible, steps_per_value
from retrostep.activity_files.xml_file import Elements, moment_ms, number, read_elements
from retrostep.archive.imported import MAX_BOUTS
from retrostep.errors import RetrostepError, UnusableActivity

_MAX_ACTIVITIES = 10_000
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


class _Target(Elements):
    def __init__(self) -> None:
        super().__init__()
        self.activities: list[_Activity] = []
        self._points = 0

    def opened(self, name: str, attributes: dict[str, str]) -> None:
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

    def closed(self, name: str, text: str) -> None:
        lap = self._lap()
        if "Trackpoint" in self.path:
            if lap and name in ("Time", "RunCadence", "Cadence"):
                lap.points[-1][name] = text
        elif name == "Notes" and self.path and self.path[-1] == "Activity" and self.activities:
            self.activities[-1].notes = text
        elif lap and name in ("TotalTimeSeconds", "Notes", "AvgRunCadence", "MaxRunCadence", "Cadence") and "Lap" in self.path:
            lap.texts[name] = text

    def _lap(self) -> _Lap | None:
        return self.activities[-1].laps[-1] if self.activities and self.activities[-1].laps else None


def read_tcx(data: bytes) -> list[Track | RetrostepError]:
    """The activities in a TCX file, in order; for one that cannot be used, why not.

    Raises DamagedFile where the file is cut or damaged, UnusableActivity where it holds no activity.
    """
    target = _Target()
    read_elements(data, target)
    if target.root != "TrainingCenterDatabase":
        raise UnusableActivity("it is an XML file, but neither a TCX nor a GPX file")
    if not any(activity.laps for activity in target.activities):
        raise UnusableActivity("it is a TCX file without an activity")
    return [_track(activity) for activity in target.activities if activity.laps]


def _track(activity: _Activity) -> Track | RetrostepError:
    started_ms = moment_ms(activity.laps[0].started)
    if started_ms is None:
        return UnusableActivity("its file does not say when it started")
    values = [
        (at_ms, number(point.get("RunCadence", point.get("Cadence"))))
        for lap in activity.laps
        for point in lap.points
        if (at_ms := moment_ms(point.get("Time", ""))) is not None
    ]
    lap_means = [number(lap.texts.get("AvgRunCadence", lap.texts.get("Cadence"))) for lap in activity.laps]
    factor = steps_per_value(value for value in [*(value for _, value in values), *lap_means] if value is not None)
    moving_ms = sum(round(1_000 * (number(lap.texts.get("TotalTimeSeconds")) or 0)) for lap in activity.laps)
    last_lap_ms = moment_ms(activity.laps[-1].started) or started_ms
    last_length_ms = round(1_000 * (number(activity.laps[-1].texts.get("TotalTimeSeconds")) or 0))
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
        own, length_s = _OWN_LAP.fullmatch(lap.texts.get("Notes", "")), number(lap.texts.get("TotalTimeSeconds"))
        if own is None or not length_s:
            return []
        end_ms, steps = begin_ms + round(1_000 * length_s), int(own[2])
        mean_spm = plausible(60_000 * steps / (end_ms - begin_ms)) or 0.0
        fastest_spm = plausible(2 * (number(lap.texts.get("MaxRunCadence")) or 0)) or 0.0
        direction = _DIRECTIONS[own[1]]
        if direction != STILL:
            bouts.append(Bout(begin_ms, end_ms, direction, steps, round(10 * mean_spm), round(10 * max(mean_spm, fastest_spm))))
        begin_ms = end_ms
    return bouts
