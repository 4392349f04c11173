"""Alerts: the monitor on cadences and times, and the engine on a leg that speeds up."""

from retrostep_core.codes import BACKWARD, CEILING, COLD_START, FORWARD, RAMP, SESSION_LIMIT, STILL, STOP, UNKNOWN, WARN
from retrostep_core.gait.alerts import TICK_MS, Monitor
from retrostep_core.gait.limits_json import limits_from_json
from support.gait_leg import Heard, Leg


class Ticks:
    """A monitor, and the time of its ticks."""

    def __init__(self, **limits):
        self.heard = Heard()
        self.monitor = Monitor(self.heard, limits_from_json(limits))
        self.now_ms = 0

    def run(self, ms, cadence_x10, direction=BACKWARD, to_x10=0, forward_ms=999000, backward_ms=0):
        n = ms // TICK_MS
        for k in range(n):
            cadence = cadence_x10 + (to_x10 - cadence_x10) * k // n if to_x10 else cadence_x10
            self.monitor.tick(self.now_ms, direction, cadence, cadence, forward_ms, backward_ms)
            self.now_ms += TICK_MS
        return [(kind, severity) for _, kind, severity, _, _ in self.heard.alerts]


def test_a_steady_cadence_raises_nothing():
    assert Ticks().run(120000, 1700) == []


