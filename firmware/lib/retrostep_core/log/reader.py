"""Session logs read back: sound records out of any bytes, whatever happened to them (FORMATS.md, "The session log").

A record counts as sound when its CRC holds. Where one does not, the reader tries the next byte, so everything sound behind damage is found.
"""

import struct
from collections import namedtuple

from . import records as r
from .account import Account
from .decoded import decode

Damage = namedtuple("Damage", ("offset", "length", "missing"))
"""`length` bytes from `offset` on hold no sound record; `missing` is the number of records (modulo 256) that the sequence numbers say
were lost there. A length of 0 means that whole records are gone. The last one reaches the file's end when the tail is torn."""


class LogError(ValueError):
    """These bytes are not a Retrostep session log that this version can read."""


def walk(read, size: int, buf, start: int = 0):
    """(offset, kind, seq, payload) of every sound record from `start` on in a file of `size` bytes, in fixed memory.

    `read(offset, view)` fills `view` from `offset` on and returns how many bytes it filled; `buf` is a bytearray of 512 or more bytes;
    `payload` is a view of it that holds until the next record is asked for.
    """
    view = memoryview(buf)
    base = 0
    have = 0
    pos = start  # 0 and not 4: where a byte of the magic is gone, a record may begin before that
    behind = -1  # where the last sound record ends
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
            # Where bytes are gone, the next record's first ones may have passed for the last ones of a CRC.
            pos -= 3
            behind = -1
        else:
            pos += 1


def sound_length(read, size: int) -> int:
    """Where the last sound record of a file ends (0: there is none); what lies behind it is a torn tail."""
    end = 0
    for offset, _kind, _seq, payload in walk(read, size, bytearray(512)):
        end = offset + len(payload) + r.OVERHEAD
    return end


def scan(data, damage=None):
    """(offset, kind, seq, payload bytes) of every sound record in `data`; what was skipped is appended to the list `damage` as Damage."""
    view = memoryview(data)
    size = len(view)

    def read(offset, into):
        count = min(len(into), size - offset)
        into[:count] = view[offset : offset + count]
        return count

    expected = 0
    end = 4 if bytes(view[:4]) == r.MAGIC else 0
    for offset, kind, seq, payload in walk(read, size, bytearray(2048)):
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
    """One session as its log tells it.

    header      decoded.Header
    steps       [(t_ms, direction)] in time order, each with the direction that was settled for it in the end
    directions  [decoded.Direction] as they were said; likewise epochs, bouts, alerts, gaps, battery, clocks, marks, rates
    end         decoded.End, or None while the session is open
    closed      whether there is an END
    totals      records.Totals: END's, or as far as an open session got
    duration_ms END's time, or the last movement of an open session
    damage      [Damage]; empty for a log that is whole
    """

    def __init__(self):
        self.header = None
        self.steps = []
        self.directions = []
        self.epochs = []
        self.bouts = []
        self.alerts = []
        self.gaps = []
        self.battery = []
        self.clocks = []
        self.marks = []
        self.rates = []
        self.end = None
        self.closed = False
        self.totals = r.ZERO
        self.duration_ms = 0
        self.damage = []


def timeline(directions):
    """[(since_ms, direction)] rising, from Direction records in the order said: the last statement whose `since` is not later wins."""
    settled = []
    for said in directions:
        while settled and settled[-1][0] >= said.since_ms:
            settled.pop()
        settled.append((said.since_ms, said.direction))
    return settled


def read_log(data) -> Log:
    """The whole of a log; LogError where there is no header to go by. Damage is told in `.damage`, never raised."""
    data = bytes(data)
    if data[:3] == r.MAGIC[:3] and len(data) > 3 and data[3] != r.VERSION:
        raise LogError("the log has format version %d and this program reads version %d: update it" % (data[3], r.VERSION))
    log = Log()
    told = []
    lists = {
        r.DIRECTION: log.directions,
        r.EPOCH: log.epochs,
        r.BOUT: log.bouts,
        r.ALERT: log.alerts,
        r.GAP: log.gaps,
        r.BATTERY: log.battery,
        r.CLOCK: log.clocks,
        r.MARK: log.marks,
        r.RATE: log.rates,
    }
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
        told.append((kind, record))
    if log.header is None:
        raise LogError("these bytes hold no header of a Retrostep session log")
    log.closed = log.end is not None
    if log.closed:
        log.totals = log.end.totals
        log.duration_ms = log.end.t_ms
    else:
        account = Account()
        for kind, record in told:
            account.take(kind, record)
        log.totals = account.totals()
        log.duration_ms = account.moved_ms
    log.damage.sort()
    times.sort()
    settled = timeline(log.directions)
    place = -1
    for t in times:
        while place + 1 < len(settled) and settled[place + 1][0] <= t:
            place += 1
        log.steps.append((t, settled[place][1] if place >= 0 else 0))
    return log
