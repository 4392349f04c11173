"""Cadence of both feet from the strides of one leg."""

from retrostep_core.constants import const

# Strides below 0.8 s (150 steps a minute) are even enough that one shows a new cadence; slower ones need two.
_QUICK_STRIDE_MS = const(800)
# A slower one does too if it, and the stride that overlaps it by half, are an eighth shorter, or longer, than the one before.
_CHANGED_SHIFT = const(3)


class StrideCadence:
    """Cadence from strides that are measured twice: between the ends of half-cycles of either sign (sides 0 and 1).

    Method:
    1. The cadence is that of the last two strides of either side, averaged, at every half-cycle.
    2. In quick gait, and after a clear change, it is that of one stride, of which the newer measure counts three times.
    3. One odd stride is no new cadence; the next one shows it. Odd is a third shorter or half longer than the one before, or a tenth
       off the stride that overlaps it by half. Those two differ by less in a ramp, but not where a half-cycle is missing in a turn.

    cadence_x10, newest_x10    cadence, and that of the newest stride alone, in 0.1 steps a minute of both feet
    """

    def __init__(self) -> None:
        # The last stride of either side, and the one before; 0 for none.
        self._stride_ms = [0, 0]
        self._stride_before_ms = [0, 0]
        self.cadence_x10 = self.newest_x10 = 0

    def restart(self) -> None:
        """No stride so far."""
        for side in (0, 1):
            self._stride_ms[side] = 0
            self._stride_before_ms[side] = 0

    def add(self, side: int, stride_ms: int) -> bool:
        """A half-cycle of this side has ended, a stride after the last one of its side; 0 if that was none. Whether it shows a cadence."""
        strides_ms = self._stride_ms
        strides_before_ms = self._stride_before_ms
        before_ms = strides_ms[side]
        strides_ms[side] = stride_ms
        strides_before_ms[side] = 0
        if not stride_ms or (before_ms and not (before_ms * 2 < stride_ms * 3 and stride_ms * 2 < before_ms * 3)):
            return False
        strides_before_ms[side] = before_ms
        newest_ms = stride_ms
        two_ms = stride_ms + (before_ms or stride_ms)
        other_ms = strides_ms[1 - side]
        other_two_ms = other_ms + strides_before_ms[1 - side]
        if other_ms and strides_before_ms[1 - side] and other_two_ms * 4 < two_ms * 5 and two_ms * 4 < other_two_ms * 5:
            if not other_ms * 9 < stride_ms * 10 < other_ms * 11:
                return False
            newest_ms = (stride_ms + stride_ms + stride_ms + other_ms) >> 2
            two_ms = (two_ms + other_two_ms) >> 1
            if newest_ms < _QUICK_STRIDE_MS or (before_ms and _is_new(stride_ms, other_ms, before_ms)):
                two_ms = newest_ms << 1
        self.cadence_x10 = 2400000 // two_ms
        self.newest_x10 = 1200000 // newest_ms
        return True


def _is_new(stride_ms: int, overlapping_ms: int, before_ms: int) -> bool:
    """Whether both strides differ clearly from the one before, in the same sense."""
    least_ms = before_ms >> _CHANGED_SHIFT
    if stride_ms < before_ms:
        return stride_ms < before_ms - least_ms and overlapping_ms < before_ms - least_ms
    return stride_ms > before_ms + least_ms and overlapping_ms > before_ms + least_ms
