"""What a leg at rest, a reversal and a restart do, at both sides of each limit."""

from retrostep_core.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.gait import shank_phases
from retrostep_core.gait.shank_phases import ShankPhases


class Output:
    finder = None

    def __init__(self):
        self.directions = []

    def direction(self, since_ms, direction, at_ms):
        self.directions.append((since_ms, direction, at_ms))

    def suggest_direction(self, at_ms):
        self.directions.append("suggested")

    def doubt_direction(self, at_ms):
        self.directions.append("doubted")

    def confirm_direction(self, at_ms):
        self.directions.append("confirmed")

    def refuse_direction(self, at_ms):
        self.directions.append("refused")

    def __getattr__(self, name):
        return lambda *values: None


class Evidence:
    """Stands in for the evidence of a direction."""

    def __init__(self, evidence=0, current=UNKNOWN, swing=-1, sure=2):
        self.sure = sure
        self.evidence = evidence
        self.current = current
        self.swing = swing
        self.added = []

    def add_cycle(self, newer, older):
        self.added.append((newer[7], older[7]))

    def decide(self):
        return self.current

    def confidence(self):
        return self.sure

    def size(self):
        return abs(self.evidence)

    def is_swing(self, sign):
        return sign == self.swing


class Strides:
    """Stands in for the strides: keeps the calls."""

    def __init__(self, swing_end_ms=-1, stride_ms=1000):
        self.swing_end_ms = swing_end_ms
        self.stride_ms = stride_ms
        self.scored = 0
        self.calls = []

    def begin(self, at_ms):
        self.calls.append(("begin", at_ms))

    def end(self, at_ms, is_standing):
        self.calls.append(("end", at_ms, is_standing))
        self.swing_end_ms = -1

    def stand(self):
        self.calls.append("stand")

    def restart(self, from_ms, is_standing):
        self.calls.append(("restart", from_ms, is_standing))

    def score(self, sign, newer, start_ms, end_ms, is_frontal):
        self.calls.append(("score", sign, start_ms, end_ms))
        return self.scored

    def half_cycle(self, sign, swing_sign, start_ms, end_ms, newer, score, angle_between, confidence, at_ms):
        self.calls.append(("half", sign, swing_sign, start_ms, end_ms, angle_between, at_ms))


def phases_with(**strides):
    phases = ShankPhases(Output())
    phases._strides = Strides(**strides)
    return phases, phases._strides


def test_rest_ends_a_bout_after_its_time_and_then_the_wearer_stands():
    for swing_end_ms, stride_ms, quiet_ms, calls, begun_ms, current in (
        (-1, 1000, 250, (), 100, FORWARD),
        (-1, 1000, 251, ("stand",), 100, FORWARD),
        (-1, 1000, 600, ("stand",), 100, FORWARD),
        (-1, 1000, 601, ("stand",), -1, FORWARD),
        (5000, 1000, 600, ("stand",), 100, FORWARD),
        (5000, 1000, 601, ("stand", ("end", 10601, True)), -1, FORWARD),
        # Three fifths of a stride, where that is longer.
        (5000, 2000, 1200, ("stand",), 100, FORWARD),
        (5000, 2000, 1201, ("stand", ("end", 11201, True)), -1, FORWARD),
        (5000, 3000, 1500, ("stand",), 100, FORWARD),
        (5000, 3000, 1501, ("stand", ("end", 11501, True)), -1, STILL),
        (-1, 1000, 1500, ("stand",), -1, FORWARD),
        (-1, 1000, 1501, ("stand", ("end", 11501, True)), -1, STILL),
    ):
        phases, strides = phases_with(swing_end_ms=swing_end_ms, stride_ms=stride_ms)
        phases._bout_start_ms = 100
        phases._direction.current = FORWARD
        phases._direction.evidence = 150
        phases.rest(10000, 10000 + quiet_ms)
        assert phases._direction.evidence <= 60, "a pause"
        seen = (tuple(strides.calls), phases._bout_start_ms, phases._direction.current)
        assert seen == (calls, begun_ms, current), (swing_end_ms, stride_ms, quiet_ms)
        assert phases.is_still == (current == STILL)


def test_standing_still_is_reported_once():
    phases, strides = phases_with()
    phases.rest(10000, 19000)
    assert phases.is_still and strides.calls == ["stand", ("end", 19000, True)]
    phases.rest(10000, 19020)
    assert strides.calls[2:] == ["stand"], "no second end"


