"""The detector's output: directions before, within and after a bout, and what alerts see of them."""

from retrostep_core.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.gait.direction import DirectionEvidence
from retrostep_core.gait.output import GaitOutput
from retrostep_core.gait.totals import GaitTotals
from support.gait_leg import Heard

# Places in the sums of a half-cycle (gait/direction.py).
SAMPLES = 0
GYRO_2 = 1
GYRO_3 = 2
GYRO_FORWARD = 3
FORWARD_2 = 5
FORCE_2 = 6
SUMS = 13


class Monitor:
    """Keeps the directions that alerts would see."""

    def __init__(self):
        self.seen = []

    def tick(self, at_ms, direction, cadence_x10, newest_x10, forward_ms, backward_ms):
        self.seen.append(direction)

    def start_session(self):
        pass


def made():
    heard = Heard()
    totals = GaitTotals()
    monitor = Monitor()
    return GaitOutput(heard, totals, monitor), heard, totals, monitor


def directions(heard):
    return [(since_ms, direction) for _, since_ms, direction in heard.directions]


def bout(output, first_ms, count):
    for k in range(count):
        output.step(first_ms + 400 * k, first_ms + 400 * k + 50)
        output.cadence(1500, 1500, first_ms + 400 * k + 50)


def test_a_direction_is_reported_with_its_first_step():
    output, heard, totals, _ = made()
    output.direction(9000, FORWARD, 9800)
    assert heard.directions == []
    bout(output, 9500, 4)
    assert directions(heard) == [(9000, FORWARD)]
    assert totals.forward_steps == 4


def test_a_direction_begins_at_most_a_second_before_its_first_step():
    output, heard, _, _ = made()
    output.direction(2000, BACKWARD, 2500)
    bout(output, 9500, 2)
    assert directions(heard) == [(8500, BACKWARD)]


def test_an_early_direction_without_steps_is_taken_back_in_full():
    output, heard, totals, monitor = made()
    output.direction(5000, BACKWARD, 5600)
    output.confirm_direction(5600)
    for at_ms in range(5600, 9000, 250):
        output.tick(at_ms)
    assert directions(heard) == [(5000, BACKWARD), (5000, UNKNOWN)]
    assert 8000 < heard.directions[1][0] < 8700
    assert totals.backward_ms == 0
    assert BACKWARD not in monitor.seen


def test_what_comes_after_a_bout_takes_nothing_from_its_steps():
    # The leg moves on, so the direction is still the one found at the start.
    for take_back in (GaitOutput.refuse_direction, GaitOutput.doubt_direction, None):
        output, heard, totals, _ = made()
        output.direction(1000, BACKWARD, 1600)
        bout(output, 1500, 4)
        output.cadence(0, 0, 3300)
        output.direction(1000, FORWARD, 5300)
        if take_back is None:
            bout(output, 3200, 1)
        else:
            take_back(output, 5300)
        assert directions(heard) == [(1000, BACKWARD), (2701, UNKNOWN if take_back else FORWARD)]
        totals.advance(5300)
        assert totals.backward_steps == 4 and totals.backward_ms == 1701


def test_a_refused_cycle_takes_a_direction_back_and_stops_suggestions_until_standing():
    output, heard, totals, _ = made()
    output.direction(5000, FORWARD, 5600)
    output.suggest_direction(5600)
    output.refuse_direction(6000)
    output.direction(6100, BACKWARD, 6400)
    output.suggest_direction(6400)
    assert directions(heard) == [(5000, FORWARD), (5000, UNKNOWN)]
    assert totals.forward_ms == totals.backward_ms == 0
    output.direction(9000, STILL, 10500)
    output.direction(12000, BACKWARD, 12500)
    output.suggest_direction(12500)
    assert directions(heard)[-1] == (12000, BACKWARD)


def test_a_confirmed_cycle_outweighs_a_refused_one():
    output, heard, _, _ = made()
    output.direction(5000, FORWARD, 5600)
    output.refuse_direction(5600)
    output.confirm_direction(6300)
    assert directions(heard) == [(5000, FORWARD)]


def test_within_a_bout_a_change_is_reported_at_once_and_needs_a_step_to_keep_its_time():
    output, heard, totals, _ = made()
    output.direction(1000, FORWARD, 1800)
    bout(output, 1500, 10)
    output.direction(5300, BACKWARD, 5600)
    assert directions(heard)[-1] == (5300, BACKWARD)
    output.direction(5700, FORWARD, 6000)
    # No step was backward, so no time was.
    assert directions(heard)[-1] == (5300, FORWARD)
    bout(output, 5800, 3)
    totals.advance(7000)
    assert totals.backward_ms == 0 and totals.forward_ms == 6000
    output.direction(6900, BACKWARD, 7200)
    bout(output, 7100, 3)
    output.direction(8200, FORWARD, 8500)
    assert totals.backward_ms == 1300


def test_a_direction_ends_half_a_second_after_the_last_step_if_the_leg_moves_on():
    output, heard, totals, monitor = made()
    output.direction(1000, FORWARD, 1800)
    bout(output, 1500, 10)
    output.cadence(0, 0, 6500)
    for at_ms in range(6500, 20000, 250):
        output.tick(at_ms)
    assert directions(heard)[-1] == (5600, UNKNOWN)
    assert totals.forward_ms == 4600
    assert FORWARD not in monitor.seen


def test_alerts_see_the_direction_within_a_bout():
    output, _, _, monitor = made()
    output.direction(1000, BACKWARD, 1800)
    bout(output, 1500, 4)
    output.tick(3000)
    output.cadence(0, 0, 4000)
    output.tick(4250)
    assert monitor.seen == [BACKWARD, UNKNOWN]


def half_cycle(gyro, forward, skew):
    """Sums of 30 samples with these rms values and a skew of the angular velocity (per cent)."""
    sums = [0] * SUMS
    sums[SAMPLES] = 30
    sums[GYRO_2] = 30 * gyro * gyro
    sums[GYRO_3] = 30 * gyro * gyro * gyro // 64 * skew // 100
    sums[GYRO_FORWARD] = 30 * gyro * forward // 2
    sums[FORWARD_2] = 30 * forward * forward
    sums[FORCE_2] = 30 * 50 * 50
    sums[7] = 60000
    sums[8] = 6000
    return sums


def test_backward_needs_a_forward_force_that_does_not_contradict_it():
    for sign, expected in ((-1, BACKWARD), (1, UNKNOWN)):
        evidence = DirectionEvidence()
        for _ in range(6):
            sums = half_cycle(120, sign * 40, 250)
            evidence.add_cycle(sums, sums)
            evidence.decide()
        assert evidence.evidence < -60
        assert evidence.current == expected, sign
