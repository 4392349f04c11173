"""Evidence of foot strikes in the force at the trunk: what they add to a plain oscillation, and where in the step the force is rough."""

from array import array

from retrostep_core.constants import const

# Vertical force is kept for 512 samples of 52 Hz (9.8 s), within +-2.5 g: sums of eight steps stay below 2**30.
KEPT_MOST = const(512)
_KEPT_MASK = const(511)
# A step is sampled at 16 points, two for each of its 8 parts. Places are in 1/16 of a sample.
_POINTS = const(16)
_PARTS = const(8)
# Harmonics of the roughness are in 1/512 of its mean. The sum of products of two steps and the sum of their weights fade by 1/16 a product.
_ROUGH_SHIFT = const(6)
_PRODUCT = const(64)
_PRODUCT_FADE_SHIFT = const(4)
# The logarithm of the product that is no evidence either way: 0.02 of the squared mean. Recorded walks have 0.2 to 0.6, generated vehicles
# and machines less than 0.06. The product is limited to between a quarter and 5.7 times this value. A smaller one counts twice, except in
# running steps and in steps of less than 0.35 s: no pedals turn so quickly.
_STRIKE_X4 = const(45)
_STRIKE_LEAST_X4 = const(-8)
_STRIKE_MOST_X4 = const(10)
_STRIKE_WEIGHT = const(5)
_QUICK_MS = const(350)
# Of each step: the harmonics 1, 2 and 3, each as two numbers. Sums of them fade by 1/8 a step.
_FADE_SHIFT = const(3)
# Evidence is the logarithm of odds, in quarters.
_BASE_X4 = const(-9)
_NONE_X4 = const(-400)
_REPEATED_REST_X4 = const(14)
# Logarithms of ratios have base 2 and are in quarters. A plain oscillation with harmonics below 1/64 of its energy is a machine; where
# strikes are clear, below 1/256.
_REST_LEAST_X4 = const(-20)
_SMOOTH_X4 = const(-24)
_SMOOTH_CLEAR_X4 = const(-32)
# How regular the oscillation is: energy / (energy - repeated energy). One pair of strides proves less than eight.
_REGULAR_LEAST_X4 = const(-4)
_REGULAR_MOST_X4 = const(12)
_REGULAR_EXTREME_X4 = const(18)
_PAIRS_MOST = const(8)
_ACROSS_LEAST_X4 = const(-14)
_ACROSS_MOST_X4 = const(1)
# A horizontal force of more than 1.8 times the vertical one is a slide or a push of the arms; one of less than 0.3 times, raised heels.
_SLIDE_X4 = const(7)
# A running step: the plain oscillation is more than 0.7 g (the energy of one step, in 2 mg). Above 0.95 g it leaves the ground, as nothing
# that carries it does.
_RUN_LEAST = const(1960000)
_FLIGHT_LEAST = const(3610000)
_RUN_X4 = const(14)
# Steps of more than 0.75 s need more evidence, those of more than 0.9 s much more, up to 1.2 s. So do few pairs of strides.
_SLOW_MS = const(750)
_SLOW_X4_PER_S = const(70)
_VERY_SLOW_MS = const(900)
_VERY_SLOW_X4_PER_S = const(200)
_SLOWEST_MS = const(1200)
_FEW_X4 = const(32)


