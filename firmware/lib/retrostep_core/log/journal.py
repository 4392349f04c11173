"""Records to a file: whole records only, kept together in one buffer and written with one flush.

A flush of a few bytes costs a flash file system as much as one of a block: it erases a block and copies the last one. So the file may have
a cheaper place (`keep`) where a flush leaves what is in the buffer; the buffer goes to the log itself when it is full, and at the end.
"""

import struct

from . import records as r


class Journal:
    """Appends records to one log. An OSError of the file never comes out of here: `failed` says that it happened.

    file         write(view) -> count, flush(), close(); may have keep(view, kept) -> bool, after which all of `view` survives a power cut,
                 the first `kept` bytes having been kept before; None: nothing can be written yet
    buffer_size  bytes that wait for the next flush (>= 262); allocated once
    seq, length  sequence number of the next record, and bytes that the file holds already
    While it has failed, records wait in the buffer as long as there is room; what finds none is lost, which `lost` counts and a reader
    sees from the sequence numbers. mend() gives it a file that works again.
    """

    def __init__(self, file=None, buffer_size: int = 512, seq: int = 0, length: int = 0):
        self._buf = bytearray(max(buffer_size, r.MAX_RECORD))
        self._view = memoryview(self._buf)
        self.begin(file, seq, length)

    def begin(self, file, seq: int = 0, length: int = 0):
        """Start on another log with the same buffer; a new log gets its magic."""
        self.file = file
        self.seq = seq & 255
        self.length = length
        self.lost = 0
        self.failed = file is None
        self.pending = 0  # bytes that are not in the log itself
        self.kept = 0  # of these, how many survive a power cut all the same
        if length == 0:
            self._buf[:4] = r.MAGIC
            self.pending = 4

    def add(self, kind: int, payload, n: int) -> bool:
        """Take the first `n` bytes of `payload` (a memoryview, so that nothing is copied) as a record; False if it is lost."""
        size = n + r.OVERHEAD
        seq = self.seq
        self.seq = (seq + 1) & 255
        if self.pending + size > len(self._buf) and not self.drain():
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
        """Everything taken so far onto the flash; True once it is there."""
        if self.failed:
            return False
        count = self.pending
        if count == self.kept:
            return True
        keep = getattr(self.file, "keep", None)
        try:
            kept = keep is not None and keep(self._view[:count], self.kept)
        except OSError:
            kept = False  # the log may still take it
        if not kept:
            return self.drain()
        self.kept = count
        return True

    def drain(self) -> bool:
        """Everything taken so far into the log itself; True once it is there."""
        if self.failed:
            return False
        count = self.pending
        if count:
            try:
                if self.file.write(self._view[:count]) != count:
                    raise OSError(28)
                self.file.flush()
            except OSError:
                self.failed = True
                return False
            self.length += count
            self.pending = self.kept = 0
        return True

    def mend(self, file, length: int):
        """Go on with `file` after a failure. It holds `length` bytes: what the failed write did bring there is not written again."""
        landed = length - self.length
        if 0 < landed <= self.pending:
            rest = self.pending - landed
            self._buf[:rest] = bytes(self._view[landed : self.pending])
            self.pending = rest
            self.kept = max(0, self.kept - landed)
        self.length = length
        self.file = file
        self.failed = False

    def close(self) -> bool:
        """Flush and close; False if the flash did not take it all."""
        done = self.drain()
        if self.file is not None:
            try:
                self.file.close()
            except OSError:
                done = False
        self.file = None
        self.failed = True
        return done
