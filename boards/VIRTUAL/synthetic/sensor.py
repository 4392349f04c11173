"""The sensor on the leg: how it is worn, its strap, noise, bias and axes."""

from __future__ import annotations

import math
import random
from array import array
from dataclasses import dataclass

from synthetic.places import PLACES

CHANNELS = 6
MOST_TILT_DEG = 20.0
Sample = tuple[float, float, float, float, float, float]
"""ax, ay, az in g and gx, gy, gz in degrees a second."""
Angles = tuple[float, float, float]


@dataclass(frozen=True)
class Wear:
    """How the sensor is worn, its errors, and how evenly the wearer steps. A value of None is drawn from the seed."""

    side: str = "left"
    mount: str = "+x+y+z"
    """Body forward, left and up in sensor axes, as in board.json."""
    place: str = "shank"
    """shank, waist, hand or bag. In a hand or a bag the sensor is carried in a random orientation, but set to `shank`."""
    tilt_deg: Angles | None = None
    """Misalignment about body x, y and z (at most 20 each)."""
    strap_hz: float | None = None
    """Resonance of soft tissue and strap; 0 is a sensor screwed to the bone, 10 a loose strap."""
    strap_damping: float = 0.22
    impact: float = 1.0
    other_foot: float = 0.10
    """The other foot's impact at this shank, as a share of its own."""
    noise_g: float = 0.002
    noise_dps: float = 0.12
    bias_dps: Angles | None = None
    cadence_jitter: float = 0.012
    """Standard deviation of a step's duration, as a share of the scheduled one."""
    reach_jitter: float = 0.03
    """The same for the reach of a step."""

    def __post_init__(self) -> None:
        if self.side not in ("left", "right"):
            raise ValueError(f"side {self.side!r} is neither left nor right")
        if self.place not in PLACES:
            raise ValueError(f"place {self.place!r} is none of {', '.join(PLACES)}")
        parse_mount(self.mount)
        if self.tilt_deg is not None and max(abs(a) for a in self.tilt_deg) > MOST_TILT_DEG:
            raise ValueError("tilt_deg has an angle above 20 degrees: use another mount")


def parse_mount(mount: str) -> list[tuple[int, int]]:
    """+y+z+x -> for body x, y and z: (sensor axis, sign). ValueError if it is no mount."""
    pairs = [mount[i : i + 2] for i in range(0, len(mount), 2)]
    if len(mount) != 6 or any(p[0] not in "+-" or p[1] not in "xyz" for p in pairs) or len({p[1] for p in pairs}) != 3:
        raise ValueError(f"mount {mount!r} is not three signed axes such as +y+z+x")
    return [("xyz".index(p[1]), 1 if p[0] == "+" else -1) for p in pairs]


class Sensor:
    """A sensor worn as in `wear`; noise, and every value that `wear` leaves open, is drawn from `r`."""

    def __init__(self, wear: Wear, r: random.Random) -> None:
        self.wear = wear
        self._random = r
        tilt = (r.gauss(0, 3), r.gauss(0, 3), r.gauss(0, 5)) if wear.tilt_deg is None else wear.tilt_deg
        tilt = tuple(max(-MOST_TILT_DEG, min(MOST_TILT_DEG, a)) for a in tilt)
        if PLACES[wear.place].any_orientation:
            tilt = (r.uniform(-180, 180), r.uniform(-90, 90), r.uniform(-180, 180))
        self._tilt = _rotation(*tilt)
        self._strap_hz = r.uniform(20, 30) if wear.strap_hz is None else wear.strap_hz
        self._bias = (r.gauss(0, 0.6), r.gauss(0, 0.6), r.gauss(0, 0.6)) if wear.bias_dps is None else wear.bias_dps

    def measure(self, channels: list[array[float]], fine_hz: float, every: int) -> list[Sample]:
        """The samples for specific force (g) and angular velocity (degrees a second) in body axes: one for `every` fine samples."""
        if self._strap_hz:
            strap = _Strap(self._strap_hz, self.wear.strap_damping, fine_hz)
            channels = [strap.run(c) for c in channels]
        r = self._random
        mount = parse_mount(self.wear.mount)
        n = len(channels[0])
        out = []
        for centre in range(0, n, every):
            before, after = max(0, centre - 1), min(n - 1, centre + 1)
            body = [(c[before] + 2 * c[centre] + c[after]) / 4 for c in channels]
            sensor = [0.0] * CHANNELS
            for half, noise, bias in ((0, self.wear.noise_g, (0.0, 0.0, 0.0)), (3, self.wear.noise_dps, self._bias)):
                x, y, z = body[half : half + 3]
                for (axis, sign), row in zip(mount, self._tilt, strict=True):
                    sensor[half + axis] = sign * (row[0] * x + row[1] * y + row[2] * z)
                for k in range(3):
                    sensor[half + k] += bias[k] + r.gauss(0, noise)
            out.append((sensor[0], sensor[1], sensor[2], sensor[3], sensor[4], sensor[5]))
        return out


class _Strap:
    """Soft tissue and strap as a mass on a damped spring between bone and sensor (bilinear transform)."""

    def __init__(self, hz: float, damping: float, rate_hz: float) -> None:
        w = math.tan(math.pi * hz / rate_hz)
        n = 1 + 2 * damping * w + w * w
        self._b = ((2 * damping * w + w * w) / n, 2 * w * w / n, (w * w - 2 * damping * w) / n)
        self._a = ((2 * w * w - 2) / n, (1 - 2 * damping * w + w * w) / n)

    def run(self, x: array[float]) -> array[float]:
        """The motion of the sensor, from that of the bone."""
        (b0, b1, b2), (a1, a2) = self._b, self._a
        x1 = x2 = y1 = y2 = x[0]
        out = array("d", bytes(8 * len(x)))
        for i, v in enumerate(x):
            y = b0 * v + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            x2, x1, y2, y1 = x1, v, y1, y
            out[i] = y
        return out


def _rotation(*angles_deg: float) -> list[list[float]]:
    """The matrix that turns a body vector into the axes of a sensor turned about body x, then y, then z."""
    (cx, sx), (cy, sy), (cz, sz) = ((math.cos(math.radians(a)), math.sin(math.radians(a))) for a in angles_deg)
    turned = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return [[turned[row][column] for row in range(3)] for column in range(3)]
