#!/usr/bin/env python3
"""Synthetic recordings of a lower leg, with the truth beside them.

    motion.py --list
    motion.py PLAN [--seed N] [--side left|right] [--mount +y+z+x] [--rate HZ] OUT.csv

writes OUT.csv (a recording as `retrostep replay` and the virtual board read it) and OUT.truth.json: the time, foot and direction of
every initial contact, the stretches of each direction and the scheduled cadence. The same plan, seed and options give the same bytes.
Another seed is another person: other leg lengths, reach, impacts, limp, strap, bias and a slightly crooked sensor.

As a library:

    from motion import BackwardRun, Ramp, Stand, Walk, generate
    made = generate([Stand(3), Walk(60), BackwardRun(40, 160, [Ramp(at_s=20, percent=20, over_s=8)]), Stand(4)], seed=7)
    made.write("out.csv")

What the leg does is in leg.py; this file strings gaits together in time, adds landings, strap, noise, bias and mount, and writes.
Only the standard library is used. Clipping and quantising are the chip's work and not done here.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from leg import (
    BACKWARD_JOG,
    BACKWARD_RUN,
    BACKWARD_WALK,
    GRAVITY,
    JOG,
    RUN,
    SIDESTEP,
    WALK,
    Person,
    Style,
    cycle,
    pose,
)

OVERSAMPLING = 2
SPM_MIN, SPM_MAX = 40, 260


@dataclass(frozen=True)
class Ramp:
    """The cadence changes by `percent` of what it was at `at_s`, evenly over `over_s` seconds."""

    at_s: float
    percent: float
    over_s: float


@dataclass(frozen=True)
class Turn:
    """The whole body turns by `degrees` (left is positive) over `over_s` seconds."""

    at_s: float
    degrees: float
    over_s: float


@dataclass(frozen=True)
class Segment:
    """A stretch of one activity; `style` None means that no step is taken."""

    seconds: float
    style: Style | None = None
    spm: float = 0.0
    ramps: tuple[Ramp, ...] = ()
    turns: tuple[Turn, ...] = ()
    idle: str = "stand"
    """Without a style: stand, shuffle or sit."""

    def cadence(self, at_s: float) -> float:
        """Scheduled steps a minute, `at_s` seconds into the segment."""
        spm = self.spm
        for r in self.ramps:
            if at_s > r.at_s:
                share = min(1.0, (at_s - r.at_s) / r.over_s) if r.over_s > 0 else 1.0
                spm *= 1 + r.percent / 100 * share
        return spm

    @property
    def direction(self) -> str:
        if self.style is None:
            return "still"
        if self.style.sideways:
            return "lateral"
        return "backward" if self.style.backward else "forward"


def _moving(style: Style) -> Callable[..., Segment]:
    def make(seconds: float, spm: float = style.natural_spm, ramps: Sequence[Ramp] = (), turns: Sequence[Turn] = ()) -> Segment:
        segment = Segment(seconds, style, spm, tuple(ramps), tuple(turns))
        for at in (0.0, *(r.at_s for r in ramps), *(r.at_s + r.over_s for r in ramps)):
            asked = segment.cadence(at)
            if not SPM_MIN <= asked <= SPM_MAX:
                raise ValueError(f"{style.name}: {asked:.0f} steps a minute is outside {SPM_MIN} to {SPM_MAX}")
        return segment

    return make


Walk = _moving(WALK)
Jog = _moving(JOG)
Run = _moving(RUN)
BackwardWalk = _moving(BACKWARD_WALK)
BackwardJog = _moving(BACKWARD_JOG)
BackwardRun = _moving(BACKWARD_RUN)
Sidestep = _moving(SIDESTEP)


def Stand(seconds: float, turns: Sequence[Turn] = ()) -> Segment:
    """Quiet standing."""
    return Segment(seconds, turns=tuple(turns))


def Shuffle(seconds: float) -> Segment:
    """Standing, shifting weight, lifting a heel now and then: no steps."""
    return Segment(seconds, idle="shuffle")


def Sit(seconds: float) -> Segment:
    """Sitting, swinging or bouncing the leg now and then: no steps."""
    return Segment(seconds, idle="sit")


@dataclass(frozen=True)
class Wear:
    """How the sensor is worn and what is wrong with it. None is drawn from the seed."""

    side: str = "left"
    mount: str = "+x+y+z"
    """Body forward, left and up in sensor axes, as in board.json."""
    tilt_deg: tuple[float, float, float] | None = None
    """Crooked by so much about body x, y and z (at most 20 each)."""
    strap_hz: float | None = None
    """Resonance of soft tissue and strap; 0 is a sensor screwed to the bone, 10 a loose strap."""
    strap_damping: float = 0.22
    impact: float = 1.0
    other_foot: float = 0.10
    """The other foot's impact at this shank, as a share of its own."""
    noise_g: float = 0.002
    noise_dps: float = 0.12
    bias_dps: tuple[float, float, float] | None = None
    cadence_jitter: float = 0.012
    """Standard deviation of single steps about the schedule."""
    reach_jitter: float = 0.03
    """The same of how far a step reaches."""


