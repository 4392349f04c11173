"""Steps of both feet and direction from one shank."""

from retrostep_core.gait.codes import BACKWARD, FORWARD, STILL, UNKNOWN

_STILL_MS = 1500
_LONGEST_STRIDE_MS = 3000


class ShankSteps:
    """Contacts of the worn leg: rising zero crossings of the low-passed sagittal rate, once a stride in both directions."""

    def __init__(self, engine: object) -> None:
        self._engine = engine
        self.restart()

    def restart(self) -> None:
        """Forget everything: samples are missing."""
        self._low1 = 0
        self._low2 = 0
        self._peak = 0
        self._armed = 0
        self._cross_ms = -1
        self._before = 0
        self._before_ms = 0
        self._contact_ms = -1
        self._stride_ms = 0
        self._pending = -1
        self._moved_ms = -1
        self._third = 0
        self._second = 0
        self._both = 0

    def finish(self, at_ms: int) -> None:
        """The end of the data."""
        self._engine.pace(0)

    def sample(self, t_ms: int, ax: int, ay: int, az: int, gx: int, gy: int, gz: int) -> None:
        """One sample in body axes."""
        engine = self._engine
        self._low1 += ((gy << 4) - self._low1) >> 2
        self._low2 += (self._low1 - self._low2) >> 2
        g = self._low2 >> 4
        size = g if g >= 0 else -g
        self._peak -= self._peak >> 8
        if size > self._peak:
            self._peak = size
        level = self._peak >> 2
        if level < 150:
            level = 150
        if size > 200:
            self._moved_ms = t_ms
        # direction: third moment and correlation with forward acceleration, both leaking over about 0.6 s
        x = gy >> 5
        if x > 400:
            x = 400
        if x < -400:
            x = -400
        self._second += (x * x - self._second) >> 6
        self._third += (((x * x) >> 4) * x - self._third) >> 6
        if self._armed == 0:
            if g < -level:
                self._armed = 1
        elif self._armed == 1 and g >= 0:
            span = g - self._before
            self._cross_ms = self._before_ms + (t_ms - self._before_ms) * -self._before // (span if span else 1)
            self._armed = 2
        if self._armed == 2:
            if g > level:
                self._armed = 0
                self._contact(self._cross_ms)
            elif g < -level:
                self._armed = 1
        self._before = g
        self._before_ms = t_ms
        if self._moved_ms >= 0 and t_ms - self._moved_ms > _STILL_MS:
            self._moved_ms = -1
            self._contact_ms = -1
            engine.turn(t_ms, STILL)
            engine.pace(0)

    def _contact(self, t_ms: int) -> None:
        engine = self._engine
        last = self._contact_ms
        self._contact_ms = t_ms
        stride = t_ms - last
        third = self._third
        size = self._second
        root = 1
        while root * root < size:
            root += root
        if third > size * (root >> 5):
            engine.turn(t_ms, BACKWARD)
        elif third < -size * (root >> 5):
            engine.turn(t_ms, FORWARD)
        elif engine.tally.direction == STILL:
            engine.turn(t_ms, UNKNOWN)
        if last >= 0 and stride < _LONGEST_STRIDE_MS:
            engine.credit(last + (stride >> 1))
            engine.pace(1200000 // stride)
        engine.credit(t_ms)
