"""The steps of the other foot where the gyroscope is dead, by exact times and at both sides of each limit."""

from retrostep_core.gait.shank_force import BothFeet


class Output:
    next_tick_ms = 4321

    def __init__(self):
        self.events = []

    def direction(self, *values):
        self.events.append(("direction",) + values)

    def tick(self, *values):
        self.events.append(("tick",) + values)

    def step(self, t_ms, at_ms):
        self.events.append((t_ms, at_ms))

    def cadence(self, *values):
        self.events.append(("cadence",) + values)


class Steps:
    def __init__(self, usual_gain):
        self.usual_gain = usual_gain


def feet(usual_gain=0):
    both = BothFeet(Output())
    both.steps = Steps(usual_gain)
    return both, both._output.events


def test_a_whole_stride_holds_a_step_of_the_other_foot_in_its_middle():
    for gain, interval, has_middle in (
        (0, 899, False),
        (0, 900, True),
        (0, 1001, True),
        (0, 2399, True),
        (0, 2400, False),
        (6000, 600, False),
        (6001, 459, False),
        (6001, 460, True),
        (6001, 2399, True),
        (6001, 2400, False),
    ):
        both, events = feet(gain)
        both.step(5000, 5300)
        assert events == [(5000, 5300)], "nothing is before the first step"
        both.step(5000 + interval, 5400 + interval)
        middle = [(5000 + interval - interval // 2, 5400 + interval)] if has_middle else []
        assert events[1:] == middle + [(5000 + interval, 5400 + interval)], (gain, interval)


def test_no_step_is_taken_for_the_end_of_a_stride_that_began_before_the_start():
    for t_ms in (0, 899, 900, 2399, 3300, 4000, 9000):
        both, events = feet()
        both.step(t_ms, t_ms + 200)
        assert events == [(t_ms, t_ms + 200)]


def test_the_cadence_of_whole_strides_is_doubled():
    for interval, factor in ((899, 1), (900, 2), (2400, 2), (9000, 2)):
        both, events = feet()
        both.step(5000, 5300)
        both.step(5000 + interval, 5300 + interval)
        both.cadence(600, 610, 7000)
        assert events[-1] == ("cadence", 600 * factor, 610 * factor, 7000), interval
    both, events = feet()
    both.cadence(600, 610, 7000)
    assert events == [("cadence", 1200, 1220, 7000)], "the first step ends no short interval"
    both.step(1000, 1300)
    both.step(1500, 1800)
    both.step(3000, 3300)
    both.cadence(400, 500, 3300)
    assert events[-1] == ("cadence", 800, 1000, 3300), "the newest interval decides"


def test_the_rest_goes_to_the_output_as_it_comes():
    both, events = feet()
    both.direction(1, 2, 3)
    both.tick(4)
    assert events == [("direction", 1, 2, 3), ("tick", 4)] and both.next_tick_ms == 4321
