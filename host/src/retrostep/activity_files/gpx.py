"""GPX tracks (version 1.0 and 1.1). Each track is an activity; between two of its segments the recording was paused.

`cad` of Garmin's TrackPointExtension, and `cadence` of others, are in strides a minute of one leg. A planned route has no times and is no
activity.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter

from retrostep.activity_files.track import MAX_POINTS, Point, Track, plausible, sport_named, steps_per_value
from retrostep.activity_files.xml_file import Elements, moment_ms, number, read_elements
from retrostep.archive.imported import MAX_BOUTS
from retrostep.errors import RetrostepError, UnusableActivity

_MAX_TRACKS = 10_000
_NUMBERED_SPORTS = {"9": "running", "10": "walking", "4": "hiking", "1": "cycling"}
"""`type` in older files of Strava."""


@dataclass
class _Recorded:
    """A track: its type, and its segments of points."""

    type: str = ""
    segments: list[list[dict[str, str]]] = field(default_factory=list)


class _Target(Elements):
    def __init__(self) -> None:
        super().__init__()
        self.tracks: list[_Recorded] = []
        self._points = 0

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "trk":
            if len(self.tracks) >= _MAX_TRACKS:
                raise UnusableActivity("it has more activities than a history can have")
            self.tracks.append(_Recorded())
        elif name == "trkseg" and self.tracks:
            if len(self.tracks[-1].segments) >= MAX_BOUTS:
                raise UnusableActivity("it has more segments than an activity can have")
            self.tracks[-1].segments.append([])
        elif name == "trkpt" and self.tracks and self.tracks[-1].segments:
            self._points += 1
            if self._points > MAX_POINTS:
                raise UnusableActivity("it has more points than an activity can have")
            self.tracks[-1].segments[-1].append({})

    def closed(self, name: str, text: str) -> None:
        if not self.tracks:
            return
        track = self.tracks[-1]
        if name == "type" and self.path[-1:] == ["trk"]:
            track.type = text
        elif name in ("time", "cad", "cadence") and "trkpt" in self.path and track.segments and track.segments[-1]:
            track.segments[-1][-1][name] = text


def read_gpx(data: bytes) -> list[Track | RetrostepError]:
    """The activities in a GPX file, in order; for a track that cannot be used, why not.

    Raises DamagedFile where the file is cut or damaged, UnusableActivity where it holds no track.
    """
    target = _Target()
    read_elements(data, target)
    if target.root != "gpx":
        raise UnusableActivity("it is an XML file, but neither a TCX nor a GPX file")
    recorded = [track for track in target.tracks if any(track.segments)]
    if not recorded:
        raise UnusableActivity("it is a GPX file without a track: a route or a list of places is no activity")
    return [_track(each) for each in recorded]


_at_ms = itemgetter(0)


def _track(recorded: _Recorded) -> Track | RetrostepError:
    segments = []
    for of_segment in recorded.segments:
        timed = ((moment_ms(point.get("time", "")), number(point.get("cad", point.get("cadence")))) for point in of_segment)
        if found := sorted(((at_ms, value) for at_ms, value in timed if at_ms is not None), key=_at_ms):
            segments.append(found)
    segments.sort(key=lambda segment: segment[0][0])
    if not segments:
        return UnusableActivity("its points have no times: it is a planned route, or the program that wrote it left them out")
    points = [point for segment in segments for point in segment]
    factor = steps_per_value(value for _, value in points if value is not None)
    track = Track(points[0][0], max(at_ms for at_ms, _ in points), _NUMBERED_SPORTS.get(recorded.type, sport_named(recorded.type)))
    track.points = [Point(at_ms, None if value is None else plausible(factor * value)) for at_ms, value in points]
    track.pauses = [(before[-1][0], after[0][0]) for before, after in pairwise(segments)]
    return track
