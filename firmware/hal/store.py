"""Session logs on the board's flash: /sessions/NNNNNNNN.rsl, their .ok, /tail and /state.bin (FORMATS.md).

LittleFS gives the promises: what was flushed before a power cut is there after it, and a rename replaces a file in one step. It erases a
block and copies the last one for each flush of a log, but only every thirtieth time or so for a file of at most 128 bytes, which it keeps
among its entries. So the last bytes of the log under way stand in such files, /tail/0 to 4, until they are worth a block.
A log is only ever appended to. MicroPython cannot shorten a file, and copying one would put good data at risk, so a torn tail is
left where it is: readers skip it by its CRC, and what is appended follows it.
"""

import os
import struct
from binascii import crc32

from hal.modules import forget

# Bytes appended between two counts of what is left.
_RECOUNT_BYTES = 8192
# ROOM and PIECES of hal/tail.py, which is not always there.
_PIECE = 116
_PIECES = 5


class LogFile:
    """A log under way: write, flush, close. `flushed` is the length a power cut leaves."""

    def __init__(self, store: "Store", number: int, file: object, length: int) -> None:
        self._store = store
        self._file = file
        self._written = length
        self.number = number
        self.flushed = length
        self.kept = 0  # bytes behind that which the tail holds

    def write(self, data: object) -> int:
        """Append; OSError where the flash is full or broken."""
        self._file.write(data)
        self._written += len(data)
        self._store.wrote(len(data))
        return len(data)

    def flush(self) -> None:
        """After this the bytes written survive a power cut."""
        self._file.flush()
        self.flushed = self._written
        self.kept = 0
        if self._store.tail_of == self.number:
            self._store.tail_of = 0

    def keep(self, view: object, kept: int) -> bool:
        """`view` belongs behind what is flushed. The tail holds it after this, as its first `kept` bytes before; False: it cannot."""
        if not self._store.keep(self.number, self.flushed, view, kept):
            return False
        self.kept = len(view)
        return True

    def close(self) -> None:
        """Flush and let go; closing twice is no fault."""
        try:
            self._file.close()
        finally:
            self._store.closed(self)


