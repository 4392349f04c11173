"""Steps of both feet and direction from one shank: filters and zero crossings."""

from retrostep_core.constants import const
from retrostep_core.gait.shank_phases import ShankPhases

# Places in the sums of a half-cycle, see direction.py.
_SUMS = const(13)

# Angular velocity in 0.05 degrees per second (DPS_X20). A zero crossing counts beyond a quarter of the envelope and 25 degrees per second.
_CROSSED_LEAST_DPS_X20 = const(500)
_CROSSED_SHIFT = const(2)
# Sums of a half-cycle are taken over at most 3.8 s: no swing lasts longer, and no sum leaves +-2**30.
_SUMMED_SAMPLES_MOST = const(200)
_SUMMED_MOST = const(500)
# The leg is quiet below 15 degrees per second. Quiet for 0.15 s: a pause. 0.25 s: a swing of 5 degrees or more (1040 is one) has ended.
_QUIET_DPS_X20 = const(300)
_PAUSE_MS = const(150)
_SWING_END_MS = const(250)
_ANGLE_LEAST = const(5200)
# A half-cycle that may show a reversal has swept 10 degrees, and has fallen to 3/4 of its peak (shank_phases.py).
_FASTER_ANGLE = const(10400)
_NEVER_DPS_X20 = const(536870912)
# A sidestep: the leg turns faster in the frontal plane than in the sagittal one, by a quarter, and at 18 degrees per second (160 sums are
# one). Speeds are averaged over 0.6 s, of every fourth sample, each at most 160 degrees per second: one sharp turn is no sidestep.
_SPEED_MOST_DPS_X20 = const(3200)
_SPEED_SHIFT = const(3)
_FRONTAL_LEAST = const(2880)
# Size of the specific force in 2 mg: not below 64 mg, 1 g to start with.
_FORCE_SQUARED_LEAST = const(1024)
_FORCE_START_2MG = const(500)
# A half-cycle that begins with a change of force of 1 g within 19 ms is the stance after a foot strike, and no swing.
_STANCE_STRIKE_2MG = const(500)
# A foot strike: the largest change of force from 0.1 s before (a peak that fades in 8 samples) to 0.23 s after the end of a swing.
_STRIKE_FADE_SHIFT = const(3)
_STRIKE_SAMPLES = const(12)
_STRIKE_MS = const(230)
# As in crank_force.py: forces kept.
_KEPT_MASK = const(127)
# The leg is unloaded while it turns at less than 110 degrees per second and the upward force along it is below 0.45 g (sums of two
# samples). Up is the sign of that force over 2 s: a sensor may be worn upside down.
_UNLOADED_MG_X2 = const(900)
_UNLOADED_DPS_X20 = const(2200)


