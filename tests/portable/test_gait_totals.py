"""The totals: steps and time by direction, late corrections."""

from retrostep_core.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.gait.totals import GaitTotals


def counts(totals):
    return (totals.forward_steps, totals.backward_steps, totals.unknown_steps)


def walked(*times):
    totals = GaitTotals()
    for t_ms in times:
        totals.add_step(t_ms, totals.direction_at(t_ms))
        totals.advance(t_ms)
    return totals


def test_steps_wait_for_their_direction():
    totals = walked(1000, 1500, 2000)
    assert counts(totals) == (0, 0, 3)
    totals.set_direction(900, FORWARD)
    assert counts(totals) == (3, 0, 0)
    assert totals.forward_ms == 1100


def test_a_turn_relabels_what_came_after_it_only():
    totals = walked(1000, 1500)
    totals.set_direction(0, FORWARD)
    for t_ms in (2000, 2500, 3000):
        totals.add_step(t_ms, totals.direction_at(t_ms))
        totals.advance(t_ms)
    totals.set_direction(2400, BACKWARD)
    assert counts(totals) == (3, 2, 0)
    assert (totals.forward_ms, totals.backward_ms) == (2400, 600)
    totals.advance(4000)
    assert (totals.forward_ms, totals.backward_ms) == (2400, 1600)


def test_a_late_step_gets_the_direction_of_its_time():
    totals = GaitTotals()
    totals.set_direction(0, FORWARD)
    totals.set_direction(5000, BACKWARD)
    totals.set_direction(8000, STILL)
    assert [totals.direction_at(t) for t in (0, 4999, 5000, 7999, 8000)] == [FORWARD, FORWARD, BACKWARD, BACKWARD, STILL]
    assert totals.direction_at(-5) == UNKNOWN
    totals.add_step(4999, totals.direction_at(4999))
    totals.add_step(9000, totals.direction_at(9000))
    assert counts(totals) == (1, 0, 1)


def test_standing_still_is_no_time_of_movement():
    totals = GaitTotals()
    totals.set_direction(0, FORWARD)
    totals.set_direction(3000, STILL)
    totals.advance(60000)
    assert (totals.forward_ms, totals.backward_ms) == (3000, 0)


def test_a_new_session_keeps_the_direction_and_counts_from_its_start():
    totals = walked(1000, 2000)
    totals.set_direction(0, BACKWARD)
    totals.advance(10000)
    totals.reset(10000)
    assert counts(totals) == (0, 0, 0) and totals.backward_ms == 0
    totals.advance(12000)
    assert totals.backward_ms == 2000
    # A correction that reaches behind the start counts from the start.
    totals.set_direction(9000, FORWARD)
    assert (totals.forward_ms, totals.backward_ms) == (2000, 0)
    assert counts(totals) == (0, 0, 0)


def test_more_steps_than_are_remembered_keep_the_sum():
    totals = GaitTotals()
    for k in range(200):
        totals.add_step(k * 400, totals.direction_at(k * 400))
        totals.advance(k * 400)
    totals.set_direction(0, FORWARD)
    assert sum(counts(totals)) == 200
