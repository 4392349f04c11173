"""Places of the sensor: shank, waist, a swinging hand, a bag. The motion and the impacts at each."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from synthetic.leg import Person, Pose

ARM_M = 0.62
BAG_M = 0.45
_SMOOTH_S = 0.12
"""The arm follows the swing of the leg, smoothed over this time."""


@dataclass(frozen=True)
class Place:
    """A place of the sensor. Shares are relative to the shank."""

    name: str
    own: float
    """Share of the worn leg's impacts."""
    other: float | None
    """Share of the other leg's impacts; None: `Wear.other_foot`."""
    softer: float
    """Factor on the time from contact to peak."""
    twist: float
    """Share of the frontal and transverse angles."""
    any_orientation: bool = False
    """The orientation is random."""


PLACES = {
    place.name: place
    for place in (
        Place("shank", 1.0, None, 1.0, 1.0),
        Place("waist", 0.35, 0.35, 1.6, 0.35),
        Place("hand", 0.12, 0.12, 2.0, 0.4, any_orientation=True),
        Place("bag", 0.15, 0.15, 1.8, 0.4, any_orientation=True),
    )
}


def track(poses: Sequence[Pose], place: Place, person: Person, r: random.Random, fine_hz: float) -> tuple[array[float], ...]:
    """For each pose: forward and upward position (m) and tilt (radians, lower end forward) of the body part with the sensor."""
    n = len(poses)
    x, z, tilt = (array("d", bytes(8 * n)) for _ in range(3))
    if place.name == "shank":
        for i, p in enumerate(poses):
            s = tilt[i] = p.thigh - p.knee
            x[i] = p.hip_x + person.thigh_m * math.sin(p.thigh) + person.sensor_m * math.sin(s)
            z[i] = p.hip_z - person.thigh_m * math.cos(p.thigh) - person.sensor_m * math.cos(s)
        return x, z, tilt
    if place.name == "waist":
        for i, p in enumerate(poses):
            x[i], z[i], tilt[i] = p.hip_x, p.hip_z, -p.lean
        return x, z, tilt
    # The arm on the side of the worn leg swings opposite to it. A bag swings less, and also at its own frequency.
    hand = place.name == "hand"
    swing = r.uniform(0.5, 1.1) if hand else r.uniform(0.05, 0.25)
    held = r.uniform(0.1, 0.5) if hand else 0.0
    dangle, dangle_hz, start = (0.0 if hand else math.radians(r.uniform(1, 5)), r.uniform(0.7, 1.0), r.uniform(0, 2 * math.pi))
    length = ARM_M if hand else BAG_M
    thigh = _smooth([p.thigh for p in poses], max(1, round(_SMOOTH_S * fine_hz)))
    for i, p in enumerate(poses):
        moving = min(1.0, abs(p.travel))
        tilt[i] = -swing * thigh[i] + held * moving + moving * dangle * math.sin(2 * math.pi * dangle_hz * i / fine_hz + start)
        x[i] = p.hip_x + length * math.sin(tilt[i])
        z[i] = p.hip_z - length * math.cos(tilt[i])
    return x, z, tilt


def _smooth(values: list[float], width: int) -> list[float]:
    """The moving mean over `width` values on either side, applied twice."""
    for _ in range(2):
        total, out = [0.0], []
        for v in values:
            total.append(total[-1] + v)
        for i in range(len(values)):
            a, b = max(0, i - width), min(len(values), i + width + 1)
            out.append((total[b] - total[a]) / (b - a))
        values = out
    return values
