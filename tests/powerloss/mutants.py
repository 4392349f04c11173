"""Deliberate faults in the firmware. Each breaks one promise, and the cuts must find it. `MUTANTS[name][0]()` applies one."""

import os
import struct
from binascii import crc32

from hal import migration
from hal.store import LogFile, LogStore
from retrostep_core import codes
from retrostep_core.log import decoded, interrupted, open_log, record_writer, records, session_log
from support.disk import numbers

PRESENT = 1  # as in hal/log_index.py


def unchanged():
    """No fault."""


def flushes_late():
    """Records wait twelve seconds for their flush."""
    open_log.FLUSH_MS = 12000
    open_log.FLUSH_LATE_MS = 12500


def marks_late():
    """A mark waits for the next regular flush, as steps do."""

    def mark(self, now_ms, mark):
        self.start(now_ms)
        self._log.put(now_ms, records.MARK, records.pack(self._log.payload, records.MARK, self._since_start(now_ms), mark))

    session_log.SessionLog.mark = mark


def acknowledges_early():
    """A flush returns when only the previous one is complete."""
    honest = LogFile.flush
    keeps = LogFile.write_tail

    def write_tail(self, view, done):
        if getattr(self, "view", None):
            keeps(self, self.view, 0)
        self.view = bytes(view)
        self.in_tail = len(view)
        return True

    def write(self, data):
        self.held = getattr(self, "held", b"") + bytes(data)
        self._length += len(data)
        return len(data)

    def flush(self):
        honest(self)
        self._file.write(getattr(self, "held", b""))
        self.held = b""

    def close(self):
        self._file.write(getattr(self, "held", b""))
        self.held = b""
        self._file.close()
        self._store.log_closed(self)

    LogFile.write_tail, LogFile.write, LogFile.flush, LogFile.close = write_tail, write, flush, close


def confirms_early():
    """CONFIRM is answered before its log is renamed, which happens at the next erase."""
    honest = LogStore.confirm
    erase = LogStore.erase
    waiting = []

    def confirm(self, session, length):
        waiting.append((session, length))

    def erases(self, session):
        while waiting:
            honest(self, *waiting.pop())
        erase(self, session)

    LogStore.confirm, LogStore.erase = confirm, erases


def erases_unsynced():
    """The oldest log is erased for room, even if no host has it."""

    def erase(self, session):
        os.remove(self.path(session))
        self.index.put(session, 0)
        self.count_free()

    def make_room(store, wanted):
        oldest = numbers(store)[:1]
        if store.free_bytes() < wanted and oldest and oldest[0] < 3:
            store.erase(oldest[0])
        return store.free_bytes()

    LogStore.erase = erase
    session_log.make_room = make_room


def rewrites():
    """Recovery writes the whole log again, with its END, instead of appending to it."""

    def close(store, number, size, boot):
        data = bytearray(size)
        store.read_into(number, 0, data)
        end = bytearray(64)
        payload = bytearray(25)
        counted = interrupted._count(lambda offset, into: store.read_into(number, offset, into), size, bytearray(512), (0, None))
        n = records.pack(payload, records.END, counted.end_ms(), codes.END_INTERRUPTED, *counted.totals())
        seq = len([1 for _ in interrupted.records_in(lambda offset, into: store.read_into(number, offset, into), size, bytearray(512))])
        n = decoded.pack_record(end, records.END, seq, payload[:n])
        store._close_reader()
        with open(store.path(number), "wb") as file:
            for part in (data, end[:n]):
                file.write(part)
                file.flush()
        return 1, 0

    interrupted.close = close


def forgets_numbers():
    """A new session's number is used before it is stored."""

    def next_session(self):
        self.next_number += 1
        return self.next_number - 1

    LogStore.next_session = next_session
    LogStore.tend = lambda self: False


def forgets_boots():
    """The boot number is stored only once there is a session."""
    honest = LogStore._save_state

    def save(self):
        if numbers(self):
            honest(self)

    LogStore._save_state = save


def saves_in_parts():
    """state.bin is flushed before it is complete."""

    def save(self):
        body = struct.pack("<II", self.boot, self.next_number)
        with open(self.root + "/state.bin", "wb") as file:
            for part in (body, struct.pack("<I", crc32(body))):
                file.write(part)
                file.flush()

    LogStore._save_state = save


def closes_nothing():
    """A session that was interrupted is not closed."""
    interrupted.close = lambda store, number, size, boot: (0, 0)


def writes_the_tail_forward():
    """A flush that spans several tail files writes the first of them first."""
    honest = LogStore.write_tail

    def write_tail(self, session, length, view, done):
        for end in range((done // 116 + 1) * 116, len(view), 116):
            honest(self, session, length, view[:end], done)
            done = end
        return honest(self, session, length, view, done)

    LogStore.write_tail = write_tail


def leaves_the_tail():
    """A start does not append the tail to its log."""
    honest = LogStore._find_tail

    def find(self):
        honest(self)
        self.tail_session = 0

    LogStore._find_tail = find


def moves_by_copying():
    """A log of the old layout is copied to its new place in parts, and the old one removed before the last part."""

    def move(store, root, index, session, confirmed):
        before = store.path(session)
        store.make_folder(session)
        index.put(session, 0)
        with open(before, "rb") as file:
            data = file.read()
        with open(store.path(session, PRESENT), "wb") as file:
            file.write(data[:20])
            file.flush()
            os.remove(before)
            file.write(data[20:])
        index.put(session, PRESENT)

    migration.move = move


def moves_as_confirmed():
    """Each log of the old layout counts as confirmed once it has moved."""
    migration._was_confirmed = lambda store, root, session: True


def buffers_twice():
    """The writer reports a flush without one while fewer than 100 bytes wait."""
    honest = record_writer.RecordWriter.flush

    def flush(self):
        return True if not self.failed and self.pending < 100 else honest(self)

    record_writer.RecordWriter.flush = flush


# Name: (function that applies it, scenario that reveals it).
MUTANTS = {
    "unchanged": (unchanged, ""),
    "flushes-late": (flushes_late, "training"),
    "marks-late": (marks_late, "training"),
    "acknowledges-early": (acknowledges_early, "training"),
    "confirms-early": (confirms_early, "low-flash"),
    "erases-unsynced": (erases_unsynced, "low-flash"),
    "rewrites": (rewrites, "low-flash"),
    "forgets-numbers": (forgets_numbers, "training"),
    "forgets-boots": (forgets_boots, "training"),
    "saves-in-parts": (saves_in_parts, "low-flash"),
    "closes-nothing": (closes_nothing, "training"),
    "writes-the-tail-forward": (writes_the_tail_forward, "training"),
    "leaves-the-tail": (leaves_the_tail, "low-flash"),
    "moves-by-copying": (moves_by_copying, "old-layout"),
    "moves-as-confirmed": (moves_as_confirmed, "old-layout"),
    "buffers-twice": (buffers_twice, "training"),
}
