"""What answers carry, unpacked on the host (FORMATS.md, "The link"): `unpack` gives a named tuple or raises ValueError."""

import struct
from collections import namedtuple

from ..gait.units import parse_mount
from ..log.decoded import unpack_life, unpack_name, unpack_totals
from .messages import CALIBRATION, DATA, ERROR, EVENT, HELLO, LIMITS, LIST, LIST_MOST, OK, STATUS, Calibration, Hello, Status

ERROR_NAMES = ("", "malformed", "unknown request", "no such session", "mismatch", "busy", "flash", "refused")
EVENT_NAMES = ("", "step", "direction", "cadence", "alert", "gap", "session")
Entry = namedtuple("Entry", ("session", "length", "flags"))
ListPage = namedtuple("ListPage", ("more", "sessions"))
Data = namedtuple("Data", ("offset", "data"))
Ok = namedtuple("Ok", ("payload",))
LimitsInForce = namedtuple("LimitsInForce", ("limits",))
Event = namedtuple("Event", ("event", "at_ms", "a", "b", "c", "d", "e"))
Error = namedtuple("Error", ("code", "text"))


def _hello(p) -> Hello:
    log_version, boot, ticks, epoch, free, unsynced, state = struct.unpack_from("<BIQQIHB", p, 12)
    device, at = unpack_name(p, 40)
    board, at = unpack_name(p, at)
    who = device, board, unpack_life(p, at)
    return Hello(p[0], tuple(p[1:4]), bytes(p[4:12]), log_version, boot, ticks, epoch, free, unsynced, state, *who)


def _list(p) -> ListPage:
    count = p[1]
    if count > LIST_MOST or len(p) < 2 + 9 * count:
        raise ValueError("a LIST is shorter than its count says")
    return ListPage(p[0] != 0, tuple([Entry(*struct.unpack_from("<IIB", p, 2 + 9 * i)) for i in range(count)]))


def _status(p) -> Status:
    state, session, t, direction, cadence = struct.unpack_from("<BIIBH", p, 0)
    mv, percent, free, unsynced, faults = struct.unpack_from("<HBIHB", p, 32)
    if direction > 3:
        raise ValueError("a direction is 0 to 3")
    return Status(state, session, t, direction, cadence, unpack_totals(p, 12), mv, percent, free, unsynced, faults)


def _calibration(p) -> Calibration:
    mount = p[3:9]
    while mount and mount[-1] == 0:
        mount = mount[:-1]
    mount = mount.decode()
    parse_mount(mount)
    return Calibration(p[0], p[1], p[2], mount)


def _error(p) -> Error:
    text = ""
    for code in bytes(p[1:]):
        text += chr(code) if 32 <= code < 127 else "?"
    return Error(p[0], text)


def unpack(type: int, payload):
    """The named tuple of an answer; ValueError for an unknown type or a payload that is too short or holds what it may not."""
    p = bytes(payload)
    if len(p) < LEAST.get(type, 0):
        raise ValueError("an answer is too short")
    if type == HELLO:
        return _hello(p)
    if type == LIST:
        return _list(p)
    if type == DATA:
        return Data(struct.unpack_from("<I", p, 0)[0], p[4:])
    if type == OK:
        return Ok(p)
    if type == LIMITS:
        return LimitsInForce(p[:24])
    if type == STATUS:
        return _status(p)
    if type == EVENT:
        return Event(*struct.unpack_from("<BIIBBii", p, 0))
    if type == CALIBRATION:
        return _calibration(p)
    if type == ERROR:
        return _error(p)
    raise ValueError("an answer of unknown type %d" % type)


def ok_ticks(ok: Ok) -> int:
    """ticks_ms of the OK to CLOCK."""
    if len(ok.payload) < 8:
        raise ValueError("the answer to CLOCK is too short")
    return struct.unpack_from("<Q", ok.payload, 0)[0]


def ok_count(ok: Ok) -> int:
    """Count of the OK to ERASE_CONFIRMED."""
    if len(ok.payload) < 2:
        raise ValueError("the answer to ERASE_CONFIRMED is too short")
    return struct.unpack_from("<H", ok.payload, 0)[0]


LEAST = {HELLO: 42, LIST: 2, DATA: 4, LIMITS: 24, STATUS: 42, EVENT: 19, CALIBRATION: 9, ERROR: 1}
