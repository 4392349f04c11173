"""Which way the sensor is mounted, found from standing still and then walking forward."""

from retrostep_core.constants import const
from retrostep_core.intmath import isqrt

# States. The app reports IDLE while no calibration is under way.
IDLE = 0
STAND = 1
WALK = 2
DONE = 3
FAILED = 4

# Reasons for FAILED; LOST is a DONE that could not be saved. The app reports SENSOR and LOST.
MOVED = 1  # the wearer did not stand still, or gravity was not 1 g
FEW = 2  # no strides, or too few
OBLIQUE = 3  # the sensor's axes are too far from the leg's
WEAK = 4  # the walk does not show forward from backward
BACKWARD = 5  # the walk looked like walking backward
SILENT = 6  # the leg shook, but the gyroscope measured nothing
SENSOR = 7  # no samples
LOST = 8

# Samples at 104 Hz; a sample rate that is off by 10 % changes nothing that matters.
_STAND_SAMPLES = const(208)
_STAND_MOST_SAMPLES = const(3120)
_WALK_MOST_SAMPLES = const(4160)
_PAUSE_SAMPLES = const(208)
# Sums are taken over no more than this, so that none leaves +-2**30.
_SUMMED_MOST_SAMPLES = const(2048)
# Standing people stayed within 0.12 g and 14 degrees a second (22 people, recorded shanks); the sensor's own bias may come on top.
_STILL_MG = const(200)
_STILL_DPS_X10 = const(300)
_GRAVITY_LEAST_MG = const(850)
_GRAVITY_MOST_MG = const(1150)
# Sums take angular velocity ("gyro") in 3.2 degrees a second, at most 816, and specific force in 16 mg, at most 2 g.
_GYRO_MOST = const(255)
_FORCE_MOST = const(127)
# The walk begins above 50 degrees a second and pauses after 2 s below 32.
_WALK_GYRO = const(16)
_QUIET_GYRO = const(10)
# A half-cycle of the angular velocity counts from 10 degrees on (1 degree is 32.5).
_HALF_CYCLE_ANGLE = const(325)
# Five strides decide. A walk that ends earlier needs three; one that is not clear continues up to ten.
_STRIDES = const(5)
_LEAST_STRIDES = const(3)
_MOST_STRIDES = const(10)
# The gyroscope is dead: 100 samples that each differ by 150 mg from the one before, while it measures less than 6 degrees a second.
_SHAKE_MG = const(150)
_SHAKES = const(100)
_SILENT_GYRO = const(2)
# Skew of the sagittal angular velocity in 1/256: recorded walks 0.86 and more, walks in many styles 0.65 and more.
_SKEW_LEAST = const(115)
# Its correlation with forward specific force in 1/256: recorded walks forward 0.09 and more, backward -0.13 and less.
_BACKWARD_MOST = const(-20)


