"""Evidence of gait in one stride: a short swing, a loaded stance and a foot strike between them."""

from retrostep_core.constants import const

# Places in the sums of a half-cycle, see direction.py.
_SAMPLES = const(0)
_ANGLE = const(7)
_PEAK = const(8)
_UNLOADED = const(9)
_JERK = const(10)
_STRIKE = const(11)
_AXIAL = const(12)

# Scores of a cycle.
_ROUGH = const(-4)
_BAD = const(-2)
_WEAK = const(1)
_FAIR = const(2)
_GOOD = const(4)

# 280 steps a minute of both feet: nobody runs faster.
_CYCLE_LEAST_MS = const(430)
# The swing takes at most 0.40 of the cycle (in 1/256); 0.46 if a strong strike follows. It lasts at most 0.18 s and 0.22 of the cycle.
# Recorded walks and runs: 0.23 to 0.39. A pedal or a pendulum: 0.5.
_SWING_MOST_X256 = const(102)
_SWING_MOST_STRONG_X256 = const(117)
_SWING_MOST_MS = const(180)
_SWING_MOST_X100 = const(22)
# The swing sweeps 16 degrees (1040 is one) at 80 degrees per second (0.05 degrees per second are one); in quicker cycles than 0.9 s at
# 110, in quicker ones than 0.6 s it sweeps 35 degrees. A clear one reaches 150 degrees per second.
_ANGLE_LEAST = const(16640)
_PEAK_LEAST_DPS_X20 = const(1600)
_QUICK_MS = const(900)
_QUICK_PEAK_LEAST_DPS_X20 = const(2200)
_QUICKEST_MS = const(600)
_QUICKEST_ANGLE_LEAST = const(36400)
_CLEAR_PEAK_DPS_X20 = const(3000)
# At the strike the size of the specific force changes by 0.1 g within 19 ms, in quick cycles by 0.24 g (units of 2 mg). A strong strike
# changes it by 0.4 g and by 2.5 times the mean of the cycle, the strongest by 1 g, a sharp one by 0.24 g and 5 times the mean.
_STRIKE_LEAST_2MG = const(50)
_QUICK_STRIKE_LEAST_2MG = const(120)
_STRONG_STRIKE_2MG = const(200)
_STRONG_STRIKE_RATIO_X2 = const(5)
_STRONGEST_STRIKE_2MG = const(500)
_SHARP_STRIKE_RATIO = const(5)
# A pedal, or a knee that snaps straight, shakes the swing: the force changes by more than 0.4 g a sample, three times as much as in stance,
# or by more than 1 g at its start, six times as much as at the strike. Recorded swings that are as rough: up to 3.0 and 5.8 times.
_ROUGH_2MG_X16 = const(3200)
_ROUGH_RATIO = const(3)
_ROUGH_START_2MG = const(500)
_ROUGH_START_RATIO = const(6)
# The lift of a weight machine takes more than a third of a cycle of 0.85 s and more. It shakes more than 1.5 times as much as the way back,
# and no strike of 3 times the mean of the cycle follows. None of 5,800 recorded strides is like this.
_LIFT_MS = const(850)
_LIFT_X256 = const(84)
_LIFT_STRIKE_RATIO = const(3)
# In quicker lifts the stack knocks where the swing begins: the force changes by 1.75 times as much as at the strike. The swing takes more
# than 0.36 of the cycle and shakes 1.25 times as much as the way back, or it takes more than 0.40; it sweeps 50 degrees. Recorded walks and
# runs: 12 of 6,100 strides, single ones.
_KNOCK_X256 = const(92)
_KNOCK_RATIO_X4 = const(7)
_KNOCK_ANGLE = const(52000)
# Share of the cycle in which the leg is unloaded while it hardly turns (shank.py), in 1/256. Recorded walks and runs: below 0.12; legs
# that lie, sit or jump: from 0.15 to 0.7.
_UNLOADED_MOST_X256 = const(46)
_UNLOADED_MOST_WEAK_X256 = const(56)
# Force along the leg at the end of the swing, in 0.5 mg: 0.25 g, in cycles of 1.7 s and more 0.55 g. Recorded gait: mostly above 0.6 g.
_AXIAL_LEAST_MG_X2 = const(500)
_SLOW_MS = const(1700)
_SLOW_AXIAL_LEAST_MG_X2 = const(1100)
# A swing that begins upright and ends lifted belongs to someone who sits. The force along the leg falls by more than twice the strike in
# cycles of 0.95 s and more, or by 0.55 g in cycles of 1.25 s and more. Recorded backward walks: 5 of 1100 strides of such cycles.
_LIFTED_MS = const(950)
_LIFTED_SLOW_MS = const(1250)
_LIFTED_MOST_MG_X2 = const(1100)
# A small step, such as a sidestep: 10 degrees, 45 degrees per second, 0.02 g.
_WEAK_ANGLE_LEAST = const(10400)
_WEAK_PEAK_LEAST_DPS_X20 = const(900)
_WEAK_STRIKE_LEAST_2MG = const(10)
# A step sideways: the leg hardly swings faster than it turns in stance, so its swing takes up to 0.47 of the cycle. It sweeps 10 degrees at
# 50 degrees per second, and the strike is clear: 0.12 g, in quick cycles 0.24 g, and 2.5 times the mean of the cycle, or 1 g.
_SIDE_SWING_MOST_X256 = const(121)
_SIDE_PEAK_LEAST_DPS_X20 = const(800)
_SIDE_STRIKE_LEAST_2MG = const(60)
# After this many strides without a crank, only one in eight is checked.
_STRIDES_ALL = const(3)
_STRIDES_MASK = const(7)
# Where the swing takes more than 2/5 of the stride, a force along the leg with this ratio of a sine (crank_force.py) comes from a crank.
# Recorded runners have shorter swings, and a ratio of up to 88 with a tipped sensor.
_UP_ALONE_LEAST_X16 = const(40)
# A swing of less than a third of the one before it is a dip, for up to 3.5 s.
_DIP_MOST_SAMPLES = const(180)


