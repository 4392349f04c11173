"""Session logs on the board's flash: /sessions/NNNNNNNN.rsl, their .ok and /state.bin (FORMATS.md).

LittleFS gives the promises: what was flushed before a power cut is there after it, and a rename replaces a file in one step.
A log is only ever appended to. MicroPython cannot shorten a file, and copying one would put good data at risk, so a torn tail is
left where it is: readers skip it by its CRC, and what is appended follows it.
"""

import os
import struct
from binascii import crc32

# Bytes appended between two counts of what is left.
_RECOUNT_BYTES = 8192


class LogFile:
    """A log under way: write, flush, close. `flushed` is the length a power cut leaves."""

    def __init__(self, store: "Store", number: int, file: object, length: int) -> None:
        self._store = store
        self._file = file
        self._written = length
        self.number = number
        self.flushed = length

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

    def close(self) -> None:
        """Flush and let go; closing twice is no fault."""
        try:
            self._file.close()
        finally:
            self._store.closed(self)


class Store:
    """The logs under `root` ("" is the board's own file system). `boot` has risen by one when the constructor returns.

    `life` tells these numbers from those that the same device gave before its flash was erased.

    `damaged`: state.bin could not be read and the numbers were found in the logs instead. OSError where not even that works.
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
        self._list()
        self.boot, self._next, self.life, self.damaged = self._load()
        self.boot += 1
        try:
            self._save()
        except OSError:
            # A full flash must not keep the board from starting; no log opens before the number is saved.
            self.damaged = True
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
        return number

    def create(self, session: int) -> LogFile:
        """The new log of `session`; OSError if there is one."""
        if session in self._numbers:
            raise OSError(17)
        file = LogFile(self, session, open(self._path(session), "wb"), 0)
        self._numbers.append(session)
        self._numbers.sort()
        self.writing = file
        return file

    def append(self, session: int) -> LogFile:
        """The log of `session`, to go on behind all that it holds."""
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
            return self.writing.flushed
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
        self._reading.seek(offset)
        return self._reading.readinto(buf if length >= len(buf) else memoryview(buf)[:length])

    def truncate(self, session: int, length: int) -> bool:
        """False: the tail behind `length` stays (see the module's text)."""
        return self.size(session) == length

    def confirm(self, session: int, length: int, crc: int) -> None:
        """A host holds the first `length` bytes, whose CRC is `crc`."""
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
        """Ask the file system what is left."""
        facts = os.statvfs(self._root or "/")
        # Blocks of a log that is being written count twice: LittleFS can then see more in use than there are, and wraps below 0.
        self._free = facts[1] * facts[4] if facts[4] <= facts[2] else 0
        self._unsaved = 0

    def _path(self, session: int, kind: str = "rsl") -> str:
        return "%s/%08d.%s" % (self._folder, session, kind)

    def _forget_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None
            self._reading_number = 0

    def _list(self) -> None:
        if "sessions" not in os.listdir(self._root or "/"):
            os.mkdir(self._folder)
        for name in os.listdir(self._folder):
            if len(name) == 12 and name.endswith(".rsl") and name[:8].isdigit() and name[:8] != "00000000":
                self._numbers.append(int(name[:8]))
        self._numbers.sort()
        for session in self._numbers:
            if self._is_confirmed(session):
                self._confirmed.add(session)

    def _is_confirmed(self, session: int) -> bool:
        try:
            with open(self._path(session, "ok"), "rb") as file:
                data = file.read(13)
        except OSError:
            return False
        if len(data) != 12 or crc32(data[:8]) != struct.unpack_from("<I", data, 8)[0]:
            return False
        return struct.unpack_from("<I", data)[0] == os.stat(self._path(session))[6]

    def _load(self) -> tuple:
        """(boot, next session, life, whether state.bin was damaged)."""
        highest = self._numbers[-1] if self._numbers else 0
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
            header = self._header(session)
            if header is not None:
                boot = max(boot, header.boot)
                life = header.life
        return boot, highest + 1, life, bool(data or self._numbers)

    def _header(self, session: int) -> object:
        # Seldom needed, and as large as all of this.
        from retrostep_core.log import decoded, reader, records

        with open(self._path(session), "rb") as file:
            head = file.read(300)
        for _, kind, _, payload in reader.scan(head):
            if kind == records.HEADER:
                return decoded.decode(kind, payload)
        return None

    def _save(self) -> None:
        body = struct.pack("<III", self.boot, self._next, self.life)
        path = self._root + "/state.bin"
        with open(path + ".new", "wb") as file:
            file.write(body + struct.pack("<I", crc32(body)))
        os.rename(path + ".new", path)
