"""Steps from the size of the acceleration alone: waist or pocket, in any orientation."""

from retrostep_core.gait.integers import isqrt

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
        self._engine.pace(0, at_ms)

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples."""
        for i in range(n):
            self.sample(t0_ms + i * period_us // 1000, block[i * 6], block[i * 6 + 1], block[i * 6 + 2])
            if t0_ms >= self._engine.tick_ms:
                self._engine.tick(t0_ms)

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
                self._engine.pace(600000 // stride, t_ms)
            self._step_ms = self._top_ms
            self._engine.credit(self._top_ms, t_ms)
