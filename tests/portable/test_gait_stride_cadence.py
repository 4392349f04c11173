"""Cadence from half-cycles by exact values, and what a restart leaves."""

from retrostep_core.gait.stride import Strides
from support.half_cycles import REVERSING, Leg, Output, walking


def test_cadence_is_of_the_last_two_strides_and_of_both_measures():
    leg = Leg()
    leg.walk(1000, 2000, 3000)
    assert leg.output.cadences == [(1200, 1200)], "none before the bout; then two strides of a second: 120 steps a minute"
    leg.swing(4200)
    assert leg.output.cadences[-1] == (2400000 // 2200, 1000)
    # The half-cycles between count too, once they have two strides.
    for end_ms in (4800, 6000):
        leg.half(1, end_ms)
    leg.output.cadences.clear()
    leg.half(1, 7100)
    assert leg.output.cadences == [(2400000 // ((2300 + 2200) // 2), 1200000 // ((3 * 1100 + 1200) // 4))]
    leg = walking()
    leg.output.cadences.clear()
    leg.half(1, 5450)
    leg.half(1, 6500)
    assert leg.output.cadences == [(2400000 // 2050, 1200000 // 1037)], "the first stride of a side counts at once"
    # They do not where the measures differ by a quarter or more.
    for other, used in ((2750, False), (2749, True), (1761, True), (1760, False)):
        leg = walking()
        leg.strides._cadence._stride_ms[1] = 1200
        leg.strides._cadence._stride_before_ms[1] = other - 1200
        leg.output.cadences.clear()
        leg.strides._cadence._stride_ms[0] = 1000
        leg.swing(6200)
        assert (leg.output.cadences[-1] == (2400000 // 2200, 1000)) != used, other


def test_quick_strides_show_a_new_cadence_at_once():
    for stride_ms, cadence in ((796, 1507), (800, 1500)):
        leg = walking(800)
        for end_ms in (2800, 3600, 4400):
            leg.half(1, end_ms)
        leg.output.cadences.clear()
        leg.swing(4000 + stride_ms)
        newest = (3 * stride_ms + 800) // 4
        both = newest * 2 if newest < 800 else (stride_ms + 800 + 1600) // 2
        assert leg.output.cadences == [(2400000 // both, 1200000 // newest)] and abs(leg.output.cadences[0][0] - cadence) < 8
    leg = walking(600)
    leg.output.cadences.clear()
    leg.swing(3500)
    assert leg.output.cadences == [(2400000 // 1100, 2400)], "one measure alone is not enough for that"


def test_a_clear_change_shows_at_once_in_slow_gait_too():
    for stride_ms, shown in ((870, True), (880, False), (1120, False), (1130, True)):
        leg = walking()
        for end_ms in (3500, 4500, 4500 + stride_ms):
            leg.half(1, end_ms)
        leg.output.cadences.clear()
        leg.swing(5000 + stride_ms)
        assert leg.output.cadences == [(2400000 // (2 * stride_ms if shown else stride_ms + 1000), 1200000 // stride_ms)], stride_ms


def test_an_odd_stride_is_no_new_cadence_until_the_next_one_shows_it():
    for stride_ms, odd in ((1500, True), (1499, False), (667, False), (666, True)):
        leg = walking()
        leg.output.cadences.clear()
        leg.swing(5000 + stride_ms)
        assert bool(leg.output.cadences) != odd, stride_ms
        leg.swing(5000 + 2 * stride_ms)
        assert leg.output.cadences[-1] == (1200000 // stride_ms, 1200000 // stride_ms)
    # After a stride that is none, the next one counts alone.
    leg = walking()
    leg.output.cadences.clear()
    leg.half(1, 5100)
    leg.half(1, 5479)
    assert leg.output.cadences == []
    leg.half(1, 6479)
    assert leg.output.cadences == [(1200, 1200)]


def test_a_stride_unlike_the_one_that_overlaps_it_is_no_new_cadence_until_the_next_one_agrees():
    for stride_ms, odd in ((720, True), (721, False), (879, False), (880, True)):
        leg = walking(800)
        for end_ms in (2800, 3600, 4400):
            leg.half(1, end_ms)
        leg.output.cadences.clear()
        leg.swing(4000 + stride_ms)
        assert bool(leg.output.cadences) != odd, stride_ms
        leg.half(1, 4400 + stride_ms)
        assert leg.output.cadences[-1][1] == 1200000 // stride_ms, stride_ms


def test_strides_that_are_too_short_or_too_long_leave_no_measure():
    for stride_ms, counts in ((379, False), (380, True), (3400, True), (3401, False)):
        leg = walking()
        for end_ms in (5100, 6100, 7100, 7100 + stride_ms):
            leg.half(1, end_ms)
        kept = (stride_ms, 0) if counts else (0, 0)
        assert (leg.strides._cadence._stride_ms[1], leg.strides._cadence._stride_before_ms[1]) == kept, stride_ms
        assert leg.strides._side_end_ms[1] == 7100 + stride_ms
    leg = walking()
    leg.half(1, 400)
    assert leg.strides._cadence._stride_ms[1] == 0, "the first of its side ends no stride"


def test_after_a_restart_nothing_is_left_of_a_bout():
    leg = walking()
    for k in range(3):
        leg.half(1, 5500 + 1000 * k)
        leg.swing(6000 + 1000 * k)
        leg.strides.score(-1, [9] * 13, 5600, 6000, False)
        leg.strides.score(1, [9] * 13, 5600, 6000, False)
    leg.swing(8700, 15000, 1)
    leg.swing(9000, confidence=REVERSING)
    used, new = leg.strides, Strides(Output())
    assert used._held_ms == 9000 and used._small_swing_ms == 8700
    used.restart(0, False)
    # Overwritten before they are read.
    kept = ("_output", "_waiting_ms", "_waiting_angle", "_waiting_score", "_side_peak", "_bout_end_ms", "_side_evidence", "_cadence")
    kept += ("_has_rested",)
    for name, value in new.__dict__.items():
        if name not in kept and name != "crank":
            assert getattr(used, name) == value, name
    assert used._cadence._stride_ms == used._cadence._stride_before_ms == [0, 0]
    for before, after in zip(new._side_evidence, used._side_evidence):
        assert dict(before.__dict__, _crank=None) == dict(after.__dict__, _crank=None)


def test_a_restart_forgets_everything():
    leg = walking()
    leg.half(1, 5400)
    leg.swing(6000, confidence=REVERSING)
    leg.strides.restart(6100, False)
    leg.output.cadences.clear()
    leg.strides.end(6500, False)
    assert leg.output.steps == [] and leg.output.cadences == []
    leg.half(1, 6400)
    assert leg.walk(7000, 8000, score=1) == [] and leg.output.cadences == []
    leg.walk(9000, 10000, 11000, score=1)
    assert leg.output.steps[:3] == [6500, 7000, 7500]


def test_the_evidence_of_foot_strikes_is_kept_for_either_side():
    strides = Strides(Output())
    calls = []

    class Evidence:
        def __init__(self, side):
            self.side = side

        def add(self, sums):
            calls.append(("add", self.side, sums))

        def end_swing(self, sums, length_ms, end_ms, is_frontal):
            calls.append(("end", self.side, sums, length_ms, end_ms, is_frontal))
            return 7

    strides._side_evidence = (Evidence(0), Evidence(1))
    assert strides.score(1, "sums", 1000, 1400, False) == 7
    assert calls == [("add", 0, "sums"), ("end", 1, "sums", 400, 1400, False)]
    calls.clear()
    strides.score(-1, "sums", 2000, 2500, True)
    assert calls == [("add", 1, "sums"), ("end", 0, "sums", 500, 2500, True)]
