"""The cell's voltage and what is left of it."""

UNKNOWN_PERCENT = 255
# A lithium-polymer cell at rest or under a light load: mV, percent. Between the points it is a straight line.
_CURVE = ((3300, 0), (3500, 5), (3600, 10), (3700, 25), (3750, 40), (3800, 50), (3900, 65), (4000, 80), (4100, 93), (4180, 100))
# Less is no lithium cell but an open pin or a board that runs from USB without one.
_LEAST_MV = 2500


class Battery:
    """`read_uv()` is the pin's voltage in microvolt, `scale_x100` cell voltage over pin voltage times 100; None where nothing measures."""

    def __init__(self, read_uv: object = None, scale_x100: int = 100) -> None:
        self._read_uv = read_uv
        self._scale_x100 = scale_x100
        self.millivolt = 0
        self.percent = UNKNOWN_PERCENT

    def measure(self) -> None:
        """Renew `millivolt` (0 unknown) and `percent` (255 unknown) from the middle of five readings."""
        if self._read_uv is None:
            return
        millivolt = sorted([self._read_uv() for _ in range(5)])[2] // 1000 * self._scale_x100 // 100
        if millivolt < _LEAST_MV:
            self.millivolt = 0
            self.percent = UNKNOWN_PERCENT
            return
        self.millivolt = millivolt
        self.percent = percent_of(millivolt)


def percent_of(millivolt: int) -> int:
    """0..100 along the discharge curve."""
    below_mv, below = _CURVE[0]
    if millivolt <= below_mv:
        return 0
    for above_mv, above in _CURVE[1:]:
        if millivolt < above_mv:
            return below + (millivolt - below_mv) * (above - below) // (above_mv - below_mv)
        below_mv, below = above_mv, above
    return 100
