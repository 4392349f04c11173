"""Which way the sensor is worn, found from the first strides, while the engine runs."""

from retrostep_core.constants import const
from retrostep_core.directions import is_directed
from retrostep_core.gait.hidden_directions import HiddenDirections
from retrostep_core.gait.units import AS_DECLARED
from retrostep_core.intmath import isqrt

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)
_FORWARD = const(1)
_BACKWARD = const(2)
# Means of four samples are used (26 Hz). Angular velocity in 6.4 degrees a second; specific force in 32 mg, limited to 8 g; its square
# in 8 units of 32 mg squared, limited to 4 g squared.
_MEAN_OF = const(4)
_FORCE_MOST = const(250)
_WEIGHT_MOST = const(4095)
_SQUARE_MOST = const(2047)
# Sums are halved after this many means (10 s), so that none leaves +-2**30.
_SUMMED_MOST = const(256)
_SUMMED_LEAST = const(20)
# The axes are chosen again after this many means (0.5 s); other ones than declared from _OTHER_LEAST (1.5 s) on.
_CHECK_EVERY = const(13)
_OTHER_LEAST = const(39)
_LOOK_EVERY = const(4)
# Standing: 13 means (0.5 s) slower than 26 degrees a second. Movement without a step is forgotten after 4 s.
_STILL_SPEED_2 = const(16)
_STILL_LEAST = const(13)
_NO_STEP_MOST = const(104)
# Front, in 1/256. Over 3 s and more, recorded gait has 5 to 560, and 77 to 560 over 8 s; tipped by up to 30 degrees as well. A leg that
# turns about another axis than declared needs _FRONT_CLEAR, and _FRONT_SIDE where it turns about two axes, as in side shuffles. A mean
# square below _SLOW_2 (57 degrees a second) is no evidence there: sidesteps have up to 55, recorded gait 150 and more.
_FRONT_LEAST = const(64)
_FRONT_CLEAR = const(128)
_FRONT_SIDE = const(208)
_FRONT_NEVER = const(4096)
# The measures a and d alone may be this much against a front beyond _FRONT_SIDE, else not at all.
_AGAINST_MOST = const(24)
_SLOW_2 = const(80)
# Before the first steps the declared mount is confirmed after 1.1 s and one full swing: its squared angular velocity, summed.
_EARLY_LEAST = const(28)
_EARLY_ENERGY = const(10000)
# A direction of the declared mount is reported before the mount is known after 0.3 s of movement. BACKWARD needs this squared angular
# velocity, summed: the first swing.
_FIT_LEAST = const(8)
_FIT_ENERGY = const(4000)
# The specific force of its fast phases points back, in 4 mg; a sensor tipped by 30 degrees shifts it by up to 128.
_FIT_BACK = const(20)
_FIT_AHEAD = const(40)
# Skew that counts fully; skew of gait that goes one way: the direction before the mount was found.
_SKEW_FULL = const(64)
_SKEW_ONE_WAY = const(60)
# The mean specific force points further back than the leg, by atan(69 / 256) = 15 degrees in walking and atan(114 / 256) = 24 degrees
# in running, which is above 1.25 g (in 4 mg).
_BACK_WALKING = const(69)
_BACK_RUNNING = const(114)
_RUNNING = const(312)
# A tip of less than 22 degrees may be the wearer's own way of walking.
_TIP_LEAST = const(103)
# _code of AS_DECLARED.
_DECLARED_CODE = const(16)
# Steps of both feet: another mount than the declared one needs _STEPS_OTHER, and the same result at _TIMES_OTHER reports of steps in a
# row; fewer where the front is clear.
_STEPS_OTHER = const(8)
_TIMES_OTHER = const(3)
_STEPS_CLEAR = const(5)
_TIMES_CLEAR = const(2)

# Sums of all three axes: their count, force (3), gyro squared (3). Then those of the axis that the leg turns about.
_LEFT = const(7)
# Their count; weight; weight x force p, q; weight x gyro; force p, q; force squared pp, qq, pq; gyro x force p, q; change of gyro, its
# square, x force p, q, x size; size, its square; gyro squared.
_SUMS = const(27)


