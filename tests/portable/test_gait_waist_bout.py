"""The waist detector alone: what starts a bout, which steps it credits late, uneven steps, pauses and extreme values."""

from array import array

from retrostep_core.codes import STILL, UNKNOWN
from retrostep_core.gait.waist import WaistSteps

PERIOD_US = 9615


class Output:
    """Stands in for GaitOutput, keeps what the detector writes."""

    def __init__(self):
        self.next_tick_ms = 0
        self.steps = []
        self.late = []
        self.cadences = []
        self.directions = []

    def tick(self, at_ms):
        self.next_tick_ms = at_ms + 250

    def step(self, t_ms, at_ms):
        assert t_ms <= at_ms
        assert not self.steps or t_ms > self.steps[-1]
        self.steps.append(t_ms)
        self.late.append(at_ms - t_ms)

    def cadence(self, spm_x10, newest_x10, at_ms):
        self.cadences.append((at_ms, spm_x10))

    def direction(self, since_ms, direction, at_ms):
        self.directions.append((since_ms, direction))


class Body:
    """A trunk that moves up and down, sample by sample."""

    def __init__(self, period_us=PERIOD_US, block=26, is_trunk=True):
        self.output = Output()
        self.waist = WaistSteps(self.output, is_trunk)
        self.period_us = period_us
        self.lifts = []
        self._block = array("h", bytes(12 * block))
        self._size = block
        self._filled = 0
        self._n = 0

    @property
    def now_ms(self):
        return self._n * self.period_us // 1000

    def sample(self, x, y, z):
        at = self._filled * 6
        self._block[at] = x
        self._block[at + 1] = y
        self._block[at + 2] = z
        self._filled += 1
        self._n += 1
        if self._filled == self._size:
            self.flush()

    def flush(self):
        if self._filled:
            self.waist.samples(self._block, self._filled, (self._n - self._filled) * self.period_us // 1000, self.period_us)
            self._filled = 0

    def rest(self, ms):
        for _ in range(ms * 1000 // self.period_us):
            self.sample(0, 0, 1000)

    def steps(self, count, step_ms, size, twice=0, limp=0, lift_ms=0, strike=80):
        """Steps of so many ms: a dip and a push of `size` mg each; `twice` % of a second one in between; every other one `limp` % weaker.

        lift_ms: how long dip and push take, else the full step. The push begins with a foot strike of `strike` % of it.
        """
        long = lift_ms or step_ms
        for k in range(count):
            n = step_ms * 1000 // self.period_us
            strong = size * (100 - limp) // 100 if k & 1 else size
            self.lifts.append(self.now_ms + long // 2)
            for i in range(n):
                ms = i * step_ms // n
                a = wave(ms, long, strong)
                if twice:
                    a = (a * (100 - twice) + wave(2 * ms % step_ms, step_ms, strong) * twice) // 100
                a += wave(ms - long // 2 + long // 8, long // 4, strong * strike // 100) if long // 2 <= ms < long * 5 // 8 else 0
                # A foot pushes and brakes too.
                self.sample(a * 3 // 4, 0, 1000 + a)

    def finish(self):
        self.flush()
        self.waist.finish(self.now_ms)
        return self.output


def wave(ms, long, size):
    """A parabola down, then one up, each half of `long` ms."""
    half = long // 2
    if ms < half:
        return -size * ms * (half - ms) * 4 // (half * half)
    if ms < long:
        return size * (ms - half) * (long - ms) * 4 // (half * half)
    return 0


def test_three_steps_are_none_and_eight_are_credited_with_their_times():
    for count in (3, 8):
        body = Body()
        body.rest(3000)
        body.steps(count, 550, 250)
        body.rest(3000)
        output = body.finish()
        if count == 3:
            assert output.steps == []
            continue
        # The closing step is inferred.
        assert len(output.steps) == 9
        for step, lift in zip(output.steps, body.lifts):
            assert -60 <= step - lift <= 200, (step, lift)
        assert output.late[0] > 1500


def test_cadence_from_50_to_260_with_a_rate_that_is_off():
    for period_us in (8985, PERIOD_US, 10340):
        for step_ms, size, lift_ms in ((1200, 120, 500), (800, 120, 0), (500, 300, 0), (350, 900, 0), (231, 1200, 0)):
            body = Body(period_us)
            body.rest(3000)
            body.steps(24, step_ms, size, 0, 0, lift_ms)
            cadences = list(body.output.cadences)
            body.rest(4000)
            output = body.finish()
            assert 24 <= len(output.steps) <= 25, (period_us, step_ms, len(output.steps))
            n = step_ms * 1000 // period_us
            true_x10 = 600000000 // (n * period_us)
            for _, cadence in cadences[8:]:
                assert abs(cadence - true_x10) * 50 <= true_x10, (period_us, step_ms, cadence, true_x10)


def test_a_machine_that_bounces_as_evenly_as_a_walk_has_no_steps():
    for strike in (0, 80):
        for step_ms, size in ((750, 200), (500, 300), (375, 450)):
            body = Body()
            body.rest(3000)
            body.steps(100, step_ms, size, 0, 0, 0, strike)
            body.rest(3000)
            assert len(body.finish().steps) == (101 if strike else 0), (strike, step_ms)


def test_a_shank_is_not_asked_for_the_shape_of_the_trunk():
    body = Body(PERIOD_US, 26, False)
    body.rest(3000)
    body.steps(30, 550, 250, 0, 0, 0, 0)
    body.rest(3000)
    assert len(body.finish().steps) == 31


def test_a_second_bounce_within_a_slow_step_is_no_step():
    for twice in (30, 60, 75):
        body = Body()
        body.rest(3000)
        body.steps(20, 700, 200, twice)
        body.rest(4000)
        assert 19 <= len(body.finish().steps) <= 21, twice


def test_a_knock_after_each_step_is_no_step():
    body = Body()
    body.rest(3000)
    body.steps(8, 600, 600, 0, 0, 300)
    for _ in range(20):
        body.steps(1, 310, 600, 0, 0, 300)
        body.steps(1, 290, 900, 0, 0, 150)
    body.rest(4000)
    assert 27 <= len(body.finish().steps) <= 30


def test_a_limp_halves_nothing():
    for limp in (20, 40, 60):
        body = Body()
        body.rest(3000)
        body.steps(30, 540, 300, 0, limp)
        body.rest(4000)
        assert 29 <= len(body.finish().steps) <= 31, limp


def test_a_bout_that_begins_at_half_the_cadence_does_not_stay_there():
    for size in (250, 400):
        body = Body()
        body.rest(3000)
        body.steps(6, 1200, size, 0, 0, 520)
        body.steps(20, 520, size)
        assert abs(body.output.cadences[-1][1] - 1154) <= 20, body.output.cadences[-1]
        body.rest(3000)
        # At most one step of each of the first three strides is missed.
        assert 23 <= len(body.finish().steps) <= 27


def test_uneven_moves_are_no_steps():
    body = Body()
    body.rest(3000)
    for ms, size in ((900, 300), (400, 150), (1400, 500), (500, 120), (1000, 700), (350, 200), (1300, 250), (600, 600)):
        body.steps(1, ms, size)
        body.rest(ms // 3)
    body.rest(3000)
    assert body.finish().steps == []


def test_a_pause_ends_a_bout_with_the_feet_together_and_three_steps_resume_it():
    body = Body()
    body.rest(3000)
    body.steps(10, 500, 300)
    body.rest(2500)
    assert len(body.output.steps) == 11
    assert body.output.cadences[-1][1] == 0
    body.steps(3, 500, 300)
    body.rest(3000)
    assert len(body.finish().steps) == 15


def test_standing_still_is_reported_from_its_start():
    body = Body()
    body.rest(3000)
    body.steps(10, 500, 300)
    end_ms = body.now_ms
    body.rest(4000)
    directions = body.finish().directions
    assert [direction for _, direction in directions] == [STILL, UNKNOWN, STILL]
    assert abs(directions[2][0] - end_ms) < 700


def test_blocks_of_any_size_give_the_same():
    results = []
    for block in (1, 7, 26, 64):
        body = Body(10000, block)
        body.rest(2000)
        body.steps(12, 480, 300, 20, 20)
        body.rest(3000)
        body.steps(12, 330, 900)
        output = body.finish()
        results.append((output.steps, output.late, output.cadences, output.directions))
    assert results[0] == results[1] == results[2] == results[3]
    assert len(results[0][0]) >= 23


def test_no_value_leaves_30_bits():
    seed = 7
    body = Body()
    for k in range(6000):
        seed = (seed * 1103 + 12345) % 65536
        # Slow swings between the ends of the range, noise across all of it, and silence.
        way = k // 150 % 4
        if way == 0:
            values = (32767, -32768, 32767)
        elif way == 1:
            values = (-32768, 32767, -32768)
        elif way == 2:
            values = (seed - 32768, (seed * 7) % 65536 - 32768, (seed * 31) % 65536 - 32768)
        else:
            values = (0, 0, 0)
        body.sample(values[0], values[1], values[2])
        for value in body.waist._state:
            assert -(1 << 30) < value < 1 << 30
    body.finish()


def jumps(body, count, jump_ms, size, forward=0):
    """Jumps with both feet, or pulls on a slide: up and down (and forward) as one, left and right alike."""
    n = jump_ms * 1000 // body.period_us
    for _ in range(count):
        for i in range(n):
            a = wave(i * jump_ms // n, jump_ms, size)
            body.sample(a * forward // 100, 0, 1000 + a)


def test_jumps_with_both_feet_are_no_steps():
    for jump_ms in (400, 550, 670):
        body = Body()
        body.rest(3000)
        jumps(body, 60, jump_ms, 1300)
        body.rest(3000)
        assert body.finish().steps == [], jump_ms


def test_a_slide_has_no_steps():
    body = Body()
    body.rest(3000)
    jumps(body, 40, 1100, 150, 600)
    body.rest(3000)
    assert body.finish().steps == []


def shaken(body, seconds):
    """A vehicle: lifts of random length and size, no two alike."""
    seed = 5
    end_ms = body.now_ms + seconds * 1000
    while body.now_ms < end_ms:
        seed = (seed * 1103 + 12345) % 65536
        body.steps(1, 380 + seed % 460, 150 + (seed // 64) % 500)


def test_a_bout_that_is_not_regular_ends_and_is_not_resumed():
    body = Body()
    body.rest(3000)
    shaken(body, 120)
    body.rest(3000)
    # Lifts that fit by chance start a bout, but only once.
    assert len(body.finish().steps) <= 24


def test_walking_after_a_ride_counts_again():
    body = Body()
    body.rest(3000)
    shaken(body, 60)
    ridden = len(body.output.steps)
    body.steps(40, 520, 300)
    body.rest(3000)
    assert len(body.finish().steps) - ridden >= 36
    body = Body()
    body.rest(3000)
    shaken(body, 60)
    ridden = len(body.output.steps)
    body.rest(4000)
    body.steps(9, 520, 300)
    body.rest(3000)
    assert len(body.finish().steps) - ridden >= 9