class Calibration:
    """Finds the mount from samples in the SENSOR's axes: mg and 0.1 degrees per second. Fixed memory, integers, no allocation a sample.

    Method:
    1. Stand. Two seconds without movement. The axis nearest to gravity points up.
    2. Walk. The leg turns mainly about the axis that points left or right: of the two other axes the one whose angular velocity varies
       most.
    3. Left or right: the skew of that angular velocity is strongly negative about the left axis in walking forward, as the swing is short
       and fast and the stance long and slow. Forward is left x up.
    4. The nearest of the 24 right-handed mounts is taken, if the axes lie within 30 degrees of the leg's (gravity, and the principal axis
       of the angular velocity). Body axes are the same for either leg, so side and place (lateral, medial, front) need not be known.
    5. A walk backward would give the mount turned by half a turn. The correlation of the sagittal angular velocity with the forward
       specific force does not change with that half turn, but with the direction of walking: a clearly negative one is refused.

    Sources: gravity and principal axis are common for gyroscope-to-segment calibration (Seel et al. 2014, Sensors 14:6891; McGrath et al.
    2018, Sensors 18:1882). Deviations: the signs by skew and correlation are new (gait/direction.py); signed axes instead of a rotation.

    state    STAND, WALK, DONE, FAILED          strides  of this leg, so far
    reason   why it FAILED                      mount    "+y+z+x" once DONE
    """

    def __init__(self) -> None:
        self.state = STAND
        self.strides = 0
        self.reason = 0
        self.mount = ""
        self._age_samples = 0
        self._count = 0
        # Six channels: least and largest, and their sum while standing, then their mean.
        self._least = [0] * 6
        self._largest = [0] * 6
        self._mean = [0] * 6
        self._before = [0] * 3
        self._shakes = 0
        # Which sensor axis is vertical, and the two others: up = a x b.
        self._up = 0
        self._a = 0
        self._b = 0
        self._is_walking = False
        self._quiet_samples = 0
        # For axes a and b: gyro's sum, square, cube / 64; the OTHER axis' specific force: sum, square, product with this gyro.
        self._sums = ([0] * 6, [0] * 6)
        self._gyro_product = 0  # of both axes
        self._up_square = 0  # of the gyro about the vertical
        # For axes a and b: angle and sign of the half-cycle under way, half-cycles so far.
        self._angles = [0, 0]
        self._signs = [0, 0]
        self._half_cycles = [0, 0]

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples of array('h') as in Engine.samples, in sensor axes; their times are not used."""
        at = 0
        while at < 6 * n:
            if self.state == STAND:
                self._stand(block, at)
            elif self.state == WALK:
                self._walk(block, at)
            at += 6

    def fail(self, reason: int) -> None:
        """End with this reason."""
        self.state = FAILED
        self.reason = reason

    def _stand(self, block: object, at: int) -> None:
        self._age_samples += 1
        if self._age_samples > _STAND_MOST_SAMPLES:
            self.fail(MOVED)
            return
        count = self._count
        least = self._least
        largest = self._largest
        mean = self._mean
        span = _STILL_MG
        k = 0
        while k < 6:
            value = block[at + k]
            if count == 0:
                least[k] = largest[k] = mean[k] = value
            else:
                mean[k] += value
                if value < least[k]:
                    least[k] = value
                elif value > largest[k]:
                    largest[k] = value
                if largest[k] - least[k] > span:
                    # It moved: start from the next sample.
                    self._count = 0
                    return
            k += 1
            if k == 3:
                span = _STILL_DPS_X10
        self._count = count + 1
        if self._count == _STAND_SAMPLES:
            self._find_up()

    def _find_up(self) -> None:
        """Two seconds of standing are over: find the vertical axis and begin to wait for the walk."""
        mean = self._mean
        for k in range(6):
            mean[k] //= _STAND_SAMPLES
        self._count = 0
        up = 0
        for k in (1, 2):
            if abs(mean[k]) > abs(mean[up]):
                up = k
        square = 0
        if abs(mean[up]) < _GRAVITY_MOST_MG:
            square = mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2]
        if not _GRAVITY_LEAST_MG * _GRAVITY_LEAST_MG < square < _GRAVITY_MOST_MG * _GRAVITY_MOST_MG:
            # Not at rest: a constant acceleration.
            return
        # cos 30 degrees squared is 3/4.
        if mean[up] * mean[up] * 4 < square * 3:
            self.fail(OBLIQUE)
            return
        self._up = up
        self._a = (up + 1) % 3
        self._b = (up + 2) % 3
        self._age_samples = 0
        self._before[0] = mean[0]
        self._before[1] = mean[1]
        self._before[2] = mean[2]
        self.state = WALK

    def _walk(self, block: object, at: int) -> None:
        self._age_samples += 1
        mean = self._mean
        a = self._a
        b = self._b
        gyro_a = _in_gyro_units(block[at + 3 + a] - mean[3 + a])
        gyro_b = _in_gyro_units(block[at + 3 + b] - mean[3 + b])
        gyro_up = _in_gyro_units(block[at + 3 + self._up] - mean[3 + self._up])
        if not self._is_walking:
            if not (-_WALK_GYRO < gyro_a < _WALK_GYRO and -_WALK_GYRO < gyro_b < _WALK_GYRO):
                self._begin_walk()
            elif self._age_samples > _WALK_MOST_SAMPLES:
                self.fail(FEW)
                return
            else:
                self._check_gyro(block, at, gyro_a, gyro_b, gyro_up)
                return
        self._count += 1
        self._add(0, gyro_a, _in_force_units(block[at + b] - mean[b]))
        self._add(1, gyro_b, _in_force_units(block[at + a] - mean[a]))
        self._gyro_product += gyro_a * gyro_b
        self._up_square += gyro_up * gyro_up
        # Two half-cycles of the axis that turns more are a stride.
        strides = self._half_cycles[1 if self._sums[1][1] > self._sums[0][1] else 0] >> 1
        if -_QUIET_GYRO < gyro_a < _QUIET_GYRO and -_QUIET_GYRO < gyro_b < _QUIET_GYRO:
            self._quiet_samples += 1
        else:
            self._quiet_samples = 0
        is_over = self._quiet_samples > _PAUSE_SAMPLES or self._count == _SUMMED_MOST_SAMPLES or self._age_samples > _WALK_MOST_SAMPLES
        if strides > self.strides:
            self.strides = strides
            if strides >= _STRIDES:
                self._find_mount(is_over or strides >= _MOST_STRIDES)
                return
        if not is_over:
            return
        if self.strides >= _LEAST_STRIDES:
            self._find_mount(True)
        elif self._age_samples > _WALK_MOST_SAMPLES:
            self.fail(FEW)
        else:
            # A shifted foot, or a walk that was broken off: wait for the next one.
            self._is_walking = False
            self.strides = 0

    def _begin_walk(self) -> None:
        self._is_walking = True
        self._count = self._quiet_samples = self._gyro_product = self._up_square = self.strides = 0
        for axis in (0, 1):
            self._angles[axis] = self._signs[axis] = self._half_cycles[axis] = 0
            k = 0
            while k < 6:
                self._sums[axis][k] = 0
                k += 1

    def _check_gyro(self, block: object, at: int, gyro_a: int, gyro_b: int, gyro_up: int) -> None:
        """Nothing turns so far: fail if the leg shakes all the same."""
        before = self._before
        is_shaken = False
        k = 0
        while k < 3:
            force = block[at + k]
            if not -_SHAKE_MG < force - before[k] < _SHAKE_MG:
                is_shaken = True
            before[k] = force
            k += 1
        is_silent = -_SILENT_GYRO < gyro_a < _SILENT_GYRO and -_SILENT_GYRO < gyro_b < _SILENT_GYRO
        if not (is_silent and -_SILENT_GYRO < gyro_up < _SILENT_GYRO):
            self._shakes = 0
        elif is_shaken:
            self._shakes += 1
            if self._shakes == _SHAKES:
                self.fail(SILENT)

    def _add(self, axis: int, gyro: int, force: int) -> None:
        """Add one sample: gyro about axis a (0) or b (1), and specific force along the other one."""
        sums = self._sums[axis]
        sums[0] += gyro
        sums[1] += gyro * gyro
        sums[2] += (gyro * gyro * gyro) >> 6
        sums[3] += force
        sums[4] += force * force
        sums[5] += gyro * force
        angle = self._angles[axis]
        angle = angle + gyro if (angle > 0) == (gyro > 0) else gyro
        if not -_HALF_CYCLE_ANGLE < angle < _HALF_CYCLE_ANGLE:
            sign = 1 if angle > 0 else -1
            angle = sign * _HALF_CYCLE_ANGLE
            if sign != self._signs[axis]:
                self._signs[axis] = sign
                self._half_cycles[axis] += 1
        self._angles[axis] = angle

    def _find_mount(self, is_last: bool) -> None:
        """Find the mount; a walk that is not clear continues, unless this was the last stride."""
        n = self._count
        axis = 1 if self._sums[1][1] > self._sums[0][1] else 0
        sums = self._sums[axis]
        other = self._sums[1 - axis]
        # Means in 1/16; variances and covariances.
        gyro_mean = (sums[0] << 4) // n
        force_mean = (sums[3] << 4) // n
        other_mean = (other[0] << 4) // n
        gyro_variance = sums[1] // n - (gyro_mean * gyro_mean >> 8)
        other_variance = other[1] // n - (other_mean * other_mean >> 8)
        force_variance = sums[4] // n - (force_mean * force_mean >> 8)
        if gyro_variance < 1:
            gyro_variance = 1
        gyro_with_other = self._gyro_product // n - (gyro_mean * other_mean >> 8)
        gyro_with_force = sums[5] // n - (gyro_mean * force_mean >> 8)
        # Standard deviations in 1/16; the third central moment.
        gyro_deviation = isqrt(gyro_variance << 8) + 1
        force_deviation = isqrt(force_variance << 8) + 1
        third = sums[2] // n << 6
        third = third - (3 * gyro_mean * (sums[1] // n) >> 4) + (2 * gyro_mean * (gyro_mean * gyro_mean >> 8) >> 4)
        skew = (((third << 4) // gyro_variance) << 8) // gyro_deviation
        left = self._b if axis else self._a
        forward = self._a if axis else self._b
        up_sign = 1 if self._mean[self._up] > 0 else -1
        left_sign = -1 if skew > 0 else 1
        forward_sign = up_sign * left_sign * (1 if (left - forward) % 3 == 1 else -1)
        correlation = forward_sign * left_sign * ((gyro_with_force << 12) // ((gyro_deviation * force_deviation >> 4) + 1))
        reason = 0
        # Twice the angle of the principal axis: tan 60 degrees is 1.73.
        if other_variance * 2 > gyro_variance or abs(gyro_with_other) * 200 > 173 * (gyro_variance - other_variance):
            reason = OBLIQUE
        elif -_SKEW_LEAST < skew < _SKEW_LEAST or self._up_square // n > gyro_variance:
            reason = WEAK
        elif correlation < _BACKWARD_MOST:
            reason = BACKWARD
        if not reason:
            self.mount = _signed(forward, forward_sign) + _signed(left, left_sign) + _signed(self._up, up_sign)
            self.state = DONE
        elif is_last:
            self.fail(reason)


def _in_gyro_units(dps_x10: int) -> int:
    """3.2 degrees a second, limited."""
    gyro = (dps_x10 + 16) >> 5
    return _GYRO_MOST if gyro > _GYRO_MOST else -_GYRO_MOST if gyro < -_GYRO_MOST else gyro


def _in_force_units(mg: int) -> int:
    """16 mg, limited."""
    force = (mg + 8) >> 4
    return _FORCE_MOST if force > _FORCE_MOST else -_FORCE_MOST if force < -_FORCE_MOST else force


def _signed(axis: int, sign: int) -> str:
    return ("+" if sign > 0 else "-") + "xyz"[axis]