@dataclass
class Truth:
    """What really happened, in seconds since the recording's start."""

    steps: list[dict[str, object]] = field(default_factory=list)
    directions: list[dict[str, object]] = field(default_factory=list)
    cadence: list[dict[str, float]] = field(default_factory=list)
    """Scheduled steps a minute, once a second; 0 where no step is planned."""


@dataclass
class Recording:
    name: str
    seed: int
    rate_hz: float
    wear: Wear
    samples: list[tuple[float, float, float, float, float, float]]
    """ax, ay, az in g and gx, gy, gz in degrees a second, in sensor axes."""
    truth: Truth

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz

    def lines(self) -> list[str]:
        """The recording as CSV lines."""
        out = [
            "# retrostep-recording: 1",
            f"# synthetic: retrostep motion, plan {self.name}, seed {self.seed}",
            "# placement: shank",
            f"# side: {self.wear.side}",
            f"# mount: {self.wear.mount}",
            "t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps",
        ]
        for i, s in enumerate(self.samples):
            out.append(f"{i / self.rate_hz:.4f},{s[0]:.4f},{s[1]:.4f},{s[2]:.4f},{s[3]:.2f},{s[4]:.2f},{s[5]:.2f}")
        return out

    def write(self, path: str | Path) -> tuple[Path, Path]:
        """Write the recording and its truth; returns both paths."""
        path = Path(path)
        truth_path = path.with_name(path.stem + ".truth.json")
        path.write_text("\n".join(self.lines()) + "\n")
        truth = {
            "synthetic": f"retrostep motion, plan {self.name}, seed {self.seed}",
            "recording": path.stem,
            "duration_s": round(self.duration_s, 4),
            "side": self.wear.side,
            "steps": self.truth.steps,
            "directions": self.truth.directions,
            "cadence": self.truth.cadence,
        }
        truth_path.write_text(json.dumps(truth, indent=1) + "\n")
        return path, truth_path


def parse_mount(mount: str) -> list[tuple[int, int]]:
    """"+y+z+x" -> for body x, y and z: (sensor axis, sign)."""
    pairs = [mount[i : i + 2] for i in range(0, len(mount), 2)]
    if len(mount) != 6 or any(p[0] not in "+-" or p[1] not in "xyz" for p in pairs) or len({p[1] for p in pairs}) != 3:
        raise ValueError(f"mount {mount!r} is not three signed axes such as +y+z+x")
    return [("xyz".index(p[1]), 1 if p[0] == "+" else -1) for p in pairs]


