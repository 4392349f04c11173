"""Steps from the waist or a pocket, in any orientation."""

from retrostep_core.gait.codes import STILL, UNKNOWN
from retrostep_core.gait.integers import isqrt

# Samples (at half the rate) over which gravity, the mean and the typical size are taken: 1.2 s.
_SETTLE = 64
# Crossings count above this much of the signal's mean size (in 1/256), and above 14 mg (in 1/16 mg) in any case.
_LEVEL = 102
_LEVEL_LEAST = 224
# The low-passes are 120 ms late, and the rise through zero follows contact by -90 ms walking to 0 running: this is the mean of both.
_LATE_MS = 25
# Four steps alike open the gate: with three, sitting down and rising again is sometimes taken for walking.

_STEPS = 4
_STEP_LEAST_MS = 230
_STEP_MOST_MS = 1500
_STILL_MS = 1500


class TrunkSteps:
    """One step a rise of the vertical acceleration through zero, at half the sample rate (52 Hz).

    Method: the acceleration along gravity (mean acceleration over 1.2 s), less its mean, low-passed by two one-pole filters (2.4 Hz each);
    a rise through zero counts once the signal has passed a level above and below zero that follows its mean size. A train is credited
    from its fourth step on, where intervals and sizes are alike, with its true times; a step that comes too early or is small and early
    is a harmonic of the one before. When a train stops, the closing step that brings the feet together, too soft to be seen, is
    credited one interval after the last. After Zijlstra and Hof 2003 (Gait Posture 18:1) in using the trunk's vertical acceleration, and
    Zhao 2010 (Analog Dialogue 44-06) in the gate of regular steps; deviations: any orientation, adaptive level, closing step, and no upper
    limit of 240 steps a minute (here 260). Direction is `unknown`: running forward looks like walking backward from the waist.
    """

    def __init__(self, engine: object) -> None:
        self._engine = engine
        self._state = [0] * 14
        self._half = [0] * 4
        self._times = [0] * _STEPS
        self._sizes = [0] * _STEPS
        self._origin_ms = -1
        self.restart()

    def restart(self) -> None:
        """Forget everything: samples are missing."""
        for k in range(len(self._state)):
            self._state[k] = 0
        self._half[3] = 0
        self._origin_ms = -1
        self._end_train()

    def _end_train(self) -> None:
        self._waiting = 0
        self._open = False
        self._last_ms = -1
        self._interval_ms = 0
        self._size = 0

    def finish(self, at_ms: int) -> None:
        """The end of the data."""
        self._stop(at_ms)

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples, as in Engine.samples; the rates are not looked at."""
        engine = self._engine
        tick_ms = engine.tick_ms
        mx, my, mz, norm, mean, low1, low2, size, count, sign, cross_ms, peak, trough, before_ms = self._state
        hx, hy, hz, half = self._half
        k = 0
        for i in range(n):
            if not half:
                hx = block[k]
                hy = block[k + 1]
                hz = block[k + 2]
                half = 1
                k += 6
                continue
            half = 0
            t_ms = t0_ms + i * period_us // 1000
            hx = (hx + block[k]) >> 1
            hy = (hy + block[k + 1]) >> 1
            hz = (hz + block[k + 2]) >> 1
            k += 6
            if count < _SETTLE:
                if count == 0:
                    self._origin_ms = t_ms
                count += 1
                mx += ((hx << 6) - mx) // count
                my += ((hy << 6) - my) // count
                mz += ((hz << 6) - mz) // count
                gx = mx >> 6
                gy = my >> 6
                gz = mz >> 6
                norm = isqrt(gx * gx + gy * gy + gz * gz) + 1
            else:
                mx += hx - (mx >> 6)
                my += hy - (my >> 6)
                mz += hz - (mz >> 6)
                gx = mx >> 6
                gy = my >> 6
                gz = mz >> 6
                # Newton's rule once a sample: the mean moves slowly enough.
                norm = ((norm + (gx * gx + gy * gy + gz * gz) // norm) >> 1) + 1
            v = (hx * gx + hy * gy + hz * gz) // norm - norm
            if count < _SETTLE:
                mean += ((v << 6) - mean) // count
            else:
                mean += v - (mean >> 6)
            low1 += ((v << 4) - (mean >> 2) - low1) >> 2
            was = low2
            low2 += (low1 - low2) >> 2
            a = low2 if low2 >= 0 else -low2
            if count < _SETTLE:
                size += ((a << 6) - size) // count
            else:
                size += a - (size >> 6)
            level = ((size >> 6) * _LEVEL) >> 8
            if level < _LEVEL_LEAST:
                level = _LEVEL_LEAST
            if was < 0 <= low2 and sign <= 0:
                cross_ms = t_ms - (t_ms - before_ms) * low2 // (low2 - was)
            before_ms = t_ms
            if sign > 0:
                if low2 > peak:
                    peak = low2
                elif low2 < -level:
                    sign = -1
                    self._step(cross_ms - _LATE_MS, peak - trough, t_ms)
                    trough = low2
            else:
                if low2 < trough:
                    trough = low2
                elif low2 > level:
                    sign = 1
                    peak = low2
            if t_ms >= tick_ms:
                self._look(t_ms)
                engine.tick(t_ms)
                tick_ms = engine.tick_ms
        state = self._state
        state[0] = mx
        state[1] = my
        state[2] = mz
        state[3] = norm
        state[4] = mean
        state[5] = low1
        state[6] = low2
        state[7] = size
        state[8] = count
        state[9] = sign
        state[10] = cross_ms
        state[11] = peak
        state[12] = trough
        state[13] = before_ms
        h = self._half
        h[0] = hx
        h[1] = hy
        h[2] = hz
        h[3] = half

    def _step(self, t_ms: int, size: int, at_ms: int) -> None:
        """A rise and fall that may be a step."""
        if t_ms < self._origin_ms:
            return
        if not self._open:
            self._wait(t_ms, size, at_ms)
            return
        step = t_ms - self._last_ms
        interval = self._interval_ms
        if step * 2 < interval or step < _STEP_LEAST_MS or (step * 10 < interval * 7 and size * 2 < self._size):
            return
        if step * 10 > interval * 17 or size * 5 < self._size:
            self._stop(at_ms)
            self._wait(t_ms, size, at_ms)
            return
        self._interval_ms += (step - interval) * 5 >> 4
        self._size += (size - self._size) * 5 >> 4
        self._credit(t_ms, at_ms)

    def _wait(self, t_ms: int, size: int, at_ms: int) -> None:
        """A step before the gate is open: steps alike must follow each other."""
        times = self._times
        sizes = self._sizes
        n = self._waiting
        if n:
            step = t_ms - times[n - 1]
            before = sizes[n - 1]
            if not (_STEP_LEAST_MS <= step <= _STEP_MOST_MS and size * 5 >= before * 2 and before * 5 >= size * 2):
                n = 0
            elif n > 1:
                last = times[n - 1] - times[n - 2]
                if step * 5 < last * 3 or last * 5 < step * 3:
                    times[0] = times[n - 1]
                    sizes[0] = sizes[n - 1]
                    n = 1
        times[n] = t_ms
        sizes[n] = size
        n += 1
        self._waiting = n
        if n < _STEPS:
            return
        self._waiting = 0
        self._open = True
        self._interval_ms = (times[n - 1] - times[0]) // (n - 1)
        self._size = (sizes[0] + sizes[1] + sizes[2] + sizes[3]) >> 2
        self._engine.turn(times[0], UNKNOWN, at_ms)
        for k in range(n):
            self._credit(times[k], at_ms)

    def _credit(self, t_ms: int, at_ms: int) -> None:
        engine = self._engine
        engine.credit(t_ms, at_ms)
        # Cadence over the last four intervals at most.
        times = self._times
        n = self._waiting
        if n == _STEPS:
            engine.pace(2400000 // (t_ms - times[0]), at_ms)
            times[0] = times[1]
            times[1] = times[2]
            times[2] = times[3]
            times[3] = t_ms
        else:
            times[n] = t_ms
            self._waiting = n + 1
            if n == _STEPS - 1:
                engine.pace(1800000 // (t_ms - times[0]), at_ms)
        self._last_ms = t_ms

    def _look(self, at_ms: int) -> None:
        """Four times a second: whether the steps have stopped."""
        last = self._last_ms
        if self._open:
            late = at_ms - last
            if late * 10 > self._interval_ms * 25:
                self._stop(at_ms)
        else:
            if self._waiting:
                last = self._times[self._waiting - 1]
            elif last < 0:
                last = self._origin_ms
            if at_ms - last > _STILL_MS:
                self._engine.turn(at_ms, STILL, at_ms)

    def _stop(self, at_ms: int) -> None:
        """The train has stopped: the closing step, where there was time for it."""
        if self._open:
            t_ms = self._last_ms + self._interval_ms
            if t_ms + (self._interval_ms >> 1) < at_ms:
                self._engine.credit(t_ms, at_ms)
            self._engine.pace(0, at_ms)
            self._end_train()
            self._last_ms = t_ms
