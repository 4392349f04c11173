"""The device's half of the link: requests in, frames out, a little work at each poll (FORMATS.md, "The link")."""

import binascii
import struct
from array import array

from ..gait.limits import Limits
from ..log import records
from . import messages as m
from .frames import MAX_DATA, FrameEncoder, LineDecoder

_QUEUE = 4  # requests under way
_LOOKS = 8  # sessions looked up for a LIST in one poll: each is a search in the file system
EVENTS = 16  # events that wait for the line; more are dropped, they are for looking on only
_WATCH_MS = 60000
_U32 = 0xFFFFFFFF


class _Refuse(Exception):
    """A request that gets an ERROR; args are its code and text."""


class Server:
    """Answers requests one after the other, in memory that is allocated once; never waits and never raises for what a host sends.

    store     the logs (firmware/hal/store.py)
    wearable  identity (core_version, core_hash, device, board); clock (ticks_ms, epoch_ms, set_epoch_ms(ms, source) -> ticks_ms);
              limits (`pack()`); set_limits(Limits); status() -> messages.Status; calibration() -> messages.Calibration;
              calibrate(begin), ValueError where it cannot begin
    out       room() -> bytes that may be written now; write(view) -> bytes that were taken

    Between two calls of poll a frame may be half sent: other text may be written only while `between_frames` is true.
    It is also a sink (step, direction, cadence, alert, gap, session) whose events go to a host that watches.
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
        self._done = 0  # of the request being served: bytes sent or checked, entries listed, logs erased
        self._value = 0  # what it carries along: a CRC, the last session listed
        self._watch_ms = -1  # the watching host's last request; -1: nobody watches
        self._start_ms = 0
        self._events = array("i", bytes(4 * 7 * EVENTS))
        self._event_first = 0
        self._event_count = 0

    @property
    def between_frames(self) -> bool:
        """True while no frame is half sent."""
        return self._sent == self._length

    @property
    def busy(self) -> bool:
        """True while poll has something to do."""
        return not self.between_frames or bool(self._queue) or self._malformed or self._event_count > 0

    def feed(self, buf, n: int):
        """The first `n` bytes of `buf` arrived from the host. Requests beyond four under way are dropped: the host asks again."""
        for i in range(n):
            asked = self._lines.put(buf[i])
            if asked is None:
                continue
            if asked is LineDecoder.MALFORMED:
                self._malformed = True
                continue
            if self._watch_ms >= 0:
                self._watch_ms = self.wearable.clock.ticks_ms()
            if asked[1] == "HELLO":
                # A host introduces itself: what one before it had asked for is of no use to anybody.
                self._drop()
            if len(self._queue) < _QUEUE:
                self._queue.append(asked)

    def poll(self, now_ms: int) -> bool:
        """Send what fits, answer or advance one request; True if it did work (call again soon)."""
        if not self.between_frames:
            return self._send()
        if self._watch_ms >= 0 and now_ms - self._watch_ms > _WATCH_MS:
            self._watch_ms = -1
            self._event_count = 0
        if self._malformed and not self._value:
            # Not while a LIST or a CONFIRM is being put together: this needs the same buffer.
            self._malformed = False
            self._frame_error(0, m.MALFORMED, "not a sound request")
        elif self._queue:
            self._serve()
        elif self._event_count:
            self._next_event()
        else:
            return False
        self._send()
        return True

    def _finish(self, type: int, id: int, count: int):
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

    def _frame_error(self, id: int, code: int, text: str):
        self._finish(m.ERROR, id, m.pack_error(self._frame.payload, code, text))

    def _drop(self):
        self._queue.clear()
        self._done = 0
        self._value = 0

    def _serve(self):
        """Answer the oldest request, or a part of it."""
        id, name, args = self._queue[0]
        done = True
        try:
            answer = _ANSWERS.get(name)
            if answer is None:
                raise _Refuse(m.UNKNOWN_REQUEST, "no request has this name")
            done = answer(self, id, args)
        except _Refuse as refusal:
            self._frame_error(id, refusal.args[0], refusal.args[1])
        except OSError:
            self._frame_error(id, m.FLASH, "the flash did not read or write")
        if done:
            self._queue.pop(0)
            self._done = 0
            self._value = 0

    def _hello(self, id: int, args) -> bool:
        _count(args, 0)
        who = self.wearable.identity
        clock = self.wearable.clock
        hello = m.Hello(
            m.PROTOCOL,
            who.core_version,
            who.core_hash,
            records.VERSION,
            self.store.boot,
            clock.ticks_ms(),
            clock.epoch_ms(),
            self.store.free_bytes(),
            self._unsynced(),
            m.IN_SESSION if self.store.open_number else m.IDLE,
            who.device,
            who.board,
            self.store.life,
        )
        self._finish(m.HELLO, id, m.pack_hello(self._frame.payload, hello))
        return True

    def _unsynced(self) -> int:
        store = self.store
        count = 0
        for number in store.numbers():
            if number != store.open_number and not store.confirmed(number):
                count += 1
        return count

    def _list(self, id: int, args) -> bool:
        _count(args, 1)
        if self._done == 0 and self._value == 0:
            self._value = _number(args[0], _U32)
        store = self.store
        looks = 0
        more = False
        for session in store.numbers():
            if session <= self._value:
                continue
            if self._done == m.LIST_MOST:
                more = True
                break
            if looks == _LOOKS:
                return False  # a few at a time, so that sampling goes on meanwhile; nothing else writes into the frame until then
            looks += 1
            self._value = session
            try:
                length = store.size(session)
            except OSError:
                continue  # a broken entry must not hide the others; recovery has said that a log is damaged
            flags = m.OPEN if session == store.open_number else m.CONFIRMED if store.confirmed(session) else 0
            m.pack_entry(self._frame.payload, self._done, session, length, flags)
            self._done += 1
        self._finish(m.LIST, id, m.pack_list(self._frame.payload, self._done, more))
        return True

    def _session(self, text: str) -> int:
        session = _number(text, _U32)
        if session not in self.store.numbers():
            raise _Refuse(m.NO_SUCH_SESSION, "no such session")
        return session

    def _read(self, id: int, args) -> bool:
        _count(args, 3)
        session = self._session(args[0])
        begin = _number(args[1], _U32)
        wanted = _number(args[2], _U32)
        at = begin + self._done
        count = min(wanted - self._done, MAX_DATA, max(0, self.store.size(session) - at))
        if count > 0:
            count = self.store.read_into(session, at, self._frame.payload[4 : 4 + count])
        struct.pack_into("<I", self._frame.payload, 0, at)
        self._finish(m.DATA, id, 4 + count)
        self._done += count
        # A read that reaches the log's end before it has brought all it was asked for says so with a frame that holds nothing.
        return count == 0 or self._done == wanted

    def _confirm(self, id: int, args) -> bool:
        _count(args, 3)
        store = self.store
        session = self._session(args[0])
        length = _number(args[1], _U32)
        crc = _number(args[2], _U32)
        if session == store.open_number:
            raise _Refuse(m.BUSY, "the session is still open")
        if length != store.size(session):
            raise _Refuse(m.MISMATCH, "the log has another length")
        if self._done < length:
            # A slice at each poll, so that sampling goes on meanwhile. The frame's buffer is free: nothing is half sent.
            part = self._frame.payload[: min(MAX_DATA, length - self._done)]
            count = store.read_into(session, self._done, part)
            if count <= 0:
                raise _Refuse(m.FLASH, "the log cannot be read to its end")
            self._value = binascii.crc32(part[:count], self._value) & _U32
            self._done += count
            return False
        if self._value != crc:
            raise _Refuse(m.MISMATCH, "the log has another CRC")
        if not store.confirmed(session):
            store.confirm(session, length, crc)
        self._finish(m.OK, id, 0)
        return True

    def _clock(self, id: int, args) -> bool:
        _count(args, 1)
        epoch_ms = _number(args[0], m.EPOCH_MOST_MS)
        if epoch_ms < m.EPOCH_LEAST_MS:
            raise _Refuse(m.REFUSED, "the time is before 2020")
        ticks_ms = self.wearable.clock.set_epoch_ms(epoch_ms, records.FROM_HOST)
        struct.pack_into("<Q", self._frame.payload, 0, ticks_ms)
        self._finish(m.OK, id, 8)
        return True

    def _limits(self, id: int, args) -> bool:
        if not args:
            self._frame.payload[:24] = self.wearable.limits.pack()
            self._finish(m.LIMITS, id, 24)
            return True
        _count(args, 1)
        if len(args[0]) != 48:
            raise _Refuse(m.MALFORMED, "limits are 48 hexadecimal digits")
        try:
            limits = Limits.unpack(binascii.unhexlify(args[0]))
        except ValueError:
            raise _Refuse(m.REFUSED, "these limits are out of range") from None
        self.wearable.set_limits(limits)
        self._finish(m.OK, id, 0)
        return True

    def _status(self, id: int, args) -> bool:
        _count(args, 0)
        self._finish(m.STATUS, id, m.pack_status(self._frame.payload, self.wearable.status()))
        return True

    def _watch(self, id: int, args) -> bool:
        _count(args, 1)
        if args[0] not in ("0", "1"):
            raise _Refuse(m.MALFORMED, "WATCH takes 0 or 1")
        self._watch_ms = self.wearable.clock.ticks_ms() if args[0] == "1" else -1
        self._event_count = 0
        self._finish(m.OK, id, 0)
        return True

    def _calibrate(self, id: int, args) -> bool:
        if args:
            _count(args, 1)
            if args[0] not in ("0", "1"):
                raise _Refuse(m.MALFORMED, "CALIBRATE takes nothing, 0 or 1")
            try:
                self.wearable.calibrate(args[0] == "1")
            except ValueError as error:
                raise _Refuse(m.REFUSED, str(error)) from None
        self._finish(m.CALIBRATION, id, m.pack_calibration(self._frame.payload, self.wearable.calibration()))
        return True

    def _erase_confirmed(self, id: int, args) -> bool:
        _count(args, 0)
        store = self.store
        for session in store.numbers():
            if session != store.open_number and store.confirmed(session):
                store.erase(session)
                # One at a time, so that sampling goes on meanwhile.
                self._done += 1
                return False
        struct.pack_into("<H", self._frame.payload, 0, min(self._done, 0xFFFF))
        self._finish(m.OK, id, 2)
        return True

    def _event(self, event: int, at_ms: int, a: int, b: int, c: int, d: int, e: int):
        if self._watch_ms < 0 or self._event_count == EVENTS:
            return
        k = 7 * ((self._event_first + self._event_count) % EVENTS)
        kept = self._events
        kept[k] = event
        kept[k + 1] = at_ms
        kept[k + 2] = a
        kept[k + 3] = b
        kept[k + 4] = c
        kept[k + 5] = records.clip_i32(d)
        kept[k + 6] = records.clip_i32(e)
        self._event_count += 1

    def _next_event(self):
        k = 7 * self._event_first
        x = self._events
        self._event_first = (self._event_first + 1) % EVENTS
        self._event_count -= 1
        n = m.pack_event(self._frame.payload, x[k], x[k + 1], x[k + 2], x[k + 3], x[k + 4], x[k + 5], x[k + 6])
        self._finish(m.EVENT, 0, n)

    def _since_start(self, ms: int) -> int:
        ms -= self._start_ms
        return 0 if ms < 0 else ms if ms < 0x7FFFFFFF else 0x7FFFFFFF

    def step(self, t_ms: int, at_ms: int, direction: int):
        """Times are since boot, as for every sink; a host gets them since the session's start."""
        self._event(m.EVENT_STEP, self._since_start(at_ms), self._since_start(t_ms), direction, 0, 0, 0)

    def direction(self, at_ms: int, since_ms: int, direction: int):
        self._event(m.EVENT_DIRECTION, self._since_start(at_ms), self._since_start(since_ms), direction, 0, 0, 0)

    def cadence(self, at_ms: int, spm_x10: int):
        self._event(m.EVENT_CADENCE, self._since_start(at_ms), spm_x10, 0, 0, 0, 0)

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int):
        self._event(m.EVENT_ALERT, self._since_start(at_ms), 0, kind, severity, measured, limit)

    def gap(self, from_ms: int, to_ms: int):
        self._event(m.EVENT_GAP, self._since_start(to_ms), self._since_start(from_ms), 0, 0, 0, 0)

    def session(self, start_ms: int, number: int, started: bool):
        """A session has started at `start_ms`, or the one that did so has ended."""
        self._start_ms = start_ms
        self._event(m.EVENT_SESSION, 0, number & 0x7FFFFFFF, 1 if started else 0, 0, 0, 0)


def _count(args, wanted: int):
    if len(args) != wanted:
        raise _Refuse(m.MALFORMED, "this request takes %d arguments" % wanted)


def _number(text: str, top: int) -> int:
    """A decimal number of 0..`top`."""
    value = 0
    for char in text:
        if not "0" <= char <= "9":
            raise _Refuse(m.MALFORMED, "an argument is not a decimal number")
        value = value * 10 + ord(char) - 48
        if value > top:
            raise _Refuse(m.REFUSED, "a number is out of range")
    return value


_ANSWERS = {
    "HELLO": Server._hello,
    "LIST": Server._list,
    "READ": Server._read,
    "CONFIRM": Server._confirm,
    "CLOCK": Server._clock,
    "LIMITS": Server._limits,
    "STATUS": Server._status,
    "WATCH": Server._watch,
    "CALIBRATE": Server._calibrate,
    "ERASE_CONFIRMED": Server._erase_confirmed,
}
