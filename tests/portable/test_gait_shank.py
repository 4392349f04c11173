"""The engine on a shank: steps of both feet, direction, cadence, standing, gaps."""

from retrostep_core.codes import BACKWARD, FORWARD, RAMP, STILL, STOP, UNKNOWN
from support.gait_leg import Leg, matched


def worn(spm_x10, back, seconds=30, **kind):
    leg = Leg(**kind)
    leg.stand(3000)
    leg.walk(seconds * 1000, spm_x10, back)
    leg.stand(3000)
    return leg, leg.finish()


def cadences(heard, from_ms, to_ms):
    """Every cadence that held between two times; only changes are reported."""
    held = [cadence for at_ms, cadence in heard.cadences if at_ms <= from_ms][-1:]
    return held + [cadence for at_ms, cadence in heard.cadences if from_ms < at_ms <= to_ms]


def test_steps_of_both_feet_walking_and_running_either_way():
    for back in (False, True):
        for spm in (400, 700, 1100, 1650, 2100, 2600):
            leg, heard = worn(spm, back)
            # A half step at either end may be had or not: the leg appears out of a stand in mid-gait.
            assert abs(len(heard.steps) - len(leg.contacts)) <= 2, (back, spm, len(heard.steps), len(leg.contacts))
            assert matched(heard, leg.contacts, 24000 // (spm // 10)) >= len(leg.contacts) - 2, (back, spm)


def test_step_times_rise_and_come_within_two_strides_once_walking():
    _, heard = worn(1100, False)
    for before, after in zip(heard.steps, heard.steps[1:]):
        assert after[0] > before[0]
    for t_ms, at_ms, _ in heard.steps[6:-2]:
        assert at_ms - t_ms < 1200


def test_direction_is_right_and_labels_every_step():
    for back, direction in ((False, FORWARD), (True, BACKWARD)):
        leg, heard = worn(1500, back)
        totals = leg.engine.totals
        counted = totals.backward_steps if back else totals.forward_steps
        assert counted == len(heard.steps), (back, counted, len(heard.steps))
        assert direction in [change[2] for change in heard.directions]
        wrong = FORWARD if back else BACKWARD
        assert wrong not in [change[2] for change in heard.directions]
        ms = totals.backward_ms if back else totals.forward_ms
        assert 28500 <= ms <= 31500


def test_direction_turns_within_two_seconds_and_back():
    leg = Leg()
    leg.stand(2000)
    turns = []
    for back in (False, True, False, True):
        turns.append((leg.now_ms, BACKWARD if back else FORWARD))
        leg.walk(8000, 1500, back)
    heard = leg.finish()
    decisions = [(at, direction) for at, _, direction in heard.directions if direction in (FORWARD, BACKWARD)]
    assert [direction for _, direction in decisions] == [direction for _, direction in turns]
    for (at_ms, _), (true_ms, _) in zip(decisions, turns):
        assert 0 <= at_ms - true_ms <= 2000, (at_ms, true_ms)


def test_direction_statements_never_reach_behind_an_older_one():
    leg = Leg()
    for k in range(6):
        leg.walk(2500, 1500, k % 2 == 1)
        leg.stand(700)
    newest = -1
    for at_ms, since_ms, _ in leg.finish().directions:
        assert newest <= since_ms <= at_ms
        newest = since_ms


def test_cadence_is_right_from_40_to_260():
    for spm in (400, 800, 1100, 1650, 2100, 2600):
        _, heard = worn(spm, False)
        reported = cadences(heard, 14000, 32000)
        assert reported, spm
        for cadence in reported:
            assert abs(cadence - spm) * 100 <= spm * 2, (spm, cadence)
        assert heard.cadences[-1][1] == 0


def test_cadence_follows_a_change_within_a_second_running_and_in_two_strides_and_a_half_walking():
    late = []
    # From different moments of the stride; the newest reported is right from then on.
    for changed_ms in range(9000, 9800, 100):
        for spm, to, most_ms in ((1600, 1760, 1100), (1800, 2070, 1100), (1700, 1530, 1300), (1000, 1120, 3000)):
            leg = Leg()
            leg.walk(changed_ms, spm)
            leg.walk(6000, to)
            reported = [(at, cadence) for at, cadence in leg.finish().cadences if changed_ms < at < changed_ms + 5500]
            off = [at for at, cadence in reported if abs(cadence - to) * 50 > to]
            right_ms = min(at for at, _ in reported if at > max(off)) - changed_ms
            assert right_ms <= most_ms, (spm, to, changed_ms, right_ms)
            if spm > 1500 and to > spm:
                late.append(right_ms)
    late.sort()
    assert late[len(late) // 2] <= 1000, late


def test_standing_counts_nothing_and_says_still():
    leg = Leg(noise=40)
    leg.stand(60000)
    heard = leg.finish()
    assert heard.steps == []
    assert [change[2] for change in heard.directions] == [STILL]


def test_a_dangling_leg_is_not_walking():
    leg = Leg()
    for _ in range(8):
        leg.stand(2500)
        # Two swings without a contact: the lower leg of somebody who sits.
        for i in range(200):
            x = i % 100
            gy = 700 * x * (50 - x) // 625 if x < 50 else -700 * (x - 50) * (100 - x) // 625
            leg.sample(0, 0, 1000, 0, gy, 0)
    leg.stand(3000)
    assert leg.finish().steps == []


def test_one_swing_is_no_step():
    leg = Leg()
    leg.stand(3000)
    leg.walk(1000, 1100)
    leg.stand(5000)
    assert leg.finish().steps == []


def test_still_after_a_walk_and_unknown_when_it_moves_again():
    leg = Leg()
    leg.walk(6000, 1100)
    leg.stand(4000)
    leg.walk(6000, 1100)
    decisions = [direction for _, _, direction in leg.finish().directions if direction != UNKNOWN]
    assert decisions == [FORWARD, STILL, FORWARD]


def test_bias_a_slipped_strap_and_noise_change_no_count():
    for back in (False, True):
        for kind in ({"bias": 150}, {"bias": -150}, {"degrees20": True}, {"noise": 80}):
            leg, heard = worn(1500, back, **kind)
            assert abs(len(heard.steps) - len(leg.contacts)) <= 3, (back, kind, len(heard.steps), len(leg.contacts))
            wrong = FORWARD if back else BACKWARD
            assert wrong not in [change[2] for change in heard.directions], (back, kind)


def test_turning_on_the_way_changes_neither_count_nor_direction():
    for back in (False, True):
        for turning in (900, -900):
            leg = Leg()
            leg.stand(2000)
            for _ in range(3):
                leg.walk(5000, 1100, back)
                leg.turning = turning
                leg.walk(2000, 1100, back)
                leg.turning = 0
            heard = leg.finish()
            assert abs(len(heard.steps) - len(leg.contacts)) <= 1, (back, turning, len(heard.steps), len(leg.contacts))
            assert [change[2] for change in heard.directions if change[2] not in (STILL, UNKNOWN)] == [BACKWARD if back else FORWARD]


def test_turning_on_the_spot_is_no_walk():
    leg = Leg()
    for turning in (900, -1800):
        leg.stand(3000)
        leg.turning = turning
        leg.stand(1000)
        leg.turning = 0
    leg.stand(3000)
    assert leg.finish().steps == []


def test_sidesteps_are_counted_without_a_direction():
    leg = Leg()
    leg.stand(2000)
    leg.sideways = True
    leg.walk(20000, 1000, size=50)
    leg.sideways = False
    leg.stand(3000)
    heard = leg.finish()
    assert abs(len(heard.steps) - len(leg.contacts)) <= 3, (len(heard.steps), len(leg.contacts))
    assert {change[2] for change in heard.directions} <= {STILL, UNKNOWN}
    assert leg.engine.totals.unknown_steps == len(heard.steps)
    assert leg.engine.totals.backward_ms == 0


def test_stairs_are_steps_and_nobody_climbs_them_backward():
    leg = Leg()
    leg.stand(2000)
    leg.walk(6000, 1100)
    leg.climb(10000, 900)
    leg.walk(6000, 1100)
    heard = leg.finish()
    assert abs(len(heard.steps) - len(leg.contacts)) <= 2, (len(heard.steps), len(leg.contacts))
    assert BACKWARD not in [change[2] for change in heard.directions]
    assert leg.engine.totals.backward_steps == 0


def test_a_chip_that_clips_loses_no_step_and_no_direction():
    for back in (False, True):
        leg = Leg()
        leg.most_mg = 1500
        leg.most_dps10 = 4000
        leg.stand(2000)
        leg.walk(20000, 1650, back)
        heard = leg.finish()
        assert abs(len(heard.steps) - len(leg.contacts)) <= 2, (back, len(heard.steps), len(leg.contacts))
        assert {change[2] for change in heard.directions} - {STILL, UNKNOWN} == {BACKWARD if back else FORWARD}


def test_a_turn_of_direction_without_a_pause_leaves_no_step_out():
    for spm in (1100, 1600):
        leg = Leg()
        leg.stand(2000)
        for k in range(6):
            leg.walk(6000, spm, k % 2 == 1)
        heard = leg.finish()
        # One at each of the five turns, and one at the end.
        assert abs(len(heard.steps) - len(leg.contacts)) <= 6, (spm, len(heard.steps), len(leg.contacts))
        for before, after in zip(heard.steps, heard.steps[1:]):
            assert after[0] - before[0] > 600000 // spm // 3, (spm, before, after)


def test_what_stops_and_starts_again_keeps_its_own_direction():
    leg = Leg()
    leg.stand(2000)
    leg.walk(8000, 1500, True)
    leg.stand(1200)
    turned_ms = leg.now_ms
    leg.walk(8000, 1100)
    heard = leg.finish()
    # Shorter than standing still: but no step before the pause is taken for one of the new direction.
    assert [change[2] for change in heard.directions if change[2] in (FORWARD, BACKWARD)] == [BACKWARD, FORWARD]
    assert min(since for _, since, direction in heard.directions if direction == FORWARD) >= turned_ms - 300


def test_a_gap_is_told_and_what_follows_starts_afresh():
    leg = Leg()
    leg.walk(10000, 1500)
    leg.lose(2000)
    leg.walk(10000, 1500)
    heard = leg.finish()
    assert 18000 < leg.engine.totals.forward_ms < 20100
    assert len(heard.gaps) == 1
    from_ms, to_ms, _ = heard.gaps[0]
    assert 9900 < from_ms < 10010 and 1950 < to_ms - from_ms < 2060
    for t_ms, _, _ in heard.steps:
        assert not from_ms < t_ms < to_ms


def test_a_short_gap_hides_neither_direction_nor_a_rise():
    leg = Leg()
    leg.walk(9000, 1500, back=True)
    for cadence_x10 in (1500, 1600, 1700, 1800, 1800):
        leg.lose(300)
        leg.walk(4000, cadence_x10, back=True)
    heard = leg.finish()
    assert len(heard.gaps) == 5
    assert [change[2] for change in heard.directions] == [BACKWARD], heard.directions
    assert (RAMP, STOP) in [(kind, severity) for _, kind, severity, _, _ in heard.alerts], heard.alerts


def test_a_few_lost_samples_are_no_gap():
    leg = Leg()
    leg.walk(10000, 1500)
    leg.lose(30)
    leg.walk(10000, 1500)
    assert leg.finish().gaps == []


def test_blocks_of_any_size_say_the_same():
    reported = []
    for size in (1, 7, 32, 52):
        leg = Leg(size=size)
        leg.stand(2000)
        # A block's times are counted from its first sample, so sizes differ by a millisecond here and there.
        leg.walk(12000, 1600)
        leg.walk(12000, 1600, True)
        heard = leg.finish()
        reported.append([[step[0] for step in heard.steps], [change[2] for change in heard.directions]])
    for other in reported[1:]:
        assert len(other[0]) == len(reported[0][0])
        assert other[1] == reported[0][1]
        for a, b in zip(other[0], reported[0][0]):
            assert abs(a - b) <= 3


def test_a_new_session_starts_from_zero():
    leg = Leg()
    leg.walk(10000, 1500)
    leg.flush()
    totals = leg.engine.totals
    assert totals.forward_steps > 10
    leg.engine.totals.reset(leg.now_ms)
    assert (totals.forward_steps, totals.backward_steps, totals.unknown_steps, totals.forward_ms, totals.backward_ms) == (0, 0, 0, 0, 0)
    leg.walk(10000, 1500)
    leg.finish()
    assert 20 <= totals.forward_steps <= 28
