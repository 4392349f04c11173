"""The records of a session log, read back (FORMATS.md, "The session log"): decode() gives a named tuple.

Times are in ms since the session's start unless a name says otherwise. `LEAST` is the shortest payload of each kind.
"""

import struct
from collections import namedtuple

from ..constants import const
from .records import (
    ALERT,
    BATTERY,
    BOUT,
    CLOCK,
    DIRECTION,
    END,
    EPOCH,
    GAP,
    HEADER,
    LOAD,
    MARK,
    MOUNT,
    NAME_LENGTH,
    OVERHEAD,
    RATE,
    STEPS,
    U32,
    crc32,
)

# As in log/records.py.
_STEPS_MOST = const(60)

Totals = namedtuple("Totals", ("forward_steps", "backward_steps", "unknown_steps", "forward_ms", "backward_ms"))
ZERO = Totals(0, 0, 0, 0, 0)

Header = namedtuple(
    "Header",
    (
        "core_version",
        "core_hash",
        "session",
        "boot",
        "start_ticks_ms",
        "trigger",
        "placement",
        "side",
        "mount",
        "limits",
        "device",
        "board",
        "generation",
    ),
)
Steps = namedtuple("Steps", ("times_ms",))
Direction = namedtuple("Direction", ("at_ms", "since_ms", "direction"))
Epoch = namedtuple("Epoch", ("t_ms", "totals", "cadence_x10", "peak_mg"))
Bout = namedtuple("Bout", ("start_ms", "end_ms", "direction", "steps", "cadence_mean_x10", "cadence_max_x10"))
Alert = namedtuple("Alert", ("at_ms", "kind", "severity", "measured", "limit"))
Load = namedtuple(
    "Load",
    (
        "t_ms",
        "direction",
        "count",
        "clipped",
        "axial_mean_g8",
        "axial_max_g8",
        "resultant_mean_g8",
        "resultant_max_g8",
        "rise_mean_4g_s",
        "rise_max_4g_s",
    ),
)
Gap = namedtuple("Gap", ("from_ms", "to_ms", "reason"))
Battery = namedtuple("Battery", ("at_ms", "millivolt", "percent"))
Clock = namedtuple("Clock", ("ticks_ms", "epoch_ms", "source"))
Mark = namedtuple("Mark", ("at_ms", "mark"))
Mount = namedtuple("Mount", ("at_ms", "since_ms", "mount"))
Rate = namedtuple("Rate", ("at_ms", "milli_hz"))
End = namedtuple("End", ("t_ms", "reason", "totals"))


def unpack_name(payload, at: int):
    """(name, place after it). ValueError where it is longer than 32 characters, cut off, or not printable ASCII."""
    if at >= len(payload):
        raise ValueError("a name is missing at byte %d" % at)
    count = payload[at]
    raw = bytes(payload[at + 1 : at + 1 + count])
    if count > NAME_LENGTH or len(raw) != count:
        raise ValueError("a name of %d characters is cut off or too long" % count)
    for code in raw:
        if not 32 <= code < 127:
            raise ValueError("a name is not printable ASCII")
    return raw.decode(), at + 1 + count


def unpack_totals(payload, at: int) -> Totals:
    """Totals at `at`."""
    return Totals(*struct.unpack_from("<IIIII", payload, at))


def unpack_generation(payload, at: int) -> int:
    """The device's generation at `at`; 0 where the payload ends before it, as logs of older firmware do."""
    return struct.unpack_from("<I", payload, at)[0] if at + 4 <= len(payload) else 0


