"""The device's half of the link: requests in, frames out, a little work in each poll (FORMATS.md, "The link")."""

import binascii
import struct
from array import array

from ..constants import const
from ..gait.limit_ranges import unpack_limits
from ..log import records
from . import payloads
from .frames import FrameEncoder, LineDecoder

# As in retrostep_core/codes.py. A private constant takes no memory.
_CLOCK_FROM_HOST = const(1)
# As in link/host_frames.py.
_MAX_DATA = const(1024)
# messages.py has the same numbers for a host.
_PROTOCOL = const(1)
_HELLO = const(1)
_LIST = const(2)
_DATA = const(3)
_OK = const(4)
_LIMITS = const(5)
_STATUS = const(6)
_EVENT = const(7)
_CALIBRATION = const(8)
_ERROR = const(255)
_MALFORMED = const(1)
_UNKNOWN_REQUEST = const(2)
_NO_SUCH_SESSION = const(3)
_MISMATCH = const(4)
_BUSY = const(5)
_FLASH = const(6)
_REFUSED = const(7)
_OPEN = const(1)
_CONFIRMED = const(2)
_IDLE = const(0)
_IN_SESSION = const(1)
_EVENT_STEP = const(1)
_EVENT_DIRECTION = const(2)
_EVENT_CADENCE = const(3)
_EVENT_ALERT = const(4)
_EVENT_GAP = const(5)
_EVENT_SESSION = const(6)
_LIST_MOST = const(100)
_EPOCH_LEAST_MS = const(1577836800000)
_EPOCH_MOST_MS = const(4102444800000)
# Requests that wait; more are dropped, and the host sends them again.
_QUEUE_MOST = const(4)
# Sessions looked up for a LIST in one poll. Each takes a search in the file system.
_LOOKUPS_MOST = const(8)
# Events that wait for the line; more are dropped. Only the log is complete.
_EVENTS_MOST = const(16)
_EVENT_FIELDS = const(7)
# A host that has sent nothing for this long gets no more events.
_WATCH_MS = const(60000)
_U32 = const(0xFFFFFFFF)
_I32 = const(0x7FFFFFFF)


class _Refused(Exception):
    """The request is answered with an ERROR of this code and text."""

    def __init__(self, code: int, text: str):
        super().__init__(text)
        self.code = code
        self.text = text


