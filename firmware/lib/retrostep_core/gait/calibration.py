"""How the sensor is mounted, found from standing still and then walking forward."""

from retrostep_core.gait.integers import isqrt

# States; IDLE is said by the app, which has no Calibration then.
IDLE = 0
STAND = 1
WALK = 2
DONE = 3
FAILED = 4

# Reasons.
MOVED = 1  # never stood still, or no gravity of 1 g was felt
FEW = 2  # no strides, or too few of them
OBLIQUE = 3  # the sensor's axes lie too far from the leg's
WEAK = 4  # the walk does not tell forward from backward
BACKWARD = 5  # it looked like walking backward
SILENT = 6  # the leg shook, but the gyroscope said nothing
SENSOR = 7  # no samples (said by the app)
LOST = 8  # DONE, but it could not be saved (said by the app)

# Samples at 104 Hz; a sensor's clock that is off by 10 % changes nothing that matters.
_STILL = 208
_STAND_MOST = 3120
_WALK_MOST = 4160
# Sums are taken over no more than this, so that none leaves +-2**30.
_SUMMED_MOST = 2048
# Standing people stayed within 0.12 g and 14 degrees a second (22 people, real shanks); the sensor's own bias may come on top.
_STILL_MG = 200
_STILL_DDPS = 300
_LIGHT_MG = 850
_HEAVY_MG = 1150
# Rates are summed in 3.2 degrees a second and limited to +-816, accelerations in 16 mg and limited to +-2 g.
_RATE_MOST = 255
_ACC_MOST = 127
# The walk begins above 50 degrees a second and pauses after 2 s below 32.
_BEGUN = 16
_QUIET = 10
_PAUSE = 208
# A lobe of the rate counts from 10 degrees on (1 degree is 32.5).
_LOBE = 325
# Five strides are asked for. A walk that ends earlier has to have three, one that does not convince goes on to ten.
_ASKED = 5
_LEAST = 3
_MOST = 10
# The leg shakes by so much from sample to sample, so often, while the gyroscope says less than 6 degrees a second.
_SHAKE_MG = 150
_SHAKES = 100
_SILENT_RATE = 2
# Skew of the sagittal rate in 1/256: real walks 0.86 and more, walks in many styles 0.65 and more.
_SKEW = 115
# Correlation of sagittal rate and forward acceleration in 1/256: real walks forward 0.09 and more, backward -0.13 and less.
_BACKWARD = -20


