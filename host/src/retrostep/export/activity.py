"""One session as an activity: laps of one direction, and a record for each second. Every format is written from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from retrostep_core import codes
from retrostep_core.code_names import ALERT_NAMES, SEVERITY_NAMES
from retrostep_core.directions import direction_at
from retrostep_core.log.reader import direction_changes, read_log

from retrostep.archive.queries import SessionDetail
from retrostep.errors import Undated
from retrostep.units import named

LONGEST_STEP_MS = 1_500
"""A longer time between two steps is a stop: slower than 40 steps a minute nobody walks."""
_CADENCE_MS = 4_000
"""The cadence of a second is that of the steps in the 4 s before its end."""
_LEAST_LAP_MS = 3_000
"""A shorter stretch belongs to the lap before it."""

WARM_UP, INTERVAL, RECOVERY, COOL_DOWN, REST = "warmup", "interval", "recovery", "cooldown", "rest"

_DIRECTIONS = {codes.FORWARD: "forward", codes.BACKWARD: "backward", codes.STILL: "still"}


@dataclass(frozen=True)
class Second:
    """One second. `at_ms` since the activity's start; cadence in steps a minute of both feet, 0 for none; steps made in this second."""

    at_ms: int
    cadence_spm: float
    direction: str
    steps: int
    alert: str = ""


