"""What the wearer feels: alerts, which repeat until they are heeded, and reminders. It passes every event on to the link's server."""

from hal import feedback
from retrostep_core.constants import const

# As in hal/feedback.py.
_URGENT = const(1)
_MOST_URGENT = const(2)
# As in retrostep_core/codes.py. A private constant takes no memory.
_BACKWARD = const(2)
_RAMP = const(1)
_CEILING = const(2)
_SESSION_LIMIT = const(4)
_STOP = const(2)
# A stop is repeated this often until the cadence is back, the athlete no longer runs backward, or a press acknowledges it.
_REPEAT_MS = const(4000)
_REPEAT_LIMIT_MS = const(15000)
# A session with less backward time needs no stretch.
_BACKWARD_LEAST_MS = const(2000)
# The reminder comes after the pulses of the session's end, and once more.
_STRETCH_AFTER_MS = const(3000)
_STRETCH_AGAIN_MS = const(60000)
_STRETCH_WAITS_MS = const(600000)
_REMINDERS = const(2)
_BATTERY_LOW_PERCENT = const(15)
_BATTERY_EVERY_MS = const(600000)


class _NoHost:
    """Ignores the events."""

    def step(self, *_: object) -> None:
        pass

    gap = alert = cadence = direction = session = step


class Signals:
    """A sink of the session log's events; `poll` is called twice a second.

    feedback   hal/feedback.py's Feedback      totals   gait/totals.py's GaitTotals
    limits     attribute: the limits in force
    """

    def __init__(self, feedback: object, clock: object, totals: object, limits: object) -> None:
        self.limits = limits
        self.connect(None)
        self._feedback = feedback
        self._clock = clock
        self._totals = totals
        self._cadence_x10 = 0
        # A stop that holds: its kind, the cadence that ends it, and when it is felt again.
        self._stop_kind = 0
        self._stop_above_x10 = 0
        self._next_ms = 0
        self._is_open = False
        self._is_warm = False
        # Reminders of the stretch that are still to come, when the next one is due, and until when a press marks the stretch.
        self._reminders = 0
        self._remind_ms = 0
        self._stretch_until_ms = 0
        self._battery_ms = -_BATTERY_EVERY_MS

    def connect(self, server: object) -> None:
        """Pass every event on to `server` (link/server.py) from now on; None: ignore them."""
        self._server = server = server or _NoHost()
        self.step = server.step
        self.gap = server.gap

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> None:
        """Two short pulses for a warning; long ones for a stop, which is repeated while it holds."""
        # Played from now on: at_ms is the time of the newest sample, a little earlier.
        now_ms = self._clock.ticks_ms()
        if severity != _STOP:
            self._feedback.play(feedback.EASE_OFF, now_ms, _URGENT)
        else:
            self._stop_kind = kind
            if kind == _RAMP:
                # The cadence at which the rise would be as large as the limit.
                self._stop_above_x10 = self._cadence_x10 * (1000 + limit) // (1000 + measured)
            elif kind == _CEILING:
                self._stop_above_x10 = limit
            self._play_stop(now_ms)
        self._server.alert(at_ms, kind, severity, measured, limit)

    def cadence(self, at_ms: int, cadence_x10: int) -> None:
        """The cadence of both feet in 0.1 steps a minute; a stop ends when it is back."""
        self._cadence_x10 = cadence_x10
        if self._stop_kind and self._stop_kind != _SESSION_LIMIT and cadence_x10 <= self._stop_above_x10:
            self._stop_kind = 0
        self._server.cadence(at_ms, cadence_x10)

    def direction(self, at_ms: int, since_ms: int, direction: int) -> None:
        """Not backward: no stop holds."""
        if direction != _BACKWARD:
            self._stop_kind = 0
        self._server.direction(at_ms, since_ms, direction)

    def session(self, start_ms: int, number: int, started: bool) -> None:
        """The start forgets the session before; the end of backward running asks for a stretch."""
        now_ms = self._clock.ticks_ms()
        self._stop_kind = 0
        self._is_open = started
        self._is_warm = False
        if started:
            self.stretched()
        elif self._totals.backward_ms >= _BACKWARD_LEAST_MS:
            self._reminders = _REMINDERS
            self._remind_ms = now_ms + _STRETCH_AFTER_MS
            self._stretch_until_ms = now_ms + _STRETCH_WAITS_MS
        self._server.session(start_ms, number, started)

    @property
    def holding(self) -> tuple:
        """(kind, severity) of the stop that holds; (0, 0) for none."""
        return (self._stop_kind, _STOP) if self._stop_kind else (0, 0)

    def poll(self, now_ms: int, battery_percent: int) -> None:
        """Repeat what holds, and remind."""
        if self._stop_kind and now_ms >= self._next_ms:
            self._play_stop(now_ms)
        totals = self._totals
        if self._is_open and not self._is_warm and totals.backward_ms < _BACKWARD_LEAST_MS:
            warm_up_ms = self.limits.warm_up_s * 1000
            if warm_up_ms and totals.forward_ms >= warm_up_ms:
                self._is_warm = self._feedback.play(feedback.WARM_UP_REACHED, now_ms)
        if self._reminders and now_ms >= self._remind_ms and self._feedback.play(feedback.STRETCH, now_ms):
            self._reminders -= 1
            self._remind_ms = now_ms + _STRETCH_AGAIN_MS
        is_low = battery_percent <= _BATTERY_LOW_PERCENT and now_ms - self._battery_ms >= _BATTERY_EVERY_MS
        if is_low and self._feedback.play(feedback.BATTERY_LOW, now_ms):
            self._battery_ms = now_ms

    def acknowledge(self) -> bool:
        """The wearer has felt a stop: it is not repeated. False if none holds."""
        holds = self._stop_kind != 0
        self._stop_kind = 0
        return holds

    def is_stretch_due(self, now_ms: int) -> bool:
        """A session with backward running has ended within ten minutes, and its stretch is not marked: a press marks it."""
        return now_ms < self._stretch_until_ms

    def stretched(self) -> None:
        """The stretch is marked, or a new session has begun: remind of it no more."""
        self._reminders = 0
        self._stretch_until_ms = 0

    def _play_stop(self, now_ms: int) -> None:
        if self._stop_kind == _SESSION_LIMIT:
            self._next_ms = now_ms + _REPEAT_LIMIT_MS
            self._feedback.play(feedback.SESSION_LIMIT, now_ms, _MOST_URGENT)
            return
        self._next_ms = now_ms + _REPEAT_MS
        excess = 0
        if self._stop_above_x10 and self._cadence_x10 > self._stop_above_x10:
            excess = (self._cadence_x10 - self._stop_above_x10) * 100 // self._stop_above_x10
        self._feedback.play(feedback.stop_now(excess), now_ms, _MOST_URGENT)
