"""The records of a session log as a device writes them: every field packed (FORMATS.md, "The session log").

`pack_*` functions write a payload into the caller's bytearray and return its length; decoded.py reads it back.
Times are milliseconds since the session's start unless a name says otherwise.
"""

import binascii
import struct
from collections import namedtuple

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

BY_ITSELF = 1
BY_BUTTON = 2
INTERRUPTED = 3
FLASH_FULL = 4

MARK_WARM_UP = 1
MARK_STRETCH = 2
MARK_BACKWARD = 3
MARK_NOTE = 4

FROM_HOST = 1
BY_HAND = 2

FAULT_SENSOR = 1
FAULT_FLASH_SHORT = 2
FAULT_FLASH_FULL = 4
FAULT_LOG_DAMAGED = 8
FAULT_SETTINGS = 16

BATTERY_UNKNOWN = 255  # percent
U16 = 0xFFFF
U32 = 0xFFFFFFFF
_I32 = 0x7FFFFFFF

Totals = namedtuple("Totals", ("forward_steps", "backward_steps", "unknown_steps", "forward_ms", "backward_ms"))

ZERO = Totals(0, 0, 0, 0, 0)


def clip(value: int, top: int) -> int:
    """`value` kept within 0..`top`, so that an odd measurement never becomes an error while recording."""
    return 0 if value < 0 else top if value > top else value


def clip_i32(value: int) -> int:
    return -_I32 if value < -_I32 else _I32 if value > _I32 else value


def crc32(data) -> int:
    """CRC of a record: of its bytes and, behind them, of the log's first four, which are not stored there.

    Without those a record and its CRC would cancel each other out in the CRC of the whole log, which a host confirms: two logs of other
    sessions, but with records of the same lengths, would have the same.
    """
    return binascii.crc32(MAGIC, binascii.crc32(data)) & U32


def pack_name(buf: bytearray, at: int, name: str) -> int:
    """Length byte and at most 32 printable ASCII characters at `at`; the place after them is returned."""
    count = 0
    for char in name:
        code = ord(char)
        if count == NAME_LENGTH:
            break
        buf[at + 1 + count] = code if 32 <= code < 127 else 63
        count += 1
    buf[at] = count
    return at + 1 + count


def pack_totals(buf: bytearray, at: int, forward: int, backward: int, unknown: int, forward_ms: int, backward_ms: int) -> int:
    struct.pack_into(
        "<IIIII", buf, at, clip(forward, U32), clip(backward, U32), clip(unknown, U32), clip(forward_ms, U32), clip(backward_ms, U32)
    )
    return at + 20


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
    life: int = 0,
) -> int:
    buf[0:3] = bytes(core_version)
    buf[3:11] = core_hash
    struct.pack_into("<IIQBBB", buf, 11, session, boot, start_ticks_ms, trigger, placement, side)
    raw = mount.encode()[:6]
    buf[30:36] = raw + bytes(6 - len(raw))
    buf[36:60] = limits
    at = pack_name(buf, pack_name(buf, 60, device), board)
    struct.pack_into("<I", buf, at, life)
    return at + 4


def pack_direction(buf: bytearray, at_ms: int, since_ms: int, direction: int) -> int:
    struct.pack_into("<IIB", buf, 0, at_ms, since_ms, direction)
    return 9


def pack_epoch(
    buf: bytearray,
    t_ms: int,
    forward: int,
    backward: int,
    unknown: int,
    forward_ms: int,
    backward_ms: int,
    cadence_x10: int,
    peak_mg: int,
) -> int:
    struct.pack_into("<I", buf, 0, t_ms)
    pack_totals(buf, 4, forward, backward, unknown, forward_ms, backward_ms)
    struct.pack_into("<HH", buf, 24, clip(cadence_x10, U16), clip(peak_mg, U16))
    return 28


def pack_bout(buf: bytearray, start_ms: int, end_ms: int, direction: int, steps: int, cadence_mean_x10: int, cadence_max_x10: int) -> int:
    struct.pack_into(
        "<IIBHHH", buf, 0, start_ms, end_ms, direction, clip(steps, U16), clip(cadence_mean_x10, U16), clip(cadence_max_x10, U16)
    )
    return 15


def pack_alert(buf: bytearray, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> int:
    struct.pack_into("<IBBii", buf, 0, at_ms, kind, severity, clip_i32(measured), clip_i32(limit))
    return 14


def pack_gap(buf: bytearray, from_ms: int, to_ms: int, reason: int) -> int:
    struct.pack_into("<IIB", buf, 0, from_ms, to_ms, reason)
    return 9


def pack_battery(buf: bytearray, at_ms: int, millivolt: int, percent: int) -> int:
    struct.pack_into("<IHB", buf, 0, at_ms, clip(millivolt, U16), percent if 0 <= percent <= 100 else BATTERY_UNKNOWN)
    return 7


def pack_clock(buf: bytearray, ticks_ms: int, epoch_ms: int, source: int) -> int:
    struct.pack_into("<QQB", buf, 0, ticks_ms, epoch_ms, source)
    return 17


def pack_mark(buf: bytearray, at_ms: int, mark: int) -> int:
    struct.pack_into("<IB", buf, 0, at_ms, mark)
    return 5


def pack_rate(buf: bytearray, at_ms: int, milli_hz: int) -> int:
    struct.pack_into("<II", buf, 0, at_ms, clip(milli_hz, U32))
    return 8


def pack_end(buf: bytearray, t_ms: int, reason: int, forward: int, backward: int, unknown: int, forward_ms: int, backward_ms: int) -> int:
    struct.pack_into("<IB", buf, 0, t_ms, reason)
    return pack_totals(buf, 5, forward, backward, unknown, forward_ms, backward_ms)


def pack_record(buf: bytearray, kind: int, seq: int, payload) -> int:
    """A whole record at the start of `buf`; its length is returned."""
    count = len(payload)
    buf[0] = kind
    buf[1] = seq & 255
    buf[2] = count
    buf[3 : 3 + count] = payload
    struct.pack_into("<I", buf, 3 + count, crc32(memoryview(buf)[: 3 + count]))
    return count + OVERHEAD


def put_varint(buf: bytearray, at: int, value: int) -> int:
    """`value` (0..2**32 - 1) as 7 bits a byte, lowest first, bit 7 set on all but the last; the place after it is returned."""
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
    """The steps of one STEPS record, encoded as they come; no allocation a step."""

    COUNT = 60
    ROOM = MAX_PAYLOAD - 5  # the longest varint still fits

    def __init__(self):
        self.payload = bytearray(MAX_PAYLOAD)
        self.length = 0
        self.count = 0
        self.last_ms = 0
        self.interval_ms = 0

    def add(self, t_ms: int) -> bool:
        """Take a step at `t_ms`, later than the one before it; False if there was no room (take the batch first)."""
        if self.count == 0:
            struct.pack_into("<I", self.payload, 0, t_ms)
            self.length = 5
        elif self.count >= self.COUNT or self.length > self.ROOM:
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
        self.count = 0
        self.length = 0
