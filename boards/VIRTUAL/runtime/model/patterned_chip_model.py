"""A model of the LSM6DS3TR-C and the LSM6DS33: the chip of lsm6dsox_model.py with the older FIFO of patterned words.

Numbers in brackets are sections of the LSM6DS3TR-C datasheet (DocID030071). Modelled: the FIFO with both sensors at the rate of the
accelerometer, every sample batched, in bypass, FIFO and continuous mode, with watermark, overrun, empty flag and pattern.
Not modelled: other decimations, more data sets, and what lsm6dsox_model.py leaves out.
"""

from lsm6dsox_model import LSM6DSOX

_FIFO_CTRL1 = 0x06
_FIFO_CTRL2 = 0x07
_FIFO_CTRL3 = 0x08
_FIFO_CTRL5 = 0x0A
_WHO_AM_I = 0x0F
_OUTX_L_G = 0x22
_OUTX_L_A = 0x28
_FIFO_STATUS1 = 0x3A
_FIFO_STATUS2 = 0x3B
_FIFO_STATUS3 = 0x3C
_FIFO_STATUS4 = 0x3D
_FIFO_DATA_L = 0x3E
_FIFO_DATA_H = 0x3F
_INTERNAL_FREQ_FINE = 0x63

_EVERY_SAMPLE = 0x09
_STOPS = 1
_FILLS = (1, 6)
_PATTERN = 6


class LSM6DS3TRC(LSM6DSOX):
    """4 kB of FIFO: 2048 words of two bytes (5.4)."""

    WHO_AM_I = 0x6A
    FIFO_WORDS = 2048

    def _power_on(self) -> None:
        self._pattern_fifo = bytearray(2 * self.FIFO_WORDS)
        self._popped = 0
        super()._power_on()
        self._registers[_INTERNAL_FREQ_FINE] = 0

    # The bus

    def readinto(self, buf: object) -> None:
        """One read transaction. The FIFO's output wraps around after its second byte (5.4.6)."""
        self._advance()
        for k in range(len(buf)):
            buf[k] = self._get(self._at)
            if self._at == _FIFO_DATA_H:
                self._at = _FIFO_DATA_L
            else:
                self._step()

    # Registers

    def _put(self, register: int, value: int) -> None:
        # This chip's FIFO is set from 06h on; the base class would take 0Ah for the mode of its own.
        if not self._bank() and _FIFO_CTRL1 <= register <= _FIFO_CTRL5:
            self._registers[register] = value
            if register == _FIFO_CTRL5 and value & 7 not in _FILLS:
                self._clear_fifo()
            if self._filling():
                self._leg.begin(self._next_us)
            return
        super()._put(register, value)

    def _get(self, register: int) -> int:
        if self._bank():
            return super()._get(register)
        if register == _FIFO_STATUS1:
            return min(self._level, self.FIFO_WORDS - 1) & 255
        if register == _FIFO_STATUS2:
            return self._status2()
        if register == _FIFO_STATUS3:
            return self._popped % _PATTERN
        if register == _FIFO_STATUS4:
            return 0
        if register in (_FIFO_DATA_L, _FIFO_DATA_H):
            if not self._level:
                return 0
            value = self._pattern_fifo[2 * self._first + register - _FIFO_DATA_L]
            if register == _FIFO_DATA_H:
                self._drop(1)
            return value
        if register >= 0x78:
            return 0
        return super()._get(register)

    def _status2(self) -> int:
        level = min(self._level, self.FIFO_WORDS - 1)
        watermark = self._registers[_FIFO_CTRL1] | (self._registers[_FIFO_CTRL2] & 15) << 8
        status = level >> 8
        if level >= watermark > 0:
            status |= 0x80
        if self._level + _PATTERN > self.FIFO_WORDS:
            status |= 0x40
        return status | (0 if level else 0x10)

    # The FIFO

    def _filling(self) -> bool:
        mode = self._registers[_FIFO_CTRL5]
        return mode & 7 in _FILLS and mode >> 3 & 15 != 0 and self._registers[_FIFO_CTRL3] == _EVERY_SAMPLE

    def _clear_fifo(self) -> None:
        super()._clear_fifo()
        self._popped = 0

    def _batch(self, at_us: int, acc: bool, gyr: bool) -> None:
        if not acc or not gyr:
            return
        if self._level + _PATTERN > self.FIFO_WORDS:
            if self._registers[_FIFO_CTRL5] & 7 == _STOPS:
                return
            self._drop(self._level + _PATTERN - self.FIFO_WORDS)
        for register in (_OUTX_L_G, _OUTX_L_A):
            for k in range(0, 6, 2):
                at = 2 * ((self._first + self._level) % self.FIFO_WORDS)
                self._pattern_fifo[at : at + 2] = self._registers[register + k : register + k + 2]
                self._level += 1

    def _drop(self, words: int) -> None:
        self._first = (self._first + words) % self.FIFO_WORDS
        self._level -= words
        self._popped += words


class LSM6DS33(LSM6DS3TRC):
    """8 kB of FIFO (LSM6DS33 datasheet, 5.4)."""

    WHO_AM_I = 0x69
    FIFO_WORDS = 4096
