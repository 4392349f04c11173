"""Walking bouts from candidate steps of the trunk: regularity before counting, cadence."""

from retrostep_core.constants import const

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)
# Gains of vertical speed in mg x 1/52 s = 0.19 mm/s, times in ms.
# Two candidates nearer than this are one; 260 steps a minute are 231 ms.
_NEAREST_MS = const(180)
# Two candidates less than 430 ms apart are harmonics of one step where the second gains less than 0.32 m/s and would lift the trunk by
# less than 16 mm (gain x interval / 2 pi): no walk is that quick with so little.
_DOUBLE_MS = const(430)
_DOUBLE_GAIN = const(1700)
_DOUBLE_LIFT = const(550000)
# Before a bout the last 20 candidates are kept, for 2.5 s. A sequence is up to 16 of them.
_KEPT_MOST = const(20)
_KEPT_MS = const(2500)
_SEQUENCE_MOST = const(16)
# The interval of one step; above 900 ms five candidates are needed.
_STEP_LEAST_MS = const(190)
_STEP_MOST_MS = const(1500)
_SLOW_STEP_MS = const(900)
# The mean gain of a sequence (95 mm/s), and gain x interval (12 mm of lift).
_NEW_GAIN = const(500)
_NEW_LIFT = const(400000)
# After the end of a bout, three candidates start the next one for 5 s.
_RESUME_MS = const(5000)
# After this many steps with a full candidate in their middle the period is halved: each was two steps.
_HALVES = const(3)
# Intervals of the cadence: an even number, since left and right differ.
_CADENCE_INTERVALS = const(6)
# A bout is regular while strides of the newest six steps differ by at most 1.15, and gains of the same foot by at most 1.5. It ends after
# three steps more that are not. Then the next one needs eight such steps or clear evidence, until the wearer stands still.
_REGULAR_STEPS = const(6)
_CADENCE_CHANGED_STEPS = const(3)
_DOUBTS_MOST = const(4)
_TRUSTED_STEPS = const(8)
# Evidence of steps in quarters, see step_shape.py: to start a bout, to start one that would be doubtful without it, and to continue one.
# It comes from the steps of the last 9 s.
_SHAPE_MS = const(9000)
_START_X4 = const(-4)
_CLEAR_X4 = const(50)
_CONTINUE_X4 = const(-4)
# Only steps with clear evidence lift the trunk by more than 0.16 m (gain x interval / 2 pi).
_LIFT_MOST = const(5290000)


