"""An LSM6DS motion sensor with a tagged FIFO, read in bursts.

Adafruit's driver sets the chip up (ranges, rates, I3C off); the FIFO, which it does not know, is driven here. Registers: LSM6DSOX
datasheet DS12814; LSM6DSO32 and ISM330DHCX have the same ones. No allocation after `start`.
"""

import sys
from array import array

from hal import fifo
from hal.busio import I2C
from hal.modules import forget
from hal.timebase import Timebase, nominal_period_ns

# model: value of WHO_AM_I (0Fh)
WHO_AM_I = {"LSM6DSOX": 0x6C, "LSM6DSO32": 0x6C, "ISM330DHCX": 0x6B}

_FIFO_CTRL1 = 0x07  # watermark, in words; its bit 8 is FIFO_CTRL2's bit 0
_FIFO_CTRL3 = 0x09  # batch rates: gyroscope in the upper half, accelerometer in the lower
_FIFO_CTRL4 = 0x0A  # mode
_WHO_AM_I = 0x0F
_FIFO_STATUS1 = 0x3A  # level, then in the next register its upper bits and the flags
_INTERNAL_FREQ_FINE = 0x63
_FIFO_DATA_OUT_TAG = 0x78

_BYPASS = 0
_CONTINUOUS = 6
_BATCH_104_HZ = 0x44
_OVERRUN = 0x48  # FIFO_OVR_IA and FIFO_OVR_LATCHED

# 16 samples of two words a burst: 224 bytes, 5 ms at 400 kHz.
BURST = 16
# The sensor's clock may be 10 % slow; what is silent for much longer has stopped.
_SILENT_MS = 500


class SensorFault(Exception):
    """The sensor is missing, another one, or no longer answers; the text says what to do."""


