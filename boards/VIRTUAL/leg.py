"""A moving leg: joint angles of a gait, as a sensor just above the ankle feels them.

The thigh hangs from the hip, the shank from the knee; both swing in the sagittal plane by closed curves of the stride's phase
(0 = this foot's initial contact), and the hip travels the way that keeps the standing foot still and, in flight, falls freely.
Differences of the sensor's path give the specific force, the shank's angle gives the rate.

Method and sources
- Forward curves: key angles of the thigh segment and of the knee, rounded from the shapes that textbooks print for walking
  (Winter 1987) and running (Novacheck 1998), closed by a Fourier series of seven harmonics. They are typical, nobody's in particular.
- Backward curves: the forward ones run backwards in time from toe-off to contact, which is what backward walking
  (Lee 2013, Gait & Posture 38:674) and backward running (Mehdizadeh 2015, Gait & Posture 42:172) come close to, with less swing.
- Impacts are not reversed: force follows a contact in either direction. A backward foot lands on its toes, softer and later.
- Deviations from a real leg: no ankle joint (its place is taken by a heel that rises late in stance), no pelvis, frontal and
  transverse rotations are small independent curves.

Angles are degrees in the tables and radians in the code; body axes are x forward, y left, z up along the shank.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass, field
from functools import cache

GRAVITY = 9.80665
HARMONICS = 7
_GRID = 200

Points = tuple[tuple[float, float], ...]
"""(per cent of the stride, degrees)"""


@dataclass(frozen=True)
class Style:
    """How one gait moves; what is said of the stride is said at its natural cadence (steps a minute of both feet)."""

    name: str
    natural_spm: float
    thigh_deg: Points
    """Knee ahead of the hip is positive."""
    knee_deg: Points
    """Flexion is positive."""
    toe_off: float
    """Share of the stride at which the foot leaves the ground."""
    heel_off: float
    """Share of the stride at which the heel begins to rise."""
    impact_g: float
    """Axial peak of the landing at the shank, before strap and soft tissue."""
    impact_ms: float
    """From contact to the peak of the landing force."""
    brake: float
    """Fore-and-aft part of the impact, against the direction of travel."""
    frontal_deg: float = 6.0
    transverse_deg: float = 9.0
    sway_m: float = 0.015
    """Sideways travel of the hip to either side."""
    reach: float = 1.0
    """Scale of the angles about their mean."""
    reach_slow: float = 0.4
    """Below the natural cadence the reach goes with (spm / natural) ** reach_slow."""
    reach_fast: float = 0.2
    """The same above it; negative where steps get shorter as they get quicker."""
    backward: bool = False
    sideways: bool = False


WALK = Style(
    "walk",
    natural_spm=112,
    thigh_deg=((0, 23), (10, 18), (20, 9), (30, 0), (40, -8), (50, -15), (55, -15), (62, -8), (70, 7), (80, 21), (87, 26), (94, 25)),
    knee_deg=(
        (0, 4), (6, 11), (13, 18), (20, 16), (30, 9), (38, 5), (45, 7), (52, 16),
        (58, 32), (64, 50), (70, 60), (76, 56), (84, 33), (91, 10), (96, 2),
    ),
    toe_off=0.62,
    heel_off=0.38,
    impact_g=1.0,
    impact_ms=14,
    brake=0.9,
)
JOG = Style(
    "jog",
    natural_spm=158,
    thigh_deg=(
        (0, 24), (7, 20), (15, 10), (24, -4), (32, -14), (40, -20), (46, -18),
        (54, -9), (62, 4), (71, 18), (80, 27), (88, 29), (95, 27),
    ),
    knee_deg=(
        (0, 13), (5, 25), (10, 36), (15, 40), (22, 34), (30, 23), (38, 18), (45, 27),
        (53, 52), (61, 73), (68, 79), (76, 69), (84, 44), (91, 21), (97, 11),
    ),
    toe_off=0.40,
    heel_off=0.24,
    impact_g=3.2,
    impact_ms=18,
    brake=0.45,
    frontal_deg=7.0,
    transverse_deg=13.0,
    reach_fast=-0.4,
)
RUN = Style(
    "run",
    natural_spm=172,
    thigh_deg=(
        (0, 27), (7, 22), (14, 12), (22, -2), (30, -15), (37, -22), (43, -22),
        (50, -14), (60, 3), (70, 21), (79, 32), (86, 35), (93, 32),
    ),
    knee_deg=(
        (0, 14), (5, 27), (10, 38), (15, 41), (22, 35), (29, 25), (36, 20), (42, 28),
        (50, 57), (58, 82), (66, 93), (74, 86), (82, 59), (90, 29), (96, 13),
    ),
    toe_off=0.36,
    heel_off=0.21,
    impact_g=5.0,
    impact_ms=17,
    brake=0.45,
    frontal_deg=8.0,
    transverse_deg=15.0,
    reach_fast=-0.5,
)


def _reversed(style: Style, name: str, **changes: object) -> Style:
    """The same limbs run backwards in time; contact and toe-off change places."""

    def turn(points: Points) -> Points:
        return tuple(sorted(((100 * style.toe_off - at) % 100, value) for at, value in points))

    values = {f: getattr(style, f) for f in style.__dataclass_fields__}
    values.update(
        name=name,
        thigh_deg=turn(style.thigh_deg),
        knee_deg=turn(style.knee_deg),
        heel_off=style.toe_off - style.heel_off,
        backward=True,
    )
    values.update(changes)
    return Style(**values)


BACKWARD_WALK = _reversed(WALK, "backward walk", natural_spm=104.0, reach=0.8, impact_g=0.7, impact_ms=22.0, brake=0.5)
BACKWARD_JOG = _reversed(JOG, "backward jog", natural_spm=156.0, reach=0.75, impact_g=1.9, impact_ms=24.0)
BACKWARD_RUN = _reversed(RUN, "backward run", natural_spm=178.0, reach=0.7, impact_g=2.8, impact_ms=23.0)
SIDESTEP = Style(
    "sidestep",
    natural_spm=100,
    thigh_deg=((0, 3), (25, 1), (50, 2), (62, 10), (75, 16), (88, 9)),
    knee_deg=((0, 6), (25, 8), (50, 8), (62, 24), (75, 34), (88, 18)),
    toe_off=0.58,
    heel_off=0.50,
    impact_g=0.6,
    impact_ms=18,
    brake=0.1,
    frontal_deg=13.0,
    transverse_deg=6.0,
    sway_m=0.05,
    sideways=True,
)


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
        # Lanczos' factor, or the corners of a dozen points would ring in the second derivative.
        u = math.pi * h / (HARMONICS + 3)
        out.append(2 * total * math.sin(u) / u if h else total)
    return out


def _value(series: list[complex], turn: complex) -> float:
    total = 0j
    for c in reversed(series):
        total = total * turn + c
    return total.real


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination with pivoting, for the handful of unknowns below."""
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
    """The other foot lands this share of a stride late."""


