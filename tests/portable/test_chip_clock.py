"""The virtual clock: at the requested speed, slowed down where the host cannot keep up."""

from virtual_clock import CRAWL_US, LOOK_US, Clock, RunningClock


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


class Computer:
    """A host: its time passes where a program computes or pauses, and by a millisecond with every look while the clock is calibrated."""

    def __init__(self):
        self.us = 0
        self.cpu_us = 0
        self.step_us = 1000
        self.paused = []

    def real_us(self):
        self.us += self.step_us
        return self.us

    def cpu_s(self):
        # In whole milliseconds, as utime.clock.
        return self.cpu_us // 1000 / 1000

    def compute(self, us, preempted_us=0):
        self.cpu_us += us
        self.us += us + preempted_us

    def pause(self, us):
        self.paused.append(us)
        self.us += us


def running(mhz=160):
    computer = Computer()
    clock = RunningClock(1000, 0, 0, computer.real_us, computer.pause, mhz, computer.cpu_s)
    computer.step_us = 0
    clock.sleep_us(0)
    return computer, clock


def test_a_running_clock_runs_while_the_program_computes():
    for mhz, us in ((160, 7480), (80, 14960)):
        computer, clock = running(mhz)
        start = clock.now_us()
        computer.compute(100)
        # The loop of 20,000 turns took 1 ms here: 74.8 ms on an ESP32 at 160 MHz.
        assert abs(clock.now_us() - start - us) <= 1
        assert clock.now_us() == clock.now_us(), "a look takes no time"


def test_what_a_model_computes_does_not_count():
    computer, clock = running()
    start = clock.now_us()
    clock.begin_model()
    computer.compute(900)
    assert clock.now_us() == start
    clock.end_model(10)
    assert clock.now_us() == start + 10
    clock.spend(5)
    assert clock.now_us() == start + 15


def test_time_that_other_processes_take_does_not_count():
    # A step of the processor's time, 75 ms of the board's, would look like samples that are missing.
    for computed_us in (0, 10, 999, 1000):
        computer, clock = running()
        computer.cpu_us += 995
        start = clock.now_us()
        computer.compute(computed_us, 500000)
        assert clock.now_us() == start
    computer.compute(5000, 500000)
    assert 74 * 3000 < clock.now_us() - start <= 75 * 5000
    computer.compute(5000, 900)
    assert 74 * 8000 < clock.now_us() - start <= 75 * 10900, "hardly preempted: all of it counts"


def test_the_host_waits_where_the_program_is_slow_and_a_late_host_changes_nothing():
    computer, clock = running()
    start = clock.now_us()
    computer.compute(100)
    clock.begin_model()
    clock.end_model()
    assert len(computer.paused) == 1 and abs(sum(computer.paused) - 7380) < 10, "the line keeps real time"
    clock.sleep_us(20000)
    assert abs(clock.now_us() - start - 27480) < 10 and abs(sum(computer.paused) - 27380) < 10
    pause = computer.pause

    def late(us):
        pause(us + 3000000)

    clock._real_pause = late
    before = clock.now_us()
    clock.sleep_us(1000)
    assert clock.now_us() - before == 1000
    clock._real_pause = pause
    clock.sleep_us(1000)
    assert clock.now_us() - before == 2000 and computer.paused[-1] <= 1000


def test_what_is_computed_before_the_first_wait_does_not_count():
    computer = Computer()
    clock = RunningClock(1000, 500, 0, computer.real_us, computer.pause, 160, computer.cpu_s)
    computer.step_us = 0
    computer.compute(30000)
    assert clock.now_us() == 500