class Store:
    """The logs under `root` ("" is the board's own file system). `boot` has risen by one when the constructor returns.

    `life` tells these numbers from those that the same device gave before its flash was erased.

    `damaged`: state.bin could not be read and the numbers were found in the logs instead. `stuck`: something could not be written.
    `broken`: the file system cannot be read whole. Nothing is written to it then, whatever is asked: what is there stays for a rescue.
    """

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._folder = root + "/sessions"
        self.writing = None
        self._reading = None
        self._reading_number = 0
        self._reading_length = 0
        self._numbers = []
        self._confirmed = set()
        self._unsaved = 0
        self._free = 0
        self.broken = self.stuck = False
        self.tail_of = 0  # the session whose last bytes the tail holds and its log does not
        highest = 0
        try:
            self._count()
            highest = self._list()
        except OSError:
            self.broken = True
        self.boot, self._next, self.life, self.damaged = self._load(highest)
        self.boot += 1
        try:
            self._save()
        except OSError:
            # A full flash must not keep the board from starting; no log opens before the number is saved.
            self.stuck = True
        try:
            self._find_tail()
            self._settle()
        except OSError:
            # The tail stays, and is not written to, until its session's log takes it.
            self.stuck = True
        self.recount()

    @property
    def open_number(self) -> int:
        """The session being written, or 0."""
        return 0 if self.writing is None else self.writing.number

    @property
    def unsynced(self) -> int:
        """How many closed sessions no host has confirmed."""
        return len(self._numbers) - len(self._confirmed) - (1 if self.writing is not None else 0)

    def next_session(self) -> int:
        """A session number that was never given before and never will be again; OSError where that cannot be saved."""
        number = self._next
        self._next += 1
        self._save()
        self.stuck = False
        return number

    def create(self, session: int) -> LogFile:
        """The new log of `session`; OSError if there is one."""
        if session in self._numbers:
            raise OSError(17)
        try:
            self._settle()
        except OSError:
            # The tail stays that session's; this one goes without.
            self.stuck = True
        file = LogFile(self, session, open(self._path(session), "wb"), 0)
        self._numbers.append(session)
        self._numbers.sort()
        self.writing = file
        return file

    def append(self, session: int) -> LogFile:
        """The log of `session`, to go on behind all that it holds."""
        self._write()
        if session == self.tail_of:
            self._settle()
        self._forget_reading()
        length = self.size(session)
        file = LogFile(self, session, open(self._path(session), "ab"), length)
        self._confirmed.discard(session)
        self.writing = file
        return file

    def numbers(self) -> list:
        """Numbers of all sessions that have a log, ascending."""
        return list(self._numbers)

    def size(self, session: int) -> int:
        """Length of the log as far as it is flushed; OSError where there is none."""
        if session == self.open_number:
            return self.writing.flushed + self.writing.kept
        if session == self._reading_number:
            # It does not grow while it is read, and to look it up takes as long as to read a kilobyte.
            return self._reading_length
        return os.stat(self._path(session))[6]

    def read_into(self, session: int, offset: int, buf: object) -> int:
        """Fill `buf` from `offset` on; how many bytes there were. OSError where there is no such log."""
        whole = self.size(session)
        length = whole - offset
        if length <= 0:
            return 0
        if session == self.open_number or session != self._reading_number:
            # A file that is open for reading does not see what is appended later.
            self._forget_reading()
            self._reading = open(self._path(session), "rb")
            self._reading_number = session
            self._reading_length = whole
        view = memoryview(buf)[: min(length, len(buf))]
        n = 0
        if session != self.open_number or offset < self.writing.flushed:
            self._reading.seek(offset)
            n = self._reading.readinto(view)
        if session == self.open_number:
            n = self._read_tail(offset - self.writing.flushed, view, n)
        return n

    def keep(self, session: int, length: int, view: object, kept: int) -> bool:
        """Hold `view`, which belongs behind the first `length` bytes of a log, in the tail; its first `kept` bytes are there."""
        if self.broken or len(view) > _PIECE * _PIECES or self.tail_of not in (0, session):
            return False
        # The last piece first: until the first one reaches up to it, it is no part of the tail, and a cut leaves whole records.
        for piece in range((len(view) - 1) // _PIECE, kept // _PIECE - 1, -1):
            at = piece * _PIECE
            body = struct.pack("<II", session, length + at) + bytes(view[at : at + _PIECE])
            with open(self._piece(piece), "wb") as file:
                file.write(body + struct.pack("<I", crc32(body)))
        self.tail_of = session
        return True

    def truncate(self, session: int, length: int) -> bool:
        """False: the tail behind `length` stays (see the module's text)."""
        return self.size(session) == length

    def confirm(self, session: int, length: int, crc: int) -> None:
        """A host holds the first `length` bytes, whose CRC is `crc`."""
        self._write()
        if session == self.tail_of:
            raise OSError(28)
        body = struct.pack("<II", length, crc)
        with open(self._path(session, "ok"), "wb") as file:
            file.write(body + struct.pack("<I", crc32(body)))
        if self._is_confirmed(session):
            self._confirmed.add(session)

    def confirmed(self, session: int) -> bool:
        """True if a host holds the whole log."""
        return session in self._confirmed

    def erase(self, session: int) -> None:
        """Remove a confirmed log, or one of no bytes; ValueError if no host holds what there is in it."""
        confirmed = session in self._confirmed
        if not confirmed and self.size(session):
            raise ValueError("Session %d was not confirmed by a host and stays." % session)
        self._write()
        self._forget_reading()
        # The log first: a lone .ok is of no consequence, a log without it would only be synced once more.
        os.remove(self._path(session))
        self._numbers.remove(session)
        self._confirmed.discard(session)
        if confirmed:
            os.remove(self._path(session, "ok"))
        self.recount()

    def free_bytes(self) -> int:
        """What is left; counted from time to time, as a count visits every block."""
        if self._unsaved > _RECOUNT_BYTES:
            self.recount()
        return self._free - self._unsaved if self._free > self._unsaved else 0

    def wrote(self, count: int) -> None:
        """`count` bytes were appended to the log under way."""
        self._unsaved += count

    def closed(self, file: LogFile) -> None:
        """`file` is no longer being written."""
        if self.writing is file:
            self.writing = None
            self._forget_reading()
            self.recount()

    def recount(self) -> None:
        """Ask the file system what is left; where it does not say, the last count goes on."""
        try:
            self._count()
        except OSError:
            self._unsaved = 0

    def _count(self) -> None:
        facts = os.statvfs(self._root or "/")
        # Blocks of a log that is being written count twice: LittleFS can then see more in use than there are, and wraps below 0.
        self._free = facts[1] * facts[4] if facts[4] <= facts[2] else 0
        self._unsaved = 0

    def _piece(self, piece: int) -> str:
        return "%s/tail/%d" % (self._root, piece)

    def _read_tail(self, offset: int, view: object, n: int) -> int:
        """Fill the rest of `view` behind its first `n` bytes; `offset` is where all of it begins in the tail."""
        while n < len(view):
            at = offset + n
            with open(self._piece(at // _PIECE), "rb") as file:
                file.seek(8 + at % _PIECE)
                got = file.readinto(view[n : n + _PIECE - at % _PIECE])
            if not got:
                break
            n += got
        return n

    def _find_tail(self) -> None:
        """Whose the tail is, if a cut left one; that its log may hold by now."""
        self._write()
        if "tail" not in os.listdir(self._root or "/"):
            os.mkdir(self._root + "/tail")
        from hal import tail

        session = tail.owner(self._root + "/tail")
        self.tail_of = session if session in self._numbers else 0

    def _settle(self) -> None:
        """Append the tail to the log that it belongs to; OSError where that cannot be, and then it stays."""
        if self.tail_of:
            from hal import tail

            self._forget_reading()
            path = self._path(self.tail_of)
            rest = tail.rest(self._root + "/tail", self.tail_of, os.stat(path)[6])
            if rest:
                with open(path, "ab") as file:
                    file.write(rest)
            self.tail_of = 0
        forget("hal.tail")

    def _write(self) -> None:
        """Something is about to be written."""
        if self.broken:
            raise OSError(5)

    def _path(self, session: int, kind: str = "rsl") -> str:
        return "%s/%08d.%s" % (self._folder, session, kind)

    def _forget_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None
            self._reading_number = 0

    def _list(self) -> int:
        """Find the logs; the highest number in any name is returned."""
        if "sessions" not in os.listdir(self._root or "/"):
            os.mkdir(self._folder)
        highest = 0
        for name in os.listdir(self._folder):
            # No session is number 0: that stands for none. Names that a log would not have are others'.
            try:
                session = int(name[:-4])
            except ValueError:
                continue
            if 0 < session < 0xFFFFFFFF and name == "%08d.rsl" % session:
                highest = max(highest, session)
                if not self._is_folder(session):
                    self._numbers.append(session)
        self._numbers.sort()
        for session in self._numbers:
            if self._is_confirmed(session):
                self._confirmed.add(session)
        return highest

    def _is_folder(self, session: int) -> bool:
        try:
            return os.stat(self._path(session))[0] & 0x4000 != 0
        except OSError:
            # A broken entry: its number is taken, and what can be read of it is somebody's.
            return False

    def _is_confirmed(self, session: int) -> bool:
        try:
            with open(self._path(session, "ok"), "rb") as file:
                data = file.read(13)
            size = os.stat(self._path(session))[6]
        except OSError:
            return False
        if len(data) != 12 or crc32(data[:8]) != struct.unpack_from("<I", data, 8)[0]:
            return False
        return struct.unpack_from("<I", data)[0] == size

    def _load(self, highest: int) -> tuple:
        """(boot, next session, life, whether state.bin was damaged); `highest` number is in use."""
        try:
            with open(self._root + "/state.bin", "rb") as file:
                data = file.read(17)
        except OSError:
            data = b""
        count = len(data) - 4
        # 8: written before there were lives.
        if count in (8, 12) and crc32(data[:count]) == struct.unpack_from("<I", data, count)[0]:
            boot, number = struct.unpack_from("<II", data)
            return boot, max(number, highest + 1), struct.unpack_from("<I", data, 8)[0] if count == 12 else 0, False
        # Unless a log tells: 30 bits, which is a small integer on every board, and not 0.
        life = int.from_bytes(os.urandom(4), "little") & 0x3FFFFFFF or 1
        boot = 0
        for session in self._numbers:
            try:
                header = self._header(session)
            except (OSError, ValueError):
                continue
            if header is not None:
                boot = max(boot, header.boot)
                life = header.life
        return boot, highest + 1, life, bool(data or self._numbers)

    def _header(self, session: int) -> object:
        # Seldom needed, and as large as all of this.
        from retrostep_core.log import decoded, reader, records

        try:
            with open(self._path(session), "rb") as file:
                head = file.read(300)
            for _, kind, _, payload in reader.scan(head):
                if kind == records.HEADER:
                    return decoded.decode(kind, payload)
        except (OSError, ValueError):
            return None  # not one of ours, whatever its name says
        return None

    def _save(self) -> None:
        self._write()
        body = struct.pack("<III", self.boot, self._next, self.life)
        path = self._root + "/state.bin"
        with open(path + ".new", "wb") as file:
            file.write(body + struct.pack("<I", crc32(body)))
        os.rename(path + ".new", path)
