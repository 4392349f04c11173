"""The alerts of any run, compared with the definition of each alert written with plain lists."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from retrostep_core.codes import BACKWARD, CEILING, COLD_START, FORWARD, RAMP, SESSION_LIMIT, STILL, STOP, UNKNOWN, WARN
from retrostep_core.gait.alerts import TICK_MS, Monitor
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json, limits_to_json

Alert = tuple[int, int, int, int, int]
"""(at_ms, kind, severity, measured, limit)"""


class Heard:
    """Collects alerts."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def alert(self, *alert: int) -> None:
        self.alerts.append(alert)  # type: ignore[arg-type]


class Escalation:
    """No alert, warn, stop: one alert for each rise, none of the same or a lower severity within 10 s, left 3 % below the limit."""

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.level = 0
        self.last: dict[int, int] = {}

    def update(self, at_ms: int, measured: int, warn: int, stop: int, margin_of: object) -> list[Alert]:
        level, limit = (STOP, stop) if stop and measured >= stop else (WARN, warn) if warn and measured >= warn else (0, 0)
        if level > self.level:
            if any(at_ms - last_ms < 10_000 for severity, last_ms in self.last.items() if severity >= level):
                return []
            self.level, self.last[level] = level, at_ms
            return [(at_ms, self.kind, level, measured, limit)]
        held = stop if self.level == STOP else warn
        if level < self.level and measured < held - margin_of(held):  # type: ignore[operator]
            self.level = level
        return []


