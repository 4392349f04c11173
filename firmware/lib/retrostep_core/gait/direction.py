"""Forward or backward, from sums over whole gait cycles of one shank."""

from retrostep_core.gait.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.gait.integers import isqrt

# Sums over one lobe of the sagittal rate, in this order: samples; v is the rate in 1.6 degrees per second, x the forward and n the
# whole specific force less its mean in 8 mg, each limited to +-500; the lobe's angle (1040 = 1 degree) and peak (0.05 degrees per second).
N, VV, VVV, VX, VN, XX, NN, AREA, PEAK = range(9)
SUMS = 9

# One cycle's evidence counts for at most _CLIP (steady gait: 80 to 270), the sum for at most _MOST. Past _DECIDE it turns the direction,
# past _DECIDE_FIRST it gives one where there is none; within +-_DOUBT for so many lobes it takes it away. Within +-_SETTLED it may be
# about to turn.
_CLIP = 200
_MOST = 160
_DECIDE = 60
_DECIDE_FIRST = 40
_SETTLED = 90
_DOUBT = 40
_DOUBT_LOBES = 5
# A cycle that does not swing back to where it began says less: nothing below this ratio of its lobes (in 1/256), all from 0.85 on.
_UNBALANCED = 90
# At the start, and for so many lobes after a pause, even a half cycle counts for this much, if the leg sweeps 10 and 2.5 degrees and
# the lobe that ended lasts longer than 0.13 s: the knee of some runners gives so much, for a shorter time, while they stand on it.
_FRESH = 3
_WEIGHT_FIRST = 192
_LARGE = 10400
_SMALL = 2600
_BRIEF_SAMPLES = 8
# What is believed while a lobe still swings, until its cycle is complete.
_OVERTAKEN = 80
# Specific force shakes by more than this (rms) in walking; a dangling leg's does not.
_SHAKING_MG = 72
# By less than this not even a careful step does: a leg that is only moved gets no direction.
_MOVING_MG = 40


class Direction:
    """Evidence for forward (positive) or backward (negative), renewed at every change of sign of the sagittal rate.

    Method: over the last full cycle (two lobes of the rate) -skew/2 of the sagittal rate, plus its correlation with the forward
    acceleration, plus its correlation with the size of the acceleration. All three change sign when time is reversed, and backward
    gait is close to forward gait reversed in time (Grasso et al. 1998, J Neurophysiol 80:1868): the swing, short and fast, is the rate's
    negative lobe forward and its positive lobe backward, and the impact follows the swing in both. Skew alone is weak in fast running,
    where the correlations are strongest. No published classifier was found to start from; the weights are 1/2, 1, 1 rather than fitted.
    Units: 1/256 of a correlation. Evidence is leaky: a quarter of the sum stays each whole lobe, so a turn shows in one to two strides.
    Deviation from the moving third moment over a fixed time: whole cycles, whose length follows the gait from 40 to 260 steps a minute.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget what was seen."""
        self.evidence = 0
        self.fresh = _FRESH
        self.doubts = 0
        self.shaking_mg = 0

    def cycle(self, a: list, b: list) -> None:
        """Take in the sums of the lobe that ended (a) and of the one before it (b)."""
        n = a[N] + b[N]
        if n < 2:
            return
        mv = (a[VV] + b[VV]) // n
        if mv < 1:
            mv = 1
        rv = isqrt(mv) + 1
        rx = isqrt((a[XX] + b[XX]) // n) + 2
        rn = isqrt((a[NN] + b[NN]) // n) + 2
        self.shaking_mg = rn << 3
        skew = ((((a[VVV] + b[VVV]) // n << 6) // mv) << 8) // rv
        vx = ((a[VX] + b[VX]) // n << 8) // (rv * rx)
        vn = ((a[VN] + b[VN]) // n << 8) // (rv * rn)
        d = vx + vn - (skew >> 1)
        if d > _CLIP:
            d = _CLIP
        elif d < -_CLIP:
            d = -_CLIP
        small = a[AREA]
        large = b[AREA]
        if small > large:
            small = large
            large = a[AREA]
        weight = (((small >> 4) << 8) // ((large >> 4) + 1) - _UNBALANCED) << 1
        if weight > 256:
            weight = 256
        if weight < _WEIGHT_FIRST and self.fresh and large > _LARGE and small > _SMALL and a[N] >= _BRIEF_SAMPLES:
            weight = _WEIGHT_FIRST
        if self.fresh:
            self.fresh -= 1
        if weight <= 0:
            return
        self.evidence += (weight * (4 * d - 3 * self.evidence)) >> 10
        if self.evidence > _MOST:
            self.evidence = _MOST
        elif self.evidence < -_MOST:
            self.evidence = -_MOST
        if -_DOUBT < self.evidence < _DOUBT:
            self.doubts += 1
        else:
            self.doubts = 0

    def pause(self) -> None:
        """The leg has hardly moved for a moment: what comes next may well go the other way."""
        self.fresh = _FRESH
        if self.evidence > _DECIDE:
            self.evidence = _DECIDE
        elif self.evidence < -_DECIDE:
            self.evidence = -_DECIDE

    def overtake(self, sign: int) -> None:
        """A lobe of that sign swings faster than the one before it, which was thought to be the swing."""
        self.evidence = -_OVERTAKEN if sign > 0 else _OVERTAKEN

    def sure(self) -> int:
        """3: walking or running beyond doubt, it shakes the leg and goes one way. 2: no less, but it may be turning. 1: it shakes the leg.
        0: not even that."""
        if self.shaking_mg <= _SHAKING_MG:
            return 0
        evidence = self.evidence if self.evidence >= 0 else -self.evidence
        if evidence <= _DECIDE:
            return 1
        return 3 if evidence > _SETTLED else 2

    def decided(self, now: int) -> int:
        """The direction to believe, where `now` was believed until here."""
        least = _DECIDE
        if now != FORWARD and now != BACKWARD:
            if self.shaking_mg <= _MOVING_MG:
                return UNKNOWN
            least = _DECIDE_FIRST
        if self.evidence > least:
            return FORWARD
        if self.evidence < -least:
            return BACKWARD
        if now == STILL or self.doubts >= _DOUBT_LOBES:
            return UNKNOWN
        return now