def side_score(swing: list, swing_ms: int, cycle_ms: int, samples: int, unloaded: int, jerk: int, strike: int, axial: int) -> int:
    """How much one cycle of a leg that turns mainly in the frontal plane is a step sideways: FAIR or BAD. Arguments as in `cycle_score`."""
    if cycle_ms < _CYCLE_LEAST_MS or samples < 2 or -_AXIAL_LEAST_MG_X2 < axial < _AXIAL_LEAST_MG_X2:
        return _BAD
    is_short = (swing_ms << 8) // cycle_ms <= _SIDE_SWING_MOST_X256 and (unloaded << 8) // samples < _UNLOADED_MOST_X256
    is_swing = swing[_ANGLE] > _WEAK_ANGLE_LEAST and swing[_PEAK] > _SIDE_PEAK_LEAST_DPS_X20
    is_clear = strike * samples * 2 > _STRONG_STRIKE_RATIO_X2 * jerk or strike > _STRONGEST_STRIKE_2MG
    least = _SIDE_STRIKE_LEAST_2MG if cycle_ms >= _QUICK_MS else _QUICK_STRIKE_LEAST_2MG
    return _FAIR if is_short and is_swing and is_clear and strike > least else _BAD


def cycle_score(swing: list, swing_ms: int, cycle_ms: int, samples: int, unloaded: int, jerk: int, strike: int, axial: int) -> int:
    """How much one cycle of swing and stance is gait: GOOD, FAIR, WEAK, BAD or ROUGH.

    Method: in gait,
    1. the leg swings faster than it turns in stance, so the swing takes less than half of the cycle, and no longer than a slow walker's;
    2. the swing is wide and fast for its duration;
    3. the foot strikes at its end: the size of the specific force jumps;
    4. the leg is upright then, within about 60 degrees: it feels gravity along itself;
    5. a leg that hardly turns carries the body: it is unloaded only while it swings;
    6. the swing is smooth, compared with the stance;
    7. a swing that lifts the leg away from upright ends with a strike;
    8. a swing of a third of a slow cycle is smoother still, unless a strike follows;
    9. a long swing does not begin with a knock that is harder than the strike.
    A pedal, a slide or a pendulum fails 1, a tapping heel and a vehicle 2, a squat 3, a machine that one lies or sits in 4, 7, 8 or 9, a
    jump 5, a pedal that one stands on 6: ROUGH.

    Sources: swing and stance times of walking and running (Novacheck 1998, Gait Posture 7:77); the transient at initial contact as in
    Aminian et al. 2002. The limits lie between recorded gait and generated motion that is not gait; no published set was found.
    Deviations: none needs a sharp impact, as recordings may be low-passed at 10 Hz.

    swing       sums of the swing (direction.py)            swing_ms, cycle_ms   durations
    samples     of the cycle, at 52 Hz                      unloaded             samples in which the leg is unloaded
    jerk        sum of the changes of force, in 2 mg        strike               the change at the end of the swing, in 2 mg
    axial       force along the leg then, in 0.5 mg, either sign
    """
    if cycle_ms < _CYCLE_LEAST_MS or samples < 2:
        return _BAD
    share_x256 = (swing_ms << 8) // cycle_ms
    unloaded_x256 = (unloaded << 8) // samples
    is_long = swing_ms * 100 > _SWING_MOST_MS * 100 + cycle_ms * _SWING_MOST_X100
    if is_long or share_x256 > _SWING_MOST_STRONG_X256 or unloaded_x256 > _UNLOADED_MOST_WEAK_X256:
        return _BAD
    start = swing[_STRIKE]
    if start > _ROUGH_START_2MG and start > strike * _ROUGH_START_RATIO:
        return _ROUGH
    swing_samples = swing[_SAMPLES]
    if 0 < swing_samples < samples:
        in_swing = (swing[_JERK] << 4) // swing_samples
        in_stance = ((jerk - swing[_JERK]) << 4) // (samples - swing_samples)
        if in_swing > _ROUGH_2MG_X16 and in_swing > in_stance * _ROUGH_RATIO:
            return _ROUGH
        is_long_lift = share_x256 > _SWING_MOST_X256 or (share_x256 > _KNOCK_X256 and in_swing * 4 > in_stance * 5)
        if is_long_lift and swing[_ANGLE] > _KNOCK_ANGLE and start * 4 > strike * _KNOCK_RATIO_X4:
            return _BAD
        is_lift = cycle_ms > _LIFT_MS and share_x256 > _LIFT_X256 and in_swing * 2 > in_stance * 3
        if is_lift and strike * samples < _LIFT_STRIKE_RATIO * jerk:
            return _BAD
    angle = swing[_ANGLE]
    peak = swing[_PEAK]
    peak_least = _PEAK_LEAST_DPS_X20
    strike_least = _STRIKE_LEAST_2MG
    axial_least = _AXIAL_LEAST_MG_X2 if cycle_ms < _SLOW_MS else _SLOW_AXIAL_LEAST_MG_X2
    if cycle_ms < _QUICK_MS:
        peak_least = _QUICK_PEAK_LEAST_DPS_X20
        strike_least = _QUICK_STRIKE_LEAST_2MG
    if -axial_least < axial < axial_least or _is_lifted(swing, cycle_ms, strike, axial):
        return _BAD
    is_swing = angle > _ANGLE_LEAST and peak > peak_least and (cycle_ms >= _QUICKEST_MS or angle > _QUICKEST_ANGLE_LEAST)
    if is_swing and unloaded_x256 < _UNLOADED_MOST_X256 and strike > strike_least:
        if share_x256 <= _SWING_MOST_X256:
            return _GOOD if peak > _CLEAR_PEAK_DPS_X20 else _FAIR
        is_sharp = strike > _QUICK_STRIKE_LEAST_2MG and strike * samples > _SHARP_STRIKE_RATIO * jerk
        if is_sharp or strike > _STRONGEST_STRIKE_2MG:
            return _GOOD
        if strike > _STRONG_STRIKE_2MG and strike * samples * 2 > _STRONG_STRIKE_RATIO_X2 * jerk:
            return _FAIR
    is_small_step = angle > _WEAK_ANGLE_LEAST and peak > _WEAK_PEAK_LEAST_DPS_X20 and strike > _WEAK_STRIKE_LEAST_2MG
    if cycle_ms > _SLOW_MS and strike * samples * 2 < 3 * jerk:
        # The jump of the force is noise, not a strike.
        return _BAD
    return _WEAK if is_small_step and share_x256 <= _SWING_MOST_X256 else _BAD


