"""The tally: steps and time by direction, late corrections."""

from retrostep_core.gait.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.gait.tally import Tally


def counts(tally):
    return (tally.forward_steps, tally.backward_steps, tally.unknown_steps)


def walked(*times):
    tally = Tally()
    for t_ms in times:
        tally.step(t_ms, tally.direction_at(t_ms))
        tally.now(t_ms)
    return tally


def test_steps_wait_for_their_direction():
    tally = walked(1000, 1500, 2000)
    assert counts(tally) == (0, 0, 3)
    tally.turn(900, FORWARD)
    assert counts(tally) == (3, 0, 0)
    assert tally.forward_ms == 1100


def test_a_turn_relabels_what_came_after_it_only():
    tally = walked(1000, 1500)
    tally.turn(0, FORWARD)
    for t_ms in (2000, 2500, 3000):
        tally.step(t_ms, tally.direction_at(t_ms))
        tally.now(t_ms)
    tally.turn(2400, BACKWARD)
    assert counts(tally) == (3, 2, 0)
    assert (tally.forward_ms, tally.backward_ms) == (2400, 600)
    tally.now(4000)
    assert (tally.forward_ms, tally.backward_ms) == (2400, 1600)


def test_a_late_step_gets_the_direction_of_its_time():
    tally = Tally()
    tally.turn(0, FORWARD)
    tally.turn(5000, BACKWARD)
    tally.turn(8000, STILL)
    assert [tally.direction_at(t) for t in (0, 4999, 5000, 7999, 8000)] == [FORWARD, FORWARD, BACKWARD, BACKWARD, STILL]
    assert tally.direction_at(-5) == UNKNOWN
    tally.step(4999, tally.direction_at(4999))
    tally.step(9000, tally.direction_at(9000))
    assert counts(tally) == (1, 0, 1)


def test_standing_still_is_no_time_of_movement():
    tally = Tally()
    tally.turn(0, FORWARD)
    tally.turn(3000, STILL)
    tally.now(60000)
    assert (tally.forward_ms, tally.backward_ms) == (3000, 0)


def test_a_new_session_keeps_the_direction_and_counts_from_its_start():
    tally = walked(1000, 2000)
    tally.turn(0, BACKWARD)
    tally.now(10000)
    tally.start(10000)
    assert counts(tally) == (0, 0, 0) and tally.backward_ms == 0
    tally.now(12000)
    assert tally.backward_ms == 2000
    # A correction that reaches behind the start counts from the start.
    tally.turn(9000, FORWARD)
    assert (tally.forward_ms, tally.backward_ms) == (2000, 0)
    assert counts(tally) == (0, 0, 0)


def test_more_steps_than_are_remembered_keep_the_sum():
    tally = Tally()
    for k in range(200):
        tally.step(k * 400, tally.direction_at(k * 400))
        tally.now(k * 400)
    tally.turn(0, FORWARD)
    assert sum(counts(tally)) == 200