def test_a_rise_below_the_warning_raises_nothing_however_fast():
    for ms in (250, 2000, 10000):
        ticks = Ticks()
        ticks.run(15000, 1600)
        ticks.run(ms, 1600, to_x10=1600 * 109 // 100)
        assert ticks.run(15000, 1600 * 109 // 100) == [], ms


def test_a_rise_past_the_warning_and_past_the_stop_say_so_once():
    ticks = Ticks()
    ticks.run(15000, 1600)
    ticks.run(10000, 1600, to_x10=1600 * 113 // 100)
    assert ticks.run(15000, 1600 * 113 // 100) == [(RAMP, WARN)]
    ticks = Ticks()
    ticks.run(15000, 1600)
    ticks.run(10000, 1600, to_x10=1600 * 130 // 100)
    assert ticks.run(15000, 1600 * 130 // 100) == [(RAMP, WARN), (RAMP, STOP)]
    at_ms, _, _, measured, limit = ticks.heard.alerts[1]
    assert limit == 150 <= measured <= 170
    # The rise is past 15 % five seconds after it began.
    assert 20000 <= at_ms <= 22000


def test_the_same_rise_over_a_minute_raises_nothing():
    ticks = Ticks()
    ticks.run(15000, 1600)
    assert ticks.run(60000, 1600, to_x10=1600 * 130 // 100) == []


def test_every_new_rise_is_told():
    ticks = Ticks()
    for _ in range(3):
        ticks.run(25000, 1500)
        ticks.run(5000, 1500, to_x10=1900)
        ticks.run(15000, 1900)
        ticks.run(10000, 1900, to_x10=1500)
    assert ticks.run(1000, 1500).count((RAMP, STOP)) == 3


def test_after_an_interruption_a_rise_is_told_from_its_first_comparison():
    # The first comparison has eleven cadences; six of them are the level.
    for between in ((12000, 1500, FORWARD), (12000, 0), (12000, 0, FORWARD)):
        ticks = Ticks()
        ticks.run(15000, 1500)
        ticks.run(5000, 1500, to_x10=1900)
        told = len(ticks.run(1000, 1900))
        ticks.run(*between)
        begun_ms = ticks.now_ms
        ticks.run(2000 + 6 * TICK_MS, 1000)
        assert len(ticks.run(4 * TICK_MS, 1500)) == told, between
        ticks.run(TICK_MS, 1500)
        assert ticks.heard.alerts[told:] == [(begun_ms + 2000 + 10 * TICK_MS, RAMP, STOP, 500, 150)], between


def test_no_level_before_an_interruption_counts():
    for between in ((1000, 1500, FORWARD), (1000, 0), None):
        ticks = Ticks()
        ticks.run(20000, 1200)
        if between:
            ticks.run(*between)
        else:
            ticks.monitor.restart()
        assert ticks.run(30000, 1700) == [], between


def test_a_longer_window_keeps_the_levels_of_the_shorter_one():
    # 17 s at 1000 fill the ring of a window of 10 s more than once.
    for seconds in (11, 13, 17):
        ticks = Ticks(ramp_window_s=10)
        ticks.run(seconds * 1000, 1000)
        ticks.monitor.set_limits(limits_from_json({"ramp_window_s": 60}))
        assert ticks.run(15000, 1090) == []
        assert ticks.run(20000, 1200)[-1] == (RAMP, STOP)
        assert ticks.heard.alerts[-1][3] == 200, "measured from 1000, 15 s before"


def test_after_an_interruption_the_ceiling_is_told_again():
    ticks = Ticks(ramp_warn_pct=0, ramp_stop_pct=0)
    ticks.run(12000, 2450)
    ticks.run(500, 0)
    assert ticks.run(1000, 2450) == [(CEILING, STOP), (CEILING, STOP)]
    ticks.run(500, 2000, FORWARD)
    assert len(ticks.run(8000, 2450)) == 2, "not within 10 s"
    assert len(ticks.run(1000, 2450)) == 3


def test_a_start_from_standing_is_no_rise():
    ticks = Ticks()
    ticks.run(5000, 0)
    ticks.run(1000, 900, to_x10=1700)
    assert ticks.run(20000, 1700) == []


def test_one_long_stride_in_a_turn_is_no_level_to_rise_from():
    ticks = Ticks()
    ticks.run(15000, 1700)
    ticks.run(1000, 1400)
    assert ticks.run(15000, 1700) == []


def test_forward_running_raises_nothing():
    ticks = Ticks()
    ticks.run(10000, 1500, FORWARD)
    ticks.run(5000, 1500, FORWARD, to_x10=2590)
    assert ticks.run(10000, 2590, FORWARD) == []


def test_the_ceiling_has_a_warning_a_stop_and_hysteresis():
    ticks = Ticks(ramp_warn_pct=0, ramp_stop_pct=0)
    ticks.run(5000, 2150)
    ticks.run(5000, 2250)
    ticks.run(5000, 2190)
    ticks.run(5000, 2250)
    assert ticks.run(5000, 2450) == [(CEILING, WARN), (CEILING, STOP)]
    ticks.run(12000, 2000)
    assert ticks.run(5000, 2250) == [(CEILING, WARN), (CEILING, STOP), (CEILING, WARN)]


def test_a_cold_start_is_reported_once_a_session_and_only_of_a_bout():
    ticks = Ticks(warm_up_s=300)
    assert ticks.run(2000, 1500, forward_ms=120000, backward_ms=1500) == []
    ticks.run(10000, 1500, forward_ms=120000, backward_ms=2500)
    assert ticks.heard.alerts == [(2000, COLD_START, WARN, 120, 300)]
    ticks.monitor.start_session()
    assert len(ticks.run(1000, 1500, forward_ms=0, backward_ms=2500)) == 2
    assert Ticks(warm_up_s=300).run(5000, 1500, forward_ms=300000, backward_ms=2500) == []


def test_backward_time_that_was_credited_late_is_judged_at_the_next_backward_tick():
    limits = {"warm_up_s": 300, "session_warn_s": 60, "session_stop_s": 90}
    ticks = Ticks(**limits)
    for direction in (FORWARD, STILL, UNKNOWN):
        assert ticks.run(2000, 1500, direction, forward_ms=1000, backward_ms=99000) == []
    at_ms = ticks.now_ms
    ticks.run(250, 0, forward_ms=1000, backward_ms=99000)
    assert ticks.heard.alerts == [(at_ms, COLD_START, WARN, 1, 300), (at_ms, SESSION_LIMIT, STOP, 99, 90)]


def test_time_used_up_warns_and_stops_once():
    ticks = Ticks(session_warn_s=60, session_stop_s=90)
    for second in range(50, 120):
        ticks.run(1000, 1500, backward_ms=second * 1000)
    alerts = [alert[1:] for alert in ticks.heard.alerts]
    assert alerts == [(SESSION_LIMIT, WARN, 60, 60), (SESSION_LIMIT, STOP, 90, 90)]


def test_a_limit_of_zero_is_off():
    ticks = Ticks(ramp_warn_pct=0, ramp_stop_pct=0, ceiling_warn_spm=0, ceiling_stop_spm=0, warm_up_s=0, session_warn_s=0, session_stop_s=0)
    ticks.run(10000, 1500, forward_ms=0, backward_ms=5000)
    assert ticks.run(10000, 2590, forward_ms=0, backward_ms=9999000) == []


def test_the_limits_in_force_can_change_under_way():
    ticks = Ticks()
    ticks.run(10000, 2100)
    ticks.monitor.set_limits(limits_from_json({"ceiling_warn_spm": 200}))
    assert ticks.run(1000, 2100) == [(CEILING, WARN)]


def test_a_leg_that_speeds_up_backward_brings_the_alert_within_two_seconds():
    for percent, wanted in ((106, []), (130, [WARN, STOP])):
        leg = Leg(limits=limits_from_json({"warm_up_s": 0}))
        leg.stand(2000)
        leg.walk(15000, 1500, True)
        leg.walk(10000, 1500, True, to_x10=1500 * percent // 100)
        leg.walk(10000, 1500 * percent // 100, True)
        heard = leg.finish()
        assert [alert[2] for alert in heard.alerts if alert[1] == RAMP] == wanted, (percent, heard.alerts)
        if wanted:
            # 15 % of 30 % in 10 s are reached 5 s after the rise began, at 17 s.
            assert 21500 <= heard.alerts[-1][0] <= 24000, heard.alerts


def test_one_short_stride_raises_nothing_and_a_second_one_brings_the_alerts():
    for strides, wanted in ((1, []), (2, [(RAMP, STOP), (CEILING, STOP)])):
        leg = Leg(limits=limits_from_json({"warm_up_s": 0}))
        leg.stand(2000)
        leg.walk(13714, 1750, True)
        # 40 % faster: a stride of 490 ms.
        leg.walk(490 * strides, 2450, True)
        leg.walk(6000, 1750, True)
        alerts = leg.finish().alerts
        assert [alert[1:3] for alert in alerts] == wanted, (strides, alerts)
        assert all(alert[0] < 17000 for alert in alerts), alerts
