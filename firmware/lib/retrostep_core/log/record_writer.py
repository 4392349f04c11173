"""Records into the file of a log. They wait in one buffer, complete records only, and are written with one flush.

A flush of a few bytes costs a flash file system as much as a flush of a block: it erases a block and copies the last one. So a file may
have a cheaper place, the tail, where a flush leaves what is in the buffer. The buffer goes to the log itself when it is full and at the
end.
"""

import struct

from ..constants import const
from . import records as r

_NO_SPACE = const(28)  # ENOSPC


class RecordWriter:
    """Appends records to one log. No OSError of the file leaves this class; `failed` reports it.

    file         write(view) -> count, flush(), close(), write_tail(view, done) -> bool. write_tail puts all of `view` where it survives
                 a power cut; its first `done` bytes are there already. False: it has no such place. None: there is no file yet
    size  bytes that can wait for the next flush (at least 262), allocated once
    seq, length  sequence number of the next record, and bytes that the file holds already
    is_bulk      attribute: a full buffer is written without a flush, which comes with the next flush(). For much data: each flush of a
                 block that is not full costs an erase

    After a failure records wait in the buffer while there is room. A record that finds none is lost: `lost` counts it, and a reader sees
    it from the sequence numbers. resume() continues with a file that works.
    """

    def __init__(self, file=None, size: int = 512, seq: int = 0, length: int = 0):
        self._buf = bytearray(max(size, r.MAX_RECORD))
        self._view = memoryview(self._buf)
        self.is_bulk = False
        self.begin(file, seq, length)

    def begin(self, file, seq: int = 0, length: int = 0):
        """Start on another log with the same buffer. A new log gets its magic."""
        self._file = file
        self.seq = seq & 255
        self.length = length
        self.lost = 0
        self.failed = file is None
        self.pending = 0  # bytes that are not in the log's own file
        self._in_tail = 0  # how many of them survive a power cut all the same
        self._is_unflushed = False  # the file has bytes that may not survive one
        if length == 0:
            self._buf[:4] = r.MAGIC
            self.pending = 4

    def add(self, kind: int, payload, n: int) -> bool:
        """Take the first `n` bytes of `payload` (a memoryview, so that nothing is copied) as a record; False if it is lost."""
        size = n + r.OVERHEAD
        seq = self.seq
        self.seq = (seq + 1) & 255
        if self.pending + size > len(self._buf) and not self.drain(not self.is_bulk):
            self.lost += 1
            return False
        at = self.pending
        buf = self._buf
        buf[at] = kind
        buf[at + 1] = seq
        buf[at + 2] = n
        self._view[at + 3 : at + 3 + n] = payload[:n]
        struct.pack_into("<I", buf, at + 3 + n, r.crc32(self._view[at : at + 3 + n]))
        self.pending = at + size
        return True

    def flush(self) -> bool:
        """Bring everything taken so far onto the flash; True if it survives a power cut now."""
        if self.failed:
            return False
        if self._is_unflushed:
            return self.drain()
        count = self.pending
        if count == self._in_tail:
            return True
        try:
            done = self._file.write_tail(self._view[:count], self._in_tail)
        except OSError:
            done = False  # the log's own file may still take it
        if not done:
            return self.drain()
        self._in_tail = count
        return True

    def drain(self, flushed: bool = True) -> bool:
        """Bring everything taken so far into the log's own file; False if that failed. It survives a power cut if it is `flushed`."""
        if self.failed:
            return False
        count = self.pending
        if count or self._is_unflushed:
            try:
                if count and self._file.write(self._view[:count]) != count:
                    raise OSError(_NO_SPACE)
                if flushed:
                    self._file.flush()
            except OSError:
                self.failed = True
                return False
            self._is_unflushed = not flushed
            self.length += count
            self.pending = self._in_tail = 0
        return True

    def resume(self, file, length: int):
        """Continue with `file` after a failure. It holds `length` bytes: what the failed write did append is not written again."""
        appended = length - self.length
        if 0 < appended <= self.pending:
            rest = self.pending - appended
            self._buf[:rest] = bytes(self._view[appended : self.pending])
            self.pending = rest
            self._in_tail = max(0, self._in_tail - appended)
        self.length = length
        self._file = file
        self.failed = False
        self._is_unflushed = False

    def release(self) -> bool:
        """Close the file without writing what is pending; False if that failed."""
        done = True
        if self._file is not None:
            try:
                self._file.close()
            except OSError:
                done = False
        self._file = None
        self.failed = True
        return done

    def close(self) -> bool:
        """Write what is pending and close the file; False if the flash did not take all of it."""
        written = self.drain()
        return self.release() and written
