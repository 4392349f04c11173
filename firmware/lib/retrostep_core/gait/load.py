"""How hard the worn leg lands: peak tibial acceleration and its rise, for each contact of this leg."""

from array import array

from retrostep_core.constants import const
from retrostep_core.directions import counted_direction
from retrostep_core.intmath import isqrt

# Blocks of samples are kept for 5 s, as contacts are credited late.
_BLOCKS = const(48)
# Values of a block in 32 bits: its start in ms, and the square of the peak resultant in mg * mg.
_WIDE = const(2)
# In 16 bits: its length in ms, the peak along the shank in mg, the rise in mg a sample, 1 if clipped.
_NARROW = const(4)
# A contact is found about 20 ms around initial contact; the axial peak comes 20 to 50 ms after it.
_BEFORE_MS = const(30)
_AFTER_MS = const(100)
# A contact waits until two more have come, or 3 s: then its direction is settled.
_WAITING = const(3)
_WAIT_MS = const(3000)
# Places in the sums of a direction.
_COUNT = const(0)
_CLIPPED = const(1)
_AXIAL = const(2)  # sum in mg, then the maximum; likewise the next two
_RESULTANT = const(4)
_RISE = const(6)  # in mg a sample
_SUMS = const(8)


class Load:
    """Peaks of the tibial acceleration, summed by direction until they are taken.

    Method:
    1. For each block of up to 16 samples the driver gives the peak along the shank, the peak of the resultant, the fastest rise along
       the shank from one sample to the next, and whether a value was at the rail (hal/fifo.py). Gravity is taken off along the shank.
    2. The impact of a contact is the largest of each in the blocks that touch the time from 30 ms before to 100 ms after it.
    3. A clipped impact is counted apart. It is in no mean and no maximum.

    Band: 0 to 52 Hz, the filter of the chip at 104 samples a second. That is too little for the true peak: 200 Hz are needed for it, and
    500 Hz at the heel (Mitschke et al. 2017, Comput Methods Biomech Biomed Engin 20:1502). A half sine of 30 ms loses 4 % on average
    and 12 % at worst, one of 20 ms 9 % and 27 %, one of 12 ms 24 % and 69 %, before the filter. So compare sessions of one device.
    The rise over one sample is a lower bound of the loading rate. 208 Hz for the accelerometer alone would fit: 1.6 s of samples in the
    FIFO instead of 2.5 s, and 4.9 % of the time on the bus at 400 kHz instead of 3.3 %. It is not used, because the engine's input, and
    with it every count, would change.

    Sources: peak tibial acceleration stands for the impact at the tibia and depends on placement, speed, surface and shoes; that it
    measures bone stress is not proven (review: Sheerin et al. 2019, Gait Posture 67:12). Runners with an earlier tibial stress fracture
    had higher peaks (Milner et al. 2006, Med Sci Sports Exerc 38:323). It is no measure of the force in the bone (Zandbergen et al. 2023,
    Sports Biomech, doi 10.1080/14763141.2022.2164345).
    Deviations: gravity is taken off as 1 g along the shank, which leans less than 20 degrees at contact (error at most 0.06 g along and
    0.34 g across it); peaks of whole blocks; a strapped sensor, which rings.

    totals    GaitTotals: the direction of a contact
    """

    def __init__(self, totals: object) -> None:
        self._totals = totals
        self._wide = array("i", bytes(4 * _BLOCKS * _WIDE))
        self._narrow = array("h", bytes(2 * _BLOCKS * _NARROW))
        self._newest = 0
        self._waiting_ms = [-1] * _WAITING
        self._sums = [[0] * _SUMS for _ in range(3)]

    def block(self, start_ms: int, end_ms: int, impact: object) -> None:
        """Keep the impact of a block of samples: peak along the shank in mg, resultant in mg * mg, rise in mg a sample, 1 if clipped."""
        self._newest = newest = (self._newest + 1) % _BLOCKS
        self._wide[newest * _WIDE] = start_ms
        self._wide[newest * _WIDE + 1] = impact[1]
        narrow = self._narrow
        at = newest * _NARROW
        narrow[at] = end_ms - start_ms
        narrow[at + 1] = impact[0]
        narrow[at + 2] = impact[2]
        narrow[at + 3] = impact[3]

    def contact(self, t_ms: int) -> None:
        """The worn leg made a contact at `t_ms`; contacts come in order."""
        waiting_ms = self._waiting_ms
        oldest_ms = waiting_ms[0]
        for k in range(_WAITING - 1):
            waiting_ms[k] = waiting_ms[k + 1]
        waiting_ms[_WAITING - 1] = t_ms
        if oldest_ms >= 0:
            self._add(oldest_ms)

    def settle(self, now_ms: int) -> None:
        """Add the contacts that have waited for 3 s."""
        waiting_ms = self._waiting_ms
        for k in range(_WAITING):
            t_ms = waiting_ms[k]
            if 0 <= t_ms < now_ms - _WAIT_MS:
                waiting_ms[k] = -1
                self._add(t_ms)

    def sums(self, direction: int) -> list:
        """The sums of the contacts of a direction since they were cleared."""
        return self._sums[direction]

    def clear(self) -> None:
        """Start new sums."""
        for sums in self._sums:
            for k in range(_SUMS):
                sums[k] = 0

    def _add(self, t_ms: int) -> None:
        """Add the impact of a contact; without a block near it there is none."""
        wide = self._wide
        narrow = self._narrow
        axial = square = rise = clipped = 0
        k = self._newest
        for _ in range(_BLOCKS):
            start_ms = wide[k * _WIDE]
            at = k * _NARROW
            if start_ms + narrow[at] < t_ms - _BEFORE_MS:
                break
            if start_ms <= t_ms + _AFTER_MS:
                square = max(square, wide[k * _WIDE + 1])
                axial = max(axial, narrow[at + 1])
                rise = max(rise, narrow[at + 2])
                clipped |= narrow[at + 3]
            k = (k or _BLOCKS) - 1
        if not square:
            return
        sums = self._sums[counted_direction(self._totals.direction_at(t_ms))]
        if clipped:
            sums[_CLIPPED] += 1
            return
        sums[_COUNT] += 1
        _put(sums, _AXIAL, axial)
        _put(sums, _RESULTANT, isqrt(square))
        _put(sums, _RISE, rise)


def _put(sums: list, at: int, value: int) -> None:
    sums[at] += value
    if value > sums[at + 1]:
        sums[at + 1] = value