def test_a_restart_keeps_the_direction_only_where_it_may():
    for keep, expected in ((True, BACKWARD), (False, UNKNOWN)):
        phases, strides = phases_with()
        phases.set_direction(BACKWARD)
        assert phases.swing_sign == 1
        phases.is_still = True
        phases.moved_ms = phases._bout_start_ms = phases._older_start_ms = phases.start_ms = 500
        phases._older_sign = 1
        phases._direction.evidence = 99
        phases.newer[7] = 5
        phases.restart(keep)
        assert phases._direction.current == expected and phases._direction.evidence == 0 and phases._is_resumed == keep
        assert (phases.swing_sign, phases.is_still, phases.moved_ms, phases._bout_start_ms, phases.start_ms) == (-1, False, -1, -1, 0)
        assert (phases._older_sign, phases._older_start_ms, phases.newer[7]) == (0, 0, 0)
        assert strides.calls == [("restart", 0, False)]
    assert not ShankPhases(Output())._is_resumed and ShankPhases(Output())._direction.current == UNKNOWN


def test_the_first_sample_after_a_restart_is_the_earliest_time():
    phases, strides = phases_with()
    phases.start(7000)
    assert (phases.start_ms, phases._older_start_ms, strides.calls) == (7000, 7000, [("restart", 7000, False)])
    phases.finish(8000)
    assert strides.calls[1:] == [("end", 8000, False)]


def test_a_reversal_is_reported_from_the_start_of_the_half_cycle():
    for sign, direction in ((1, BACKWARD), (-1, FORWARD)):
        phases, strides = phases_with(swing_end_ms=5000)
        phases.start_ms = 5400
        phases.reverse(sign, 5500)
        assert phases.swing_sign == sign and phases._output.directions == [(5400, direction, 5500)]
        assert phases.faster_peak > 1 << 20


def test_a_bout_begins_with_the_movement_and_not_with_the_quiet_before():
    for start_ms, moved_ms, crossing_ms, begun_ms, from_ms in (
        (1000, -1, 1400, 1000, 1000),
        (1000, 1000, 1400, 1000, 1000),
        (1000, 1001, 1400, 1001, 1001),
        (1000, 1399, 1400, 1399, 1399),
        (1000, 1400, 1400, 1400, 1000),
        (1000, 1500, 1400, 1500, 1000),
    ):
        phases, strides = phases_with()
        phases.start_ms = start_ms
        phases.moved_ms = moved_ms
        phases.end_half_cycle(-1, False, crossing_ms, crossing_ms + 30)
        delay_ms = from_ms - strides.calls[2][3]
        assert phases._bout_start_ms == begun_ms and strides.calls[0] == ("begin", begun_ms - delay_ms), moved_ms
        assert strides.calls[1] == ("score", -1, from_ms, crossing_ms)
        assert strides.calls[2][3:5] == (from_ms - delay_ms, crossing_ms - delay_ms) and delay_ms > 0
        assert phases._older_start_ms == from_ms and phases._older_sign == -1
        # The next one belongs to the same bout.
        strides.calls.clear()
        phases.start_ms = crossing_ms
        phases.end_half_cycle(1, False, crossing_ms + 500, crossing_ms + 530)
        assert strides.calls[0][0] == "score"


def test_a_half_cycle_is_compared_with_the_one_before_it():
    phases, strides = phases_with()
    for sign, angle, between in ((-1, 100, 0), (1, 200, 100), (1, 300, 300), (-1, 400, 300)):
        phases.newer[7] = angle
        strides.calls.clear()
        phases.end_half_cycle(sign, False, 1000, 1030)
        (half,) = [call for call in strides.calls if call[0] == "half"]
        assert half[5] == between, (sign, angle)
    # After a short gap the first one, which is cut, counts as nothing.
    phases.restart(True)
    phases.newer[7] = 900
    phases.end_half_cycle(-1, False, 3000, 3030)
    assert phases._older[7] == 0 and not phases._is_resumed
    phases.newer[7] = 800
    phases.end_half_cycle(1, False, 3500, 3530)
    assert phases._older[7] == 800