class StepShape:
    """Tells steps from other oscillations of the trunk.

    Method, for each step, from the vertical force between its time and the time before:
    1. The force in eight parts of the step gives the harmonics 1, 2 and 3 of the step rate.
    2. The largest harmonic is the plain oscillation: a machine, a suspension or a spring has nothing else. A foot strike and the double
       support add harmonics. They are as large as the oscillation in walking, and a tenth of it in running.
    3. What a foot does, it does again a stride later. A harmonic of step n times that of step n - 2 is its repeated part. The shaking of a
       vehicle, a road or a floor has harmonics that do not repeat.
    4. A foot also pushes and brakes: the horizontal force is about as large as the vertical one. That of a squat, a jump or a raised heel
       is small.
    5. A strike also makes the force rough for an eighth to a quarter of the step. Roughness is how much the force of all axes bends from
       sample to sample. Its harmonic 1 shows where in the step it is rough; the product of two steps shows whether they agree. Machines and
       vehicles are rough all the time or at random. A smooth oscillation is rough twice a step, so half of harmonic 2 counts against.
    6. Evidence is a weighted sum: of the share of the harmonics that is repeated, of their size, of the share of the oscillation that is
       repeated, of the horizontal force, and of the strike. It is less for few strides, as chance matters there, and for slow steps, as
       sway can imitate them. A smooth oscillation has none, unless the body leaves the ground.

    Source: harmonics of the trunk's acceleration and their repetition, Menz et al. 2003 (Gait & Posture 18), Moe-Nilssen & Helbostad 2004
    (J Biomech 37). The weights come from 391 recordings at the waist and in a pocket, against generated motion that is not gait.
    Ranges: force in mg, times in ms, evidence in quarters.

    kept, rough    the last 512 vertical forces and roughnesses (1/8 mg) at 52 Hz; the caller writes both
    place          the index of the next ones; the caller writes it
    vertical_2, horizontal_2    energies of the force; the caller writes both
    """

    def __init__(self) -> None:
        self.kept = array("h", bytes(2 * KEPT_MOST))
        self.rough = array("h", bytes(2 * KEPT_MOST))
        self.place = 0
        self.period_us = 1
        self.vertical_2 = 0
        self.horizontal_2 = 0
        self._parts = [0] * _PARTS
        # Harmonics 1 and 2 of the roughness in the newest step, and in the two before it.
        self._newest_rough = [0] * 6
        self._rough_before = [0] * 6
        self._stride_rough = [0] * 6
        # The sum of products of these, and of their weights.
        self._strike = 0
        self._products = 0
        # Harmonics of the newest step, and of the two before it.
        self._newest = [0] * 6
        self._before = [0] * 6
        self._stride_before = [0] * 6
        # Sums of each harmonic's energy, and of its repeated part.
        self._energy = [0] * 3
        self._repeated = [0] * 3
        self.restart()

    def restart(self) -> None:
        """Forget all steps."""
        self.part()
        self._pairs = 0
        self._strike = self._products = 0
        for k in range(3):
            self._energy[k] = self._repeated[k] = 0

    def part(self) -> None:
        """The next step does not follow the last one."""
        self._steps = 0

    def add(self, from_ms: int, to_ms: int, now_ms: int) -> None:
        """A step between two times; the newest sample is from `now_ms`."""
        end = (self.place - 1 << 4) - (now_ms - to_ms) * 8000 // self.period_us
        long = (to_ms - from_ms) * 8000 // self.period_us
        self._add_rough(end - long, long)
        self._divide(self.kept, end - long, long)
        newest = self._stride_before
        self._stride_before = self._before
        self._before = self._newest
        self._newest = newest
        _harmonics(self._parts, newest)
        self._steps += 1
        if self._steps > 2:
            self._pairs += 1
            before = self._stride_before
            for k in range(3):
                x = newest[2 * k]
                y = newest[2 * k + 1]
                p = before[2 * k]
                q = before[2 * k + 1]
                self._energy[k] += ((x * x + y * y + p * p + q * q) >> 1) - (self._energy[k] >> _FADE_SHIFT)
                self._repeated[k] += x * p + y * q - (self._repeated[k] >> _FADE_SHIFT)

    def _add_rough(self, start: int, long: int) -> None:
        """Compare the roughness of a step with that of the two steps before; arguments as in `_divide`."""
        parts = self._parts
        self._divide(self.rough, start, long)
        newest = self._stride_rough
        self._stride_rough = self._rough_before
        self._rough_before = self._newest_rough
        self._newest_rough = newest
        _harmonics(parts, newest)
        mean = 1
        for k in range(_PARTS):
            mean += parts[k]
        mean = (mean >> 3) + 1
        for k in range(4):
            newest[k] = (newest[k] << _ROUGH_SHIFT) // mean
        if self._steps:
            self._compare(self._rough_before)
        if self._steps > 1:
            self._compare(self._stride_rough)

    def _compare(self, before: object) -> None:
        """Add the product of the newest roughness with that of another step."""
        newest = self._newest_rough
        product = newest[0] * before[0] + newest[1] * before[1] - (newest[2] * before[2] + newest[3] * before[3] >> 1)
        self._strike += product - (self._strike >> _PRODUCT_FADE_SHIFT)
        self._products += _PRODUCT - (self._products >> _PRODUCT_FADE_SHIFT)

    def _divide(self, kept: object, start: int, long: int) -> None:
        """Set _parts to the force, or the roughness, of eight equal parts of a step, each the sum of two points.

        `start` of the step and its length `long` are in 1/16 of a sample.
        """
        parts = self._parts
        for k in range(_PARTS):
            parts[k] = 0
        for k in range(_POINTS):
            at = start + (long * (2 * k + 1) >> 5)
            force = kept[at >> 4 & _KEPT_MASK]
            parts[k >> 1] += force + ((kept[(at >> 4) + 1 & _KEPT_MASK] - force) * (at & 15) >> 4)
        for k in range(_PARTS):
            parts[k] >>= 2

    def evidence(self, period_ms: int) -> int:
        """Evidence that the steps so far are steps, in quarters; 0 is even odds. `period_ms`: the usual step."""
        pairs = self._pairs
        if not pairs:
            return _NONE_X4
        energy = self._energy
        repeated = self._repeated
        k = 0 if energy[0] > energy[1] else 1
        plain = energy[k]
        rest = energy[0] + energy[1] + energy[2] - plain + 1
        found = _BASE_X4
        found += (repeated[0] + repeated[1] + repeated[2] - repeated[k] >> 4) * _REPEATED_REST_X4 // ((rest >> 4) + 1)
        size = log2_x4(rest) - log2_x4(plain)
        steps = pairs if pairs < 6 else 6
        strike = log2_x4(self._strike * _PRODUCT // (self._products + 1)) - _STRIKE_X4
        strike = within(strike, _STRIKE_LEAST_X4, _STRIKE_MOST_X4)
        smooth = _SMOOTH_X4 if strike < _STRIKE_MOST_X4 else _SMOOTH_CLEAR_X4
        if size < smooth and energy[0] < _FLIGHT_LEAST * steps:
            return _NONE_X4
        found += within(size, _REST_LEAST_X4, 0) * 7 >> 2
        if size > 0:
            found -= size * 2
        regular = log2_x4(plain) - log2_x4(plain - repeated[k])
        regular = within(regular, _REGULAR_LEAST_X4, _REGULAR_MOST_X4 + (5 * within(pairs, 0, _PAIRS_MOST) >> 1))
        found += regular * 5 // 3
        if regular > _REGULAR_EXTREME_X4:
            found += (regular - _REGULAR_EXTREME_X4) * 2
        if energy[0] > _RUN_LEAST * steps:
            found += _RUN_X4 - 8 // pairs
        else:
            found -= _FEW_X4 // pairs
            across = log2_x4(self.horizontal_2) - log2_x4(self.vertical_2)
            found += within(across, _ACROSS_LEAST_X4, _ACROSS_MOST_X4) * 2
            if across > _SLIDE_X4:
                found -= (across - _SLIDE_X4) * 4
            elif across < _ACROSS_LEAST_X4:
                found -= (_ACROSS_LEAST_X4 - across) * 4
        found += strike * _STRIKE_WEIGHT
        if strike < 0 and period_ms > _QUICK_MS and energy[0] < _RUN_LEAST * steps:
            found += strike * _STRIKE_WEIGHT
        if period_ms > _SLOW_MS:
            slow_ms = within(period_ms, 0, _SLOWEST_MS)
            found -= (slow_ms - _SLOW_MS) * _SLOW_X4_PER_S // 1000
            if slow_ms > _VERY_SLOW_MS:
                found -= (slow_ms - _VERY_SLOW_MS) * _VERY_SLOW_X4_PER_S // 1000
        return found


def _harmonics(parts: object, to: object) -> None:
    """Harmonics 1, 2 and 3 of eight values, each as two numbers."""
    a = parts[0] - parts[4]
    b = parts[2] - parts[6]
    # By sin 45 degrees.
    c = (parts[1] - parts[5] - parts[3] + parts[7]) * 181 >> 8
    d = (parts[1] - parts[5] + parts[3] - parts[7]) * 181 >> 8
    to[0] = a + c
    to[1] = b + d
    to[2] = parts[0] + parts[4] - parts[2] - parts[6]
    to[3] = parts[1] + parts[5] - parts[3] - parts[7]
    to[4] = a - c
    to[5] = d - b


def log2_x4(value: int) -> int:
    """The logarithm of an integer, in quarters, interpolated; 0 for 1 and less."""
    log = 0
    while value > 7:
        value >>= 1
        log += 4
    return log + 4 + value if value > 3 else 2 * value


def within(value: int, least: int, most: int) -> int:
    """`value`, or the limit that it exceeds."""
    return least if value < least else most if value > most else value
