"""Are the sensor's samples possible? A frozen, stuck or dead sensor is found by its values."""

from retrostep_core.constants import const

# As in retrostep_core/codes.py.
_GAP_GYRO = const(7)
# codes.GAP_FROZEN, GAP_STUCK and GAP_GRAVITY.
_FROZEN = const(5)
_STUCK = const(6)
_GRAVITY = const(8)
# One sample in 64 is looked at (1.6 Hz) while the sensor works. After a doubtful one it is one in 16 (6.5 Hz), and eight are a window
# (1.2 s).
_EVERY = const(64)
_EVERY_DOUBTFUL = const(16)
_WINDOW = const(8)
# Rails of the converters in core units: 16 g and 2293.7 degrees per second (units.ACC_16G, units.GYR_2000DPS).
_RAIL_MG = const(15990)
_RAIL_DPS_X10 = const(22936)
# The leg is shaken: the specific force differs by more than 0.4 g in two samples of a window. It rests: by less than 0.04 g in all.
_SHAKEN_MG = const(400)
_SHAKEN_LEAST = const(2)
_REST_MG = const(40)
# A leg that is shaken turns: more than 3 degrees per second.
_TURNED_DPS_X10 = const(30)
# 0.85 g and 1.15 g, squared, in 4 mg. Three windows in a row, as lifts and vehicles accelerate too.
_GRAVITY_SQUARED_LEAST = const(45156)
_GRAVITY_SQUARED_MOST = const(82656)
_GRAVITY_WINDOWS = const(3)
# Axes that have changed in a window, as bits: accelerometer x y z, gyroscope x y z.
_ACC_AXES = const(7)
_GYR_LATERAL = const(4)


