"""Steps of both feet and direction from one shank."""

from retrostep_core.gait.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.gait.direction import AREA, PEAK, SUMS, Direction
from retrostep_core.gait.stride import AREA_LEAST, Strides

# The pair mean and two one-pole low-passes are 43 ms late; the rate's zero precedes contact by about 20 ms (runners on force plates).
_LATE_MS = 25
# A lobe is confirmed past a quarter of its side's envelope and past 25 degrees per second (in 0.05).
_LEVEL_LEAST = 500
_LEVEL_SHIFT = 2
# Sums of a lobe are taken over at most 3.8 s: no swing lasts longer, and no sum leaves +-2**30.
_LOBE_MOST = 200
# Quiet: below 15 degrees per second (in 0.05). A pause may be a change of direction; a swing that ends in quiet has ended; then
# walking has, unless the stride is slow; then the wearer stands still.
_QUIET = 300
_PAUSE_MS = 150
_SWING_END_MS = 250
_WALK_END_MS = 600
_STILL_MS = 1500
# Evidence past which a swing is the other lobe.
_SWING = 40
# A direction turns before the lobe has ended where it peaks by a quarter above the swing before, once it has fallen to 3/4 of its peak:
# the swing is the faster lobe, walking either way. Both must sweep a leg's swing, 10 and 15 degrees: what is less is a dip or a turn.
_OVERTAKING = 10400
_OVERTAKEN = 15600
_NEVER = 1 << 29
# The rate's axis is frontal (a sidestep) while its energy there is twice that in the sagittal plane.
_ENERGY_SHIFT = 6


