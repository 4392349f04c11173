"""An activity as every file format gives it: points in time with a cadence, which become bouts of movement.

Method:
1. The time from one point to the next is movement with the cadence of the later point, in its direction. Files of other programs know no
   direction: it is forward.
2. It is standing still where that cadence is 0, where the watch was paused, and where two points are more than MAX_POINT_MS apart.
3. Movement in one direction with stops of at most SHORT_STOP_MS is one bout: a watch loses a step now and then.
4. Steps are those of the points where the file counts them, otherwise cadence times time. A file without cadence gives time without steps.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from retrostep_core.codes import FORWARD, STILL
from retrostep_core.log.decoded import Bout

from retrostep.archive.imported import MAX_BOUTS, MAX_DURATION_MS, check_bouts
from retrostep.errors import UnusableActivity
from retrostep.units import duration

MAX_POINT_MS = 60_000
"""A watch that saves space writes a point every few seconds. Points further apart than this are a pause. An engineering number."""

SHORT_STOP_MS = 5_000
"""A stop of at most this long does not end a bout. An engineering number."""

_LONG_STOP_MS = 60_000
"""The same for an activity that would otherwise have more than MAX_BOUTS bouts."""

MAX_CADENCE_SPM = 300
"""Nobody takes more steps a minute. A higher value is an error of the watch and is left out."""

_MOST_STRIDES_A_MIN = 130
"""Strides a minute of one leg: nobody takes half an activity at more. Values above it are steps of both feet, written in the wrong unit."""

MAX_POINTS = 400_000
"""Points of one file: two days with two a second."""

RUNNING, WALKING, HIKING = "running", "walking", "hiking"
ON_FOOT = (RUNNING, WALKING, HIKING)
_SPORTS = (("hik", HIKING), ("walk", WALKING), ("(?<![bcgpt])run", RUNNING))
"""What is in the names of sports on foot: `Trail Running`, `VirtualRun`, `Hike`. Crunches and trunk rotations are no runs."""


def sport_named(name: str) -> str:
    """The sport that other programs call `name`; those that are not on foot as they are, in lower case."""
    return next((sport for part, sport in _SPORTS if re.search(part, name.lower())), name.lower())


@dataclass(frozen=True, slots=True)
class Point:
    """One point: ms since 1970, cadence in steps a minute of both feet (None: unknown), direction, steps since the point before."""

    at_ms: int
    cadence_spm: float | None = None
    direction: int = FORWARD
    steps: int | None = None


@dataclass
class Track:
    """One activity of a file. Times in ms since 1970.

    sport       as the file has it, in lower case
    moving_ms   how long its timer ran, None if it is not known; used where there are no points
    cadence_spm its mean cadence, None if it is not known; likewise
    pauses      (from, to) while the watch was paused
    own_bouts   bouts as Retrostep itself exported them, with times since the start; empty in files of other programs
    is_export   whether Retrostep wrote the file
    """

    started_at_ms: int
    ended_at_ms: int
    sport: str
    points: list[Point] = field(default_factory=list)
    moving_ms: int | None = None
    cadence_spm: float | None = None
    pauses: list[tuple[int, int]] = field(default_factory=list)
    own_bouts: list[Bout] = field(default_factory=list)
    is_export: bool = False

    @property
    def duration_ms(self) -> int:
        """From its start to its end."""
        return self.ended_at_ms - self.started_at_ms

    def bouts(self) -> list[Bout]:
        """Its bouts, with times in ms since its start. Raises UnusableActivity where its times are impossible or nothing moved."""
        if not 0 < self.duration_ms <= MAX_DURATION_MS:
            length = "no time" if self.duration_ms <= 0 else duration(self.duration_ms)
            raise UnusableActivity(f"it takes {length} by its file, and an activity takes up to {duration(MAX_DURATION_MS)}")
        found = self.own_bouts or self._from_points(SHORT_STOP_MS)
        if len(found) > MAX_BOUTS:
            found = self._from_points(_LONG_STOP_MS)
        if len(found) > MAX_BOUTS:
            raise UnusableActivity(f"it has {len(found)} stops, more than an activity can have")
        if not self.points and not found:
            found = self._as_one()
        if not found:
            raise UnusableActivity("nobody moved in it")
        try:
            check_bouts(found, self.duration_ms)
        except ValueError as error:
            raise UnusableActivity("its steps and times contradict each other") from error
        return found

    def _as_one(self) -> list[Bout]:
        """An activity that was entered by hand has no points: it is one bout."""
        moving_ms = self.duration_ms if self.moving_ms is None else min(self.duration_ms, self.moving_ms)
        if moving_ms <= 0:
            return []
        cadence_spm = plausible(self.cadence_spm) or 0.0
        steps = round(cadence_spm * moving_ms / 60_000)
        return [Bout(0, moving_ms, FORWARD, steps, round(10 * cadence_spm), round(10 * cadence_spm))]

    def _from_points(self, longest_stop_ms: int) -> list[Bout]:
        points = sorted(self.points, key=lambda point: point.at_ms)
        start = Point(self.started_at_ms)
        running = _between(self.pauses, self.started_at_ms, self.ended_at_ms)
        found: list[_OpenBout] = []
        at = 0
        for before, point in pairwise([start, *points]):
            while at < len(running) and running[at][1] <= before.at_ms:
                at += 1
            if at == len(running):
                break
            begin_ms, end_ms = max(before.at_ms, running[at][0]), min(point.at_ms, running[at][1])
            if end_ms <= begin_ms or not _is_movement(end_ms - begin_ms, point):
                continue
            last = found[-1] if found else None
            if last is None or last.direction != point.direction or begin_ms - last.end_ms > longest_stop_ms:
                last = _OpenBout(begin_ms, begin_ms, point.direction)
                found.append(last)
            last.add(end_ms, end_ms - begin_ms, point)
        return [bout.closed(self.started_at_ms) for bout in found]


def _between(pauses: Iterable[tuple[int, int]], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """(from, to) of the times from start to end that are in no pause, in order."""
    found: list[tuple[int, int]] = []
    for from_ms, to_ms in sorted(pauses):
        if start_ms < min(from_ms, end_ms):
            found.append((start_ms, min(from_ms, end_ms)))
        start_ms = max(start_ms, to_ms)
    return [*found, (start_ms, end_ms)] if start_ms < end_ms else found


def _is_movement(length_ms: int, point: Point) -> bool:
    return point.direction != STILL and length_ms <= MAX_POINT_MS and (point.cadence_spm != 0 or bool(point.steps))


@dataclass(slots=True)
class _OpenBout:
    """A bout that is being added up. `counted_ms`: the part of it with known steps or cadence."""

    start_ms: int
    end_ms: int
    direction: int
    steps: float = 0.0
    counted_ms: int = 0
    fastest_spm: float = 0.0

    def add(self, end_ms: int, length_ms: int, point: Point) -> None:
        self.end_ms = end_ms
        if point.steps is None and point.cadence_spm is None:
            return
        self.steps += point.steps if point.steps is not None else (point.cadence_spm or 0) * length_ms / 60_000
        self.counted_ms += length_ms
        self.fastest_spm = max(self.fastest_spm, point.cadence_spm or 0)

    def closed(self, started_at_ms: int) -> Bout:
        mean_spm = min(60_000 * self.steps / self.counted_ms, MAX_CADENCE_SPM) if self.counted_ms else 0.0
        times = self.start_ms - started_at_ms, self.end_ms - started_at_ms
        return Bout(*times, self.direction, round(self.steps), round(10 * mean_spm), round(10 * max(self.fastest_spm, mean_spm)))


def plausible(cadence_spm: float | None) -> float | None:
    """The cadence, or None outside of 0 to MAX_CADENCE_SPM."""
    return cadence_spm if cadence_spm is not None and 0 <= cadence_spm <= MAX_CADENCE_SPM else None


def steps_per_value(values: Iterable[float]) -> int:
    """How many steps a minute one unit of cadence in FIT and TCX is: 2, because both count strides of one leg.

    1 for files of programs that write steps, which shows by values that no strides reach.
    """
    moving: Sequence[float] = [value for value in values if value > 0]
    return 1 if moving and median(moving) > _MOST_STRIDES_A_MIN else 2
