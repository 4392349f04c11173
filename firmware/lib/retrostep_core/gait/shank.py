"""Steps of both feet and direction from one shank."""

from retrostep_core.gait.codes import STILL, UNKNOWN
from retrostep_core.gait.direction import AREA, SUMS, Direction
from retrostep_core.gait.stride import Strides

# Delay of the pair mean and of the two low-passes at 52 Hz, less the 20 ms by which the rate's zero precedes contact.
_LATE_MS = 25
_LEVEL_LEAST = 500
_LOBE_MOST = 200
_SWING = 40
_QUIET = 300
_PAUSE_MS = 150
_END_MS = 250
_QUIET_END_MS = 600
_STILL_MS = 1500


class ShankSteps:
    """Signal conditioning and lobes of the sagittal rate, at half the sample rate."""

    def __init__(self, engine: object) -> None:
        self._engine = engine
        self._direction = Direction()
        self._strides = Strides(engine)
        self._snap = [0] * SUMS
        self._last = [0] * SUMS
        self._bias = 0
        self._state = [0] * 28
        self.restart()

    def restart(self) -> None:
        """Forget everything but the bias: samples are missing."""
        state = self._state
        for k in range(len(state)):
            state[k] = 0
        state[1] = 1000
        for k in range(SUMS):
            self._last[k] = 0
        self._half = False
        self._h = [0] * 5
        self._started = False
        self._sign = 0
        self._cross_ms = -1
        self._start_ms = 0
        self._last_ms = 0
        self._last_sign = 0
        self._swing = -1
        self._begin_ms = -1
        self._quiet_ms = -1
        self._still = False
        self._frontal = False
        self._direction.restart()
        self._strides.restart(0, False)

    def finish(self, at_ms: int) -> None:
        """The end of the data."""
        self._strides.end(at_ms, False)

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples in body axes, as in Engine.samples."""
        engine = self._engine
        state = self._state
        f1, norm, f2, x_mean, n_mean, x1, n1, up, down, before, before_ms, s_n, s_vv, s_vvv, s_vx, s_vn, s_xx, s_nn, s_area, s_peak, e_y, e_x = state[:22]
        bias = self._bias
        sign = self._sign
        cross_ms = self._cross_ms
        quiet_ms = self._quiet_ms
        half = self._half
        hx, hy, hz, hp, hq = self._h
        snap = self._snap
        tick_ms = engine.tick_ms
        k = 0
        for i in range(n):
            if not half:
                hx = block[k]
                hy = block[k + 1]
                hz = block[k + 2]
                hp = block[k + 3]
                hq = block[k + 4]
                half = True
                k += 6
                continue
            half = False
            t_ms = t0_ms + i * period_us // 1000
            hx = (hx + block[k]) >> 1
            hy = (hy + block[k + 1]) >> 1
            hz = (hz + block[k + 2]) >> 1
            hp += block[k + 3]
            hq += block[k + 4]
            k += 6
            # which axis the leg turns about
            v = hp >> 5
            e_x += v * v - (e_x >> 6)
            v = hq >> 5
            e_y += v * v - (e_y >> 6)
            if self._frontal:
                if e_x < e_y:
                    self._frontal = False
                else:
                    hq = hp
            elif e_x > e_y + e_y:
                self._frontal = True
            # the rate free of bias, low-passed once (v) and twice (g)
            bias += ((hq << 3) - bias) >> 9
            f1 += ((hq << 3) - bias - f1) >> 1
            f2 += (f1 - f2) >> 1
            g = f2 >> 3
            v = f1 >> 8
            if v > 500:
                v = 500
            elif v < -500:
                v = -500
            square = hx * hx + hy * hy + hz * hz
            if square < 4096:
                square = 4096  # weightless, or a sensor that says nothing: the root below would divide by 0
            norm = (norm + square // norm) >> 1
            while True:
                s = (norm + square // norm) >> 1
                if s >= norm:
                    break
                norm = s
            if norm < 64:
                norm = 64
            if not self._started:
                self._start(t_ms)
                x_mean = hx << 6
                n_mean = norm << 6
            x_mean += hx - (x_mean >> 6)
            n_mean += norm - (n_mean >> 6)
            x1 += ((hx << 4) - (x_mean >> 2) - x1) >> 1
            n1 += ((norm << 4) - (n_mean >> 2) - n1) >> 1
            size = g if g >= 0 else -g
            if s_n < _LOBE_MOST:
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
            up -= up >> 7
            down -= down >> 7
            if g > up:
                up = g
            elif -g > down:
                down = -g
            if g < 0:
                turned = False
                if before >= 0 and sign >= 0:
                    cross_ms = t_ms - (t_ms - before_ms) * g // (g - before)
                    snap[0] = s_n
                    snap[1] = s_vv
                    snap[2] = s_vvv
                    snap[3] = s_vx
                    snap[4] = s_vn
                    snap[5] = s_xx
                    snap[6] = s_nn
                    snap[7] = s_area
                    snap[8] = s_peak
                if sign >= 0 and size > _LEVEL_LEAST and size > down >> 2:
                    turned = True
            else:
                turned = False
                if before < 0 and sign <= 0:
                    cross_ms = t_ms - (t_ms - before_ms) * g // (g - before)
                    snap[0] = s_n
                    snap[1] = s_vv
                    snap[2] = s_vvv
                    snap[3] = s_vx
                    snap[4] = s_vn
                    snap[5] = s_xx
                    snap[6] = s_nn
                    snap[7] = s_area
                    snap[8] = s_peak
                if sign <= 0 and g > _LEVEL_LEAST and g > up >> 2:
                    turned = True
            if turned:
                if sign:
                    self._lobe(sign, cross_ms, t_ms)
                    self._start_ms = cross_ms
                else:
                    self._start_ms = cross_ms
                sign = -1 if g < 0 else 1
                s_n -= snap[0]
                s_vv -= snap[1]
                s_vvv -= snap[2]
                s_vx -= snap[3]
                s_vn -= snap[4]
                s_xx -= snap[5]
                s_nn -= snap[6]
                s_area -= snap[7]
                s_peak = size
            before = g
            before_ms = t_ms
            if size > _QUIET:
                quiet_ms = -1
            elif quiet_ms < 0:
                quiet_ms = t_ms
                self._still = False
            elif t_ms - quiet_ms > _PAUSE_MS:
                if sign and sign == self._swing and s_area > 5200 and t_ms - quiet_ms > _END_MS:
                    if cross_ms < self._start_ms:
                        cross_ms = quiet_ms
                        snap[0] = s_n
                        snap[1] = s_vv
                        snap[2] = s_vvv
                        snap[3] = s_vx
                        snap[4] = s_vn
                        snap[5] = s_xx
                        snap[6] = s_nn
                        snap[7] = s_area
                        snap[8] = s_peak
                    self._lobe(sign, cross_ms, t_ms)
                    self._start_ms = t_ms
                    sign = 0
                    cross_ms = -1
                    s_n = s_vv = s_vvv = s_vx = s_vn = s_xx = s_nn = s_area = s_peak = 0
                self._rest(quiet_ms, t_ms)
            if t_ms >= tick_ms:
                engine.tick(t_ms)
                tick_ms = engine.tick_ms
        state[0] = f1
        state[1] = norm
        state[2] = f2
        state[3] = x_mean
        state[4] = n_mean
        state[5] = x1
        state[6] = n1
        state[7] = up
        state[8] = down
        state[9] = before
        state[10] = before_ms
        state[11] = s_n
        state[12] = s_vv
        state[13] = s_vvv
        state[14] = s_vx
        state[15] = s_vn
        state[16] = s_xx
        state[17] = s_nn
        state[18] = s_area
        state[19] = s_peak
        state[20] = e_y
        state[21] = e_x
        self._bias = bias
        self._sign = sign
        self._cross_ms = cross_ms
        self._quiet_ms = quiet_ms
        self._half = half
        h = self._h
        h[0] = hx
        h[1] = hy
        h[2] = hz
        h[3] = hp
        h[4] = hq

    def _start(self, t_ms: int) -> None:
        self._started = True
        self._start_ms = t_ms
        self._last_ms = t_ms
        self._strides.restart(t_ms, False)

    def _lobe(self, sign: int, cross_ms: int, at_ms: int) -> None:
        """A lobe has ended at `cross_ms`; its sums are in snap."""
        engine = self._engine
        direction = self._direction
        snap = self._snap
        last = self._last
        area = snap[AREA]
        if self._begin_ms < 0:
            self._begin_ms = self._start_ms
        now = engine.tally.direction
        direction.cycle(snap, last)
        then = UNKNOWN if self._frontal else direction.decided(now)
        if then != now:
            engine.turn(self._last_ms if self._strides.contact_ms >= 0 else self._begin_ms, then, at_ms)
        if direction.evidence > _SWING:
            self._swing = -1
        elif direction.evidence < -_SWING:
            self._swing = 1
        self._strides.lobe(sign, self._swing, self._start_ms - _LATE_MS, cross_ms - _LATE_MS, area, last[AREA] if sign != self._last_sign else area, direction.sure(), at_ms)
        self._last_sign = sign
        for k in range(SUMS):
            last[k] = snap[k]
        self._last_ms = self._start_ms

    def _rest(self, quiet_ms: int, t_ms: int) -> None:
        """The leg has been quiet for more than _PAUSE_MS."""
        strides = self._strides
        quiet = t_ms - quiet_ms
        self._direction.pause()
        if quiet > _END_MS:
            strides.stand()
        if quiet > _QUIET_END_MS and strides.contact_ms >= 0 and quiet * 5 > strides.stride_ms * 3:
            strides.end(t_ms, True)
        if quiet > _STILL_MS and not self._still:
            self._still = True
            strides.end(t_ms, True)
            self._begin_ms = -1
            self._direction.restart()
            self._last[AREA] = 0
            self._engine.turn(quiet_ms, STILL, t_ms)