class ShankSteps:
    """Signal conditioning, lobes of the sagittal rate, standing still; at half the sample rate (52 Hz), state in locals of the loop.

    Method: the sagittal rate changes sign twice a stride, walking or running, forward or backward: a lobe of one sign is the swing, the
    other the stance. Rate free of bias (mean over 10 s, which whole strides leave at zero) and low-passed (two one-pole filters of 6 Hz);
    a change of sign counts once the rate has passed a quarter of that side's envelope, and is dated to the interpolated zero. The swing
    is the negative lobe forward (its end, the rise through zero, is where Aminian et al. 2002, J Biomech 35:689, and Salarian et al. 2004,
    IEEE TBME 51:1434, find initial contact in walking) and the positive lobe backward; `Direction` says which. Deviations: no search
    windows and no maximum cadence, since the adaptive level serves 40 to 260 steps a minute; the other foot by `Strides`. A direction
    may turn while the lobe lasts, where it is clearly the faster one.
    In sidesteps the leg turns in the frontal plane: then that rate is followed instead, and direction is unknown.
    Ranges: +-32 g, +-3276 degrees per second; times in ms.
    """

    def __init__(self, engine: object) -> None:
        self._engine = engine
        self._direction = Direction()
        self._strides = Strides(engine)
        # Sums of the lobe up to the zero that may end it, and of the lobe before.
        self._snap = [0] * SUMS
        self._last = [0] * SUMS
        self._filters = [0] * 13
        self._sums = [0] * SUMS
        self._half = [0] * 6
        self._bias = 0
        self.restart()

    def restart(self) -> None:
        """Forget everything but the bias: samples are missing."""
        for k in range(13):
            self._filters[k] = 0
        for k in range(SUMS):
            self._sums[k] = 0
            self._last[k] = 0
        self._half[5] = 0
        self._frontal = False
        self._still = False
        self._sign = 0
        self._swing = -1
        self._last_sign = 0
        self._cross_ms = 0
        self._start_ms = 0
        self._last_ms = 0
        self._ripe = 0
        self._least = _NEVER
        self._begin_ms = -1
        self._quiet_ms = -1
        self._moved_ms = -1
        self._direction.restart()
        self._strides.restart(0, False)

    def finish(self, at_ms: int) -> None:
        """The end of the data."""
        self._strides.end(at_ms, False)

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples in body axes, as in Engine.samples."""
        engine = self._engine
        tick_ms = engine.tick_ms
        f1, f2, x1, n1, x_mean, n_mean, norm, up, down, was, was_ms, e_y, e_x = self._filters
        s_n, s_vv, s_vvv, s_vx, s_vn, s_xx, s_nn, s_area, s_peak = self._sums
        hx, hy, hz, hp, hq, half = self._half
        bias = self._bias
        sign = self._sign
        swing = self._swing
        cross_ms = self._cross_ms
        quiet_ms = self._quiet_ms
        frontal = self._frontal
        ripe = self._ripe
        least = self._least
        way = sign
        snap = self._snap
        k = 0
        for i in range(n):
            if not half:
                hx = block[k]
                hy = block[k + 1]
                hz = block[k + 2]
                hp = block[k + 3]
                hq = block[k + 4]
                half = 1
                k += 6
                continue
            half = 0
            t_ms = t0_ms + i * period_us // 1000
            hx += block[k]
            hy += block[k + 1]
            hz += block[k + 2]
            hp += block[k + 3]
            hq += block[k + 4]
            k += 6
            # Which axis the leg turns about.
            v = hp >> 5
            e_x += v * v - (e_x >> _ENERGY_SHIFT)
            v = hq >> 5
            e_y += v * v - (e_y >> _ENERGY_SHIFT)
            if frontal:
                if e_x < e_y:
                    frontal = False
                else:
                    hq = hp
            elif e_x > e_y + e_y:
                frontal = True
            # The rate without bias, low-passed once (v, 1.6 degrees per second) and twice (g, 0.05 degrees per second).
            v = hq << 3
            bias += (v - bias) >> 9
            f1 += (v - bias - f1) >> 1
            f2 += (f1 - f2) >> 1
            g = f2 >> 3
            size = g if g >= 0 else -g
            # Specific force: its size by Newton's rule from the last one (2 mg, so that no sum of squares leaves 2**30), then both without
            # their mean, low-passed as the rate is.
            a = hx >> 2
            v = hy >> 2
            x = hz >> 2
            square = a * a + v * v + x * x
            if square < 1024:
                square = 1024
            hx >>= 1
            if norm:
                norm = (norm + square // norm) >> 1
                while True:
                    a = (norm + square // norm) >> 1
                    if a >= norm:
                        break
                    norm = a
            else:
                norm = 500
                x_mean = hx << 6
                n_mean = norm << 6
                was_ms = t_ms
                cross_ms = t_ms
                self._start(t_ms)
            x_mean += hx - (x_mean >> 6)
            n_mean += norm - (n_mean >> 6)
            x1 += ((hx << 4) - (x_mean >> 2) - x1) >> 1
            n1 += ((norm << 5) - (n_mean >> 1) - n1) >> 1
            if s_n < _LOBE_MOST:
                v = f1 >> 8
                if v > 500:
                    v = 500
                elif v < -500:
                    v = -500
                x = x1 >> 7
                if x > 500:
                    x = 500
                elif x < -500:
                    x = -500
                a = n1 >> 7
                if a > 500:
                    a = 500
                elif a < -500:
                    a = -500
                square = v * v
                s_n += 1
                s_vv += square
                s_vvv += (square >> 6) * v
                s_vx += v * x
                s_vn += v * a
                s_xx += x * x
                s_nn += a * a
                s_area += size
                if size > s_peak:
                    s_peak = size
                    ripe = size - (size >> 2) if size > least else 0
                elif size < ripe:
                    ripe = 0
                    if way == sign and s_area > _OVERTAKING:
                        self._overtake(sign, t_ms)
                        swing = sign
                        least = _NEVER
            up -= up >> 7
            down -= down >> 7
            if g > up:
                up = g
            elif -g > down:
                down = -g
            if size > _QUIET:
                if quiet_ms >= 0:
                    if t_ms - quiet_ms > _SWING_END_MS:
                        self._moved_ms = was_ms
                    quiet_ms = -1
            elif quiet_ms < 0:
                quiet_ms = t_ms
                self._still = False
            # Has the lobe ended: on the far side of zero, or as a swing that came to rest.
            way = -1 if g < 0 else 1
            rested = quiet_ms >= 0 and t_ms - quiet_ms > _SWING_END_MS and sign == swing and s_area > AREA_LEAST
            if way != sign or rested:
                crossed = (g < 0) != (was < 0)
                if crossed or (rested and way == sign):
                    cross_ms = t_ms - (t_ms - was_ms) * g // (g - was) if crossed else quiet_ms
                    snap[0] = s_n
                    snap[1] = s_vv
                    snap[2] = s_vvv
                    snap[3] = s_vx
                    snap[4] = s_vn
                    snap[5] = s_xx
                    snap[6] = s_nn
                    snap[7] = s_area
                    snap[8] = s_peak
                if rested or (size > _LEVEL_LEAST and size > (down if g < 0 else up) >> _LEVEL_SHIFT):
                    if sign:
                        self._frontal = frontal
                        self._lobe(sign, cross_ms, t_ms)
                        swing = self._swing
                        least = self._least
                        ripe = 0
                    if rested:
                        # What comes next begins here, whatever its sign.
                        sign = 0
                        cross_ms = t_ms
                        s_n = s_vv = s_vvv = s_vx = s_vn = s_xx = s_nn = s_area = s_peak = 0
                        for j in range(SUMS):
                            snap[j] = 0
                    else:
                        sign = way
                        s_n -= snap[0]
                        s_vv -= snap[1]
                        s_vvv -= snap[2]
                        s_vx -= snap[3]
                        s_vn -= snap[4]
                        s_xx -= snap[5]
                        s_nn -= snap[6]
                        s_area -= snap[7]
                        s_peak = size
                    self._start_ms = cross_ms
            was = g
            was_ms = t_ms
            if quiet_ms >= 0 and t_ms - quiet_ms > _PAUSE_MS:
                self._rest(quiet_ms, t_ms)
                # What a quiet leg seems to sweep is noise.
                s_area = 0 if self._still else s_area - size
            if t_ms >= tick_ms:
                engine.tick(t_ms)
                tick_ms = engine.tick_ms
        filters = self._filters
        filters[0] = f1
        filters[1] = f2
        filters[2] = x1
        filters[3] = n1
        filters[4] = x_mean
        filters[5] = n_mean
        filters[6] = norm
        filters[7] = up
        filters[8] = down
        filters[9] = was
        filters[10] = was_ms
        filters[11] = e_y
        filters[12] = e_x
        sums = self._sums
        sums[0] = s_n
        sums[1] = s_vv
        sums[2] = s_vvv
        sums[3] = s_vx
        sums[4] = s_vn
        sums[5] = s_xx
        sums[6] = s_nn
        sums[7] = s_area
        sums[8] = s_peak
        halves = self._half
        halves[0] = hx
        halves[1] = hy
        halves[2] = hz
        halves[3] = hp
        halves[4] = hq
        halves[5] = half
        self._bias = bias
        self._sign = sign
        self._cross_ms = cross_ms
        self._quiet_ms = quiet_ms
        self._frontal = frontal
        self._ripe = ripe

    def _start(self, t_ms: int) -> None:
        """The first sample after a restart."""
        self._start_ms = t_ms
        self._last_ms = t_ms
        self._strides.restart(t_ms, False)

    def _lobe(self, sign: int, cross_ms: int, at_ms: int) -> None:
        """A lobe has ended at `cross_ms`; its sums are in snap."""
        engine = self._engine
        direction = self._direction
        snap = self._snap
        last = self._last
        # A lobe begins with its movement, not with the quiet before.
        start_ms = self._start_ms
        if start_ms < self._moved_ms < cross_ms:
            start_ms = self._moved_ms
        if self._begin_ms < 0:
            # A zero in the quiet ends what was before it.
            self._begin_ms = start_ms if cross_ms > self._moved_ms else self._moved_ms
            self._strides.begin(self._begin_ms - _LATE_MS)
        direction.cycle(snap, last)
        now = engine.tally.direction
        then = UNKNOWN if self._frontal else direction.decided(now)
        if then != now:
            engine.turn(self._last_ms if self._strides.contact_ms >= 0 else self._begin_ms, then, at_ms)
        if direction.evidence > _SWING:
            self._swing = -1
        elif direction.evidence < -_SWING:
            self._swing = 1
        # After a rest the lobe before may have had the same sign: then the leg came back unseen, in quiet.
        between = last[AREA] if sign != self._last_sign else snap[AREA]
        self._strides.lobe(
            sign, self._swing, start_ms - _LATE_MS, cross_ms - _LATE_MS, snap[AREA], between, snap[PEAK], direction.sure(), at_ms
        )
        self._last_sign = sign
        for k in range(SUMS):
            last[k] = snap[k]
        self._last_ms = start_ms
        self._least = _NEVER
        if then == (FORWARD if sign < 0 else BACKWARD) and last[AREA] > _OVERTAKEN and self._strides.contact_ms >= 0:
            self._least = last[PEAK] + (last[PEAK] >> 2)

    def _overtake(self, sign: int, at_ms: int) -> None:
        """The lobe of that sign under way is faster than the swing before it: it is the swing, and the direction is the other."""
        self._least = _NEVER
        self._swing = sign
        self._direction.overtake(sign)
        self._engine.turn(self._start_ms, BACKWARD if sign > 0 else FORWARD, at_ms)

    def _rest(self, quiet_ms: int, t_ms: int) -> None:
        """The leg has been quiet for more than _PAUSE_MS."""
        strides = self._strides
        quiet = t_ms - quiet_ms
        self._direction.pause()
        if quiet > _SWING_END_MS:
            strides.stand()
        if quiet > _WALK_END_MS:
            if strides.contact_ms < 0:
                self._begin_ms = -1
            elif quiet * 5 > strides.stride_ms * 3:
                strides.end(t_ms, True)
                self._begin_ms = -1
        if quiet > _STILL_MS and not self._still:
            self._still = True
            strides.end(t_ms, True)
            self._begin_ms = -1
            self._direction.restart()
            self._last[AREA] = 0
            self._engine.turn(quiet_ms, STILL, t_ms)
