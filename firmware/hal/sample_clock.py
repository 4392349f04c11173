"""When each sample was taken, and the true rate of the sensor's oscillator.

Method, ours:
1. The FIFO level at `now_ms` gives the number of samples, and the newest of them is at most one period old. This bounds the phase.
2. Two levels far apart give the rate: one sample in the time between them, 0.03 % after half a minute.
3. Until then the rate is the nominal one, 6667 Hz / 64, corrected by INTERNAL_FREQ_FINE (LSM6DSOX datasheet DS12814, 9.45).
"""

from retrostep_core.constants import const

# A rate that differs more than this from the nominal one is a wrong count, not an oscillator.
_TOLERANCE_PERCENT = const(10)
# The rate is first measured after this time, then again after each further interval.
_FIRST_MS = const(30000)
_INTERVAL_MS = const(60000)
# Temperature changes the rate: a measurement reaches back no further.
_LONGEST_MS = const(600000)
# Beyond one period: samples are missing, this is not drift.
_LATE_MOST_MS = const(60)


def nominal_period_ns(register: int) -> int:
    """Period at 104 Hz nominal, in ns, from INTERNAL_FREQ_FINE (register 63h, signed 8 bits, 0.15 % a step)."""
    if register > 127:
        register -= 256
    return 64 * 10**9 * 10000 // (6667 * (10000 + 15 * register))


class SampleClock:
    """Times of samples in ms since boot. Call `observe` with each FIFO level, `advance` for the samples that are read.

    period_us   of a sample            measured   True after the rate was measured against the MCU's clock
    """

    def __init__(self, period_ns: int) -> None:
        self._nominal_ns = period_ns
        self._period_ns = period_ns
        self.period_us = (period_ns + 500) // 1000
        self.measured = False
        self._running = False
        self._next_ms = 0  # time of the next sample
        self._next_ns = 0  # and its fraction of a ms
        # The measurement of the rate counts samples from here.
        self._from_ms = 0
        self._from_waiting = 0
        self._samples = 0
        self._last_ms = 0

    @property
    def next_ms(self) -> int:
        """Time of the next sample that is read."""
        return self._next_ms

    @property
    def milli_hz(self) -> int:
        """The rate in 0.001 Hz."""
        return 10**12 // self._period_ns

    def restart(self) -> None:
        """An unknown number of samples was lost: the next `observe` sets the time again. The rate stays."""
        self._running = False

    def observe(self, now_ms: int, waiting: int) -> bool:
        """`waiting` complete samples are in the FIFO at `now_ms`. True if this updated the measured rate."""
        if not self._running:
            return self._start(now_ms, waiting)
        newest_late_ms = now_ms - self._next_ms - ((waiting - 1) * self.period_us + self._next_ns // 1000) // 1000
        period_ms = self.period_us // 1000 + 1
        if newest_late_ms > _LATE_MOST_MS + period_ms:
            # The sensor stood still, or the FIFO was full before it was read.
            return self._start(now_ms, waiting)
        if newest_late_ms < 0:
            # The newest sample cannot be in the future. Correct by less than a period: sample times must rise.
            most_ms = self.period_us // 1000 - 1
            self._next_ms -= most_ms if -newest_late_ms > most_ms else -newest_late_ms
        elif newest_late_ms > period_ms:
            # It cannot be older than a period, but this call may be late: correct half of it.
            self._next_ms += (newest_late_ms - period_ms + 1) // 2
        return self._measure_rate(now_ms, waiting)

    def advance(self, n: int) -> None:
        """`n` samples (at most 64) were read, or are known to be lost."""
        ns = self._next_ns + n * self._period_ns
        self._next_ms += ns // 1000000
        self._next_ns = ns % 1000000
        self._samples += n

    def _start(self, now_ms: int, waiting: int) -> bool:
        back_us = (waiting - 1) * self.period_us if waiting else -self.period_us
        first_ms = now_ms - back_us // 1000
        # Never before a sample that has a time already.
        self._next_ms = first_ms if first_ms > self._next_ms else self._next_ms
        self._next_ns = 0
        self._last_ms = now_ms
        self._measure_from(now_ms, waiting)
        self._running = True
        return False

    def _measure_from(self, now_ms: int, waiting: int) -> None:
        self._from_ms = now_ms
        self._from_waiting = waiting
        self._samples = 0

    def _measure_rate(self, now_ms: int, waiting: int) -> bool:
        span_ms = now_ms - self._from_ms
        if span_ms < _FIRST_MS or now_ms - self._last_ms < (_INTERVAL_MS if self.measured else 0):
            return False
        self._last_ms = now_ms
        samples = self._samples + waiting - self._from_waiting
        period_ns = span_ms * 1000000 // samples if samples > 0 else 0
        off_ns = period_ns - self._nominal_ns
        if span_ms > _LONGEST_MS:
            self._measure_from(now_ms, waiting)
        if off_ns * 100 > self._nominal_ns * _TOLERANCE_PERCENT or -off_ns * 100 > self._nominal_ns * _TOLERANCE_PERCENT:
            return False
        self._period_ns = period_ns
        self.period_us = (period_ns + 500) // 1000
        self.measured = True
        return True
