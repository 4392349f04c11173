"""Steps of both feet and direction from one shank."""

from retrostep_core.gait.codes import BACKWARD, FORWARD, STILL, UNKNOWN

# Group delay of the two one-pole low-passes (3 samples each at 104 Hz) less the 20 ms by which the rate's zero precedes contact.
_LATE_MS = 38
_LEVEL_LEAST = 250
_AREA_LEAST = 8 * 1040
_STRIDE_LEAST_MS = 380
_STRIDE_MOST_MS = 3300
_QUIET = 150
_QUIET_END_MS = 600
_STILL_MS = 1500
_DECIDE = 120


class ShankSteps:
    def __init__(self, engine: object) -> None:
        self._engine = engine
        self._bias = 0
        self.restart()

    def restart(self) -> None:
        """Forget everything: samples are missing."""
        self._f1 = 0
        self._f2 = 0
        self._l1 = 0
        self._l2 = 0
        self._x_mean = 0
        self._n_mean = 1000 << 7
        self._x1 = 0
        self._x2 = 0
        self._n1 = 0
        self._n2 = 0
        self._norm = 1000
        self._started = 0
        self._sign = 0
        self._up = 0
        self._down = 0
        self._cross_ms = -1
        self._before = 0
        self._before_ms = 0
        self._start_ms = 0
        # sums since the present lobe's start, and as they were at the crossing that may end it
        self._sum = [0] * 9
        self._snap = [0] * 9
        self._last = [0] * 9
        self._last_start_ms = 0
        self._quiet_ms = -1
        self._still = 0
        self._from_ms = 0
        self._train()

    def _train(self) -> None:
        """No walking under way."""
        self._contact_ms = -1
        self._first_ms = -1
        self._first_area = 0
        self._area = 0
        self._stride_ms = 0
        self._stride2_ms = 0
        self._strides = 0
        self._evidence = 0
        self._end_ms = [-1, -1]
        self._end_area = [0, 0]
        self._stood = self._still
        self._begin_ms = -1

    def finish(self, at_ms: int) -> None:
        """The end of the data."""
        self._end(at_ms)

    def sample(self, t_ms: int, ax: int, ay: int, az: int, gx: int, gy: int, gz: int) -> None:
        """One sample in body axes."""
        # rate, free of bias
        self._bias += ((gy << 4) - self._bias) >> 10
        gy -= self._bias >> 4
        self._f1 += ((gy << 4) - self._f1) >> 1
        self._f2 += (self._f1 - self._f2) >> 1
        v = self._f2 >> 8
        if v > 500:
            v = 500
        elif v < -500:
            v = -500
        self._l1 += ((gy << 4) - self._l1) >> 2
        self._l2 += (self._l1 - self._l2) >> 2
        g = self._l2 >> 4
        # acceleration: forward, and its size
        square = ax * ax + ay * ay + az * az
        r = self._norm
        r = (r + square // r) >> 1
        while True:
            s = (r + square // r) >> 1
            if s >= r:
                break
            r = s
        if r < 64:
            r = 64
        self._norm = r
        if not self._started:
            self._started = 1
            self._x_mean = ax << 7
            self._n_mean = r << 7
            self._start_ms = t_ms
            self._from_ms = t_ms
        self._x_mean += ax - (self._x_mean >> 7)
        self._n_mean += r - (self._n_mean >> 7)
        self._x1 += (((ax << 4) - (self._x_mean >> 3)) - self._x1) >> 1
        self._x2 += (self._x1 - self._x2) >> 1
        self._n1 += (((r << 4) - (self._n_mean >> 3)) - self._n1) >> 1
        self._n2 += (self._n1 - self._n2) >> 1
        x = self._x2 >> 7
        if x > 500:
            x = 500
        elif x < -500:
            x = -500
        n = self._n2 >> 7
        if n > 500:
            n = 500
        elif n < -500:
            n = -500
        sums = self._sum
        square = v * v
        sums[0] += 1
        sums[1] += square
        sums[2] += (square >> 6) * v
        sums[3] += v * x
        sums[4] += v * n
        sums[5] += x * x
        sums[6] += n * n
        sums[7] += g
        size = g if g >= 0 else -g
        if size > sums[8]:
            sums[8] = size
        # envelopes of both sides
        self._up -= self._up >> 8
        self._down -= self._down >> 8
        if g > self._up:
            self._up = g
        if -g > self._down:
            self._down = -g
        sign = self._sign
        if sign <= 0:
            level = self._up >> 2
            if level < _LEVEL_LEAST:
                level = _LEVEL_LEAST
            if g < 0:
                self._cross_ms = -1
            else:
                if self._cross_ms < 0:
                    self._crossing(t_ms, g)
                if g > level:
                    self._turned(1, t_ms)
        else:
            pass
        if sign >= 0:
            level = self._down >> 2
            if level < _LEVEL_LEAST:
                level = _LEVEL_LEAST
            if g > 0:
                if sign > 0:
                    self._cross_ms = -1
            else:
                if self._cross_ms < 0 or sign == 0 and self._before >= 0:
                    self._crossing(t_ms, g)
                if g < -level:
                    self._turned(-1, t_ms)
        self._before = g
        self._before_ms = t_ms
        # quiet
        if size > _QUIET:
            self._quiet_ms = -1
            self._still = 0
        elif self._quiet_ms < 0:
            self._quiet_ms = t_ms
        else:
            quiet = t_ms - self._quiet_ms
            if quiet > _QUIET_END_MS and self._strides:
                if quiet * 5 > self._stride_ms * 3:
                    self._end(t_ms)
            if quiet > _STILL_MS and not self._still:
                self._still = 1
                self._end(t_ms)
                self._stood = 1
                self._engine.turn(self._quiet_ms, STILL)
        if self._strides and t_ms - self._contact_ms > _STRIDE_MOST_MS:
            self._end(t_ms)

    def _crossing(self, t_ms: int, g: int) -> None:
        span = g - self._before
        if span < 0:
            span = -span
        part = self._before if self._before >= 0 else -self._before
        self._cross_ms = self._before_ms + (t_ms - self._before_ms) * part // (span if span else 1)
        snap = self._snap
        sums = self._sum
        for k in range(9):
            snap[k] = sums[k]

    def _turned(self, sign: int, t_ms: int) -> None:
        """The rate has changed sign for good: the lobe up to the crossing is complete."""
        snap = self._snap
        sums = self._sum
        last = self._last
        was = self._sign
        self._sign = sign
        cross_ms = self._cross_ms
        self._cross_ms = -1
        if was:
            self._lobe(was, self._start_ms, cross_ms, t_ms)
        for k in range(8):
            last[k] = snap[k]
            sums[k] -= snap[k]
        last[8] = snap[8]
        sums[8] = 0
        self._last_start_ms = self._start_ms
        self._start_ms = cross_ms

    def _lobe(self, sign: int, start_ms: int, end_ms: int, t_ms: int) -> None:
        """A lobe of the given sign has ended."""
        a = self._snap
        b = self._last
        engine = self._engine
        n = a[0] + b[0]
        m2 = (a[1] + b[1]) // n
        if m2 < 1:
            m2 = 1
        root = isqrt(m2) + 1
        skew = ((((a[2] + b[2]) // n << 6) // m2) << 8) // root
        mx = isqrt((a[5] + b[5]) // n) + 2
        mn = isqrt((a[6] + b[6]) // n) + 2
        cx = ((a[3] + b[3]) // n << 8) // (root * mx)
        cn = ((a[4] + b[4]) // n << 8) // (root * mn)
        d = cx + cn - (skew >> 1)
        area = a[7] if sign > 0 else -a[7]
        if self._begin_ms < 0:
            self._begin_ms = start_ms
            if self._still or self._stood:
                self._stood = 2
        direction = engine.tally.direction
        other = b[7] if sign < 0 else -b[7]
        if other * 4 > area:
            self._evidence = (self._evidence >> 1) + (200 if d > 200 else -200 if d < -200 else d)
            if self._evidence > _DECIDE:
                if direction != FORWARD:
                    engine.turn(self._last_start_ms if self._strides else self._begin_ms, FORWARD)
            elif self._evidence < -_DECIDE:
                if direction != BACKWARD:
                    engine.turn(self._last_start_ms if self._strides else self._begin_ms, BACKWARD)
        elif direction == STILL:
            engine.turn(start_ms, UNKNOWN)
        direction = engine.tally.direction
        swing = 1 if direction == BACKWARD else -1
        if area >= _AREA_LEAST:
            side = 1 if sign > 0 else 0
            if sign == swing:
                self._contact(end_ms - _LATE_MS, area, side, t_ms)
            self._end_ms[side] = end_ms - _LATE_MS
            self._end_area[side] = area

    def _contact(self, t_ms: int, area: int, side: int, at_ms: int) -> None:
        engine = self._engine
        last = self._contact_ms if self._strides else self._end_ms[side]
        if last < 0:
            return
        stride = t_ms - last
        if stride < _STRIDE_LEAST_MS:
            return
        if stride > 1300 and self._strides and stride * 4 > self._stride_ms * 7:
            self._end(at_ms)
            return
        if stride > 2600:
            return
        if self._strides == 0:
            first = self._end_area[side]
            t = last - (stride >> 1)
            if (self._stood == 0 or first * 10 > area * 7) and t > self._from_ms:
                engine.credit(t)
            engine.credit(last)
        engine.credit(last + (stride >> 1))
        engine.credit(t_ms)
        self._strides += 1
        if self._strides > 1:
            engine.pace(2400000 // (stride + self._stride_ms))
        else:
            engine.pace(1200000 // stride)
        self._contact_ms = t_ms
        self._stride_ms = stride
        if self._strides == 1:
            self._area = area
        elif area * 10 > self._area * 7:
            self._area += (area - self._area) >> 1
        self._last_area = area

    def _end(self, at_ms: int) -> None:
        """Walking has stopped."""
        engine = self._engine
        if self._strides:
            t_ms = self._contact_ms + (self._stride_ms >> 1)
            if self._last_area * 10 > self._area * 7 and t_ms <= at_ms:
                engine.credit(t_ms)
            engine.pace(0)
        self._train()


def isqrt(x: int) -> int:
    """Whole root of 0 <= x < 2**30 by Newton's rule from above."""
    if x < 2:
        return x if x > 0 else 0
    r = 1024 if x < 1048576 else 32768
    while True:
        s = (r + x // r) >> 1
        if s >= r:
            return r
        r = s
