"""Bouts and the median cadence of an epoch, at each of their limits."""

from retrostep_core.log.bouts import Bouts, CadenceMedian

UNKNOWN, FORWARD, BACKWARD, STILL = 0, 1, 2, 3


class Made:
    """Bouts, and what they reported."""

    def __init__(self, direction=FORWARD):
        self.found = []
        self.bouts = Bouts(self.report)
        self.bouts.begin(direction)

    def report(self, *bout):
        self.found.append(bout)

    def steps(self, first_ms, last_ms, every_ms=500):
        for t_ms in range(first_ms, last_ms + 1, every_ms):
            self.bouts.step(t_ms)

    def short(self):
        """(start, end, direction, steps) of each bout."""
        return [bout[:4] for bout in self.found]


def test_a_bout_lasts_three_seconds_or_has_four_steps():
    for end_ms, steps, expected in (
        (2999, 3, []),
        (3000, 3, [(0, 3000, FORWARD, 3)]),
        (2999, 4, [(0, 2999, FORWARD, 4)]),
        (3000, 0, [(0, 3000, FORWARD, 0)]),
    ):
        made = Made()
        for step in range(steps):
            made.bouts.step(100 + step)
        made.bouts.finish(end_ms)
        assert made.short() == expected, (end_ms, steps)


def test_standing_is_no_bout():
    made = Made(STILL)
    made.bouts.finish(60000)
    assert made.found == []


def test_the_mean_is_rounded_and_the_highest_is_kept():
    for cadences, mean, top in (
        ((), 0, 0),
        ((1500,), 1500, 1500),
        ((1500, 1501), 1501, 1501),
        ((1500, 1500, 1501), 1500, 1501),
        ((1600, 0, 1400), 1500, 1600),
        ((0, -5), 0, 0),
        ((1,), 1, 1),
    ):
        made = Made()
        for cadence in cadences:
            made.bouts.cadence(cadence)
        made.steps(0, 4000)
        made.bouts.finish(5000)
        assert made.found == [(0, 5000, FORWARD, 9, mean, top)], cadences


def test_cadences_belong_to_the_stretch_in_which_they_are_reported():
    made = Made()
    made.bouts.cadence(1000)
    made.steps(0, 4000)
    made.bouts.direction(4500, BACKWARD)
    made.bouts.cadence(2000)
    made.bouts.cadence(2100)
    made.steps(4500, 9000)
    made.bouts.direction(9500, FORWARD)
    made.bouts.cadence(1200)
    made.steps(9500, 10500)
    made.bouts.direction(10600, BACKWARD)
    made.bouts.cadence(1900)
    made.bouts.cadence(1200)
    made.steps(11000, 14000)
    made.bouts.finish(14000)
    assert made.found == [
        (0, 4500, FORWARD, 9, 1000, 1000),
        # The short stretch forward does not break it; its steps and cadences count in it.
        (4500, 14000, BACKWARD, 20, 1680, 2100),
    ]


def test_a_stretch_ends_a_bout_as_soon_as_it_is_one_itself():
    for way in ("step", "tick"):
        for late_ms, ended in ((2999, False), (3000, True)):
            made = Made()
            made.steps(0, 4000)
            made.bouts.direction(5000, BACKWARD)
            made.bouts.step(5000 + late_ms) if way == "step" else made.bouts.tick(5000 + late_ms)
            assert bool(made.found) == ended, (way, late_ms)
    made = Made()
    made.steps(0, 4000)
    made.bouts.direction(5000, BACKWARD)
    made.steps(5100, 5300, 100)
    assert made.found == []
    made.bouts.step(5400)
    assert made.short() == [(0, 5000, FORWARD, 9)], "the fourth step"


def test_standing_for_three_seconds_ends_a_bout_where_it_began():
    made = Made()
    made.steps(0, 4000)
    made.bouts.direction(4200, STILL)
    made.bouts.tick(7199)
    assert made.found == []
    made.bouts.tick(7200)
    assert made.short() == [(0, 4200, FORWARD, 9)]
    made.bouts.direction(9000, FORWARD)
    made.steps(9100, 12100)
    made.bouts.finish(13000)
    assert made.short()[1:] == [(9000, 13000, FORWARD, 7)]


