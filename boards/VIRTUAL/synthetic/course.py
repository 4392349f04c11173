"""The course of an exercise: one pose for each fine sample, and the impacts in it.

An exercise fills columns of joint angles and places with curves. The walker blends them into standing at both ends.
"""

from __future__ import annotations

import math
import random
from array import array

from synthetic.gaits import Style
from synthetic.leg import GRAVITY, Person, Pose

BLEND_S = 1.4
"""Blending from standing at the start, and into standing at the end."""
_SHAKES = 24
"""Sinusoids in one vibration."""
_LEAST_HZ = 0.3

HEEL_IMPACT = Style("heel impact", 60, (), (), 0.5, 0.5, impact_g=1.0, impact_ms=12, brake=0.3)
"""A heel or an object that hits something hard: short, and mostly along the shank."""
METAL_IMPACT = Style("metal impact", 60, (), (), 0.5, 0.5, impact_g=1.0, impact_ms=7, brake=0.8)
"""A stack of weights that hits its stop."""
FOREFOOT_LANDING = Style("forefoot landing", 60, (), (), 0.5, 0.5, impact_g=1.0, impact_ms=24, brake=0.1)
"""A landing on the forefoot, softened by knee and ankle."""


class Course:
    """Columns of one exercise, in the units of Pose, all zero at first."""

    def __init__(self, count: int, fine_hz: float, r: random.Random, person: Person) -> None:
        self.count = count
        self.fine_hz = fine_hz
        self.random = r
        self.person = person
        self.columns = {name: array("d", bytes(8 * count)) for name in Pose._fields}
        self.impacts: list[tuple[float, Style, float, bool]] = []
        """(s since the start, kind, g at the shank, whether it is the worn leg's)"""

    @property
    def seconds(self) -> float:
        """How long the exercise lasts."""
        return self.count / self.fine_hz

    def phases(self, per_min: float, jitter: float = 0.02, backward: bool = False) -> array[float]:
        """The phase of a periodic motion in cycles. Cycles differ a little in duration."""
        r = self.random
        out = array("d", bytes(8 * self.count))
        phase = r.random()
        tempo, cycle = 1.0, math.floor(phase)
        for i in range(self.count):
            out[i] = -phase if backward else phase
            phase += per_min * tempo / 60 / self.fine_hz
            if math.floor(phase) > cycle:
                cycle = math.floor(phase)
                tempo = 1 + 0.6 * (tempo - 1) + r.gauss(0, jitter)
        return out

    def pause(self, phases: array[float]) -> None:
        """Stop a periodic motion for 0.5 to 4 s, every 2 to 10 s; it takes 0.4 s to stop and to start."""
        r = self.random
        most = 1 / (0.4 * self.fine_hz)
        tempo, wanted, change_at = 1.0, 1.0, r.uniform(3, 10) * self.fine_hz
        before, phase = phases[0], phases[0]
        for i in range(self.count):
            if i >= change_at:
                wanted = 1 - wanted
                change_at = i + (r.uniform(2, 10) if wanted else r.uniform(0.5, 4)) * self.fine_hz
            tempo += max(-most, min(most, wanted - tempo))
            phase += (phases[i] - before) * tempo
            before, phases[i] = phases[i], phase

    def reach(self, i: int, ankle_x: float, ankle_z: float) -> None:
        """Thigh and knee angle at sample `i` for an ankle that far from the hip (m; z is negative below it)."""
        a, b = self.person.thigh_m, self.person.shank_m
        far = min(0.999 * (a + b), max(abs(a - b) * 1.001, math.hypot(ankle_x, ankle_z)))
        bend = math.pi - math.acos((a * a + b * b - far * far) / (2 * a * b))
        ahead = math.acos((a * a + far * far - b * b) / (2 * a * far))
        self.columns["thigh"][i] = math.atan2(ankle_x, -ankle_z) + ahead
        self.columns["knee"][i] = bend

    def shake(self, name: str, low_hz: float, high_hz: float, rms: float) -> None:
        """Add a random vibration in a band: `rms` in g for places, in degrees per second for angles."""
        if rms <= 0:
            return
        r = self.random
        angular = not name.startswith(("hip", "sway"))
        parts = []
        for _ in range(_SHAKES):
            w = 2 * math.pi * max(_LEAST_HZ, low_hz * (high_hz / low_hz) ** r.random())
            share = rms * math.sqrt(2 / _SHAKES)
            parts.append((w / self.fine_hz, r.uniform(0, 2 * math.pi), math.radians(share) / w if angular else share * GRAVITY / w / w))
        column = self.columns[name]
        for i in range(self.count):
            column[i] += sum(size * math.sin(i * w + start) for w, start, size in parts)

    def bump(self, name: str, at_s: float, width_s: float, size: float) -> None:
        """Add a bump of `size`, from `at_s` for `width_s`."""
        first, count = int(at_s * self.fine_hz), max(1, int(width_s * self.fine_hz))
        column = self.columns[name]
        for i in range(max(0, first), min(self.count, first + count)):
            column[i] += size * 0.5 * (1 - math.cos(2 * math.pi * (i - first) / count))

    def impact(self, at_s: float, size_g: float, style: Style = HEEL_IMPACT, own: bool = True) -> None:
        """Add an impact, unless it is within the blending at either end."""
        if BLEND_S < at_s < self.seconds - BLEND_S:
            self.impacts.append((at_s, style, size_g, own))

    def poses(self) -> list[Pose]:
        """The poses, blended into standing at both ends."""
        out = []
        for i in range(self.count):
            at = i / self.fine_hz
            weight = ease(at / BLEND_S) * ease((self.seconds - at) / BLEND_S)
            out.append(Pose(*(weight * self.columns[name][i] for name in Pose._fields)))
        return out


def ease(x: float) -> float:
    """A smooth step from 0 to 1 for x from 0 to 1; two derivatives are zero at both ends."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    return x * x * x * (10 + x * (6 * x - 15))
