"""Forward or backward, from sums over whole gait cycles of one shank."""

from retrostep_core.gait.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.gait.integers import isqrt

# Sums over one lobe of the sagittal rate, in this order; v is the rate in 1.6 degrees per second, x the forward and n the whole
# specific force less its mean in 8 mg, each limited to +-500.
N, VV, VVV, VX, VN, XX, NN, AREA, PEAK = range(9)
SUMS = 9

# One cycle's evidence counts for at most this much; this much in sum is a decision, and less than the last for so many lobes is doubt.
_CLIP = 200
_DECIDE = 60
_DECIDE_FIRST = 40
_UNBALANCED = 90
_WEIGHT_FIRST = 192
_LARGE = 10400
_SMALL = 2600
_MOST = 160
_FRESH = 3
_SHAKING_MG = 72
_DOUBT = 40
_DOUBT_LOBES = 5


class Direction:
    """Evidence for forward (positive) or backward (negative), renewed at every change of sign of the sagittal rate.

    Method: over the last full cycle (two lobes of the rate) -skew/2 of the sagittal rate, plus its correlation with the forward
    acceleration, plus its correlation with the size of the acceleration. All three change sign when time is reversed, and backward
    gait is close to forward gait reversed in time (Grasso et al. 1998, J Neurophysiol 80:1868): the swing, short and fast, is the rate's
    negative lobe forward and its positive lobe backward, and the impact follows the swing in both. Skew alone is weak in fast running,
    where the correlations are strongest. No published classifier was found to start from; the weights are 1/2, 1, 1 rather than fitted.
    Units: 1/256 of a correlation. Evidence is leaky, a quarter of the sum stays each lobe.
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
        small, large = (a[AREA], b[AREA]) if a[AREA] < b[AREA] else (b[AREA], a[AREA])
        weight = ((small << 8) // (large + 1) - _UNBALANCED) << 1
        if weight > 256:
            weight = 256
        if weight < _WEIGHT_FIRST and self.fresh and large > _LARGE and small > _SMALL:
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

    def sure(self) -> bool:
        """Whether this is walking or running beyond doubt: it shakes the leg, and it has a direction."""
        return self.shaking_mg > _SHAKING_MG and not -_DECIDE <= self.evidence <= _DECIDE

    def decided(self, now: int) -> int:
        """The direction to believe, where `now` was believed until here."""
        least = _DECIDE if now in (FORWARD, BACKWARD) else _DECIDE_FIRST
        if self.evidence > least:
            return FORWARD
        if self.evidence < -least:
            return BACKWARD
        if now == STILL or self.doubts >= _DOUBT_LOBES:
            return UNKNOWN
        return now
