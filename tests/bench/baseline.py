"""A baseline of 40 lines in floating point; the engine must beat it to be worth its size.

Steps: a rising zero crossing of the low-passed sagittal angular velocity, behind an adaptive hysteresis, is one step per stride in either
direction. The step of the other foot is half-way between two. Direction: the third moment of the sagittal angular velocity over 0.6 s,
which is negative forward. Causal.
"""

import math

import numpy as np

LOW_PASS_HZ = 5.0
LATE_S = 0.04
ENVELOPE_S = 2.0
LEVEL, LEVEL_DPS = 0.25, 30.0
STRIDE_S = (0.4, 2.6)
MOMENT_S = 0.6
SKEW = 0.25


def baseline(t_s: np.ndarray, gyr_y: np.ndarray) -> tuple[list[tuple[float, float]], list[tuple[float, str]]]:
    """(t, at) of steps and (at, direction) of changes, in seconds, from the sagittal angular velocity in degrees per second."""
    rate_hz = (len(t_s) - 1) / (t_s[-1] - t_s[0])
    a = 1 - math.exp(-2 * math.pi * LOW_PASS_HZ / rate_hz)
    decay = math.exp(-1 / (ENVELOPE_S * rate_hz))
    b = 1 - math.exp(-1 / (MOMENT_S * rate_hz))
    one = two = mean = square = cube = envelope = 0.0
    armed = False
    contact_s = -STRIDE_S[1]
    steps, changes = [], [(float(t_s[0]), "unknown")]
    for at, rate in zip(t_s.tolist(), gyr_y.tolist(), strict=True):
        before = two
        one += a * (rate - one)
        two += a * (one - two)
        envelope = max(abs(two), envelope * decay)
        if two < -max(LEVEL * envelope, LEVEL_DPS):
            armed = True
        if armed and before < 0 <= two:
            armed = False
            t = at - LATE_S
            if STRIDE_S[0] <= t - contact_s <= STRIDE_S[1]:
                steps.append(((t + contact_s) / 2, at))
            if t - contact_s >= STRIDE_S[0]:
                steps.append((t, at))
                contact_s = t
        mean += b * (rate - mean)
        off = rate - mean
        square += b * (off * off - square)
        cube += b * (off * off * off - cube)
        skew = cube / (square**1.5 + 1.0)
        now = "unknown" if square < LEVEL_DPS**2 else "backward" if skew > SKEW else "forward" if skew < -SKEW else changes[-1][1]
        if now != changes[-1][1]:
            changes.append((at, now))
    return steps, changes
