"""Steps from the size of the acceleration alone: waist or pocket, in any orientation."""

_LONGEST_STEP_MS = 1500


class NormSteps:
    """One step a peak of the band-passed acceleration norm, above an adaptive threshold."""

    def __init__(self, engine: object) -> None:
        self._engine = engine
        self.restart()

    def restart(self) -> None:
        """Forget everything: samples are missing."""
        self._mean = 1000 << 6
        self._low1 = 0
        self._low2 = 0
        self._peak = 0
        self._armed = 0
        self._top = 0
        self._top_ms = 0
        self._step_ms = -1

    def finish(self, at_ms: int) -> None:
        """The end of the data."""
        self._engine.pace(0)

    def sample(self, t_ms: int, ax: int, ay: int, az: int) -> None:
        """One sample, mg."""
        norm = isqrt(ax * ax + ay * ay + az * az)
        self._mean += norm - (self._mean >> 6)
        self._low1 += (((norm << 4) - (self._mean >> 2)) - self._low1) >> 2
        self._low2 += (self._low1 - self._low2) >> 2
        a = self._low2 >> 4
        self._peak -= self._peak >> 8
        if a > self._peak:
            self._peak = a
        level = self._peak >> 2
        if level < 40:
            level = 40
        if self._armed == 0:
            if a < -level:
                self._armed = 1
        elif a > level:
            if a > self._top:
                self._top = a
                self._top_ms = t_ms
        elif self._top:
            self._top = 0
            self._armed = 0
            stride = self._top_ms - self._step_ms
            if self._step_ms >= 0 and stride < _LONGEST_STEP_MS and stride > 0:
                self._engine.pace(600000 // stride)
            self._step_ms = self._top_ms
            self._engine.credit(self._top_ms)


def isqrt(x: int) -> int:
    """Whole root of 0 <= x < 2**30 by Newton's rule from above."""
    if x < 2:
        return x
    r = 1024 if x < 1048576 else 32768
    while True:
        s = (r + x // r) >> 1
        if s >= r:
            return r
        r = s
