"""Steps of both feet from the trunk or a pocket, in any orientation."""

from retrostep_core.constants import const
from retrostep_core.gait.step_shape import StepShape
from retrostep_core.gait.waist_bout import WaistBout

# As in retrostep_core/codes.py.
_STILL = const(3)
# mg an axis: no sum of three squares leaves 2**30. Vertical values have the same limit.
_FORCE_MOST_MG = const(18000)
# Vertical speed ("speed") is in mg x 1/52 s = 0.19 mm/s. The limit is 5.7 m/s, more than any step gains; it keeps moments within 2**27.
_SPEED_MOST = const(30000)
# Means, of gravity and of the speed: 64 samples of 52 Hz (1.2 s), short enough for a pocket, long enough for a slow stride.
_MEAN_SHIFT = const(6)
# Acceleration to speed: a leaky integrator of 16 samples (0.31 s); from 0.5 Hz up its gain falls with the frequency, so harmonics shrink.
_LEAK_SHIFT = const(4)
# A turning point of the speed counts beyond 6/16 of the envelope (which fades in 1.2 s), and beyond 38 mm/s.
_TURN_X16 = const(6)
_TURN_LEAST = const(200)
_FADE_SHIFT = const(6)
# Moments are taken from the minimum, for no longer than this.
_GAIN_MOST_MS = const(2000)
# Standing still: vertical acceleration within 50 mg for 1.5 s.
_QUIET_MG = const(50)
_STILL_MS = const(1500)
# Energies over 128 samples (2.5 s), of forces in 16 mg. In gait the horizontal force (rms) is 0.3 to 3 times the vertical one. In a jump
# of both feet, whose vertical force is above 0.4 g (80000), it is less than 0.15, on a slide more than 6. The limits are 0.2 and 4.5,
# squared.
_ENERGY_SHIFT = const(7)
_FORCE_SHIFT = const(4)
_HORIZONTAL_LEAST_X256 = const(10)
_HORIZONTAL_MOST = const(20)
_JUMP_LEAST = const(80000)
# As in step_shape.py: vertical forces kept, and their limit.
_KEPT_MASK = const(511)
_KEPT_FORCE_MG = const(2500)
# Roughness is kept in 1/8 mg a sample squared, below 4 g.
_ROUGH_SHIFT = const(3)
_ROUGH_MOST_MG = const(4000)
# Places in the state that the loop keeps in locals.
_GRAVITY = const(7)
_IS_GAINING = const(14)
_MINIMUM = const(15)


