"""Steps of both feet from the trunk or a pocket, in any orientation."""

from retrostep_core.gait.codes import STILL, UNKNOWN

# mg an axis: no sum of three squares leaves 2**30. Vertical values are held to the same.
_MOST = 18000
# Vertical speed, in mg x 1/52 s = 0.19 mm/s, beyond what any body does (5.7 m/s), so that moments stay small.
_SPEED_MOST = 30000
# Gravity's direction: 64 half-rate samples (1.2 s), short enough for a pocket, long enough for a stride at 50 strides a minute.
_GRAVITY = 6
# Acceleration -> speed: a leaky integrator of 16 samples (0.31 s; from 0.5 Hz up it weighs harmonics by 1/f) less its mean over 64.
_LEAK = 4
_MEAN = 6
# A turning point of the speed counts past 6/16 of the envelope (which fades in 1.2 s) and 38 mm/s, whichever is more.
_PART = 6
_LEAST = 200
_FADE = 6
_RISE_MOST_MS = 2000
# Two rises nearer than this are one; 260 steps a minute are 230 ms.
_NEAREST_MS = 200
# Two rises less than 430 ms apart are harmonics of one step where the second is below 0.32 m/s and would lift the trunk by less than
# 16 mm (rise x interval / 2 pi): nobody walks that fast on so little.
_DOUBLE_MS = 430
_DOUBLE_RISE = 1700
_DOUBLE_LIFT = 550000
# The gate.
_HELD = 12
_CHAIN = 8
_STEP_LEAST_MS = 220
_STEP_MOST_MS = 1500
_FORGET_MS = 2500
_RISE_NEW = 500
_LIFT_NEW = 400000
# Intervals of the cadence: an even number, since left and right differ.
_INTERVALS = 6
# Stillness: vertical within 50 mg for 1.5 s.
_QUIET = 50
_STILL_MS = 1500