class SensorCheck:
    """Finds a sensor whose samples cannot be those of a leg.

    Method, in windows of 1.2 s, with the first sample of a window as reference:
    0. Where every axis has changed and the leg turns, the sensor works, and a new window begins. So a moving leg costs little time.
    1. Frozen: no axis of the accelerometer changes. The noise of a working one changes it even on a table.
    2. Stuck: an axis of the accelerometer stays at its rail, or does not change while the leg is shaken. A hard impact reaches the rail
       for some samples, not for a window.
    3. Gyroscope dead: an axis stays at its rail, or the leg is shaken and an axis does not change, or none turns.
    4. Gravity: the leg rests, and the size of the specific force is not 0.85 to 1.15 g, in three windows in a row.
    5. A fault ends with the first window that shows the opposite: changing axes, a turn about every axis, or gravity at rest. A frozen
       sensor works again with the first change.

    Source: noise of a sensor that works, about 1 mg and 0.03 degrees per second rms (LSM6DSOX datasheet DS12814, table 2).
    The limits lie outside what 773 recordings of walking, running, falling and standing show; no published set was found.
    Deviation: a constant zero is accepted, except for the gyroscope's lateral axis: models of a leg in one plane have no noise.

    fault      0, or codes.GAP_FROZEN, GAP_STUCK, GAP_GYRO or GAP_GRAVITY
    since_ms   when it began, or ended
    has_gyro   attribute; without a gyroscope, it is not checked
    """

    def __init__(self) -> None:
        self.fault = 0
        self.since_ms = 0
        self.has_gyro = True
        self._values = [0] * 6
        self._start_ms = 0
        self._doubts = 0  # at rest without gravity, in a row
        self.restart()

    def restart(self) -> None:
        """Samples are missing: begin with a new window. The fault stays."""
        self._count = 0
        self._changes = 0
        self._shaken = 0
        self._is_moved = False
        self._has_turned = False

    # MicroPython takes the locals of a call from the heap if there are more than about ten. So these methods have few.

    def observe(self, block: object, at: int, t_ms: int) -> int:
        """Look at the sample at index `at` of `block`, which was taken at `t_ms`; after how many samples to look at the next one.

        The values of a sample are those of Engine.samples.
        """
        if not self._count:
            self._begin(block, at, t_ms)
        elif self.is_valid(block, at):
            self._begin(block, at, t_ms)
            if self.fault and self.fault != _GRAVITY:
                self._set_reason(0)
            return _EVERY
        else:
            self._add(block, at, t_ms)
            if self._count == _WINDOW:
                self.decide(t_ms)
                self.restart()
        return _EVERY_DOUBTFUL

    def is_valid(self, block: object, at: int) -> bool:
        """Whether the leg turns and every axis has changed since the first sample of the window."""
        gyro = block[at + 4]
        if -_TURNED_DPS_X10 <= gyro <= _TURNED_DPS_X10:
            return False
        values = self._values
        if gyro == values[4] or block[at] == values[0] or block[at + 1] == values[1] or block[at + 2] == values[2]:
            return False
        return block[at + 3] != values[3] and block[at + 5] != values[5]

    def _begin(self, block: object, at: int, t_ms: int) -> None:
        """The first sample of a window."""
        if self._count > 1:
            self.restart()
            self._doubts = 0
        self._count = 1
        self._start_ms = t_ms
        values = self._values
        values[0] = block[at]
        values[1] = block[at + 1]
        values[2] = block[at + 2]
        values[3] = block[at + 3]
        values[4] = block[at + 4]
        values[5] = block[at + 5]

    def _add(self, block: object, at: int, t_ms: int) -> None:
        """A further sample of a window."""
        self._count += 1
        most = self._most(block, at, 0)
        if most:
            if self.fault == _FROZEN:
                self._start_ms = t_ms
                self._set_reason(0)
            if most > _REST_MG:
                self._is_moved = True
                if most > _SHAKEN_MG:
                    self._shaken += 1
        if self._most(block, at, 3) > _TURNED_DPS_X10:
            self._has_turned = True

    def _most(self, block: object, at: int, first: int) -> int:
        """The largest difference of three axes; those that differ have changed."""
        most = 0
        for k in range(first, first + 3):
            off = block[at + k] - self._values[k]
            if off:
                self._changes |= 1 << k
                if off < 0:
                    off = -off
                if off > most:
                    most = off
        return most

    def decide(self, t_ms: int) -> None:
        """The window is complete at `t_ms`: find a fault, or its end."""
        values = self._values
        changed = self._changes
        shaken = self._shaken >= _SHAKEN_LEAST
        found = 0
        if not changed & _ACC_AXES:
            found = _FROZEN
        elif self._has_constant_axis(0, _RAIL_MG, shaken):
            found = _STUCK
        elif self.has_gyro and (self._has_constant_axis(3, _RAIL_DPS_X10, shaken) or (shaken and not self._has_turned)):
            found = _GAP_GYRO
        elif not self._is_moved and not self._has_turned:
            # In 4 mg: a sum of squares stays below 2**30.
            x = values[0] >> 2
            y = values[1] >> 2
            z = values[2] >> 2
            if _GRAVITY_SQUARED_LEAST < x * x + y * y + z * z < _GRAVITY_SQUARED_MOST:
                self._doubts = 0
            else:
                self._doubts += 1
                if self._doubts >= _GRAVITY_WINDOWS:
                    found = _GRAVITY
        fault = self.fault
        if not found:
            if fault == _STUCK and self._has_constant_axis(0, _RAIL_MG, True):
                return
            if fault == _GAP_GYRO and (not self._has_turned or self._has_constant_axis(3, _RAIL_DPS_X10, True)):
                return
            if fault == _GRAVITY and (self._doubts or self._is_moved or self._has_turned):
                return
            self._start_ms = t_ms
        if found != fault:
            self._set_reason(found)

    def _set_reason(self, fault: int) -> None:
        self.fault = fault
        self.since_ms = self._start_ms

    def _has_constant_axis(self, first: int, limit: int, shaken: bool) -> bool:
        """Whether one of three axes has the same value in the whole window: at its rail, or while the leg is shaken."""
        for k in range(first, first + 3):
            if not self._changes >> k & 1:
                value = self._values[k]
                if value >= limit or value <= -limit or (shaken and (value or k == _GYR_LATERAL)):
                    return True
        return False
