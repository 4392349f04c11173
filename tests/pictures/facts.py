"""What each picture of firmware/GAIT.md shows, measured on generated motion."""

from dataclasses import dataclass

from motion import BackwardRun, BackwardWalk, Ramp, Run, Stand, Walk
from retrostep_core.codes import STOP, WARN
from retrostep_core.gait.limits import Limits
from synthetic.not_gait import Elliptical, Ride

from pictures.engine_run import EngineRun, front_course, run_engine, skewness
from pictures.trunk import TrunkSteps, trunk_steps

Point = tuple[float, float]


@dataclass
class Stride:
    """One stride of a steady gait: its curve, swings, true contacts and credited steps as (s, whether of the worn foot)."""

    gait: str
    direction: str
    from_s: float
    to_s: float
    skew: float
    curve: list[Point]
    swings: list[list[Point]]
    contacts: list[tuple[float, bool]]
    credited: list[tuple[float, bool]]


def strides() -> list[Stride]:
    """One stride forward and one backward, walking and running."""
    found = []
    for name, forward, backward in (("Walking", Walk, BackwardWalk), ("Running", Run, BackwardRun)):
        for direction, gait in (("forward", forward), ("backward", backward)):
            run = run_engine([Stand(3), gait(14), Stand(3)])
            pairs = [pair for pair in run.pairs() if pair[0] > 9]
            worn = [pair for pair in pairs if pair[1]]
            stride_s = worn[2][0] - worn[1][0]
            from_s, to_s = worn[1][0] - 0.78 * stride_s, worn[2][0] + 0.2 * stride_s
            swings = [[p for p in run.swing(pair[2], direction == "backward") if from_s <= p[0] <= to_s] for pair in worn[1:4]]
            found.append(
                Stride(
                    name,
                    direction,
                    from_s,
                    to_s,
                    skewness([gyro for _, gyro in run.between(worn[0][0], worn[5][0])]),
                    run.between(from_s, to_s),
                    [swing for swing in swings if swing],
                    [(t, own) for t, own, _, _ in pairs if from_s <= t <= to_s],
                    [(t, own) for _, own, t, _ in pairs if from_s <= t <= to_s],
                )
            )
    return found


@dataclass
class Directions:
    """A walk, a stand, a walk backward and a run backward. Spans are (from s, to s, direction); `decisions` (at s, direction, delay s)."""

    run: EngineRun
    end_s: float
    reported: list[tuple[float, float, str]]
    logged: list[tuple[float, float, str]]
    decisions: list[tuple[float, str, float | None]]


def directions() -> Directions:
    """Evidence and decisions over a walk, a stand, a walk backward and a run backward."""
    run = run_engine([Stand(2), Walk(8), Stand(5), BackwardWalk(8), BackwardRun(8), Stand(4)])
    end_s = run.t_s[-1]
    decisions = []
    for at, _, name in run.directions:
        started = [t for t, _, true in run.truth_directions if true == name and 0 < t <= at]
        decisions.append((at, name, at - started[-1] if started else None))
    reported = _spans([(0.0, "unknown"), *((at, name) for at, _, name in run.directions)], end_s)
    logged = _spans([(0.0, "unknown"), *((since, name) for _, since, name in run.directions)], end_s)
    return Directions(run, end_s, reported, logged, decisions)


def _spans(changes: list[tuple[float, str]], end_s: float) -> list[tuple[float, float, str]]:
    ends = [t for t, _ in changes[1:]] + [end_s]
    return [(t, end, name) for (t, name), end in zip(changes, ends, strict=True) if end > t]


@dataclass
class Feet:
    """The start of a backward walk: `steps` are (t, at, whether of the worn foot), `gate_s` is the delay of the first one."""

    run: EngineRun
    from_s: float
    to_s: float
    swings: list[list[Point]]
    steps: list[tuple[float, float, bool]]
    gate_s: float


def feet() -> Feet:
    """The first strides of a backward walk: when each foot lands, which step is credited, and when it is reported."""
    from_s, to_s = 2.6, 8.2
    run = run_engine([Stand(3), BackwardWalk(9), Stand(3)])
    pairs = [pair for pair in run.pairs() if pair[2] <= to_s]
    worn = {credited: own for _, own, credited, _ in pairs}
    steps = [(t, at, worn.get(t, False)) for t, at in run.steps if at <= to_s]
    swings = [run.swing(credited, True) for _, own, credited, _ in pairs if own]
    return Feet(run, from_s, to_s, swings, steps, steps[0][1] - steps[0][0])


@dataclass
class RisingCadence:
    """A backward run whose cadence rises. Curves are (s, steps a minute); `alerts` is {severity: (at s, delay s after the limit)}."""

    run: EngineRun
    from_s: float
    to_s: float
    planned: list[Point]
    limits: dict[int, list[Point]]
    reported: list[Point]
    alerts: dict[int, tuple[float, float]]


def rising_cadence() -> RisingCadence:
    """A backward run whose cadence rises by 20 % in 10 s, with both limits of the alert."""
    start_s = 3.0
    segment = BackwardRun(34, 150, [Ramp(at_s=14, percent=20, over_s=10)])
    run = run_engine([Stand(start_s), segment, Stand(3)])
    limits = Limits()
    times = [start_s + k / 10 for k in range(int(10 * segment.seconds) + 1)]
    planned = [(t, segment.cadence(t - start_s)) for t in times]
    lines, alerts = {}, {}
    for severity, limit_x10 in ((WARN, limits.ramp_warn_x10), (STOP, limits.ramp_stop_x10)):
        line = [(t, segment.cadence(max(0.0, t - start_s - limits.ramp_window_s)) * (1 + limit_x10 / 1000)) for t in times]
        exceeded_s = next(t for (t, spm), (_, allowed) in zip(planned, line, strict=True) if spm >= allowed)
        at = next(at for at, of_alert in run.ramps if of_alert == severity)
        lines[severity] = line
        alerts[severity] = at, at - exceeded_s
    reported = [(at, spm) for at, spm in run.cadences if spm]
    return RisingCadence(run, start_s, start_s + segment.seconds + 1, planned, lines, reported, alerts)


@dataclass
class Front:
    """What shows front and back while a device is worn in one way. `course` is (s, value), up to `found_s`, when the mount was found."""

    is_turned: bool
    direction: str
    course: list[Point]
    found_s: float


def fronts() -> list[Front]:
    """A walk forward and backward, with the sensor worn as declared and turned by half a turn about the leg."""
    found = []
    for segment in (Walk(12), BackwardWalk(12)):
        for is_turned in (False, True):
            course, found_s = front_course([Stand(2), segment], is_turned)
            found.append(Front(is_turned, segment.direction, course, found_s))
    return found


def trunk() -> list[TrunkSteps]:
    """Steps at the waist, and what is as regular but none: a walk, a run, an elliptical trainer, a bus."""
    plans = (("Walking", Walk(20)), ("Running", Run(20)), ("Elliptical trainer", Elliptical(20)), ("Bus", Ride(40, 0.25, 16, 1.3, 2.1)))
    return [trunk_steps(name, [Stand(3), motion, Stand(3)]) for name, motion in plans]
