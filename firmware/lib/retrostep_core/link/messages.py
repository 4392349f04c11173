"""What requests and answers carry, packed on the device (FORMATS.md, "The link").

`pack_*` functions write a payload into the caller's buffer and return its length; answers.py unpacks it on the host.
"""

import struct
from collections import namedtuple

from ..log import records
from ..log.records import clip, pack_name, pack_totals

PROTOCOL = 1

HELLO = 1
LIST = 2
DATA = 3
OK = 4
LIMITS = 5
STATUS = 6
EVENT = 7
CALIBRATION = 8
ERROR = 255

MALFORMED = 1
UNKNOWN_REQUEST = 2
NO_SUCH_SESSION = 3
MISMATCH = 4
BUSY = 5
FLASH = 6
REFUSED = 7

OPEN = 1  # flags of a LIST entry
CONFIRMED = 2

IDLE = 0  # state
IN_SESSION = 1

FAULT_SENSOR = records.FAULT_SENSOR
FAULT_FLASH_SHORT = records.FAULT_FLASH_SHORT
FAULT_FLASH_FULL = records.FAULT_FLASH_FULL
FAULT_LOG_DAMAGED = records.FAULT_LOG_DAMAGED
FAULT_SETTINGS = records.FAULT_SETTINGS

EVENT_STEP = 1
EVENT_DIRECTION = 2
EVENT_CADENCE = 3
EVENT_ALERT = 4
EVENT_GAP = 5
EVENT_SESSION = 6

EPOCH_LEAST_MS = 1577836800000  # 2020-01-01: no earlier clock can be right
EPOCH_MOST_MS = 4102444800000  # 2100-01-01
LIST_MOST = 100  # entries of one LIST frame
_U32 = 0xFFFFFFFF

Hello = namedtuple(
    "Hello",
    (
        "protocol",
        "core_version",
        "core_hash",
        "log_version",
        "boot",
        "ticks_ms",
        "epoch_ms",
        "free_bytes",
        "unsynced",
        "state",
        "device",
        "board",
        "life",
    ),
)
Status = namedtuple(
    "Status",
    (
        "state",
        "session",
        "t_ms",
        "direction",
        "cadence_x10",
        "totals",
        "battery_mv",
        "battery_percent",
        "free_bytes",
        "unsynced",
        "faults",
    ),
)
Calibration = namedtuple("Calibration", ("state", "strides", "reason", "mount"))


def pack_hello(buf, hello: Hello) -> int:
    buf[0] = hello.protocol
    buf[1:4] = bytes(hello.core_version)
    buf[4:12] = hello.core_hash
    struct.pack_into(
        "<BIQQIHB",
        buf,
        12,
        hello.log_version,
        hello.boot & _U32,
        hello.ticks_ms,
        hello.epoch_ms,
        clip(hello.free_bytes, _U32),
        clip(hello.unsynced, 0xFFFF),
        hello.state,
    )
    at = pack_name(buf, pack_name(buf, 40, hello.device), hello.board)
    struct.pack_into("<I", buf, at, hello.life)
    return at + 4


def pack_entry(buf, index: int, session: int, length: int, flags: int):
    """Entry `index` (0..LIST_MOST - 1) of a LIST."""
    struct.pack_into("<IIB", buf, 2 + 9 * index, session, length, flags)


def pack_list(buf, count: int, more: bool) -> int:
    """Closes a LIST of `count` entries that are packed already."""
    buf[0] = 1 if more else 0
    buf[1] = count
    return 2 + 9 * count


def pack_status(buf, status: Status) -> int:
    totals = status.totals
    struct.pack_into(
        "<BIIBH",
        buf,
        0,
        status.state,
        status.session,
        clip(status.t_ms, _U32),
        status.direction,
        clip(status.cadence_x10, 0xFFFF),
    )
    pack_totals(buf, 12, totals[0], totals[1], totals[2], totals[3], totals[4])
    struct.pack_into(
        "<HBIHB",
        buf,
        32,
        clip(status.battery_mv, 0xFFFF),
        clip(status.battery_percent, 255),
        clip(status.free_bytes, _U32),
        clip(status.unsynced, 0xFFFF),
        status.faults & 255,
    )
    return 42


def pack_event(buf, event: int, at_ms: int, a: int, b: int, c: int, d: int, e: int) -> int:
    struct.pack_into("<BIIBBii", buf, 0, event, at_ms & _U32, a & _U32, b, c, d, e)
    return 19


def pack_calibration(buf, calibration: Calibration) -> int:
    buf[0] = calibration.state
    buf[1] = clip(calibration.strides, 255)
    buf[2] = calibration.reason
    buf[3:9] = bytes(6)
    raw = calibration.mount.encode()[:6]
    buf[3 : 3 + len(raw)] = raw
    return 9


def pack_error(buf, code: int, text: str) -> int:
    raw = text.encode()[:120]
    buf[0] = code
    buf[1 : 1 + len(raw)] = raw
    return 1 + len(raw)
