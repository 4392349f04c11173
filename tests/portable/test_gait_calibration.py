"""The mount is found from standing and walking forward, whatever way the sensor sits; what cannot be found has a reason."""

import gc
from array import array

from retrostep_core.gait.calibration import (
    BACKWARD,
    DONE,
    FAILED,
    FEW,
    MOVED,
    OBLIQUE,
    SILENT,
    STAND,
    WALK,
    WEAK,
    Calibration,
)
from retrostep_core.gait.units import parse_mount

# A shank's sagittal rate over one stride forward, 0.1 degree per second: a long shallow stance, a short deep swing.
STRIDE = (
    (798, 906, 1021, 1141, 1263, 1382, 1496, 1602, 1694, 1770, 1826, 1861, 1872, 1861, 1826, 1770)
    + (1694, 1602, 1496, 1382, 1263, 1141, 1021, 906, 798, 698, 608, 529, 459, 400, 348, 303)
    + (260, 214, 156, 71, -57, -247, -521, -893, -1364, -1919, -2516, -3095, -3583, -3911, -4026, -3911)
    + (-3585, -3097, -2519, -1924, -1372, -903, -536, -269, -88, 28, 97, 135, 155, 165, 170, 172)
)
RATE_HZ = 104


def mounts():
    found = []
    for i in "xyz":
        for j in "xyz":
            for k in "xyz":
                for signs in range(8):
                    text = "".join([("-" if signs >> n & 1 else "+") + axis for n, axis in enumerate((i, j, k))])
                    try:
                        parse_mount(text)
                    except ValueError:
                        continue
                    found.append(text)
    return found


