"""The event journal: what people entered and hosts observed, one JSON object a line. Lines are only appended.

Each line has `entry`, its kind, `at_ms`, when it was made, and `seq`, its number: 1, 2, ... (older lines have none). The store's tables are
a projection of these lines and of the raw logs.
"""

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrostep.archive.data_dir import DataDir
from retrostep.archive.durable_files import acquire_lock, file_errors, fsync_folder, make_folder, private_opener, write_atomically
from retrostep.archive.moments import now_ms
from retrostep.errors import StoreBusy

Entry = dict[str, Any]

LOCK_WAIT_S = 30

_DECODE = json.JSONDecoder().decode
"""Takes 60 % of the time of json.loads, which looks for the encoding first."""

SEQ = "seq"
"""The field with the number of an entry."""

REWRITTEN = "rewritten"
"""The kind of the first line of a journal of which lines were changed or removed on purpose."""


@dataclass(frozen=True)
class JournalLine:
    """One line: the offset of its end in the file, its entry and its bytes. A damaged line has no entry (None)."""

    end: int
    entry: Entry | None
    raw: bytes


class EventJournal:
    """The journal at `path`. Several threads and processes may append to it."""

    in_database = False
    """Whether its lines are rows of the store itself, so that both change in one transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._own = threading.local()
        self.appended = 0
        """How many times this object has appended entries."""

    @property
    def name(self) -> str:
        """The journal as messages name it."""
        return self.path.name

    def append(self, kind: str, at_ms: int, **fields: object) -> None:
        """Append one entry. It is on the disk when this returns. Raises DiskFull, NoAccess, StoreBusy."""
        self.append_all(at_ms, [(kind, fields)])

    def append_all(self, at_ms: int, entries: list[tuple[str, dict[str, Any]]]) -> None:
        """As `append`, for several entries (kind, fields), in one write: all of them are on the disk when this returns, or none."""
        with self.locked(), file_errors(self.path):
            is_new = not self.path.exists()
            with open(self.path, "a+b", buffering=0, opener=private_opener) as file:
                end = self._end_last_line(file)
                last = _last_number(file, end)
                text = b"".join(
                    entry_line({"entry": kind, "at_ms": at_ms, SEQ: seq, **fields}) for seq, (kind, fields) in enumerate(entries, last + 1)
                )
                try:
                    while text:
                        text = text[file.write(text) :]
                    os.fsync(file.fileno())
                except BaseException:
                    file.truncate(end)
                    raise
            self.appended += 1
            if is_new:
                fsync_folder(self.path.parent)

    def _end_last_line(self, file: Any) -> int:
        """Set half a line aside, which a power cut can leave; return where the next line starts."""
        end = int(file.seek(0, os.SEEK_END))
        torn = _torn_end(file, end)
        if not torn:
            return end
        if parse_entry(torn) is not None:  # only the end of the line is missing
            return end + int(file.write(b"\n"))
        self.set_aside([torn])
        file.truncate(end - len(torn))
        return end - len(torn)

    def set_aside(self, pieces: Iterable[bytes]) -> Path:
        """Keep damaged pieces of the journal in quarantine, a line each. Return the file."""
        path = DataDir(self.path.parent).quarantine / f"{self.path.name}.{time.time_ns()}"
        write_atomically(path, b"".join(piece.rstrip(b"\n") + b"\n" for piece in pieces))
        return path

    def size(self) -> int:
        """Length of the journal in bytes; 0 where there is none."""
        with file_errors(self.path):
            return self.path.stat().st_size if self.path.exists() else 0

    def lines(self, start: int = 0) -> Iterator[JournalLine]:
        """Every complete line from byte `start` on."""
        if self.size() <= start:
            return
        with file_errors(self.path), open(self.path, "rb") as file:
            file.seek(start)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                start += len(raw)
                if raw.strip():
                    yield JournalLine(start, parse_entry(raw), raw)

    def torn_end(self) -> bytes:
        """The bytes after the last complete line; empty where nothing is torn."""
        if not (size := self.size()):
            return b""
        with file_errors(self.path), open(self.path, "rb") as file:
            return _torn_end(file, size)

    def holds(self, line: bytes, end: int) -> bool:
        """Whether the file has `line` up to offset `end`."""
        start = end - len(line)
        if start < 0 or self.size() < end:
            return False
        with file_errors(self.path), open(self.path, "rb") as file:
            file.seek(start)
            return file.read(len(line)) == line

    def rewrite(self, change: Callable[[Entry], Entry | None]) -> int:
        """Write `change(entry)` in place of every entry, and drop those for which it returns None. Return how many entries changed.

        After a power cut the journal is as before or complete. The first line then says that the journal was rewritten, so that no store
        restores the old lines from its copy. Damaged lines are kept. Raises DiskFull, NoAccess, StoreBusy.
        """
        with self.locked():
            lines, changed = rewritten(self.lines(), change)
            write_atomically(self.path, b"".join(lines))
            return changed

    def fill(self, lines: Iterable[bytes]) -> None:
        """Write lines into a journal that does not exist yet."""
        write_atomically(self.path, b"".join(lines))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other thread and program from writing. Reentrant. Raises StoreBusy."""
        if getattr(self._own, "is_locked", False):
            yield
            return
        make_folder(self.path.parent)
        lock = acquire_lock(self.path.with_name(f"{self.path.name}.lock"), LOCK_WAIT_S)
        if lock is None:
            raise StoreBusy(f"Another program is writing to {self.path}: wait for it, then run this again.")
        self._own.is_locked = True
        try:
            yield
        finally:
            self._own.is_locked = False
            lock.release()


def rewritten(old: Iterable[JournalLine], change: Callable[[Entry], Entry | None]) -> tuple[list[bytes], int]:
    """The lines of a journal with `change(entry)` in place of every entry, and how many entries that changes."""
    changed = 0
    lines = [entry_line({"entry": REWRITTEN, "at_ms": now_ms(), SEQ: 1, "id": secrets.token_hex(8)})]
    for line in old:
        if line.entry is None:
            lines.append(line.raw)
        elif line.entry["entry"] != REWRITTEN:
            entry = change(line.entry)
            changed += entry != line.entry
            if entry is not None:  # numbered again: no number is missing
                lines.append(entry_line({**entry, SEQ: len(lines) + 1}))
    return lines, changed


def entry_line(entry: Entry) -> bytes:
    """The line of an entry."""
    return json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def number_of(entry: Entry | None) -> int:
    """The number of an entry; 0 where it has none."""
    seq = None if entry is None else entry.get(SEQ)
    return seq if isinstance(seq, int) and 0 < seq < 1 << 62 else 0


def _torn_end(file: Any, end: int) -> bytes:
    """The bytes up to `end` behind the last complete line."""
    length = 1
    while True:
        start = max(0, end - length)
        file.seek(start)
        text = bytes(file.read(end - start))
        if b"\n" in text or not start:
            return text.rpartition(b"\n")[2]
        length *= 16


def _last_number(file: Any, end: int) -> int:
    """The number of the last entry that has one; 0 where none has."""
    length = 4_096
    while True:
        start = max(0, end - length)
        file.seek(start)
        for line in reversed(bytes(file.read(end - start)).splitlines()):
            if number := number_of(parse_entry(line)):
                return number
        if not start:
            return 0
        length *= 16


def parse_entry(raw: bytes) -> Entry | None:
    """The entry in a line; None where it is not one."""
    try:
        try:
            entry = _DECODE(raw.decode())
        except ValueError:  # with a byte order mark, for example, as some editors add it
            entry = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("entry"), str) or not isinstance(entry.get("at_ms"), int):
        return None
    return entry