def _ease(x: float) -> float:
    """0 to 1 with two vanishing derivatives at both ends."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    return x * x * x * (10 + x * (6 * x - 15))


class _Strap:
    """Soft tissue and strap as a mass on a damped spring between bone and sensor (bilinear transform)."""

    def __init__(self, hz: float, damping: float, rate_hz: float) -> None:
        w = math.tan(math.pi * hz / rate_hz)
        n = 1 + 2 * damping * w + w * w
        self.b = ((2 * damping * w + w * w) / n, 2 * w * w / n, (w * w - 2 * damping * w) / n)
        self.a = ((2 * w * w - 2) / n, (1 - 2 * damping * w + w * w) / n)

    def run(self, x: array[float]) -> array[float]:
        (b0, b1, b2), (a1, a2) = self.b, self.a
        x1 = x2 = y1 = y2 = x[0]
        out = array("d", bytes(8 * len(x)))
        for i, v in enumerate(x):
            y = b0 * v + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            x2, x1, y2, y1 = x1, v, y1, y
            out[i] = y
        return out


def somebody(seed: int) -> Person:
    """A person drawn at random, the same one for the same seed."""
    r = random.Random(f"retrostep person {seed}")
    shank_m = r.uniform(0.39, 0.45)
    return Person(
        thigh_m=r.uniform(0.40, 0.46),
        shank_m=shank_m,
        sensor_m=shank_m - r.uniform(0.08, 0.13),
        reach=r.uniform(0.92, 1.08),
        impact=r.uniform(0.75, 1.3),
        asymmetry=r.uniform(-0.012, 0.012),
    )


class _Making:
    """One recording in the making: arrays at OVERSAMPLING times the rate."""

    def __init__(self, plan: Sequence[Segment], seed: int, wear: Wear, rate_hz: float, person: Person | None) -> None:
        self.random = random.Random(f"retrostep motion {seed}")
        r = self.random
        self.tilt = wear.tilt_deg if wear.tilt_deg is not None else (r.gauss(0, 3), r.gauss(0, 3), r.gauss(0, 5))
        self.strap_hz = wear.strap_hz if wear.strap_hz is not None else r.uniform(20, 30)
        self.bias = wear.bias_dps if wear.bias_dps is not None else (r.gauss(0, 0.6), r.gauss(0, 0.6), r.gauss(0, 0.6))
        if max(abs(a) for a in self.tilt) > 20:
            raise ValueError("tilt_deg holds an angle above 20 degrees; a sensor so crooked needs another mount")
        self.person = person or somebody(seed)
        self.wear = wear
        self.rate_hz = rate_hz
        self.fine_hz = rate_hz * OVERSAMPLING
        self.truth = Truth()
        self.thigh = array("d")
        self.knee = array("d")
        self.hip_x = array("d")
        self.hip_z = array("d")
        self.frontal = array("d")
        self.transverse = array("d")
        self.travel = array("d")
        """Speed of the mean travel, m/s."""
        self.sway = array("d")
        self.yaw: list[tuple[float, float, float]] = []
        """(from s, to s, radians)"""
        self.landings: list[tuple[float, Style, float, bool]] = []
        """(contact s, style, strength, own foot)"""
        self.cadence = array("d")
        self._sway_terms = [(r.uniform(0.1, 0.45), r.uniform(0, 2 * math.pi), math.radians(r.uniform(0.1, 0.3))) for _ in range(6)]
        self.build(plan)

    @property
    def now_s(self) -> float:
        return len(self.thigh) / self.fine_hz

    def note(self, direction: str, from_s: float) -> None:
        said = self.truth.directions
        if said and said[-1]["direction"] == direction:
            said[-1]["to"] = round(self.now_s, 4)
        else:
            said.append({"from": round(from_s, 4), "to": round(self.now_s, 4), "direction": direction})

    def build(self, plan: Sequence[Segment]) -> None:
        i = 0
        while i < len(plan):
            first = plan[i]
            start = self.now_s
            if first.style is None:
                self.rest(first)
                i += 1
            else:
                bout = [first]
                while i + len(bout) < len(plan) and plan[i + len(bout)].direction == first.direction:
                    bout.append(plan[i + len(bout)])
                self.move(bout)
                i += len(bout)
            self.note(first.direction, start)

    def turn(self, segment: Segment, start_s: float) -> None:
        for t in segment.turns:
            self.yaw.append((start_s + t.at_s, start_s + t.at_s + t.over_s, math.radians(t.degrees)))

    def append(self, values: Sequence[float], spm: float) -> None:
        """One fine sample, on top of quiet standing's sway."""
        thigh, knee, x, z, frontal, transverse, travel, sway = values
        at = self.now_s
        for k, (hz, start, size) in enumerate(self._sway_terms):
            lean = size * math.sin(2 * math.pi * hz * at + start)
            if k < 3:
                thigh += lean
            else:
                frontal += lean
        self.thigh.append(thigh)
        self.knee.append(knee)
        self.hip_x.append(x)
        self.hip_z.append(z)
        self.frontal.append(frontal)
        self.transverse.append(transverse)
        self.travel.append(travel)
        self.sway.append(sway)
        self.cadence.append(spm)

    def rest(self, segment: Segment) -> None:
        """Stand, shuffle or sit: bumps of single joints at irregular times, never a step."""
        r = self.random
        self.turn(segment, self.now_s)
        n = round(segment.seconds * self.fine_hz)
        thigh, knee, frontal, lift = (array("d", bytes(8 * n)) for _ in range(4))

        def bump(into: array[float], at_s: float, width_s: float, size: float) -> None:
            first, count = int(at_s * self.fine_hz), int(width_s * self.fine_hz)
            for k in range(max(0, first), min(n, first + count)):
                into[k] += size * 0.5 * (1 - math.cos(2 * math.pi * (k - first) / count))

        if segment.idle == "shuffle":
            at = r.uniform(0.6, 1.5)
            while at < segment.seconds - 1.5:
                width = r.uniform(0.5, 1.3)
                bend = math.radians(r.uniform(3, 14))
                bump(thigh, at, width, bend * r.uniform(0.3, 0.6))
                bump(knee, at, width, bend)
                bump(frontal, at + r.uniform(-0.2, 0.2), width * 1.4, math.radians(r.uniform(-5, 5)))
                if r.random() < 0.4:
                    self.landings.append((self.now_s + at + width * 0.85, WALK, r.uniform(0.05, 0.2), True))
                at += width + r.uniform(0.6, 3.0)
        elif segment.idle == "sit":
            down = math.radians(82)
            bump(thigh, 0.0, 2 * segment.seconds, 0.0)
            for k in range(n):
                at = k / self.fine_hz
                seated = _ease(at / 1.4) * _ease((segment.seconds - at) / 1.4)
                thigh[k] = down * seated
                knee[k] = down * seated
                lift[k] = -self.person.thigh_m * 0.9 * seated
            at = 2.0
            while at < segment.seconds - 5:
                if r.random() < 0.5:
                    # a few swings of the dangling shank
                    for _ in range(r.randint(1, 4)):
                        width = r.uniform(0.7, 1.2)
                        bump(knee, at, width, -math.radians(r.uniform(8, 25)))
                        at += width * r.uniform(0.9, 1.2)
                else:
                    # the nervous heel: 4-6 bounces a second
                    beat = r.uniform(0.16, 0.25)
                    for _ in range(r.randint(6, 15)):
                        bump(thigh, at, beat, math.radians(2.5))
                        at += beat
                at += r.uniform(1.0, 4.0)
        for k in range(n):
            self.append((thigh[k], knee[k], 0.0, lift[k], frontal[k], 0.0, 0.0, 0.0), 0.0)

    def move(self, bout: Sequence[Segment]) -> None:
        """One unbroken bout in one direction: gaits glide into each other, the first and last step grow from and into standing."""
        r = self.random
        start_s = self.now_s
        borders = [0.0]
        for s in bout:
            self.turn(s, start_s + borders[-1])
            borders.append(borders[-1] + s.seconds)
        cycles = [cycle(s.style, self.person) for s in bout if s.style is not None]
        fine = self.fine_hz
        jitter, reach_jitter = self.wear.cadence_jitter, self.wear.reach_jitter

        def mix(at_s: float) -> tuple[int, int, float]:
            """Two neighbouring segments and the second one's weight."""
            j = 0
            while j + 1 < len(bout) and at_s >= (borders[j] + borders[j + 1]) / 2 and at_s >= borders[j + 1] - 1.0:
                j += 1
            if j == 0:
                return 0, 0, 0.0
            return j - 1, j, _ease((at_s - borders[j] + 1.0) / 2.0)

        # First the phase, since the last step must be known before it is taken.
        phase = 0.62 if r.random() < 0.5 else 0.12
        first_phase = phase
        phases = array("d")
        spms = array("d")
        reaches = array("d")
        weights: list[tuple[int, int, float]] = []
        contacts: list[tuple[float, int, float]] = []
        factor, next_factor = 1.0, 1 + r.gauss(0, jitter)
        reach, next_reach = 1.0, 1 + r.gauss(0, reach_jitter)
        step = math.floor(phase * 2)
        limp = self.person.asymmetry
        while True:
            at = len(phases) / fine
            if at >= borders[-1] and phase >= math.ceil((first_phase + 1e-9) * 2) / 2 and (phase * 2) % 1 >= 0.2 and (phase * 2) % 1 < 0.9:
                break
            a, b, w = mix(at)
            spm = bout[a].cadence(at - borders[a]) * (1 - w) + bout[b].cadence(at - borders[b]) * w
            spms.append(spm)
            weights.append((a, b, w))
            phases.append(phase)
            share = phase * 2 - math.floor(phase * 2)
            reaches.append(reach + (next_reach - reach) * _ease(share))
            phase += spm * (factor + (next_factor - factor) * share) / 120 / fine
            if math.floor(phase * 2) > step:
                step = math.floor(phase * 2)
                factor, next_factor = next_factor, 1 + r.gauss(0, jitter)
                reach, next_reach = next_reach, 1 + r.gauss(0, reach_jitter)
        last_phase = phase

        def grown(at_phase: float) -> float:
            return _ease((at_phase - first_phase) / 0.5) * _ease((last_phase - at_phase) / 0.55)

        # Contacts of this leg are at whole phases, those of the other between them.
        n = len(phases)
        for i in range(n):
            before, after = phases[i], phases[i + 1] if i + 1 < n else last_phase
            for own, shift in ((True, 0.0), (False, 0.5 + limp)):
                if math.floor(after - shift) > math.floor(before - shift):
                    whole = math.floor(after - shift)
                    at = i + (whole + shift - before) / (after - before)
                    contacts.append((at / fine, 1 if own else 0, whole + shift))
        other = "right" if self.wear.side == "left" else "left"
        for at, own_foot, at_phase in contacts:
            i = min(n - 1, int(at * fine))
            a, b, w = weights[i]
            style = (bout[b] if w >= 0.5 else bout[a]).style
            assert style is not None
            strength = max(0.35, grown(at_phase - 0.2)) * (spms[i] / style.natural_spm) * r.uniform(0.8, 1.2)
            self.landings.append((start_s + at, style, strength, bool(own_foot)))
            self.truth.steps.append(
                {"t": round(start_s + at, 4), "foot": self.wear.side if own_foot else other, "direction": bout[0].direction}
            )

        for i in range(n):
            a, b, w = weights[i]
            size = grown(phases[i]) * reaches[i]
            parts = [(cycles[a], 1 - w), (cycles[b], w)] if 0 < w < 1 else [(cycles[b if w else a], 1.0)]
            total = [0.0] * 8
            speed = (phases[i + 1] - phases[i] if i + 1 < n else last_phase - phases[i]) * fine
            for c, share in parts:
                p = pose(c, phases[i], spms[i])
                values = (p.thigh, p.knee, p.hip_x, p.hip_z, p.frontal, p.transverse, c.stride_m * p.reach * speed, p.sway)
                for k, v in enumerate(values):
                    total[k] += size * share * v
            self.append(total, spms[i])

    def samples(self) -> list[tuple[float, float, float, float, float, float]]:
        """Differentiate, turn into the shank's axes, strap, noise, mount."""
        n = len(self.thigh)
        fine = self.fine_hz
        person, wear = self.person, self.wear
        mirror = 1 if wear.side == "left" else -1
        yaw = array("d", bytes(8 * n))
        for from_s, to_s, angle in self.yaw:
            length = max(1, round((to_s - from_s) * fine))
            for k in range(length):
                i = round(from_s * fine) + k
                if 0 <= i < n:
                    yaw[i] += angle / (to_s - from_s) * (1 - math.cos(2 * math.pi * (k + 0.5) / length))
        x = array("d", bytes(8 * n))
        z = array("d", bytes(8 * n))
        shank = array("d", bytes(8 * n))
        for i in range(n):
            a = self.thigh[i]
            s = a - self.knee[i]
            shank[i] = s
            x[i] = self.hip_x[i] + person.thigh_m * math.sin(a) + person.sensor_m * math.sin(s)
            z[i] = self.hip_z[i] - person.thigh_m * math.cos(a) - person.sensor_m * math.cos(s)
        channels = [array("d", bytes(8 * n)) for _ in range(6)]
        fx_, fy_, fz_, gx_, gy_, gz_ = channels
        sq = fine * fine / GRAVITY
        deg = math.degrees(1.0) * fine / 2
        for i in range(n):
            m = min(max(i, 1), n - 2)
            h, j = m - 1, m + 1
            ax = (x[h] - 2 * x[m] + x[j]) * sq + (self.travel[j] - self.travel[h]) * fine / 2 / GRAVITY
            az = (z[h] - 2 * z[m] + z[j]) * sq + 1.0
            ay = (self.sway[h] - 2 * self.sway[m] + self.sway[j]) * sq + yaw[i] * self.travel[i] / GRAVITY
            s, f, t = shank[i], self.frontal[i], self.transverse[i]
            sin, cos = math.sin(s), math.cos(s)
            fx = ax * cos + az * sin
            fz = az * cos - ax * sin
            fy = mirror * (ay + fz * f)
            spin = math.degrees(yaw[i])
            rate = -(shank[j] - shank[h]) * deg
            fx_[i] = fx + fy * t * mirror
            fy_[i] = fy - fx * t * mirror
            fz_[i] = fz
            gx_[i] = mirror * (self.frontal[j] - self.frontal[h]) * deg + spin * sin
            gy_[i] = rate
            gz_[i] = mirror * (self.transverse[j] - self.transverse[h]) * deg + spin * cos
        self.land(channels, mirror)
        if self.strap_hz:
            strap = _Strap(self.strap_hz, wear.strap_damping, fine)
            channels = [strap.run(c) for c in channels]
        return self.sense(channels)

    def land(self, channels: list[array[float]], mirror: int) -> None:
        """Add each landing: force rises after the contact, brakes the foot and jolts the shank about the knee."""
        r = self.random
        fine = self.fine_hz
        n = len(self.thigh)
        for at, style, strength, own in self.landings:
            peak_s = style.impact_ms / 1000 * r.uniform(0.85, 1.15) * (1.0 if own else 1.3)
            size = style.impact_g * strength * self.person.impact * self.wear.impact * (1.0 if own else self.wear.other_foot)
            against = 1 if style.backward else -1
            brake = against * style.brake * r.uniform(0.7, 1.3)
            side = r.uniform(-0.35, 0.35)
            # The landing foot holds the shank back below and twists it a little; degrees a second for each g.
            jolts = (r.gauss(0, 14), -against * 22.0, r.gauss(0, 30))
            first = math.ceil(at * fine)
            for i in range(first, min(n, first + int(8 * peak_s * fine))):
                u = (i / fine - at) / peak_s
                # u^2 exp(2 - 2u) peaks with 1 at u = 1
                force = size * u * u * math.exp(2 - 2 * u)
                channels[0][i] += force * brake
                channels[1][i] += force * side * mirror
                channels[2][i] += force
                for k in range(3):
                    channels[3 + k][i] += force * jolts[k]

    def sense(self, channels: list[array[float]]) -> list[tuple[float, float, float, float, float, float]]:
        """Down to the sensor's rate and into its axes, crooked as it sits."""
        r = self.random
        wear = self.wear
        rows = _rotation(self.tilt)
        mount = parse_mount(wear.mount)
        n = len(self.thigh)
        out = []
        for centre in range(0, n, OVERSAMPLING):
            body = []
            for c in channels:
                total = 0.0
                for k, weight in ((-1, 1), (0, 2), (1, 1)):
                    total += weight * c[min(n - 1, max(0, centre + k))]
                body.append(total / 4)
            sensor = [0.0] * 6
            for half, noise, bias in ((0, wear.noise_g, (0.0, 0.0, 0.0)), (3, wear.noise_dps, self.bias)):
                v = body[half : half + 3]
                crooked = [row[0] * v[0] + row[1] * v[1] + row[2] * v[2] for row in rows]
                for k, (axis, sign) in enumerate(mount):
                    sensor[half + axis] = sign * crooked[k]
                for k in range(3):
                    sensor[half + k] += bias[k] + r.gauss(0, noise)
            out.append((sensor[0], sensor[1], sensor[2], sensor[3], sensor[4], sensor[5]))
        return out