class ShankSteps:
    """Steps of both feet and direction from one shank, at half the sample rate (52 Hz).

    Method:
    1. Filter. Mean of two samples. Sagittal angular velocity without its bias (mean over 10 s, which whole strides leave at zero),
       low-passed once and twice (one pole, 6 Hz). Forward specific force and size of the specific force, without their means (1.2 s),
       low-passed likewise; force along the leg. A leg that turns mainly in the frontal plane (a sidestep) is followed there, without a
       direction, from the next 250 ms on.
    2. Phases. The sagittal angular velocity crosses zero twice a stride, in walking and running, forward and backward. A zero crossing
       counts once the velocity has passed a quarter of its envelope on that side; its time is interpolated. Between two crossings lies a
       half-cycle: one sign is the swing, the other the stance. A swing that comes to rest ends there. Sums describe each half-cycle
       (direction.py).
    3. Direction and steps: `ShankPhases`.

    Sources: Aminian et al. 2002 (J Biomech 35:689) and Salarian et al. 2004 (IEEE TBME 51:1434) find initial contact in walking near
    the zero crossing at the end of swing.
    Deviations: causal; no search windows and no highest cadence, since the adaptive threshold serves 40 to 260 steps a minute; backward
    gait; the other foot by halving the stride.
    Ranges: +-32 g, +-3276 degrees per second; times in ms.

    output    GaitOutput, or a duck type of its methods and next_tick_ms
    """

    def __init__(self, output: object) -> None:
        self._output = output
        self._phases = ShankPhases(output)
        # The block of samples that the loop reads next.
        self._block: object = None
        self._last = -1
        self._t0_ms = 0
        self._period_us = 0
        self._has_restarted = False
        self._has_new_axes = False
        # Where a sample has forward, left and up force, and the angular velocity about forward and left.
        self._axes = [0, 1, 2, 3, 4]
        self._loop = self._run()
        next(self._loop)
        self.restart(False)

    def restart(self, keep_direction: bool) -> None:
        """Samples are missing: forget everything but the bias, and the direction where it may be kept."""
        self._has_restarted = True
        self._phases.restart(keep_direction)

    def set_axes(self, forward: int, left: int, up: int) -> None:
        """Read these axes of a sample (0..2) as forward, left and up; the signs do not matter where no direction is wanted."""
        axes = self._axes
        axes[0] = forward
        axes[1] = left
        axes[2] = up
        axes[3] = 3 + forward
        axes[4] = 3 + left
        self._has_new_axes = True

    def resume(self, direction: int) -> None:
        """The samples have other axes from now on: forget everything from the old ones; the gait continues in this direction."""
        self._has_new_axes = True
        self.restart(False)
        self._phases.set_direction(direction)

    def finish(self, at_ms: int) -> None:
        """The end of the data."""
        self._phases.finish(at_ms)

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples in body axes, as in Engine.samples."""
        self._block = block
        self._last = n - 1
        self._t0_ms = t0_ms
        self._period_us = period_us
        next(self._loop)

    def _run(self) -> object:
        """The loop over samples. It is a generator, as its locals outlast a block without being stored: each step waits for a block."""
        # MicroPython reads the first 16 locals faster: the ones used most come first.
        k = gyro = speed = force = t_ms = square = gyro_y = v = forward = varying = jerk = i = force_x = force_z = 0
        block: object = None
        force_y = gyro_x = 0
        output = self._output
        phases = self._phases
        at_crossing = phases.newer
        crank = phases.crank
        ups = crank.ups
        sizes = crank.sizes
        place = 0
        x_at = y_at = z_at = gyro_x_at = gyro_y_at = 0
        t0_ms = period_us = next_tick_ms = swing_sign = faster_peak = side = gyro_bias = have_first = 0
        last = -1
        is_upright = True
        while True:
            # --- Pair: the sum of two samples, at the time of the second. A single one waits for the next block.
            i += 1
            if have_first:
                have_first = 0
                force_x += block[k + x_at]
                force_y += block[k + y_at]
                force_z += block[k + z_at]
                gyro_x += block[k + gyro_x_at]
                gyro_y += block[k + gyro_y_at]
                k += 6
            elif i < last:
                i += 1
                second = k + 6
                force_x = block[k + x_at] + block[second + x_at]
                force_y = block[k + y_at] + block[second + y_at]
                force_z = block[k + z_at] + block[second + z_at]
                gyro_x = block[k + gyro_x_at] + block[second + gyro_x_at]
                gyro_y = block[k + gyro_y_at] + block[second + gyro_y_at]
                k += 12
            else:
                if i == last:
                    have_first = 1
                    force_x = block[k + x_at]
                    force_y = block[k + y_at]
                    force_z = block[k + z_at]
                    gyro_x = block[k + gyro_x_at]
                    gyro_y = block[k + gyro_y_at]

                # --- Wait for the next block.
                yield
                block = self._block
                last = self._last
                t0_ms = self._t0_ms
                period_us = self._period_us
                next_tick_ms = output.next_tick_ms
                swing_sign = phases.swing_sign
                faster_peak = phases.faster_peak
                i = -1
                k = 0
                if self._has_restarted:
                    self._has_restarted = False
                    if self._has_new_axes:
                        self._has_new_axes = False
                        gyro_bias = 0
                    x_at, y_at, z_at, gyro_x_at, gyro_y_at = self._axes
                    gyro_once = gyro_twice = forward_once = force_once = forward_mean = force_mean = force = 0
                    envelope_above = envelope_below = gyro_before = before_ms = sagittal_speed = frontal_speed = 0
                    recent_jerk = axial_mean = axial_slow = recent_ms = strike_ms = frontal_strike = 0
                    samples = gyro_2 = gyro_3 = gyro_forward = gyro_force = forward_2 = force_2 = angle = peak = 0
                    unloaded = jerk_sum = strike = axial = 0
                    have_first = sign = crossing_ms = reverse_below = 0
                    quiet_ms = -1
                    is_frontal = False
                    is_upright = True
                side = sign
                continue
            t_ms = t0_ms + i * period_us // 1000

            # --- Filter: which axis the leg turns about, by every fourth sample.
            if not place & 3:
                speed = gyro_x if gyro_x >= 0 else -gyro_x
                frontal_speed += (speed if speed < _SPEED_MOST_DPS_X20 else _SPEED_MOST_DPS_X20) - (frontal_speed >> _SPEED_SHIFT)
                speed = gyro_y if gyro_y >= 0 else -gyro_y
                sagittal_speed += (speed if speed < _SPEED_MOST_DPS_X20 else _SPEED_MOST_DPS_X20) - (sagittal_speed >> _SPEED_SHIFT)
            if is_frontal:
                gyro_y = gyro_x

            # --- Filter: angular velocity without bias, low-passed once (DPS_X160) and twice (gyro, DPS_X20).
            gyro = gyro_y << 3
            gyro_bias += (gyro - gyro_bias) >> 9
            gyro_once += (gyro - gyro_bias - gyro_once) >> 1
            gyro_twice += (gyro_once - gyro_twice) >> 1
            gyro = gyro_twice >> 3
            speed = gyro if gyro >= 0 else -gyro

            # --- Filter: size of the specific force by Newton's method from the last one; in 2 mg, so that squares stay below 2**30.
            quarter_x = force_x >> 2
            quarter_y = force_y >> 2
            quarter_z = force_z >> 2
            square = quarter_x * quarter_x + quarter_y * quarter_y + quarter_z * quarter_z
            if square < _FORCE_SQUARED_LEAST:
                square = _FORCE_SQUARED_LEAST
            force_x >>= 1
            jerk = force
            if force:
                force = (force + square // force) >> 1
                while True:
                    better = (force + square // force) >> 1
                    if better >= force:
                        break
                    force = better
            else:
                # The first sample after a restart.
                jerk = force = _FORCE_START_2MG
                forward_mean = force_x << 6
                force_mean = force << 6
                before_ms = t_ms
                crossing_ms = t_ms
                phases.start(t_ms)

            # --- Crank: both forces of the last strides.
            ups[place] = quarter_z
            sizes[place] = force
            place = (place + 1) & _KEPT_MASK

            # --- Filter: how fast the size changes.
            jerk -= force
            if jerk < 0:
                jerk = -jerk
            recent_jerk -= recent_jerk >> _STRIKE_FADE_SHIFT
            if jerk > recent_jerk:
                recent_jerk = jerk
                recent_ms = t_ms
            axial_mean += (force_z - axial_mean) >> 2

            # --- Filter: both forces without their means, low-passed once as the angular velocity is.
            forward_mean += force_x - (forward_mean >> 6)
            force_mean += force - (force_mean >> 6)
            forward_once += ((force_x << 4) - (forward_mean >> 2) - forward_once) >> 1
            force_once += ((force << 5) - (force_mean >> 1) - force_once) >> 1

            # --- Phases: sums of the half-cycle under way.
            if samples < _SUMMED_SAMPLES_MOST:
                v = gyro_once >> 8
                if v > _SUMMED_MOST:
                    v = _SUMMED_MOST
                elif v < -_SUMMED_MOST:
                    v = -_SUMMED_MOST
                forward = forward_once >> 7
                if forward > _SUMMED_MOST:
                    forward = _SUMMED_MOST
                elif forward < -_SUMMED_MOST:
                    forward = -_SUMMED_MOST
                varying = force_once >> 7
                if varying > _SUMMED_MOST:
                    varying = _SUMMED_MOST
                elif varying < -_SUMMED_MOST:
                    varying = -_SUMMED_MOST
                square = v * v
                samples += 1
                gyro_2 += square
                gyro_3 += (square >> 6) * v
                gyro_forward += v * forward
                gyro_force += v * varying
                forward_2 += forward * forward
                force_2 += varying * varying
                angle += speed
                jerk_sum += jerk
                if jerk > strike and samples < _STRIKE_SAMPLES:
                    strike = jerk
                    strike_ms = t_ms
                if -_UNLOADED_DPS_X20 < gyro_y < _UNLOADED_DPS_X20 and (
                    force_z < _UNLOADED_MG_X2 if is_upright else force_z > -_UNLOADED_MG_X2
                ):
                    unloaded += 1

                # --- Direction: is this half-cycle clearly faster than the swing before it?
                if speed > peak:
                    peak = speed
                    reverse_below = speed - (speed >> 2) if speed > faster_peak else 0
                elif speed < reverse_below:
                    reverse_below = 0
                    if side == sign and angle > _FASTER_ANGLE and (sign < 0 or strike < _STANCE_STRIKE_2MG):
                        phases.reverse(sign, t_ms)
                        swing_sign = sign
                        faster_peak = _NEVER_DPS_X20

            # --- Phases: envelopes of either side, and quiet.
            envelope_above -= envelope_above >> 7
            envelope_below -= envelope_below >> 7
            if gyro > envelope_above:
                envelope_above = gyro
            elif -gyro > envelope_below:
                envelope_below = -gyro
            if speed > _QUIET_DPS_X20:
                if quiet_ms >= 0:
                    if t_ms - quiet_ms > _SWING_END_MS:
                        phases.moved_ms = before_ms
                        if samples == _SUMMED_SAMPLES_MOST:
                            # The sums are full of quiet.
                            samples = gyro_2 = gyro_3 = gyro_forward = gyro_force = forward_2 = force_2 = angle = peak = 0
                            unloaded = jerk_sum = strike = 0
                            for j in range(_SUMS):
                                at_crossing[j] = 0
                    quiet_ms = -1
            elif quiet_ms < 0:
                quiet_ms = t_ms
                phases.is_still = False

            # --- Phases: the half-cycle ends on the far side of zero, or as a swing that came to rest.
            side = -1 if gyro < 0 else 1
            at_rest = quiet_ms >= 0 and t_ms - quiet_ms > _SWING_END_MS and sign == swing_sign and angle > _ANGLE_LEAST
            if side != sign or at_rest:
                has_crossed = (gyro < 0) != (gyro_before < 0)
                if is_frontal:
                    # A slow leg reaches the threshold late, after the strike: keep the strike from the zero crossing on.
                    if has_crossed:
                        frontal_strike = recent_jerk
                    elif jerk > frontal_strike and t_ms - crossing_ms < _STRIKE_MS:
                        frontal_strike = jerk
                if has_crossed or (at_rest and side == sign):
                    crossing_ms = t_ms - (t_ms - before_ms) * gyro // (gyro - gyro_before) if has_crossed else quiet_ms
                    at_crossing[0] = samples
                    at_crossing[1] = gyro_2
                    at_crossing[2] = gyro_3
                    at_crossing[3] = gyro_forward
                    at_crossing[4] = gyro_force
                    at_crossing[5] = forward_2
                    at_crossing[6] = force_2
                    at_crossing[7] = angle
                    at_crossing[8] = peak
                    at_crossing[9] = unloaded
                    at_crossing[10] = jerk_sum
                    at_crossing[11] = strike
                    at_crossing[12] = axial
                far_enough = speed > (envelope_below if gyro < 0 else envelope_above) >> _CROSSED_SHIFT
                if at_rest or (speed > _CROSSED_LEAST_DPS_X20 and far_enough):
                    if sign:
                        phases.last_strike = recent_jerk
                        phases.strike_ms = strike_ms
                        crank.place = place
                        phases.end_half_cycle(sign, is_frontal, crossing_ms, t_ms)
                        swing_sign = phases.swing_sign
                        faster_peak = phases.faster_peak
                        reverse_below = 0
                    if at_rest:
                        # The next half-cycle begins here, with either sign.
                        sign = 0
                        crossing_ms = t_ms
                        samples = gyro_2 = gyro_3 = gyro_forward = gyro_force = forward_2 = force_2 = angle = peak = 0
                        unloaded = jerk_sum = strike = axial = 0
                        for j in range(_SUMS):
                            at_crossing[j] = 0
                    else:
                        # The next half-cycle began at the crossing: what was summed since then belongs to it.
                        sign = side
                        samples -= at_crossing[0]
                        gyro_2 -= at_crossing[1]
                        gyro_3 -= at_crossing[2]
                        gyro_forward -= at_crossing[3]
                        gyro_force -= at_crossing[4]
                        forward_2 -= at_crossing[5]
                        force_2 -= at_crossing[6]
                        angle -= at_crossing[7]
                        peak = speed
                        unloaded -= at_crossing[9]
                        jerk_sum -= at_crossing[10]
                        strike = frontal_strike if is_frontal else recent_jerk
                        strike_ms = recent_ms
                        axial = axial_mean
                    phases.start_ms = crossing_ms
            gyro_before = gyro
            before_ms = t_ms

            # --- Pauses, and the tick.
            if quiet_ms >= 0 and t_ms - quiet_ms > _PAUSE_MS:
                phases.rest(quiet_ms, t_ms)
                # The angle that a quiet leg seems to sweep is noise.
                angle = 0 if phases.is_still else angle - speed
            if t_ms >= next_tick_ms:
                axial_slow += (axial_mean - axial_slow) >> 3
                is_upright = axial_slow >= 0
                least = sagittal_speed - (sagittal_speed >> 3) if is_frontal else sagittal_speed + (sagittal_speed >> 2)
                if is_frontal != (frontal_speed > least and frontal_speed > _FRONTAL_LEAST):
                    # The half-cycle under way is of both planes.
                    is_frontal = not is_frontal
                    phases.change_plane(is_frontal, t_ms)
                    faster_peak = _NEVER_DPS_X20
                    sign = reverse_below = envelope_above = envelope_below = 0
                    crossing_ms = t_ms
                    samples = gyro_2 = gyro_3 = gyro_forward = gyro_force = forward_2 = force_2 = angle = peak = 0
                    unloaded = jerk_sum = strike = axial = 0
                    for j in range(_SUMS):
                        at_crossing[j] = 0
                phases.end_if_over(t_ms)
                output.tick(t_ms)
                next_tick_ms = output.next_tick_ms