class Definition:
    """The alerts as documented at Monitor."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits_to_json(limits)
        self.ramp, self.ceiling = Escalation(RAMP), Escalation(CEILING)
        self.start_session()
        self.restart()

    def start_session(self) -> None:
        self.is_cold_start_judged = False
        self.time_level = 0

    def restart(self) -> None:
        self.cadences: list[int] = []  # since the first 2 s of this backward stretch
        self.levels: list[int] = []
        self.strides: list[int] = []
        self.backward_ticks = 0

    def tick(self, at_ms: int, direction: int, cadence: int, newest: int, forward_ms: int, backward_ms: int) -> list[Alert]:
        if direction != BACKWARD or not cadence:
            self.restart()
            self.ramp.level = self.ceiling.level = 0
            return self._time(at_ms, forward_ms, backward_ms) if direction == BACKWARD else []
        alerts = []
        self.backward_ticks += 1
        if self.backward_ticks > 8:
            self.cadences.append(cadence)
            if len(self.cadences) >= 11:
                alerts += self._ramp(at_ms, cadence, newest)
        warn, stop = (int(self.limits[name] * 10) for name in ("ceiling_warn_spm", "ceiling_stop_spm"))
        alerts += self.ceiling.update(at_ms, cadence, warn, stop, lambda held: held * 30 // 1_000)
        return alerts + self._time(at_ms, forward_ms, backward_ms)

    def _ramp(self, at_ms: int, cadence: int, newest: int) -> list[Alert]:
        self.levels.append(sorted(self.cadences[-11:])[5])
        self.strides = [*self.strides, newest][-3:]
        window = self.limits["ramp_window_s"] * 4 - 5
        warn, stop = (round(self.limits[name] * 10) for name in ("ramp_warn_pct", "ramp_stop_pct"))

        def rise(value: int, ticks: int) -> int:
            lowest = min(self.levels[-ticks:])
            return (value - lowest) * 1_000 // lowest

        measured = rise(cadence, window + 4)
        if newest > cadence and measured >= warn:
            newest += max(0, cadence - self.cadences[-11]) // 4
            measured = rise(newest, window + 4)
        if not stop or measured < stop:
            # Fewer than three strides have been compared: no warning yet.
            measured = rise(min(self.strides) if len(self.strides) == 3 else 0, window)
        return self.ramp.update(at_ms, measured, warn, stop, lambda _: 30)

    def _time(self, at_ms: int, forward_ms: int, backward_ms: int) -> list[Alert]:
        alerts = []
        warm_up_s, warn_s, stop_s = (self.limits[name] for name in ("warm_up_s", "session_warn_s", "session_stop_s"))
        if backward_ms >= 2_000 and not self.is_cold_start_judged:
            self.is_cold_start_judged = True
            if forward_ms < warm_up_s * 1_000:
                alerts.append((at_ms, COLD_START, WARN, forward_ms // 1_000, warm_up_s))
        for severity, limit_s in ((STOP, stop_s), (WARN, warn_s)):
            if self.time_level < severity and limit_s and backward_ms // 1_000 >= limit_s:
                self.time_level = severity
                alerts.append((at_ms, SESSION_LIMIT, severity, backward_ms // 1_000, limit_s))
                break
        return alerts


LIMITS = st.fixed_dictionaries(
    {
        "ramp_window_s": st.sampled_from([2, 3, 5, 10]),
        "ramp_warn_pct": st.sampled_from([0, 5, 10, 12.5]),
        "ramp_stop_pct": st.sampled_from([0, 8, 15]),
        "ceiling_warn_spm": st.sampled_from([0, 150, 170]),
        "ceiling_stop_spm": st.sampled_from([0, 160, 180]),
        "warm_up_s": st.sampled_from([0, 1, 5]),
        "session_warn_s": st.sampled_from([0, 3, 10]),
        "session_stop_s": st.sampled_from([0, 3, 12]),
    }
)
CADENCE = st.integers(1_350, 2_000) | st.sampled_from([1_500, 1_575, 1_650, 1_725])
STRETCH = st.tuples(
    st.integers(1, 70),  # ticks
    st.sampled_from([BACKWARD, BACKWARD, BACKWARD, BACKWARD, FORWARD, STILL, UNKNOWN]),
    CADENCE | st.just(0),  # at its start
    CADENCE,  # at its end
    st.integers(-100, 100),  # how far the newest stride differs
    st.sampled_from(["", "", "", "", "", "gap", "session"]),  # what comes before it
)
RUN = st.lists(STRETCH, min_size=1, max_size=10)


def both(limits: Limits, run: list[tuple[int, int, int, int, int, str]]) -> tuple[list[Alert], list[Alert]]:
    """The alerts of the monitor and of the definition."""
    heard, expected = Heard(), []
    monitor, definition = Monitor(heard, limits), Definition(limits)
    at_ms = forward_ms = backward_ms = 0
    for ticks, direction, start, end, newest_differs, before in run:
        if before == "gap":
            monitor.restart()
            definition.restart()
        if before == "session":
            monitor.start_session()
            definition.start_session()
            forward_ms = backward_ms = 0
        for tick in range(ticks):
            cadence = start + (end - start) * tick // ticks if start else 0
            newest = cadence + (newest_differs if tick % 3 else 0)
            forward_ms += TICK_MS if direction == FORWARD else 0
            backward_ms += TICK_MS if direction == BACKWARD else 0
            monitor.tick(at_ms, direction, cadence, newest, forward_ms, backward_ms)
            expected += definition.tick(at_ms, direction, cadence, newest, forward_ms, backward_ms)
            at_ms += TICK_MS
    return heard.alerts, expected


@given(LIMITS, RUN)
@example({}, [(500, BACKWARD, 1_500, 1_500, 0, ""), (30, BACKWARD, 1_500, 1_900, 40, ""), (400, BACKWARD, 1_900, 1_900, 0, "")])
@example(
    {"ramp_window_s": 60},
    [(300, BACKWARD, 1_500, 1_600, 0, ""), (300, BACKWARD, 1_600, 1_800, 0, ""), (300, BACKWARD, 1_800, 1_820, 0, "")],
)
@settings(max_examples=400, deadline=None)
def test_the_alerts_of_any_run_are_those_of_the_definition(
    values: dict[str, float], run: list[tuple[int, int, int, int, int, str]]
) -> None:
    heard, expected = both(limits_from_json(values), run)
    assert heard == expected


def test_the_runs_compared_have_every_alert() -> None:
    """So that the comparison above compares something."""
    backward, faster = (60, BACKWARD, 1_500, 1_500, 0, ""), (60, BACKWARD, 1_500, 1_900, 0, "")
    heard, expected = both(
        limits_from_json({"ceiling_warn_spm": 170, "ceiling_stop_spm": 180, "session_warn_s": 3, "session_stop_s": 10}), [backward, faster]
    )
    assert heard == expected and {alert[1:3] for alert in heard} == {
        (RAMP, WARN), (RAMP, STOP), (CEILING, WARN), (CEILING, STOP), (COLD_START, WARN), (SESSION_LIMIT, WARN), (SESSION_LIMIT, STOP),
    }  # fmt: skip


def alerts_of(run: list[tuple[int, int, int, int, int, str]], **values: float) -> list[tuple[int, int]]:
    off = {name: 0 for name in ("ramp_warn_pct", "ramp_stop_pct", "ceiling_warn_spm", "ceiling_stop_spm", "warm_up_s")}
    limits = limits_from_json({**off, "session_warn_s": 0, "session_stop_s": 0, **values})
    heard, expected = both(limits, run)
    assert heard == expected
    return [alert[1:3] for alert in heard]


def test_slow_then_anything_else_then_fast_is_no_rise() -> None:
    slow, fast = (60, BACKWARD, 1_500, 1_500, 0, ""), (60, BACKWARD, 1_900, 1_900, 0, "")
    ramp = {"ramp_warn_pct": 10, "ramp_stop_pct": 15}
    assert alerts_of([slow, fast], **ramp) == [(RAMP, STOP)]
    for between in (
        (1, FORWARD, 1_500, 1_500, 0, ""),
        (1, STILL, 0, 0, 0, ""),
        (1, UNKNOWN, 1_500, 1_500, 0, ""),
        (1, BACKWARD, 0, 0, 0, ""),
    ):
        assert alerts_of([slow, between, fast], **ramp) == [], between
    assert alerts_of([slow, (*fast[:-1], "gap")], **ramp) == []
    assert alerts_of([slow, (8, STILL, 0, 0, 0, ""), (60, BACKWARD, 1_500, 1_500, 0, ""), (60, BACKWARD, 1_500, 1_900, 0, "")], **ramp) == [
        (RAMP, WARN), (RAMP, STOP),
    ]  # fmt: skip


def test_every_bout_over_the_ceiling_has_its_alert() -> None:
    fast, pause = (50, BACKWARD, 2_300, 2_300, 0, ""), (4, FORWARD, 1_500, 1_500, 0, "")
    assert alerts_of([fast, pause, fast, pause, fast], ceiling_warn_spm=220) == [(CEILING, WARN)] * 3


def test_forward_running_with_a_step_back_is_no_cold_start() -> None:
    run = [(8, FORWARD, 1_500, 1_500, 0, ""), (7, BACKWARD, 1_500, 1_500, 0, ""), (400, FORWARD, 1_500, 1_500, 0, "")]
    assert alerts_of(run, warm_up_s=60) == []
    assert alerts_of([*run, (1, BACKWARD, 1_500, 1_500, 0, "")], warm_up_s=60) == [], "102 s forward by then"
    assert alerts_of([*run[:2], (1, BACKWARD, 1_500, 1_500, 0, "")], warm_up_s=60) == [(COLD_START, WARN)]