def test_sideways_there_is_no_direction():
    for is_frontal, has_direction, expected in ((False, True, FORWARD), (True, True, UNKNOWN), (False, False, UNKNOWN)):
        phases, strides = phases_with(swing_end_ms=900)
        phases._direction.current = FORWARD
        phases._older_start_ms = 400
        if not has_direction:
            phases.forget_direction()
        phases.end_half_cycle(-1, is_frontal, 1000, 1030)
        assert phases._direction.current == expected
        assert phases._output.directions == ([] if expected == FORWARD else [(400, UNKNOWN, 1030)])


def test_the_sign_of_swings_follows_the_evidence_or_a_fair_stride():
    for evidence, swing_end_ms, score, sign, before, expected in (
        (41, 900, 0, 1, 1, -1),
        (40, 900, 0, 1, 1, 1),
        (-41, 900, 0, 1, -1, 1),
        (-40, 900, 0, 1, -1, -1),
        # Without a direction, before a bout, a fair stride shows it.
        (0, -1, 2, 1, -1, 1),
        (0, -1, 2, -1, 1, -1),
        (0, -1, 1, 1, -1, -1),
        (0, 900, 2, 1, -1, -1),
    ):
        phases, strides = phases_with(swing_end_ms=swing_end_ms)
        phases._direction = Evidence(evidence)
        phases.swing_sign = before
        strides.scored = score
        phases.newer[7] = 77
        phases.end_half_cycle(sign, False, 1000, 1030)
        assert phases.swing_sign == expected, (evidence, score, sign)
        assert phases._direction.added == [(77, 0)]


def test_a_clearly_faster_half_cycle_than_the_last_wide_swing_is_a_reversal():
    never = 536870912
    for swing, angle, swing_end_ms, faster in (
        (-1, 15601, 900, 1250),
        (-1, 15600, 900, never),
        (1, 15601, 900, never),
        (-1, 15601, -1, never),
    ):
        phases, strides = phases_with(swing_end_ms=swing_end_ms)
        assert phases.faster_peak == never
        phases.faster_peak = 5
        phases._direction = Evidence(swing=swing)
        phases.newer[7], phases.newer[8] = angle, 1000
        phases.end_half_cycle(-1, False, 1000, 1030)
        assert phases.faster_peak == faster, (swing, angle, swing_end_ms)


def test_an_early_direction_needs_a_wide_and_quick_swing_and_evidence():
    for sign, angle, peak, swing_ms, evidence, is_suggested in (
        (-1, 16641, 1501, 649, 61, True),
        (-1, 16640, 1501, 649, 61, False),
        (-1, 16641, 1500, 649, 61, False),
        (-1, 16641, 1501, 650, 61, False),
        (-1, 16641, 1501, 649, 60, False),
        (-1, 16641, 1501, 649, -61, True),
    ):
        phases, strides = phases_with()
        phases._direction = Evidence(evidence)
        phases.swing_sign = sign if evidence > 0 else -sign
        phases.newer[7], phases.newer[8] = angle, peak
        phases._older[7], phases._older[8] = 4160, peak * 4 // 5 - 1
        phases.last_strike = 13
        phases.start_ms = 1000
        sign = -1 if evidence > 0 else 1
        phases.end_half_cycle(sign, False, 1000 + swing_ms, 1700)
        assert phases._output.directions == ["suggested" if is_suggested else "doubted"], (angle, peak, swing_ms, evidence)
        # At the end of the stance after it, the swing before it is judged, with more time.
        phases.newer[7] = phases.newer[8] = 0
        phases.newer[11], phases.newer[12] = 51, 500
        phases.start_ms = 1000 + swing_ms
        phases.end_half_cycle(-sign, False, 2000, 2030)
        late = angle > 16640 and peak > 1500 and abs(evidence) > 60
        assert phases._output.directions[1] == ("suggested" if late else "doubted")
    for swing_ms, is_suggested in ((849, True), (850, False)):
        phases, strides = phases_with()
        phases._direction = Evidence(100)
        phases._older[7], phases._older[8] = 20000, 2000
        phases._older_start_ms = 1000
        phases.newer[11], phases.newer[12] = 51, -500
        phases.start_ms = 1000 + swing_ms
        phases.end_half_cycle(1, False, 2000, 2030)
        assert phases._output.directions == ["suggested" if is_suggested else "doubted"]


