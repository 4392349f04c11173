"""Session logs read back: the valid records in any bytes, whatever happened to them (FORMATS.md, "The session log").

A record is valid when its CRC is. After an invalid one the reader tries the next byte, so it finds every valid record behind damage.
"""

import struct
from collections import namedtuple

from ..directions import direction_at
from . import records as r
from .decoded import ZERO, decode
from .totals_from_log import TotalsFromLog

Damage = namedtuple("Damage", ("offset", "length", "missing"))
"""`length` bytes from `offset` on hold no valid record. `missing` is how many records (modulo 256) the sequence numbers say were there.
A length of 0 means that complete records are gone. The last damage reaches the file's end where the tail is torn."""


class LogError(ValueError):
    """These bytes are not a Retrostep session log, or have a format version that this program cannot read."""


def records_in(read, size: int, buf, start: int = 0):
    """Yield (offset, kind, seq, payload) of every valid record from `start` on, in a file of `size` bytes and in fixed memory.

    read     read(offset, view) fills `view` from `offset` on; the number of bytes is returned
    buf      a bytearray of at least 512 bytes. `payload` is a view of it, valid until the next record
    """
    view = memoryview(buf)
    base = 0
    have = 0
    pos = start  # from byte 0, not 4: where a byte of the magic is gone, a record may begin earlier
    behind = -1  # where the last valid record ends
    while pos + r.OVERHEAD <= size:
        at = pos - base
        if at < 0 or at + min(r.MAX_RECORD, size - pos) > have:
            have = read(pos, view[: min(len(buf), size - pos)])
            base = pos
            at = 0
            if have < r.OVERHEAD:
                return
            if have < min(len(buf), size - pos):
                size = pos + have
        end = at + 3 + buf[at + 2]
        if end + 4 <= have and struct.unpack_from("<I", buf, end)[0] == r.crc32(view[at:end]):
            yield pos, buf[at], buf[at + 1], view[at + 3 : end]
            pos += buf[at + 2] + r.OVERHEAD
            behind = pos
        elif pos == behind:
            # Bytes are gone, and the first bytes of the next record may have been taken for the last ones of this CRC.
            pos -= 3
            behind = -1
        else:
            pos += 1


def valid_length(read, size: int) -> int:
    """Where the last valid record of a file ends, 0 for none. A torn tail lies behind it."""
    end = 0
    for offset, _kind, _seq, payload in records_in(read, size, bytearray(512)):
        end = offset + len(payload) + r.OVERHEAD
    return end


def scan(data, damage=None):
    """Yield (offset, kind, seq, payload) of every valid record in `data`. What was skipped is appended to the list `damage` as Damage."""
    view = memoryview(data)
    size = len(view)

    def read(offset, into):
        count = min(len(into), size - offset)
        into[:count] = view[offset : offset + count]
        return count

    expected = 0
    end = 4 if bytes(view[:4]) == r.MAGIC else 0
    for offset, kind, seq, payload in records_in(read, size, bytearray(2048)):
        if offset < end:
            end = 0 if end == 4 else offset
        if damage is not None and (offset != end or seq != expected):
            damage.append(Damage(end, offset - end, (seq - expected) & 255))
        end = offset + len(payload) + r.OVERHEAD
        expected = (seq + 1) & 255
        yield offset, kind, seq, bytes(payload)
    if damage is not None and end < size:
        damage.append(Damage(end, size - end, 0))


class Log:
    """One session, as its log has it.

    header      decoded.Header
    steps       [(t_ms, direction)] in order of time, with the final direction of each
    directions  [decoded.Direction] in the order of the file; likewise epochs, bouts, alerts, gaps, loads, battery, clocks, marks, rates
    end         decoded.End, or None while the session is open
    closed      whether there is an END
    totals      decoded.Totals of END, or up to the last record of a log without END
    duration_ms END's time; in a log without END the last movement, but at least the counted time
    damage      [Damage], empty for a complete log
    """

    def __init__(self):
        self.header = None
        self.steps = []
        self.directions = []
        self.epochs = []
        self.bouts = []
        self.alerts = []
        self.gaps = []
        self.loads = []
        self.mounts = []
        self.battery = []
        self.clocks = []
        self.marks = []
        self.rates = []
        self.end = None
        self.closed = False
        self.totals = ZERO
        self.duration_ms = 0
        self.damage = []


def direction_changes(directions):
    """[(since_ms, direction)] with rising times, from Direction records in the order of the file. From its since_ms on a later one wins."""
    changes: list[tuple] = []
    for record in directions:
        while changes and changes[-1][0] >= record.since_ms:
            changes.pop()
        changes.append((record.since_ms, record.direction))
    return changes


def read_log(data) -> Log:
    """The complete log in `data`. Damage is reported in `.damage`. LogError for another format version, or without a HEADER."""
    data = bytes(data)
    if data[:3] == r.MAGIC[:3] and len(data) > 3 and data[3] != r.VERSION:
        raise LogError("the log has format version %d, and this program reads version %d" % (data[3], r.VERSION))
    log = Log()
    records, times = _collect(data, log)
    if log.header is None:
        raise LogError("these bytes hold no header of a Retrostep session log")
    log.closed = log.end is not None
    if log.closed:
        log.totals = log.end.totals
        log.duration_ms = log.end.t_ms
    else:
        counted = TotalsFromLog()
        for kind, record in records:
            counted.add(kind, record)
        log.totals = counted.totals()
        log.duration_ms = counted.end_ms()
    log.damage.sort()
    times.sort()
    changes = direction_changes(log.directions)
    log.steps = [(t_ms, direction_at(changes, t_ms)) for t_ms in times]
    return log


def _collect(data: bytes, log: Log):
    """Put every record into its list of `log`; [(kind, record)] in the order of the file, and the times of all steps."""
    lists = {
        r.DIRECTION: log.directions,
        r.EPOCH: log.epochs,
        r.BOUT: log.bouts,
        r.ALERT: log.alerts,
        r.GAP: log.gaps,
        r.LOAD: log.loads,
        r.MOUNT: log.mounts,
        r.BATTERY: log.battery,
        r.CLOCK: log.clocks,
        r.MARK: log.marks,
        r.RATE: log.rates,
    }
    records = []
    times = []
    for offset, kind, _seq, payload in scan(data, log.damage):
        try:
            record = decode(kind, payload)
        except ValueError:
            log.damage.append(Damage(offset, len(payload) + r.OVERHEAD, 1))
            continue
        if kind == r.HEADER:
            if log.header is None:
                log.header = record
            else:
                log.damage.append(Damage(offset, len(payload) + r.OVERHEAD, 0))
        elif kind == r.STEPS:
            times.extend(record.times_ms)
        elif kind == r.END:
            log.end = record
        elif record is not None:
            lists[kind].append(record)
        records.append((kind, record))
    return records, times
