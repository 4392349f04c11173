"""An LSM6DS motion sensor, whose FIFO is read in bursts.

Adafruit's driver sets the chip up (ranges, rates, I3C off; hal/sensor_start.py). It does not support the FIFO, which this module reads
through its registers (LSM6DSOX datasheet DS12814; LSM6DSO, LSM6DSO32 and ISM330DHCX have the same ones). The older chips have another
FIFO, which hal/patterned_fifo.py turns into the same words. Nothing is allocated after `start`, but for a disturbed patterned FIFO.
"""

from array import array

from retrostep_core.constants import const

from hal import fifo, unload
from hal.sample_clock import SampleClock, nominal_period_ns

# As in hal/fifo.py.
_WORD_BYTES = const(7)
_NEXT_WORD = const(0)
_LOST_SLOTS = const(4)
_PEAK_SQUARED = const(21)
_IMPACT = const(22)
_FIFO_STATUS1 = const(0x3A)  # level; the next register has its upper bits and the flags
_FIFO_DATA_OUT_TAG = const(0x78)
_OVERRUN = const(0x48)  # FIFO_OVR_IA and FIFO_OVR_LATCHED

# Samples of two words in one burst: 224 bytes, 5 ms at 400 kHz.
_BURST = const(16)
# A transfer is tried so often at once. After this many failed calls in a row (half a second) the chip must be set up again; its FIFO
# holds 2.4 s meanwhile.
_TRIES = const(3)
_FAILURES_MOST = const(5)
# The sensor's clock may be 10 % slow; after a much longer silence it has stopped.
_SILENT_MS = const(500)

# Reasons, see FORMATS.md.
_NO_ANSWER = const(3)
_STOPPED = const(12)


class SensorFault(Exception):
    """The sensor is missing, of another model, or stopped answering: args[0] is the reason, its detail * 256 added (FORMATS.md)."""


