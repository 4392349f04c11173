"""Leads the wearer through a calibration by pulses. Imported only for a calibration, to save RAM."""

from hal import calibration_signals, feedback
from retrostep_core.gait.calibration import DONE, FAILED, LOST, SENSOR, STAND, WALK, Calibration


class CalibrationMode:
    """Takes the samples in place of the engine, in the axes of the sensor, until it is `over`.

    found    gait/calibration.py's Calibration          feedback   hal/feedback.py's Feedback
    save_mount(mount)   keeps the mount that was found; OSError if it cannot
    """

    def __init__(self, feedback: object, ticks_ms: object, save_mount: object) -> None:
        self.found = Calibration()
        self.over = False
        self._feedback = feedback
        self._ticks_ms = ticks_ms
        self._save_mount = save_mount
        self._saved = True
        self._state = STAND
        self._strides = 0
        self._play(calibration_signals.STAND_STILL)

    @property
    def reason(self) -> int:
        """Why it failed: the calibration's reason, or LOST if the mount was found but not saved. 0 for neither."""
        return self.found.reason if self._saved else LOST

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """As Engine.samples, but in the axes of the sensor."""
        found = self.found
        found.samples(block, n, t0_ms, period_us)
        if found.state != self._state:
            self._enter(found.state)
        elif found.strides > self._strides:
            self._play(feedback.CONFIRMED)
        self._strides = found.strides

    def no_samples(self) -> None:
        """The sensor is missing or has failed."""
        self.found.fail(SENSOR)
        self._enter(FAILED)

    def _enter(self, state: int) -> None:
        self._state = state
        if state == WALK:
            self._play(calibration_signals.UP_KNOWN)
            return
        self.over = True
        if state == DONE:
            try:
                self._save_mount(self.found.mount)
            except OSError:
                self._saved = False
        self._play(calibration_signals.FOUND if state == DONE and self._saved else calibration_signals.NOT_FOUND)

    def _play(self, pattern: tuple) -> None:
        self._feedback.play(pattern, self._ticks_ms())
