"""Session logs on the board's flash: /logs/FFFFFFFF/NNNNNNNN.rsl or .rsc, /tail/0 to 4 and /state.bin (FORMATS.md, "Where a log is").

LittleFS keeps two promises: what was closed or flushed before a power cut is there after it, and a rename is one step.
A flush of a log's file erases a block and copies the last one. A file of at most 128 bytes needs no block, and about one erase in thirty
flushes. So the last bytes of the open log are kept in such files, the tail, until they fill a block.
A log is only ever appended to. MicroPython cannot shorten a file, and a copy would put good data at risk. So a torn record stays where it
is: readers skip it by its CRC, and the next record follows it.

Flash takes time, reads included. LittleFS reads a folder from its start for every name, and compacts it in a time that grows faster than
the number of its files. So a folder has eight logs, the index of all logs is in RAM, and `tend` does what can be done ahead while no log
is open: it creates the next log, and makes room.
"""

import os
import struct
from binascii import crc32
from errno import EEXIST, EIO

from retrostep_core.constants import const
from retrostep_core.log import tail

from hal import unload
from hal.log_index import LogIndex

# As in hal/log_index.py.
_PRESENT = const(1)
_CONFIRMED = const(2)
_OLD_PLACE = const(4)
_FOLDER_SESSIONS = const(8)
_BLOCK_BYTES = const(4096)
# LittleFS keeps a file of at most so many bytes in its folder.
_INLINE_BYTES = const(512)
# After so many appended bytes the free space is counted again, once so little is left that it matters.
_COUNT_AGAIN_BYTES = const(8192)
_COUNT_BELOW_BYTES = const(262144)


class LogFile:
    """The file of the open log. `flushed` bytes are in it after a power cut, and `in_tail` more are in the tail."""

    def __init__(self, store: object, number: int, file: object, length: int) -> None:
        self._store = store
        self._file = file
        self._length = length
        self.number = number
        self.flushed = length
        self.in_tail = 0

    def write(self, data: object) -> int:
        """Append `data` and return its length in bytes. OSError where the flash is full or fails."""
        self._file.write(data)
        self._length += len(data)
        self._store.log_grew(len(data))
        return len(data)

    def flush(self) -> None:
        """The bytes written so far survive a power cut after this; OSError where the flash is full or fails."""
        self._file.flush()
        self.flushed = self._length
        self.in_tail = 0
        self._store.log_flushed(self.number)

    def write_tail(self, view: object, done: int) -> bool:
        """Put `view`, which follows the flushed bytes, into the tail. Its first `done` bytes are there already.

        True: all of it survives a power cut. False: the tail cannot take it; write and flush instead. OSError where the flash fails.
        """
        if not self._store.write_tail(self.number, self.flushed, view, done):
            return False
        self.in_tail = len(view)
        return True

    def close(self) -> None:
        """Flush and close. It may be called twice. OSError where the flash fails; the log is closed in that case too."""
        try:
            self._file.close()
        finally:
            self._store.log_closed(self)


