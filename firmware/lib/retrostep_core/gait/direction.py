"""Forward or backward, from sums over whole gait cycles of one shank."""

from retrostep_core.constants import const
from retrostep_core.directions import is_directed
from retrostep_core.intmath import isqrt

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)
_FORWARD = const(1)
_BACKWARD = const(2)
_STILL = const(3)
# A half-cycle of the sagittal angular velocity is described by these sums over its samples. Angular velocity ("gyro") in 1.6 degrees per
# second; specific force in 8 mg without its mean: forward, and its size ("force"); each limited to +-500.
_SAMPLES = const(0)
_GYRO_2 = const(1)  # gyro squared
_GYRO_3 = const(2)  # gyro cubed, / 64
_GYRO_FORWARD = const(3)  # gyro x forward
_GYRO_FORCE = const(4)  # gyro x force
_FORWARD_2 = const(5)  # forward squared
_FORCE_2 = const(6)  # force squared
_ANGLE = const(7)  # angle swept; 1040 is one degree
_PEAK = const(8)  # fastest, in 0.05 degrees per second
_UNLOADED = const(9)  # samples in which the leg hardly turns and carries nothing (shank.py)
_JERK = const(10)  # sum of the changes of force from sample to sample, in 2 mg
_STRIKE = const(11)  # largest change of force around the start of the half-cycle, in 2 mg
_AXIAL = const(12)  # force along the leg around the start of the half-cycle, in 0.5 mg
_SUMS = const(13)

# Confidence that this is gait, with a direction.
_NOT_GAIT = const(0)
_MOVING = const(1)
_REVERSING = const(2)
_SETTLED = const(3)

# Evidence is in 1/256 of a correlation. One cycle counts for at most _CYCLE_MOST (steady gait: 80 to 270), the sum for at most _SUM_MOST.
_CYCLE_MOST = const(200)
_SUM_MOST = const(160)
# Beyond _TURN_LEAST evidence changes a direction, beyond _FIRST_LEAST it gives the first one. Below _SETTLED_LEAST the direction may be
# about to change; it becomes unknown after _DOUBT_HALF_CYCLES below _DOUBT.
_TURN_LEAST = const(60)
_FIRST_LEAST = const(40)
_SETTLED_LEAST = const(90)
_DOUBT = const(40)
_DOUBT_HALF_CYCLES = const(5)
# A cycle whose half-cycles do not sweep equal angles counts less: nothing below this ratio (in 1/256), all from 0.85 on.
_BALANCE_LEAST = const(90)
# At the start, and for this many half-cycles after a pause, even half a cycle has this weight, if the leg sweeps 10 and 2.5 degrees and
# the half-cycle that ended took longer than 0.13 s: in some runners the knee gives that much, for a shorter time, during stance.
_FIRST_HALF_CYCLES = const(3)
_FIRST_WEIGHT = const(192)
_FIRST_LARGE = const(10400)
_FIRST_SMALL = const(2600)
_FIRST_LEAST_SAMPLES = const(8)
# The evidence that a faster half-cycle stands for until its cycle is complete.
_FASTER_EVIDENCE = const(80)
# The specific force varies by more than this (rms) in walking, by less in a leg that dangles.
_WALKING_LEAST_MG = const(72)
# Front and back of the sensor are exchanged where the evidence is backward and the correlation with the forward force, averaged over two
# half-cycles, is forward by this much: the skew changes sign with the mount, this correlation does not. Recorded backward gait: below 0
# (means of recordings -189 to -23), forward gait: 26 to 170.
_MOUNT_DOUBT = const(30)
# Not even a careful step varies less: a leg that is only moved gets no direction.
_STEP_LEAST_MG = const(40)


