"""The records of a session log, packed by a device (FORMATS.md, "The session log"). decoded.py reads them back.

`pack` and each `pack_*` function write a payload into the caller's bytearray and return its length. Times are in ms since the session's
start.
"""

import binascii
import struct

from ..constants import const

MAGIC = b"RSL\x01"
VERSION = 1
OVERHEAD = 7  # kind, seq, len and CRC of one record
MAX_PAYLOAD = 255
MAX_RECORD = MAX_PAYLOAD + OVERHEAD
NAME_LENGTH = 32

HEADER = 1
STEPS = 2
DIRECTION = 3
EPOCH = 4
BOUT = 5
ALERT = 6
GAP = 7
BATTERY = 8
CLOCK = 9
MARK = 10
RATE = 11
END = 12
LOAD = 13
MOUNT = 14
RAW = 15
CAPTURE = 16

END_BYTES = 25
BATTERY_UNKNOWN = 255  # percent
_U8 = const(0xFF)
U16 = 0xFFFF
U32 = 0xFFFFFFFF
_I32 = const(0x7FFFFFFF)
# Steps of one record, and the longest interval in it.
_STEPS_MOST = const(60)
_VARINT_BYTES = const(5)
# In place of its 4 bytes: the field has a sign.
_SIGNED = const(0x84)
# Bytes of each field of the records that `pack` writes.
_FIELDS = {
    DIRECTION: b"\4\4\1",  # at, since, direction
    EPOCH: b"\4\4\4\4\4\4\2\2",  # time, totals, median cadence in 0.1 steps a minute, highest acceleration in mg
    BOUT: b"\4\4\1\2\2\2",  # start, end, direction, steps, mean and highest cadence in 0.1 steps a minute, 0 for none
    ALERT: b"\4\1\1\x84\x84",  # at, kind, severity, measured, limit
    GAP: b"\4\4\1",  # from, to, codes.GAP_*
    BATTERY: b"\4\2\1",  # at, mV, percent
    CLOCK: b"\x08\x08\1",  # ms since boot, the same in Unix ms, codes.CLOCK_*
    MARK: b"\4\1",  # at, codes.MARK_*
    RATE: b"\4\4",  # at, 0.001 Hz
    END: b"\4\1\4\4\4\4\4",  # time, codes.END_*, totals
}


def clip(value: int, most: int) -> int:
    """`value`, limited to 0..`most`: a measurement out of range is never an error while recording."""
    return 0 if value < 0 else most if value > most else value


def clip_i32(value: int) -> int:
    """`value`, limited to +-(2**31 - 1)."""
    return -_I32 if value < -_I32 else _I32 if value > _I32 else value


def crc32(data) -> int:
    """CRC of a record: of its bytes, followed by the four bytes of the magic, which are not stored there.

    Without these four, a record and its CRC would cancel out in the CRC of the complete log, which a host confirms. Two different logs
    with records of the same lengths would have the same CRC.
    """
    return binascii.crc32(MAGIC, binascii.crc32(data)) & U32


def pack_name(buf: bytearray, at: int, name: str) -> int:
    """Write a length byte and at most 32 printable ASCII characters at `at`; other characters become "?". The place after them."""
    count = 0
    # As bytes: each character of a str would be one more name in MicroPython's table.
    for code in name.encode("utf-8", "replace"):
        if count == NAME_LENGTH:
            break
        if code & 0xC0 != 0x80:  # the first byte of a character
            buf[at + 1 + count] = code if 32 <= code < 127 else 63
            count += 1
    buf[at] = count
    return at + 1 + count


def pack(buf: bytearray, kind: int, *values: int) -> int:
    """The payload of a record whose fields have fixed places: its values in the order of FORMATS.md, limited to what a field holds."""
    at = 0
    for k, size in enumerate(_FIELDS[kind]):
        value = values[k]
        if size == _SIGNED:
            size = 4
            value = clip_i32(value) & U32
        buf[at : at + size] = clip(value, (1 << 8 * size) - 1).to_bytes(size, "little")
        at += size
    return at


def pack_header(
    buf: bytearray,
    core_version,
    core_hash: bytes,
    session: int,
    boot: int,
    start_ticks_ms: int,
    trigger: int,
    placement: int,
    side: int,
    mount: str,
    limits: bytes,
    device: str,
    board: str,
    generation: int = 0,
) -> int:
    """HEADER. start_ticks_ms is since boot; `limits` are 24 bytes; a session's codes are those of codes.py."""
    buf[0:3] = bytes(core_version)
    buf[3:11] = core_hash
    struct.pack_into("<IIQBBB", buf, 11, session, boot, start_ticks_ms, trigger, placement, side)
    raw = mount.encode()[:6]
    buf[30:36] = raw + bytes(6 - len(raw))
    buf[36:60] = limits
    at = pack_name(buf, pack_name(buf, 60, device), board)
    struct.pack_into("<I", buf, at, generation)
    return at + 4


def pack_load(buf: bytearray, t_ms: int, direction: int, sums: list) -> int:
    """LOAD: the contacts of one direction since the last LOAD. `sums` are those of gait/load.py."""
    struct.pack_into("<HBBB", buf, 0, clip(t_ms // 1000, U16), direction, clip(sums[0], _U8), clip(sums[1], _U8))
    for k in range(6):
        # Even places are sums, of which the mean is recorded; odd ones maxima. The last two are rises.
        value = sums[2 + k]
        part = 1 if k & 1 or not sums[0] else sums[0]
        # From mg to 1/8 g, and from mg a sample to 4 g a second at 104 Hz.
        value = (value * 8 + part * 500) // (part * 1000) if k < 4 else (value * 104 + part * 2000) // (part * 4000)
        buf[5 + k] = clip(value, _U8)
    return 11


def pack_mount(buf: bytearray, at_ms: int, since_ms: int, mount: str) -> int:
    """MOUNT: known at `at_ms`, holds from `since_ms` on. `mount` is text such as "+y+z+x"."""
    struct.pack_into("<II6s", buf, 0, at_ms, since_ms, mount.encode())
    return 14


def put_varint(buf: bytearray, at: int, value: int) -> int:
    """Write `value` (0..2**32 - 1) with 7 bits a byte, lowest first, bit 7 set on all but the last. The place after it."""
    while value > 127:
        buf[at] = (value & 127) | 128
        value >>= 7
        at += 1
    buf[at] = value
    return at + 1


def zigzag(value: int) -> int:
    """0, -1, 1, -2, 2, ... as 0, 1, 2, 3, 4, ..."""
    return value + value if value >= 0 else -value - value - 1


class StepBatch:
    """The payload of one STEPS record, encoded step by step without allocation."""

    def __init__(self):
        self.payload = bytearray(MAX_PAYLOAD)
        self.view = memoryview(self.payload)
        self.length = 0
        self.count = 0
        self.last_ms = 0
        self.interval_ms = 0

    def add(self, t_ms: int) -> bool:
        """Take a step at `t_ms`, later than the one before it. False if the record is full: write it and call clear() first."""
        if self.count == 0:
            struct.pack_into("<I", self.payload, 0, t_ms)
            self.length = 5
        elif self.count >= _STEPS_MOST or self.length > MAX_PAYLOAD - _VARINT_BYTES:
            return False
        else:
            interval = t_ms - self.last_ms
            self.length = put_varint(self.payload, self.length, interval if self.count == 1 else zigzag(interval - self.interval_ms))
            self.interval_ms = interval
        self.last_ms = t_ms
        self.count += 1
        self.payload[4] = self.count
        return True

    def clear(self):
        """Start on the next record."""
        self.count = 0
        self.length = 0
