"""The firmware broken on purpose, one promise each: the cuts must find it. `CONTROLS[name][0]()` does it for this process."""

import os
import struct
from binascii import crc32

from hal.store import LogFile, Store
from retrostep_core.log import interrupted, journal, records, session


def as_it_is():
    """Nothing is broken."""


def flushes_late():
    """Records wait for twelve seconds."""
    session._FLUSH_MS = 12000
    session._LATE_MS = 12500


def marks_late():
    """A mark waits for the next flush, as steps do."""

    def mark(self, now_ms, mark):
        self.start(now_ms)
        self._put(now_ms, records.MARK, records.pack_mark(self._payload, self._since_start(now_ms), mark))

    session.Session.mark = mark


def acknowledges_early():
    """A flush says that it is done when the one before it is."""
    honest = LogFile.flush
    keeps = LogFile.keep

    def keep(self, view, kept):
        if getattr(self, "view", None):
            keeps(self, self.view, 0)
        self.view = bytes(view)
        self.kept = len(view)
        return True

    def write(self, data):
        self.held = getattr(self, "held", b"") + bytes(data)
        self._written += len(data)
        return len(data)

    def flush(self):
        honest(self)
        self._file.write(getattr(self, "held", b""))
        self.held = b""

    def close(self):
        self._file.write(getattr(self, "held", b""))
        self.held = b""
        self._file.close()
        self._store.closed(self)

    LogFile.keep, LogFile.write, LogFile.flush, LogFile.close = keep, write, flush, close


def confirms_early():
    """CONFIRM is answered when its .ok is decided upon, which is written with the next deletion."""
    honest = Store.confirm
    erase = Store.erase
    waiting = []

    def confirm(self, session, length, crc):
        waiting.append((session, length, crc))
        self._confirmed.add(session)

    def erases(self, session):
        while waiting:
            honest(self, *waiting.pop())
        erase(self, session)

    Store.confirm, Store.erase = confirm, erases


def erases_unsynced():
    """Room is made with the oldest log, whoever has it."""

    def erase(self, session):
        os.remove(self._path(session))
        self._numbers.remove(session)
        self._confirmed.discard(session)
        self.recount()

    def make_room(store, wanted):
        oldest = store.numbers()[:1]
        if store.free_bytes() < wanted and oldest and oldest[0] != store.open_number:
            store.erase(oldest[0])
        return store.free_bytes()

    Store.erase = erase
    session.make_room = make_room


def rewrites():
    """Recovery writes the log anew, END included, instead of appending to it."""

    def close(store, number, size, boot):
        data = bytearray(size)
        store.read_into(number, 0, data)
        end = bytearray(64)
        payload = bytearray(25)
        account = interrupted._account(lambda offset, into: store.read_into(number, offset, into), size, bytearray(512), (0, None))
        n = records.pack_end(payload, account.moved_ms, records.INTERRUPTED, *account.totals())
        seq = len([1 for _ in interrupted.walk(lambda offset, into: store.read_into(number, offset, into), size, bytearray(512))])
        n = records.pack_record(end, records.END, seq, payload[:n])
        store._forget_reading()
        with open(store._path(number), "wb") as file:
            for part in (data, end[:n]):
                file.write(part)
                file.flush()
        return 1, 0

    interrupted.close = close


def forgets_numbers():
    """The next session's number is not kept before it is given."""

    def next_session(self):
        self._next += 1
        return self._next - 1

    Store.next_session = next_session


def forgets_boots():
    """The boot number is kept once a session is closed."""
    honest = Store._save

    def save(self):
        if self._numbers:
            honest(self)

    Store._save = save


def renames_nothing():
    """state.bin is written in place."""

    def save(self):
        body = struct.pack("<II", self.boot, self._next)
        with open(self._root + "/state.bin", "wb") as file:
            for part in (body, struct.pack("<I", crc32(body))):
                file.write(part)
                file.flush()

    Store._save = save


def closes_nothing():
    """A session that was cut stays open."""
    interrupted.close = lambda store, number, size, boot: (0, 0)


def writes_the_tail_forward():
    """A flush that reaches into the next piece of the tail fills the one before it first."""
    honest = Store.keep

    def keep(self, session, length, view, kept):
        for end in range((kept // 116 + 1) * 116, len(view), 116):
            honest(self, session, length, view[:end], kept)
            kept = end
        return honest(self, session, length, view, kept)

    Store.keep = keep


def leaves_the_tail():
    """A start does not give the tail to its log."""
    honest = Store._find_tail

    def find(self):
        honest(self)
        self.tail_of = 0

    Store._find_tail = find


def buffers_twice():
    """The journal takes its own word for a flush whenever less than 100 bytes wait."""
    honest = journal.Journal.flush

    def flush(self):
        return True if not self.failed and self.pending < 100 else honest(self)

    journal.Journal.flush = flush


# Name: what breaks it, and the life in which it shows.
CONTROLS = {
    "as-it-is": (as_it_is, ""),
    "flushes-late": (flushes_late, "worn"),
    "marks-late": (marks_late, "worn"),
    "acknowledges-early": (acknowledges_early, "worn"),
    "confirms-early": (confirms_early, "short"),
    "erases-unsynced": (erases_unsynced, "short"),
    "rewrites": (rewrites, "short"),
    "forgets-numbers": (forgets_numbers, "worn"),
    "forgets-boots": (forgets_boots, "worn"),
    "renames-nothing": (renames_nothing, "short"),
    "closes-nothing": (closes_nothing, "worn"),
    "writes-the-tail-forward": (writes_the_tail_forward, "worn"),
    "leaves-the-tail": (leaves_the_tail, "short"),
    "buffers-twice": (buffers_twice, "worn"),
}
