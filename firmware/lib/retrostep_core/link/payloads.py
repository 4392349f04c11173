"""The payloads of the answers, packed by the device (FORMATS.md, "The link"). answers.py unpacks them on the host.

A `pack_*` function writes a payload into the caller's buffer and returns its length.
"""

import struct

from ..constants import const
from ..log.records import clip, pack_name

_U32 = const(0xFFFFFFFF)

def pack_hello(buf, fields: tuple) -> int:
    """HELLO; `fields` are those of answers.Hello."""
    protocol, core_version, core_hash, log_version, boot, ticks_ms, epoch_ms, free_bytes, unsynced, state, *names = fields
    device, board, generation, nickname = names
    buf[0] = protocol
    buf[1:4] = bytes(core_version)
    buf[4:12] = core_hash
    struct.pack_into(
        "<BIQQIHB", buf, 12, log_version, boot & _U32, ticks_ms, epoch_ms, clip(free_bytes, _U32), clip(unsynced, 0xFFFF), state
    )
    at = pack_name(buf, pack_name(buf, 40, device), board)
    struct.pack_into("<I", buf, at, generation)
    return pack_name(buf, at + 4, nickname)


def pack_entry(buf, index: int, session: int, length: int, flags: int):
    """Entry `index` (0..LIST_MOST - 1) of a LIST; `flags` are OPEN and CONFIRMED."""
    struct.pack_into("<IIB", buf, 2 + 9 * index, session, length, flags)


def pack_list(buf, count: int, more: bool) -> int:
    """LIST of `count` entries that are packed already; `more` says that there are more sessions."""
    buf[0] = 1 if more else 0
    buf[1] = count
    return 2 + 9 * count


def pack_status(buf, status: tuple) -> int:
    """STATUS; `status` has the fields of answers.Status. Values out of range are limited."""
    state, session, t_ms, direction, cadence_x10, totals, battery_mv, battery_percent, free_bytes, unsynced, faults, sensor = status
    struct.pack_into("<BIIBH", buf, 0, state, session, clip(t_ms, _U32), direction, clip(cadence_x10, 0xFFFF))
    struct.pack_into("<IIIII", buf, 12, *totals)
    free_bytes = clip(free_bytes, _U32)
    unsynced = clip(unsynced, 0xFFFF)
    struct.pack_into(
        "<HBIHBH", buf, 32, clip(battery_mv, 0xFFFF), clip(battery_percent, 255), free_bytes, unsynced, faults & 255, sensor
    )
    return 44


def pack_event(buf, event: int, at_ms: int, a: int, b: int, c: int, d: int, e: int) -> int:
    """EVENT; what a to e mean depends on the event (FORMATS.md)."""
    struct.pack_into("<BIIBBii", buf, 0, event, at_ms & _U32, a & _U32, b, c, d, e)
    return 19


def pack_calibration(buf, calibration: tuple) -> int:
    """CALIBRATION; `calibration` has the fields of answers.Calibration."""
    state, strides, reason, mount = calibration
    buf[0] = state
    buf[1] = clip(strides, 255)
    buf[2] = reason
    buf[3:9] = bytes(6)
    raw = mount.encode()[:6]
    buf[3 : 3 + len(raw)] = raw
    return 9


def pack_error(buf, code: int, text: str) -> int:
    """ERROR with at most 120 bytes of text."""
    raw = text.encode()[:120]
    buf[0] = code
    buf[1 : 1 + len(raw)] = raw
    return 1 + len(raw)