class Lsm6ds:
    """Samples of the sensor `model` at I2C `address`, turned by `mount` (units.parse_mount). `ticks_ms()` times them.

    The file at `path` keeps the registers of the first start for the later ones; "" is no file.

    Call `start` once. Then call `check_fifo` regularly, and `read_block` after it until that returns 0.

    block        samples in body axes: mg x y z, 0.1 degrees per second x y z. Sample i was taken at t0_ms + i * period_us // 1000
    impact       of the block: four values for gait/load.py
    overrun      the FIFO had overwritten samples at the last check
    rate_changed the last check updated the measured rate, milli_hz
    """

    def __init__(
        self, bus: object, address: int, model: str, mount: tuple | None, watermark: int, ticks_ms: object, path: str = ""
    ) -> None:
        self._bus = bus
        self._address = address
        self._ticks_ms = ticks_ms
        self._setup = model, watermark, path
        self._parser = fifo.new_state(mount)
        self._status = bytearray(2)
        self._patterned: object = None  # the module of the other FIFO, if the chip has it
        self._raw_of: list | None = None
        self._slot = 0
        self._burst = bytearray(_BURST * 2 * _WORD_BYTES)
        view = memoryview(self._burst)
        # A slice allocates, so all are made here: one for each number of complete samples, and the last for a single word.
        self._burst_of = [view[: 2 * n * _WORD_BYTES] for n in range(_BURST + 1)]
        self._burst_of.append(view[:_WORD_BYTES])
        self._burst_words = 0
        self._waiting_words = 0  # in the FIFO at the last check, and not read since
        self._last_ms = 0
        self._found = False  # samples since the last check
        self._failures = 0  # transfers in a row
        self._clock = SampleClock(nominal_period_ns(0))
        self.block = array("h", bytes(_BURST * 6 * 2))
        self.impact = memoryview(self._parser)[_IMPACT : _IMPACT + 4]
        self.t0_ms = 0
        self.period_us = self._clock.period_us
        self.overrun = False
        self.rate_changed = False

    @property
    def milli_hz(self) -> int:
        """The sample rate in 0.001 Hz."""
        return self._clock.milli_hz

    def take_peak_mg(self) -> int:
        """The largest specific force, in mg, since the last call; 0 without samples."""
        square = self._parser[_PEAK_SQUARED]
        self._parser[_PEAK_SQUARED] = 0
        # Integer square root by Newton's method, from above: three axes of 16 g are 27.7 g.
        root = 32767
        while root * root > square:
            root = (root + square // root) >> 1
        return root

    def set_mount(self, mount: tuple | None) -> None:
        """Turn the samples that are read from now on by `mount`; None keeps the axes of the sensor."""
        fifo.set_mount(self._parser, mount)

    def start(self) -> None:
        """Set the chip up and empty its FIFO; takes 0.1 to 0.8 s. Raises SensorFault."""
        from hal import sensor_start

        try:
            fine, patterned = sensor_start.start(self._bus, self._address, *self._setup)
        finally:
            unload("sensor_start sensors", "hal.")
        if patterned and self._patterned is None:
            from hal import patterned_fifo

            self._patterned = patterned_fifo
            self._status = bytearray(patterned_fifo.STATUS_BYTES)
            raw = memoryview(self._burst)[patterned_fifo.BURST_AT :]
            self._raw_of = [raw[: n * patterned_fifo.SAMPLE_BYTES] for n in range(_BURST + 1)]
        if not self._clock.measured:
            self._clock = SampleClock(nominal_period_ns(fine))
        self._discard_waiting()
        self._failures = 0
        self._found = True

    def check_fifo(self) -> int:
        """The number of complete samples in the FIFO; 0 after a failed transfer, which the next call repeats.

        Raises SensorFault if the chip does not answer several times in a row, or has stopped.
        """
        self.overrun = self.rate_changed = False
        status = self._status
        if not self._read(_FIFO_STATUS1, status):
            return 0
        now_ms = self._ticks_ms()
        words = self._words(status)
        if self._patterned is None:
            self.overrun = status[1] & _OVERRUN != 0
        else:
            self.overrun = self._patterned.overrun(status)
            loose = self._patterned.loose_words(status)
            if loose and not self._read(self._patterned.DATA_OUT, memoryview(self._burst)[: 2 * loose], 1):
                return 0
        if self._found:
            self._found = False
            self._last_ms = now_ms
        elif now_ms - self._last_ms > _SILENT_MS:
            raise SensorFault(_STOPPED)
        if self.overrun:
            self._discard_waiting()
        self._waiting_words = words
        self.rate_changed = self._clock.observe(now_ms, words >> 1)
        return words >> 1

    def read_block(self) -> int:
        """Fill `block` with up to 16 consecutive samples of those that the last check found; 0 after the last. Raises SensorFault."""
        parser = self._parser
        clock = self._clock
        while True:
            n = fifo.parse(self._burst, self._burst_words, self.block, parser)
            if n:
                if parser[_LOST_SLOTS]:
                    clock.advance(parser[_LOST_SLOTS])
                self.t0_ms = clock.next_ms
                self.period_us = clock.period_us
                clock.advance(n)
                self._found = True
                return n
            if not self._waiting_words:
                return 0
            words = self._waiting_words
            if words > 2 * _BURST:
                words = 2 * _BURST
            elif words > 1:
                words &= ~1
            if not self._read_words(words):
                # What the chip has kept is read after the next check.
                self._waiting_words = 0
                return 0
            self._waiting_words -= words
            self._burst_words = words
            parser[_NEXT_WORD] = 0

    def _words(self, status: object) -> int:
        """The number of words in the FIFO, as tagged words."""
        if self._patterned is None:
            return status[0] | (status[1] & 3) << 8
        return 2 * self._patterned.samples(status)

    def _read_words(self, count: int) -> bool:
        """Read `count` tagged words, 1 or an even number, into the burst; False after a failed transfer."""
        patterned = self._patterned
        for _ in range(_TRIES):
            if patterned is None:
                if self._read(_FIFO_DATA_OUT_TAG, self._burst_of[count >> 1 if count > 1 else -1], 1):
                    return True
            elif self._read(patterned.DATA_OUT, self._raw_of[count >> 1], 1):
                self._slot = patterned.add_tags(self._burst, count >> 1, self._slot)
                return True
            # A transfer that took words before it failed cannot be repeated. How many is not known: the time starts again.
            if not self._read(_FIFO_STATUS1, self._status) or self._words(self._status) < self._waiting_words:
                self._discard_waiting()
                break
        return False

    def _discard_waiting(self) -> None:
        fifo.discard_pending(self._parser)
        self._parser[_NEXT_WORD] = self._burst_words = self._waiting_words = 0
        self._clock.restart()

    def _read(self, register: int, buf: object, count: int = _TRIES) -> bool:
        """Fill `buf` from `register` on; False if no try succeeds. Raises SensorFault after several such calls in a row."""
        for _ in range(count):
            try:
                self._bus.readfrom_mem_into(self._address, register, buf)
                self._failures = 0
                return True
            except OSError:
                # A disturbed line: the registers of the chip are still set.
                continue
        self._failures += 1
        if self._failures >= _FAILURES_MOST:
            self._discard_waiting()
            raise SensorFault(_NO_ANSWER)
        return False
