"""Steps of both feet from the swings of one leg."""

from retrostep_core.constants import const
from retrostep_core.gait.crank_force import CrankForce
from retrostep_core.gait.foot_strike import StrideEvidence
from retrostep_core.gait.stride_cadence import StrideCadence

# Places in the sums of a half-cycle, see direction.py.
_ANGLE = const(7)
_PEAK = const(8)
_STRIKE = const(11)
# Confidence, see direction.py.
_NOT_GAIT = const(0)
_REVERSING = const(2)
_SETTLED = const(3)
# Scores of a cycle, see foot_strike.py.
_ROUGH = const(-4)
_BAD = const(-2)
_FAIR = const(2)

# Angles are sums of the angular velocity; 1040 is one degree. A swing sweeps at least 5 degrees and a third of the usual swing (real
# swings: 20 degrees in slow backward steps, 50 to 80 otherwise), and takes no longer than the slowest walker's.
_ANGLE_LEAST = const(5200)
_SWING_MOST_MS = const(1200)
# 260 steps a minute of both feet are strides of 462 ms, 40 are 3 s; with room for a clock that is off by 7 % and uneven strides.
_STRIDE_LEAST_MS = const(380)
_STRIDE_MOST_MS = const(3400)
# The foot that is drawn up to the other one at the end sweeps 8 degrees and more.
_CLOSING_ANGLE = const(8320)
# The gate opens after two swings in gait with a direction, after three without one (a sidestep), if the swing is wide and the stride
# usual; after five otherwise.
_GATE_ANGLE = const(10400)
_GATE_STRIDE_MS = const(2200)
_GATE_SWINGS_MOST = const(5)
# The gate needs this much evidence of foot strikes. A bout begins with it, has at most _EVIDENCE_MOST, and ends below 0.
_EVIDENCE_NEEDED = const(4)
_EVIDENCE_MOST = const(6)
# After two wide swings that were not gait, the gate needs two good strides in a row; after one too rough for gait, three. This lasts for
# 10 s, as a crank may pause in between.
_EVIDENCE_AFTER_BAD = const(8)
_EVIDENCE_AFTER_ROUGH = const(12)
_BAD_SWINGS = const(2)
_ROUGH_SWING = const(100)
_BAD_MS = const(10000)
# Half of what is needed is enough to resume a bout within this time.
_RESUME_MS = const(4000)
# The other foot lands at least this long after the movement began.
_FIRST_STEP_MS = const(30)
# Where the leg moves on without a pause between two bouts, steps are credited for up to this time.
_BRIDGED_MOST_MS = const(3500)
# A half-cycle of 0.7 s with less than 30 degrees per second on average (31 sums a ms) is a pause, and one that begins without a change of
# force of 0.024 g.
_REST_LEAST_MS = const(700)
_REST_ANGLE = const(31)
_REST_STRIKE_2MG = const(12)
# A pause is longer than 1.3 s and than 7/4 of the stride before.
_PAUSE_MS = const(1300)
# A half-cycle is known this late: filters, and the angular velocity that confirms a zero crossing.
_LATE_MS = const(200)


