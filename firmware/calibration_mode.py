"""Leads the wearer through a calibration by pulses, and applies the mount that it finds. Imported only for a calibration, to save RAM."""

from hal import calibration_signals, feedback
from retrostep_core.constants import const
from retrostep_core.gait.calibration import DONE, FAILED, LOST, SENSOR, STAND, WALK, Calibration
from retrostep_core.gait.units import parse_mount

# As in retrostep_core/codes.py. A private constant takes no memory.
_SHANK = const(0)
_END_BUTTON = const(2)
# What is left to do for the mount that was found. Each takes a call of its own: both import modules, and samples are read in between.
_SAVE = const(2)
_APPLY = const(1)


class CalibrationMode:
    """Takes the samples in place of the engine, in the axes of the sensor, until the calibration ends. An open session is ended first.

    `sampling` gives it the samples; `engine` and `session` get the mount; `save_mount(mount)` keeps it, OSError if it cannot.
    ValueError for a sensor that is not on the shank.

    found    gait/calibration.py's Calibration
    """

    def __init__(self, sampling: object, engine: object, session: object, feedback: object, clock: object, save_mount: object) -> None:
        if engine.placement != _SHANK:
            raise ValueError("only a sensor on the shank can be calibrated")
        self.found = Calibration()
        self._sampling = sampling
        self._engine = engine
        self._session = session
        self._feedback = feedback
        self._clock = clock
        self._save_mount = save_mount
        self._is_over = False
        self._to_do = 0
        self._saved = True
        self._state = STAND
        self._strides = 0
        now_ms = clock.ticks_ms()
        engine.finish(now_ms)
        session.stop(now_ms, _END_BUTTON)
        self._play(calibration_signals.STAND_STILL)
        sampling.divert(self)

    @property
    def result(self) -> tuple:
        """State, strides and reason, as in answers.Calibration. The reason is LOST if the mount was found but not saved.

        The state is WALK until the mount that was found is saved and applied.
        """
        found = self.found
        return WALK if self._to_do else found.state, found.strides, found.reason if self._saved else LOST

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """As Engine.samples, but in the axes of the sensor."""
        found = self.found
        found.samples(block, n, t0_ms, period_us)
        if found.state != self._state:
            self._enter(found.state)
        elif found.strides > self._strides:
            self._play(feedback.CONFIRMED)
        self._strides = found.strides

    def poll(self) -> bool:
        """False once the calibration has ended, and its mount is applied. Call it after samples were read."""
        found = self.found
        if not self._sampling.running and not self._is_over:
            found.fail(SENSOR)
            self._enter(FAILED)
        if self._to_do == _SAVE:
            self._to_do = _APPLY
            self._save()
            return True
        if self._is_over:
            if self._to_do:
                self._to_do = 0
                self._session.declare(found.mount)
                self._engine.declare_mount()
            self.leave()
        return not self._is_over

    def leave(self) -> None:
        """Give the samples back to the engine, turned by the mount of the session."""
        self._sampling.restore(parse_mount(self._session.mount))

    def _enter(self, state: int) -> None:
        self._state = state
        if state == WALK:
            self._play(calibration_signals.UP_KNOWN)
            return
        self._is_over = True
        if state == DONE:
            self._to_do = _SAVE
        else:
            self._play(calibration_signals.NOT_FOUND)

    def _save(self) -> None:
        try:
            self._save_mount(self.found.mount)
        except OSError:
            self._saved = False
        self._play(calibration_signals.FOUND if self._saved else calibration_signals.NOT_FOUND)

    def _play(self, pattern: tuple) -> None:
        self._feedback.play(pattern, self._clock.ticks_ms())
