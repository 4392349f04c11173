"""The payloads of the answers, unpacked by the host (FORMATS.md, "The link"): unpack() gives a named tuple.

`LEAST` is the shortest payload of each type.
"""

import struct
from collections import namedtuple

from ..gait.units import parse_mount
from ..log.decoded import unpack_generation, unpack_name, unpack_totals
from .messages import CALIBRATION, DATA, ERROR, EVENT, HELLO, LIMITS, LIST, LIST_MOST, OK, STATUS

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
        "generation",
        "nickname",
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
        "sensor",
    ),
)
Calibration = namedtuple("Calibration", ("state", "strides", "reason", "mount"))
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
    # Older firmware has no generation, or no nickname.
    nickname = unpack_name(p, at + 4)[0] if len(p) > at + 4 else ""
    identity = device, board, unpack_generation(p, at), nickname
    return Hello(p[0], tuple(p[1:4]), bytes(p[4:12]), log_version, boot, ticks, epoch, free, unsynced, state, *identity)


def _list(p) -> ListPage:
    count = p[1]
    if count > LIST_MOST or len(p) < 2 + 9 * count:
        raise ValueError("a LIST of %d entries has %d bytes" % (count, len(p)))
    return ListPage(p[0] != 0, tuple([Entry(*struct.unpack_from("<IIB", p, 2 + 9 * i)) for i in range(count)]))


def _status(p) -> Status:
    state, session, t, direction, cadence = struct.unpack_from("<BIIBH", p, 0)
    mv, percent, free, unsynced, faults = struct.unpack_from("<HBIHB", p, 32)
    if direction > 3:
        raise ValueError("direction %d is not 0 to 3" % direction)
    # Older firmware gives no reason.
    sensor = struct.unpack_from("<H", p, 42)[0] if len(p) >= 44 else 0
    return Status(state, session, t, direction, cadence, unpack_totals(p, 12), mv, percent, free, unsynced, faults, sensor)


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
    """The named tuple of an answer. ValueError for an unknown type, a payload that is too short, or an invalid field."""
    p = bytes(payload)
    if len(p) < LEAST.get(type, 0):
        raise ValueError("an answer of type %d has %d bytes, less than %d" % (type, len(p), LEAST[type]))
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
    """The ticks_ms of the OK to CLOCK. ValueError if it is too short."""
    if len(ok.payload) < 8:
        raise ValueError("the answer to CLOCK has %d bytes, less than 8" % len(ok.payload))
    return struct.unpack_from("<Q", ok.payload, 0)[0]


def ok_count(ok: Ok) -> int:
    """The count of the OK to ERASE_CONFIRMED. ValueError if it is too short."""
    if len(ok.payload) < 2:
        raise ValueError("the answer to ERASE_CONFIRMED has %d bytes, less than 2" % len(ok.payload))
    return struct.unpack_from("<H", ok.payload, 0)[0]


LEAST = {HELLO: 42, LIST: 2, DATA: 4, LIMITS: 24, STATUS: 42, EVENT: 19, CALIBRATION: 9, ERROR: 1}