def _rotation(angles_deg: tuple[float, float, float]) -> list[list[float]]:
    """What a sensor turned about body x, then y, then z by so much sees of a body vector."""
    (cx, sx), (cy, sy), (cz, sz) = ((math.cos(math.radians(a)), math.sin(math.radians(a))) for a in angles_deg)
    turned = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return [[turned[row][column] for row in range(3)] for column in range(3)]


def generate(
    plan: Sequence[Segment],
    seed: int = 1,
    wear: Wear | None = None,
    rate_hz: float = 104.0,
    name: str = "custom",
    person: Person | None = None,
) -> Recording:
    """Make a recording of the plan's segments, one after the other.

    A bout of steps ends with a whole step, so it may last up to one step longer than its segments say.
    """
    wear = wear or Wear()
    if wear.side not in ("left", "right"):
        raise ValueError(f"side {wear.side!r} is neither left nor right")
    parse_mount(wear.mount)
    made = _Making(plan, seed, wear, rate_hz, person)
    samples = made.samples()
    fine = made.fine_hz
    made.truth.cadence = [{"t": float(s), "spm": round(made.cadence[int(s * fine)], 2)} for s in range(int(len(made.cadence) / fine))]
    return Recording(name, seed, rate_hz, wear, samples, made.truth)


def _session() -> list[Segment]:
    return [
        Stand(4),
        Walk(40, 108),
        Jog(40, 156),
        Walk(4),
        Stand(4),
        BackwardWalk(25, 100),
        Stand(4),
        BackwardRun(40, 152, [Ramp(at_s=16, percent=20, over_s=8)]),
        BackwardWalk(4),
        Stand(8),
    ]