@dataclass(frozen=True)
class Cycle:
    """One gait of one person: where hip, thigh and shank are, as series of the phase."""

    style: Style
    thigh: list[complex]
    knee: list[complex]
    hip_x: list[complex]
    """Forward, relative to the mean travel, metres at the natural reach."""
    hip_z: list[complex]
    stride_m: float
    """Travel a stride, negative backwards."""
    frontal: list[complex] = field(default_factory=list)
    transverse: list[complex] = field(default_factory=list)


# Far phases of the frontal and transverse curves: they only have to be plausible and out of step with the sagittal ones.
_FRONTAL = (0j, cmath.rect(0.7, -2.0), cmath.rect(0.3, 0.6), cmath.rect(0.12, 1.9))
_TRANSVERSE = (0j, cmath.rect(0.6, 0.9), cmath.rect(0.35, -1.2), cmath.rect(0.15, 2.4))


@cache
def cycle(style: Style, person: Person) -> Cycle:
    """Fit the hip's path to the angles: the ankle stays put while the foot stands, the body falls while none does.

    Unknown are the travel a stride, and two harmonics of the step in x and in z; least squares over one stride.
    """
    scale = style.reach * person.reach
    thigh = [c * scale if h else c * (0.5 + 0.5 * scale) for h, c in enumerate(_series(style.thigh_deg))]
    knee = [c * scale if h else c * (0.5 + 0.5 * scale) for h, c in enumerate(_series(style.knee_deg))]
    stance = style.toe_off
    stride_s = 120.0 / style.natural_spm
    heel = style.heel_off
    terms = 5

    def basis(phase: float) -> list[float]:
        return [1.0, *(f(4 * math.pi * h * phase) for h in (1, 2) for f in (math.cos, math.sin))]

    def bend(phase: float) -> list[float]:
        return [0.0, *(-((4 * math.pi * h) ** 2) * f(4 * math.pi * h * phase) for h in (1, 2) for f in (math.cos, math.sin))]

    rows_x: list[tuple[list[float], float]] = []
    rows_z: list[tuple[list[float], float]] = []
    steps = 60
    for i in range(steps):
        phase = i / steps
        turn = cmath.exp(2j * math.pi * phase)
        a = _value(thigh, turn)
        s = a - _value(knee, turn)
        ankle_x = person.thigh_m * math.sin(a) + person.shank_m * math.sin(s)
        ankle_z = -person.thigh_m * math.cos(a) - person.shank_m * math.cos(s)
        if 0.02 < phase < stance - 0.02:
            # The heel is up at the rear end of stance: late when going forward, early when landing on the toes backwards.
            up = (stance - phase) / (stance - heel) if not style.backward else phase / max(heel, 1e-6)
            rise = max(0.0, 1 - up) if up < 1 else 0.0
            rise = rise * rise
            rows_x.append(([*basis(phase), phase], 0.05 * rise - ankle_x))
            rows_z.append((basis(phase), 0.09 * rise - ankle_z))
        step_phase = phase % 0.5
        if stance < 0.5 and step_phase > stance:
            weight = 0.02
            rows_z.append(([weight * v for v in bend(phase)], -weight * GRAVITY * stride_s * stride_s))
            rows_x.append(([*(weight * v for v in bend(phase)), 0.0], 0.0))

    def fit(rows: list[tuple[list[float], float]], n: int, ridge: float) -> list[float]:
        matrix = [[sum(r[i] * r[j] for r, _ in rows) for j in range(n)] for i in range(n)]
        for i in range(1, terms):
            # A trunk is heavy: the second harmonic (i = 3, 4) costs sixteen times what the first does.
            matrix[i][i] += ridge * (1 if i < 3 else 16)
        return _solve(matrix, [sum(r[i] * y for r, y in rows) for i in range(n)])

    x = fit(rows_x, terms + 1, 40.0)
    z = fit(rows_z, terms, 4.0)
    spread = 0.0 if style.sideways else x[5]

    def of_step(k: list[float]) -> list[complex]:
        return [0j, 0j, complex(k[1], -k[2]), 0j, complex(k[3], -k[4])]

    return Cycle(
        style,
        thigh,
        knee,
        of_step(x),
        of_step(z),
        spread,
        [c * math.radians(style.frontal_deg) for c in _FRONTAL],
        [c * math.radians(style.transverse_deg) for c in _TRANSVERSE],
    )