class Strides:
    """Steps of both feet from the swings of the worn leg, and their cadence.

    Method:
    1. The end of a swing is initial contact of the worn leg. Each stride holds one step of the other foot, credited in its middle.
    2. Gate. The first swings of a bout wait until they look like gait (see _GATE_...); then their steps are credited with their own times.
    3. First and last step. A leg that swings from standing, or into it, beside the other foot covers about half the usual angle (0.4 to
       0.7 measured, against 0.85 to 1.1). So a bout that begins with a wide swing began with a step of the other foot, and one that ends
       with a wide swing ends with one. A swing that is small even for that closes the bout if nothing follows it. A first swing from
       standing is a step too if its stride is not like gait, but the next ones are.
    4. Reversal. A contact at which the direction may be reversing, or whose swing is less than half as wide as usual, is held for half a
       stride. If swings then have the other sign, as many steps are credited as half strides have passed.
    5. Landing. Backward, the foot lands `landing_ms` after the end of its swing. A step that is still to come waits until then.
    6. Break. If swings change their plane or their sign between two bouts, and the leg does not pause, the steps between are credited.
    7. Cadence: `StrideCadence`.

    Sources: initial contact at the end of swing as in shank.py.
    Deviations: the other foot is not measured. Peaks of the acceleration show it at F1 0.94 at best; measured, it steps 0.3 to 0.6 of the
    stride after the worn one.
    Ranges: strides of 380 to 3400 ms; times in ms, cadence in 0.1 steps a minute of both feet.

    swing_end_ms    end of the last credited swing; -1 while no bout is under way
    stride_ms       the last credited stride
    broken_off_ms   the last contact of a bout that ended while the leg moved on; -1 for none
    has_direction   whether swings go forward or backward
    landing_ms      the foot lands this much later than its swing ends
    crank           CrankForce; ShankSteps writes its samples
    """

    def __init__(self, output: object) -> None:
        self._output = output
        # Swings that wait for the gate: their ends and angles.
        self._waiting_ms = [0] * _GATE_SWINGS_MOST
        self._waiting_angle = [0] * _GATE_SWINGS_MOST
        self._waiting_score = [0] * _GATE_SWINGS_MOST
        # The last half-cycle of either sign (0 negative, 1 positive): end, angle, peak.
        self._side_end_ms = [-1, -1]
        self._side_angle = [0, 0]
        self._side_peak = [0, 0]
        self._cadence = StrideCadence()
        self.crank = CrankForce()
        self._side_evidence = (StrideEvidence(self.crank), StrideEvidence(self.crank))
        # Wide swings since the last bout that were not gait (a rough one adds _ROUGH_SWING), and the end of the newest.
        self._bad_swings = self._broken_off_stride_ms = self.landing_ms = 0
        self._bout_end_ms = self._bad_ms = -_BAD_MS
        self.broken_off_ms = -1
        # Whether the step after its last contact is reported, whether the next bout may continue it, and whether the leg has paused.
        self._has_closing = self._may_continue = self._has_rested = self.has_direction = False
        # The time of a landing that is still to come; -1 for none.
        self._landing_at_ms = -1
        self.restart(0, False)

    def restart(self, from_ms: int, is_standing: bool) -> None:
        """No bout under way; no step is before `from_ms`; `is_standing`: the wearer stood."""
        self._from_ms = from_ms
        self._from_standing = is_standing
        for side in (0, 1):
            self._side_end_ms[side] = -1
            self._side_angle[side] = 0
            self._side_evidence[side].restart()
        self._cadence.restart()
        self._waiting = self._swing_sign = self._usual_angle = self._last_angle = self.stride_ms = self._first_peak = self._evidence = 0
        # The end of a small swing that closes the bout if nothing follows it; the contact that is held until the direction is confirmed.
        self._small_swing_ms = self._held_ms = self.swing_end_ms = self._first_swing_ms = -1
        self._held_angle = self._held_score = 0

    def begin(self, at_ms: int) -> None:
        """The leg began to move at `at_ms`: no step is before."""
        if at_ms > self._from_ms:
            self._from_ms = at_ms

    def stand(self) -> None:
        """The leg is quiet: if no bout is under way, the next one starts from standing."""
        self.broken_off_ms = -1
        if self.swing_end_ms < 0 and not self._waiting:
            self._from_standing = True

    def change_plane(self, at_ms: int) -> None:
        """The leg swings in another plane, where angles are others: start again."""
        if self.swing_end_ms >= 0:
            self._last_angle = 0
            self._small_swing_ms = -1
            self.end(at_ms, False)
        else:
            self.restart(self._from_ms, self._from_standing)
        self._may_continue = not self._has_rested

    def end_if_over(self, at_ms: int) -> None:
        """End the bout if no swing came in time; report a landing that has come."""
        if self._landing_at_ms <= at_ms:
            self._land(at_ms)
        waited_ms = at_ms - self.swing_end_ms
        if self.swing_end_ms >= 0 and waited_ms > _PAUSE_MS + _LATE_MS and waited_ms > self.stride_ms * 2 + _LATE_MS:
            self.end(at_ms, False)

    def score(self, sign: int, newer: list, start_ms: int, end_ms: int, is_frontal: bool) -> int:
        """The score of the stride that a half-cycle of this sign ends if it is a swing (foot_strike.py), 0 if there is none."""
        side = 1 if sign > 0 else 0
        self._side_evidence[1 - side].add(newer)
        return self._side_evidence[side].end_swing(newer, end_ms - start_ms, end_ms, is_frontal)

    def half_cycle(
        self, sign: int, swing_sign: int, start_ms: int, end_ms: int, newer: list, score: int, angle_back: int, confidence: int, at_ms: int
    ) -> None:
        """A half-cycle of the angular velocity has ended.

        sign, swing_sign    its sign, and the sign that swings have at present: -1 or 1
        start_ms, end_ms    its time, the filters' delay taken off
        newer               its sums (direction.py)
        score               of the stride that it ends, if it is a swing (from `score`)
        angle_back          what the leg swept in the half-cycle of the other sign before it
        confidence          DirectionEvidence.confidence
        """
        side = 1 if sign > 0 else 0
        angle = newer[_ANGLE]
        is_slow = end_ms - start_ms > _REST_LEAST_MS and angle < (end_ms - start_ms) * _REST_ANGLE
        if is_slow or newer[_STRIKE] < _REST_STRIKE_2MG:
            # The leg hardly moved: the feet did not step meanwhile.
            self._may_continue = False
            self._has_rested = True
        if angle < _ANGLE_LEAST or (angle * 3 < self._usual_angle and score < _FAIR):
            if sign == swing_sign and angle > _CLOSING_ANGLE and (end_ms - self.swing_end_ms) * 2 > self.stride_ms:
                self._small_swing_ms = end_ms
            return
        if end_ms < self._from_ms and self.swing_end_ms < 0:
            # It ended before the movement began.
            return
        if self._held_ms >= 0 and swing_sign == self._swing_sign:
            self._confirm_held(at_ms)
        self._held_ms = -1
        if swing_sign != self._swing_sign:
            self._reverse(sign, swing_sign, end_ms, confidence, at_ms)
        if sign == swing_sign:
            if score <= _BAD and self.swing_end_ms < 0 and angle > _GATE_ANGLE:
                if end_ms - self._bad_ms > _BAD_MS:
                    self._bad_swings = 0
                self._bad_ms = end_ms
                self._bad_swings += _ROUGH_SWING if score <= _ROUGH else 1
            if end_ms - start_ms > _SWING_MOST_MS:
                return
            if angle_back * 4 < angle and self._side_end_ms[side] >= 0:
                # The leg has not swung back in between: the same swing continues.
                if self._waiting:
                    self._waiting_ms[self._waiting - 1] = end_ms
                    self._waiting_angle[self._waiting - 1] = angle
                self._side_end_ms[side] = end_ms
                return
            if self.swing_end_ms >= 0:
                is_doubtful = confidence < _SETTLED or angle * 2 < self._usual_angle
                if is_doubtful and (end_ms - self.swing_end_ms) * 4 <= self.stride_ms * 7:
                    self._held_ms = end_ms
                    self._held_angle = angle
                    self._held_score = score
                else:
                    self._contact(end_ms, angle, score, at_ms)
            if self.swing_end_ms < 0:
                self._wait(end_ms, angle, newer[_PEAK], score, confidence, at_ms)
        self._update_cadence(side, end_ms, at_ms)
        self._side_end_ms[side] = end_ms
        self._side_angle[side] = angle
        self._side_peak[side] = newer[_PEAK]

    def _confirm_held(self, at_ms: int) -> None:
        """The direction is confirmed: the held contact is one."""
        held_ms = self._held_ms
        self._held_ms = -1
        self._contact(held_ms, self._held_angle, self._held_score, at_ms)

    def _reverse(self, sign: int, swing_sign: int, end_ms: int, confidence: int, at_ms: int) -> None:
        """From now on swings are the half-cycles of the other sign."""
        self._swing_sign = swing_sign
        self._waiting = 0
        side = 1 if swing_sign > 0 else 0
        t_ms = self._side_end_ms[side]
        if self.swing_end_ms < 0:
            if t_ms >= 0:
                self._wait(t_ms, self._side_angle[side], self._side_peak[side], 0, confidence, at_ms)
            return
        if sign == swing_sign:
            t_ms = end_ms
        passed_ms = t_ms - self.swing_end_ms
        if passed_ms * 4 > self.stride_ms * 7:
            self.end(at_ms, False)
            self._may_continue = not self._has_rested
            self._swing_sign = swing_sign
        elif passed_ms * 10 >= self.stride_ms * 3:
            # The feet step in turn: an even number from contact to contact of the worn foot; any, if a stance was taken for a swing.
            steps = (passed_ms * 4 + self.stride_ms) // (self.stride_ms * 2)
            if self.has_direction:
                steps = (passed_ms * 2 + self.stride_ms) // (self.stride_ms * 2) << 1
            if steps < 1:
                steps = 1
            for k in range(1, steps):
                self._step(self.swing_end_ms + passed_ms * k // steps, at_ms)
            self._worn_step(t_ms, at_ms)
            self.swing_end_ms = t_ms
        elif passed_ms > 0:
            # The last one credited was this one, before it was known which sign is the swing.
            self.swing_end_ms = t_ms

    def _wait(self, t_ms: int, angle: int, peak: int, score: int, confidence: int, at_ms: int) -> None:
        """A swing before the gate is open: keep it, and open the gate if it may. `score` is of the stride that it ends."""
        n = self._waiting
        waiting_ms = self._waiting_ms
        stride = 0
        if n:
            stride = t_ms - waiting_ms[n - 1]
            if stride < _STRIDE_LEAST_MS:
                return
            if stride > _STRIDE_MOST_MS or score <= _BAD:
                # The first swing from standing may still be a step.
                self._first_swing_ms = waiting_ms[0] if n == 1 and self._from_standing else -1
                n = 0
            elif n > 1:
                before = waiting_ms[n - 1] - waiting_ms[n - 2]
                if stride * 2 > before * 3 + 600 or before * 2 > stride * 3 + 600:
                    # Strides differ too much: start with the newest one.
                    self._forget(n - 1)
                    n = 1
        if n == 1 and not self._from_standing and self._first_peak * 9 < peak * 4:
            # Not from standing and much slower than what follows: the leg was moved, it did not step.
            n = 0
            self._from_ms = waiting_ms[0]
        if not n:
            self._first_peak = peak
        elif n == _GATE_SWINGS_MOST:
            self._forget(1)
            n -= 1
        waiting_ms[n] = t_ms
        self._waiting_angle[n] = angle
        self._waiting_score[n] = score
        n += 1
        self._waiting = n
        evidence = 0
        for k in range(1, n):
            evidence += self._waiting_score[k]
        needed = _EVIDENCE_NEEDED
        if self._bad_swings >= _BAD_SWINGS and t_ms - self._bad_ms < _BAD_MS:
            needed = _EVIDENCE_AFTER_ROUGH if self._bad_swings >= _ROUGH_SWING else _EVIDENCE_AFTER_BAD
        elif t_ms - self._bout_end_ms < _RESUME_MS:
            evidence <<= 1
        if evidence < needed:
            return
        is_usual = angle > _GATE_ANGLE and stride < _GATE_STRIDE_MS
        is_gait = confidence >= _REVERSING or (confidence > _NOT_GAIT and n > 2)
        if n == _GATE_SWINGS_MOST or (is_usual and is_gait):
            self._open_gate(at_ms)

    def _forget(self, count: int) -> None:
        """Drop the oldest swings that wait; another one follows."""
        for k in range(self._waiting - count):
            self._waiting_ms[k] = self._waiting_ms[k + count]
            self._waiting_angle[k] = self._waiting_angle[k + count]
            self._waiting_score[k] = self._waiting_score[k + count]

    def _open_gate(self, at_ms: int) -> None:
        """Credit the steps of the swings that waited, with their own times."""
        waiting_ms = self._waiting_ms
        waiting_angle = self._waiting_angle
        n = self._waiting
        self._waiting = self._bad_swings = 0
        first_ms = waiting_ms[0]
        stride = waiting_ms[1] - first_ms
        other_foot_ms = first_ms - (stride >> 1)
        begun_ms = self._from_ms + _FIRST_STEP_MS
        if self._may_continue and self.broken_off_ms >= 0 and first_ms - self.broken_off_ms < _BRIDGED_MOST_MS:
            # The feet continued in turn while the leg moved on.
            stride = (stride + self._broken_off_stride_ms) >> 1
            self._fill(self.broken_off_ms, first_ms, stride, 2 if self._has_closing else 1, at_ms)
        elif self._first_swing_ms >= 0 and stride < (first_ms - self._first_swing_ms) * 2 < stride * 3:
            # From standing, the foot lands at the end of the swing in backward gait, too.
            self._output.step(self._first_swing_ms, at_ms)
            self._output.contact(self._first_swing_ms)
            self._step(other_foot_ms, at_ms)
        elif other_foot_ms + self.landing_ms > begun_ms and (not self._from_standing or waiting_angle[0] * 9 > waiting_angle[1] * 7):
            self._step(other_foot_ms, at_ms)
        self._has_rested = False
        self._worn_step(first_ms, at_ms)
        self.swing_end_ms = first_ms
        self._usual_angle = waiting_angle[1]
        self._evidence = _EVIDENCE_NEEDED
        for k in range(1, n):
            self._credit_stride(waiting_ms[k], waiting_angle[k], at_ms)

    def _fill(self, from_ms: int, to_ms: int, stride_ms: int, first: int, at_ms: int) -> None:
        """Credit the steps between two contacts of the worn foot, from the step number `first` on: the feet step in turn."""
        passed_ms = to_ms - from_ms
        steps = (passed_ms + (stride_ms >> 1)) // stride_ms << 1
        for k in range(first, steps):
            self._step(from_ms + passed_ms * k // steps, at_ms)

    def _contact(self, t_ms: int, angle: int, score: int, at_ms: int) -> None:
        """A contact of the worn leg during a bout; `score` is of the stride that it ends."""
        stride = t_ms - self.swing_end_ms
        if stride < _STRIDE_LEAST_MS:
            return
        if score >= _FAIR:
            self._evidence = _EVIDENCE_MOST
        elif score <= _BAD:
            self._evidence += score
            if self._evidence < 0:
                # What came last was no gait: no closing step.
                self._last_angle = 0
                self._small_swing_ms = -1
                self._bad_ms = t_ms
                self._bad_swings = _ROUGH_SWING if score <= _ROUGH else 1
                self.end(at_ms, False)
                return
        if stride > _PAUSE_MS and stride * 4 > self.stride_ms * 7:
            self.end(at_ms, False)
        else:
            self._credit_stride(t_ms, angle, at_ms)

    def _credit_stride(self, t_ms: int, angle: int, at_ms: int) -> None:
        """One stride up to this contact: the other foot's step in its middle, and this one."""
        stride = t_ms - self.swing_end_ms
        self._step(self.swing_end_ms + (stride >> 1), at_ms)
        self._has_rested = False
        self._worn_step(t_ms, at_ms)
        self.swing_end_ms = t_ms
        self.stride_ms = stride
        if angle * 9 > self._usual_angle * 7:
            self._usual_angle += (angle - self._usual_angle) >> 1
        self._last_angle = angle

    def _step(self, t_ms: int, at_ms: int) -> None:
        """Report a step; one that is still to come waits."""
        self._land(at_ms)
        t_ms += self.landing_ms
        if t_ms > at_ms:
            self._landing_at_ms = t_ms
        else:
            self._output.step(t_ms, at_ms)

    def _worn_step(self, t_ms: int, at_ms: int) -> None:
        """Report a step of the worn foot."""
        self._step(t_ms, at_ms)
        self._output.contact(t_ms + self.landing_ms)

    def _land(self, at_ms: int) -> None:
        """Report a step that waits, at the latest now."""
        t_ms = self._landing_at_ms
        if t_ms >= 0:
            self._landing_at_ms = -1
            self._output.step(t_ms if t_ms < at_ms else at_ms, at_ms)

    def _update_cadence(self, side: int, end_ms: int, at_ms: int) -> None:
        """Cadence after a half-cycle that ended at `end_ms`."""
        before_ms = self._side_end_ms[side]
        stride_ms = end_ms - before_ms
        if before_ms < 0 or not _STRIDE_LEAST_MS <= stride_ms <= _STRIDE_MOST_MS:
            stride_ms = 0
        cadence = self._cadence
        if cadence.add(side, stride_ms) and self.swing_end_ms >= 0:
            self._output.cadence(cadence.cadence_x10, cadence.newest_x10, at_ms)

    def end(self, at_ms: int, is_standing: bool) -> None:
        """The bout has ended; `is_standing`: the leg is quiet."""
        if self._held_ms >= 0:
            self._confirm_held(at_ms)
        from_ms = self._from_ms
        if self.swing_end_ms >= 0:
            small_ms = self._small_swing_ms
            self.broken_off_ms = self.swing_end_ms
            self._broken_off_stride_ms = self.stride_ms
            self._has_closing = False
            self._may_continue = False
            if self.swing_end_ms < small_ms:
                self._fill(self.swing_end_ms, small_ms, self.stride_ms, 1, at_ms)
                self._step(small_ms, at_ms)
                from_ms = self.broken_off_ms = small_ms
            else:
                from_ms = self.swing_end_ms + (self.stride_ms >> 1)
                if self._last_angle * 9 > self._usual_angle * 7 and from_ms <= at_ms:
                    self._step(from_ms, at_ms)
                    self._has_closing = True
            self._land(at_ms)
            if is_standing:
                self.broken_off_ms = -1
            self._output.cadence(0, 0, at_ms)
            self._bout_end_ms = self.swing_end_ms
        self.restart(from_ms, is_standing)
