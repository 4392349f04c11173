"""The FIFO of an LSM6DS3TR-C or LSM6DS33: words of two bytes in a fixed pattern, here as the tagged words that hal/fifo.py reads.

Both sensors run at the rate of the FIFO, so a sample is six words: gyroscope x y z, then accelerometer x y z, without tags or slot counts
(LSM6DS3TR-C datasheet, 5.4; LSM6DS33 datasheet, 5.4). FIFO_STATUS3 names the place in the pattern of the next word.
"""

from retrostep_core.constants import const

from hal import micropython, ptr8

DATA_OUT = const(0x3E)
STATUS_BYTES = const(4)
SAMPLE_BYTES = const(12)
# A burst of 16 samples lies at the end of the buffer, so that 14 bytes a sample can be written from its start on.
BURST_AT = const(32)

_WORDS = const(6)
_EMPTY = const(0x10)
_OVERRUN = const(0x40)
_TAG_GYROSCOPE = const(1 << 3)
_TAG_ACCELEROMETER = const(2 << 3)


def samples(status: object) -> int:
    """Complete samples behind the `loose_words`, from FIFO_STATUS1 to 4."""
    if status[1] & _EMPTY:
        return 0
    words = (status[0] | (status[1] & 15) << 8) - loose_words(status)
    return words // _WORDS if words > 0 else 0


def loose_words(status: object) -> int:
    """Words before the next complete sample: the rest of one that was overwritten or read in part."""
    at = status[2] | (status[3] & 3) << 8
    return _WORDS - at if 0 < at < _WORDS else 0


def overrun(status: object) -> bool:
    """The FIFO has overwritten words."""
    return status[1] & _OVERRUN != 0


@micropython.viper
def add_tags(raw: ptr8, count: int, slot: int) -> int:
    """Turn `count` samples that lie at BURST_AT of `raw` into tagged words at its start; the slot count after the last."""
    sample = 0
    while sample < count:
        source = BURST_AT + sample * SAMPLE_BYTES
        at = sample * (SAMPLE_BYTES + 2)
        half = 0
        while half < 2:
            tag = _TAG_GYROSCOPE
            if half == 1:
                tag = _TAG_ACCELEROMETER
            raw[at] = tag | (slot & 3) << 1
            k = 0
            while k < 6:
                raw[at + 1 + k] = raw[source + k]
                k += 1
            at += 7
            source += 6
            half += 1
        slot += 1
        sample += 1
    return slot & 3
