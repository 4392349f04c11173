"""Half-cycles of one leg, given to Strides one by one, and what it credits."""

from retrostep_core.gait.stride import Strides

WIDE = 60000  # 58 degrees
SETTLED, REVERSING, MOVING, NOT_GAIT = 3, 2, 1, 0
LATE = 40


class Output:
    def __init__(self):
        self.steps = []
        self.at = []
        self.contacts = []
        self.cadences = []

    def step(self, t_ms, at_ms):
        self.steps.append(t_ms)
        self.at.append(at_ms)

    def contact(self, t_ms):
        self.contacts.append(t_ms)

    def cadence(self, cadence_x10, newest_x10, at_ms):
        self.cadences.append((cadence_x10, newest_x10))


class Leg:
    """Strides, and the half-cycles that it gets. Swings have the negative sign unless `swing_sign` says otherwise."""

    def __init__(self, from_ms=0, standing=False):
        self.output = Output()
        self.strides = Strides(self.output)
        self.strides.restart(from_ms, standing)
        self.swing_sign = -1

    def half(self, sign, end_ms, angle=WIDE, score=2, confidence=SETTLED, between=WIDE, took_ms=400, peak=4000, strike=100):
        sums = [0] * 13
        sums[7] = angle
        sums[8] = peak
        sums[11] = strike
        self.strides.half_cycle(sign, self.swing_sign, end_ms - took_ms, end_ms, sums, score, between, confidence, end_ms + LATE)
        return self.output.steps

    def swing(self, end_ms, *args, **more):
        return self.half(self.swing_sign, end_ms, *args, **more)

    def walk(self, *ends_ms, **more):
        for end_ms in ends_ms:
            self.swing(end_ms, **more)
        return self.output.steps


def walking(stride_ms=1000, **more):
    """A leg in a bout: contacts every stride up to 5 strides, the steps so far taken away."""
    leg = Leg(**more)
    leg.walk(*[stride_ms * k for k in range(1, 6)])
    assert len(leg.output.contacts) == 5
    leg.output.steps.clear()
    leg.output.at.clear()
    leg.output.contacts.clear()
    return leg
