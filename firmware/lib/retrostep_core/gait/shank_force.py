"""Steps of both feet from the accelerometer of one shank, where the gyroscope is dead."""

from retrostep_core.constants import const

# Gains of vertical speed in mg x 1/52 s = 0.19 mm/s, as in waist.py. No step gains 1.1 m/s; the shank of a runner does, once a stride.
_RUN_GAIN = const(6000)
_RUN_STRIDE_LEAST_MS = const(460)
# Walking: longer intervals are strides. Beyond the longest stride, the interval is a pause.
_WALK_STRIDE_LEAST_MS = const(900)
_STRIDE_MOST_MS = const(2400)


class BothFeet:
    """Between `WaistSteps` and its output: adds the steps of the other foot, which the shank hardly feels.

    Method: a step that comes a whole stride after the one before it has the other foot's step in its middle. An interval is a stride if it
    is longer than 0.9 s, or longer than 0.46 s with a gain of speed that only a running shank has.

    Source: none; the limits separate recorded walks and runs. Without a gyroscope, about one walking step in six is missed.

    output    GaitOutput
    steps     WaistSteps; set it before the first sample
    """

    def __init__(self, output: object) -> None:
        self._output = output
        self.direction = output.direction
        self.tick = output.tick
        self.steps: object = None
        self._last_ms = -_STRIDE_MOST_MS
        self._has_both = False

    @property
    def next_tick_ms(self) -> int:
        """As GaitOutput.next_tick_ms."""
        return self._output.next_tick_ms

    def step(self, t_ms: int, at_ms: int) -> None:
        """A step of the worn leg, or of either foot."""
        interval = t_ms - self._last_ms
        least = _RUN_STRIDE_LEAST_MS if self.steps.usual_gain > _RUN_GAIN else _WALK_STRIDE_LEAST_MS
        self._has_both = interval < least
        if least <= interval < _STRIDE_MOST_MS:
            self._output.step(t_ms - (interval >> 1), at_ms)
        self._last_ms = t_ms
        self._output.step(t_ms, at_ms)

    def cadence(self, cadence_x10: int, newest_x10: int, at_ms: int) -> None:
        """The cadence of what `step` got."""
        if not self._has_both:
            cadence_x10 *= 2
            newest_x10 *= 2
        self._output.cadence(cadence_x10, newest_x10, at_ms)
