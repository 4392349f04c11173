"""What each press of the button does."""

from hal import feedback
from retrostep_core.constants import const

# As in hal/feedback.py.
_NORMAL = const(0)
_URGENT = const(1)
# As in hal/button.py.
_NONE = const(0)
_SHORT = const(1)
_LONG = const(3)
_TRIPLE = const(4)
# As in retrostep_core/codes.py. A private constant takes no memory.
_START_BUTTON = const(2)
_END_BUTTON = const(2)
_MARK_WARM_UP = const(1)
_MARK_STRETCH = const(2)
_MARK_BACKWARD = const(3)
_MARK_ACKNOWLEDGED = const(5)


class ButtonActions:
    """What each press does to `wearable`, the App.

    Short: start or end a session. Double: mark warm-up or stretch. Long: mark a backward bout. Triple: calibrate.

    A press during a stop, or a short one after the stretch reminder, answers that signal instead.
    """

    def __init__(self, button: object, wearable: object, totals: object, signals: object, feedback: object, console: object) -> None:
        self._button = button
        self._wearable = wearable
        self._totals = totals
        self._signals = signals
        self._feedback = feedback
        self._console = console

    def poll(self, now_ms: int) -> bool:
        """Read the button; do what its press asks for, and confirm it by pulses. True while somebody presses it."""
        press = self._button.poll(now_ms)
        if press == _NONE:
            return self._button.is_pressed
        session = self._wearable.session
        pattern: tuple[int, ...] = feedback.CONFIRMED
        if self._wearable.is_calibrating:
            self._wearable.calibrate(False)
            pattern = feedback.SESSION_ENDED
        elif self._signals.acknowledge():
            session.mark(now_ms, _MARK_ACKNOWLEDGED)
        elif press != _TRIPLE and self._signals.is_stretch_due(now_ms):
            self._mark_stretch(now_ms)
        elif press == _TRIPLE:
            if self._calibrate():
                return True
            pattern = feedback.FAULT
        elif press == _SHORT:
            pattern = feedback.SESSION_ENDED
            if not session.stop(now_ms, _END_BUTTON):
                session.start(now_ms, _START_BUTTON)
                pattern = feedback.SESSION_STARTED
        elif press == _LONG:
            session.mark(now_ms, _MARK_BACKWARD)
        elif self._totals.backward_steps:
            # The warm-up comes before the backward running, the stretch after it.
            self._mark_stretch(now_ms)
        else:
            session.mark(now_ms, _MARK_WARM_UP)
        self._feedback.play(pattern, now_ms, _URGENT if pattern is feedback.FAULT else _NORMAL)
        return True

    def _mark_stretch(self, now_ms: int) -> None:
        # Without an open session, the mark opens one: its recording belongs to the same training.
        self._wearable.session.mark(now_ms, _MARK_STRETCH)
        self._signals.stretched()

    def _calibrate(self) -> bool:
        if self._wearable.session.open:
            return False
        try:
            self._wearable.calibrate(True)
        except ValueError as refusal:
            self._console.queue_text("retrostep: %s" % refusal)
            return False
        return True