class WaistBout:
    """Which candidate steps are steps of a walking bout, and their cadence.

    Method:
    1. Gate. While no bout is under way, each new candidate is tried as the end of a sequence with one period: the interval to the last,
       second last or third last one. The sequence continues backward in time within 40 % of the period, which follows it. A candidate
       left out may not be above the mean of those taken, nor all of them together above half their sum.
    2. A bout starts with four steps whose intervals differ by at most 1.4 and gains by at most 3, with five that differ by at most 1.8
       and 4, or, soon after a bout, with three that gain at least half as much as its steps. Except in the last case, the sequence must
       have the evidence of foot strikes (`StepShape`); weak evidence waits for more steps. The whole sequence, at most sixteen, is
       credited with its own times.
    3. It continues with candidates of 35 % of the usual gain, at least half a period apart (0.65 of a period below two thirds of the
       gain). Three full ones in the middle of successive steps halve the period.
    4. A weaker candidate where a step was due counts if the next full step leaves room for it, or if the bout ends.
    5. It ends 2.2 periods and 0.5 s after its last step. A person who stops puts the feet together: where no candidate shows that step
       and the last one had half the usual gain (a weak one two sevenths), it is credited 0.9 of a period later.
    6. A bout that is not regular, in which the horizontal force is not that of gait, or whose evidence is lost, ends; the next one needs
       eight regular steps or clear evidence.
    7. Cadence: the mean of the last six intervals, of the last two where these differ from it by more than a tenth.

    Source: regularity before counting, Zhao 2010 (Analog Dialogue 44-06).
    Deviations: steps before the gate opened are credited; closing and weak steps.
    Ranges: steps of 190 to 1500 ms; cadence in 0.1 steps a minute of both feet.

    is_walking    whether a bout is under way           usual_gain   of its steps, and of the last bout's after it
    """

    def __init__(self, output: object, shape: object) -> None:
        self._output = output
        self._shape = shape
        # Candidates kept: of the last 2.5 s before a bout, the steps of a bout.
        self._times_ms = [0] * _KEPT_MOST
        self._gains = [0] * _KEPT_MOST
        # The sequence tried last: places in the lists above, newest first; its length, period and mean gain.
        self._sequence = [0] * _SEQUENCE_MOST
        self._sequence_length = 0
        self._sequence_ms = 0
        self._sequence_gain = 0
        self._credited_ms = -1
        self.restart()

    def restart(self) -> None:
        """Samples are missing: forget everything."""
        self._kept = 0
        self.is_walking = False
        self._period_ms = 0
        self.usual_gain = 0
        self._last_gain = 0
        self._ended_ms = -_RESUME_MS
        self._halves = 0
        self._is_half = False
        if self._shape is not None:
            self._shape.restart()
        self._doubts = 0
        self._is_refused = False
        self._weak_ms = -1
        self._weak_gain = 0
        self._over_ms = -1

    def stop_if_over(self, at_ms: int) -> None:
        """End the bout, or forget the candidates, if no step came in time."""
        if self._kept and at_ms > self._over_ms:
            self.stop(at_ms)

    def candidate(self, t_ms: int, gain: int, is_gait: bool, at_ms: int) -> None:
        """A candidate at `t_ms` with this gain of speed: a step, a harmonic, or something else. `is_gait`: so is the horizontal force."""
        self.stop_if_over(at_ms)
        kept = self._kept
        if kept:
            interval = t_ms - self._times_ms[kept - 1]
            is_double = interval < _DOUBLE_MS and gain < _DOUBLE_GAIN and gain * interval < _DOUBLE_LIFT
            if interval < _NEAREST_MS or is_double:
                if not self.is_walking and gain > self._gains[kept - 1]:
                    self._times_ms[kept - 1] = t_ms
                    self._gains[kept - 1] = gain
                return
        if self.is_walking:
            self._continue(t_ms, gain, is_gait, at_ms)
        else:
            self._keep(t_ms, gain)
            self._over_ms = t_ms + _KEPT_MS
            if is_gait:
                self._try_to_start(at_ms)

    def stop(self, at_ms: int) -> None:
        """The bout has ended, or the candidates kept were no steps."""
        last_ms = self._times_ms[self._kept - 1]
        self._kept = 0
        if self.is_walking:
            self.is_walking = False
            self._ended_ms = at_ms
            is_wide = self._last_gain * 2 > self.usual_gain
            if self._weak_gain:
                last_ms = self._weak_ms
                is_wide = self._weak_gain * 7 > self.usual_gain * 2
                self._credit(last_ms, at_ms)
            last_ms += self._period_ms * 9 // 10
            if is_wide and at_ms > self._over_ms and last_ms <= at_ms:
                self._credit(last_ms, at_ms)
            self._weak_gain = 0
        self._output.cadence(0, 0, at_ms)

    def _keep(self, t_ms: int, gain: int) -> None:
        times_ms = self._times_ms
        gains = self._gains
        kept = self._kept
        if kept == _KEPT_MOST:
            kept -= 1
            for k in range(kept):
                times_ms[k] = times_ms[k + 1]
                gains[k] = gains[k + 1]
        times_ms[kept] = t_ms
        gains[kept] = gain
        self._kept = kept + 1

    def _continue(self, t_ms: int, gain: int, is_gait: bool, at_ms: int) -> None:
        """A candidate during a bout."""
        last_ms = self._times_ms[self._kept - 1]
        interval = t_ms - last_ms
        period = self._period_ms
        usual = self.usual_gain
        if interval * 2 < period or interval * 20 < period * 13 and gain * 3 < usual * 2:
            if interval * 20 < period * 7 or interval * 20 > period * 13 or gain * 5 < usual * 3:
                return
            self._is_half = True
            self._halves += 1
            if self._halves < _HALVES:
                return
            period = interval
        is_due = interval * 2 < period * 3 and interval * 10 > period * 7
        if gain * 20 < usual * 7 or gain < _NEW_GAIN >> 1:
            if is_due and gain > self._weak_gain:
                self._weak_ms = t_ms
                self._weak_gain = gain
            return
        is_long = interval * 5 > period * 8
        if self._weak_gain and is_long and (t_ms - self._weak_ms) * 10 > period * 7:
            self._credit(self._weak_ms, at_ms)
        self._weak_gain = 0
        if not self._is_half or self._halves == _HALVES:
            self._halves = 0
        self._is_half = False
        self._credit(t_ms, at_ms)
        self._keep(t_ms, gain)
        if self._shape is not None:
            self._shape.add(last_ms, t_ms, at_ms)
            is_gait = is_gait and self._shape.evidence(period) >= _CONTINUE_X4
        self._last_gain = gain
        if not is_long:
            period += (interval - period) >> 2
            self._period_ms = period
            self.usual_gain = usual + ((gain - usual) >> 2)
        self._over_ms = t_ms + period * 11 // 5 + 500
        self._report_cadence(at_ms)
        self._judge(is_gait, at_ms)

    def _judge(self, is_gait: bool, at_ms: int) -> None:
        """End a bout that is not regular, or is no gait."""
        n = self._kept
        if not is_gait or n == _CADENCE_CHANGED_STEPS:
            self._doubts += 1
        elif n >= _REGULAR_STEPS:
            self._doubts = 0 if self._is_regular(n, _REGULAR_STEPS) else self._doubts + 1
        if self._doubts > _DOUBTS_MOST:
            # What came last was no step: nothing closes it.
            self._last_gain = 0
            self._weak_gain = 0
            self._is_refused = True
            self.stop(at_ms)

    def _is_regular(self, n: int, steps: int) -> bool:
        """Whether strides and their gains, left and right apart, are alike over the newest steps of `n`."""
        times_ms = self._times_ms
        gains = self._gains
        first = n - steps
        shortest = longest = times_ms[first + 2] - times_ms[first]
        for k in range(first, n - 2):
            stride = times_ms[k + 2] - times_ms[k]
            if stride < shortest:
                shortest = stride
            elif stride > longest:
                longest = stride
            if gains[k] > gains[k + 2] * 2 or gains[k + 2] > gains[k] * 2:
                return False
        return longest * 4 <= shortest * 5

    def stand(self) -> None:
        """The wearer stands still: what was refused before may be gait now."""
        self._is_refused = False

    def _try_to_start(self, at_ms: int) -> None:
        """Start a bout with the best sequence that ends with the newest candidate, if there is one."""
        best = 0
        best_score = 0
        for back in range(1, 4):
            if back < self._kept:
                score = self._find_sequence(back)
                if score > best_score:
                    best = back
                    best_score = score
        if best == 0:
            return
        self._find_sequence(best)
        times_ms = self._times_ms
        gains = self._gains
        sequence = self._sequence
        n = self._sequence_length
        if not self._is_accepted(n, at_ms):
            return
        self._is_refused = False
        self._doubts = 0
        self.usual_gain = self._sequence_gain
        self._output.direction(times_ms[sequence[n - 1]] - 1, _UNKNOWN, at_ms)
        # Places fall along the sequence, so what is moved forward never overwrites what is still to move.
        for k in range(n):
            place = sequence[n - 1 - k]
            times_ms[k] = times_ms[place]
            gains[k] = gains[place]
            self._credit(times_ms[k], at_ms)
        self._kept = n
        self.is_walking = True
        self._weak_gain = 0
        self._period_ms = self._sequence_ms
        self._last_gain = gains[n - 1]
        self._over_ms = times_ms[n - 1] + self._period_ms * 11 // 5 + 500
        self._report_cadence(at_ms)

    def _is_accepted(self, n: int, at_ms: int) -> bool:
        """Whether the sequence of `n` candidates has the evidence of steps, more of it after a refused bout."""
        shape = self._shape
        is_trusted = not self._is_refused or self._is_trusted(n)
        if shape is None:
            return is_trusted
        if n < 4:
            # Soon after a bout, its evidence holds.
            if is_trusted:
                shape.part()
            return is_trusted
        times_ms = self._times_ms
        sequence = self._sequence
        shape.restart()
        for k in range(n - 1, 0, -1):
            if at_ms - times_ms[sequence[k]] < _SHAPE_MS:
                shape.add(times_ms[sequence[k]], times_ms[sequence[k - 1]], at_ms)
        is_usual = is_trusted and self._sequence_gain * self._sequence_ms < _LIFT_MOST
        return shape.evidence(self._sequence_ms) >= (_START_X4 if is_usual else _CLEAR_X4)

    def _is_trusted(self, n: int) -> bool:
        """Whether the sequence is long and regular enough after a refused bout."""
        if n < _TRUSTED_STEPS:
            return False
        times_ms = self._times_ms
        gains = self._gains
        sequence = self._sequence
        for k in range(n - 2):
            newer = sequence[k]
            older = sequence[k + 2]
            if gains[older] * 2 > gains[newer] * 3 or gains[newer] * 2 > gains[older] * 3:
                return False
            stride = times_ms[newer] - times_ms[older]
            if k == 0:
                shortest = longest = stride
            elif stride < shortest:
                shortest = stride
            elif stride > longest:
                longest = stride
        return longest * 20 <= shortest * 23

    def _find_sequence(self, back: int) -> int:
        """Set _sequence to the one that ends with the newest candidate and the one `back` before it; its score, 0 for no bout."""
        times_ms = self._times_ms
        sequence = self._sequence
        newest = self._kept - 1
        place = newest - back
        period = times_ms[newest] - times_ms[place]
        if period < _STEP_LEAST_MS or period > _STEP_MOST_MS:
            return 0
        sequence[0] = newest
        sequence[1] = place
        n = 2
        while place > 0 and n < _SEQUENCE_MOST:
            expected_ms = times_ms[place] - period
            off_least = period * 2 // 5
            best = -1
            k = place - 1
            while k >= 0 and times_ms[k] >= expected_ms - off_least:
                off = times_ms[k] - expected_ms
                if off < 0:
                    off = -off
                if off < off_least:
                    off_least = off
                    best = k
                k -= 1
            if best < 0:
                break
            sequence[n] = best
            n += 1
            period += (times_ms[place] - times_ms[best] - period) >> 1
            place = best
        self._sequence_length = n
        score = self._score(4, 14, 30)
        if score == 0:
            score = self._score(5, 18, 40)
        if score == 0 and times_ms[newest] - self._ended_ms < _RESUME_MS:
            score = self._score(3, 14, 30)
            if self._sequence_gain * 2 < self.usual_gain:
                score = 0
        return score

    def _score(self, need: int, intervals_x10: int, gains_x10: int) -> int:
        """The newest `need` of the sequence against the gate: largest to smallest interval and gain, in tenths. 0 if it stays shut.

        The sequence is cut before the first candidate that is too weak beside them.
        """
        n = self._sequence_length
        if n < need:
            return 0
        times_ms = self._times_ms
        gains = self._gains
        sequence = self._sequence
        least = most = total = gains[sequence[0]]
        shortest = longest = times_ms[sequence[0]] - times_ms[sequence[1]]
        for k in range(1, need):
            gain = gains[sequence[k]]
            total += gain
            if gain < least:
                least = gain
            elif gain > most:
                most = gain
            interval = times_ms[sequence[k - 1]] - times_ms[sequence[k]]
            if interval < shortest:
                shortest = interval
            elif interval > longest:
                longest = interval
        period = (times_ms[sequence[0]] - times_ms[sequence[need - 1]]) // (need - 1)
        usual = total // need
        is_uneven = most * 10 > least * gains_x10 or longest * 10 > shortest * intervals_x10
        if is_uneven or usual < _NEW_GAIN or usual * period < _NEW_LIFT or (need < 5 and period > _SLOW_STEP_MS):
            return 0
        left_out = 0
        next_taken = 0
        for k in range(sequence[0], sequence[need - 1], -1):
            if k == sequence[next_taken]:
                next_taken += 1
            elif gains[k] > usual:
                return 0
            else:
                left_out += gains[k]
        if left_out * 2 > total:
            return 0
        while need < n and gains[sequence[need]] * 20 > usual * 7:
            need += 1
        self._sequence_length = need
        self._sequence_ms = period
        self._sequence_gain = usual
        return need * 100 - need * 100 * left_out // total

    def _credit(self, t_ms: int, at_ms: int) -> None:
        if t_ms > self._credited_ms:
            self._credited_ms = t_ms
            self._output.step(t_ms, at_ms)

    def _report_cadence(self, at_ms: int) -> None:
        times_ms = self._times_ms
        kept = self._kept
        n = kept - 1 if kept <= _CADENCE_INTERVALS else _CADENCE_INTERVALS
        span_ms = times_ms[kept - 1] - times_ms[kept - 1 - n]
        if n > 3:
            two_ms = times_ms[kept - 1] - times_ms[kept - 3]
            off = two_ms * n - 2 * span_ms
            if off * 5 > span_ms or off * 5 < -span_ms:
                # The cadence has changed: drop the intervals before.
                for k in range(_CADENCE_CHANGED_STEPS):
                    times_ms[k] = times_ms[kept - _CADENCE_CHANGED_STEPS + k]
                self._kept = _CADENCE_CHANGED_STEPS
                n = 2
                span_ms = two_ms
        cadence_x10 = 600000 * n // span_ms
        self._output.cadence(cadence_x10, cadence_x10, at_ms)
