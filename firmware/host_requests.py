"""What a host may ask of the wearable. Imported with the link's server, while a host speaks."""

from retrostep_core.constants import const

# As in retrostep_core/codes.py. A private constant takes no memory.
_END_BUTTON = const(2)
# The state in STATUS, as in link/messages.py.
_IDLE = const(0)
_IN_SESSION = const(1)


class HostRequests:
    """The `wearable` of link/server.py's Server; `app` is the App."""

    def __init__(self, app: object) -> None:
        self._app = app
        self.identity = app.identity
        self.nickname = app.nickname
        self.clock = app.clock
        self.calibrate = app.calibrate

    @property
    def limits(self) -> object:
        """The limits in force."""
        return self._app.limits

    def set_limits(self, limits: object) -> bool:
        """Save `limits` and apply them. Changed limits end the session first. False: call it again, the samples have their turn before.

        OSError if they cannot be saved; the old ones then stay.
        """
        app = self._app
        # The header's limits hold for the whole log.
        if limits != app.limits and app.session.stop(self.clock.ticks_ms(), _END_BUTTON):
            return False
        app.save_limits(limits)
        app.limits = app.session.limits = app.signals.limits = limits
        app.engine.set_limits(limits)
        return True

    def calibration(self) -> tuple:
        """The fields of answers.Calibration, of the running calibration or of the last one."""
        return self._app.calibrated + (self._app.session.mount,)

    def identify(self) -> None:
        """Eight pulses of the motor and the LED, so that a person finds this device among others."""
        self._app.feedback.play((200, 200) * 8, self.clock.ticks_ms())

    def capture(self, minutes: int, label: str) -> None:
        """Record raw samples for `minutes`; 0 ends the capture. ValueError if it is impossible."""
        session = self._app.session
        now_ms = self.clock.ticks_ms()
        if not minutes:
            session.end_capture(now_ms)
        elif self._app.is_calibrating:
            raise ValueError("a calibration is running")
        else:
            try:
                session.capture(now_ms, minutes, label)
            except MemoryError:
                raise ValueError("not enough memory to capture: reset the board and try again") from None

    def status(self) -> tuple:
        """The fields of answers.Status. The totals are those of the open session."""
        app = self._app
        session = app.session
        totals = app.engine.totals
        return (
            _IN_SESSION if session.open else _IDLE,
            session.number if session.open else 0,
            max(self.clock.ticks_ms() - session.start_ms, 0) if session.open else 0,
            totals.direction,
            totals.cadence_x10,
            totals.counted() if session.open else (0, 0, 0, 0, 0),
            app.battery.millivolt,
            app.battery.percent,
            app.store.free_bytes(),
            app.store.unsynced,
            app.faults.bits,
            app.sampling.reason,
        )
