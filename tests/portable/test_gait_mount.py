"""The engine finds which way the sensor is worn from standing and walking, and never calls a direction by the wrong axes."""

from retrostep_core.codes import BACKWARD, FORWARD, SHANK, STILL, UNKNOWN
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.mount_finder import MountFinder
from retrostep_core.gait.units import AS_DECLARED
from support.gait_leg import Heard, Leg


def mounts():
    """The 24 right-handed mounts."""
    out = []
    for i in range(3):
        for j in range(3):
            for signs in range(8):
                k = 3 - i - j
                p, q, r = (1 - 2 * (signs >> n & 1) for n in range(3))
                if i != j and (1 if (j - i) % 3 == 1 else -1) * p * q * r > 0:
                    out.append(((i, p), (j, q), (k, r)))
    return out


class Worn(Leg):
    """A leg with the sensor worn so that `mount` turns its samples to the body's axes, tipped about the side by 5/12 and 12/13."""

    def __init__(self, mount, declared=True, tip=0, engine=None):
        heard = Heard()
        super().__init__(engine or Engine(heard, Limits(), SHANK, 0, declared), noise=10)
        self.heard = heard
        self.mount = mount
        self.tip = tip

    def sample(self, ax, ay, az, gx, gy, gz):
        if self.tip:
            ax, az = (ax * 12 + self.tip * az * 5) // 13, (az * 12 - self.tip * ax * 5) // 13
            gx, gz = (gx * 12 + self.tip * gz * 5) // 13, (gz * 12 - self.tip * gx * 5) // 13
        body = (ax, ay, az, gx, gy, gz)
        sensor = [0] * 6
        for axis in range(3):
            index, sign = self.mount[axis]
            sensor[index] = sign * body[axis]
            sensor[3 + index] = sign * body[3 + axis]
        super().sample(*sensor)


def test_there_are_24_mounts():
    assert len(mounts()) == 24 and AS_DECLARED in mounts()


def test_every_mount_is_found_and_the_walk_gets_its_direction_from_its_start():
    for mount in mounts():
        for back in (False, True):
            leg = Worn(mount)
            leg.stand(3000)
            leg.walk(25000, 1100, back)
            leg.stand(3000)
            heard = leg.finish()
            assert leg.engine.mount == mount, (mount, back, leg.engine.mount)
            assert leg.engine.is_turned == (mount != AS_DECLARED)
            right, wrong = (BACKWARD, FORWARD) if back else (FORWARD, BACKWARD)
            assert wrong not in [direction for _, _, direction in heard.directions], (mount, back)
            totals = leg.engine.totals
            steps = totals.backward_steps if back else totals.forward_steps
            assert steps + totals.unknown_steps >= len(leg.contacts) - 4
            assert totals.unknown_steps < 4, (mount, back, totals.unknown_steps)
            known = [at_ms for at_ms, _, direction in heard.directions if direction == right]
            # Ten strides at 110 steps a minute.
            assert known[0] < 3000 + 10900, (mount, known)
            assert bool(heard.alerts) == back


def test_the_declared_mount_is_confirmed_within_two_strides():
    for back in (False, True):
        leg = Worn(AS_DECLARED)
        leg.stand(3000)
        leg.walk(12000, 1100, back)
        heard = leg.finish()
        assert [at_ms for at_ms, _, direction in heard.directions if direction == (BACKWARD if back else FORWARD)][0] < 3000 + 2600
        assert leg.engine.mount is AS_DECLARED


def test_a_direction_that_fits_the_declared_mount_does_not_wait():
    for back in (False, True):
        leg = Worn(AS_DECLARED)
        leg.stand(3000)
        leg.walk(8000, 1100, back)
        known = [at_ms for at_ms, _, direction in leg.finish().directions if direction == (BACKWARD if back else FORWARD)]
        # The engine without the wait.
        free = Worn(AS_DECLARED)
        free.engine._output.finder = free.engine.finder = None
        free.stand(3000)
        free.walk(8000, 1100, back)
        first = [at_ms for at_ms, _, direction in free.finish().directions if direction == (BACKWARD if back else FORWARD)]
        assert known[0] - first[0] <= 250, (back, known[0], first[0])


