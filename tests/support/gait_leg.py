"""A leg that walks, made with integers: the same samples on every interpreter, and the times of its steps."""

from array import array

from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits

PERIOD_US = 9615
STRIDE = 1000000
SWING_MOST = 360000


class Heard:
    """The engine's sink: keeps every event."""

    def __init__(self):
        self.steps = []
        self.directions = []
        self.cadences = []
        self.alerts = []
        self.gaps = []
        self.mounts = []

    def step(self, t_ms, at_ms, direction):
        assert t_ms <= at_ms
        self.steps.append((t_ms, at_ms, direction))

    def direction(self, at_ms, since_ms, direction):
        assert since_ms <= at_ms
        self.directions.append((at_ms, since_ms, direction))

    def cadence(self, at_ms, spm_x10):
        self.cadences.append((at_ms, spm_x10))

    def alert(self, at_ms, kind, severity, measured, limit):
        self.alerts.append((at_ms, kind, severity, measured, limit))

    def gap(self, from_ms, to_ms, reason):
        self.gaps.append((from_ms, to_ms, reason))

    def found_mount(self, at_ms, since_ms, mount):
        assert since_ms <= at_ms
        self.mounts.append((at_ms, since_ms, mount))


def bump(at, start, stop, peak):
    """A parabola from start to stop, 0 outside."""
    if not start < at < stop:
        return 0
    half = (stop - start) // 2000
    x = (at - start) // 1000 - half
    return peak * (half * half - x * x) // (half * half)


def clipped(value, most):
    return max(-most, min(most, value))


class Leg:
    """Motion of one shank, sample by sample, into an engine; times in ms since the start."""

    def __init__(self, engine=None, limits=None, size=26, bias=0, degrees20=False, noise=0):
        self.heard = Heard()
        self.engine = engine or Engine(self.heard, limits or Limits())
        self.contacts = []
        self.size = size
        self.bias = bias
        self.degrees20 = degrees20
        self.noise = noise
        # Rotation of the body (0.1 degrees per second), the swing in the frontal plane, and the range of the chip.
        self.turning = 0
        self.sideways = False
        self.most_mg = 32767
        self.most_dps10 = 32767
        self._seed = 1
        self._noise = 1
        self._phase = 0
        self._n = 0
        self._block = array("h", bytes(12 * size))
        self._filled = 0
        self._t0_ms = 0

    @property
    def now_ms(self):
        return self._n * PERIOD_US // 1000

    def sample(self, ax, ay, az, gx, gy, gz):
        """One sample, in blocks of the leg's size."""
        if self.degrees20:
            # The strap has slipped by 20 degrees about the leg: 0.940 and 0.342.
            ax, ay = (ax * 940 - ay * 342) // 1000, (ax * 342 + ay * 940) // 1000
            gx, gy = (gx * 940 - gy * 342) // 1000, (gx * 342 + gy * 940) // 1000
        # The noise of the converter: without it a leg that stands is a frozen sensor.
        self._noise = self._noise * 1103 + 12345 & 0xFFFF
        ax += self._noise >> 14
        if self.noise:
            ax += self.random()
            gy += self.random()
        if self.sideways:
            ax, ay, gx, gy = ay, ax, gy, gy * 3 // 5
        # On a shank that leans by 15 degrees, a rotation appears on the other axes too.
        gz += self.turning
        gx += self.turning // 4
        gy += self.turning // 4
        ax, ay, az = (clipped(value, self.most_mg) for value in (ax, ay, az))
        gx, gy, gz = (clipped(value, self.most_dps10) for value in (gx, gy, gz))
        if not self._filled:
            self._t0_ms = self.now_ms
        at = self._filled * 6
        for value in (ax, ay, az, gx, gy + self.bias, gz):
            self._block[at] = value
            at += 1
        self._filled += 1
        self._n += 1
        if self._filled == self.size:
            self.flush()

    def random(self):
        """-noise..noise, the same each time."""
        self._seed = (self._seed * 1103 + 12345) % 65536
        return self._seed % (2 * self.noise + 1) - self.noise

    def flush(self):
        if self._filled:
            self.engine.samples(self._block, self._filled, self._t0_ms, PERIOD_US)
            self._filled = 0

    def stand(self, ms):
        """Stand still, upright."""
        self._phase = 0
        for _ in range(ms * 1000 // PERIOD_US):
            self.sample(0, 0, 1000, 0, 0, 0)

    def lose(self, ms):
        """Skip samples."""
        self.flush()
        self._n += ms * 1000 // PERIOD_US

    def walk(self, ms, spm_x10, back=False, to_x10=0, size=100):
        """Walk or run, cadence of both feet, forward or backward; the cadence goes evenly to `to_x10`; size in % of a usual swing.

        The swing comes first: 0.15 s and 16 % of a stride, at most 36 % of it. Contact is its end, the other foot's half a stride later.
        """
        n = ms * 1000 // PERIOD_US
        phase = self._phase
        sign = 1 if back else -1
        for i in range(n):
            cadence = spm_x10 + (to_x10 - spm_x10) * i // n if to_x10 else spm_x10
            before = phase
            phase += cadence * 1000 * PERIOD_US // 1200000
            swing = min(SWING_MOST, 160000 + cadence * 125)
            for contact in (swing, swing + STRIDE // 2):
                if before < contact <= phase:
                    self.contacts.append(self.now_ms)
            if phase >= STRIDE:
                phase -= STRIDE
            # Faster strides turn the leg faster: the angles stay.
            scale = cadence * size // 1100
            fast = 12000000 * scale // swing
            gy = bump(phase, 0, swing, sign * fast) + bump(phase, swing, STRIDE, -sign * (fast * (swing // 1000) // (1000 - swing // 1000)))
            hit = bump(phase, swing, swing + 150000, 900)
            other = bump(phase, swing + 500000, swing + 600000, 200)
            # The bent knee: the shank leans forward while it swings, in either direction; less so to the side.
            lean = bump(phase, 0, swing * 3 // 4, -120 if self.sideways else -400)
            self.sample(lean - sign * hit // 3, 0, 1000 + hit + other, 0, gy, 0)
        self._phase = phase

    def climb(self, ms, spm_x10):
        """Stairs up: the knee is lifted high, so the shank turns back nearly as fast as it swung, then pushes off on the spot."""
        phase = self._phase
        for _ in range(ms * 1000 // PERIOD_US):
            before = phase
            phase += spm_x10 * 1000 * PERIOD_US // 1200000
            for contact in (450000, 950000):
                if before < contact <= phase:
                    self.contacts.append(self.now_ms)
            if phase >= STRIDE:
                phase -= STRIDE
            lifted = bump(phase, 0, 200000, 1300)
            swung = bump(phase, 200000, 450000, -2200)
            pushed = bump(phase, 500000, STRIDE, 700)
            hit = bump(phase, 450000, 600000, 500)
            other = bump(phase, 950000, STRIDE, 200)
            lean = bump(phase, 0, 450000, -500)
            self.sample(lean + hit // 4, 0, 1000 + hit + other, 0, lifted + swung + pushed, 0)
        self._phase = phase

    def finish(self):
        self.flush()
        self.engine.finish(self.now_ms)
        return self.heard


def matched(heard, contacts, within_ms):
    """The number of contacts with a step of their own within `within_ms`."""
    steps = [step[0] for step in heard.steps]
    count = 0
    for contact in contacts:
        for k in range(len(steps)):
            if abs(steps[k] - contact) <= within_ms:
                steps.pop(k)
                count += 1
                break
    return count
