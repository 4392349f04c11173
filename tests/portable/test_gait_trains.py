"""The waist's detector alone: what opens its gate, what is paid back, what it makes of odd steps, pauses and hostile values."""

from array import array

from retrostep_core.gait import waist
from retrostep_core.gait.codes import STILL, UNKNOWN
from retrostep_core.gait.waist import WaistSteps

PERIOD_US = 9615


class Told:
    """Stands in for the engine, keeps what it is told."""

    def __init__(self):
        self.tick_ms = 0
        self.steps = []
        self.late = []
        self.paces = []
        self.turns = []

    def tick(self, at_ms):
        self.tick_ms = at_ms + 250

    def credit(self, t_ms, at_ms):
        assert t_ms <= at_ms
        assert not self.steps or t_ms > self.steps[-1]
        self.steps.append(t_ms)
        self.late.append(at_ms - t_ms)

    def pace(self, spm_x10, newest_x10, at_ms):
        self.paces.append((at_ms, spm_x10))

    def turn(self, since_ms, direction, at_ms):
        self.turns.append((since_ms, direction))


class Body:
    """A trunk that moves up and down, sample by sample."""

    def __init__(self, period_us=PERIOD_US, block=26):
        self.told = Told()
        self.waist = WaistSteps(self.told)
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

    def steps(self, count, step_ms, size, twice=0, limp=0, lift_ms=0):
        """Steps of so many ms: a dip and a push of `size` mg each; `twice` % of a second one in between; every other one `limp` % weaker.

        lift_ms: how long dip and push take, else the whole step.
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
                self.sample(0, 0, 1000 + a)

    def finish(self):
        self.flush()
        self.waist.finish(self.now_ms)
        return self.told


def wave(ms, long, size):
    """A parabola down, then one up, each half of `long` ms."""
    half = long // 2
    if ms < half:
        return -size * ms * (half - ms) * 4 // (half * half)
    if ms < long:
        return size * (ms - half) * (long - ms) * 4 // (half * half)
    return 0


def test_three_steps_are_none_and_four_are_paid_back_with_their_times():
    for count in (3, 4):
        body = Body()
        body.rest(3000)
        body.steps(count, 550, 250)
        body.rest(3000)
        told = body.finish()
        if count == 3:
            assert told.steps == []
            continue
        # The closing step is inferred.
        assert len(told.steps) == 5
        for step, lift in zip(told.steps, body.lifts):
            assert -60 <= step - lift <= 200, (step, lift)
        assert told.late[0] > 1500


def test_cadence_from_40_to_260_with_a_rate_that_is_off():
    for period_us in (8985, PERIOD_US, 10340):
        for step_ms, size, lift_ms in ((1500, 120, 500), (1200, 120, 500), (800, 120, 0), (500, 300, 0), (350, 900, 0), (231, 1200, 0)):
            body = Body(period_us)
            body.rest(3000)
            body.steps(24, step_ms, size, 0, 0, lift_ms)
            paces = list(body.told.paces)
            body.rest(4000)
            told = body.finish()
            assert 24 <= len(told.steps) <= 25, (period_us, step_ms, len(told.steps))
            n = step_ms * 1000 // period_us
            true_x10 = 600000000 // (n * period_us)
            for _, pace in paces[8:]:
                assert abs(pace - true_x10) * 50 <= true_x10, (period_us, step_ms, pace, true_x10)


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


def test_a_train_that_begins_at_half_the_pace_does_not_stay_there():
    for size in (250, 400):
        body = Body()
        body.rest(3000)
        body.steps(6, 1200, size, 0, 0, 520)
        body.steps(20, 520, size)
        assert abs(body.told.paces[-1][1] - 1154) <= 20, body.told.paces[-1]
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


def test_a_pause_ends_a_train_with_the_feet_together_and_three_steps_resume_it():
    body = Body()
    body.rest(3000)
    body.steps(10, 500, 300)
    body.rest(2500)
    assert len(body.told.steps) == 11
    assert body.told.paces[-1][1] == 0
    body.steps(3, 500, 300)
    body.rest(3000)
    assert len(body.finish().steps) == 15


def test_stillness_is_said_from_when_it_began():
    body = Body()
    body.rest(3000)
    body.steps(10, 500, 300)
    end_ms = body.now_ms
    body.rest(4000)
    turns = body.finish().turns
    assert [direction for _, direction in turns] == [STILL, UNKNOWN, STILL]
    assert abs(turns[2][0] - end_ms) < 700


def test_blocks_of_any_size_say_the_same():
    said = []
    for block in (1, 7, 26, 64):
        body = Body(10000, block)
        body.rest(2000)
        body.steps(12, 480, 300, 20, 20)
        body.rest(3000)
        body.steps(12, 330, 900)
        told = body.finish()
        said.append((told.steps, told.late, told.paces, told.turns))
    assert said[0] == said[1] == said[2] == said[3]
    assert len(said[0][0]) >= 23


def test_no_value_leaves_30_bits():
    # Squares and products of three axes are the largest that is not kept.
    assert 3 * waist._MOST * waist._MOST < 1 << 30
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
