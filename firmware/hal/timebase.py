"""When each sample of the sensor was taken, and how fast its oscillator really runs.

A look at the FIFO tells how many samples there are, and so that the newest of them is at most one period old. That bounds the
phase at every look, and two looks far apart give the rate: to a sample in their distance, 0.03 % after half a minute.
Method and bounds are ours; the nominal rate is LSM6DSOX datasheet DS12814, 9.45 INTERNAL_FREQ_FINE: 6667 Hz / 64 at 104 Hz.
"""

# Rates further than this from the nominal one are a fault of the count, not of an oscillator.
_TOLERANCE_PERCENT = 10
_FIRST_MS = 30000
_AGAIN_MS = 60000
_LONGEST_MS = 600000
# A phase that is off by more than this was not drift.
_LOST_MS = 60


def nominal_period_ns(freq_fine: int) -> int:
    """Period at 104 Hz nominal from INTERNAL_FREQ_FINE (63h, signed, 0.15 % a step)."""
    if freq_fine > 127:
        freq_fine -= 256
    return 64 * 10**9 * 10000 // (6667 * (10000 + 15 * freq_fine))


class Timebase:
    """Sample times in ms since boot. Call `look` with every reading of the FIFO's level, `take` for the samples read out of it."""

    def __init__(self, period_ns: int) -> None:
        self._nominal_ns = period_ns
        self._period_ns = period_ns
        self.period_us = (period_ns + 500) // 1000
        self.measured = False  # True once the rate comes from the MCU's clock
        self._running = False
        self._t_ms = 0  # of the next sample that will be taken
        self._t_ns = 0
        self._taken = 0  # slots since the anchor
        self._anchor_ms = 0
        self._anchor_slots = 0
        self._judged_ms = 0

    @property
    def t_ms(self) -> int:
        """Time of the next sample."""
        return self._t_ms

    @property
    def milli_hz(self) -> int:
        """The rate believed, in 0.001 Hz."""
        return 10**12 // self._period_ns

    def restart(self) -> None:
        """Samples were lost, nobody knows how many: the next look starts afresh. The rate stays."""
        self._running = False

    def look(self, now_ms: int, waiting: int) -> bool:
        """`waiting` whole samples are in the FIFO at `now_ms`. True if the measured rate was renewed."""
        if not self._running:
            return self._start(now_ms, waiting)
        late_ms = now_ms - self._t_ms - ((waiting - 1) * self.period_us + self._t_ns // 1000) // 1000
        period_ms = self.period_us // 1000 + 1
        if late_ms > _LOST_MS + period_ms:
            # The sensor stood still, or the MCU was away for longer than the FIFO is deep.
            return self._start(now_ms, waiting)
        if late_ms < 0:
            # The newest sample cannot lie ahead. By less than a period, so that the times of samples keep rising.
            most_ms = self.period_us // 1000 - 1
            self._t_ms -= most_ms if -late_ms > most_ms else -late_ms
        elif late_ms > period_ms:
            # It cannot be older than a period either, but the look itself may have been held up: half of it is believed.
            self._t_ms += (late_ms - period_ms + 1) // 2
        return self._measure(now_ms, waiting)

    def take(self, n: int) -> None:
        """`n` samples (at most 64) were read out, or are known to be lost."""
        ns = self._t_ns + n * self._period_ns
        self._t_ms += ns // 1000000
        self._t_ns = ns % 1000000
        self._taken += n

    def _start(self, now_ms: int, waiting: int) -> bool:
        back_us = (waiting - 1) * self.period_us if waiting else -self.period_us
        t_ms = now_ms - back_us // 1000
        # Never before a sample that was already given a time.
        self._t_ms = t_ms if t_ms > self._t_ms else self._t_ms
        self._t_ns = 0
        self._taken = 0
        self._anchor_ms = self._judged_ms = now_ms
        self._anchor_slots = waiting
        self._running = True
        return False

    def _measure(self, now_ms: int, waiting: int) -> bool:
        span_ms = now_ms - self._anchor_ms
        if span_ms < _FIRST_MS or now_ms - self._judged_ms < (_AGAIN_MS if self.measured else 0):
            return False
        slots = self._taken + waiting - self._anchor_slots
        self._judged_ms = now_ms
        period_ns = span_ms * 1000000 // slots if slots > 0 else 0
        off_ns = period_ns - self._nominal_ns
        if span_ms > _LONGEST_MS:
            # Temperature drifts: begin a new stretch, which counts from half a minute on.
            self._anchor_ms = now_ms
            self._anchor_slots = waiting
            self._taken = 0
        if off_ns * 100 > self._nominal_ns * _TOLERANCE_PERCENT or -off_ns * 100 > self._nominal_ns * _TOLERANCE_PERCENT:
            return False
        self._period_ns = period_ns
        self.period_us = (period_ns + 500) // 1000
        self.measured = True
        return True
