"""Alerts about running backward: a cadence that rises or is too high, a cold start, time used up."""

from retrostep_core.constants import const

# As in retrostep_core/codes.py.
_BACKWARD = const(2)
_RAMP = const(1)
_CEILING = const(2)
_COLD_START = const(3)
_SESSION_LIMIT = const(4)
_WARN = const(1)
_STOP = const(2)

TICK_MS = const(250)
# The measured cadence may lag behind the true one by this many ticks.
_LAG_TICKS = const(4)
# The level is the median of this many cadences: 2.75 s.
_MEDIAN_TICKS = const(11)

# To warn, the newest stride is above the limit at this many ticks in a row.
_WARN_TICKS = const(3)
# A cadence that has been backward for this long is a level to rise from; before, it is a start from standing.
_SETTLE_MS = const(2000)
# Backward movement shorter than this is a step aside, not the beginning of a backward bout.
_BOUT_MS = const(2000)
# The same severity is not reported again within this time; a level is left only this far (in 0.1 %) below its limit.
_REPEAT_MS = const(10000)
_HYSTERESIS_X10 = const(30)


class Monitor:
    """Compares backward movement with the limits in force; call `tick` every 250 ms.

    cadence_ramp     rise of the backward cadence over a sliding window, in 0.1 %.
                     1. The level is the median cadence of 2.75 s, so that one slow stride in a turn does not lower it.
                     2. The rise is measured from the lowest level inside the window and inside this unbroken backward stretch. Its first
                        2 s and the first median are left out: speeding up from standing is no rise.
                     3. To stop in time, the window is a second longer, as measured cadence lags; once the rise is past the warning,
                        the newest stride alone is compared, with a quarter of the rise of the last 2.5 s added, as it is half a stride old.
                     4. To warn only above the limit, the slowest newest stride of the last half second is compared.
                     The thresholds are an engineering default: no published threshold was found.
    cadence_ceiling  backward cadence, in 0.1 steps a minute.
    cold_start       backward for 2 s with less forward time than the warm-up asks for, in s; once a session.
    session_limit    backward time of the session, in s; once for each severity and session.

    One alert for each escalation (none -> warn -> stop). A level is left 3 % below its limit. Neither the same severity nor a lower one
    is reported again within 10 s; it is reported then, if it still holds.

    sink    duck type: alert(at_ms, kind, severity, measured, limit)
    """

    def __init__(self, sink: object, limits: object) -> None:
        self._sink = sink
        # The levels of the window (a ring), the newest cadences (a ring), and these sorted.
        self._levels: list[int] = []
        self._next_level = 0
        self._level_count = 0
        self._lowest_inside = 0
        self._newest = [0] * _MEDIAN_TICKS
        self._sorted = [0] * _MEDIAN_TICKS
        self._strides = [0] * _WARN_TICKS
        self._next_newest = 0
        self._newest_count = 0
        self._settled_ms = 0
        self._ramp = _Escalation(sink, _RAMP)
        self._ceiling = _Escalation(sink, _CEILING)
        self._has_cold_start = False
        self._session_level = 0
        self.set_limits(limits)

    def set_limits(self, limits: object) -> None:
        """These limits hold from now on."""
        self._limits = limits
        # A median is as old as its middle.
        self._window_ticks = limits.ramp_window_s * 1000 // TICK_MS - _MEDIAN_TICKS // 2
        missing = self._window_ticks + _LAG_TICKS - len(self._levels)
        if missing > 0:
            # The ring grows at its oldest value. Only a longer window allocates: most windows are a sixth of the longest.
            self._levels[self._next_level : self._next_level] = [0] * missing

    def start_session(self) -> None:
        """A new session: alerts that come once a session may come again."""
        self._has_cold_start = False
        self._session_level = 0

    def restart(self) -> None:
        """Samples are missing: no level before them counts."""
        self._level_count = 0
        self._newest_count = 0
        self._next_newest = 0
        self._settled_ms = 0
        for k in range(_WARN_TICKS):
            self._strides[k] = 0

    def tick(self, at_ms: int, direction: int, cadence_x10: int, newest_x10: int, forward_ms: int, backward_ms: int) -> None:
        """The state at the newest sample.

        cadence_x10     cadence in 0.1 steps a minute, 0 none
        newest_x10      cadence of the newest stride alone
        forward_ms, backward_ms    time of the session by direction
        """
        limits = self._limits
        if direction != _BACKWARD or cadence_x10 == 0:
            self.restart()
            self._ramp.level = 0
            self._ceiling.level = 0
        else:
            self._settled_ms += TICK_MS
            if self._settled_ms > _SETTLE_MS:
                self._check_ramp(at_ms, cadence_x10, newest_x10, limits)
            self._ceiling.update(at_ms, cadence_x10, limits.ceiling_warn_x10, limits.ceiling_stop_x10, True)
        if direction == _BACKWARD:
            self._check_time(at_ms, forward_ms, backward_ms, limits)

    def _check_ramp(self, at_ms: int, cadence_x10: int, newest_x10: int, limits: object) -> None:
        if not self._add_cadence(cadence_x10):
            return
        lowest = self._find_lowest(self._sorted[_MEDIAN_TICKS // 2])
        lowest_inside = self._lowest_inside
        strides = self._strides
        for k in range(1, _WARN_TICKS):
            strides[k - 1] = strides[k]
        strides[_WARN_TICKS - 1] = newest_x10
        rise_x10 = (cadence_x10 - lowest) * 1000 // lowest
        if newest_x10 > cadence_x10 and rise_x10 >= limits.ramp_warn_x10:
            # The oldest cadence in the ring is the next one to be replaced.
            risen_x10 = cadence_x10 - self._newest[self._next_newest]
            if risen_x10 > 0:
                newest_x10 += risen_x10 >> 2
            rise_x10 = (newest_x10 - lowest) * 1000 // lowest
        if rise_x10 < limits.ramp_stop_x10 or not limits.ramp_stop_x10:
            # Do not warn below the limit: compare the slowest newest stride with the exact window.
            for stride_x10 in strides:
                if stride_x10 < newest_x10:
                    newest_x10 = stride_x10
            rise_x10 = (newest_x10 - lowest_inside) * 1000 // lowest_inside
        self._ramp.update(at_ms, rise_x10, limits.ramp_warn_x10, limits.ramp_stop_x10, False)

    def _add_cadence(self, cadence_x10: int) -> bool:
        """Keep the cadence and sort the newest ones by insertion; whether there are enough for a median."""
        newest = self._newest
        newest[self._next_newest] = cadence_x10
        self._next_newest = (self._next_newest + 1) % _MEDIAN_TICKS
        if self._newest_count < _MEDIAN_TICKS:
            self._newest_count += 1
            if self._newest_count < _MEDIAN_TICKS:
                return False
        ordered = self._sorted
        for k in range(_MEDIAN_TICKS):
            cadence = newest[k]
            i = k
            while i > 0 and ordered[i - 1] > cadence:
                ordered[i] = ordered[i - 1]
                i -= 1
            ordered[i] = cadence
        return True

    def _find_lowest(self, level: int) -> int:
        """Keep the newest level. Return the lowest of the window and a second before it; set _lowest_inside to that of the window."""
        levels = self._levels
        at = self._next_level
        levels[at] = level
        last = len(levels) - 1
        self._next_level = at + 1 if at < last else 0
        if self._level_count < self._window_ticks + _LAG_TICKS:
            self._level_count += 1
        lowest = inside = level
        for k in range(self._level_count - 1):
            at -= 1
            if at < 0:
                at = last
            if levels[at] < lowest:
                lowest = levels[at]
            if k < self._window_ticks - 1:
                inside = lowest
        self._lowest_inside = inside
        return lowest

    def _check_time(self, at_ms: int, forward_ms: int, backward_ms: int, limits: object) -> None:
        if not self._has_cold_start and backward_ms >= _BOUT_MS:
            self._has_cold_start = True
            if forward_ms < limits.warm_up_s * 1000:
                self._sink.alert(at_ms, _COLD_START, _WARN, forward_ms // 1000, limits.warm_up_s)
        backward_s = backward_ms // 1000
        if self._session_level < _STOP and limits.session_stop_s and backward_s >= limits.session_stop_s:
            self._session_level = _STOP
            self._sink.alert(at_ms, _SESSION_LIMIT, _STOP, backward_s, limits.session_stop_s)
        elif self._session_level < _WARN and limits.session_warn_s and backward_s >= limits.session_warn_s:
            self._session_level = _WARN
            self._sink.alert(at_ms, _SESSION_LIMIT, _WARN, backward_s, limits.session_warn_s)


class _Escalation:
    """One kind of alert that rises to warn and stop, and falls again."""

    def __init__(self, sink: object, kind: int) -> None:
        self._sink = sink
        self._kind = kind
        self.level = 0
        # When each severity, or a higher one, was reported last.
        self._reported_ms = [-_REPEAT_MS, -_REPEAT_MS, -_REPEAT_MS]

    def update(self, at_ms: int, measured: int, warn: int, stop: int, is_relative: bool) -> None:
        """Compare `measured` with both limits (0 = off). `is_relative`: the hysteresis is a share of the limit; else it is in 0.1 %."""
        if stop and measured >= stop:
            level, limit = _STOP, stop
        elif warn and measured >= warn:
            level, limit = _WARN, warn
        else:
            level, limit = 0, 0
        if level > self.level:
            # Too soon after the last of its kind: it is reported later, if it still holds.
            if at_ms - self._reported_ms[level] >= _REPEAT_MS:
                self.level = level
                for severity in range(level + 1):
                    self._reported_ms[severity] = at_ms
                self._sink.alert(at_ms, self._kind, level, measured, limit)
        elif level < self.level:
            held = stop if self.level == _STOP else warn
            margin = held * _HYSTERESIS_X10 // 1000 if is_relative else _HYSTERESIS_X10
            if measured < held - margin:
                self.level = level
