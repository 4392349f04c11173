"""Voltage and charge of the cell."""

from retrostep_core.constants import const

_UNKNOWN_PERCENT = const(255)
# A lower voltage is not a lithium cell: the pin is open, or the board runs from USB without a cell.
_CELL_LEAST_MV = const(2500)
_READINGS = const(5)
# A measurement counts for a quarter: the motor and the radio pull the voltage down for a moment.
_WEIGHT = const(4)
# The charge must rise by so much to be one that is charged: a cell that recovers from a load is not.
_CHARGED_PERCENT = const(15)
# So many measurements in a row at 0 % are an empty cell.
_EMPTY_IN_A_ROW = const(3)


class Battery:
    """`read_uv()` returns the pin's voltage in microvolts; None on a board that cannot measure it.

    It may raise OSError: chips without a reference voltage in their eFuse cannot convert it. `failed` is True from then on.

    scale_x100   cell voltage / pin voltage, times 100
    millivolt    of the cell, averaged; 0 unknown
    percent      0 to 100; 255 unknown. It never rises but by charging
    is_empty     the cell will soon give no more: what is open must be closed
    """

    def __init__(self, read_uv: object = None, scale_x100: int = 100) -> None:
        self._read_uv = read_uv
        self.failed = False
        self._scale_x100 = scale_x100
        self.millivolt = 0
        self.percent = _UNKNOWN_PERCENT
        self.is_empty = False
        self._is_charging = False
        self._empty_in_a_row = 0

    def measure(self) -> None:
        """Update `millivolt` and `percent` from the median of five readings."""
        if self._read_uv is None:
            return
        try:
            median_uv = sorted([self._read_uv() for _ in range(_READINGS)])[_READINGS // 2]
        except (OSError, ValueError):
            self._read_uv = None
            self.failed = True
            self.millivolt = 0
            self.percent = _UNKNOWN_PERCENT
            return
        millivolt = median_uv // 1000 * self._scale_x100 // 100
        if millivolt < _CELL_LEAST_MV:
            self.millivolt = 0
            self.percent = _UNKNOWN_PERCENT
            self.is_empty = False
            return
        if self.millivolt:
            millivolt = self.millivolt + (millivolt - self.millivolt) // _WEIGHT
        self.millivolt = millivolt
        percent = percent_of(millivolt)
        self._is_charging = percent >= self.percent + (1 if self._is_charging else _CHARGED_PERCENT)
        if percent < self.percent or self._is_charging:
            self.percent = percent
        self._empty_in_a_row = 0 if percent else self._empty_in_a_row + 1
        self.is_empty = self._empty_in_a_row >= _EMPTY_IN_A_ROW


def percent_of(millivolt: int) -> int:
    """Charge in percent, 0 to 100, at a cell voltage."""
    # A typical lithium-polymer cell at a load of a tenth of its capacity: mV, percent. Linear in between.
    discharge = ((3300, 0), (3500, 5), (3600, 10), (3700, 25), (3750, 40), (3800, 50), (3900, 65), (4000, 80), (4100, 93), (4180, 100))
    below_mv, below = discharge[0]
    if millivolt <= below_mv:
        return 0
    for above_mv, above in discharge[1:]:
        if millivolt < above_mv:
            return below + (millivolt - below_mv) * (above - below) // (above_mv - below_mv)
        below_mv, below = above_mv, above
    return 100
