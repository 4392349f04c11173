"""Samples as the board's IMU would measure them: int16 at 104 Hz, in the core's units and body axes."""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from retrostep_core.gait import units

from retrostep.replay.recording import ImuRecording

ODR_HZ = 104.0
# The LSM6DS oscillator is off by up to several per cent: a recording this near 104 Hz is used as it is, any other is resampled.
_RATE_TOLERANCE = 0.10
_GAP_PERIODS = 5
# An interval outside this many periods starts a new block, with its own time.
_JITTER_LEAST, _JITTER_MOST = 0.5, 1.5
# 52 samples at 104 Hz are 500 ms exactly.
BLOCK = 52
_G_PER_LSB = 0.000488
_DPS_PER_LSB = 0.070


@dataclass
class Block:
    """Samples as the board's driver passes them to the engine: mg and 0.1 degree per second, six values each."""

    t0_ms: int
    period_us: int
    samples: array[int]

    @property
    def n(self) -> int:
        """The number of samples."""
        return len(self.samples) // 6


def blocks(recording: ImuRecording) -> Iterator[Block]:
    """The recording as blocks of at most 52 samples, times in ms from its first sample.

    Unmounted recordings (`?`) stay in sensor axes.
    """
    mount = units.parse_mount(recording.mount)
    t0 = recording.t_s[0]
    for t_s, values in _runs(recording):
        raw = array("h", bytes(12 * len(t_s)))
        for k, column in enumerate(values):
            raw[k::6] = _quantise(column, _G_PER_LSB if k < 3 else _DPS_PER_LSB)
        body = array("h", raw)
        units.to_body(raw, len(t_s), mount, body)
        for start, stop in _pieces(t_s):
            n = stop - start
            span = t_s[stop - 1] - t_s[start]
            period_us = round(span / (n - 1) * 1e6) if n > 1 else round(1e6 / ODR_HZ)
            yield Block(round((t_s[start] - t0) * 1000), period_us, body[start * 6 : stop * 6])


def _quantise(column: array[float], unit: float) -> array[int]:
    """int16, rounded and clipped as the chip's converter does."""
    return array("h", [max(-32768, min(32767, round(value / unit))) for value in column])


def _runs(recording: ImuRecording) -> Iterator[tuple[array[float], list[array[float]]]]:
    """The recording as it is if its rate is near 104 Hz; otherwise each stretch between gaps, resampled."""
    t_s = recording.t_s
    steps = sorted(t_s[k + 1] - t_s[k] for k in range(len(t_s) - 1))
    period = median(steps)
    if abs(1 / period / ODR_HZ - 1) <= _RATE_TOLERANCE:
        yield t_s, recording.values
        return
    start = 0
    for k in range(1, len(t_s) + 1):
        if k == len(t_s) or t_s[k] - t_s[k - 1] > max(_GAP_PERIODS * period, _GAP_PERIODS / ODR_HZ):
            yield _resample(t_s[start:k], [column[start:k] for column in recording.values], period)
            start = k


def _resample(t_s: array[float], values: list[array[float]], period: float) -> tuple[array[float], list[array[float]]]:
    """104 Hz by linear interpolation, after a moving mean of one output period where the source is faster."""
    wide = round(1 / ODR_HZ / period)
    if wide > 1:
        values = [_smooth(column, wide) for column in values]
    n = int((t_s[-1] - t_s[0]) * ODR_HZ) + 1
    times = array("d", [t_s[0] + k / ODR_HZ for k in range(n)])
    if len(t_s) == 1:
        return times, [array("d", column) for column in values]
    out: list[array[float]] = [array("d") for _ in values]
    at = 0
    for t in times:
        at = min(bisect.bisect_right(t_s, t, at) - 1, len(t_s) - 2) if t >= t_s[at + 1] else at
        share = (t - t_s[at]) / (t_s[at + 1] - t_s[at])
        for column, into in zip(values, out, strict=True):
            into.append(column[at] + share * (column[at + 1] - column[at]))
    return times, out


def _smooth(column: array[float], wide: int) -> array[float]:
    """Centred mean over `wide` samples, shorter at the ends."""
    sums = [0.0]
    for value in column:
        sums.append(sums[-1] + value)
    n = len(column)
    before, after = (wide - 1) // 2, wide // 2 + 1
    return array("d", [(sums[min(n, k + after)] - sums[max(0, k - before)]) / (min(n, k + after) - max(0, k - before)) for k in range(n)])


def _pieces(t_s: array[float]) -> Iterator[tuple[int, int]]:
    """(start, stop) of blocks with even intervals between samples."""
    n = len(t_s)
    period = median(sorted(t_s[k + 1] - t_s[k] for k in range(n - 1))) if n > 1 else 1 / ODR_HZ
    start = 0
    for k in range(1, n + 1):
        even = k < n and _JITTER_LEAST * period <= t_s[k] - t_s[k - 1] <= _JITTER_MOST * period
        if not even or k - start == BLOCK:
            yield start, k
            start = k
