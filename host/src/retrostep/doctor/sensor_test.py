"""The motion sensor, tested through its registers with its program stopped: identity, self-test, noise floor, true sample rate.

Sources: LSM6DSOX datasheet DS12814 (table 3 for the limits of the self-test) and application note AN5272 (its procedure). LSM6DSO32 and
ISM330DHCX have the same registers and limits. LSM6DS3TR-C and LSM6DS33 have the same registers but for the FIFO, and a higher least change
of the accelerometer (DocID030071, table 3).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from retrostep_core.sensor_text import CHIPS

ADDRESSES = (0x6A, 0x6B)
Op = tuple[str, int, int]
"""("w", register, value), ("r", register, bytes), ("s", 0, milliseconds), ("f", register, bytes of a word) for the FIFO, ("t", 0, 0)."""

_CTRL1_XL, _CTRL2_G, _CTRL3_C, _CTRL5_C = 0x10, 0x11, 0x12, 0x14
_OUTX_L_G, _OUTX_L_A = 0x22, 0x28
_SAMPLES = 5
GYR_LIMITS_DPS = (150, 700)
_ACC_4G_MG, _ACC_16G_MG = 0.122, 0.488
_GYR_DPS = 0.07
_DOUBLE_RANGE = ("LSM6DSO32",)
"""Models on which the same bits select twice the range of the accelerometer."""
_GYR_TAG, _ACC_TAG = 1, 2
RATE_HZ = 104.0
_RATE_MS = 2000
_FEWEST_SAMPLES = 20

SCRIPT = """
import json, time
from binascii import hexlify
from machine import I2C, Pin
out = []
found = []
try:
    if {power} >= 0:
        Pin({power}, Pin.OUT, value=1)
        time.sleep_ms(50)
    b = I2C({id}, scl=Pin({scl}), sda=Pin({sda}), freq={freq_hz})
    for a in {addresses}:
        try:
            found.append([a, b.readfrom_mem(a, 15, 1)[0]])
        except OSError:
            pass
    if not found:
        found = [[a, -1] for a in b.scan()]
    a = {address}
    for op, reg, n in {ops}:
        if op == "w":
            b.writeto_mem(a, reg, bytes([n]))
        elif op == "r":
            out.append(hexlify(b.readfrom_mem(a, reg, n)).decode())
        elif op == "s":
            time.sleep_ms(n)
        elif op == "t":
            out.append(time.ticks_us())
        else:
            s = b.readfrom_mem(a, 0x3A, 2)
            left = s[0] | (s[1] & (3 if n == 7 else 15)) << 8
            out.append(left)
            out.append(time.ticks_us())
            h = ""
            while left:
                k = min(left, 12)
                h += hexlify(b.readfrom_mem(a, reg, n * k)).decode()
                left -= k
            out.append(h)
    print(json.dumps([found, out]))
except (OSError, ValueError) as x:
    print(json.dumps([found, str(x)]))
