"""Time since boot beyond the wrap of the port's counter, and the wall clock."""

from hal.clock import Clock

TURN = 1 << 30


class Ticks:
    def __init__(self, at):
        self.at = at

    def ms(self):
        return self.at % TURN

    @staticmethod
    def diff(new, old):
        return (new - old + TURN // 2) % TURN - TURN // 2


def test_time_continues_over_the_wrap():
    ticks = Ticks(TURN - 500)
    clock = Clock(ticks.ms, ticks.diff)
    assert clock.ticks_ms() == 0
    ticks.at += 800
    assert clock.ticks_ms() == 800
    for _ in range(5):
        ticks.at += TURN // 2 - 1
        clock.ticks_ms()
    assert clock.ticks_ms() == 800 + 5 * (TURN // 2 - 1)


def test_time_never_falls():
    ticks = Ticks(1000)
    clock = Clock(ticks.ms, ticks.diff)
    ticks.at = 2000
    assert clock.ticks_ms() == 1000
    ticks.at = 1500
    assert clock.ticks_ms() == 1000
    ticks.at = 2500
    assert clock.ticks_ms() == 1500


def test_the_wall_clock_is_unknown_until_it_is_set():
    ticks = Ticks(0)
    clock = Clock(ticks.ms, ticks.diff, 7)
    calls = []
    clock.listener = lambda at, epoch, source: calls.append((at, epoch, source))
    assert clock.epoch_ms() == 0 and clock.boot == 7
    ticks.at = 4000
    assert clock.set_epoch_ms(1795000000000, 1) == 4000
    ticks.at = 5500
    assert clock.epoch_ms() == 1795000001500
    assert calls == [(4000, 1795000000000, 1)]


def test_a_time_before_2020_is_refused():
    clock = Clock(Ticks(0).ms, Ticks.diff)
    try:
        clock.set_epoch_ms(1000, 1)
    except ValueError:
        assert clock.epoch_ms() == 0
    else:
        raise AssertionError("a time in 1970 was accepted")