def test_a_short_stop_between_two_bouts_of_other_directions_belongs_to_none():
    made = Made()
    made.steps(0, 4000)
    made.bouts.direction(4200, STILL)
    made.bouts.direction(5000, BACKWARD)
    made.steps(5100, 9100)
    made.bouts.finish(10000)
    assert made.short() == [(0, 4200, FORWARD, 9), (5000, 10000, BACKWARD, 9)]


def test_a_late_direction_moves_the_boundary():
    made = Made()
    made.steps(0, 6000)
    made.bouts.direction(4000, BACKWARD)
    made.steps(6500, 9000)
    made.bouts.finish(9000)
    assert made.short() == [(0, 4000, FORWARD, 8), (4000, 9000, BACKWARD, 11)], "the step at the boundary is of the new direction"
    made = Made()
    made.steps(0, 6000)
    made.bouts.direction(4000, BACKWARD)
    made.bouts.direction(4000, FORWARD)
    made.bouts.finish(9000)
    assert made.short() == [(0, 9000, FORWARD, 13)], "taken back"
    made = Made()
    made.steps(0, 6000)
    made.bouts.direction(0, BACKWARD)
    made.bouts.finish(9000)
    assert made.short() == [(0, 9000, BACKWARD, 13)], "from the beginning"


def test_only_the_newest_128_steps_change_their_side():
    for boundary, before in ((172, 172), (173, 173), (171, 172), (0, 172)):
        made = Made()
        for step in range(300):
            made.bouts.step(10 * step)
        made.bouts.direction(10 * boundary, BACKWARD)
        if boundary:
            made.bouts.finish(100000)
            assert made.short() == [(0, 10 * boundary, FORWARD, before), (10 * boundary, 100000, BACKWARD, 300 - before)], boundary


def test_the_ninth_undecided_stretch_counts():
    made = Made()
    made.steps(0, 4000)
    directions = (BACKWARD, UNKNOWN)
    for k in range(7):
        made.bouts.direction(5000 + 100 * k, directions[k % 2])
    assert made.found == [], "seven stretches beside the bout"
    made.bouts.direction(5700, UNKNOWN)
    assert made.short() == [(0, 5000, FORWARD, 9)]
    made.bouts.finish(60000)
    assert made.short()[1:] == [(5700, 60000, UNKNOWN, 0)]


def test_the_end_closes_what_is_under_way():
    made = Made()
    made.steps(0, 4000)
    made.bouts.direction(8000, BACKWARD)
    made.bouts.step(8100)
    made.bouts.finish(8500)
    assert made.short() == [(0, 8000, FORWARD, 9)], "one step back is no bout, and the bout ended before it"
    made = Made()
    made.steps(0, 4000)
    made.bouts.direction(8000, BACKWARD)
    made.bouts.finish(7000)
    assert made.short() == [(0, 7000, FORWARD, 9)], "never later than the session"
    made = Made()
    made.steps(0, 4000)
    made.bouts.direction(5000, BACKWARD)
    made.bouts.finish(8000)
    assert made.short() == [(0, 5000, FORWARD, 9), (5000, 8000, BACKWARD, 0)], "it is long enough by the end"


def test_a_new_session_starts_empty():
    made = Made()
    made.steps(0, 4000)
    made.bouts.cadence(1900)
    made.bouts.begin(BACKWARD)
    made.bouts.cadence(1500)
    made.steps(0, 4000)
    made.bouts.finish(5000)
    assert made.found == [(0, 5000, BACKWARD, 9, 1500, 1500)]


def test_the_median_of_an_epoch():
    for cadences, median in (
        ((), 0),
        ((0,), 0),
        ((1500,), 1500),
        ((1500, 1600), 1600),
        ((1600, 1500), 1600),
        ((1700, 1500, 1600), 1600),
        ((1700, 1500, 0, 1600, -1), 1600),
        ((9, 8, 7, 6, 5, 4, 3, 2, 1), 5),
        ((70000, 70000, 1), 65535),
        ([1] * 64 + [2] * 33, 2),  # of the newest 64: 31 and 33
        ([1] * 64 + [2] * 31, 1),
        ([1] * 64 + [2] * 32, 2),
    ):
        medians = CadenceMedian()
        for cadence in cadences:
            medians.add(cadence)
        assert medians.median() == median, cadences
    medians.clear()
    assert medians.median() == 0
    medians.add(5)
    assert medians.median() == 5
