"""Steps of both feet from the trunk or a pocket, in any orientation."""

from retrostep_core.gait.codes import STILL, UNKNOWN

# mg an axis: no sum of three squares leaves 2**30. Vertical values are held to the same.
_MOST = 18000
# Vertical speed is in mg x 1/52 s = 0.19 mm/s. This is 5.7 m/s, more than any step gains, and keeps moments within 2**27.
_SPEED_MOST = 30000
# Means, of gravity and of the speed: 64 half-rate samples (1.2 s), short enough for a pocket, long enough for a slow stride.
_MEAN = 6
# Acceleration -> speed: a leaky integrator of 16 samples (0.31 s); from 0.5 Hz up it weighs harmonics by 1/f.
_LEAK = 4
# A turning point of the speed counts past 6/16 of the envelope (which fades in 1.2 s) and 38 mm/s, whichever is more.
_PART = 6
_LEAST = 200
_FADE = 6
# Moments are taken from the lowest point, for no longer than this.
_RISE_MOST_MS = 2000
# Two rises nearer than this are one; 260 steps a minute are 231 ms.
_NEAREST_MS = 180
# Two rises less than 430 ms apart are harmonics of one step where the second is below 0.32 m/s and would lift the trunk by less than
# 16 mm (rise x interval / 2 pi): nobody walks that fast on so little.
_DOUBLE_MS = 430
_DOUBLE_RISE = 1700
_DOUBLE_LIFT = 550000
# The gate: how many rises and how long a chain, the interval of one step, how long a rise waits for its like, the mean rise (95 mm/s)
# and rise x interval (12 mm of lift) of a chain; above 900 ms a step five are needed; 5 s after a train three will do.
_HELD = 12
_CHAIN = 8
_STEP_LEAST_MS = 190
_STEP_MOST_MS = 1500
_FORGET_MS = 2500
_RISE_NEW = 500
_LIFT_NEW = 400000
_SLOW_MS = 900
_RECENT_MS = 5000
# So many full rises halfway, one in each of successive steps: what was taken for a step is two.
_HALVES = 3
# Intervals of the cadence: an even number, since left and right differ.
_INTERVALS = 6
# Stillness: vertical within 50 mg for 1.5 s.
_QUIET = 50
_STILL_MS = 1500
# Places in the state that the loop keeps in locals.
_NORM = 7
_RISING = 14
_LOW = 15


