"""Leads the wearer through a calibration by pulses. Loaded while it lasts: on a board its code lives in the heap."""

from hal import signal
from retrostep_core.gait.calibration import DONE, FAILED, LOST, SENSOR, STAND, WALK, Calibration

# Patterns as in hal/signal.py, felt here only.
_STAND_STILL = (60, 100, 60, 100, 60)
_FOUND = (120, 100, 120, 100, 500)
_NOT_FOUND = (500, 200, 500)


class Guide:
    """Takes samples in the sensor's axes where the engine takes those in the body's, until it is `over`; `found` is the Calibration.

    player     hal/signal.py's Signal              ticks_ms   its clock
    save_mount(mount)   keeps what was found; OSError where it cannot
    """

    def __init__(self, player: object, ticks_ms: object, save_mount: object) -> None:
        self.found = Calibration()
        self.over = False
        self._player = player
        self._ticks_ms = ticks_ms
        self._save_mount = save_mount
        self._state = STAND
        self._strides = 0
        self._play(_STAND_STILL)

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """As gait/engine.py's."""
        found = self.found
        found.samples(block, n, t0_ms, period_us)
        if found.state != self._state:
            self._turn(found.state)
        elif found.strides > self._strides:
            self._play(signal.MARKED)
        self._strides = found.strides

    def no_samples(self) -> None:
        """The sensor is missing, or gone."""
        self.found.fail(SENSOR)
        self._turn(FAILED)

    def _turn(self, state: int) -> None:
        self._state = state
        if state == WALK:
            self._play(signal.START)
            return
        self.over = True
        if state == DONE:
            try:
                self._save_mount(self.found.mount)
            except OSError:
                self.found.reason = LOST
        self._play(_FOUND if state == DONE and not self.found.reason else _NOT_FOUND)

    def _play(self, pattern: tuple) -> None:
        self._player.play(pattern, self._ticks_ms())