@dataclass
class Pose:
    """Where the leg is: radians, metres. Weighted sums of poses are poses."""

    thigh: float = 0.0
    knee: float = 0.0
    hip_x: float = 0.0
    hip_z: float = 0.0
    frontal: float = 0.0
    transverse: float = 0.0
    sway: float = 0.0
    reach: float = 1.0


def pose(c: Cycle, phase: float, spm: float) -> Pose:
    """The pose at a phase of the stride (1 = a stride), with the reach that goes with the cadence."""
    style = c.style
    ratio = spm / style.natural_spm
    reach = max(0.35, ratio ** (style.reach_slow if ratio < 1 else style.reach_fast))
    # A slow stride lingers in stance and swings no slower than it must; near half the natural cadence this is strongest.
    linger = min(0.13, max(0.0, 0.16 * (1 - ratio)))
    middle = (1 + style.toe_off) / 2
    warped = phase
    if linger:
        warped += linger * (math.sin(2 * math.pi * (phase - middle)) + math.sin(2 * math.pi * middle))
    turn = cmath.exp(2j * math.pi * warped)
    t0, k0 = c.thigh[0].real, c.knee[0].real
    # Bounce shrinks with the square of time where cadence rises (free fall), but a slow walker does not bounce more.
    bounce = reach * min(1.0, ratio**-1.5)
    return Pose(
        t0 * reach + reach * (_value(c.thigh, turn) - t0),
        k0 * reach + reach * (_value(c.knee, turn) - k0),
        reach * _value(c.hip_x, turn),
        bounce * _value(c.hip_z, turn),
        reach * _value(c.frontal, turn),
        reach * _value(c.transverse, turn),
        reach * style.sway_m * turn.imag,
        reach,
    )
