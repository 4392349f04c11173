"""What is counted as gait at the shank, and what is not: synthetic motion of legs that do not step."""

from retrostep_core.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.foot_strike import cycle_score
from retrostep_core.gait.limits import Limits
from support.gait_leg import PERIOD_US, Heard, Leg, bump

# Scores of a cycle (gait/foot_strike.py).
ROUGH = -4
BAD = -2
WEAK = 1
GOOD = 4

TURN = 1000000


def sine(phase):
    """sin(2 pi phase / 1000000) in 1/1000, by two parabolas that differ from it by at most 0.06."""
    phase %= TURN
    return bump(phase, 0, TURN // 2, 1000) - bump(phase, TURN // 2, TURN, 1000)


class Machine(Leg):
    """A leg that moves without steps, sample by sample; `per_min_x10` cycles in ten minutes."""

    def cycles(self, ms, per_min_x10):
        """The phase (of 1000000) of each sample."""
        phase = 0
        for _ in range(ms * 1000 // PERIOD_US):
            phase += per_min_x10 * 1000 * PERIOD_US // 600000
            yield phase

    def pedal(self, ms, rpm_x10, back=False):
        """A bicycle: the shank swings by 23 degrees to either side, evenly; its weight goes round."""
        peak = 23 * 2 * 314 * rpm_x10 // 6000 * (-1 if back else 1)
        for phase in self.cycles(ms, rpm_x10):
            weight = 1000 + 300 * sine(phase + 250000) // 1000 + self.random()
            self.sample(250 * sine(phase) // 1000, 0, weight, 0, peak * sine(phase) // 100, 0)

    def machine(self, ms, per_min_x10, lift=350000, clank=300):
        """A seated leg machine: up fast, down slowly, 85 degrees; the shank is level at the top. The stack clanks."""
        for phase in self.cycles(ms, per_min_x10):
            part = phase % TURN
            period_ms = 600000 // per_min_x10
            up = 850 * 1500 // (period_ms * lift // TURN)
            down = 850 * 1500 // (period_ms * (TURN - lift) // TURN)
            gyro = bump(part, 0, lift, -up) + bump(part, lift, TURN, down)
            raised = part * 1000 // lift if part < lift else (TURN - part) * 1000 // (TURN - lift)
            hit = clank if part < 20000 else 0
            self.sample(raised, 0, 1000 - raised + hit + self.random(), 0, gyro, 0)

    def jump(self, ms, per_min_x10):
        """Both feet leave the ground and land together; in flight nothing is felt, and the shank hardly turns."""
        for phase in self.cycles(ms, per_min_x10):
            part = phase % TURN
            ground = 550000
            force = bump(part, 0, ground, 2700) + (bump(part, 0, 60000, 2500) if part < 60000 else 0)
            gyro = bump(part, 0, ground // 2, 1500) - bump(part, ground // 2, ground, 1500) + bump(part, ground, TURN, -400)
            self.sample(0, 0, force + self.random(), 0, gyro, 0)

    def tap(self, ms, per_min_x10):
        """A seated heel drums: the shank turns by 8 degrees, the heel hits hard."""
        for phase in self.cycles(ms, per_min_x10):
            part = phase % TURN
            peak = 80 * 1500 * per_min_x10 // 300000
            gyro = bump(part, 0, 500000, -peak) + bump(part, 500000, TURN, peak)
            self.sample(0, 0, 1000 + (900 if part < 40000 else 0) + self.random(), 0, gyro, 0)

    def squat(self, ms, per_min_x10):
        """Down and up, feet in place: the shank leans by 30 degrees, nothing hits."""
        for phase in self.cycles(ms, per_min_x10):
            part = phase % TURN
            peak = 300 * 1500 * per_min_x10 // 600000
            gyro = bump(part, 0, 400000, peak * 10 // 4) - bump(part, 400000, TURN, peak * 10 // 6)
            self.sample(0, 0, 1000 + 60 * sine(phase) // 1000 + self.random(), 0, gyro, 0)

    def ride(self, ms):
        """A bus: turning and pushing at 1 to 2 Hz, out of step with each other."""
        a = b = c = 0
        for _ in range(ms * 1000 // PERIOD_US):
            a += 1310 * PERIOD_US // 1000
            b += 1730 * PERIOD_US // 1000
            c += 1090 * PERIOD_US // 1000
            gyro = 130 * sine(a) // 1000 + 110 * sine(b) // 1000 + 90 * sine(c) // 1000
            self.sample(200 * sine(b) // 1000, 0, 1000 + 250 * sine(c + a) // 1000 + self.random() * 4, 0, gyro, 0)


def moved(way, *arguments):
    """The events of one minute of a motion between two stands, and the engine."""
    leg = Machine(noise=15)
    leg.stand(3000)
    way(leg, 60000, *arguments)
    leg.stand(4000)
    return leg.finish(), leg.engine


def test_what_is_not_gait_has_no_steps_no_time_and_no_alert():
    motions = [(Machine.pedal, rpm, back) for rpm in (400, 600, 800, 1100) for back in (False, True)]
    motions += [(Machine.machine, per_min, lift) for per_min in (200, 350, 600) for lift in (350000, 500000)]
    motions += [(Machine.jump, per_min) for per_min in (900, 1200, 1500)]
    motions += [(Machine.tap, per_min) for per_min in (1100, 1800, 2800)]
    motions += [(Machine.squat, per_min) for per_min in (200, 400)]
    motions += [(Machine.ride,)]
    for motion in motions:
        heard, engine = moved(*motion)
        totals = engine.totals
        assert heard.steps == [], (motion, len(heard.steps))
        assert (totals.forward_ms, totals.backward_ms) == (0, 0), (motion, totals.forward_ms, totals.backward_ms)
        assert heard.alerts == [], (motion, heard.alerts)


def test_walking_before_and_after_a_machine_counts_in_full():
    for back in (False, True):
        leg = Machine(noise=15)
        leg.stand(3000)
        leg.walk(15000, 1100, back)
        leg.pedal(30000, 800)
        leg.stand(4000)
        leg.walk(15000, 1100, back)
        leg.stand(4000)
        heard = leg.finish()
        # At most three strides of pedalling continue a bout.
        assert len(leg.contacts) - 3 <= len(heard.steps) <= len(leg.contacts) + 11, (len(heard.steps), len(leg.contacts))
        ms = leg.engine.totals.backward_ms if back else leg.engine.totals.forward_ms
        assert ms < 36000, ms


def test_a_direction_ends_where_the_steps_end():
    leg = Machine(noise=15)
    leg.stand(3000)
    leg.walk(15000, 1100)
    stopped_ms = leg.now_ms
    for k in range(200):
        # The leg fidgets on: it is never quiet.
        for i in range(26):
            leg.sample(0, 0, 1000, 0, (300 if k & 1 else -300) * (i % 13) // 13, 0)
    heard = leg.finish()
    assert STILL not in [direction for _, _, direction in heard.directions[2:]]
    at_ms, since_ms, direction = heard.directions[-1]
    assert direction == UNKNOWN
    assert stopped_ms - 700 < since_ms < stopped_ms + 1200 and at_ms < stopped_ms + 5000
    assert abs(leg.engine.totals.forward_ms - 15000) < 1500


def test_the_first_leg_movement_of_a_walk_is_no_other_direction():
    """A foot is set back slowly before the walk: nothing is backward, and no alert comes."""
    for slow in (600, 900, 1200):
        leg = Leg(noise=10)
        leg.stand(3000)
        n = slow * 1000 // PERIOD_US
        for i in range(n):
            leg.sample(0, 0, 1000, 0, bump(i * TURN // n, 0, TURN, 900), 0)
        leg.walk(12000, 1000)
        leg.stand(3000)
        heard = leg.finish()
        assert BACKWARD not in [direction for _, _, direction in heard.directions], heard.directions
        assert leg.engine.totals.backward_ms == 0 and heard.alerts == []
        assert FORWARD in [direction for _, _, direction in heard.directions]


def test_a_sensor_with_front_and_back_exchanged_is_never_backward():
    class Turned(Leg):
        def sample(self, ax, ay, az, gx, gy, gz):
            # The foot also pushes forward in stance, as the leg turns.
            super().sample(-ax - gy // 30, -ay, az, -gx, -gy, gz)

    leg = Turned(noise=10)
    leg.stand(3000)
    leg.walk(30000, 1100)
    leg.stand(3000)
    heard = leg.finish()
    assert leg.engine.totals.backward_ms == 0, leg.engine.totals.backward_ms
    assert heard.alerts == []
    assert abs(len(heard.steps) - len(leg.contacts)) <= 3


class Crooked(Leg):
    """A sensor in other axes than the body's."""

    axes = (0, 1, 2)

    def sample(self, ax, ay, az, gx, gy, gz):
        force = (ax, ay, az)
        gyro = (gx, gy, gz)
        i, j, k = self.axes
        # Right-handed either way.
        sign = 1 if (j - i) % 3 == 1 else -1
        super().sample(sign * force[i], -force[j], -force[k], sign * gyro[i], -gyro[j], -gyro[k])


def test_unknown_axes_count_both_feet_and_get_the_right_direction():
    for axes in ((1, 2, 0), (2, 1, 0), (0, 1, 2)):
        for back in (False, True):
            heard = Heard()
            leg = Crooked(Engine(heard, Limits(), 0, 0, False), noise=10)
            leg.axes = axes
            leg.heard = heard
            leg.stand(3000)
            leg.walk(30000, 1100, back)
            leg.walk(30000, 1600, back)
            leg.stand(3000)
            leg.finish()
            assert abs(len(heard.steps) - len(leg.contacts)) <= 6, (axes, back, len(heard.steps), len(leg.contacts))
            assert {direction for _, _, direction in heard.directions} == {STILL, UNKNOWN, BACKWARD if back else FORWARD}
            totals = leg.engine.totals
            assert (totals.backward_steps if back else totals.forward_steps) > 100 and totals.unknown_steps < 6
            late = [cadence for at_ms, cadence in heard.cadences if 50000 < at_ms < 62000]
            assert late == [] or min(late) > 1550, (axes, back, late)
            assert heard.cadences[-2][1] > 1550
            assert bool(heard.alerts) == back


def sums(angle, peak):
    """The sums of a swing with this angle (degrees) and peak (degrees per second)."""
    swing = [0] * 13
    swing[7] = angle * 1040
    swing[8] = peak * 20
    return swing


def test_each_piece_of_evidence_is_needed():
    walk = {"swing": sums(70, 300), "swing_ms": 340, "cycle_ms": 1150, "samples": 60, "unloaded": 2, "jerk": 2400, "strike": 350}
    walk["axial"] = 2000
    assert cycle_score(**walk) == GOOD
    for change in (
        {"swing_ms": 600},
        {"cycle_ms": 420, "swing_ms": 150},
        {"unloaded": 20},
        {"strike": 8},
        {"axial": 300},
        {"swing": sums(8, 300)},
        {"swing": sums(70, 40)},
        {"swing_ms": 900, "cycle_ms": 2600, "samples": 135},
    ):
        assert cycle_score(**dict(walk, **change)) == BAD, change


def test_a_leg_lifted_from_upright_without_a_strike_is_on_a_seat():
    swing = sums(66, 240)
    slow = {"swing": swing, "swing_ms": 460, "cycle_ms": 1680, "samples": 87, "unloaded": 11, "jerk": 980}
    # Force along the leg at the start and at the end of the swing and the strike, in g.
    for start, end, strike, is_gait in (
        (1.04, 0.69, 0.09, False),
        (1.04, 0.57, 0.40, True),
        (1.04, 0.39, 0.40, False),
        (-1.04, -0.69, 0.13, False),
        # A walk backward, with a soft landing.
        (0.90, 0.66, 0.14, True),
        (0.66, 0.90, 0.14, True),
    ):
        swing[12] = round(start * 2000)
        score = cycle_score(**dict(slow, axial=round(end * 2000), strike=round(strike * 500)))
        assert (score > BAD) == is_gait, (start, end, strike, score)
    swing[12] = 2080
    assert cycle_score(**dict(slow, axial=1380, strike=60, swing_ms=300, cycle_ms=900, samples=47, unloaded=2, jerk=500)) > BAD


def test_a_swing_rougher_than_the_stance_is_a_pedal():
    swing = sums(70, 300)
    swing[0] = 18
    walk = {"swing": swing, "swing_ms": 340, "cycle_ms": 1150, "samples": 60, "unloaded": 2, "strike": 350, "axial": 2000}
    for in_swing, in_stance, start, score in (
        (300, 110, 300, GOOD),
        (300, 90, 300, ROUGH),
        # A smooth swing is rough beside nothing.
        (190, 40, 300, GOOD),
        (100, 100, 2000, GOOD),
        (100, 100, 2200, ROUGH),
    ):
        swing[10] = 18 * in_swing
        swing[11] = start
        assert cycle_score(**dict(walk, jerk=18 * in_swing + 42 * in_stance)) == score, (in_swing, in_stance, start)


def test_a_long_swing_that_shakes_more_than_the_stance_is_a_lift_unless_a_foot_strikes():
    swing = sums(70, 300)
    swing[0] = 20
    for swing_ms, cycle_ms, in_swing, strike, score in (
        (350, 1000, 200, 350, BAD),
        (320, 1000, 200, 350, GOOD),
        (350, 1000, 140, 350, GOOD),
        (350, 1000, 200, 420, GOOD),
        (290, 840, 200, 350, GOOD),
    ):
        swing[10] = 20 * in_swing
        found = cycle_score(swing, swing_ms, cycle_ms, 52, 2, 20 * in_swing + 32 * 100, strike, 2000)
        assert found == score, (swing_ms, cycle_ms, in_swing, strike, found)


def test_a_long_swing_that_begins_with_a_knock_is_a_quick_lift():
    swing = sums(70, 300)
    swing[0] = 14
    for angle, swing_ms, in_swing, start, is_gait in (
        (51, 260, 130, 800, False),
        (50, 260, 130, 800, True),
        (51, 252, 130, 800, True),
        (51, 260, 125, 800, True),
        (51, 260, 130, 787, True),
        # More than 0.40 of the cycle: the knock alone is enough.
        (51, 290, 100, 800, False),
        (51, 290, 100, 787, True),
    ):
        swing[7] = angle * 1040
        swing[10] = 14 * in_swing
        swing[11] = start
        score = cycle_score(swing, swing_ms, 700, 36, 0, 14 * in_swing + 22 * 100, 450, 2000)
        assert (score > BAD) == is_gait, (angle, swing_ms, in_swing, start, score)


def test_a_slow_small_step_needs_a_strike_above_the_noise():
    swing = sums(28, 50)
    swing[0] = 40
    for cycle_ms, strike, score in ((3200, 25, BAD), (3200, 40, WEAK), (1600, 25, WEAK)):
        assert cycle_score(swing, 350, cycle_ms, 160, 2, 160 * 20, strike, 1600) == score, (cycle_ms, strike)