class MountFinder(HiddenDirections):
    """Finds which of the incoming axes point forward, left and up. Fixed memory, integers, no allocation a sample.

    Method:
    1. Side. A leg turns mainly about the axis that points to the side: the axis whose angular velocity varies most.
    2. Vertical. In the plane of the two other axes the mean specific force over whole strides is taken as up. Nothing that follows
       depends on how the sensor is tipped in this plane, and standing is not needed.
    3. Front. Four measures show which way the leg points. Each changes its sign if front and back are exchanged, and none if the gait
       goes backward:
       a. The skew of the sagittal angular velocity and its correlation with the forward specific force: both change their sign with
          time, so their product does not.
       b. The correlation of the change of angular velocity with the upward specific force.
       c. The same with the squared size of the specific force.
       d. A knee bends one way only: in the phases in which the shank moves fast it leans forward, and the specific force points back.
       Their sum is 0.25 to 2.2 after ten strides in each of 373 recordings and the same played backward; each alone fails in some.
    4. Up. The leg points further forward than the mean specific force, by 15 degrees in walking and 24 in running. The axes nearest to
       that are taken.
    5. The declared mount is confirmed within two or three strides. Another one needs five steps and more, and the same result twice or
       three times in a row. Steps need evidence of a foot strike: movement without them is forgotten.
    6. Directions wait until then, except those that fit a declared mount.

    Source: principal axis as in gait/calibration.py. The four measures of front were found by their symmetry: exchanging front and back
    turns the side axis as well, and backward gait is close to forward gait reversed in time (gait/direction.py).
    Deviation: signed axes instead of a rotation. The engine takes a tip of 22 degrees and more out of the samples; less, and a twist, stay.

    mount       ((index, sign), ...): which incoming axes point forward, left and up; until it is found, those that directions are found in
    direction   FORWARD or BACKWARD if the strides so far went one way, else UNKNOWN; in the axes of `mount`
    since_ms    the first of these strides began after this time
    tips_x256   how far the leg leans forward and left of the axis that points up, as tangents in 1/256; 0 below 22 degrees
    left, up    the axis that the leg turns about, and the vertical one
    """

    def __init__(self, is_declared: bool) -> None:
        self.is_declared = is_declared
        self.mount = AS_DECLARED
        self.direction = _UNKNOWN
        self.since_ms = 0
        self._four = [0] * 7
        self._sums = [0] * _SUMS
        # The mean before: force p, q and squared size, gyro; and gyro of the one before that.
        self._before = [0] * 5
        self._candidate = -1
        self.left = 1
        self.tips_x256 = [0, 0]
        self.up = 2
        self._skew = self._without_change = 0
        # Up in the plane of the two other axes, in 1/256, and the mean specific force along it, in 4 mg.
        self._up_p = self._up_q = self._up_force = 0
        super().__init__()
        self.restart()

    def restart(self) -> None:
        """Forget the strides, as after missing samples."""
        self._forget(0)
        self._four[6] = 0
        self._steps = self._new_steps = self._stepped_at = self._times = self._quiet = 0
        self._has_paused = False
        self._check_from = _CHECK_EVERY
        self._look_from = _SUMMED_LEAST

    def _forget(self, first: int) -> None:
        sums = self._sums
        while first < _SUMS:
            sums[first] = 0
            first += 1
        before = self._before
        for k in range(5):
            before[k] = 0

    def step(self) -> None:
        """A step of either foot was credited."""
        self._new_steps += 1
        self._stepped_at = self._sums[0]

    def samples(self, block: object, n: int, t0_ms: int) -> None:
        """n samples of array('h'): mg and 0.1 degrees per second, as in Engine.samples."""
        four = self._four
        force_x, force_y, force_z, gyro_x, gyro_y, gyro_z, count = four
        if not count:
            force_x = force_y = force_z = gyro_x = gyro_y = gyro_z = 0
        if not self._sums[0]:
            self.since_ms = t0_ms
        k = 0
        while k < 6 * n:
            force_x += block[k]
            force_y += block[k + 1]
            force_z += block[k + 2]
            gyro_x += block[k + 3]
            gyro_y += block[k + 4]
            gyro_z += block[k + 5]
            k += 6
            count += 1
            if count == _MEAN_OF:
                self._add((force_x + 64) >> 7, (force_y + 64) >> 7, (force_z + 64) >> 7, (gyro_x + 128) >> 8, (gyro_y + 128) >> 8, gyro_z)
                force_x = force_y = force_z = gyro_x = gyro_y = gyro_z = count = 0
        four[0] = force_x
        four[1] = force_y
        four[2] = force_z
        four[3] = gyro_x
        four[4] = gyro_y
        four[5] = gyro_z
        four[6] = count

    def _add(self, force_x: int, force_y: int, force_z: int, gyro_x: int, gyro_y: int, gyro_z: int) -> None:
        """Add the mean of four samples; gyro_z is still their sum."""
        gyro_z = (gyro_z + 128) >> 8
        square_x = gyro_x * gyro_x
        square_y = gyro_y * gyro_y
        square_z = gyro_z * gyro_z
        speed_2 = square_x + square_y + square_z
        sums = self._sums
        if speed_2 > _STILL_SPEED_2:
            self._quiet = 0
        else:
            self._quiet += 1
            if self._quiet >= _STILL_LEAST:
                if sums[0] and not self._steps and not self._new_steps:
                    # Whatever moved since the standing before was not gait.
                    self.restart()
                # The direction may change now.
                self._has_paused = sums[0] > 0
                return
        force_x = _limited(force_x)
        force_y = _limited(force_y)
        force_z = _limited(force_z)
        sums[0] += 1
        sums[1] += force_x
        sums[2] += force_y
        sums[3] += force_z
        sums[4] += square_x
        sums[5] += square_y
        sums[6] += square_z
        size = (force_x * force_x + force_y * force_y + force_z * force_z) >> 3
        if size > _SQUARE_MOST:
            size = _SQUARE_MOST
        speed_2 >>= 4
        if speed_2 > _WEIGHT_MOST:
            speed_2 = _WEIGHT_MOST
        if self.left == 1:
            self._add_turning(gyro_y, force_z, force_x, size, speed_2)
        elif self.left == 0:
            self._add_turning(gyro_x, force_y, force_z, size, speed_2)
        else:
            self._add_turning(gyro_z, force_x, force_y, size, speed_2)
        if sums[0] >= _SUMMED_MOST:
            k = 0
            while k < _SUMS:
                sums[k] >>= 1
                k += 1
            self._stepped_at >>= 1
            self._check_from = self._look_from = 0
        if sums[0] - self._stepped_at > _NO_STEP_MOST:
            self.restart()
        elif sums[0] >= self._check_from:
            self._choose_axes()

    def _add_turning(self, gyro: int, force_p: int, force_q: int, size: int, weight: int) -> None:
        """Add a mean to the sums of the axis that the leg turns about."""
        sums = self._sums
        before = self._before
        sums[_LEFT] += 1
        sums[_LEFT + 1] += weight
        sums[_LEFT + 2] += weight * force_p
        sums[_LEFT + 3] += weight * force_q
        sums[_LEFT + 4] += weight * gyro
        sums[_LEFT + 5] += force_p
        sums[_LEFT + 6] += force_q
        sums[_LEFT + 7] += force_p * force_p
        sums[_LEFT + 8] += force_q * force_q
        sums[_LEFT + 9] += force_p * force_q
        sums[_LEFT + 10] += gyro * force_p
        sums[_LEFT + 11] += gyro * force_q
        sums[_LEFT + 17] += size
        sums[_LEFT + 18] += size * size
        sums[_LEFT + 19] += gyro * gyro
        # The change of angular velocity around the mean before.
        weight = gyro - before[4]
        sums[_LEFT + 12] += weight
        sums[_LEFT + 13] += weight * weight
        sums[_LEFT + 14] += weight * before[0]
        sums[_LEFT + 15] += weight * before[1]
        sums[_LEFT + 16] += weight * before[2]
        before[0] = force_p
        before[1] = force_q
        before[2] = size
        before[4] = before[3]
        before[3] = gyro

    def look(self) -> bool:
        """Whether the mount was found just now, by the strides up to the newest step."""
        is_early = not self._new_steps
        if is_early:
            # A direction waits, before the first steps or between two steps: only the declared mount may be confirmed.
            if not is_directed(self.hidden) or self._sums[0] < self._look_from:
                return False
            self._look_from = self._sums[0] + _LOOK_EVERY
        self._steps += self._new_steps
        self._new_steps = 0
        front = self._front() if self._sums[_LEFT] >= _SUMMED_LEAST else 0
        least = self._least()
        if is_early and (front < _FRONT_CLEAR or not self._has_swung()):
            return False
        if -least < front < least:
            if not is_early:
                self._times = 0
            return False
        code = self._nearest(1 if front > 0 else -1)
        if not (self.is_declared and code == _DECLARED_CODE):
            against = -self._without_change if front > 0 else self._without_change
            if is_early or against > (_AGAINST_MOST if front * front > _FRONT_SIDE * _FRONT_SIDE else 0):
                return False
            if code != self._candidate:
                self._candidate = code
                self._times = 0
            self._times += 1
            is_clear = not -_FRONT_CLEAR < front < _FRONT_CLEAR
            if self._steps < (_STEPS_CLEAR if is_clear else _STEPS_OTHER) or self._times < (_TIMES_CLEAR if is_clear else _TIMES_OTHER):
                return False
        self.mount = (_axis(code // 36), _axis(code // 6 % 6), _axis(code % 6))
        skew = self._skew if front > 0 else -self._skew
        self.direction = _FORWARD if skew < -_SKEW_ONE_WAY else _BACKWARD if skew > _SKEW_ONE_WAY else _UNKNOWN
        if self._has_paused:
            self.direction = _UNKNOWN
        return True

    def _least(self) -> int:
        """How clear the front must be: a leg that turns about both horizontal axes, and not mainly the declared one, may step sideways."""
        sums = self._sums
        side = sums[4 + self.left]
        other = 0
        for k in (0, 1, 2):
            # Compared one by one: a tuple would be allocated.
            if k != self.left and k != self.up and sums[4 + k] > other:
                other = sums[4 + k]
        if self.is_declared and self.left == 1 and side * 4 > other * 3:
            return _FRONT_LEAST
        if other >= side or side < _SLOW_2 * sums[0]:
            return _FRONT_NEVER
        return _FRONT_CLEAR if other * 4 < side else _FRONT_SIDE

    def is_other_axis(self) -> bool:
        """Whether another axis than declared is the side or up: then the declared axes are of no use, not even for steps."""
        return self.left != 1 or self.up != 2

    def _choose_axes(self) -> None:
        """Choose the axis that the leg turns about, and the vertical one; begin with new sums where it is another one."""
        sums = self._sums
        self._check_from = sums[0] + _CHECK_EVERY
        left = self.left
        if sums[0] >= _OTHER_LEAST or not self.is_declared:
            # Not the one nearest to gravity: the body may turn about it.
            along = 0
            for k in (1, 2):
                if abs(sums[1 + k]) > abs(sums[1 + along]):
                    along = k
            for k in (0, 1, 2):
                if k != along and (left == along or sums[4 + k] * 3 > sums[4 + left] * 4):
                    left = k
        up = self.up
        for k in (0, 1, 2):
            if k != left and (up == left or (sums[0] >= _OTHER_LEAST and abs(sums[1 + k]) > abs(sums[1 + up]) * 2)):
                up = k
        self.up = up
        if left != self.left:
            self.left = left
            self._times = 0
            self._forget(_LEFT)

    def fits(self, direction: int) -> bool:
        """Whether the movement so far fits the declared mount, so that `direction` need not wait."""
        sums = self._sums
        side = sums[5]
        if not self.is_declared or self.mount != AS_DECLARED or self.left != 1 or sums[_LEFT] < _FIT_LEAST:
            return False
        if side < sums[4] or side < sums[6] or sums[3] < abs(sums[1]) or sums[3] < abs(sums[2]):
            return False
        front = self._front()
        if direction == _BACKWARD:
            return side >= _FIT_ENERGY and front > _FRONT_LEAST and self._skew > 0 and self._ahead() < -_FIT_BACK
        return (front > -_FRONT_LEAST or side < _EARLY_ENERGY) and self._ahead() < _FIT_AHEAD

    def _has_swung(self) -> bool:
        """Whether the declared axes have seen a full swing that leans forward."""
        sums = self._sums
        return self.left == 1 and sums[_LEFT] >= _EARLY_LEAST and sums[5] >= _EARLY_ENERGY and self._ahead() < -_FIT_BACK

    def is_refuted(self) -> bool:
        """Whether the movement so far does not fit the declared mount any more: the leg leans the other way."""
        return self.left != 1 or (self._sums[5] >= _EARLY_ENERGY and self._front() < -_FRONT_LEAST)

    def _ahead(self) -> int:
        """The force along the declared forward axis in the phases in which the leg moves fast, in 4 mg."""
        sums = self._sums
        return sums[_LEFT + 3] // (sums[_LEFT + 1] >> 3 or 1)

    def _front(self) -> int:
        """How clearly side x up points forward (above 0) or backward, in 1/256; side and up are the axes of the sums."""
        sums = self._sums
        m = sums[_LEFT]
        # Up is along the mean force; p and q in 1/256. Forces have fractions of 1/8, their deviations of 1/4.
        p = (sums[_LEFT + 5] << 3) // m
        q = (sums[_LEFT + 6] << 3) // m
        mean = isqrt(p * p + q * q) + 1
        self._up_force = mean
        self._up_p = p = (p << 8) // mean
        self._up_q = q = (q << 8) // mean
        square_p = (sums[_LEFT + 7] << 4) // m
        square_q = (sums[_LEFT + 8] << 4) // m
        both = (sums[_LEFT + 9] << 5) // m * (p * q >> 8)
        ahead = _root((square_q * (p * p >> 8) + square_p * (q * q >> 8) - both) >> 8)
        upward = _root(((square_p * (p * p >> 8) + square_q * (q * q >> 8) + both) >> 8) - (mean * mean >> 2))
        gyro = _root((sums[_LEFT + 19] << 2) // m << 2)
        change = _root((sums[_LEFT + 13] // m) << 4)
        # a: skew of the angular velocity, and its correlation with the forward force.
        weight = (sums[_LEFT + 1] >> 4) or 1
        self._skew = skew = (sums[_LEFT + 4] // weight << 6) // gyro
        if skew > _SKEW_FULL:
            skew = _SKEW_FULL
        elif skew < -_SKEW_FULL:
            skew = -_SKEW_FULL
        with_ahead = (p * ((sums[_LEFT + 11] << 4) // m) - q * ((sums[_LEFT + 10] << 4) // m)) >> 8
        front = -skew * ((with_ahead << 8) // (gyro * ahead)) >> 6
        # d: the forward force, weighted with speed.
        lean = (p * (sums[_LEFT + 3] // weight) - q * (sums[_LEFT + 2] // weight)) >> 8
        front -= 3 * _limited((lean << 6) // ahead) >> 2
        self._without_change = front
        # b and c: the change of angular velocity with the upward force, and with the squared force.
        with_up = (p * ((sums[_LEFT + 14] << 2) // m) + q * ((sums[_LEFT + 15] << 2) // m)) >> 8
        with_up -= (mean >> 1) * sums[_LEFT + 12] // m
        front += _limited((with_up << 10) // (change * upward))
        size = (sums[_LEFT + 17] << 3) // m
        deviation = _root((sums[_LEFT + 18] // m) - (size * size >> 6))
        with_size = (sums[_LEFT + 16] - (size * sums[_LEFT + 12] >> 3)) // m
        return front + (3 * _limited((with_size << 8) // (change * deviation >> 2 or 1)) >> 2)

    def _nearest(self, sign: int) -> int:
        """A number for the mount, if the axis that the leg turns about points left with this sign."""
        left = self.left
        back = _BACK_RUNNING if self._up_force > _RUNNING else _BACK_WALKING
        p = (self._up_p << 8) - sign * back * self._up_q
        q = (self._up_q << 8) + sign * back * self._up_p
        if abs(p) > abs(q):
            up_sign = 1 if p > 0 else -1
            self._set_tips(sign * q, p, sign)
            return _code((left + 2) % 3, sign * up_sign, left, sign, (left + 1) % 3, up_sign)
        up_sign = 1 if q > 0 else -1
        self._set_tips(-sign * p, q, sign)
        return _code((left + 1) % 3, -sign * up_sign, left, sign, (left + 2) % 3, up_sign)

    def _set_tips(self, part: int, up: int, sign: int) -> None:
        """Up leans ahead by this part, and to the left as the mean force does."""
        aside = sign * (self._sums[1 + self.left] << 3) // self._sums[0]
        self.tips_x256[0] = _tip(part, up)
        self.tips_x256[1] = _tip(aside, self._up_force)


def _limited(force: int) -> int:
    return _FORCE_MOST if force > _FORCE_MOST else -_FORCE_MOST if force < -_FORCE_MOST else force


def _root(value: int) -> int:
    return isqrt(value) + 1 if value > 0 else 1


def _code(forward: int, forward_sign: int, left: int, sign: int, up: int, up_sign: int) -> int:
    return ((forward * 2 + (forward_sign < 0)) * 6 + left * 2 + (sign < 0)) * 6 + up * 2 + (up_sign < 0)


def _axis(code: int) -> tuple:
    return code >> 1, -1 if code & 1 else 1


def _tip(part: int, up: int) -> int:
    tip_x256 = (part << 8) // up
    return tip_x256 if abs(tip_x256) > _TIP_LEAST else 0
