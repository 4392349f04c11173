"""What the half-cycles of one shank mean: direction, swings and stances, pauses and standing."""

from retrostep_core.constants import const
from retrostep_core.directions import is_directed
from retrostep_core.gait.direction import DirectionEvidence
from retrostep_core.gait.foot_strike import cycle_score
from retrostep_core.gait.stride import Strides

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)
_BACKWARD = const(2)
_STILL = const(3)
# Places in the sums of a half-cycle, see direction.py.
_SAMPLES = const(0)
_ANGLE = const(7)
_PEAK = const(8)
_UNLOADED = const(9)
_JERK = const(10)
_STRIKE = const(11)
_AXIAL = const(12)
_SUMS = const(13)
# Confidence, see direction.py.
_REVERSING = const(2)
# Scores of a cycle, see foot_strike.py.
_ROUGH = const(-4)
_BAD = const(-2)
_FAIR = const(2)
_GOOD = const(4)

# The mean of two samples and two low-passes delay by 43 ms; the zero crossing comes about 20 ms before initial contact (runners on force
# plates). The difference dates a step.
_DELAY_MS = const(25)
# The leg has been quiet for 0.25 s: a swing has ended. 0.6 s: walking has ended, unless strides are slow. 1.5 s: the wearer stands still.
_SWING_END_MS = const(250)
_WALK_END_MS = const(600)
_STILL_MS = const(1500)
# A stride shows by its score which sign the swing has if the force along the leg is this much a sine at most (crank_force.py). Recorded
# walks: up to 0.6 of the rest. A crank: from 1.4 on.
_WALK_MOST_X16 = const(10)
# Beyond this evidence it is known which sign the swing has.
_SWING_EVIDENCE = const(40)
# A direction changes within a half-cycle that peaks a quarter above the swing before it: the swing is the faster half-cycle in both
# directions. That swing has swept 15 degrees (1040 is one); less is a dip or a turn.
_SLOWER_ANGLE = const(15600)
_NEVER_DPS_X20 = const(536870912)
# In backward gait the foot lands after the end of the swing, where the force rises most: 0 to 0.25 s later. The steepest rise is reported
# this much later than the end of a swing at which the foot lands.
_LANDING_MOST_MS = const(250)
_LANDING_DELAY_MS = const(10)
# Before a whole cycle is known, a direction needs this much evidence and a swing of 16 degrees at 75 degrees per second. A swing that has
# just ended lasts at most 0.65 s; a swing before a stance, which may have begun slowly from standing, 0.85 s.
_EARLY_EVIDENCE = const(60)
_EARLY_ANGLE = const(16640)
_EARLY_PEAK_DPS_X20 = const(1500)
_EARLY_SWING_MS = const(650)
_EARLY_FIRST_SWING_MS = const(850)
# At the end of a swing, it was faster than the stance by a quarter, and the force has changed by 0.024 g within 19 ms: more than a leg that
# swings freely or bends. At the end of a stance, the foot strike was 0.1 g, and the leg was upright then: 0.25 g along it.
_EARLY_LAST_STRIKE_2MG = const(12)
_EARLY_STANCE_ANGLE = const(4160)
_EARLY_STRIKE_2MG = const(50)
_EARLY_AXIAL_MG_X2 = const(500)