def get_varint(payload, at: int):
    """(value, place after it). ValueError where it has no end in the payload or within 5 bytes."""
    value = 0
    shift = 0
    while True:
        if at >= len(payload) or shift > 28:
            raise ValueError("a varint has no end at byte %d" % at)
        byte = payload[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def unzigzag(value: int) -> int:
    """The inverse of records.zigzag."""
    return -((value + 1) >> 1) if value & 1 else value >> 1


def _mount(raw) -> str:
    mount = bytes(raw)
    while mount and mount[-1] == 0:
        mount = mount[:-1]
    for code in mount:
        if code not in b"+-xyz?":
            raise ValueError("a mount holds a character other than + - x y z ?")
    return mount.decode()


def _unpack_header(p) -> Header:
    session, boot, ticks, trigger, placement, side = struct.unpack_from("<IIQBBB", p, 11)
    mount = _mount(p[30:36])
    limits = bytes(p[36:60])
    device, at = unpack_name(p, 60)
    board, at = unpack_name(p, at)
    identity = device, board, unpack_generation(p, at)
    return Header(tuple(p[0:3]), bytes(p[3:11]), session, boot, ticks, trigger, placement, side, mount, limits, *identity)


def _unpack_steps(p) -> Steps:
    t, count = struct.unpack_from("<IB", p, 0)
    if not 1 <= count <= _STEPS_MOST:
        raise ValueError("a STEPS record holds %d steps, not 1 to 60" % count)
    times = [t]
    at = 5
    interval = 0
    for i in range(1, count):
        value, at = get_varint(p, at)
        interval = value if i == 1 else interval + unzigzag(value)
        if interval <= 0:
            raise ValueError("step times do not rise")
        t += interval
        times.append(t)
    if t > U32:
        raise ValueError("a step is later than 49 days")
    return Steps(tuple(times))


def _direction(code: int) -> int:
    if code > 3:
        raise ValueError("direction %d is not 0 to 3" % code)
    return code


def decode(kind: int, payload):
    """The named tuple of one payload (bytes or memoryview), None for an unknown kind. ValueError for an invalid payload."""
    p = payload
    least = LEAST.get(kind)
    if least is None:
        return None
    if len(p) < least:
        raise ValueError("a record of kind %d has %d bytes, less than %d" % (kind, len(p), least))
    if kind == HEADER:
        return _unpack_header(p)
    if kind == STEPS:
        return _unpack_steps(p)
    if kind == DIRECTION:
        at, since, direction = struct.unpack_from("<IIB", p, 0)
        return Direction(at, since, _direction(direction))
    if kind == EPOCH:
        at, forward, backward, unknown, forward_ms, backward_ms, cadence, peak = struct.unpack_from("<IIIIIIHH", p, 0)
        return Epoch(at, Totals(forward, backward, unknown, forward_ms, backward_ms), cadence, peak)
    if kind == BOUT:
        start, end, direction, steps, mean, top = struct.unpack_from("<IIBHHH", p, 0)
        return Bout(start, end, _direction(direction), steps, mean, top)
    if kind == LOAD:
        t_s, direction = struct.unpack_from("<HB", p, 0)
        return Load(t_s * 1000, _direction(direction), *bytes(p[3:11]))
    if kind == MOUNT:
        at, since = struct.unpack_from("<II", p, 0)
        return Mount(at, since, _mount(p[8:14]))
    if kind == ALERT:
        return Alert(*struct.unpack_from("<IBBii", p, 0))
    if kind == GAP:
        return Gap(*struct.unpack_from("<IIB", p, 0))
    if kind == BATTERY:
        return Battery(*struct.unpack_from("<IHB", p, 0))
    if kind == CLOCK:
        return Clock(*struct.unpack_from("<QQB", p, 0))
    if kind == MARK:
        return Mark(*struct.unpack_from("<IB", p, 0))
    if kind == RATE:
        return Rate(*struct.unpack_from("<II", p, 0))
    t, reason = struct.unpack_from("<IB", p, 0)
    return End(t, reason, unpack_totals(p, 5))


LEAST = {
    HEADER: 62,
    STEPS: 5,
    DIRECTION: 9,
    EPOCH: 28,
    BOUT: 15,
    ALERT: 14,
    GAP: 9,
    BATTERY: 7,
    CLOCK: 17,
    MARK: 5,
    RATE: 8,
    END: 25,
    LOAD: 11,
    MOUNT: 14,
}


def pack_record(buf: bytearray, kind: int, seq: int, payload) -> int:
    """Write a complete record at the start of `buf`; its length is returned."""
    count = len(payload)
    buf[0] = kind
    buf[1] = seq & 255
    buf[2] = count
    buf[3 : 3 + count] = payload
    struct.pack_into("<I", buf, 3 + count, crc32(memoryview(buf)[: 3 + count]))
    return count + OVERHEAD