class WaistSteps:
    """One step a rise of the vertical speed, in trains of at least four that fit one period.

    Method: acceleration along the tracked direction of gravity, integrated with a leak, is the trunk's vertical speed. It falls and
    rises once a step, walking or running, in either direction: it rises while the body is caught after contact, through zero about when
    the trunk is lowest. A rise lies between two turning points farther apart than a threshold that follows the signal; its time is
    its centre of mass (dw-weighted), which impacts and double peaks hardly move; its size is the speed gained.

    Gate: while nothing is under way the last 12 rises are kept. Each new one is tried as the end of a chain one, two or three rises
    apart that goes on backward with that period (within 40 %, following it); no rise left out may be above the mean of those kept, nor
    all of them above half their sum. Four steps open the gate where intervals differ by at most 1.4 and sizes by at most 3, five where
    they differ by 1.8 and 4, three soon after a train of no more than twice their size. The whole chain, at most eight, is paid back
    with its true times.

    Train: walking goes on with rises of 35 % of the usual size, at least half a period apart, 0.65 of a period where they are below two
    thirds of it; but three full ones halfway, in three steps running, halve the period. A weaker rise where one was due is the step that
    closes or bridges: it counts when the next full step leaves room for it, or when the train ends, 2.2 periods and 0.5 s after its last
    rise. Who stops puts the feet together: where no rise shows that step and the last one had half the usual size, or a weak one two
    sevenths, it is inferred, 0.9 of a period later.

    Sources: the inverted pendulum's vertical movement per step and its integral, Zijlstra & Hof 2003 (Gait & Posture 18); speed instead
    of acceleration against harmonics, McCamley et al. 2012 (Gait & Posture 36), who use wavelets where this uses turning points;
    regularity before counting, Zhao 2010 (Analog Dialogue 44-06). Deviations: causal, integers, no wavelet, any mount, pay-back.

    Cadence: the mean of the last six intervals, of the last two where these differ from it by more than a tenth. Direction: STILL or
    UNKNOWN, nothing else is honest from the trunk (running forward looks like walking backward there).

    engine  duck type: credit(t_ms, at_ms), pace(spm_x10, newest_x10, at_ms), turn(since_ms, direction, at_ms), tick(at_ms), tick_ms
    """

    def __init__(self, engine: object) -> None:
        self._engine = engine
        self._times = [0] * _HELD
        self._sizes = [0] * _HELD
        self._chain = [0] * _CHAIN
        self._length = 0
        self._chain_ms = 0
        self._chain_size = 0
        self._state = [0] * 20
        self._credited_ms = -1
        self.restart()

    def restart(self) -> None:
        """Forget everything: samples are missing."""
        state = self._state
        for k in range(len(state)):
            state[k] = 0
        state[_NORM] = 1000
        self._quiet_ms = -1
        self._still = False
        self._kept = 0
        self._walking = False
        self._period_ms = 0
        self._size = 0
        self._last = 0
        self._ended_ms = -_RECENT_MS
        self._halves = 0
        self._between = False
        self._weak_ms = -1
        self._weak = 0
        self._end_ms = -1

    def finish(self, at_ms: int) -> None:
        """The end of the data: a rise under way counts."""
        low, low_ms, high, _, high_moment = self._state[_LOW:]
        if self._state[_RISING]:
            self._state[_RISING] = 0
            self._risen(low_ms + high_moment // (high - low), high - low, at_ms)
        self._stop(at_ms)

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples, as in Engine.samples; only the acceleration is used."""
        engine = self._engine
        state = self._state
        half, hx, hy, hz, gx, gy, gz, norm, shift, seen, leaky, mean, w, envelope, rising, low, low_ms, high, moment, high_moment = state
        quiet_ms = self._quiet_ms
        tick_ms = engine.tick_ms
        k = 0
        for i in range(n):
            x = block[k]
            y = block[k + 1]
            z = block[k + 2]
            k += 6
            if not half:
                half = 1
                hx = x
                hy = y
                hz = z
                continue
            # From here on at half the rate: the mean of two samples, at the second one's time.
            half = 0
            t_ms = t0_ms + i * period_us // 1000
            x = (x + hx) >> 1
            y = (y + hy) >> 1
            z = (z + hz) >> 1
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
            if shift < _MEAN:
                # Means begin as plain means of what there is.
                if seen == 0:
                    gx = x << 7
                    gy = y << 7
                    gz = z << 7
                    low_ms = t_ms
                seen += 1
                if seen >> shift > 1:
                    shift += 1
            gx += ((x << 7) - gx) >> shift
            gy += ((y << 7) - gy) >> shift
            gz += ((z << 7) - gz) >> shift
            ux = gx >> 7
            uy = gy >> 7
            uz = gz >> 7
            square = ux * ux + uy * uy + uz * uz
            # Newton's rule, twice: the mean moves slowly enough.
            norm = (norm + square // norm) >> 1
            norm = (norm + square // norm) >> 1
            if norm < 1:
                norm = 1
            up = (x * ux + y * uy + z * uz) // norm - norm
            if up > _QUIET or up < -_QUIET:
                if up > _MOST:
                    up = _MOST
                elif up < -_MOST:
                    up = -_MOST
                quiet_ms = -1
                self._still = False
            elif quiet_ms < 0:
                quiet_ms = t_ms
            leaky += (up << 4) - (leaky >> _LEAK)
            mean += (leaky - mean) >> shift
            was = w
            w = (leaky - mean) >> 4
            if w > _SPEED_MOST:
                w = _SPEED_MOST
            elif w < -_SPEED_MOST:
                w = -_SPEED_MOST
            envelope -= envelope >> _FADE
            since = t_ms - low_ms
            if since > _RISE_MOST_MS:
                since = _RISE_MOST_MS
            moment += (w - was) * since
            if w > high:
                high = w
                high_moment = moment
            far = (envelope * _PART) >> 4
            if far < _LEAST:
                far = _LEAST
            if rising:
                if w < high - far:
                    size = high - low
                    if size > envelope:
                        envelope = size
                    self._risen(low_ms + high_moment // size, size, t_ms)
                    rising = 0
                    low = high = w
                    low_ms = t_ms
                    moment = high_moment = 0
            elif w < low:
                low = high = w
                low_ms = t_ms
                moment = high_moment = 0
            elif w > low + far:
                rising = 1
            if t_ms >= tick_ms:
                if self._kept and t_ms > self._end_ms:
                    self._stop(t_ms)
                if quiet_ms >= 0 and t_ms - quiet_ms > _STILL_MS and not self._still and not self._walking:
                    self._still = True
                    engine.turn(quiet_ms, STILL, t_ms)
                engine.tick(t_ms)
                tick_ms = engine.tick_ms
        self._quiet_ms = quiet_ms
        state[0] = half
        state[1] = hx
        state[2] = hy
        state[3] = hz
        state[4] = gx
        state[5] = gy
        state[6] = gz
        state[7] = norm
        state[8] = shift
        state[9] = seen
        state[10] = leaky
        state[11] = mean
        state[12] = w
        state[13] = envelope
        state[14] = rising
        state[15] = low
        state[16] = low_ms
        state[17] = high
        state[18] = moment
        state[19] = high_moment

    def _risen(self, t_ms: int, size: int, at_ms: int) -> None:
        """A rise is over: a step, a harmonic, or something else."""
        if self._kept and at_ms > self._end_ms:
            self._stop(at_ms)
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
        if interval * 2 < period or interval * 20 < period * 13 and size * 3 < usual * 2:
            if interval * 20 < period * 7 or interval * 20 > period * 13 or size * 5 < usual * 3:
                return
            self._between = True
            self._halves += 1
            if self._halves < _HALVES:
                return
            period = interval
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
        if not self._between or self._halves == _HALVES:
            self._halves = 0
        self._between = False
        self._credit(t_ms, at_ms)
        self._keep(t_ms, size)
        self._last = size
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
        self._last = sizes[n - 1]
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
        if worth == 0 and times[last] - self._ended_ms < _RECENT_MS:
            worth = self._judge(3, 14, 30)
            if self._chain_size * 2 < self._size:
                worth = 0
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
        if need < 5 and period > _SLOW_MS:
            return 0
        left = 0
        next_kept = 0
        for k in range(chain[0], chain[need - 1], -1):
            if k == chain[next_kept]:
                next_kept += 1
            elif sizes[k] > usual:
                return 0
            else:
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
        cadence_x10 = 600000 * n // span
        self._engine.pace(cadence_x10, cadence_x10, at_ms)

    def _stop(self, at_ms: int) -> None:
        """Walking has ended, or nothing has come of what was kept."""
        last_ms = self._times[self._kept - 1]
        self._kept = 0
        if self._walking:
            self._walking = False
            self._ended_ms = at_ms
            wide = self._last * 2 > self._size
            if self._weak:
                last_ms = self._weak_ms
                wide = self._weak * 7 > self._size * 2
                self._credit(last_ms, at_ms)
            last_ms += self._period_ms * 9 // 10
            if wide and at_ms > self._end_ms and last_ms <= at_ms:
                self._credit(last_ms, at_ms)
            self._weak = 0
        self._engine.pace(0, 0, at_ms)
