"""Runs the engine over generated motion and keeps everything that the pictures of firmware/GAIT.md show."""

import math
import statistics
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from motion import Segment, Wear, generate
from retrostep.replay.imu import blocks
from retrostep.replay.recording import ImuRecording
from retrostep_core.code_names import DIRECTION_NAMES
from retrostep_core.codes import RAMP
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits

SEED = 5
# Where the mount finder counts its means, and how many it needs.
_MEANS_AT, _MEANS_LEAST = 7, 20
NEAR_S = 0.25
"""A credited step belongs to the nearest true step, if that is no farther away than this."""


@dataclass
class EngineRun:
    """Generated motion and the events of the engine; times in seconds."""

    t_s: list[float] = field(default_factory=list)
    gyro_dps: list[float] = field(default_factory=list)
    evidence: list[float] = field(default_factory=list)
    truth_steps: list[tuple[float, bool, str]] = field(default_factory=list)
    """(t, whether of the worn foot, direction)"""
    truth_directions: list[tuple[float, float, str]] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    """(t, at)"""
    directions: list[tuple[float, float, str]] = field(default_factory=list)
    """(at, since, direction)"""
    cadences: list[tuple[float, float]] = field(default_factory=list)
    """(at, steps a minute)"""
    ramps: list[tuple[float, int]] = field(default_factory=list)
    """(at, severity)"""

    def step(self, t_ms: int, at_ms: int, direction: int) -> None:
        self.steps.append((t_ms / 1000, at_ms / 1000))

    def direction(self, at_ms: int, since_ms: int, direction: int) -> None:
        self.directions.append((at_ms / 1000, since_ms / 1000, DIRECTION_NAMES[direction]))

    def cadence(self, at_ms: int, spm_x10: int) -> None:
        self.cadences.append((at_ms / 1000, spm_x10 / 10))

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> None:
        if kind == RAMP:
            self.ramps.append((at_ms / 1000, severity))

    def gap(self, from_ms: int, to_ms: int, reason: int) -> None:
        raise ValueError("generated motion has no gaps")

    def found_mount(self, at_ms: int, since_ms: int, mount: object) -> None:
        """The mount is not needed here."""

    def pairs(self) -> list[tuple[float, bool, float, float]]:
        """(true t, whether of the worn foot, credited t, at) of every true step that was credited."""
        found = []
        for t, worn, _ in self.truth_steps:
            best = min(self.steps, key=lambda step: abs(step[0] - t), default=(math.inf, 0.0))
            if abs(best[0] - t) <= NEAR_S:
                found.append((t, worn, *best))
        return found

    def between(self, from_s: float, to_s: float) -> list[tuple[float, float]]:
        """(t, sagittal angular velocity) from `from_s` to `to_s`."""
        return [(t, rate) for t, rate in zip(self.t_s, self.gyro_dps, strict=True) if from_s <= t <= to_s]

    def swing(self, end_s: float, backward: bool) -> list[tuple[float, float]]:
        """The swing that ends with the worn foot's step at `end_s`: a negative half-cycle forward, a positive one backward."""
        sign = 1 if backward else -1
        rate = self.gyro_dps
        smooth = [sum(rate[max(0, k - 2) : k + 3]) * sign for k in range(len(rate))]
        last = min(bisect_right(self.t_s, end_s + 0.03), len(rate)) - 1
        while smooth[last] <= 0:
            last -= 1
        first = last
        while smooth[first - 1] > 0:
            first -= 1
        return [(self.t_s[k], rate[k]) for k in range(first, last + 1)]


def run_engine(plan: Sequence[Segment], seed: int = SEED, side: str = "left") -> EngineRun:
    """Generate the plan's motion and run the engine over it, sample by sample, as the board's sensor would measure it."""
    made = generate(plan, seed, Wear(side=side))
    columns = [array("d", column) for column in zip(*made.samples, strict=True)]
    recording = ImuRecording("generated", t_s=array("d", [k / made.rate_hz for k in range(len(made.samples))]), values=columns)
    run = EngineRun()
    names = [(float(d["from"]), float(d["to"]), str(d["direction"])) for d in made.truth.directions]  # type: ignore[arg-type]
    run.truth_directions = names
    run.truth_steps = [(float(s["t"]), s["foot"] == side, str(s["direction"])) for s in made.truth.steps]  # type: ignore[arg-type]
    engine = Engine(run, Limits())
    at_ms = 0
    for block in blocks(recording):
        for i in range(block.n):
            at_ms = block.t0_ms + i * block.period_us // 1000
            engine.samples(block.samples[6 * i : 6 * i + 6], 1, at_ms, block.period_us)
            run.t_s.append(at_ms / 1000)
            run.gyro_dps.append(block.samples[6 * i + 4] / 10)
            run.evidence.append(engine._detector._phases._direction.evidence)
    engine.finish(at_ms)
    return run


def front_course(plan: Sequence[Segment], is_turned: bool, seed: int = SEED) -> tuple[list[tuple[float, float]], float]:
    """([(s, what shows front and back)], when the mount was found). `is_turned`: the sensor is half a turn about the leg from its mount."""
    made = generate(plan, seed, Wear())
    engine = Engine(EngineRun(), Limits())
    sign = -1 if is_turned else 1
    course = []
    for k, sample in enumerate(made.samples):
        ax, ay, az, gx, gy, gz = (round(value * (1000 if i < 3 else 10)) for i, value in enumerate(sample))
        at_ms = round(k * 1000 / made.rate_hz)
        engine.samples(array("h", (sign * ax, sign * ay, az, sign * gx, sign * gy, gz)), 1, at_ms, 1_000_000 // round(made.rate_hz))
        if engine.finder is None:
            return course, at_ms / 1000
        if engine.finder._sums[_MEANS_AT] >= _MEANS_LEAST:
            course.append((at_ms / 1000, engine.finder._front() / 256))
    raise ValueError("the mount was not found")


def skewness(values: Sequence[float]) -> float:
    """The third moment divided by the cube of the standard deviation."""
    mean, deviation = statistics.fmean(values), statistics.pstdev(values)
    return statistics.fmean(((v - mean) / deviation) ** 3 for v in values)