"""


@dataclass(frozen=True)
class Fifo:
    """The FIFO of a family: (register, value) to switch it on at 104 Hz, register and value of its two modes, its output, its words."""

    setup: tuple[int, int]
    mode: int
    off: int
    on: int
    output: int
    word_bytes: int
    words_a_sample: int
    acc_limits_mg: tuple[int, int]


TAGGED = Fifo((0x09, 0x44), 0x0A, 0, 6, 0x78, 7, 2, (50, 1700))
PATTERNED = Fifo((0x08, 0x09), 0x0A, 0, 0x26, 0x3E, 2, 6, (90, 1700))


def ops(fifo: Fifo) -> list[Op]:
    """Self-test of both sensors, then two seconds of samples at the rate and ranges of the firmware."""
    steps: list[Op] = [("w", _CTRL3_C, 0x01), ("s", 0, 50), ("w", _CTRL3_C, 0x44)]
    # Accelerometer: 52 Hz, 4 g. Gyroscope: 208 Hz, 2000 degrees per second. Each without and with the stimulus.
    for control, value, stimulus, register, wait_ms in ((_CTRL1_XL, 0x38, 0x01, _OUTX_L_A, 25), (_CTRL2_G, 0x5C, 0x04, _OUTX_L_G, 10)):
        steps += [("w", control, value), ("s", 0, 150)]
        for test in (0, stimulus):
            steps += [("w", _CTRL5_C, test), ("s", 0, 150)]
            for _ in range(_SAMPLES + 1):
                steps += [("s", 0, wait_ms), ("r", register, 6)]
        steps += [("w", _CTRL5_C, 0), ("w", control, 0)]
    # 104 Hz, 16 g, 2000 degrees per second, both into the FIFO.
    steps += [("w", _CTRL1_XL, 0x44), ("w", _CTRL2_G, 0x4C), ("w", *fifo.setup), ("s", 0, 200)]
    steps += [("w", fifo.mode, fifo.off), ("w", fifo.mode, fifo.on), ("t", 0, 0), ("s", 0, _RATE_MS)]
    return [*steps, ("f", fifo.output, fifo.word_bytes), ("w", _CTRL3_C, 0x01)]


@dataclass(frozen=True)
class Measured:
    """Change in the self-test (mg, degrees per second) by axis; noise (rms) and mean at rest; the sample rate, 0 without samples."""

    acc_test_mg: tuple[float, ...]
    gyr_test_dps: tuple[float, ...]
    acc_noise_mg: float
    gyr_noise_dps: float
    acc_mg: float
    rate_hz: float


def measured(out: Sequence[object], model: str, fifo: Fifo) -> Measured:
    """The measurements in what `ops` printed, of the sensor `model`. ValueError if it is something else."""
    wide = 2 if model in _DOUBLE_RANGE else 1
    reads = 4 * (_SAMPLES + 1)
    if len(out) != reads + 4:
        raise ValueError(f"{len(out)} values instead of {reads + 4}")
    samples = [_triple(bytes.fromhex(str(text))) for text in out[:reads]]
    acc = _change(samples[: reads // 2], wide * _ACC_4G_MG)
    gyr = _change(samples[reads // 2 :], _GYR_DPS)
    begun, words, ended = (int(str(number)) for number in out[reads : reads + 3])
    elapsed_s = ((ended - begun) & 0x3FFFFFFF) / 1e6
    acc_samples, gyr_samples = _samples(bytes.fromhex(str(out[-1])), fifo)
    rate = words / fifo.words_a_sample / elapsed_s if elapsed_s > 0 else 0.0
    if min(len(acc_samples), len(gyr_samples)) < _FEWEST_SAMPLES:
        return Measured(acc, gyr, 0.0, 0.0, 0.0, 0.0)
    means = [fmean(axis) * wide * _ACC_16G_MG for axis in zip(*acc_samples, strict=True)]
    size_mg = sum(mean * mean for mean in means) ** 0.5
    return Measured(acc, gyr, _noise(acc_samples) * wide * _ACC_16G_MG, _noise(gyr_samples) * _GYR_DPS, size_mg, rate)


def _triple(data: bytes) -> tuple[int, ...]:
    if len(data) != 6:
        raise ValueError(f"{len(data)} bytes instead of 6")
    return struct.unpack("<hhh", data)


def _change(samples: Sequence[tuple[int, ...]], unit: float) -> tuple[float, ...]:
    """The mean with the stimulus minus that without, for each axis. The first sample of both halves is dropped, as in AN5272."""
    half = len(samples) // 2
    without, with_test = samples[1:half], samples[half + 1 :]
    return tuple(abs(fmean(b) - fmean(a)) * unit for a, b in zip(zip(*without, strict=True), zip(*with_test, strict=True), strict=True))


def _samples(data: bytes, fifo: Fifo) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """(accelerometer, gyroscope): the samples in the words of the FIFO."""
    if fifo is PATTERNED:
        both = [struct.unpack_from("<6h", data, at) for at in range(0, len(data) - 11, 12)]
        return [sample[3:] for sample in both], [sample[:3] for sample in both]
    found: dict[int, list[tuple[int, ...]]] = {_ACC_TAG: [], _GYR_TAG: []}
    for at in range(0, len(data) - 6, 7):
        sensor = data[at] >> 3
        if sensor in found:
            found[sensor].append(struct.unpack_from("<hhh", data, at + 1))
    return found[_ACC_TAG], found[_GYR_TAG]


def _noise(samples: Sequence[tuple[int, ...]]) -> float:
    """Root mean square of the noisiest axis, from the differences of neighbours: a slow movement does not count."""
    worst = 0.0
    for axis in zip(*samples, strict=True):
        differences = [b - a for a, b in zip(axis, axis[1:], strict=False)]
        worst = max(worst, (fmean(d * d for d in differences) / 2) ** 0.5)
    return worst


def chip_name(who_am_i: int) -> str:
    """`LSM6DSOX or LSM6DSO32`, or the number."""
    return CHIPS.get(who_am_i) or f"an unknown chip (WHO_AM_I 0x{who_am_i:02X})"