def test_only_a_declared_mount_fits_and_not_before_the_leg_moves():
    for mount in (AS_DECLARED, ((0, -1), (1, -1), (2, 1))):
        for declared in (False, True):
            for back in (False, True):
                leg = Worn(mount, declared)
                finder = leg.engine.finder
                leg.stand(3000)
                leg.flush()
                assert not finder.fits(FORWARD) and not finder.fits(BACKWARD)
                leg.walk(1000, 1100, back)
                leg.flush()
                is_right = declared and mount is AS_DECLARED
                assert finder.fits(FORWARD) == is_right, (mount, declared, back)
                assert finder.fits(BACKWARD) == (is_right and back), (mount, declared, back)


def test_an_unknown_mount_is_found():
    for mount in mounts()[::5]:
        leg = Worn(mount, declared=False)
        leg.stand(3000)
        leg.walk(20000, 1100)
        leg.finish()
        assert leg.engine.mount == mount and leg.engine.totals.forward_steps > 30
        assert not leg.engine.is_turned  # no mount was declared


def test_a_tipped_sensor_is_found_and_straightened():
    tips = []
    for mount in (AS_DECLARED, ((0, -1), (1, -1), (2, 1)), ((1, 1), (0, -1), (2, 1))):
        for tip in (-1, 1):
            leg = Worn(mount, tip=tip)
            leg.stand(3000)
            leg.walk(25000, 1100)
            leg.finish()
            assert leg.engine.mount == mount and leg.engine.totals.backward_steps == 0, (mount, tip, leg.engine.mount)
            assert leg.engine.totals.forward_steps > 38
            # The leg of this model hardly leans, so only one of the tips appears as more than 22 degrees.
            tips.append(leg.engine._tips_x256[1] * tip)
    assert min(tips) == 0 and max(tips) > 80


def test_sidesteps_confirm_no_other_mount():
    leg = Worn(AS_DECLARED)
    leg.sideways = True
    leg.stand(3000)
    leg.walk(25000, 1000)
    leg.stand(3000)
    leg.sideways = False
    leg.walk(20000, 1100)
    heard = leg.finish()
    assert leg.engine.mount is AS_DECLARED
    assert BACKWARD not in [direction for _, _, direction in heard.directions]
    assert leg.engine.totals.forward_steps > 26


def test_a_new_session_may_be_worn_another_way():
    turned = ((0, -1), (1, -1), (2, 1))
    leg = Worn(turned)
    leg.stand(3000)
    leg.walk(20000, 1100)
    assert leg.engine.mount == turned
    leg.stand(3000)
    leg.flush()
    leg.engine.totals.reset(leg.now_ms)
    leg.mount = AS_DECLARED
    leg.stand(3000)
    leg.walk(25000, 1100)
    heard = leg.finish()
    assert leg.engine.mount is AS_DECLARED
    assert BACKWARD not in [direction for _, _, direction in heard.directions]
    assert leg.engine.totals.forward_steps > 38 and leg.engine.totals.unknown_steps < 4


def test_directions_wait_in_order_and_only_from_the_first_one_on():
    finder = MountFinder(True)
    assert finder.hide(0, STILL) == STILL and finder.hide(900, UNKNOWN) == UNKNOWN
    assert finder.waiting(0) is None
    assert finder.hide(1000, FORWARD) == UNKNOWN and finder.hide(1500, FORWARD) == UNKNOWN
    assert finder.hide(4000, STILL) == STILL
    assert finder.hide(5000, BACKWARD) == UNKNOWN
    # Taken back from its beginning on.
    assert finder.hide(5000, UNKNOWN) == UNKNOWN
    kept = [finder.waiting(k) for k in range(4)]
    assert kept == [[1000, FORWARD], [4000, STILL], [5000, UNKNOWN], None]
    for k in range(9):
        finder.hide(6000 + k, FORWARD if k & 1 else STILL)
    assert finder.waiting(5)[0] == 6008 and finder.waiting(6) is None
