"""The virtual clock: at the requested speed, slowed down where the host cannot keep up."""

from virtual_clock import CRAWL_US, LOOK_US, Clock


class Host:
    """The host's clock, moved by the test. A pause ends `late_us` late."""

    def __init__(self, late_us=0):
        self.us = 1000
        self.late_us = late_us
        self.paused_us = 0

    def now(self):
        return self.us

    def pause(self, us):
        self.paused_us += us
        self.us += us + self.late_us


def _clock(speed_milli=1000, late_us=0, now_us=0):
    host = Host(late_us)
    return host, Clock(speed_milli, now_us, 0, host.now, host.pause)


def test_time_passes_as_fast_as_asked():
    for speed_milli in (500, 1000, 20000):
        host, clock = _clock(speed_milli, now_us=77)
        for _ in range(100):
            host.us += 2
            clock.now_us()
        assert clock.now_us() == 77 + 200 * speed_milli // 1000


def test_a_sleep_takes_its_time_and_no_more():
    host, clock = _clock(20000)
    clock.sleep_us(100000)
    assert clock.now_us() == 100000
    assert host.paused_us == 5000


def test_a_host_that_wakes_late_is_followed_for_a_moment_only():
    host, clock = _clock(1000, late_us=300)
    clock.sleep_us(1000)
    assert clock.now_us() == 1300
    host, clock = _clock(1000, late_us=10000000)
    clock.sleep_us(1000)
    assert clock.now_us() == 1000 + LOOK_US


def test_between_two_looks_the_board_stalls():
    host, clock = _clock(20000)
    host.us += 1000000
    assert clock.now_us() == LOOK_US
    assert clock.now_us() == LOOK_US


def test_without_sleep_time_crawls_but_never_stops():
    host, clock = _clock(1000)
    seen = []
    for _ in range(10):
        host.us += 40000
        seen.append(clock.now_us())
    assert seen[0] == 40000 and seen[1] == LOOK_US
    assert [b - a for a, b in zip(seen[1:], seen[2:])] == [CRAWL_US] * 8
    clock.sleep_us(1)
    before = clock.now_us()
    host.us += 40000
    assert clock.now_us() == before + 40000


def test_what_hardware_took_is_not_waited_for_twice():
    host, clock = _clock(1000)
    clock.spend(30000)
    assert clock.now_us() == 30000
    host.us += 10000
    assert clock.now_us() == 30000
    host.us += 25000
    assert clock.now_us() == 35000
    clock.spend(30000)
    clock.sleep_us(5000)
    assert host.paused_us == 35000
    assert clock.now_us() == 70000


def test_a_wait_cut_short_took_what_it_took():
    host, clock = _clock(10000)
    start = clock.now_us()
    host.us += 50000
    clock.woke(start, start + 1000000)
    assert clock.now_us() == start + 500000


def test_never_backwards():
    host, clock = _clock(7000, late_us=-3)
    last = 0
    for k in range(500):
        host.us += k % 13
        if k % 5 == 0:
            clock.sleep_us(k)
        if k % 7 == 0:
            clock.spend(k)
        now = clock.now_us()
        assert now >= last
        last = now
