"""One leg of one person: joint angles and the path of the hip over a stride.

Thigh and shank swing in the sagittal plane. Their angles are periodic functions of the stride's phase (0 = this foot's initial contact).
The path of the hip is fitted so that the foot stays in place during stance and the body falls freely in flight.

Deviations from a real leg: no ankle joint (instead the heel lifts late in stance), no pelvis, and frontal and transverse
rotations are small curves of their own.

Angles are radians here; body axes are x forward, y left, z up along the shank.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from synthetic.gaits import Points, Style

GRAVITY = 9.80665
HARMONICS = 8
_GRID = 200
_INSTANTS = 60
"""Number of instants of a stride at which the path of the hip is fitted."""
_HEEL_LIFT_M = 0.09
_HEEL_FORWARD_M = 0.05
_FLIGHT_WEIGHT = 0.02
"""Weight of an acceleration (m a stride squared) relative to a position (m)."""
_TRUNK_X, _TRUNK_Z = 40.0, 4.0
"""Penalty on the acceleration of the hip, chosen so that it stays below 0.3 g fore and aft."""


def _series(points: Points) -> list[complex]:
    """Coefficients c of the closed curve through the points: value(phase) = Re sum c[k] exp(2 pi i k phase), in radians."""
    ring = [(points[-1][0] - 100.0, points[-1][1]), *points, (points[0][0] + 100.0, points[0][1])]
    values = []
    k = 0
    for i in range(_GRID):
        at = 100.0 * i / _GRID
        while ring[k + 1][0] < at:
            k += 1
        (a, va), (b, vb) = ring[k], ring[k + 1]
        values.append(math.radians(va + (vb - va) * (at - a) / (b - a)))
    out = []
    for h in range(HARMONICS + 1):
        total = sum(v * cmath.exp(-2j * math.pi * h * i / _GRID) for i, v in enumerate(values)) / _GRID
        # Lanczos' factor: without it the corners between the points ring in the second derivative.
        u = math.pi * h / (HARMONICS + 5)
        out.append(2 * total * math.sin(u) / u if h else total)
    return out


def _value(series: list[complex], turn: complex) -> float:
    total = 0j
    for c in reversed(series):
        total = total * turn + c
    return total.real


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a small system of linear equations: Gaussian elimination with pivoting."""
    n = len(right)
    rows = [[*matrix[i], right[i]] for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, n):
            f = rows[r][i] / rows[i][i]
            for c in range(i, n + 1):
                rows[r][c] -= f * rows[i][c]
    out = [0.0] * n
    for i in reversed(range(n)):
        out[i] = (rows[i][n] - sum(rows[i][c] * out[c] for c in range(i + 1, n))) / rows[i][i]
    return out


@dataclass(frozen=True)
class Person:
    """Lengths in metres; factors are about 1."""

    thigh_m: float = 0.43
    shank_m: float = 0.42
    sensor_m: float = 0.34
    """From the knee down to the sensor."""
    reach: float = 1.0
    impact: float = 1.0
    asymmetry: float = 0.0
    """The other foot lands late by this share of a stride."""


@dataclass(frozen=True)
class Cycle:
    """One gait of one person, as series of the phase at the gait's natural cadence."""

    style: Style
    thigh: list[complex]
    knee: list[complex]
    hip_x: list[complex]
    """Forward, relative to the mean travel, metres."""
    hip_z: list[complex]
    stride_m: float
    """Travel a stride, negative backwards."""
    frontal: list[complex]
    transverse: list[complex]
    sideways: list[complex]
    """Tilt of the leg towards the direction of travel, without its mean."""


# Plausible values, not measured: the first three harmonics, at other phases than those of the sagittal angles.
_FRONTAL = (0j, cmath.rect(0.7, -2.0), cmath.rect(0.3, 0.6), cmath.rect(0.12, 1.9))
_TRANSVERSE = (0j, cmath.rect(0.6, 0.9), cmath.rect(0.35, -1.2), cmath.rect(0.15, 2.4))


@cache
def cycle(style: Style, person: Person) -> Cycle:
    """The gait of that person, with the path of the hip that fits its angles."""
    scale = style.reach * person.reach
    thigh = [c * scale if h else c * (0.5 + 0.5 * scale) for h, c in enumerate(_series(style.thigh_deg))]
    knee = [c * scale if h else c * (0.5 + 0.5 * scale) for h, c in enumerate(_series(style.knee_deg))]
    hip_x, hip_z, stride_m = _hip(style, person, thigh, knee)
    return Cycle(
        style,
        thigh,
        knee,
        hip_x,
        hip_z,
        0.0 if style.sideways else stride_m,
        [c * math.radians(style.frontal_deg) for c in _FRONTAL],
        [c * math.radians(style.transverse_deg) for c in _TRANSVERSE],
        [c * scale if h else 0j for h, c in enumerate(_series(style.sideways_deg))] if style.sideways else [],
    )