@dataclass(frozen=True)
class Lap:
    """A bout of one direction, with its intensity. Cadence in steps a minute of both feet, 0 for none."""

    start_ms: int
    end_ms: int
    direction: str
    intensity: str
    steps: int
    cadence_spm: float
    cadence_max_spm: float
    tibial_peak_g: float | None

    @property
    def duration_ms(self) -> int:
        """How long it lasted."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True)
class Activity:
    """A session with its time. Directions are forward, backward, still and unknown.

    rpe    exertion, 1 to 10, None if it was not noted        pain   0 to 10 likewise
    """

    session: str
    device: str
    athlete: str | None
    started_at_ms: int
    duration_ms: int
    forward_ms: int
    backward_ms: int
    steps: dict[str, int]
    cadence_spm: float
    cadence_max_spm: float
    tibial_peak_g: float | None
    rpe: int | None
    pain: int | None
    notes: list[str] = field(default_factory=list)
    laps: list[Lap] = field(default_factory=list)
    seconds: list[Second] = field(default_factory=list)


def activity(detail: SessionDetail, data: bytes) -> Activity:
    """The activity of a session from its raw log `data`. Raises Undated for a session without a date."""
    row = detail.session
    if row.started_at_ms is None:
        raise Undated(f"Session {row.name} has no date, and a file for other platforms needs one.", session=row.name)
    log: Any = read_log(data)
    changes = direction_changes(log.directions)
    steps = [(t_ms, _DIRECTIONS.get(direction_at(changes, t_ms), "unknown")) for t_ms in _step_times(log)]
    spans = _spans([(max(0, since_ms), _DIRECTIONS.get(code, "unknown")) for since_ms, code in changes], row.duration_ms)
    peaks = _peaks(log.loads)
    laps = _laps(spans, steps, peaks)
    moving = [lap for lap in laps if lap.steps]
    return Activity(
        session=row.name,
        device=row.device,
        athlete=detail.athlete,
        started_at_ms=row.started_at_ms,
        duration_ms=row.duration_ms,
        forward_ms=row.forward_ms,
        backward_ms=row.backward_ms,
        steps={"forward": row.forward_steps, "backward": row.backward_steps, "unknown": row.unknown_steps},
        cadence_spm=_cadence([t_ms for t_ms, _ in steps]),
        cadence_max_spm=max((lap.cadence_max_spm for lap in moving), default=0.0),
        tibial_peak_g=max((g for _, _, g in peaks), default=None),
        rpe=next((note.rpe for note in reversed(detail.notes) if note.rpe is not None), None),
        pain=row.pain,
        notes=[note.text for note in detail.notes if note.text],
        laps=laps,
        seconds=_seconds(row.duration_ms, steps, changes, log.alerts),
    )


def _step_times(log: Any) -> list[int]:
    """The times of all steps in ms. Where the log has only totals, because flash was short, they are spread evenly over the epoch."""
    recorded = [t_ms for t_ms, _ in log.steps]
    times = list(recorded)
    before_ms = before = at = 0
    for epoch in log.epochs:
        count = epoch.totals.forward_steps + epoch.totals.backward_steps + epoch.totals.unknown_steps
        first = at
        while at < len(recorded) and recorded[at] < epoch.t_ms:
            at += 1
        if at == first and count > before:
            made = count - before
            times += [before_ms + (2 * k + 1) * (epoch.t_ms - before_ms) // (2 * made) for k in range(made)]
        before_ms, before = epoch.t_ms, count
    return sorted(times)


def _spans(changes: list[tuple[int, str]], duration_ms: int) -> list[tuple[int, int, str]]:
    """(start_ms, end_ms, direction) of every stretch; one that is too short for a lap belongs to the one before."""
    spans: list[tuple[int, int, str]] = []
    for (start_ms, direction), (end_ms, _) in pairwise([*changes, (duration_ms, "")]):
        end_ms = min(end_ms, duration_ms)
        if end_ms <= start_ms:
            continue
        if spans and (spans[-1][2] == direction or end_ms - start_ms < _LEAST_LAP_MS):
            spans[-1] = (spans[-1][0], end_ms, spans[-1][2])
        elif spans and spans[-1][1] - spans[-1][0] < _LEAST_LAP_MS:
            spans[-1] = (spans[-1][0], end_ms, direction)
        else:
            spans.append((start_ms, end_ms, direction))
    return spans or ([(0, duration_ms, "unknown")] if duration_ms else [])


def _peaks(loads: Sequence[Any]) -> list[tuple[int, str, float]]:
    """(end of the epoch in ms, direction, largest axial tibial acceleration in g), where one was measured."""
    return [(load.t_ms, _DIRECTIONS.get(load.direction, "unknown"), load.axial_max_g8 / 8) for load in loads if load.count]


def _laps(spans: list[tuple[int, int, str]], steps: list[tuple[int, str]], peaks: list[tuple[int, str, float]]) -> list[Lap]:
    backward = [k for k, (_, _, direction) in enumerate(spans) if direction == "backward"]
    laps = []
    for k, (start_ms, end_ms, direction) in enumerate(spans):
        times = [t_ms for t_ms, _ in steps if start_ms <= t_ms < end_ms or (t_ms >= end_ms and k == len(spans) - 1)]
        if direction == "backward":
            intensity = INTERVAL
        elif not times:
            intensity = REST
        elif not backward or k < backward[0]:
            intensity = WARM_UP
        else:
            intensity = COOL_DOWN if k > backward[-1] else RECOVERY
        # An epoch of 10 s belongs to the lap in which it ends, or to the last one of its direction before.
        inside = [g for t_ms, of, g in peaks if of == direction and start_ms < t_ms <= end_ms + 10_000]
        peak_g = max(inside, default=None)
        laps.append(Lap(start_ms, end_ms, direction, intensity, len(times), _cadence(times), _fastest(times), peak_g))
    return laps


def _seconds(duration_ms: int, steps: list[tuple[int, str]], changes: list[tuple[int, int]], alerts: Sequence[Any]) -> list[Second]:
    """A record for each second that has begun, and one at the end."""
    found = []
    first = end = 0
    times = [t_ms for t_ms, _ in steps]
    alert_at = {alert.at_ms // 1_000: _alert_name(alert) for alert in alerts}
    for at_ms in range(1_000, duration_ms + 1_000, 1_000):
        begin = end
        while end < len(times) and times[end] < at_ms:
            end += 1
        while first < end and times[first] < at_ms - _CADENCE_MS:
            first += 1
        recent = times[first:end]
        is_moving = recent and at_ms - recent[-1] < LONGEST_STEP_MS
        direction = _DIRECTIONS.get(direction_at(changes, min(at_ms, duration_ms) - 1), "unknown")
        cadence_spm = _cadence(recent) if is_moving else 0.0
        alert = alert_at.get(at_ms // 1_000 - 1, "")
        found.append(Second(min(at_ms, duration_ms), cadence_spm, direction, end - begin, alert))
    return found


def _alert_name(alert: Any) -> str:
    return f"{named(ALERT_NAMES, alert.kind)} {named(SEVERITY_NAMES, alert.severity)}".replace(" ", "_")


def _intervals(times: Sequence[int]) -> list[int]:
    return [later - sooner for sooner, later in pairwise(times) if 0 < later - sooner <= LONGEST_STEP_MS]


def _cadence(times: Sequence[int]) -> float:
    """Steps a minute while moving: breaks do not count."""
    found = _intervals(times)
    return 60_000 * len(found) / sum(found) if found else 0.0


def _fastest(times: Sequence[int]) -> float:
    """The highest cadence of eight intervals in a row; of all, where there are fewer."""
    found = _intervals(times)
    size = min(8, len(found))
    if not size:
        return 0.0
    total = shortest = sum(found[:size])
    for old, new in zip(found, found[size:], strict=False):
        total += new - old
        shortest = min(shortest, total)
    return 60_000 * size / shortest