class DirectionEvidence:
    """Evidence for forward (positive) or backward (negative), renewed at every zero crossing of the sagittal angular velocity.

    Method:
    1. Over the last full gait cycle (two half-cycles) take the skew of the sagittal angular velocity, its correlation with the forward
       specific force, and its correlation with the size of the specific force.
    2. Evidence of the cycle = -skew / 2 + both correlations. All three change sign when time is reversed: the swing, short and fast, is
       the negative half-cycle forward and the positive one backward, and the impact follows the swing in both.
    3. Weigh it by how equal the angles of the two half-cycles are.
    4. Add it to a leaky sum: a quarter of the sum stays after each full-weight half-cycle, so a change shows in one to two strides.
    5. Turn the direction beyond a threshold, with hysteresis; none after five half-cycles of doubt.
    6. Not backward while the correlation with the forward force alone is clearly of forward: then the sensor is worn the wrong way round.

    Source: backward gait is close to forward gait reversed in time (Grasso et al. 1998, J Neurophysiol 80:1868). No published classifier
    was found; the weights 1/2, 1, 1 are not fitted. Skew alone is weak in fast running, where the correlations are strongest.
    Deviation from a moving third moment over a fixed time: whole cycles, whose length follows the gait from 40 to 260 steps a minute.
    Units: 1/256 of a correlation, -160..160.

    current        the direction decided last: UNKNOWN, FORWARD, BACKWARD or STILL (set by `stand`)
    has_forward    False where the forward axis is unknown: then the sign of the evidence is that of the swing only
    knows_front    False while front may be behind: the correlation with the forward force then counts only with the sign of the others
    """

    def __init__(self) -> None:
        self.current = _UNKNOWN
        self.has_forward = True
        self.knows_front = True
        self.restart()

    def restart(self) -> None:
        """Forget the evidence; the direction stays."""
        self.evidence = 0
        self._first_left = _FIRST_HALF_CYCLES
        self._doubts = 0
        self._force_rms_mg = 0
        self._forward_mean = 0

    def add_cycle(self, newer: list, older: list) -> None:
        """Add the evidence of one cycle: the sums of the half-cycle that ended, and of the one before it."""
        n = newer[_SAMPLES] + older[_SAMPLES]
        if n < 2:
            return
        gyro_variance = (newer[_GYRO_2] + older[_GYRO_2]) // n
        if gyro_variance < 1:
            gyro_variance = 1
        gyro_rms = isqrt(gyro_variance) + 1
        forward_rms = isqrt((newer[_FORWARD_2] + older[_FORWARD_2]) // n) + 2
        force_rms = isqrt((newer[_FORCE_2] + older[_FORCE_2]) // n) + 2
        self._force_rms_mg = force_rms << 3
        skew = ((((newer[_GYRO_3] + older[_GYRO_3]) // n << 6) // gyro_variance) << 8) // gyro_rms
        with_forward = ((newer[_GYRO_FORWARD] + older[_GYRO_FORWARD]) // n << 8) // (gyro_rms * forward_rms)
        with_force = ((newer[_GYRO_FORCE] + older[_GYRO_FORCE]) // n << 8) // (gyro_rms * force_rms)
        cycle = with_force - (skew >> 1)
        if not self.has_forward or (not self.knows_front and (cycle > 0) != (with_forward > 0)):
            with_forward = 0
        cycle += with_forward
        if cycle > _CYCLE_MOST:
            cycle = _CYCLE_MOST
        elif cycle < -_CYCLE_MOST:
            cycle = -_CYCLE_MOST
        weight = self._weight(newer, older)
        if weight <= 0:
            return
        self._forward_mean += (with_forward - self._forward_mean) >> 1
        self.evidence += (weight * (4 * cycle - 3 * self.evidence)) >> 10
        if self.evidence > _SUM_MOST:
            self.evidence = _SUM_MOST
        elif self.evidence < -_SUM_MOST:
            self.evidence = -_SUM_MOST
        if -_DOUBT < self.evidence < _DOUBT:
            self._doubts += 1
        else:
            self._doubts = 0

    def _weight(self, newer: list, older: list) -> int:
        """How much a cycle counts, at most 256; 0 or less: not at all."""
        small = newer[_ANGLE]
        large = older[_ANGLE]
        if small > large:
            small = large
            large = newer[_ANGLE]
        weight = (((small >> 4) << 8) // ((large >> 4) + 1) - _BALANCE_LEAST) << 1
        if weight > 256:
            weight = 256
        if self._first_left:
            self._first_left -= 1
            is_clear = large > _FIRST_LARGE and small > _FIRST_SMALL and newer[_SAMPLES] >= _FIRST_LEAST_SAMPLES
            if weight < _FIRST_WEIGHT and is_clear:
                weight = _FIRST_WEIGHT
        return weight

    def pause(self) -> None:
        """The leg has hardly moved for a moment: what comes next may have the other direction."""
        self._first_left = _FIRST_HALF_CYCLES
        if self.evidence > _TURN_LEAST:
            self.evidence = _TURN_LEAST
        elif self.evidence < -_TURN_LEAST:
            self.evidence = -_TURN_LEAST

    def stand(self) -> None:
        """The wearer stands still."""
        self.restart()
        self.current = _STILL

    def reverse(self, sign: int) -> None:
        """The half-cycle of this sign under way is faster than the swing before it: it is the swing."""
        self.evidence = -_FASTER_EVIDENCE if sign > 0 else _FASTER_EVIDENCE
        self._forward_mean = 0
        self.current = _BACKWARD if sign > 0 else _FORWARD

    def is_swing(self, sign: int) -> bool:
        """Whether half-cycles of this sign are swings in the current direction."""
        return self.current == (_FORWARD if sign < 0 else _BACKWARD)

    def confidence(self) -> int:
        """SETTLED (3): gait in one direction. REVERSING (2): gait that may be reversing. MOVING (1): no direction. NOT_GAIT (0)."""
        if self._force_rms_mg <= _WALKING_LEAST_MG:
            return _NOT_GAIT
        size = self.size()
        if size <= _TURN_LEAST:
            return _MOVING
        return _SETTLED if size > _SETTLED_LEAST else _REVERSING

    def size(self) -> int:
        """The evidence without its sign, 0..160."""
        return self.evidence if self.evidence >= 0 else -self.evidence

    def decide(self) -> int:
        """Decide on the evidence: the new `current`."""
        least = _TURN_LEAST
        if not is_directed(self.current):
            if self._force_rms_mg <= _STEP_LEAST_MG:
                self.current = _UNKNOWN
                return _UNKNOWN
            least = _FIRST_LEAST
        if self.evidence > least:
            self.current = _FORWARD
        elif self.evidence < -least:
            self.current = _BACKWARD if self._forward_mean < _MOUNT_DOUBT else _UNKNOWN
        elif self.current == _STILL or self._doubts >= _DOUBT_HALF_CYCLES:
            self.current = _UNKNOWN
        return self.current
