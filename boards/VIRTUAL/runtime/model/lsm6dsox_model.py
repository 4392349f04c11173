"""A model of the LSM6DSOX as seen through its I2C registers. Numbers in brackets are sections of the datasheet DS12814.

Modelled: identity, power modes of both sensors by their rates, ranges and saturation, output registers and data-ready flags, the stimulus
of the self-test, the time stamp, the FIFO with tags and with watermark, overrun and full flags in every mode that needs no event, the
oscillator's error.
Optional: noise of one step of the accelerometer, without which a leg that stands looks like a frozen sensor.
Not modelled: filters, other noise, settling times, low-power and ultra-low-power modes, interrupts and their pins, compression
and temperature in the FIFO, tap, pedometer, state machines and the machine learning core (their registers keep what is written).
"""

from array import array

_FUNC_CFG_ACCESS = 0x01
_FIFO_CTRL1 = 0x07
_FIFO_CTRL2 = 0x08
_FIFO_CTRL3 = 0x09
_FIFO_CTRL4 = 0x0A
_WHO_AM_I = 0x0F
_CTRL1_XL = 0x10
_CTRL2_G = 0x11
_CTRL3_C = 0x12
_CTRL5_C = 0x14
_CTRL8_XL = 0x17
_CTRL10_C = 0x19
_STATUS = 0x1E
_OUT_TEMP_L = 0x20
_OUTX_L_G = 0x22
_OUTX_L_A = 0x28
_OUTZ_H_A = 0x2D
_FIFO_STATUS1 = 0x3A
_FIFO_STATUS2 = 0x3B
_TIMESTAMP0 = 0x40
_TIMESTAMP2 = 0x42
_TIMESTAMP3 = 0x43
_INTERNAL_FREQ_FINE = 0x63
_FIFO_TAG = 0x78
_FIFO_LAST = 0x7E

# Registers that are not 0 after power-on or reset (9.2, 9.15, 9.19).
_RESET_VALUES = ((0x02, 0x3F), (_CTRL3_C, 0x04), (0x18, 0xE0))
# First and last register of each writable range.
_WRITABLE = ((0x01, 0x0E), (0x10, 0x19), (0x56, 0x5F), (0x6F, 0x77))

# 4.1: sensitivities in the leg's units (micro-g, 1/8 milli-degree per second) by the range bits; with XL_FS_MODE, code 1 means 2 g.
_ACC_LSB = (61, 488, 122, 244)
_GYR_LSB = (70, 140, 280, 560)
_GYR_LSB_125 = 35
# Beyond every range.
_RAIL_UG = 40000000
# 4.1, self-test (9.17): the stimulus on every axis lies in the middle of its limits. Bits: 1 positive, 2 (accelerometer) and 3 (gyroscope)
# negative.
_ACC_TEST_UG = 500000
_GYR_TEST = 400 * 8000
# A noisy sensor: so many times the noise of a working one.
_NOISY = 300

# Rate code (9.13, 9.14, 9.7): periods of the 6667 Hz clock per sample; code 11 differs between the two sensors.
_DIVIDERS = (0, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1)
_CLOCK_HZ = 6667
_ACC_SLOWEST = 4096
_GYR_SLOWEST = 1024

# 3 kB (4.1): words of six data bytes, each with a tag.
FIFO_WORDS = 512
_WORD = 7
_GYR_TAG = 1
_ACC_TAG = 2
_TIME_TAG = 4
# Modes that fill the FIFO (9.8): FIFO, continuous-to-FIFO before its event, continuous. The bypass-to modes wait for their event.
_STOPS = 1
_FILLS = (1, 3, 6)
# If the model is further behind than this, it skips samples that the FIFO would have overwritten.
_MOST_BEHIND = 2 * FIFO_WORDS
# 31 degrees Celsius, as on skin: 256 per degree above 25 (4.3).
_TEMPERATURE = (31 - 25) * 256