class Server:
    """Answers requests in their order, in memory that is allocated once. It never waits, and no request makes it raise.

    store     the logs (firmware/hal/store.py)
    wearable  identity (core_version, core_hash, device, board); clock (ticks_ms, epoch_ms, set_epoch_ms(ms, source) -> ticks_ms);
              limits (`pack()`); set_limits(Limits), False: call again; status() and calibration(), tuples with the fields of answers.py;
              calibrate(begin) and capture(minutes, label), ValueError where they cannot begin; nickname, "" for none; identify(): blink
    out       room() -> bytes that may be written now; write(view) -> bytes that were written

    A frame may be half sent between two calls of poll(). Write other text only while `between_frames` is true.
    The server is also a listener of the session (step, direction, cadence, alert, gap, session): a host that watches gets the events.
    """

    def __init__(self, store, wearable, out):
        self.store = store
        self.wearable = wearable
        self.out = out
        self._lines = LineDecoder()
        self._frame = FrameEncoder()
        self._sent = 0
        self._length = 0
        self._queue = []
        self._malformed = False
        # Progress of the request at the head of the queue: bytes sent or checked, entries listed, logs erased.
        self._done = 0
        # Its intermediate result: a CRC, or the last session that was looked up.
        self._result = 0
        # Time of the last request of a host that watches; -1: none watches.
        self._watch_ms = -1
        self._start_ms = 0
        self._events = array("i", bytes(4 * _EVENT_FIELDS * _EVENTS_MOST))
        self._event_first = 0
        self._event_count = 0

    @property
    def between_frames(self) -> bool:
        """True while no frame is half sent."""
        return self._sent == self._length

    @property
    def busy(self) -> bool:
        """True while poll() has something to do."""
        return not self.between_frames or bool(self._queue) or self._malformed or self._event_count > 0

    def feed(self, buf, n: int):
        """Take the first `n` bytes of `buf`, which came from the host. With four requests waiting, more are dropped."""
        self._lines.feed(buf, n, self._take_request)

    def _take_request(self, request):
        if request is LineDecoder.MALFORMED:
            self._malformed = True
            return
        if self._watch_ms >= 0:
            self._watch_ms = self.wearable.clock.ticks_ms()
        if request[1] == b"HELLO":
            # A host connects: requests of an earlier one are dropped.
            self._queue.clear()
            self._done = self._result = 0
        if len(self._queue) < _QUEUE_MOST:
            self._queue.append(request)

    def poll(self, now_ms: int) -> bool:
        """Send what fits, or work on one request; True if there was work (call again soon)."""
        if not self.between_frames:
            return self._send()
        if self._watch_ms >= 0 and now_ms - self._watch_ms > _WATCH_MS:
            self._watch_ms = -1
            self._event_count = 0
        if self._malformed and not self._result:
            # A LIST or a CONFIRM that is under way uses the same buffer.
            self._malformed = False
            self._answer_error(0, _MALFORMED, "not a valid request")
        elif self._queue:
            self._serve()
        elif self._event_count:
            self._answer_event()
        else:
            return False
        self._send()
        return True

    def _answer(self, type: int, id: int, count: int):
        """Frame the first `count` bytes of the payload; poll() sends it."""
        self._length = self._frame.finish(type, id, count)
        self._sent = 0

    def _send(self) -> bool:
        count = self._length - self._sent
        room = self.out.room()
        if room < count:
            count = room
        if count <= 0:
            return False
        taken = self.out.write(self._frame.view[self._sent : self._sent + count])
        if taken is None or taken <= 0:
            return False
        self._sent += taken
        return True

    def _answer_error(self, id: int, code: int, text: str):
        self._answer(_ERROR, id, payloads.pack_error(self._frame.payload, code, text))

    def _serve(self):
        """Work on the oldest request; it leaves the queue when it is answered."""
        id, name, args = self._queue[0]
        done = True
        try:
            answer = _ANSWERS.get(name)
            if answer is None:
                raise _Refused(_UNKNOWN_REQUEST, "no request has the name " + name[:20].decode())
            done = answer(self, id, args)
        except _Refused as refused:
            self._answer_error(id, refused.code, refused.text)
        except OSError:
            self._answer_error(id, _FLASH, "the flash did not read or write")
        if done:
            self._queue.pop(0)
            self._done = 0
            self._result = 0

    def _hello(self, id: int, args) -> bool:
        _check_count(args, 0)
        identity = self.wearable.identity
        clock = self.wearable.clock
        hello = (
            _PROTOCOL,
            identity.core_version,
            identity.core_hash,
            records.VERSION,
            self.store.boot,
            clock.ticks_ms(),
            clock.epoch_ms(),
            self.store.free_bytes(),
            self.store.unsynced,
            _IN_SESSION if self.store.open_number else _IDLE,
            identity.device,
            identity.board,
            self.store.generation,
            self.wearable.nickname,
        )
        self._answer(_HELLO, id, payloads.pack_hello(self._frame.payload, hello))
        return True

    def _list(self, id: int, args) -> bool:
        _check_count(args, 1)
        if self._done == 0 and self._result == 0:
            self._result = _number(args[0], _U32)
        store = self.store
        lookups = 0
        session = store.following(self._result)
        while session and self._done < _LIST_MOST:
            if lookups == _LOOKUPS_MOST:
                # Continue in the next poll: sampling has its turn first. Nothing else writes into the frame until then.
                return False
            lookups += 1
            self._result = session
            try:
                length = store.size(session)
            except OSError:
                # A damaged entry. The recovery has reported the fault.
                length = -1
            if length >= 0:
                flags = _OPEN if session == store.open_number else _CONFIRMED if store.confirmed(session) else 0
                payloads.pack_entry(self._frame.payload, self._done, session, length, flags)
                self._done += 1
            session = store.following(session)
        self._answer(_LIST, id, payloads.pack_list(self._frame.payload, self._done, session > 0))
        return True

    def _session(self, text: bytes) -> int:
        session = _number(text, _U32)
        if not self.store.holds(session):
            raise _Refused(_NO_SUCH_SESSION, "no log of session %d" % session)
        return session

    def _read(self, id: int, args) -> bool:
        _check_count(args, 3)
        session = self._session(args[0])
        begin = _number(args[1], _U32)
        wanted = _number(args[2], _U32)
        at = begin + self._done
        count = min(wanted - self._done, _MAX_DATA, max(0, self.store.size(session) - at))
        if count > 0:
            count = self.store.read_into(session, at, self._frame.payload[4 : 4 + count])
        struct.pack_into("<I", self._frame.payload, 0, at)
        self._answer(_DATA, id, 4 + count)
        self._done += count
        # Where the log ends before the requested length, a DATA without bytes ends the answer.
        return count == 0 or self._done == wanted

    def _confirm(self, id: int, args) -> bool:
        _check_count(args, 3)
        store = self.store
        session = self._session(args[0])
        length = _number(args[1], _U32)
        crc = _number(args[2], _U32)
        if session == store.open_number:
            raise _Refused(_BUSY, "session %d is open" % session)
        if length != store.size(session):
            raise _Refused(_MISMATCH, "the log has %d bytes" % store.size(session))
        if self._done < length:
            # One slice in each poll: sampling has its turn in between. The frame's buffer is free, as no frame is half sent.
            part = self._frame.payload[: min(_MAX_DATA, length - self._done)]
            count = store.read_into(session, self._done, part)
            if count <= 0:
                raise _Refused(_FLASH, "the log can be read up to byte %d" % self._done)
            self._result = binascii.crc32(part[:count], self._result) & _U32
            self._done += count
            return False
        if self._result != crc:
            raise _Refused(_MISMATCH, "the log has CRC %08x" % self._result)
        if not store.confirmed(session):
            store.confirm(session, length)
        self._answer(_OK, id, 0)
        return True

    def _clock(self, id: int, args) -> bool:
        _check_count(args, 1)
        epoch_ms = _number(args[0], _EPOCH_MOST_MS)
        if epoch_ms < _EPOCH_LEAST_MS:
            raise _Refused(_REFUSED, "the time is before 2020")
        ticks_ms = self.wearable.clock.set_epoch_ms(epoch_ms, _CLOCK_FROM_HOST)
        struct.pack_into("<Q", self._frame.payload, 0, ticks_ms)
        self._answer(_OK, id, 8)
        return True

    def _limits(self, id: int, args) -> bool:
        if not args:
            self._frame.payload[:24] = self.wearable.limits.pack()
            self._answer(_LIMITS, id, 24)
            return True
        _check_count(args, 1)
        if len(args[0]) != 48:
            raise _Refused(_MALFORMED, "limits are 48 hexadecimal digits")
        try:
            limits = unpack_limits(binascii.unhexlify(args[0]))
        except ValueError:
            raise _Refused(_REFUSED, "these limits are out of range") from None
        if not self.wearable.set_limits(limits):
            return False
        self._answer(_OK, id, 0)
        return True

    def _status(self, id: int, args) -> bool:
        _check_count(args, 0)
        self._answer(_STATUS, id, payloads.pack_status(self._frame.payload, self.wearable.status()))
        return True

    def _watch(self, id: int, args) -> bool:
        _check_count(args, 1)
        if args[0] not in (b"0", b"1"):
            raise _Refused(_MALFORMED, "WATCH takes 0 or 1")
        self._watch_ms = self.wearable.clock.ticks_ms() if args[0] == b"1" else -1
        self._event_count = 0
        self._answer(_OK, id, 0)
        return True

    def _calibrate(self, id: int, args) -> bool:
        if args:
            _check_count(args, 1)
            if args[0] not in (b"0", b"1"):
                raise _Refused(_MALFORMED, "CALIBRATE takes nothing, 0 or 1")
            try:
                self.wearable.calibrate(args[0] == b"1")
            except ValueError as error:
                raise _Refused(_REFUSED, str(error)) from None
        self._answer(_CALIBRATION, id, payloads.pack_calibration(self._frame.payload, self.wearable.calibration()))
        return True

    def _capture(self, id: int, args) -> bool:
        _check_count(args, 2)
        minutes = _number(args[0], 255)
        try:
            label = binascii.unhexlify(args[1]).decode() if args[1] != b"-" else ""
            self.wearable.capture(minutes, label)
        except ValueError as error:
            raise _Refused(_REFUSED, str(error)) from None
        self._answer(_OK, id, 0)
        return True

    def _blink(self, id: int, args) -> bool:
        _check_count(args, 0)
        self.wearable.identify()
        self._answer(_OK, id, 0)
        return True

    def _erase_confirmed(self, id: int, args) -> bool:
        _check_count(args, 0)
        session = self.store.first_confirmed()
        if session:
            self.store.erase(session)
            # One log in each poll: sampling has its turn in between.
            self._done += 1
            return False
        struct.pack_into("<H", self._frame.payload, 0, min(self._done, 0xFFFF))
        self._answer(_OK, id, 2)
        return True

    def _queue_event(self, event: int, at_ms: int, a: int, b: int, c: int, d: int, e: int):
        if self._watch_ms < 0 or self._event_count == _EVENTS_MOST:
            return
        k = _EVENT_FIELDS * ((self._event_first + self._event_count) % _EVENTS_MOST)
        fields = self._events
        fields[k] = event
        fields[k + 1] = at_ms
        fields[k + 2] = a
        fields[k + 3] = b
        fields[k + 4] = c
        fields[k + 5] = records.clip_i32(d)
        fields[k + 6] = records.clip_i32(e)
        self._event_count += 1

    def _answer_event(self):
        k = _EVENT_FIELDS * self._event_first
        fields = self._events
        self._event_first = (self._event_first + 1) % _EVENTS_MOST
        self._event_count -= 1
        n = payloads.pack_event(self._frame.payload, *fields[k : k + _EVENT_FIELDS])
        self._answer(_EVENT, 0, n)

    def _since_start(self, t_ms: int) -> int:
        t_ms -= self._start_ms
        return 0 if t_ms < 0 else t_ms if t_ms < _I32 else _I32

    def step(self, t_ms: int, at_ms: int, direction: int):
        """A step. Times are since boot, as for every sink; the host gets them since the session's start."""
        self._queue_event(_EVENT_STEP, self._since_start(at_ms), self._since_start(t_ms), direction, 0, 0, 0)

    def direction(self, at_ms: int, since_ms: int, direction: int):
        """A change of direction."""
        self._queue_event(_EVENT_DIRECTION, self._since_start(at_ms), self._since_start(since_ms), direction, 0, 0, 0)

    def cadence(self, at_ms: int, cadence_x10: int):
        """The cadence in 0.1 steps a minute."""
        self._queue_event(_EVENT_CADENCE, self._since_start(at_ms), cadence_x10, 0, 0, 0, 0)

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int):
        """An alert."""
        self._queue_event(_EVENT_ALERT, self._since_start(at_ms), 0, kind, severity, measured, limit)

    def gap(self, from_ms: int, to_ms: int, reason: int):
        """The movement in between is unknown: codes.GAP_*."""
        self._queue_event(_EVENT_GAP, self._since_start(to_ms), self._since_start(from_ms), reason, 0, 0, 0)

    def session(self, start_ms: int, number: int, started: bool):
        """The session that started at `start_ms` has started or ended."""
        self._start_ms = start_ms
        self._queue_event(_EVENT_SESSION, 0, number & _I32, 1 if started else 0, 0, 0, 0)


def _check_count(args, count: int):
    if len(args) != count:
        raise _Refused(_MALFORMED, "this request takes %d arguments, not %d" % (count, len(args)))


def _number(text: bytes, most: int) -> int:
    """The decimal number `text`, 0..`most`."""
    value = 0
    for code in text:
        if not 48 <= code <= 57:
            raise _Refused(_MALFORMED, "an argument is not a decimal number")
        value = value * 10 + code - 48
        if value > most:
            raise _Refused(_REFUSED, "a number is above %d" % most)
    return value


_ANSWERS = {
    b"HELLO": Server._hello,
    b"LIST": Server._list,
    b"READ": Server._read,
    b"CONFIRM": Server._confirm,
    b"CLOCK": Server._clock,
    b"LIMITS": Server._limits,
    b"STATUS": Server._status,
    b"WATCH": Server._watch,
    b"CALIBRATE": Server._calibrate,
    b"CAPTURE": Server._capture,
    b"BLINK": Server._blink,
    b"ERASE_CONFIRMED": Server._erase_confirmed,
}
