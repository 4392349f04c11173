"""The sensor's tagged FIFO words -> samples in body axes and core units. Machine code on a board (viper), plain Python on CPython.

A word is 7 bytes: a tag, then x y z as little-endian int16 (LSM6DSOX datasheet DS12814, 6.4 and 9.53). The tag's upper five bits
say whose (1 gyroscope, 2 accelerometer), two more count the time slots: both words of one slot carry the same count.
"""

import sys
from array import array

from retrostep_core.gait.units import ACC_16G, GYR_2000DPS

if sys.implementation.name != "micropython":

    class micropython:
        """The compiler's decorator, for CPython: the function runs as it stands."""

        @staticmethod
        def viper(function: object) -> object:
            return function

    ptr8 = ptr16 = ptr32 = object

WORD_BYTES = 7

# Places in the parser's state; no negative value ever stands in it: viper reads ptr32 unsigned on 64-bit ports.
AT = 0  # word to go on with
_HAVE = 1  # halves at hand: 1 gyroscope, 2 accelerometer
_SLOT = 2  # their slot count
_LAST = 3  # slot count of the last whole sample, 4 = none yet
LOST = 4  # slots lost before this block's first sample (modulo 4)
FOREIGN = 5  # words of other sensors or of none, since the start
HALVES = 6  # words whose other half never came, since the start
_AXES = 7  # three sensor axes (body forward, left, up), then three flags: 1 = negated
_SCALES = 13  # accelerometer, gyroscope: multiplier before >> 15
_HELD = 15  # the waiting words: acceleration x y z, rate x y z, as uint16
PEAK = 21  # largest squared specific force since it was last set to 0, in mg * mg
_STATE_SIZE = 22


def new_state(mount: tuple | None, acc_scale: int = ACC_16G, gyr_scale: int = GYR_2000DPS) -> array:
    """State for `parse`; `mount` as from units.parse_mount, None leaves the sensor's axes."""
    state = array("i", bytes(4 * _STATE_SIZE))
    turn(state, mount)
    state[_SCALES] = acc_scale
    state[_SCALES + 1] = gyr_scale
    state[_LAST] = 4
    return state


def turn(state: array, mount: tuple | None) -> None:
    """Samples parsed from now on are turned by `mount`."""
    for k, (index, sign) in enumerate(mount or ((0, 1), (1, 1), (2, 1))):
        state[_AXES + k] = index
        state[_AXES + 3 + k] = 1 if sign < 0 else 0


def forget(state: array) -> None:
    """Samples were lost in between: what waits belongs to nothing that still comes."""
    state[_HAVE] = 0
    state[_LAST] = 4


@micropython.viper
def parse(raw: ptr8, words: int, block: ptr16, state: ptr32) -> int:
    """Fill `block` from `raw`, from word state[AT] on; the number of samples, six values each: mg x y z, ddps x y z.

    A block holds successive slots only. Where slots are missing it ends, state[AT] stays below `words` or a whole sample waits in the
    state, and the next call goes on with state[LOST] telling how many. Call until nothing comes and state[AT] == `words`.
    """
    at = int(state[0])
    n = 0
    state[4] = 0
    while True:
        if int(state[1]) == 3:
            slot = int(state[2])
            if int(state[3]) < 4:
                lost = (slot - int(state[3]) - 1) & 3
                if lost != 0:
                    if n != 0:
                        break
                    state[4] = lost
            k = 0
            square = 0
            while k < 3:
                acc = int(state[15 + int(state[7 + k])])
                gyr = int(state[18 + int(state[7 + k])])
                acc = (((acc ^ 0x8000) - 0x8000) * int(state[13])) >> 15
                gyr = (((gyr ^ 0x8000) - 0x8000) * int(state[14])) >> 15
                if int(state[10 + k]) != 0:
                    acc = 0 - acc
                    gyr = 0 - gyr
                block[n * 6 + k] = acc
                block[n * 6 + 3 + k] = gyr
                square += acc * acc
                k += 1
            if square > int(state[21]):
                state[21] = square
            n += 1
            state[3] = slot
            state[1] = 0
        if at >= words:
            break
        byte = at * 7
        kind = int(raw[byte]) >> 3
        slot = (int(raw[byte]) >> 1) & 3
        at += 1
        if kind != 1 and kind != 2:
            state[5] = int(state[5]) + 1
        else:
            have = int(state[1])
            if have != 0 and ((have & kind) != 0 or slot != int(state[2])):
                state[6] = int(state[6]) + 1
                have = 0
            state[2] = slot
            state[1] = have | kind
            held = 15
            if kind == 1:
                held = 18
            state[held] = int(raw[byte + 1]) | (int(raw[byte + 2]) << 8)
            state[held + 1] = int(raw[byte + 3]) | (int(raw[byte + 4]) << 8)
            state[held + 2] = int(raw[byte + 5]) | (int(raw[byte + 6]) << 8)
    state[0] = at
    return n