class ShankPhases:
    """Direction and steps from the half-cycles of the sagittal angular velocity.

    Method:
    1. `DirectionEvidence` decides at each zero crossing, earlier where a half-cycle is clearly faster than the swing before it. The
       swing is the negative half-cycle forward, the positive one backward. Its end is initial contact of the worn leg.
    2. `Strides` turns swings into steps of both feet.
    3. Before steps are certain, a direction is reported as soon as one cycle of swing and stance is gait (foot_strike.py), or may be
       gait and has clear evidence. It is taken back when a cycle is not gait. Time is counted with steps only (output.py).
    4. A quiet leg is a pause, then the end of walking, then standing still.

    newer          sums of the half-cycle that ended last, written by ShankSteps (direction.py)
    start_ms       start of the half-cycle under way, set by ShankSteps
    moved_ms       when the leg last began to move, set by ShankSteps
    last_strike    the largest change of force just before the end of the half-cycle, in 2 mg, fading; set by ShankSteps
    strike_ms      when the force changed most around the start of the half-cycle that ends, set by ShankSteps
    crank          CrankForce; ShankSteps writes its samples
    end_if_over    as in Strides
    is_still       whether the wearer stands still; ShankSteps ends it
    swing_sign     the sign that swings have at present: -1 or 1
    faster_peak    beyond this peak (0.05 degrees per second) the half-cycle under way shows a reversal
    """

    def __init__(self, output: object) -> None:
        self._output = output
        self._direction = DirectionEvidence()
        self._strides = Strides(output)
        self.crank = self._strides.crank
        self.end_if_over = self._strides.end_if_over
        self.newer = [0] * _SUMS
        self._older = [0] * _SUMS
        self._has_direction = True
        self._landing_ms = 0
        self.restart(False)

    def restart(self, keep_direction: bool) -> None:
        """Samples are missing: forget everything, but the direction where it may be kept."""
        for k in range(_SUMS):
            self.newer[k] = 0
            self._older[k] = 0
        self.swing_sign = -1
        self.faster_peak = _NEVER_DPS_X20
        self.start_ms = 0
        self.moved_ms = -1
        self.last_strike = 0
        self.strike_ms = 0
        self.is_still = False
        self._older_sign = 0
        self._older_score = self._scored_sign = 0
        self._older_start_ms = 0
        self._is_older_whole = False
        # After a short gap the first half-cycle, which is cut, is no evidence against the direction that is kept.
        self._is_resumed = keep_direction
        self._bout_start_ms = -1
        self._direction.restart()
        if not keep_direction:
            self._direction.current = _UNKNOWN
            self._strides.broken_off_ms = -1
        self._strides.restart(0, False)

    def forget_direction(self) -> None:
        """The axes have no signs: find steps only."""
        self._has_direction = False
        self._direction.has_forward = False

    def set_direction(self, direction: int) -> None:
        """The direction is known from elsewhere."""
        self._direction.current = direction
        self.swing_sign = 1 if direction == _BACKWARD else -1

    def start(self, t_ms: int) -> None:
        """The first sample after a restart."""
        self.start_ms = t_ms
        self._older_start_ms = t_ms
        self._strides.restart(t_ms, False)

    def finish(self, at_ms: int) -> None:
        """The end of the data."""
        self._strides.end(at_ms, False)

    def end_half_cycle(self, sign: int, is_frontal: bool, crossing_ms: int, at_ms: int) -> None:
        """The half-cycle of this sign has ended at `crossing_ms`; its sums are in `newer`. `is_frontal`: the leg turns sideways."""
        direction = self._direction
        strides = self._strides
        newer = self.newer
        older = self._older
        # It begins with the movement, not with the quiet before.
        start_ms = self.start_ms
        is_whole = self._older_sign != 0
        if start_ms < self.moved_ms < crossing_ms:
            start_ms = self.moved_ms
            is_whole = False
        if self._bout_start_ms < 0:
            # A crossing within the quiet ends what was before it.
            self._bout_start_ms = start_ms if crossing_ms > self.moved_ms else self.moved_ms
            strides.begin(self._bout_start_ms - _DELAY_MS)
        direction.knows_front = self._output.finder is None
        direction.add_cycle(newer, older)
        before = direction.current
        if is_frontal or not self._has_direction:
            direction.current = _UNKNOWN
        else:
            direction.decide()
        if direction.current != before:
            since_ms = self._older_start_ms if strides.swing_end_ms >= 0 else self._bout_start_ms
            self._output.direction(since_ms, direction.current, at_ms)
        score = strides.score(sign, newer, start_ms, crossing_ms, is_frontal)
        if direction.evidence > _SWING_EVIDENCE:
            self.swing_sign = -1
        elif direction.evidence < -_SWING_EVIDENCE:
            self.swing_sign = 1
        elif strides.swing_end_ms < 0 and score >= _FAIR:
            # No direction, but a swing.
            self.swing_sign = sign
        if not direction.knows_front:
            # The direction may be wrong, but not the swing.
            self._compare_scores(sign, score)
        # After a rest two half-cycles may have the same sign: the leg came back unseen, in quiet.
        has_turned = sign != self._older_sign
        angle_between = older[_ANGLE] if has_turned else newer[_ANGLE]
        self._find_landing(sign, is_frontal)
        strides.has_direction = is_directed(direction.current)
        strides.half_cycle(
            sign,
            self.swing_sign,
            start_ms - _DELAY_MS,
            crossing_ms - _DELAY_MS,
            newer,
            score,
            angle_between,
            direction.confidence(),
            at_ms,
        )
        if strides.swing_end_ms < 0:
            is_cycle = is_whole and self._is_older_whole and has_turned
            self._judge_early(sign, crossing_ms - start_ms, start_ms - self._older_start_ms, is_cycle, at_ms)
        self._is_older_whole = is_whole
        self._older_sign = sign
        self._older_start_ms = start_ms
        for k in range(_SUMS):
            older[k] = 0 if self._is_resumed else newer[k]
        self._is_resumed = False
        self.faster_peak = _NEVER_DPS_X20
        if direction.is_swing(sign) and newer[_ANGLE] > _SLOWER_ANGLE and strides.swing_end_ms >= 0:
            self.faster_peak = newer[_PEAK] + (newer[_PEAK] >> 2)

    def change_plane(self, is_frontal: bool, at_ms: int) -> None:
        """The leg turns mainly in the frontal plane from now on, or no more: what was found in the other plane does not apply."""
        direction = self._direction
        strides = self._strides
        strides.change_plane(at_ms)
        contact_ms = strides.broken_off_ms
        direction.restart()
        if is_frontal and is_directed(direction.current):
            direction.current = _UNKNOWN
            self._output.direction(contact_ms if contact_ms >= 0 else at_ms, _UNKNOWN, at_ms)
        for k in range(_SUMS):
            self._older[k] = 0
        self._older_sign = 0
        self._older_score = self._scored_sign = 0
        self._is_older_whole = False
        # The first half-cycle is cut.
        self._is_resumed = True
        self._older_start_ms = at_ms
        self._bout_start_ms = -1
        self.start_ms = at_ms
        self.faster_peak = _NEVER_DPS_X20

    def _compare_scores(self, sign: int, score: int) -> None:
        """Which sign swings have if only one of two half-cycles that sweep about the same angle is gait: known without front and back."""
        newer = self.newer[_ANGLE]
        older = self._older[_ANGLE]
        if newer * 2 > older and older * 2 > newer and self.crank.up_ratio_x16 < _WALK_MOST_X16:
            if score >= _GOOD and self._older_score <= _BAD:
                self._scored_sign = sign
            elif score <= _BAD and self._older_score >= _GOOD:
                self._scored_sign = -sign
        self._older_score = score
        if self._scored_sign:
            self.swing_sign = self._scored_sign

    def _find_landing(self, sign: int, is_frontal: bool) -> None:
        """How long after the end of a swing the foot lands: 0 forward; backward by the stance that has ended, and those before it."""
        is_backward = self._has_direction and not is_frontal and self.swing_sign > 0
        if is_backward and sign < 0 and self._direction.confidence() >= _REVERSING:
            landing_ms = self.strike_ms - _LANDING_DELAY_MS - self.start_ms
            if 0 <= landing_ms <= _LANDING_MOST_MS:
                # Slow: of two equal rises of force, the moments of sampling choose one.
                self._landing_ms += (landing_ms - self._landing_ms) >> (3 if self._landing_ms else 0)
        self._strides.landing_ms = self._landing_ms if is_backward else 0

    def _judge_early(self, sign: int, newer_ms: int, older_ms: int, is_cycle: bool, at_ms: int) -> None:
        """Before a bout: does the direction hold? `is_cycle`: the last two half-cycles are whole, a swing and a stance."""
        newer = self.newer
        older = self._older
        if sign == self.swing_sign:
            swing = newer
            swing_ms = newer_ms
            stance = older
            most_ms = _EARLY_SWING_MS
            is_struck = swing[_PEAK] * 4 > stance[_PEAK] * 5 and self.last_strike > _EARLY_LAST_STRIKE_2MG
            if sign < 0 and stance[_ANGLE] < _EARLY_STANCE_ANGLE:
                # A first step backward begins with such a half-cycle, too.
                is_struck = False
        else:
            swing = older
            swing_ms = older_ms
            stance = newer
            most_ms = _EARLY_FIRST_SWING_MS
            is_struck = stance[_STRIKE] > _EARLY_STRIKE_2MG and not -_EARLY_AXIAL_MG_X2 < stance[_AXIAL] < _EARLY_AXIAL_MG_X2
        if is_cycle:
            score = cycle_score(
                swing,
                swing_ms,
                newer_ms + older_ms,
                newer[_SAMPLES] + older[_SAMPLES],
                newer[_UNLOADED] + older[_UNLOADED],
                newer[_JERK] + older[_JERK],
                stance[_STRIKE],
                stance[_AXIAL],
            )
            if score > _BAD and self.crank.is_crank(newer[_SAMPLES] + older[_SAMPLES]):
                score = _ROUGH
            if score == _GOOD:
                self._output.confirm_direction(at_ms)
                return
            if score <= _BAD:
                self._output.refuse_direction(at_ms)
                return
        is_swing = swing[_ANGLE] > _EARLY_ANGLE and swing[_PEAK] > _EARLY_PEAK_DPS_X20 and swing_ms < most_ms
        if is_swing and is_struck and self._direction.size() > _EARLY_EVIDENCE:
            self._output.suggest_direction(at_ms)
        else:
            self._output.doubt_direction(at_ms)

    def reverse(self, sign: int, at_ms: int) -> None:
        """The half-cycle of this sign under way is clearly faster than the swing before it: the direction has changed."""
        self.faster_peak = _NEVER_DPS_X20
        self.swing_sign = sign
        self._direction.reverse(sign)
        self._output.direction(self.start_ms, self._direction.current, at_ms)

    def rest(self, quiet_ms: int, at_ms: int) -> None:
        """The leg has been quiet since `quiet_ms`, long enough for a pause: the direction may change."""
        strides = self._strides
        quiet_for_ms = at_ms - quiet_ms
        self._direction.pause()
        if quiet_for_ms > _SWING_END_MS:
            strides.stand()
        if quiet_for_ms > _WALK_END_MS:
            if strides.swing_end_ms < 0:
                self._bout_start_ms = -1
            elif quiet_for_ms * 5 > strides.stride_ms * 3:
                strides.end(at_ms, True)
                self._bout_start_ms = -1
        if quiet_for_ms > _STILL_MS and not self.is_still:
            self.is_still = True
            strides.end(at_ms, True)
            self._bout_start_ms = -1
            self._direction.stand()
            self._older[_ANGLE] = 0
            self._output.direction(quiet_ms, _STILL, at_ms)