def _hip(style: Style, person: Person, thigh: list[complex], knee: list[complex]) -> tuple[list[complex], list[complex], float]:
    """Fit the path of the hip to the angles: the ankle stays in place during stance, and the body falls freely in flight.

    Least squares over one stride. The unknowns are a position, two harmonics of the step in x and in z, and the travel a stride.
    """
    stance, heel = style.toe_off, style.heel_off
    stride_s = 120.0 / style.natural_spm
    standing_x: list[tuple[list[float], float]] = []
    standing_z: list[tuple[list[float], float]] = []
    for i in range(_INSTANTS):
        phase = i / _INSTANTS
        turn = cmath.exp(2j * math.pi * phase)
        a = _value(thigh, turn)
        s = a - _value(knee, turn)
        ankle_x = person.thigh_m * math.sin(a) + person.shank_m * math.sin(s)
        ankle_z = -person.thigh_m * math.cos(a) - person.shank_m * math.cos(s)
        if 0.02 < phase < stance - 0.02:
            # The heel is up late in the stance of forward gait, and early in that of backward gait, which lands on the toes.
            up = phase / heel if style.backward else (stance - phase) / (stance - heel)
            lift = max(0.0, 1 - up) ** 2
            standing_x.append(([*_terms(phase), phase], _HEEL_FORWARD_M * lift - ankle_x))
            standing_z.append((_terms(phase), _HEEL_LIFT_M * lift - ankle_z))
        if stance < 0.5 and phase % 0.5 > stance:
            bent = [_FLIGHT_WEIGHT * v for v in _bent_terms(phase)]
            standing_x.append(([*bent, 0.0], 0.0))
            standing_z.append((bent, -_FLIGHT_WEIGHT * GRAVITY * stride_s * stride_s))
    x = _fit(standing_x, _TRUNK_X)
    z = _fit(standing_z, _TRUNK_Z)
    return _of_steps(x), _of_steps(z), x[5]


def _terms(phase: float) -> list[float]:
    """A constant and two harmonics of the step."""
    return [1.0, *(f(4 * math.pi * h * phase) for h in (1, 2) for f in (math.cos, math.sin))]


def _bent_terms(phase: float) -> list[float]:
    """The second derivatives of `_terms`."""
    return [0.0, *(-((4 * math.pi * h) ** 2) * f(4 * math.pi * h * phase) for h in (1, 2) for f in (math.cos, math.sin))]


def _fit(rows: list[tuple[list[float], float]], trunk: float) -> list[float]:
    """Least squares, with a penalty on the harmonics."""
    n = len(rows[0][0])
    matrix = [[sum(r[i] * r[j] for r, _ in rows) for j in range(n)] for i in range(n)]
    for i in range(1, 5):
        # The second harmonic (i = 3, 4) has four times the acceleration, so sixteen times the penalty.
        matrix[i][i] += trunk * (1 if i < 3 else 16)
    return _solve(matrix, [sum(r[i] * y for r, y in rows) for i in range(n)])


def _of_steps(k: list[float]) -> list[complex]:
    """Cosines and sines of the step as a series of the stride's phase, without the constant position."""
    return [0j, 0j, complex(k[1], -k[2]), 0j, complex(k[3], -k[4])]


class Pose(NamedTuple):
    """Position of the leg: radians, metres, m/s. A weighted sum of poses is a pose."""

    thigh: float = 0.0
    knee: float = 0.0
    hip_x: float = 0.0
    hip_z: float = 0.0
    frontal: float = 0.0
    transverse: float = 0.0
    travel: float = 0.0
    """Speed of the mean travel."""
    sway: float = 0.0
    """Sideways position of the hip."""
    lean: float = 0.0
    """Forward lean of the trunk."""
    spread: float = 0.0
    """Tilt of the whole leg, outward; it is not part of `frontal`."""


def pose(c: Cycle, phase: float, spm: float, strides_hz: float, leads: bool = True) -> Pose:
    """The pose at a phase of the stride (1 = a stride) at a cadence, while the phase moves at `strides_hz`.

    `leads`: in a sideways gait this leg is the leading one.
    """
    style = c.style
    ratio = spm / style.natural_spm
    reach = max(0.35, ratio ** (style.reach_slow if ratio < 1 else style.reach_fast))
    # In a slow stride stance gets longer and swing hardly does. The effect is limited below a fifth of the natural cadence.
    delay = min(0.13, max(0.0, 0.16 * (1 - ratio)))
    middle = (1 + style.toe_off) / 2
    warped = phase
    if delay:
        warped += delay * (math.sin(2 * math.pi * (phase - middle)) + math.sin(2 * math.pi * middle))
    turn = cmath.exp(2j * math.pi * warped)
    # A quicker step leaves less time to fall. A slower one does not bounce higher.
    bounce = reach * min(1.0, ratio**-1.5)
    spread = 0.0
    if style.sideways:
        spread = math.radians(style.spread_deg) + reach * (1 if leads else -1) * _value(c.sideways, turn)
    return Pose(
        reach * _value(c.thigh, turn),
        reach * _value(c.knee, turn),
        reach * _value(c.hip_x, turn),
        bounce * _value(c.hip_z, turn),
        reach * _value(c.frontal, turn),
        reach * _value(c.transverse, turn),
        c.stride_m * reach * strides_hz,
        reach * style.sway_m * turn.imag,
        spread=spread,
    )