class Calibration:
    """Finds the mount from samples in the SENSOR's axes: mg and 0.1 degree per second. Fixed memory, integers, no allocation a sample.

    Method: gravity over two seconds of standing names the axis that points up. In the walk the rate varies most about the axis that
    points left (or right); which way tells its skew, which is strongly negative about the left axis when walking forward (the swing is
    short and fast, the stance long and slow). Forward is left x up. The nearest of the 24 right-handed mounts is taken, if the axes lie
    within 30 degrees of the leg's, as seen in gravity and in the principal axis of the rate. The body's axes are the same for either
    leg, so side and place (lateral, medial, front) need not be known.
    Walking backward would give the mount turned by half a turn. The correlation of the sagittal rate with the forward acceleration does
    not change with that half turn, but with the direction of walking: where it is clearly negative the walk is refused.
    Sources: gyroscope-to-segment calibration by gravity and principal axis is common (Seel et al. 2014, Sensors 14:6891; McGrath et al.
    2018, Sensors 18:1882); the signs by skew and correlation are ours (gait/direction.py).

    state    STAND, WALK, DONE, FAILED          strides  of this leg, so far
    reason   why it FAILED                      mount    "+y+z+x" once DONE
    """

    def __init__(self) -> None:
        self.state = STAND
        self.strides = 0
        self.reason = 0
        self.mount = ""
        self._age = 0
        self._n = 0
        # Six channels: least, most, sum; later the means of standing.
        self._least = [0] * 6
        self._top = [0] * 6
        self._mean = [0] * 6
        self._before = [0] * 3
        self._shakes = 0
        self._up = 0
        self._a = 0  # the two other axes
        self._b = 0
        self._walking = False
        self._quiet = 0
        # By axis a, b: rate's sum, square, cube >> 6; the OTHER axis' acceleration: sum, square, product with this rate.
        self._sums = ([0] * 6, [0] * 6)
        self._both = 0  # product of both rates
        self._turning = 0  # square of the rate about the up axis
        self._areas = [0, 0]
        self._signs = [0, 0]
        self._lobes = [0, 0]

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples of array('h') as gait/engine.py takes them, in sensor axes; when they were taken does not matter."""
        at = 0
        while at < 6 * n:
            if self.state == STAND:
                self._stand(block, at)
            elif self.state == WALK:
                self._walk(block, at)
            at += 6

    def fail(self, reason: int) -> None:
        """It cannot be done."""
        self.state = FAILED
        self.reason = reason

    def _stand(self, block: object, at: int) -> None:
        self._age += 1
        if self._age > _STAND_MOST:
            self.fail(MOVED)
            return
        n = self._n
        least = self._least
        top = self._top
        mean = self._mean
        wide = _STILL_MG
        k = 0
        while k < 6:
            x = block[at + k]
            if n == 0:
                least[k] = top[k] = mean[k] = x
            else:
                mean[k] += x
                if x < least[k]:
                    least[k] = x
                elif x > top[k]:
                    top[k] = x
                if top[k] - least[k] > wide:
                    self._n = 0
                    return
            k += 1
            if k == 3:
                wide = _STILL_DDPS
        self._n = n + 1
        if self._n == _STILL:
            self._stood()

    def _stood(self) -> None:
        """Two seconds of standing are over."""
        mean = self._mean
        for k in range(6):
            mean[k] //= _STILL
        self._n = 0
        up = 0
        for k in (1, 2):
            if abs(mean[k]) > abs(mean[up]):
                up = k
        size = 0
        if abs(mean[up]) < _HEAVY_MG:
            size = mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2]
        if not _LIGHT_MG * _LIGHT_MG < size < _HEAVY_MG * _HEAVY_MG:
            # Not at rest, whatever it is.
            return
        # cos 30 degrees squared is 3/4.
        if mean[up] * mean[up] * 4 < size * 3:
            self.fail(OBLIQUE)
            return
        self._up = up
        self._a = (up + 1) % 3
        self._b = (up + 2) % 3
        self._age = 0
        self._before[0] = mean[0]
        self._before[1] = mean[1]
        self._before[2] = mean[2]
        self.state = WALK

    def _walk(self, block: object, at: int) -> None:
        self._age += 1
        mean = self._mean
        a = self._a
        b = self._b
        va = _rate(block[at + 3 + a] - mean[3 + a])
        vb = _rate(block[at + 3 + b] - mean[3 + b])
        vu = _rate(block[at + 3 + self._up] - mean[3 + self._up])
        if not self._walking:
            if not (-_BEGUN < va < _BEGUN and -_BEGUN < vb < _BEGUN):
                self._begin()
            elif self._age > _WALK_MOST:
                self.fail(FEW)
                return
            else:
                self._listen(block, at, va, vb, vu)
                return
        self._n += 1
        self._sum(0, va, _acc(block[at + b] - mean[b]))
        self._sum(1, vb, _acc(block[at + a] - mean[a]))
        self._both += va * vb
        self._turning += vu * vu
        strides = self._lobes[1 if self._sums[1][1] > self._sums[0][1] else 0] >> 1
        if -_QUIET < va < _QUIET and -_QUIET < vb < _QUIET:
            self._quiet += 1
        else:
            self._quiet = 0
        over = self._quiet > _PAUSE or self._n == _SUMMED_MOST or self._age > _WALK_MOST
        if strides > self.strides:
            self.strides = strides
            if strides >= _ASKED:
                self._judge(over or strides >= _MOST)
                return
        if not over:
            return
        if self.strides >= _LEAST:
            self._judge(True)
        elif self._age > _WALK_MOST:
            self.fail(FEW)
        else:
            # A shifted foot, or a walk that was broken off: it may still come.
            self._walking = False
            self.strides = 0

    def _begin(self) -> None:
        self._walking = True
        self._n = self._quiet = self._both = self._turning = self.strides = 0
        for c in (0, 1):
            self._areas[c] = self._signs[c] = self._lobes[c] = 0
            k = 0
            while k < 6:
                self._sums[c][k] = 0
                k += 1

    def _listen(self, block: object, at: int, va: int, vb: int, vu: int) -> None:
        """Nothing turns yet: does the leg shake all the same?"""
        before = self._before
        shaken = False
        k = 0
        while k < 3:
            x = block[at + k]
            if not -_SHAKE_MG < x - before[k] < _SHAKE_MG:
                shaken = True
            before[k] = x
            k += 1
        if not (-_SILENT_RATE < va < _SILENT_RATE and -_SILENT_RATE < vb < _SILENT_RATE and -_SILENT_RATE < vu < _SILENT_RATE):
            self._shakes = 0
        elif shaken:
            self._shakes += 1
            if self._shakes == _SHAKES:
                self.fail(SILENT)

    def _sum(self, c: int, v: int, x: int) -> None:
        """The rate about axis a or b, and the acceleration along the other."""
        sums = self._sums[c]
        sums[0] += v
        sums[1] += v * v
        sums[2] += (v * v * v) >> 6
        sums[3] += x
        sums[4] += x * x
        sums[5] += v * x
        area = self._areas[c]
        area = area + v if (area > 0) == (v > 0) else v
        if not -_LOBE < area < _LOBE:
            sign = 1 if area > 0 else -1
            area = sign * _LOBE
            if sign != self._signs[c]:
                self._signs[c] = sign
                self._lobes[c] += 1
        self._areas[c] = area

    def _judge(self, last: bool) -> None:
        """Find the mount; a walk that does not convince goes on, unless this was the `last` stride."""
        n = self._n
        c = 1 if self._sums[1][1] > self._sums[0][1] else 0
        sums = self._sums[c]
        other = self._sums[1 - c]
        # Means in 1/16.
        v = (sums[0] << 4) // n
        x = (sums[3] << 4) // n
        w = (other[0] << 4) // n
        vv = sums[1] // n - (v * v >> 8)
        ww = other[1] // n - (w * w >> 8)
        xx = sums[4] // n - (x * x >> 8)
        if vv < 1:
            vv = 1
        vw = self._both // n - (v * w >> 8)
        vx = sums[5] // n - (v * x >> 8)
        rv = isqrt(vv << 8) + 1
        rx = isqrt(xx << 8) + 1
        third = (sums[2] // n << 6) - (3 * v * (sums[1] // n) >> 4) + (2 * v * (v * v >> 8) >> 4)
        skew = (((third << 4) // vv) << 8) // rv
        left = self._b if c else self._a
        forward = self._a if c else self._b
        up_sign = 1 if self._mean[self._up] > 0 else -1
        left_sign = -1 if skew > 0 else 1
        forward_sign = up_sign * left_sign * (1 if (left - forward) % 3 == 1 else -1)
        vx = forward_sign * left_sign * ((vx << 12) // ((rv * rx >> 4) + 1))
        reason = 0
        # Twice the angle of the principal axis: tan 60 degrees is 1.73.
        if ww * 2 > vv or abs(vw) * 200 > 173 * (vv - ww):
            reason = OBLIQUE
        elif -_SKEW < skew < _SKEW or self._turning // n > vv:
            reason = WEAK
        elif vx < _BACKWARD:
            reason = BACKWARD
        if not reason:
            self.mount = _signed(forward, forward_sign) + _signed(left, left_sign) + _signed(self._up, up_sign)
            self.state = DONE
        elif last:
            self.fail(reason)


def _rate(ddps: int) -> int:
    v = (ddps + 16) >> 5
    return _RATE_MOST if v > _RATE_MOST else -_RATE_MOST if v < -_RATE_MOST else v


def _acc(mg: int) -> int:
    x = (mg + 8) >> 4
    return _ACC_MOST if x > _ACC_MOST else -_ACC_MOST if x < -_ACC_MOST else x


def _signed(axis: int, sign: int) -> str:
    return ("+" if sign > 0 else "-") + "xyz"[axis]
