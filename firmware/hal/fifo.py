"""Tagged words of the sensor's FIFO in; samples in body axes and core units out. Machine code on a board, plain Python on CPython.

A word is 7 bytes: a tag, then x y z as little-endian int16 (LSM6DSOX datasheet DS12814, 6.4 and 9.53). The upper five bits of the tag
name the sensor (1 gyroscope, 2 accelerometer). Two more bits count time slots: both words of one slot have the same count.
"""

from array import array

from retrostep_core.constants import const
from retrostep_core.gait.units import ACC_16G, GYR_2000DPS

from hal import micropython, ptr8, ptr16, ptr32

_WORD_BYTES = const(7)
_GYROSCOPE = const(1)
_ACCELEROMETER = const(2)

# Indexes of the parser's state. No value is ever negative, because viper reads ptr32 as unsigned on 64-bit ports.
_NEXT_WORD = const(0)  # where parsing continues
_HALVES = const(1)  # words at hand for the next sample: _GYROSCOPE, _ACCELEROMETER or both
_SLOT = const(2)  # their slot count
_LAST_SLOT = const(3)  # slot count of the last complete sample; _NO_SLOT before the first
_LOST_SLOTS = const(4)  # before the first sample of this block, modulo 4
_OTHER_WORDS = const(5)  # words of another kind, since the start
_UNPAIRED_WORDS = const(6)  # words without their other half, since the start
_AXES = const(7)  # sensor axis for body forward, left and up
_NEGATED = const(10)  # for the same three: 1 if the axis is negated
_ACC_SCALE = const(13)  # multiplier before >> 15
_GYR_SCALE = const(14)
_ACC_VALUES = const(15)  # the words at hand: x y z as uint16
_GYR_VALUES = const(18)
_PEAK_SQUARED = const(21)  # largest specific force since this was set to 0, in mg * mg
# Impact of the block (gait/load.py), without gravity along body z: peak along z in mg, resultant in mg * mg, fastest rise along z in mg a
# sample, and 1 if a value was at the rail.
_IMPACT = const(22)
_RESULTANT = const(23)
_RISE = const(24)
_CLIPPED = const(25)
_LAST_Z = const(26)  # of the last sample, plus _OFFSET; 0 for none
_STATE_SIZE = const(27)
_OFFSET = const(65536)
_GRAVITY_MG = const(1000)
_NO_SLOT = const(4)


def new_state(mount: tuple | None) -> array:
    """State for `parse`. `mount` is from units.parse_mount; None keeps the axes of the sensor."""
    state = array("i", bytes(4 * _STATE_SIZE))
    set_mount(state, mount)
    state[_ACC_SCALE] = ACC_16G
    state[_GYR_SCALE] = GYR_2000DPS
    state[_LAST_SLOT] = _NO_SLOT
    return state


def set_mount(state: array, mount: tuple | None) -> None:
    """Turn the samples that are parsed from now on by `mount`."""
    for k, (index, sign) in enumerate(mount or ((0, 1), (1, 1), (2, 1))):
        state[_AXES + k] = index
        state[_NEGATED + k] = 1 if sign < 0 else 0


def discard_pending(state: array) -> None:
    """Discard the unpaired half-sample before a gap."""
    state[_HALVES] = 0
    state[_LAST_SLOT] = _NO_SLOT
    state[_LAST_Z] = 0


@micropython.viper
def parse(raw: ptr8, count: int, block: ptr16, state: ptr32) -> int:
    """Fill `block` from the first `count` words of `raw`; the number of samples, each mg x y z and 0.1 degrees per second x y z.

    A block holds consecutive time slots only. It ends before missing slots; the next call continues there, with their number in
    state[_LOST_SLOTS]. Call until it returns 0.
    """
    word = int(state[_NEXT_WORD])
    n = 0
    state[_LOST_SLOTS] = 0
    state[_IMPACT] = 0
    state[_RESULTANT] = 0
    state[_RISE] = 0
    state[_CLIPPED] = 0
    while True:
        # Both halves are at hand: a sample, unless slots before it are missing.
        if int(state[_HALVES]) == _GYROSCOPE | _ACCELEROMETER:
            slot = int(state[_SLOT])
            if int(state[_LAST_SLOT]) != _NO_SLOT:
                lost = (slot - int(state[_LAST_SLOT]) - 1) & 3
                if lost != 0:
                    if n != 0:
                        break
                    state[_LOST_SLOTS] = lost
            axis = 0
            square = 0
            z = 0
            while axis < 3:
                acc = int(state[_ACC_VALUES + int(state[_AXES + axis])])
                gyr = int(state[_GYR_VALUES + int(state[_AXES + axis])])
                if acc == 0x7FFF or acc == 0x8000:
                    state[_CLIPPED] = 1
                # uint16 -> int16, then scaled.
                acc = (((acc ^ 0x8000) - 0x8000) * int(state[_ACC_SCALE])) >> 15
                gyr = (((gyr ^ 0x8000) - 0x8000) * int(state[_GYR_SCALE])) >> 15
                if int(state[_NEGATED + axis]) != 0:
                    acc = 0 - acc
                    gyr = 0 - gyr
                block[n * 6 + axis] = acc
                block[n * 6 + 3 + axis] = gyr
                square += acc * acc
                z = acc
                axis += 1
            # Body z is the last axis.
            if int(state[_LAST_Z]) != 0 and z + _OFFSET - int(state[_LAST_Z]) > int(state[_RISE]):
                state[_RISE] = z + _OFFSET - int(state[_LAST_Z])
            state[_LAST_Z] = z + _OFFSET
            if z - _GRAVITY_MG > int(state[_IMPACT]):
                state[_IMPACT] = z - _GRAVITY_MG
            if square - 2 * _GRAVITY_MG * z + _GRAVITY_MG * _GRAVITY_MG > int(state[_RESULTANT]):
                state[_RESULTANT] = square - 2 * _GRAVITY_MG * z + _GRAVITY_MG * _GRAVITY_MG
            if square > int(state[_PEAK_SQUARED]):
                state[_PEAK_SQUARED] = square
            n += 1
            state[_LAST_SLOT] = slot
            state[_HALVES] = 0
        if word >= count:
            break
        # The next word becomes a half. A half of another slot, or of the same sensor, stays unpaired.
        at = word * _WORD_BYTES
        kind = int(raw[at]) >> 3
        slot = (int(raw[at]) >> 1) & 3
        word += 1
        if kind != _GYROSCOPE and kind != _ACCELEROMETER:
            state[_OTHER_WORDS] = int(state[_OTHER_WORDS]) + 1
        else:
            halves = int(state[_HALVES])
            if halves != 0 and ((halves & kind) != 0 or slot != int(state[_SLOT])):
                state[_UNPAIRED_WORDS] = int(state[_UNPAIRED_WORDS]) + 1
                halves = 0
            state[_SLOT] = slot
            state[_HALVES] = halves | kind
            values = _ACC_VALUES
            if kind == _GYROSCOPE:
                values = _GYR_VALUES
            state[values] = int(raw[at + 1]) | (int(raw[at + 2]) << 8)
            state[values + 1] = int(raw[at + 3]) | (int(raw[at + 4]) << 8)
            state[values + 2] = int(raw[at + 5]) | (int(raw[at + 6]) << 8)
    state[_NEXT_WORD] = word
    return n