class LSM6DSOX:
    """The chip on the leg `leg` (PlayedLeg); `now_us()` returns the time.

    `oscillator_ppm` is the error of its clock, up to +-190000. INTERNAL_FREQ_FINE (9.45) holds it in steps of 0.15 %, as on a real
    chip. `who_am_i` replaces the identity that it reports. Without `noise` it measures the motion exactly.
    """

    WHO_AM_I = 0x6C
    ACC_LSB = _ACC_LSB

    def __init__(self, leg: object, now_us: object, oscillator_ppm: int = 0, who_am_i: int | None = None, noise: bool = False) -> None:
        self._leg = leg
        self._now_us = now_us
        self._who_am_i = self.WHO_AM_I if who_am_i is None else who_am_i
        self._ppm = oscillator_ppm
        # Micro-hertz: whole numbers are exact for any ppm.
        self._clock_uhz = _CLOCK_HZ * (1000000 + oscillator_ppm)
        self._registers = bytearray(128)
        self._banks = (bytearray(128), bytearray(128))
        self._motion = array("i", bytes(24))
        self._fifo = bytearray(FIFO_WORDS * _WORD)
        self._at = 0
        self._noise = 1 if noise else 0
        self._fault = ""
        self._fault_from_us = self._fault_to_us = 0
        self._power_on()

    def break_samples(self, fault: str, from_us: int, to_us: int) -> None:
        """Between two times, the samples are those of a broken sensor.

        `fault`: imu-frozen (the last sample repeats), imu-rail (x of the accelerometer at its rail), gyro-dead (zero), imu-heavy (the
        accelerometer measures twice the force), imu-noisy (its noise is 300 times that of a working one).
        """
        self._fault = fault
        self._fault_from_us = from_us
        self._fault_to_us = to_us

    # The bus

    def write(self, data: object) -> None:
        """One write transaction: a register address, then bytes for it and the following registers (6.1.2)."""
        if not len(data):
            return
        self._advance()
        self._at = data[0] & 127
        for k in range(1, len(data)):
            self._put(self._at, data[k])
            self._step()

    def readinto(self, buf: object) -> None:
        """One read transaction, from the current register address."""
        self._advance()
        k = 0
        size = len(buf)
        while k < size:
            if self._at == _FIFO_TAG and size - k >= _WORD and self._level and not self._bank():
                first = self._first * _WORD
                count = min((size - k) // _WORD, self._level, FIFO_WORDS - self._first)
                buf[k : k + count * _WORD] = self._fifo[first : first + count * _WORD]
                self._pop(count)
                k += count * _WORD
            else:
                buf[k] = self._get(self._at)
                self._step()
                k += 1

    def _step(self) -> None:
        """Address auto-increment (9.15 IF_INC); within the FIFO output it wraps around (AN5272, 9.4)."""
        if not self._registers[_CTRL3_C] & 4:
            return
        self._at = _FIFO_TAG if self._at == _FIFO_LAST else self._at + 1 & 127

    def _bank(self) -> int:
        """9.1: 0 for the main registers, 1 sensor hub, 2 embedded functions."""
        return self._registers[_FUNC_CFG_ACCESS] >> 6

    # Registers

    def _power_on(self) -> None:
        registers = self._registers
        for k in range(128):
            registers[k] = 0
        for register, value in _RESET_VALUES:
            registers[register] = value
        # 9.45: whole steps of 0.15 %.
        registers[_INTERNAL_FREQ_FINE] = (self._ppm + 750) // 1500 & 255
        self._set_word(_OUT_TEMP_L, _TEMPERATURE)
        self._timestamp_us = self._now_us()
        self._clear_fifo()
        self._slot = 0
        self._set_rates()

    def _put(self, register: int, value: int) -> None:
        registers = self._registers
        bank = self._bank()
        if bank and register != _FUNC_CFG_ACCESS:
            self._banks[bank >> 1][register] = value
            return
        if register == _TIMESTAMP2:
            if value == 0xAA:
                self._timestamp_us = self._now_us()
            return
        if not any(first <= register <= last for first, last in _WRITABLE):
            return
        before = registers[register]
        if register == _CTRL3_C:
            if value & 1:
                self._power_on()
                return
            value &= 0x7E  # BOOT is complete at once
        registers[register] = value
        if register in (_CTRL1_XL, _CTRL2_G) and (before ^ value) & 0xF0:
            self._set_rates()
        elif register == _FIFO_CTRL4 and value & 7 not in _FILLS:
            self._clear_fifo()
        if _FIFO_CTRL1 <= register <= _FIFO_CTRL4 and self._filling():
            self._leg.begin(self._next_us)

    def _get(self, register: int) -> int:
        registers = self._registers
        bank = self._bank()
        if bank and register != _FUNC_CFG_ACCESS:
            return self._banks[bank >> 1][register]
        if register == _WHO_AM_I:
            return self._who_am_i
        if register >= _FIFO_TAG:
            if register > _FIFO_LAST or not self._level:
                return 0
            value = self._fifo[self._first * _WORD + register - _FIFO_TAG]
            if register == _FIFO_LAST:
                self._pop(1)
            return value
        if register == _FIFO_STATUS1:
            return self._level & 255
        if register == _FIFO_STATUS2:
            return self._fifo_status()
        if _TIMESTAMP0 <= register <= _TIMESTAMP3:
            return self._timestamp(self._now_us()) >> 8 * (register - _TIMESTAMP0) & 255
        if _OUTX_L_G <= register <= _OUTZ_H_A:
            # 9.25: reading either half of any axis clears the flag.
            registers[_STATUS] &= 0xFD if register < _OUTX_L_A else 0xFE
        return registers[register]

    def _set_word(self, register: int, value: int) -> None:
        self._registers[register] = value & 255
        self._registers[register + 1] = value >> 8 & 255

    def _timestamp(self, at_us: int) -> int:
        """9.35: steps of 25 us by the chip's own clock; 0 unless TIMESTAMP_EN is set (9.20)."""
        if not self._registers[_CTRL10_C] & 0x20:
            return 0
        return (at_us - self._timestamp_us) * (1000000 + self._ppm) // 25000000 & 0xFFFFFFFF

    # Sampling

    def _set_rates(self) -> None:
        """Both sensors share one clock. A change of either rate restarts the count of its periods."""
        registers = self._registers
        code = registers[_CTRL1_XL] >> 4
        self._acc_every = _ACC_SLOWEST if code == 11 else _DIVIDERS[code] if code < 11 else 0
        code = registers[_CTRL2_G] >> 4
        self._gyr_every = _DIVIDERS[code] if code < 11 else 0
        every = [n for n in (self._acc_every, self._gyr_every) if n]
        self._every = min(every) if every else 0
        period = self._every * 1000000 * 1000000
        self._period_us = period // self._clock_uhz
        self._period_rest = period % self._clock_uhz
        self._rest = 0
        self._periods = 0
        self._next_us = self._now_us() + self._period_us

    def _advance(self) -> None:
        """Take all samples that are due."""
        if not self._every:
            return
        now = self._now_us()
        behind = (now - self._next_us) // (self._period_us + 1)
        if behind > _MOST_BEHIND and self._registers[_FIFO_CTRL4] & 7 != _STOPS:
            self._skip(behind - _MOST_BEHIND)
        while self._next_us <= now:
            self._sample(self._next_us)
            self._skip(1)

    def _skip(self, periods: int) -> None:
        rest = self._rest + periods * self._period_rest
        self._next_us += periods * self._period_us + rest // self._clock_uhz
        self._rest = rest % self._clock_uhz
        self._periods += periods * self._every

    def _sample(self, at_us: int) -> None:
        registers = self._registers
        motion = self._motion
        self._leg.motion_at(at_us, motion)
        fault = self._fault if self._fault_from_us <= at_us < self._fault_to_us else ""
        if registers[_CTRL5_C]:
            self._add_self_test(registers[_CTRL5_C])
        if self._noise:
            self._add_noise()
        if fault:
            self._break(fault)
        acc = self._acc_every and self._periods % self._acc_every == 0
        gyr = self._gyr_every and self._periods % self._gyr_every == 0
        if acc and fault != "imu-frozen":
            fs = registers[_CTRL1_XL] >> 2 & 3
            self._store(_OUTX_L_A, 0, self.ACC_LSB[0 if fs == 1 and registers[_CTRL8_XL] & 2 else fs])
        if gyr and fault != "imu-frozen":
            ctrl = registers[_CTRL2_G]
            self._store(_OUTX_L_G, 3, _GYR_LSB_125 if ctrl & 2 else _GYR_LSB[ctrl >> 2 & 3])
        registers[_STATUS] |= (1 if acc else 0) | (2 if gyr else 0) | 4
        if self._filling():
            self._batch(at_us, acc, gyr)

    def _add_self_test(self, control: int) -> None:
        motion = self._motion
        acc = (0, _ACC_TEST_UG, -_ACC_TEST_UG, 0)[control & 3]
        gyr = (0, _GYR_TEST, 0, -_GYR_TEST)[control >> 2 & 3]
        for k in range(3):
            motion[k] += acc
            motion[3 + k] += gyr

    def _add_noise(self) -> None:
        for k in range(3):
            self._noise = self._noise * 1103 + 12345 & 0xFFFF
            self._motion[k] += (self._noise >> 14) * 244 - 366

    def _break(self, fault: str) -> None:
        motion = self._motion
        for k in range(3):
            if fault == "gyro-dead":
                motion[3 + k] = 0
            elif fault == "imu-heavy":
                motion[k] *= 2
        if fault == "imu-rail":
            motion[0] = _RAIL_UG
        elif fault == "imu-noisy":
            for k in range(3):
                self._noise = self._noise * 1103 + 12345 & 0xFFFF
                motion[k] += ((self._noise >> 14) * 244 - 366) * _NOISY

    def _store(self, register: int, first: int, lsb: int) -> None:
        """Write three axes to the output registers, rounded to the sensitivity and saturated."""
        registers = self._registers
        for k in range(first, first + 3):
            value = (2 * self._motion[k] + lsb) // (2 * lsb)
            if value > 32767:
                value = 32767
            elif value < -32768:
                value = -32768
            registers[register] = value & 255
            registers[register + 1] = value >> 8 & 255
            register += 2

    # The FIFO (6.5, 9.5 to 9.8, 9.33, 9.34, 9.52, 9.53)

    def _filling(self) -> bool:
        registers = self._registers
        return registers[_FIFO_CTRL4] & 7 in _FILLS and registers[_FIFO_CTRL3] != 0

    def _clear_fifo(self) -> None:
        self._first = 0
        self._level = 0
        self._latched = False

    def _depth(self) -> int:
        """STOP_ON_WTM makes the FIFO as deep as the watermark."""
        return self._watermark() if self._registers[_FIFO_CTRL2] & 0x80 and self._watermark() else FIFO_WORDS

    def _watermark(self) -> int:
        return self._registers[_FIFO_CTRL1] | (self._registers[_FIFO_CTRL2] & 1) << 8

    def _fifo_status(self) -> int:
        level = self._level
        depth = self._depth()
        status = level >> 8
        if level >= self._watermark() > 0:
            status |= 0x80
        if level >= depth:
            status |= 0x40
        if level + self._batched() >= depth:
            status |= 0x20
        if self._latched:
            status |= 0x08
        self._latched = False
        return status

    def _batched(self) -> int:
        """The most words that one slot adds."""
        rates = self._registers[_FIFO_CTRL3]
        return (1 if rates & 15 else 0) + (1 if rates >> 4 else 0) + (1 if self._registers[_FIFO_CTRL4] >> 6 else 0)

    def _batch(self, at_us: int, acc: bool, gyr: bool) -> None:
        """One time slot: the words of gyroscope, accelerometer and time stamp that are due."""
        rates = self._registers[_FIFO_CTRL3]
        decimation = (0, 1, 8, 32)[self._registers[_FIFO_CTRL4] >> 6]
        gyr = gyr and _due(self._periods, rates >> 4, _GYR_SLOWEST)
        acc = acc and _due(self._periods, rates & 15, _ACC_SLOWEST)
        if not gyr and not acc:
            return
        self._slot += 1
        if gyr:
            self._push(_GYR_TAG, _OUTX_L_G)
        if acc:
            self._push(_ACC_TAG, _OUTX_L_A)
        if decimation and self._slot % decimation == 0:
            stamp = self._timestamp(at_us)
            at = self._push(_TIME_TAG, _OUTX_L_A)
            if at is not None:
                for k in range(6):
                    self._fifo[at + k] = stamp >> 8 * k & 255

    def _push(self, sensor: int, register: int) -> int | None:
        """Append a word from a sensor's output registers; returns the index of its data, or None if the FIFO has stopped."""
        depth = self._depth()
        if self._level >= depth:
            if self._registers[_FIFO_CTRL4] & 7 == _STOPS:
                return None
            self._first = (self._first + 1) % FIFO_WORDS
            self._level -= 1
        at = (self._first + self._level) % FIFO_WORDS * _WORD
        tag = sensor << 3 | (self._slot & 3) << 1
        # TAG_PARITY makes the number of ones even.
        odd = tag ^ tag >> 4
        odd ^= odd >> 2
        self._fifo[at] = tag | (odd ^ odd >> 1) & 1
        self._fifo[at + 1 : at + _WORD] = self._registers[register : register + 6]
        self._level += 1
        if self._level >= depth:
            self._latched = True
        return at + 1

    def _pop(self, words: int) -> None:
        self._first = (self._first + words) % FIFO_WORDS
        self._level -= words


def _due(periods: int, code: int, slowest: int) -> bool:
    """Whether a sample at this count of clock periods is batched at rate `code`."""
    if code == 0 or code > 11:
        return False
    return periods % (slowest if code == 11 else _DIVIDERS[code]) == 0
