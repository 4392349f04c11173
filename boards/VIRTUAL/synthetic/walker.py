"""Somebody who carries a plan out: how the leg moves through all of it, where it lands, and what that means at the sensor's place.

Gaits glide into each other, and bouts grow from standing and end in it with a whole step. All arrays hold one value each 1 / fine_hz.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from synthetic.gaits import WALK, Style
from synthetic.leg import GRAVITY, Person, Pose, cycle, pose
from synthetic.plan import Segment
from synthetic.sensor import CHANNELS, Wear

GLIDE_S = 1.0
"""One gait gives way to the next from so long before to so long after their border."""
GROWTH, DECAY = 0.5, 0.55
"""Of a stride: how long the first step grows and the last one fades."""
_SIT_DOWN_S = 1.4


@dataclass
class Truth:
    """What really happened, in seconds since the recording's start."""

    steps: list[dict[str, object]] = field(default_factory=list)
    directions: list[dict[str, object]] = field(default_factory=list)
    cadence: list[dict[str, float]] = field(default_factory=list)
    """Scheduled steps a minute, once a second; 0 where no step is planned."""


@dataclass(frozen=True)
class Landing:
    """A foot that meets the ground: when (s), in which gait, how hard (1 is usual), and whether it is the worn leg's."""

    at_s: float
    style: Style
    strength: float
    own: bool


@dataclass
class _Pace:
    """The course of one bout, a value each fine sample: phase in strides, steps a minute, reach, and which gaits are mixed."""

    phase: array[float]
    spm: array[float]
    reach: array[float]
    mix: list[tuple[int, int, float]]
    """(one segment, the next one, weight of the next one)"""
    last_phase: float

    def after(self, i: int) -> float:
        """The phase one fine sample later."""
        return self.phase[i + 1] if i + 1 < len(self.phase) else self.last_phase

    def grown(self, phase: float) -> float:
        """How much of a full step is taken at that phase of the bout."""
        return _ease((phase - self.phase[0]) / GROWTH) * _ease((self.last_phase - phase) / DECAY)