class WaistSteps:
    """Steps of both feet from the trunk: one step is one gain of vertical speed. At half the sample rate (52 Hz).

    Method:
    1. Filter. Mean of two samples. The direction of gravity is the mean specific force (1.2 s). The acceleration along it, integrated
       with a leak, is the vertical speed of the trunk.
    2. Candidates. The speed falls and increases once a step, walking or running, in either direction: it increases while the leg catches
       the body after initial contact, and is zero about when the trunk is lowest. A candidate step lies between a minimum and a maximum
       that differ by more than a threshold that follows the signal. Its gain is that difference. Its time is the mean time of the
       increase, weighted by the increase of each sample: impacts and double peaks hardly move it.
    3. Motion. A candidate is no gait if the horizontal force is very large beside the vertical one (a slide), or very small beside a
       large one (a jump of both feet).
    4. Evidence of foot strikes: `StepShape`. Regularity, bouts, cadence: `WaistBout`.
    5. Direction. STILL or UNKNOWN: from the trunk, running forward looks like walking backward.

    Sources: vertical movement of the trunk in each step and its integral, Zijlstra & Hof 2003 (Gait & Posture 18); speed instead of
    acceleration against harmonics, McCamley et al. 2012 (Gait & Posture 36).
    Deviations: causal; integers; turning points instead of wavelets; any mount.
    Ranges: +-18 g an axis; times in ms.

    output    GaitOutput, or a duck type of its step, direction, cadence, tick and next_tick_ms
    is_trunk  False on a shank without a gyroscope: its steps have another shape, so none is asked for
    """

    def __init__(self, output: object, is_trunk: bool = True) -> None:
        self._output = output
        self._shape = StepShape()
        self._bout = WaistBout(output, self._shape if is_trunk else None)
        self._state = [0] * 20
        # The last force of each axis, and its last change.
        self._last = [0] * 6
        # Energies of the vertical force, and of all forces without gravity.
        self._vertical_2 = 0
        self._all_2 = 0
        self.restart(False)

    @property
    def usual_gain(self) -> int:
        """The usual gain of speed of a step, 0 before the first bout."""
        return self._bout.usual_gain

    def restart(self, keep_direction: bool) -> None:
        """Samples are missing: forget everything. No direction is kept here."""
        state = self._state
        for k in range(len(state)):
            state[k] = 0
        state[_GRAVITY] = 1000
        self._vertical_2 = 0
        self._all_2 = 0
        self._quiet_ms = -1
        self._is_still = False
        self._bout.restart()

    def finish(self, at_ms: int) -> None:
        """The end of the data: a candidate under way counts."""
        minimum, minimum_ms, maximum, _, moment = self._state[_MINIMUM:]
        if self._state[_IS_GAINING]:
            self._state[_IS_GAINING] = 0
            self._bout.candidate(minimum_ms + moment // (maximum - minimum), maximum - minimum, True, at_ms)
        self._bout.stop(at_ms)

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples, as in Engine.samples; only the specific force is used."""
        output = self._output
        bout = self._bout
        state = self._state
        (
            have_first,
            first_x,
            first_y,
            first_z,
            mean_x,
            mean_y,
            mean_z,
            gravity,
            mean_shift,
            seen,
            leaky_speed,
            mean_speed,
            speed,
            envelope,
            is_gaining,
            minimum,
            minimum_ms,
            maximum,
            moment,
            maximum_moment,
        ) = state
        vertical_2 = self._vertical_2
        all_2 = self._all_2
        quiet_ms = self._quiet_ms
        shape = self._shape
        shape.period_us = period_us
        kept = shape.kept
        rough = shape.rough
        last_x, last_y, last_z, change_x, change_y, change_z = self._last
        place = shape.place
        next_tick_ms = output.next_tick_ms
        k = 0
        for i in range(n):
            # --- Pair: the mean of two samples, at the time of the second.
            x = block[k]
            y = block[k + 1]
            z = block[k + 2]
            k += 6
            if not have_first:
                have_first = 1
                first_x = x
                first_y = y
                first_z = z
                continue
            have_first = 0
            t_ms = t0_ms + i * period_us // 1000
            x = (x + first_x) >> 1
            y = (y + first_y) >> 1
            z = (z + first_z) >> 1
            if x > _FORCE_MOST_MG:
                x = _FORCE_MOST_MG
            elif x < -_FORCE_MOST_MG:
                x = -_FORCE_MOST_MG
            if y > _FORCE_MOST_MG:
                y = _FORCE_MOST_MG
            elif y < -_FORCE_MOST_MG:
                y = -_FORCE_MOST_MG
            if z > _FORCE_MOST_MG:
                z = _FORCE_MOST_MG
            elif z < -_FORCE_MOST_MG:
                z = -_FORCE_MOST_MG

            # --- Filter: the direction of gravity.
            if mean_shift < _MEAN_SHIFT:
                # Means start as plain means of the samples so far.
                if seen == 0:
                    mean_x = x << 7
                    mean_y = y << 7
                    mean_z = z << 7
                    minimum_ms = t_ms
                    last_x = x
                    last_y = y
                    last_z = z
                seen += 1
                if seen >> mean_shift > 1:
                    mean_shift += 1
            mean_x += ((x << 7) - mean_x) >> mean_shift
            mean_y += ((y << 7) - mean_y) >> mean_shift
            mean_z += ((z << 7) - mean_z) >> mean_shift
            up_x = mean_x >> 7
            up_y = mean_y >> 7
            up_z = mean_z >> 7
            square = up_x * up_x + up_y * up_y + up_z * up_z or 1
            # Newton's method, twice: the mean moves slowly enough. It stays above 0, as `square` does.
            gravity = (gravity + square // gravity) >> 1
            gravity = (gravity + square // gravity) >> 1

            # --- Filter: vertical acceleration, quiet, vertical speed.
            vertical = (x * up_x + y * up_y + z * up_z) // gravity - gravity
            if vertical > _QUIET_MG or vertical < -_QUIET_MG:
                if vertical > _FORCE_MOST_MG:
                    vertical = _FORCE_MOST_MG
                elif vertical < -_FORCE_MOST_MG:
                    vertical = -_FORCE_MOST_MG
                quiet_ms = -1
                self._is_still = False
            elif quiet_ms < 0:
                quiet_ms = t_ms
            leaky_speed += (vertical << 4) - (leaky_speed >> _LEAK_SHIFT)
            mean_speed += (leaky_speed - mean_speed) >> mean_shift
            speed_before = speed
            speed = (leaky_speed - mean_speed) >> 4
            if speed > _SPEED_MOST:
                speed = _SPEED_MOST
            elif speed < -_SPEED_MOST:
                speed = -_SPEED_MOST

            # --- The force that the shape of steps is taken from, and its roughness: how much each axis bends from sample to sample.
            if vertical > _KEPT_FORCE_MG:
                kept[place] = _KEPT_FORCE_MG
            elif vertical < -_KEPT_FORCE_MG:
                kept[place] = -_KEPT_FORCE_MG
            else:
                kept[place] = vertical
            change = x - last_x
            bent = change - change_x
            change_x = change
            last_x = x
            rougher = bent if bent > 0 else -bent
            change = y - last_y
            bent = change - change_y
            change_y = change
            last_y = y
            rougher += bent if bent > 0 else -bent
            change = z - last_z
            bent = change - change_z
            change_z = change
            last_z = z
            rougher += bent if bent > 0 else -bent
            rough[place] = (rougher if rougher < _ROUGH_MOST_MG else _ROUGH_MOST_MG) << _ROUGH_SHIFT
            place = (place + 1) & _KEPT_MASK

            # --- Motion: energies of the vertical force and of all forces without gravity.
            x = (x - up_x) >> _FORCE_SHIFT
            y = (y - up_y) >> _FORCE_SHIFT
            z = (z - up_z) >> _FORCE_SHIFT
            all_2 += x * x + y * y + z * z - (all_2 >> _ENERGY_SHIFT)
            x = vertical >> _FORCE_SHIFT
            vertical_2 += x * x - (vertical_2 >> _ENERGY_SHIFT)

            # --- Candidates: from a minimum to a maximum of the speed.
            envelope -= envelope >> _FADE_SHIFT
            since_ms = t_ms - minimum_ms
            if since_ms > _GAIN_MOST_MS:
                since_ms = _GAIN_MOST_MS
            moment += (speed - speed_before) * since_ms
            if speed > maximum:
                maximum = speed
                maximum_moment = moment
            threshold = (envelope * _TURN_X16) >> 4
            if threshold < _TURN_LEAST:
                threshold = _TURN_LEAST
            if is_gaining:
                if speed < maximum - threshold:
                    gain = maximum - minimum
                    if gain > envelope:
                        envelope = gain
                    shape.place = place
                    shape.vertical_2 = vertical_2
                    shape.horizontal_2 = all_2 - vertical_2
                    bout.candidate(minimum_ms + maximum_moment // gain, gain, _is_gait(vertical_2, all_2 - vertical_2), t_ms)
                    is_gaining = 0
                    minimum = maximum = speed
                    minimum_ms = t_ms
                    moment = maximum_moment = 0
            elif speed < minimum:
                minimum = maximum = speed
                minimum_ms = t_ms
                moment = maximum_moment = 0
            elif speed > minimum + threshold:
                is_gaining = 1

            # --- The tick, the end of a bout, standing still.
            if t_ms >= next_tick_ms:
                bout.stop_if_over(t_ms)
                if quiet_ms >= 0 and t_ms - quiet_ms > _STILL_MS and not self._is_still and not bout.is_walking:
                    self._is_still = True
                    bout.stand()
                    output.direction(quiet_ms, _STILL, t_ms)
                output.tick(t_ms)
                next_tick_ms = output.next_tick_ms

        shape.place = place
        self._quiet_ms = quiet_ms
        self._vertical_2 = vertical_2
        self._all_2 = all_2
        last = self._last
        last[0] = last_x
        last[1] = last_y
        last[2] = last_z
        last[3] = change_x
        last[4] = change_y
        last[5] = change_z
        state[0] = have_first
        state[1] = first_x
        state[2] = first_y
        state[3] = first_z
        state[4] = mean_x
        state[5] = mean_y
        state[6] = mean_z
        state[7] = gravity
        state[8] = mean_shift
        state[9] = seen
        state[10] = leaky_speed
        state[11] = mean_speed
        state[12] = speed
        state[13] = envelope
        state[14] = is_gaining
        state[15] = minimum
        state[16] = minimum_ms
        state[17] = maximum
        state[18] = moment
        state[19] = maximum_moment


def _is_gait(vertical_2: int, horizontal_2: int) -> bool:
    """Whether energies of the vertical and the horizontal force are those of gait, not of a jump or a slide."""
    if vertical_2 > _JUMP_LEAST and horizontal_2 < (vertical_2 >> 8) * _HORIZONTAL_LEAST_X256:
        return False
    return horizontal_2 >> 5 < (vertical_2 >> 5) * _HORIZONTAL_MOST