def _turns_about() -> list[Segment]:
    walks = [s for _ in range(6) for s in (Walk(8), BackwardWalk(8))]
    jogs = [s for _ in range(4) for s in (Jog(8), BackwardJog(8))]
    return [Stand(3), *walks, *jogs, Stand(3)]


def _cadences() -> list[Segment]:
    slow, quick, quickest = (40, 60, 80, 100, 120), (140, 160), (180, 200, 220, 240, 260)
    plan = [Stand(3)]
    for walk, jog, run in ((Walk, Jog, Run), (BackwardWalk, BackwardJog, BackwardRun)):
        plan += [*(walk(20, spm) for spm in slow), *(jog(15, spm) for spm in quick), *(run(12, spm) for spm in quickest), Stand(4)]
    return plan


def _ramps() -> list[Segment]:
    return [s for percent in (8, 12, 20, 35) for s in (Stand(4), BackwardRun(40, 140, [Ramp(15, percent, 10)]))] + [Stand(4)]


PLANS: dict[str, tuple[str, Callable[[], list[Segment]]]] = {
    "session": ("warm-up walk, jog, backward walk, backward run whose cadence rises 20 % in 8 s, stop", _session),
    "walk": ("a minute of walking with a turn round", lambda: [Stand(3), Walk(60, 112, turns=[Turn(28, 180, 2.5)]), Stand(3)]),
    "jog": ("a minute of jogging", lambda: [Stand(3), Jog(60), Stand(3)]),
    "run": ("a minute of running", lambda: [Stand(3), Run(60), Stand(3)]),
    "steady_backward": (
        "backward walk and backward run, each a minute at one cadence",
        lambda: [Stand(3), BackwardWalk(60), Stand(2), BackwardRun(60), Stand(3)],
    ),
    "backward_ramps": ("backward runs whose cadence rises by 8, 12, 20 and 35 % in 10 s", _ramps),
    "switches": ("forward and backward by turns, every 8 s", _turns_about),
    "cadences": ("walk, jog and run through the cadences from 40 to 260, forward, then backward", _cadences),
    "sideways": ("sidesteps between two walks", lambda: [Stand(3), Walk(20), Stand(1), Sidestep(20), Stand(1), Walk(20), Stand(3)]),
    "no_steps": (
        "standing, shuffling and sitting restlessly: no step at all",
        lambda: [Stand(10), Shuffle(50), Stand(10), Sit(60), Stand(10)],
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="motion.py", description="Write a synthetic recording of a lower leg and the truth beside it.")
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="one of --list")
    parser.add_argument("out", nargs="?", metavar="OUT.csv")
    parser.add_argument("--list", action="store_true", help="the plans there are")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another person (default 1)")
    parser.add_argument("--side", choices=("left", "right"), default="left")
    parser.add_argument("--mount", default="+x+y+z", help="body forward, left, up in sensor axes (default +x+y+z)")
    parser.add_argument("--rate", type=float, default=104.0, metavar="HZ", help="samples a second (default 104)")
    given = parser.parse_intermixed_args(arguments)
    if given.list:
        for name, (what, _) in PLANS.items():
            print(f"{name:16} {what}")
        return 0
    if given.plan is None or given.out is None:
        parser.error("PLAN and OUT.csv are needed; --list names the plans")
    if given.plan not in PLANS:
        parser.error(f"there is no plan {given.plan!r}; there are {', '.join(PLANS)}")
    if not 20 <= given.rate <= 2000:
        parser.error("--rate must be between 20 and 2000 Hz")
    try:
        made = generate(PLANS[given.plan][1](), given.seed, Wear(side=given.side, mount=given.mount), given.rate, given.plan)
    except ValueError as problem:
        parser.error(str(problem))
    path, truth = made.write(given.out)
    print(f"{path}: {made.duration_s:.1f} s, {len(made.truth.steps)} steps (synthetic); truth in {truth}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
