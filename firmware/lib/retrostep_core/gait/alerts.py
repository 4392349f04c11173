"""Alerts about running backward: a cadence that climbs or is too high, a cold start, time used up."""

from retrostep_core.gait.codes import BACKWARD, CEILING, COLD_START, RAMP, SESSION_LIMIT, STOP, WARN

TICK_MS = 250
_WINDOW_MOST_S = 60
_SLOTS = _WINDOW_MOST_S * 1000 // TICK_MS + 8
# By so many ticks the measured cadence may lag the true one.
_LAG = 4
# Cadences whose median is the level to rise from: 2.75 s.
_MEDIAN = 11

# A cadence that has been backward for this long is a level to rise from; before, it is a start from standing.
_SETTLE_MS = 1000
# Backward movement shorter than this is a step aside, not the beginning of a backward bout.
_BOUT_MS = 2000
# The same severity is not signalled again within this time, and a level counts as left only this far below it (in 0.1 %).
_REFRACTORY_MS = 10000
_HYSTERESIS_X10 = 30


class Monitor:
    """Compares backward movement with the limits in force; call `tick` every 250 ms.

    cadence_ramp   rise of the backward cadence over a sliding window, in 0.1 %, against the lowest level (median of 2.75 s, so that
                   one stride in a turn is none) inside the window and inside this unbroken backward stretch, its first second and
                   the first median left out: speeding up from standing is no rise. To stop in time the window is a second longer,
                   as measured cadence lags, and where it already rises past the warning the newest stride alone is compared; to
                   warn only above the limit the second's lowest cadence is compared. The thresholds are an engineering
                   default: no published threshold was found.
    cadence_ceiling  backward cadence in 0.1 steps a minute.
    cold_start     backward for 2 s with less forward time than the warm-up wants; in s; once a session.
    session_limit  backward time of the session in s; once each severity and session.

    One alert for each escalation (nothing -> warn -> stop). A level is left 3 % below its limit, and neither the same severity nor a
    lower one is signalled again within 10 s (it is said then, if it still holds).
    """

    def __init__(self, sink: object, limits: object) -> None:
        self._sink = sink
        self._ring = [0] * _SLOTS
        self._at = 0
        self._filled = 0
        self._newest = [0] * _MEDIAN
        self._order = [0] * _MEDIAN
        self._turn = 0
        self._count = 0
        self._settled_ms = 0
        self._ramp = _Escalation(sink, RAMP)
        self._ceiling = _Escalation(sink, CEILING)
        self._cold = 0
        self._session = 0
        self.set_limits(limits)

    def set_limits(self, limits: object) -> None:
        """These limits hold from now on."""
        self._limits = limits
        # A median is as old as its middle.
        self._window = limits.ramp_window_s * 1000 // TICK_MS - _MEDIAN // 2

    def start(self) -> None:
        """A new session: what is said once a session may be said again."""
        self._cold = 0
        self._session = 0

    def restart(self) -> None:
        """Samples are missing: nothing before them is a level to rise from."""
        self._filled = 0
        self._count = 0
        self._turn = 0
        self._settled_ms = 0

    def tick(self, at_ms: int, direction: int, cadence_x10: int, newest_x10: int, forward_ms: int, backward_ms: int) -> None:
        """State of the newest sample: direction now, cadence in 0.1 steps a minute (0 none), that of the newest stride alone,
        time of the session by direction."""
        limits = self._limits
        if direction != BACKWARD or cadence_x10 == 0:
            self.restart()
            self._ramp.level = 0
            self._ceiling.level = 0
        else:
            self._settled_ms += TICK_MS
            if self._settled_ms > _SETTLE_MS:
                self._rise(at_ms, cadence_x10, newest_x10, limits)
            self._ceiling.update(at_ms, cadence_x10, limits.ceiling_warn_x10, limits.ceiling_stop_x10, 1000)
        if direction == BACKWARD:
            self._time(at_ms, forward_ms, backward_ms, limits)

    def _rise(self, at_ms: int, cadence_x10: int, newest_x10: int, limits: object) -> None:
        # The newest cadences, sorted by insertion: their median is the level now, untouched by a stride that a turn made long.
        newest = self._newest
        newest[self._turn] = cadence_x10
        self._turn = (self._turn + 1) % _MEDIAN
        if self._count < _MEDIAN:
            self._count += 1
            if self._count < _MEDIAN:
                return
        order = self._order
        for k in range(_MEDIAN):
            value = newest[k]
            i = k
            while i > 0 and order[i - 1] > value:
                order[i] = order[i - 1]
                i -= 1
            order[i] = value
        level = order[_MEDIAN // 2]
        ring = self._ring
        at = self._at
        ring[at] = level
        self._at = at + 1 if at < _SLOTS - 1 else 0
        if self._filled < self._window + _LAG:
            self._filled += 1
        lowest = inside = level
        for k in range(self._filled - 1):
            at -= 1
            if at < 0:
                at = _SLOTS - 1
            if ring[at] < lowest:
                lowest = ring[at]
            if k < self._window - 1:
                inside = lowest
        rise_x10 = (cadence_x10 - lowest) * 1000 // lowest
        if newest_x10 > cadence_x10 and rise_x10 >= limits.ramp_warn_x10:
            rise_x10 = (newest_x10 - lowest) * 1000 // lowest
        if rise_x10 < limits.ramp_stop_x10 or not limits.ramp_stop_x10:
            # Not to warn below the limit: the lowest of the last second's cadences, against the window without allowance.
            for k in range(1, _LAG + 1):
                value = newest[(self._turn - 1 - k) % _MEDIAN]
                if value < cadence_x10:
                    cadence_x10 = value
            rise_x10 = (cadence_x10 - inside) * 1000 // inside
        self._ramp.update(at_ms, rise_x10, limits.ramp_warn_x10, limits.ramp_stop_x10, 0)

    def _time(self, at_ms: int, forward_ms: int, backward_ms: int, limits: object) -> None:
        if not self._cold and backward_ms >= _BOUT_MS:
            self._cold = 1
            if forward_ms < limits.warm_up_s * 1000:
                self._sink.alert(at_ms, COLD_START, WARN, forward_ms // 1000, limits.warm_up_s)
        backward_s = backward_ms // 1000
        if self._session < STOP and limits.session_stop_s and backward_s >= limits.session_stop_s:
            self._session = STOP
            self._sink.alert(at_ms, SESSION_LIMIT, STOP, backward_s, limits.session_stop_s)
        elif self._session < WARN and limits.session_warn_s and backward_s >= limits.session_warn_s:
            self._session = WARN
            self._sink.alert(at_ms, SESSION_LIMIT, WARN, backward_s, limits.session_warn_s)


class _Escalation:
    """One kind of alert that can rise to warn and stop and fall again."""

    def __init__(self, sink: object, kind: int) -> None:
        self._sink = sink
        self._kind = kind
        self.level = 0
        self._said_ms = [-_REFRACTORY_MS, -_REFRACTORY_MS, -_REFRACTORY_MS]

    def update(self, at_ms: int, measured: int, warn: int, stop: int, scale: int) -> None:
        """`measured` against both limits (0 = off). `scale` 1000: hysteresis is relative to the limit; 0: it is in `measured`'s 0.1 %."""
        if stop and measured >= stop:
            level, limit = STOP, stop
        elif warn and measured >= warn:
            level, limit = WARN, warn
        else:
            level, limit = 0, 0
        if level > self.level:
            # Said late rather than not at all, where it comes too soon after the last of its kind.
            if at_ms - self._said_ms[level] >= _REFRACTORY_MS:
                self.level = level
                for said in range(level + 1):
                    self._said_ms[said] = at_ms
                self._sink.alert(at_ms, self._kind, level, measured, limit)
        elif level < self.level:
            held = stop if self.level == STOP else warn
            margin = held * _HYSTERESIS_X10 // 1000 if scale else _HYSTERESIS_X10
            if measured < held - margin:
                self.level = level
