"""The engine at the waist and in a pocket: steps in any orientation, none without walking."""

import math

from retrostep_core.codes import POCKET, STILL, UNKNOWN, WAIST
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from support.gait_leg import Heard, Leg, bump


def waist(placement=WAIST, mounted=False, has_gyro=True):
    heard = Heard()
    engine = Engine(heard, Limits(), placement, 0, mounted)
    engine.has_gyro = has_gyro
    leg = Leg(engine)
    leg.heard = heard
    return leg


def bounce(leg, ms, spm_x10, up, peak=250):
    """Bob up and down `spm_x10` times in ten minutes, along the axis `up` (0 x, 1 y, 2 z; 3 aslant); the number of steps."""
    phase = steps = 0
    for _ in range(ms * 1000 // 9615):
        phase += spm_x10 * 1000 * 9615 // 600000
        if phase >= 1000000:
            phase -= 1000000
            steps += 1
        a = 1000 + bump(phase, 0, 500000, peak) - bump(phase, 500000, 1000000, peak)
        # The foot strikes first.
        a += bump(phase, 0, 150000, peak * 2 // 3)
        # A foot pushes and brakes too.
        b = (a - 1000) // 2
        values = [(a, b, 0), (b, -a, 0), (b, 0, a), (a * 600 // 1000, b, a * 800 // 1000)][up]
        leg.sample(values[0], values[1], values[2], 0, bump(phase, 0, 500000, 200), 0)
    return steps


def settle(leg, up):
    for _ in range(200):
        values = [(1000, 0, 0), (0, -1000, 0), (0, 0, 1000), (600, 0, 800)][up]
        leg.sample(values[0], values[1], values[2], 0, 0, 0)


def test_steps_in_any_orientation_and_at_any_cadence():
    for up in range(4):
        for spm in (700, 1100, 1700, 2600):
            leg = waist()
            settle(leg, up)
            steps = bounce(leg, 20000, spm, up, 300 if spm < 2000 else 900)
            settle(leg, up)
            heard = leg.finish()
            # The closing step, which cannot be measured, is credited too.
            assert abs(len(heard.steps) - steps) <= 2, (up, spm, len(heard.steps), steps)


def test_direction_is_unknown_at_the_waist():
    leg = waist()
    settle(leg, 2)
    bounce(leg, 20000, 1500, 2)
    settle(leg, 2)
    heard = leg.finish()
    for change in heard.directions:
        assert change[2] in (UNKNOWN, STILL)
    assert UNKNOWN in [change[2] for change in heard.directions]
    assert leg.engine.totals.unknown_steps == len(heard.steps) > 30
    assert heard.alerts == []


def test_cadence_of_steps_not_strides():
    leg = waist(POCKET)
    bounce(leg, 20000, 1700, 0, 400)
    reported = [cadence for at_ms, cadence in leg.finish().cadences if 5000 < at_ms < 19000]
    assert reported
    for cadence in reported:
        assert abs(cadence - 1700) <= 34, cadence


def test_bending_and_sitting_down_are_no_steps():
    leg = waist()
    for k in range(10):
        settle(leg, 2)
        bounce(leg, 1500 + 100 * k, 400 + 37 * k, 2, 200 + 50 * k)
        settle(leg, 3)
    assert leg.finish().steps == []


def test_a_shank_without_a_gyroscope_still_counts():
    leg = waist(0, True, False)
    settle(leg, 1)
    steps = bounce(leg, 20000, 1100, 1, 400)
    settle(leg, 1)
    assert abs(len(leg.finish().steps) - steps) <= 2


def sway(has_gyro):
    """The steps counted in 20 s of a smooth vertical oscillation, 108 a minute, as of a machine."""
    leg = waist(POCKET, False, has_gyro)
    for k in range(2080):
        leg.sample(0, 0, 1000 + round(300 * math.sin(2 * math.pi * 1.8 * k / 104)), 0, 0, 0)
    return len(leg.finish().steps)


def test_a_smooth_oscillation_is_no_steps_with_and_without_a_gyroscope():
    assert sway(True) == 0
    assert sway(False) == 0


def test_a_gap_starts_afresh():
    leg = waist()
    bounce(leg, 10000, 1500, 2)
    leg.lose(1000)
    bounce(leg, 10000, 1500, 2)
    heard = leg.finish()
    assert len(heard.gaps) == 1
    for t_ms, _, _ in heard.steps:
        assert not heard.gaps[0][0] < t_ms < heard.gaps[0][1]