class Walker:
    """A person who carries out `plan` with the sensor worn like `wear`; chance comes from `r`."""

    def __init__(self, plan: Sequence[Segment], person: Person, wear: Wear, r: random.Random, fine_hz: float) -> None:
        self.fine_hz = fine_hz
        self.truth = Truth()
        self._person = person
        self._wear = wear
        self._random = r
        self._mirror = 1 if wear.side == "left" else -1
        self._poses: list[Pose] = []
        self._spm = array("d")
        self._landings: list[Landing] = []
        self._turns: list[tuple[float, float, float]] = []
        """(from s, for s, radians)"""
        self._lean = [(r.uniform(0.1, 0.45), r.uniform(0, 2 * math.pi), math.radians(r.uniform(0.1, 0.3))) for _ in range(6)]
        """Quiet standing's sway: (Hz, start, radians), three to the front, three to the side."""
        k = 0
        while k < len(plan):
            bout = [plan[k]]
            while bout[0].style is not None and k + len(bout) < len(plan) and plan[k + len(bout)].direction == bout[0].direction:
                bout.append(plan[k + len(bout)])
            self._carry_out(bout)
            k += len(bout)
        self.truth.cadence = [{"t": float(s), "spm": round(self._spm[int(s * fine_hz)], 2)} for s in range(int(self._now_s))]

    @property
    def _now_s(self) -> float:
        return len(self._spm) / self.fine_hz

    def _carry_out(self, bout: list[Segment]) -> None:
        """Segments of one direction; of those without steps, one."""
        start_s = at_s = self._now_s
        for segment in bout:
            self._turns += [(at_s + t.at_s, t.over_s, math.radians(t.degrees)) for t in segment.turns]
            at_s += segment.seconds
        if bout[0].style is None:
            self._rest(bout[0])
        else:
            pace = self._pace(bout)
            self._tread(bout, pace, start_s)
            self._swing(bout, pace)
        said = self.truth.directions
        if said and said[-1]["direction"] == bout[0].direction:
            said[-1]["to"] = round(self._now_s, 4)
        else:
            said.append({"from": round(start_s, 4), "to": round(self._now_s, 4), "direction": bout[0].direction})

    def _append(self, p: Pose, spm: float) -> None:
        """One fine sample, on top of quiet standing's sway."""
        at = 2 * math.pi * self._now_s
        lean = [size * math.sin(at * hz + start) for hz, start, size in self._lean]
        thigh, frontal = p.thigh + lean[0] + lean[1] + lean[2], p.frontal + lean[3] + lean[4] + lean[5]
        self._poses.append(Pose(thigh, p.knee, p.hip_x, p.hip_z, frontal, p.transverse, p.travel, p.sway))
        self._spm.append(spm)

    # Without steps

    def _rest(self, segment: Segment) -> None:
        """Stand, shuffle or sit: single joints move at irregular times, and no step is taken."""
        n = round(segment.seconds * self.fine_hz)
        thigh, knee, frontal, hip_z = (array("d", bytes(8 * n)) for _ in range(4))
        if segment.idle == "shuffle":
            self._shuffle(segment.seconds, thigh, knee, frontal)
        elif segment.idle == "sit":
            self._sit(segment.seconds, thigh, knee, hip_z)
        for k in range(n):
            self._append(Pose(thigh[k], knee[k], 0.0, hip_z[k], frontal[k]), 0.0)

    def _bump(self, into: array[float], at_s: float, width_s: float, size: float) -> None:
        """There and back again."""
        first, count = int(at_s * self.fine_hz), int(width_s * self.fine_hz)
        for k in range(max(0, first), min(len(into), first + count)):
            into[k] += size * 0.5 * (1 - math.cos(2 * math.pi * (k - first) / count))

    def _shuffle(self, seconds: float, thigh: array[float], knee: array[float], frontal: array[float]) -> None:
        """Weight goes from one foot to the other, and the heel comes down again with a small thump."""
        r = self._random
        at = r.uniform(0.6, 1.5)
        while at < seconds - 1.5:
            width = r.uniform(0.5, 1.3)
            bend = math.radians(r.uniform(3, 14))
            self._bump(thigh, at, width, bend * r.uniform(0.3, 0.6))
            self._bump(knee, at, width, bend)
            self._bump(frontal, at + r.uniform(-0.2, 0.2), width * 1.4, math.radians(r.uniform(-5, 5)))
            if r.random() < 0.4:
                self._landings.append(Landing(self._now_s + at + width * 0.85, WALK, r.uniform(0.05, 0.2), True))
            at += width + r.uniform(0.6, 3.0)

    def _sit(self, seconds: float, thigh: array[float], knee: array[float], hip_z: array[float]) -> None:
        """Down on a chair, up again in the end; in between the shank dangles a few times, or the heel bounces nervously."""
        r = self._random
        down = math.radians(82)
        for k in range(len(thigh)):
            at = k / self.fine_hz
            seated = _ease(at / _SIT_DOWN_S) * _ease((seconds - at) / _SIT_DOWN_S)
            thigh[k] = knee[k] = down * seated
            hip_z[k] = -self._person.thigh_m * 0.9 * seated
        at = 2.0
        while at < seconds - 5:
            if r.random() < 0.5:
                for _ in range(r.randint(1, 4)):
                    width = r.uniform(0.7, 1.2)
                    self._bump(knee, at, width, -math.radians(r.uniform(8, 25)))
                    at += width * r.uniform(0.9, 1.2)
            else:
                # 4 to 6 bounces a second
                beat = r.uniform(0.16, 0.25)
                for _ in range(r.randint(6, 15)):
                    self._bump(thigh, at, beat, math.radians(2.5))
                    at += beat
            at += r.uniform(1.0, 4.0)

    # With steps

    def _pace(self, bout: list[Segment]) -> _Pace:
        """The course of a bout, known to its end before the first step: the last one must be known before it is taken."""
        r = self._random
        wear = self._wear
        borders = [0.0]
        for segment in bout:
            borders.append(borders[-1] + segment.seconds)
        # Either foot may go first. The worn one has just left the ground (0.62 of a stride), or the other one has.
        phase = 0.62 if r.random() < 0.5 else 0.12
        pace = _Pace(array("d"), array("d"), array("d"), [], 0.0)
        step = math.floor(phase * 2)
        haste, next_haste = 1.0, 1 + r.gauss(0, wear.cadence_jitter)
        reach, next_reach = 1.0, 1 + r.gauss(0, wear.reach_jitter)
        while True:
            at = len(pace.phase) / self.fine_hz
            share = phase * 2 - math.floor(phase * 2)
            # The end is a little after a contact.
            if at >= borders[-1] and phase >= 0.5 and 0.2 <= share < 0.9:
                pace.last_phase = phase
                return pace
            a, b, weight = _mix(borders, at)
            spm = bout[a].cadence(at - borders[a]) * (1 - weight) + bout[b].cadence(at - borders[b]) * weight
            pace.phase.append(phase)
            pace.spm.append(spm)
            pace.reach.append(reach + (next_reach - reach) * _ease(share))
            pace.mix.append((a, b, weight))
            phase += spm * (haste + (next_haste - haste) * share) / 120 / self.fine_hz
            if math.floor(phase * 2) > step:
                step = math.floor(phase * 2)
                haste, next_haste = next_haste, 1 + r.gauss(0, wear.cadence_jitter)
                reach, next_reach = next_reach, 1 + r.gauss(0, wear.reach_jitter)

    def _tread(self, bout: list[Segment], pace: _Pace, start_s: float) -> None:
        """The contacts: this leg's are at whole phases, the other's in the middle between them, or nearly."""
        r = self._random
        other = "right" if self._wear.side == "left" else "left"
        for i, before in enumerate(pace.phase):
            after = pace.after(i)
            for own, shift in ((True, 0.0), (False, 0.5 + self._person.asymmetry)):
                whole = math.floor(after - shift)
                if whole <= math.floor(before - shift):
                    continue
                at = (i + (whole + shift - before) / (after - before)) / self.fine_hz
                a, b, weight = pace.mix[i]
                style = (bout[b] if weight >= 0.5 else bout[a]).style
                assert style is not None
                strength = max(0.35, pace.grown(whole + shift - 0.2)) * (pace.spm[i] / style.natural_spm) * r.uniform(0.8, 1.2)
                self._landings.append(Landing(start_s + at, style, strength, own))
                foot = self._wear.side if own else other
                self.truth.steps.append({"t": round(start_s + at, 4), "foot": foot, "direction": bout[0].direction})

    def _swing(self, bout: list[Segment], pace: _Pace) -> None:
        """The poses of a bout."""
        cycles = [cycle(s.style, self._person) for s in bout if s.style is not None]
        for i, phase in enumerate(pace.phase):
            spm = pace.spm[i]
            strides_hz = (pace.after(i) - phase) * self.fine_hz
            size = pace.grown(phase) * pace.reach[i]
            a, b, weight = pace.mix[i]
            mixed = pose(cycles[b], phase, spm, strides_hz)
            if weight < 1:
                mixed = Pose(*(u * (1 - weight) + v * weight for u, v in zip(pose(cycles[a], phase, spm, strides_hz), mixed, strict=True)))
            self._append(Pose(*(size * v for v in mixed)), spm)

    # What it means at the sensor's place

    def channels(self) -> list[array[float]]:
        """Specific force (g) and rate (degrees a second) in body axes at the sensor's place, landings included."""
        poses, person, mirror, fine = self._poses, self._person, self._mirror, self.fine_hz
        n = len(poses)
        x, z, shank = (array("d", bytes(8 * n)) for _ in range(3))
        for i, p in enumerate(poses):
            s = shank[i] = p.thigh - p.knee
            x[i] = p.hip_x + person.thigh_m * math.sin(p.thigh) + person.sensor_m * math.sin(s)
            z[i] = p.hip_z - person.thigh_m * math.cos(p.thigh) - person.sensor_m * math.cos(s)
        yaw = self._yaw(n)
        out = [array("d", bytes(8 * n)) for _ in range(CHANNELS)]
        second = fine * fine / GRAVITY
        first = math.degrees(1.0) * fine / 2
        for i, p in enumerate(poses):
            m = min(max(i, 1), n - 2)
            before, after = poses[m - 1], poses[m + 1]
            ax = (x[m - 1] - 2 * x[m] + x[m + 1]) * second + (after.travel - before.travel) * fine / 2 / GRAVITY
            ay = (before.sway - 2 * poses[m].sway + after.sway) * second + yaw[i] * p.travel / GRAVITY
            az = (z[m - 1] - 2 * z[m] + z[m + 1]) * second + 1.0
            sin, cos = math.sin(shank[i]), math.cos(shank[i])
            # The shank's own axes; its small frontal and transverse angles lean and twist them a little.
            fx = ax * cos + az * sin
            fz = az * cos - ax * sin
            fy = mirror * (ay + fz * p.frontal)
            spin = math.degrees(yaw[i])
            out[0][i] = fx + mirror * fy * p.transverse
            out[1][i] = fy - mirror * fx * p.transverse
            out[2][i] = fz
            out[3][i] = mirror * (after.frontal - before.frontal) * first + spin * sin
            out[4][i] = -(shank[m + 1] - shank[m - 1]) * first
            out[5][i] = mirror * (after.transverse - before.transverse) * first + spin * cos
        for landing in self._landings:
            self._land(landing, out)
        return out

    def _yaw(self, n: int) -> array[float]:
        """How fast the whole body turns, radians a second."""
        yaw = array("d", bytes(8 * n))
        for from_s, over_s, angle in self._turns:
            length = max(1, round(over_s * self.fine_hz))
            first = round(from_s * self.fine_hz)
            for i in range(first, min(n, first + length)):
                yaw[i] += angle / over_s * (1 - math.cos(2 * math.pi * (i - first + 0.5) / length))
        return yaw

    def _land(self, landing: Landing, out: list[array[float]]) -> None:
        """Force rises after the contact, brakes the foot, holds the shank back below and twists it a little."""
        r = self._random
        style = landing.style
        peak_s = style.impact_ms / 1000 * r.uniform(0.85, 1.15) * (1.0 if landing.own else 1.3)
        share = 1.0 if landing.own else self._wear.other_foot
        size = style.impact_g * landing.strength * self._person.impact * self._wear.impact * share
        against = 1 if style.backward else -1
        force_axes = (against * style.brake * r.uniform(0.7, 1.3), self._mirror * r.uniform(-0.35, 0.35), 1.0)
        # Degrees a second for each g.
        jolt_axes = (r.gauss(0, 14), -against * 22.0, r.gauss(0, 30))
        first = math.ceil(landing.at_s * self.fine_hz)
        for i in range(first, min(len(out[0]), first + int(8 * peak_s * self.fine_hz))):
            u = (i / self.fine_hz - landing.at_s) / peak_s
            # u^2 exp(2 - 2u) peaks with 1 at u = 1.
            force = size * u * u * math.exp(2 - 2 * u)
            for k in range(3):
                out[k][i] += force * force_axes[k]
                out[3 + k][i] += force * jolt_axes[k]


def _mix(borders: list[float], at_s: float) -> tuple[int, int, float]:
    """Which two neighbouring segments of a bout are mixed, and the weight of the second."""
    k = 0
    while k + 2 < len(borders) and at_s >= max((borders[k] + borders[k + 1]) / 2, borders[k + 1] - GLIDE_S):
        k += 1
    if k == 0:
        return 0, 0, 1.0
    return k - 1, k, _ease((at_s - borders[k] + GLIDE_S) / (2 * GLIDE_S))


def _ease(x: float) -> float:
    """0 to 1 with two vanishing derivatives at both ends."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    return x * x * x * (10 + x * (6 * x - 15))