class LogStore:
    """The session logs under `root` ("" is the board's own file system). The constructor raises `boot` by one and saves it.

    boot           number of this boot, from 1
    generation     tells these numbers from those that the device used before its flash was erased
    state_damaged  state.bin could not be read; boot and session numbers were taken from the logs
    write_failed   something could not be written
    unreadable     the file system cannot be read completely. Read-only from now on, so that a rescue can recover the data
    tail_session   the last bytes of this session are in the tail and not in its log's file, as on a full flash; 0 for none. Its size and
                   what is read of it include the tail

    For hal/store_upkeep.py: `root`; the `index`; `capacity` of the flash in bytes; `reserved`, a number that has no log yet; `ahead`, the
    session whose empty log exists already; `folder_made`, the newest folder; `empty_folders`; `has_old_logs`, of older firmware;
    `must_count`: the free space has to be counted.

    Methods that write raise OSError where the flash is full or fails, or where the store is unreadable.
    """

    def __init__(self, root: str = "") -> None:
        from hal import store_start

        self.root = root
        self._open_log: LogFile | None = None
        self._reader: object = None
        self._reader_session = 0
        self._reader_length = 0
        self.index = LogIndex()
        # Bytes that were free at the last count, bytes that were used since, and the size of the flash.
        self._free = self._grown = self.capacity = 0
        self.unreadable = self.write_failed = False
        self.tail_session = 0
        self._tail_length = 0
        self.reserved = self.ahead = 0
        self.folder_made = -1
        self.empty_folders = []
        self.has_old_logs = self.must_count = self._rests = False
        highest = 0
        is_empty = False
        try:
            self._count()
            highest, is_empty, self.empty_folders = store_start.find_logs(root, self.index)
            self.has_old_logs = "sessions" in os.listdir(root or "/")
        except OSError:
            self.unreadable = True
        self.boot, self.next_number, self.generation, self.state_damaged = store_start.load_state(self, root, highest)
        self.boot += 1
        try:
            self._save_state()
        except OSError:
            # A full flash must not keep the board from starting. No log is created before its number is saved.
            self.write_failed = True
        try:
            self._find_tail()
            if is_empty and self.tail_session != highest:
                # It was created ahead, or its session was cut short before anything was flushed.
                self.index.put(highest, 0)
                self.ahead = highest
            self._append_tail()
        except OSError:
            # The tail stays as it is until the log that it belongs to can take it.
            self.write_failed = True
        unload("store_start folder", "hal.")

    @property
    def open_number(self) -> int:
        """The session with the open log, or 0."""
        return 0 if self._open_log is None else self._open_log.number

    @property
    def unsynced(self) -> int:
        """The number of closed logs that no host has confirmed."""
        return self.index.count - self.index.confirmed - (1 if self._open_log is not None else 0)

    def next_session(self) -> int:
        """A session number that this generation never used before, saved on flash first."""
        number = self.ahead or self.reserved or self.reserve()
        self.reserved = 0
        self.write_failed = False
        return number

    def create(self, session: int) -> LogFile:
        """The new, empty log of `session`; OSError(EEXIST) if there is one."""
        if self.index.get(session):
            raise OSError(EEXIST)
        try:
            self._append_tail()
        except OSError:
            # The tail still belongs to the earlier log. The new one has none.
            self.write_failed = True
        if session != self.ahead:
            self.make_folder(session)
        # Where the log that was created ahead cannot be opened, the next attempt creates another one.
        self.ahead = 0
        file = LogFile(self, session, open(self.path(session, _PRESENT), "ab"), 0)
        self.index.put(session, _PRESENT)
        self._open_log = file
        return file

    def append(self, session: int) -> LogFile:
        """The log of `session`, to be continued after its last byte. It is unconfirmed from now on."""
        self._check_writable()
        if session == self.tail_session:
            self._append_tail()
        self._close_reader()
        length = self.size(session)
        if self.confirmed(session):
            os.rename(self.path(session), self.path(session, _PRESENT))
            self.index.put(session, _PRESENT)
        file = LogFile(self, session, open(self.path(session), "ab"), length)
        self._open_log = file
        return file

    def following(self, session: int) -> int:
        """The next session above `session` that has a log; 0 for none."""
        return self.index.following(session)

    def preceding(self, session: int) -> int:
        """The next session below `session` that has a log; 0 for none."""
        return self.index.preceding(session)

    def holds(self, session: int) -> bool:
        """Whether there is a log of `session`."""
        return self.index.get(session) > 0

    def size(self, session: int) -> int:
        """Length of the log in bytes, flushed bytes only; OSError where there is none."""
        if session == self.open_number:
            return self._open_log.flushed + self._open_log.in_tail
        if session == self._reader_session:
            # It does not grow while it is read, and a lookup takes as long as reading a kilobyte.
            return self._reader_length
        return os.stat(self.path(session))[6] + self._in_tail(session)

    def read_into(self, session: int, offset: int, buf: object) -> int:
        """Fill `buf` from `offset` of the log; the number of bytes is returned, 0 at its end. OSError where there is no such log."""
        size = self.size(session)
        length = size - offset
        if length <= 0:
            return 0
        is_open = session == self.open_number
        if is_open or session != self._reader_session:
            # A file that was opened for reading does not see what is appended later.
            self._close_reader()
            self._reader = open(self.path(session), "rb")
            self._reader_session = session
            self._reader_length = size
        view = memoryview(buf)[: min(length, len(buf))]
        in_file = self._open_log.flushed if is_open else size - self._in_tail(session)
        n = 0
        if offset < in_file:
            self._reader.seek(offset)
            n = self._reader.readinto(view)
        if offset + len(view) > in_file:
            n = self._read_tail(offset - in_file, view, n)
        return n

    def write_tail(self, session: int, length: int, view: object, done: int) -> bool:
        """Put `view`, which follows the first `length` bytes of a log, into the tail; see LogFile.write_tail."""
        if self.unreadable or len(view) > tail.PIECE_BYTES * tail.PIECES or self.tail_session not in (0, session):
            return False
        # The last piece first. Without the pieces before it it does not count, so a cut in between leaves complete records.
        for piece in range((len(view) - 1) // tail.PIECE_BYTES, done // tail.PIECE_BYTES - 1, -1):
            at = piece * tail.PIECE_BYTES
            with open(self._piece_path(piece), "wb") as file:
                file.write(tail.pack_piece(session, length + at, view[at : at + tail.PIECE_BYTES]))
        self.tail_session = session
        return True

    def truncate(self, session: int, length: int) -> bool:
        """True if the log has `length` bytes. A longer one cannot be cut (see the module's text)."""
        return self.size(session) == length

    def confirm(self, session: int, length: int) -> None:
        """Record that a host has archived the first `length` bytes of the log. Nothing changes if it has more."""
        self._check_writable()
        self._close_reader()
        if length != self.size(session) or self.confirmed(session):
            return
        self._rests = False
        if self.index.get(session) & _OLD_PLACE:
            from hal import migration

            migration.move(self, self.root, self.index, session, True)
            return
        os.rename(self.path(session), self.path(session, _PRESENT | _CONFIRMED))
        self.index.put(session, _PRESENT | _CONFIRMED)

    def confirmed(self, session: int) -> bool:
        """True if a host has archived all of the log."""
        return self.index.get(session) & _CONFIRMED > 0

    def first_confirmed(self) -> int:
        """The oldest session whose log a host has archived; 0 for none."""
        return self.index.following(0, _CONFIRMED)

    def erase(self, session: int) -> None:
        """Remove a confirmed log, or an empty one; ValueError if the log is neither."""
        size = self.size(session)
        if size and not self.confirmed(session):
            raise ValueError("session %d is not confirmed by a host" % session)
        self._check_writable()
        self._close_reader()
        os.remove(self.path(session))
        if session == self.tail_session:
            self.tail_session = 0
        self.index.put(session, 0)
        if size > _INLINE_BYTES:
            self._grown -= (size + _BLOCK_BYTES - 1) // _BLOCK_BYTES * _BLOCK_BYTES
        if not self.index.has_folder(session):
            self.empty_folders.append(session // _FOLDER_SESSIONS * _FOLDER_SESSIONS)
        self.must_count = True
        self._rests = False

    def tend(self) -> bool:
        """Do one slice of work ahead, while no log is open; False if there was none. It takes at most 300 ms."""
        if self.unreadable or self._open_log is not None or self._rests:
            return False
        # Imported here: the app frees it while a session is open.
        from hal import store_upkeep

        try:
            return store_upkeep.step(self)
        except OSError:
            self._rests = True
            return False

    def free_bytes(self) -> int:
        """Free flash in bytes. A count visits every block, so it is seldom repeated while there is enough."""
        if self._grown > _COUNT_AGAIN_BYTES and self._free - self._grown < _COUNT_BELOW_BYTES:
            self.count_free()
        return self._free - self._grown if self._free > self._grown else 0

    def count_free(self) -> None:
        """Count the free flash now. Where the file system cannot say, the last count stays."""
        self.must_count = False
        try:
            self._count()
        except OSError:
            self._grown = 0

    def log_grew(self, count: int) -> None:
        """From LogFile: `count` bytes were appended to the open log."""
        self._grown += count

    def log_flushed(self, session: int) -> None:
        """From LogFile: the log's file holds everything, the tail nothing of it."""
        if self.tail_session == session:
            self.tail_session = 0

    def log_closed(self, file: LogFile) -> None:
        """From LogFile: `file` is no longer open."""
        if self._open_log is file:
            self._open_log = None
            self._close_reader()
            self.must_count = True
            self._rests = False
            self._measure_tail()

    def path(self, session: int, marks: int = 0) -> str:
        """The path of a log, as the index or `marks` (log_index.py) have it."""
        marks = marks or self.index.get(session)
        if marks & _OLD_PLACE:
            return "%s/sessions/%08d.rsl" % (self.root, session)
        return "%s/%08d%s" % (self.folder(session), session, ".rsc" if marks & _CONFIRMED else ".rsl")

    def folder(self, session: int) -> str:
        """The path of the folder of eight logs to which `session` belongs."""
        return "%s/logs/%08d" % (self.root, session // _FOLDER_SESSIONS * _FOLDER_SESSIONS)

    def make_folder(self, session: int) -> None:
        """Make the folder of `session`, if there is none."""
        try:
            os.mkdir(self.folder(session))
            self._grown += 2 * _BLOCK_BYTES
        except OSError as error:
            if error.errno != EEXIST:
                raise
        self.folder_made = session // _FOLDER_SESSIONS

    def reserve(self) -> int:
        """A new session number, saved on flash."""
        number = self.next_number
        self.next_number += 1
        self._save_state()
        self.reserved = number
        return number

    def _count(self) -> None:
        facts = os.statvfs(self.root or "/")
        # LittleFS counts the blocks of an open log twice. It can count more than there are, and its free blocks wrap below 0.
        self._free = facts[1] * facts[4] if facts[4] <= facts[2] else 0
        self.capacity = facts[1] * facts[2]
        self._grown = 0

    def _check_writable(self) -> None:
        if self.unreadable:
            raise OSError(EIO)

    def _piece_path(self, number: int) -> str:
        return "%s%s/%d" % (self.root, tail.FOLDER, number)

    def _read_piece(self, number: int) -> bytes:
        """The file of a piece, b"" for none. One byte more is read, so that a longer file counts as damaged."""
        try:
            with open(self._piece_path(number), "rb") as file:
                return file.read(tail.PIECE_FILE_BYTES + 1)
        except OSError:
            return b""

    def _read_tail(self, offset: int, view: object, n: int) -> int:
        """Fill `view` from byte `n` on, from the tail; byte 0 of `view` is byte `offset` of the tail. The new `n` is returned."""
        while n < len(view):
            at = offset + n
            skip = at % tail.PIECE_BYTES
            data = tail.unpack_piece(self._read_piece(at // tail.PIECE_BYTES))[2][skip : skip + len(view) - n]
            if not data:
                break
            view[n : n + len(data)] = data
            n += len(data)
        return n

    def _find_tail(self) -> None:
        """Find the session that the tail was last written for. Its log may hold those bytes by now."""
        self._check_writable()
        if "tail" not in os.listdir(self.root or "/"):
            os.mkdir(self.root + tail.FOLDER)
        session = tail.unpack_piece(self._read_piece(0))[0]
        self.tail_session = session if self.holds(session) else 0
        self._measure_tail()

    def _append_tail(self) -> None:
        """Append the tail to its log; OSError where that fails, and then the tail stays."""
        if self.tail_session:
            self._close_reader()
            rest = self._tail()
            if rest:
                with open(self.path(self.tail_session), "ab") as file:
                    file.write(rest)
            self.tail_session = 0

    def _tail(self) -> bytes:
        """What the tail adds to the file of `tail_session`."""
        pieces = [self._read_piece(k) for k in range(tail.PIECES)]
        return tail.tail_of(pieces, self.tail_session, os.stat(self.path(self.tail_session))[6])

    def _measure_tail(self) -> None:
        """Note how long the tail of a log is that is not open: a read of five files."""
        if self.tail_session:
            self._tail_length = len(self._tail())

    def _in_tail(self, session: int) -> int:
        """How many bytes of a log that is not open are in the tail only."""
        return self._tail_length if session == self.tail_session else 0

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
            self._reader_session = 0

    def _save_state(self) -> None:
        self._check_writable()
        body = struct.pack("<III", self.boot, self.next_number, self.generation)
        # LittleFS replaces the content of a file in one step, when the file is closed.
        with open(self.root + "/state.bin", "wb") as file:
            file.write(body + struct.pack("<I", crc32(body)))
