"""Whether the foot goes round on a crank: the force on the leg rises and falls once a turn, as a sine."""

from array import array

from retrostep_core.constants import const

# Forces are kept for 128 samples of 52 Hz (2.5 s): 25 turns a minute. A slower crank has no force of its own.
_KEPT_MOST = const(128)
_KEPT_MASK = const(127)
# A stride is divided into 16 parts, with at least one sample each.
_PARTS = const(16)
_HALF = const(8)
# Means of parts are in 16 mg: no sum of squares leaves 2**30.
_PART_SHIFT = const(3)
# The sine has at least 0.3 g: the sum of the squares of its parts.
_SINE_LEAST_2 = const(2812)
# Energy of the sine over that of the rest, in 1/16, at most 64. On a crank it is above 1.5 along the leg, and the product for both forces
# is above 4; or it is above 2.5 for the size. Recorded walks and runs: up to 2.3 along the leg, 3.3 for the product, 2.3 for the size.
_UP_LEAST_X16 = const(24)
_SIZE_LEAST_X16 = const(40)
_RATIO_MOST_X16 = const(1024)
_CRANK_LEAST_X256 = const(1024)
# Sines of 0, 22.5, 45, 67.5 degrees and on, in 1/64.
_SINES_X64 = (0, 24, 45, 59, 64, 59, 45, 24)
_COSINES_X64 = (64, 59, 45, 24, 0, -24, -45, -59)


class CrankForce:
    """Distinguishes turns of a crank from strides, by the force along the leg and the size of the force.

    Method, for the samples of one stride or turn:
    1. A foot on a crank is carried round evenly. Its acceleration has the same size all the time and turns once a turn: at 75 turns a
       minute it is 1 g. So both forces rise and fall once.
    2. A foot that steps stands in stance and is thrown in swing. Both forces rise and fall at least twice: at the strike, at push-off, and
       at the ends of the swing.
    3. The forces in 16 equal parts give the energy of the sine with one period, and that of the rest. Shaking by a rough road is averaged
       within the parts.

    Source: none was found; the limit lies between recorded gait and generated cycling.

    ups, sizes   the last 128 forces along the leg and sizes of the force, in 2 mg; the caller writes both
    up_ratio_x16    of the stride checked last: energy of the sine over that of the rest, along the leg; 0 for no sine
    place        the index of the next one; the caller writes it before `is_crank`
    """

    def __init__(self) -> None:
        self.ups = array("h", bytes(2 * _KEPT_MOST))
        self.sizes = array("h", bytes(2 * _KEPT_MOST))
        self.place = 0
        self.up_ratio_x16 = 0
        self._parts = [0] * _PARTS

    def is_crank(self, samples: int) -> bool:
        """Whether the newest `samples` are of a foot on a crank."""
        self.up_ratio_x16 = 0
        if not _PARTS <= samples <= _KEPT_MOST:
            return False
        self.up_ratio_x16 = ratio_x16 = self._ratio_x16(self.ups, samples)
        size_ratio_x16 = self._ratio_x16(self.sizes, samples)
        return size_ratio_x16 > _SIZE_LEAST_X16 or (ratio_x16 > _UP_LEAST_X16 and ratio_x16 * size_ratio_x16 > _CRANK_LEAST_X256)

    def _ratio_x16(self, forces: object, samples: int) -> int:
        """The energy of the sine with one period, over that of the rest; 0 for a sine of less than 0.3 g."""
        parts = self._parts
        start = at = self.place - samples
        energy = total = sine = cosine = 0
        for k in range(_PARTS):
            end = start + (samples * (k + 1) >> 4)
            force = 0
            for j in range(at, end):
                force += forces[j & _KEPT_MASK]
            parts[k] = force = force // (end - at) >> _PART_SHIFT
            total += force
            energy += force * force
            at = end
        for k in range(_HALF):
            force = parts[k] - parts[k + _HALF]
            sine += force * _SINES_X64[k]
            cosine += force * _COSINES_X64[k]
        sine >>= 6
        cosine >>= 6
        # The sum of both squares is 8 times the energy if there is nothing but the sine.
        sine = (sine * sine + cosine * cosine) >> 3
        if sine < _SINE_LEAST_2:
            return 0
        total >>= 2
        energy -= total * total
        ratio_x16 = (sine << 4) // (energy - sine if energy > sine else 1)
        return ratio_x16 if ratio_x16 < _RATIO_MOST_X16 else _RATIO_MOST_X16
