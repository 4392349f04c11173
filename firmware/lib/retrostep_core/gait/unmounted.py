"""Steps of both feet from a shank whose sensor axes are unknown."""

from retrostep_core.constants import const
from retrostep_core.gait.shank import ShankSteps

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)


class UnmountedShank(ShankSteps):
    """Steps of both feet and cadence from one shank in unknown sensor axes; the direction stays UNKNOWN.

    Method:
    1. `MountFinder` finds the axis that the leg turns about, and which of the others is vertical. When one changes, the detector restarts.
    2. ShankSteps in these axes. Signs are unknown and not needed: the swing is the shorter and faster half-cycle.

    Deviation: one of three axes, not a rotation; a sensor that is turned by 45 degrees shows 0.7 of each angle.
    """

    def __init__(self, output: object) -> None:
        self._left = -1
        self._up = -1
        super().__init__(output)
        self._phases.forget_direction()

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples in sensor axes, as in Engine.samples."""
        finder = self._output.finder
        left = finder.left
        up = finder.up
        if left != self._left or up != self._up:
            # The movement so far was seen about another axis.
            if self._left >= 0:
                self.finish(t0_ms)
                self._output.direction(t0_ms, _UNKNOWN, t0_ms)
            self._left = left
            self._up = up
            self.set_axes(3 - left - up, left, up)
            self.restart(False)
        super().samples(block, n, t0_ms, period_us)