class Lsm6ds:
    """Samples of the sensor `model` at `address` on `bus` (machine.I2C), turned by `mount` (units.parse_mount).

    `ticks_ms()` is the clock that samples are timed with. `start`, then now and then `look`, and after each look `read` until it
    returns 0. A sample i of `block` was taken at t0_ms + i * period_us // 1000.
    """

    def __init__(self, bus: object, address: int, model: str, mount: tuple | None, watermark: int, ticks_ms: object) -> None:
        self._bus = bus
        self._address = address
        self._model = model
        self._watermark = watermark
        self._ticks_ms = ticks_ms
        self._state = fifo.new_state(mount)
        self._status = bytearray(2)
        self._raw = bytearray(BURST * 2 * fifo.WORD_BYTES)
        whole = memoryview(self._raw)
        # A slice is an object: all that will be needed are made once.
        self._parts = [whole[: n * fifo.WORD_BYTES] for n in range(2 * BURST + 1)]
        self._words = 0  # in _raw
        self._waiting = 0  # words in the FIFO that the last look saw and no burst has fetched
        self._heard_ms = 0
        self.block = array("h", bytes(BURST * 6 * 2))
        self.timebase = Timebase(nominal_period_ns(0))
        self.t0_ms = 0
        self.period_us = self.timebase.period_us
        self.overrun = False  # the last look found that samples were overwritten
        self.renewed = False  # the last look renewed the measured rate

    @property
    def foreign_words(self) -> int:
        """FIFO words that were neither accelerometer's nor gyroscope's, or had lost their other half."""
        return self._state[fifo.FOREIGN] + self._state[fifo.HALVES]

    def peak_mg(self) -> int:
        """Largest specific force since this was last asked; 0 where nothing was sampled."""
        square = self._state[fifo.PEAK]
        self._state[fifo.PEAK] = 0
        # Newton's way to the whole root, from above: three axes of 16 g are 27.7 g.
        root = 32767
        while root * root > square:
            root = (root + square // root) >> 1
        return root

    def turn(self, mount: tuple | None) -> None:
        """Samples read from now on are turned by `mount`; None leaves the sensor's axes."""
        fifo.turn(self._state, mount)

    def start(self) -> None:
        """Set the chip up and empty its FIFO; takes 0.8 s. Raises SensorFault."""
        found = self._who_am_i()
        if found != WHO_AM_I[self._model]:
            raise SensorFault(
                "The sensor at I2C address 0x%02X says 0x%02X, which is no %s: correct imu in /board.json or the wiring."
                % (self._address, found, self._model)
            )
        try:
            self._configure()
            fine = bytearray(1)
            self._bus.readfrom_mem_into(self._address, _INTERNAL_FREQ_FINE, fine)
            words = 2 * self._watermark
            self._bus.writeto_mem(self._address, _FIFO_CTRL4, bytes((_BYPASS,)))
            self._bus.writeto_mem(self._address, _FIFO_CTRL1, bytes((words & 255, words >> 8)))
            self._bus.writeto_mem(self._address, _FIFO_CTRL3, bytes((_BATCH_104_HZ,)))
            self._bus.writeto_mem(self._address, _FIFO_CTRL4, bytes((_CONTINUOUS,)))
        except (OSError, RuntimeError, ValueError) as error:
            raise SensorFault("The %s failed while it was set up (%s): check its wiring and its supply." % (self._model, error)) from None
        if not self.timebase.measured:
            self.timebase = Timebase(nominal_period_ns(fine[0]))
        self._forget()
        self._heard_ms = self._ticks_ms()

    def look(self) -> int:
        """How many whole samples wait in the FIFO. Raises SensorFault where the chip is gone or has stopped."""
        status = self._status
        try:
            self._bus.readfrom_mem_into(self._address, _FIFO_STATUS1, status)
        except OSError:
            raise SensorFault("The %s no longer answers: check its wiring and its supply." % self._model) from None
        now_ms = self._ticks_ms()
        words = status[0] | (status[1] & 3) << 8
        self.overrun = status[1] & _OVERRUN != 0
        if words:
            self._heard_ms = now_ms
        elif now_ms - self._heard_ms > _SILENT_MS:
            raise SensorFault("The %s has stopped sampling: it was without supply for a moment." % self._model)
        if self.overrun:
            self._forget()
        self._waiting = words
        self.renewed = self.timebase.look(now_ms, words >> 1)
        return words >> 1

    def read(self) -> int:
        """Fill `block` with up to 16 successive samples of those the last look saw; 0 once there are no more. Raises SensorFault."""
        state = self._state
        while True:
            n = fifo.parse(self._raw, self._words, self.block, state)
            if n:
                if state[fifo.LOST]:
                    self.timebase.take(state[fifo.LOST])
                self.t0_ms = self.timebase.t_ms
                self.period_us = self.timebase.period_us
                self.timebase.take(n)
                return n
            if not self._waiting:
                return 0
            words = self._waiting
            if words > 2 * BURST:
                words = 2 * BURST
            try:
                self._bus.readfrom_mem_into(self._address, _FIFO_DATA_OUT_TAG, self._parts[words])
            except OSError:
                self._forget()
                raise SensorFault("The %s no longer answers: check its wiring and its supply." % self._model) from None
            self._waiting -= words
            self._words = words
            state[fifo.AT] = 0

    def _forget(self) -> None:
        fifo.forget(self._state)
        self._state[fifo.AT] = self._words = self._waiting = 0
        self.timebase.restart()

    def _who_am_i(self) -> int:
        found = bytearray(1)
        try:
            self._bus.readfrom_mem_into(self._address, _WHO_AM_I, found)
        except OSError:
            raise SensorFault(
                "No sensor answers at I2C address 0x%02X: check the wiring (SDA, SCL, 3V3, GND) and imu in /board.json." % self._address
            ) from None
        return found[0]

    def _configure(self) -> None:
        """Reset, +-16 g, 2000 dps, 104 Hz through Adafruit's class for the model; its 18 KB of code are let go again."""
        package = __import__("adafruit_lsm6ds")
        module = "adafruit_lsm6ds." + self._model.lower()
        __import__(module)
        chip = getattr(sys.modules[module], self._model)(I2C(self._bus), self._address)
        chip.accelerometer_range = package.AccelRange.RANGE_16G
        chip.gyro_range = package.GyroRange.RANGE_2000_DPS
        chip.accelerometer_data_rate = package.Rate.RATE_104_HZ
        chip.gyro_data_rate = package.Rate.RATE_104_HZ
        for name in ("adafruit_lsm6ds", "adafruit_register", "adafruit_bus_device"):
            forget(name)
