"""The engine at the waist and in a pocket: steps in any orientation, nothing where nobody walks."""

from gait_leg import Heard, Leg, bump
from retrostep_core.gait.codes import POCKET, STILL, UNKNOWN, WAIST
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits


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
        values = [(a, 0, 0), (0, -a, 0), (0, 0, a), (a * 600 // 1000, 0, a * 800 // 1000)][up]
        leg.sample(values[0], values[1], values[2], 0, 0, 0)
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
            # The closing step that nobody can feel is credited too.
            assert abs(len(heard.steps) - steps) <= 2, (up, spm, len(heard.steps), steps)


def test_direction_is_unknown_at_the_waist():
    leg = waist()
    settle(leg, 2)
    bounce(leg, 20000, 1500, 2)
    settle(leg, 2)
    heard = leg.finish()
    for said in heard.directions:
        assert said[2] in (UNKNOWN, STILL)
    assert UNKNOWN in [said[2] for said in heard.directions]
    assert leg.engine.tally.unknown_steps == len(heard.steps) > 30
    assert heard.alerts == []


def test_cadence_of_steps_not_strides():
    leg = waist(POCKET)
    bounce(leg, 20000, 1700, 0, 400)
    told = [cadence for at_ms, cadence in leg.finish().cadences if 5000 < at_ms < 19000]
    assert told
    for cadence in told:
        assert abs(cadence - 1700) <= 34, cadence


def test_bending_and_sitting_down_are_no_steps():
    leg = waist()
    for k in range(10):
        settle(leg, 2)
        bounce(leg, 1500 + 100 * k, 400 + 37 * k, 2, 200 + 50 * k)
        settle(leg, 3)
    assert leg.finish().steps == []


def test_a_shank_without_a_known_mount_or_gyroscope_still_counts():
    for kind in ({"placement": 0, "mounted": False}, {"placement": 0, "mounted": True, "has_gyro": False}):
        leg = waist(**kind)
        settle(leg, 1)
        steps = bounce(leg, 20000, 1100, 1, 400)
        settle(leg, 1)
        assert abs(len(leg.finish().steps) - steps) <= 2, kind


def test_a_gap_starts_afresh():
    leg = waist()
    bounce(leg, 10000, 1500, 2)
    leg.lose(1000)
    bounce(leg, 10000, 1500, 2)
    heard = leg.finish()
    assert len(heard.gaps) == 1
    for t_ms, _, _ in heard.steps:
        assert not heard.gaps[0][0] < t_ms < heard.gaps[0][1]