def _is_lifted(swing: list, cycle_ms: int, strike: int, axial: int) -> bool:
    """Whether the swing lifts the leg away from upright, and does not put a foot down; arguments as in `cycle_score`."""
    fall = abs(swing[_AXIAL]) - abs(axial)
    return (cycle_ms > _LIFTED_MS and fall > strike * 8) or (cycle_ms > _LIFTED_SLOW_MS and fall > _LIFTED_MOST_MG_X2)


class StrideEvidence:
    """The score of each stride, from the end of one swing to the end of the next; swings are the half-cycles of one sign.

    Between two swings there may be more than two half-cycles: dips, or the knee that yields in stance.

    crank   CrankForce of the samples: a turn of a crank is ROUGH, however much else is like gait
    """

    def __init__(self, crank: object) -> None:
        self._crank = crank
        self.restart()

    def restart(self) -> None:
        """No swing so far."""
        self._end_ms = -1
        self._angle = 0
        self._strides = 0
        self._clear()

    def _clear(self) -> None:
        self._samples = 0
        self._unloaded = 0
        self._jerk = 0
        self._strike = -1
        self._axial = 0

    def add(self, sums: list) -> None:
        """Add a half-cycle to the stride under way."""
        self._samples += sums[_SAMPLES]
        self._unloaded += sums[_UNLOADED]
        self._jerk += sums[_JERK]
        if self._strike < 0:
            self._strike = sums[_STRIKE]
            self._axial = sums[_AXIAL]

    def end_swing(self, swing: list, swing_ms: int, end_ms: int, is_frontal: bool) -> int:
        """A swing has ended: the score of the stride that ends with it, 0 if there was no swing of its size before."""
        self.add(swing)
        angle = swing[_ANGLE]
        if angle * 3 < self._angle and self._samples < _DIP_MOST_SAMPLES:
            return _BAD
        score = 0
        if self._end_ms >= 0 and angle < self._angle * 3:
            judge = side_score if is_frontal else cycle_score
            cycle_ms = end_ms - self._end_ms
            score = judge(swing, swing_ms, cycle_ms, self._samples, self._unloaded, self._jerk, self._strike, self._axial)
            # The faster half of a crank's turn takes more than a third of it. After some strides without a crank, one in eight is checked.
            if score > _BAD and swing_ms * 3 > cycle_ms:
                self._strides += 1
                if self._strides <= _STRIDES_ALL or not self._strides & _STRIDES_MASK:
                    crank = self._crank
                    is_crank = crank.is_crank(self._samples)
                    if is_crank or (swing_ms * 5 > cycle_ms * 2 and crank.up_ratio_x16 > _UP_ALONE_LEAST_X16):
                        self._strides = 0
                        score = _ROUGH
        self._end_ms = end_ms
        self._angle = angle
        self._clear()
        return score
