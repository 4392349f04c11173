"""What cannot be derived from any log: what people entered and what a host observed, one JSON object a line, only ever appended.

Each line says `entry` (what it is) and `at_ms` (when it was made, UTC). The store applies new lines to its tables and can be made
anew from this file and the raw logs alone.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrostep.archive.disk import explained, make_folder, sync_folder

Entry = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One line of the journal: where it ends in the file, and what it says (None when it is damaged)."""

    end: int
    entry: Entry | None


class Entries:
    """The journal at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, entry: str, at_ms: int, **fields: object) -> None:
        """Add one entry; it is on the disk for good when this returns. Raises DiskFull, NoAccess."""
        text = json.dumps({"entry": entry, "at_ms": at_ms, **fields}, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"
        make_folder(self.path.parent)
        with explained(self.path):
            is_new = not self.path.exists()
            with open(self.path, "a+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                end = file.seek(0, os.SEEK_END)
                try:
                    # A line torn by a power cut was never acknowledged; it gets a line of its own, so that this one can be read.
                    if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
                        text = b"\n" + text
                    written = file.write(text)
                    if written < len(text):
                        file.write(text[written:])
                    os.fsync(file.fileno())
                except BaseException:
                    os.ftruncate(file.fileno(), end)
                    raise
            if is_new:
                sync_folder(self.path.parent)

    def size(self) -> int:
        """Length of the journal in bytes."""
        with explained(self.path):
            return self.path.stat().st_size if self.path.exists() else 0

    def since(self, start: int) -> Iterator[Line]:
        """Every whole line from byte `start` on."""
        if not self.size() > start:
            return
        with explained(self.path), open(self.path, "rb") as file:
            file.seek(start)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                start += len(raw)
                if raw.strip():
                    yield Line(start, _parsed(raw))


def _parsed(raw: bytes) -> Entry | None:
    try:
        entry = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("entry"), str) or not isinstance(entry.get("at_ms"), int):
        return None
    return entry