def test_a_whole_cycle_before_a_bout_is_scored_with_its_swing_and_its_stance():
    calls = []
    results = []

    def cycle_score(*values):
        calls.append((values[0][7],) + values[1:])
        return results[0]

    honest = shank_phases.cycle_score
    shank_phases.cycle_score = cycle_score
    try:
        for score, expected in ((4, "confirmed"), (3, "doubted"), (-1, "doubted"), (-2, "refused")):
            results[:] = [score]
            calls.clear()
            phases, strides = phases_with()
            phases._direction = Evidence()
            # Times, samples, unloaded, change, strike and axial force of four half-cycles, of which the first is cut.
            halves = ((-1, 1000, 1400, 1), (1, 1400, 2000, 3), (-1, 2000, 2400, 2), (1, 2400, 3100, 5))
            for sign, start_ms, end_ms, n in halves:
                phases.start_ms = start_ms
                for place, factor in ((0, 10), (7, 1), (9, 1), (10, 100), (11, 11), (12, 111)):
                    phases.newer[place] = n * factor
                phases.end_half_cycle(sign, False, end_ms, end_ms + 30)
            assert calls == [(2, 400, 1000, 50, 5, 500, 33, 333), (2, 400, 1100, 70, 7, 700, 55, 555)], calls
            assert phases._output.directions == ["doubted", "doubted", expected, expected]
    finally:
        shank_phases.cycle_score = honest


def test_an_early_direction_needs_a_foot_strike():
    # At the end of the swing: the stance before it (angle, peak) and the strike just before. The swing peaks at 2000.
    for sign, stance, peak, strike, is_suggested in (
        (-1, 4160, 1599, 13, True),
        (-1, 4159, 1599, 13, False),
        (1, 4159, 1599, 13, True),
        (-1, 4160, 1600, 13, False),
        (-1, 4160, 1599, 12, False),
    ):
        phases, strides = phases_with()
        phases._direction = Evidence(-100 * sign)
        phases.swing_sign = sign
        phases.newer[7], phases.newer[8] = 20000, 2000
        phases._older[7], phases._older[8] = stance, peak
        phases.last_strike = strike
        phases.start_ms = 1000
        phases.end_half_cycle(sign, False, 1600, 1700)
        assert phases._output.directions == ["suggested" if is_suggested else "doubted"], (sign, stance, peak, strike)
    # At the end of the stance: the strike at its start, and the force along the leg.
    for strike, axial, is_suggested in ((51, 500, True), (50, 500, False), (51, 499, False), (51, -500, True), (51, -499, False)):
        phases, strides = phases_with()
        phases._direction = Evidence(100)
        phases._older[7], phases._older[8] = 20000, 2000
        phases._older_start_ms = 1000
        phases.newer[11], phases.newer[12] = strike, axial
        phases.start_ms = 1600
        phases.end_half_cycle(1, False, 2000, 2030)
        assert phases._output.directions == ["suggested" if is_suggested else "doubted"], (strike, axial)


def test_the_landing_of_backward_swings_is_where_the_force_changes_most():
    for sign, swing_sign, is_frontal, strike_ms, before_ms, landing_ms in (
        (-1, 1, False, 1110, 0, 100),
        (-1, 1, False, 1110, 60, 65),
        (-1, 1, False, 1260, 0, 250),
        (-1, 1, False, 1261, 60, 60),
        (-1, 1, False, 1009, 60, 60),
        (1, 1, False, 1110, 60, 60),
        (-1, 1, True, 1110, 60, 0),
        (1, -1, False, 1110, 60, 0),
    ):
        phases, strides = phases_with(swing_end_ms=900)
        phases._direction = Evidence(100 if swing_sign < 0 else -100)
        phases.swing_sign = swing_sign
        phases._landing_ms = before_ms
        phases.start_ms = 1000
        phases.strike_ms = strike_ms
        phases.end_half_cycle(sign, is_frontal, 1400, 1430)
        assert strides.landing_ms == landing_ms, (sign, swing_sign, is_frontal, strike_ms, before_ms)
    phases, strides = phases_with(swing_end_ms=900)
    phases._direction = Evidence(-50, sure=1)
    phases.swing_sign, phases._landing_ms, phases.start_ms, phases.strike_ms = 1, 60, 1000, 1110
    phases.end_half_cycle(-1, False, 1400, 1430)
    assert strides.landing_ms == 60, "while the direction may be turning, a rise of force may be something else"
