"""Starts and ends the calibration mode, and applies the mount that it finds."""

import gc

from hal import unload
from retrostep_core.constants import const

# As in retrostep_core/codes.py. A private constant takes no memory.
_SHANK = const(0)
_END_BUTTON = const(2)


class Calibrator:
    """`sampling` gets the samples; `engine` and `session` get the mount; `save_mount(mount)` keeps it, OSError if it cannot."""

    def __init__(self, sampling: object, engine: object, session: object, feedback: object, clock: object, save_mount: object) -> None:
        self._sampling = sampling
        self._engine = engine
        self._session = session
        self._feedback = feedback
        self._clock = clock
        self._save_mount = save_mount
        self._mode: object = None  # calibration_mode.CalibrationMode while a calibration is running
        self._last = (0, 0, 0)  # state, strides and reason of the last calibration

    @property
    def active(self) -> bool:
        """True while a calibration is running."""
        return self._mode is not None

    def begin(self) -> None:
        """Start a calibration, also in place of a running one; an open session ends. ValueError if it is impossible."""
        if self._engine.placement != _SHANK:
            raise ValueError("only a sensor on the shank can be calibrated")
        self.cancel()
        gc.collect()
        try:
            from calibration_mode import CalibrationMode
        except MemoryError:
            raise ValueError("not enough memory for a calibration: reset the board and try again") from None
        now_ms = self._clock.ticks_ms()
        self._engine.finish(now_ms)
        self._session.stop(now_ms, _END_BUTTON)
        self._mode = CalibrationMode(self._feedback, self._clock.ticks_ms, self._save_mount)
        self._sampling.divert(self._mode)
        self.poll()

    def cancel(self) -> None:
        """Stop a running calibration; the mount stays. The result of the last one is deleted."""
        self._last = (0, 0, 0)
        if self._mode is not None:
            self._leave()

    def poll(self) -> None:
        """Apply the result of a calibration that has ended. Call it after samples were read."""
        mode = self._mode
        if mode is None:
            return
        if not self._sampling.running:
            mode.no_samples()
        if mode.over:
            found = mode.found
            self._last = (found.state, found.strides, mode.reason)
            if found.mount:
                self._session.declare(found.mount)
                self._engine.declare_mount()
            self._leave()

    def result(self) -> tuple:
        """The fields of answers.Calibration, of the running calibration or of the last one."""
        state, strides, reason = self._last
        mode = self._mode
        if mode is not None:
            state, strides, reason = mode.found.state, mode.found.strides, mode.reason
        return state, strides, reason, self._session.mount

    def _leave(self) -> None:
        # Imported here: the app frees it after the start.
        from retrostep_core.gait.units import parse_mount

        self._mode = None
        self._sampling.restore(parse_mount(self._session.mount))
        unload("calibration_mode", "hal.calibration_signals", "retrostep_core.gait.calibration", "retrostep_core.gait.units")