class Person:
    """Somebody with a sensor of the mount `mount` at a shank. `turned` and `leaning`: the strap's angle about the leg, and the leg's to the
    side, as (cosine, sine) in 1/1000."""

    def __init__(self, mount="+x+y+z", turned=(1000, 0), leaning=(1000, 0), deaf=False):
        self.calibration = Calibration()
        self.mount = parse_mount(mount)
        self.turned = turned
        self.leaning = leaning
        self.deaf = deaf
        self.samples = 0
        self._block = array("h", bytes(12))

    def feel(self, ax, ay, az, gx, gy, gz):
        """One sample, body axes."""
        body = [ax, ay, az, gx, gy, gz]
        for at in (0, 3):
            (c, s), (x, y) = self.turned, body[at : at + 2]
            body[at], y = (c * x + s * y) // 1000, (c * y - s * x) // 1000
            (c, s), z = self.leaning, body[at + 2]
            body[at + 1], body[at + 2] = (c * y + s * z) // 1000, (c * z - s * y) // 1000
            for k, (index, sign) in enumerate(self.mount):
                self._block[at + index] = sign * body[at + k]
        if self.deaf:
            self._block[3] = self._block[4] = self._block[5] = 7
        self.calibration.samples(self._block, 1, 0, 9615)
        self.samples += 1

    def stand(self, seconds):
        for n in range(seconds * RATE_HZ):
            self.feel(n % 3, -(n % 5), 1000 + n % 4, n % 7, 12, -(n % 3))
        return self

    def walk(self, strides, backward=False, shape=STRIDE, length=RATE_HZ):
        """`length`: samples a stride."""
        for _ in range(strides):
            for n in range(length):
                phase = n * 64 // length
                # The rest of a leg: it is pushed where the rate points, it lands, it wobbles about the other axes.
                rate = shape[63 - phase] if backward else shape[phase]
                hit = 1500 if 2 <= phase < 5 else 0
                wobble = 300 if phase % 16 < 8 else -300
                self.feel(rate // 12, wobble // 4, 1000 + hit, wobble, -rate if backward else rate, wobble >> 1)
                if self.calibration.state >= DONE:
                    return self
        return self

    @property
    def outcome(self):
        calibration = self.calibration
        return calibration.mount if calibration.state == DONE else (calibration.state, calibration.reason)


def test_each_of_the_24_mounts_is_found():
    found = mounts()
    assert len(found) == 24
    for mount in found:
        assert Person(mount).stand(3).walk(6).outcome == mount


def test_slow_and_quick_strides():
    for length in (60, 80, 150, 200, 260):
        assert Person("-y-z+x").stand(3).walk(6, length=length).outcome == "-y-z+x", length


def test_it_says_how_far_it_is():
    person = Person("+y+z+x")
    calibration = person.calibration
    person.stand(1)
    assert (calibration.state, calibration.mount) == (STAND, "")
    person.stand(2)
    assert (calibration.state, calibration.strides) == (WALK, 0)
    counted = []
    while calibration.state == WALK:
        person.walk(1)
        counted.append(calibration.strides)
    assert counted[-1] == 5 and sorted(counted) == counted and len(counted) <= 6


def test_a_strap_turned_by_20_degrees_is_no_matter():
    for turned in ((940, 342), (940, -342)):
        for leaning in ((940, 342), (940, -342)):
            for mount in ("+y+z+x", "-y-z+x", "+z-x-y"):
                assert Person(mount, turned, leaning).stand(3).walk(6).outcome == mount


def test_a_strap_turned_too_far_is_refused():
    for sine in (643, -643):
        assert Person(turned=(766, sine)).stand(3).walk(12).outcome == (FAILED, OBLIQUE), "40 degrees about the leg"
        assert Person(leaning=(766, sine)).stand(3).outcome == (FAILED, OBLIQUE), "40 degrees off the leg"


def test_who_never_stands_still_is_told():
    person = Person().walk(31)
    assert person.outcome == (FAILED, MOVED)
    assert person.samples <= 31 * RATE_HZ


def test_no_weight_is_no_standing():
    person = Person()
    for _ in range(31 * RATE_HZ):
        person.feel(0, 0, 0, 0, 0, 0)
    assert person.outcome == (FAILED, MOVED)


def test_who_does_not_walk_is_told():
    person = Person().stand(3)
    assert person.outcome == (WALK, 0)
    assert person.stand(41).outcome == (FAILED, FEW)


def test_a_broken_off_walk_may_be_made_up_for():
    person = Person("+y+z+x").stand(3).walk(2).stand(4)
    assert person.outcome == (WALK, 0) and person.calibration.strides == 0
    assert person.walk(6).outcome == "+y+z+x"
    assert Person().stand(3).walk(2).stand(42).outcome == (FAILED, FEW)


def test_a_short_walk_will_do():
    assert Person("-y-z+x").stand(3).walk(4).stand(3).outcome == "-y-z+x"


def test_walking_backward_is_refused():
    for mount in ("+y+z+x", "-y-z+x", "-x-y+z"):
        assert Person(mount).stand(3).walk(12, backward=True).outcome == (FAILED, BACKWARD)


def test_a_leg_that_only_swings_tells_no_direction():
    pendulum = tuple([STRIDE[12] * (8 - abs(n % 32 - 16)) // 8 for n in range(64)])
    person = Person().stand(3).walk(24, shape=pendulum)
    assert person.outcome == (FAILED, WEAK)
    assert person.calibration.strides <= 10


def test_a_silent_gyroscope_is_named():
    assert Person(deaf=True).stand(3).walk(30).outcome == (FAILED, SILENT)


def test_garbage_ends_in_time():
    for pair in ((32767, -32768), (-32768, -32768), (1000, -32768)):
        person = Person()
        block = array("h", bytes(12))
        for n in range(75 * RATE_HZ):
            if n < 3 * RATE_HZ:
                block[0] = 1000
            else:
                for k in range(6):
                    block[k] = pair[(n // 30 + k // 3) % 2]
            person.calibration.samples(block, 1, 0, 9615)
        assert person.calibration.state in (DONE, FAILED)


def test_samples_allocate_nothing():
    if not hasattr(gc, "mem_alloc"):
        # CPython counts no bytes; what it can show is that the state does not grow.
        person = Person()
        before = [len(value) for value in vars(person.calibration).values() if isinstance(value, list)]
        person.stand(3).walk(4)
        assert before == [len(value) for value in vars(person.calibration).values() if isinstance(value, list)]
        return
    person = Person()
    blocks = []

    class Kept:
        state = STAND

        def samples(self, block, n, t0_ms, period_us):
            blocks.append(array("h", block))

    calibration, person.calibration = person.calibration, Kept()
    person.stand(3).walk(4)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for block in blocks:
        calibration.samples(block, 1, 0, 9615)
    after = gc.mem_alloc()
    gc.enable()
    assert calibration.state == WALK and calibration.strides >= 3
    assert after == before, after - before
