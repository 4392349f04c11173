"""Sample times follow the true rate of the sensor's oscillator."""

from hal.sample_clock import SampleClock, nominal_period_ns


class Oscillator:
    """A sensor with one sample every `period_ns`, and an MCU that reads its level at irregular times."""

    def __init__(self, period_ns, start_ms=1000):
        self.period_ns = period_ns
        self.start_ns = start_ms * 1000000 + 3210000
        self.taken = 0
        self.now_ms = start_ms
        self.seed = 7

    def wait(self, least_ms, most_ms):
        self.seed = (self.seed * 1103515245 + 12345) % 2**31
        self.now_ms += least_ms + self.seed // 65536 % (most_ms - least_ms + 1)

    def waiting(self):
        made = (self.now_ms * 1000000 - self.start_ns) // self.period_ns + 1
        return max(0, made - self.taken)

    def time_ns(self, sample):
        return self.start_ns + sample * self.period_ns


def play(oscillator, clock, seconds, worst_from_s):
    """(updates of the rate, largest error of a sample's time in ms after `worst_from_s`). Times must rise."""
    updates = 0
    worst = 0
    last_ms = -1
    end_ms = oscillator.now_ms + seconds * 1000
    judged_from_ms = oscillator.now_ms + worst_from_s * 1000
    while oscillator.now_ms < end_ms:
        oscillator.wait(60, 160)
        waiting = oscillator.waiting()
        if clock.observe(oscillator.now_ms, waiting):
            updates += 1
        while waiting:
            n = min(waiting, 16)
            t0_ms = clock.next_ms
            for i in range(n):
                t_ms = t0_ms + i * clock.period_us // 1000
                assert t_ms > last_ms, "times must rise"
                last_ms = t_ms
                if oscillator.now_ms > judged_from_ms:
                    worst = max(worst, abs(t_ms - oscillator.time_ns(oscillator.taken + i) // 1000000))
            clock.advance(n)
            oscillator.taken += n
            waiting -= n
    return updates, worst


def test_nominal_period_from_the_chips_register():
    assert nominal_period_ns(0) == 9599520
    assert nominal_period_ns(20) == 64 * 10**13 // (6667 * 10300)
    assert nominal_period_ns(256 - 20) == 64 * 10**13 // (6667 * 9700)


def test_rate_is_measured_against_the_mcus_clock():
    for percent in (-7, -2, 0, 3, 7):
        oscillator = Oscillator(nominal_period_ns(0) * (100 + percent) // 100)
        clock = SampleClock(nominal_period_ns(0))
        updates, _ = play(oscillator, clock, 65, 0)
        assert updates >= 1 and clock.measured
        true_milli_hz = 10**12 // oscillator.period_ns
        assert abs(clock.milli_hz - true_milli_hz) * 1000 <= true_milli_hz, (percent, clock.milli_hz, true_milli_hz)


def test_times_stay_within_two_periods_of_the_true_ones():
    for percent in (-6, 0, 6):
        oscillator = Oscillator(nominal_period_ns(0) * (100 + percent) // 100)
        _, worst = play(oscillator, SampleClock(nominal_period_ns(0)), 120, 60)
        assert worst <= 20, (percent, worst)


def test_drift_is_followed():
    oscillator = Oscillator(nominal_period_ns(0))
    clock = SampleClock(nominal_period_ns(0))
    play(oscillator, clock, 120, 0)
    warm = Oscillator(nominal_period_ns(0) * 1005 // 1000, oscillator.now_ms)
    clock.restart()
    clock.observe(warm.now_ms, 0)
    play(warm, clock, 200, 0)
    assert abs(clock.milli_hz - 10**12 // warm.period_ns) < 100


def test_an_impossible_rate_is_ignored():
    oscillator = Oscillator(nominal_period_ns(0) * 80 // 100)
    clock = SampleClock(nominal_period_ns(0))
    updates, _ = play(oscillator, clock, 70, 0)
    assert updates == 0 and not clock.measured
    assert clock.milli_hz == 10**12 // nominal_period_ns(0)


def test_after_a_restart_the_newest_sample_is_now():
    clock = SampleClock(nominal_period_ns(0))
    clock.observe(1000, 4)
    clock.advance(4)
    clock.restart()
    clock.observe(60000, 256)
    newest_ms = clock.next_ms + 255 * clock.period_us // 1000
    assert 59980 <= newest_ms <= 60000


def test_a_stopped_sensor_is_a_jump_not_a_drift():
    clock = SampleClock(nominal_period_ns(0))
    clock.observe(1000, 10)
    clock.advance(10)
    clock.observe(5000, 10)
    assert clock.next_ms >= 5000 - 100