class WaistSteps:
    """One step a rise of the vertical speed, in trains of at least four that fit one period.

    Method: acceleration along the tracked direction of gravity, integrated with a leak, is the trunk's vertical speed. It falls and
    rises once a step, walking or running, in either direction: it rises while the body is caught after contact, through zero about when
    the trunk is lowest. A rise lies between two turning points farther apart than a threshold that follows the signal; its time is
    its centre of mass (dw-weighted), which impacts and double peaks hardly move; its size is the speed gained.

    Gate: while nothing is under way the last 12 rises are kept. Each new one is tried as the end of a chain one, two or three rises
    apart that goes on backward with that period (within 40 %, following it); rises left out must be small beside those kept. Four steps
    open the gate where intervals differ by at most 1.4 and sizes by at most 3, five where they differ by 1.8 and 4. The whole chain, at
    most eight, is paid back with its true times. Walking goes on with rises of 35 % of the usual size, at least half a period apart,
    0.72 of a period unless they are nearly full ones. A weaker rise where one was due is the step that closes or bridges: it counts
    when the next full step leaves room for it, or when the train ends, 2.2 periods and 0.5 s after its last rise.

    Sources: the inverted pendulum's vertical movement per step and its integral, Zijlstra & Hof 2003 (Gait & Posture 18); speed instead
    of acceleration against harmonics, McCamley et al. 2012 (Gait & Posture 36), who use wavelets where this uses turning points;
    regularity before counting, Zhao 2010 (Analog Dialogue 44-06). Deviations: causal, integers, no wavelet, any mount, pay-back.

    Cadence: the mean of the last six intervals, of the last two where these differ from it by more than a tenth. Direction: STILL or
    UNKNOWN, nothing else is honest from the trunk (running forward looks like walking backward there).

    engine  duck type: credit(t_ms, at_ms), pace(spm_x10, at_ms), turn(since_ms, direction, at_ms), tick(at_ms), tick_ms
    """

    def __init__(self, engine: object) -> None:
        self._engine = engine
        self._times = [0] * _HELD
        self._sizes = [0] * _HELD
        self._chain = [0] * _CHAIN
        self._credited_ms = -1
        self.restart()

    def restart(self) -> None:
        """Forget everything: samples are missing."""
        self._half = False
        self._x = self._y = self._z = 0
        self._gx = self._gy = self._gz = 0
        self._norm = 1000
        self._seen = 0
        self._shift = 0
        self._leaky = 0
        self._mean = 0
        self._w = 0
        self._envelope = 0
        self._rising = False
        self._low = 0
        self._low_ms = 0
        self._high = 0
        self._moment = 0
        self._high_moment = 0
        self._quiet_ms = -1
        self._still = False
        self._kept = 0
        self._walking = False
        self._period_ms = 0
        self._size = 0
        self._weak_ms = -1
        self._weak = 0
        self._end_ms = -1

    def finish(self, at_ms: int) -> None:
        """The end of the data: a rise under way counts."""
        if self._rising:
            self._risen(at_ms)
        self._stop(at_ms)

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples, as in Engine.samples; only the acceleration is used."""
        half = self._half
        k = 0
        for i in range(n):
            if half:
                half = False
                self._pair(t0_ms + i * period_us // 1000, self._x + block[k] >> 1, self._y + block[k + 1] >> 1, self._z + block[k + 2] >> 1)
            else:
                half = True
                self._x = block[k]
                self._y = block[k + 1]
                self._z = block[k + 2]
            k += 6
        self._half = half

    def _pair(self, t_ms: int, x: int, y: int, z: int) -> None:
        """The mean of two samples, mg, at the second one's time."""
        if x > _MOST:
            x = _MOST
        elif x < -_MOST:
            x = -_MOST
        if y > _MOST:
            y = _MOST
        elif y < -_MOST:
            y = -_MOST
        if z > _MOST:
            z = _MOST
        elif z < -_MOST:
            z = -_MOST
        # Means begin as plain means of what there is.
        shift = self._shift
        if shift < _GRAVITY:
            seen = self._seen
            if seen == 0:
                self._gx = x << 7
                self._gy = y << 7
                self._gz = z << 7
                self._low_ms = t_ms
            seen += 1
            self._seen = seen
            if seen >> shift > 1:
                shift += 1
                self._shift = shift
        g = self._gx
        g += ((x << 7) - g) >> shift
        self._gx = g
        dot = x * (g >> 7)
        square = (g >> 7) * (g >> 7)
        g = self._gy
        g += ((y << 7) - g) >> shift
        self._gy = g
        dot += y * (g >> 7)
        square += (g >> 7) * (g >> 7)
        g = self._gz
        g += ((z << 7) - g) >> shift
        self._gz = g
        dot += z * (g >> 7)
        square += (g >> 7) * (g >> 7)
        norm = self._norm
        norm = (norm + square // norm) >> 1
        norm = (norm + square // norm) >> 1
        if norm < 64:
            norm = 64
        self._norm = norm
        up = dot // norm - norm
        if up > _MOST:
            up = _MOST
        elif up < -_MOST:
            up = -_MOST
        leaky = self._leaky
        leaky += (up << 4) - (leaky >> _LEAK)
        self._leaky = leaky
        mean = self._mean
        mean += (leaky - mean) >> shift
        self._mean = mean
        w = (leaky - mean) >> 4
        if w > _SPEED_MOST:
            w = _SPEED_MOST
        elif w < -_SPEED_MOST:
            w = -_SPEED_MOST
        # Turning points.
        envelope = self._envelope
        envelope -= envelope >> _FADE
        self._envelope = envelope
        far = envelope * _PART >> 4
        if far < _LEAST:
            far = _LEAST
        since = t_ms - self._low_ms
        if since > _RISE_MOST_MS:
            since = _RISE_MOST_MS
        self._moment += (w - self._w) * since
        self._w = w
        if w > self._high:
            self._high = w
            self._high_moment = self._moment
        if self._rising:
            if w < self._high - far:
                self._risen(t_ms)
                self._rising = False
                self._fall(t_ms, w)
        elif w < self._low:
            self._fall(t_ms, w)
        elif w > self._low + far:
            self._rising = True
        # Stillness, the end of a train, the engine's clock.
        if up > _QUIET or up < -_QUIET:
            self._quiet_ms = -1
            self._still = False
        elif self._quiet_ms < 0:
            self._quiet_ms = t_ms
        elif not self._still and not self._walking and t_ms - self._quiet_ms > _STILL_MS:
            self._still = True
            self._engine.turn(self._quiet_ms, STILL, t_ms)
        if self._kept and t_ms > self._end_ms:
            self._stop(t_ms)
        if t_ms >= self._engine.tick_ms:
            self._engine.tick(t_ms)

    def _fall(self, t_ms: int, w: int) -> None:
        """A new lowest speed: what rises, rises from here."""
        self._low = w
        self._high = w
        self._low_ms = t_ms
        self._moment = 0
        self._high_moment = 0

    def _risen(self, at_ms: int) -> None:
        """A rise is over: a step, a harmonic, or something else."""
        size = self._high - self._low
        t_ms = self._low_ms + self._high_moment // size
        if size > self._envelope:
            self._envelope = size
        kept = self._kept
        if kept:
            interval = t_ms - self._times[kept - 1]
            if interval < _NEAREST_MS or interval < _DOUBLE_MS and size < _DOUBLE_RISE and size * interval < _DOUBLE_LIFT:
                if not self._walking and size > self._sizes[kept - 1]:
                    self._times[kept - 1] = t_ms
                    self._sizes[kept - 1] = size
                return
        if self._walking:
            self._go_on(t_ms, size, at_ms)
        else:
            self._keep(t_ms, size)
            self._end_ms = t_ms + _FORGET_MS
            self._gate(at_ms)

    def _keep(self, t_ms: int, size: int) -> None:
        times = self._times
        sizes = self._sizes
        kept = self._kept
        if kept == _HELD:
            kept -= 1
            for k in range(kept):
                times[k] = times[k + 1]
                sizes[k] = sizes[k + 1]
        times[kept] = t_ms
        sizes[kept] = size
        self._kept = kept + 1

    def _go_on(self, t_ms: int, size: int, at_ms: int) -> None:
        """A rise while walking."""
        last_ms = self._times[self._kept - 1]
        interval = t_ms - last_ms
        period = self._period_ms
        usual = self._size
        if interval * 2 < period or interval * 25 < period * 18 and size * 5 < usual * 4:
            return
        near = interval * 2 < period * 3 and interval * 10 > period * 7
        if size * 20 < usual * 7 or size < _RISE_NEW >> 1:
            if near and size > self._weak:
                self._weak_ms = t_ms
                self._weak = size
            return
        long = interval * 5 > period * 8
        if self._weak and long and (t_ms - self._weak_ms) * 10 > period * 7:
            self._credit(self._weak_ms, at_ms)
        self._weak = 0
        self._credit(t_ms, at_ms)
        self._keep(t_ms, size)
        if not long:
            period += (interval - period) >> 2
            self._period_ms = period
            self._size = usual + ((size - usual) >> 2)
        self._end_ms = t_ms + period * 11 // 5 + 500
        self._pace(at_ms)

    def _gate(self, at_ms: int) -> None:
        """The newest rise as the end of a chain of steps: the best of three periods, if any will do."""
        best = 0
        best_worth = 0
        for back in range(1, 4):
            if back < self._kept:
                worth = self._try(back)
                if worth > best_worth:
                    best = back
                    best_worth = worth
        if best == 0:
            return
        self._try(best)
        times = self._times
        sizes = self._sizes
        chain = self._chain
        n = self._length
        engine = self._engine
        engine.turn(times[chain[n - 1]] - 1, UNKNOWN, at_ms)
        # Chain indexes fall, so what moves down never overwrites what is still to move.
        for k in range(n):
            i = chain[n - 1 - k]
            times[k] = times[i]
            sizes[k] = sizes[i]
            self._credit(times[k], at_ms)
        self._kept = n
        self._walking = True
        self._weak = 0
        self._period_ms = self._chain_ms
        self._size = self._chain_size
        self._end_ms = times[n - 1] + self._period_ms * 11 // 5 + 500
        self._pace(at_ms)

    def _try(self, back: int) -> int:
        """The chain that ends with the newest rise and the one `back` before it: how good, 0 for no good; sets _chain and _length."""
        times = self._times
        chain = self._chain
        last = self._kept - 1
        i = last - back
        period = times[last] - times[i]
        if period < _STEP_LEAST_MS or period > _STEP_MOST_MS:
            return 0
        chain[0] = last
        chain[1] = i
        n = 2
        while i > 0 and n < _CHAIN:
            want = times[i] - period
            off = period * 2 // 5
            best = -1
            k = i - 1
            while k >= 0 and times[k] >= want - off:
                far = times[k] - want
                if far < 0:
                    far = -far
                if far < off:
                    off = far
                    best = k
                k -= 1
            if best < 0:
                break
            chain[n] = best
            n += 1
            period += (times[i] - times[best] - period) >> 1
            i = best
        self._length = n
        worth = self._judge(4, 14, 30)
        if worth == 0:
            worth = self._judge(5, 18, 40)
        return worth

    def _judge(self, need: int, uneven_x10: int, unlike_x10: int) -> int:
        """The newest `need` of the chain against the gate; the chain is cut before what is too weak beside them."""
        n = self._length
        if n < need:
            return 0
        times = self._times
        sizes = self._sizes
        chain = self._chain
        least = most = total = sizes[chain[0]]
        short = long = times[chain[0]] - times[chain[1]]
        for k in range(1, need):
            size = sizes[chain[k]]
            total += size
            if size < least:
                least = size
            elif size > most:
                most = size
            interval = times[chain[k - 1]] - times[chain[k]]
            if interval < short:
                short = interval
            elif interval > long:
                long = interval
        period = (times[chain[0]] - times[chain[need - 1]]) // (need - 1)
        usual = total // need
        if most * 10 > least * unlike_x10 or long * 10 > short * uneven_x10 or usual < _RISE_NEW or usual * period < _LIFT_NEW:
            return 0
        left = -total
        for k in range(chain[need - 1], chain[0] + 1):
            left += sizes[k]
        if left * 2 > total:
            return 0
        while need < n and sizes[chain[need]] * 20 > usual * 7:
            need += 1
        self._length = need
        self._chain_ms = period
        self._chain_size = usual
        return need * 100 - need * 100 * left // total

    def _credit(self, t_ms: int, at_ms: int) -> None:
        if t_ms > self._credited_ms:
            self._credited_ms = t_ms
            self._engine.credit(t_ms, at_ms)

    def _pace(self, at_ms: int) -> None:
        times = self._times
        kept = self._kept
        n = kept - 1 if kept <= _INTERVALS else _INTERVALS
        span = times[kept - 1] - times[kept - 1 - n]
        if n > 3:
            two = times[kept - 1] - times[kept - 3]
            off = two * n - 2 * span
            if off * 5 > span or off * 5 < -span:
                # The pace has changed: the intervals before are no guide.
                for k in range(3):
                    times[k] = times[kept - 3 + k]
                self._kept = 3
                n = 2
                span = two
        self._engine.pace(600000 * n // span, at_ms)

    def _stop(self, at_ms: int) -> None:
        """Walking has ended, or nothing has come of what was kept."""
        self._kept = 0
        if self._walking:
            self._walking = False
            if self._weak:
                self._credit(self._weak_ms, at_ms)
            self._weak = 0
        self._engine.pace(0, at_ms)
