"""What a store holds that cannot be derived: the journal's lines, the raw logs and the quarantine. Copies are made and compared by it."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from retrostep.archive.raw_logs import RawLog
from retrostep.archive.store import Store
from retrostep.archive.tables import Progress
from retrostep.errors import StoreFailed, StoreNotEmpty


@dataclass(frozen=True)
class Contents:
    """The contents, each to be read once and in this order. `logs` come with their bytes; `quarantine` is (name, bytes, reason)."""

    lines: Iterable[bytes]
    logs: Iterable[RawLog]
    quarantine: Iterable[tuple[str, bytes, str]]


@dataclass
class Sum:
    """How much there is, and a checksum of all of it."""

    entries: int = 0
    logs: int = 0
    quarantined: int = 0
    _hash: Any = field(default_factory=hashlib.sha256, repr=False)

    @property
    def sha256(self) -> str:
        """The checksum, in hex."""
        return str(self._hash.hexdigest())

    def adding(self, contents: Contents) -> Contents:
        """The same contents; each piece is added to this sum when it is read."""
        return Contents(self._lines(contents.lines), self._logs(contents.logs), self._quarantine(contents.quarantine))

    def _lines(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            self.entries += 1
            self._add("entry", line)
            yield line

    def _logs(self, logs: Iterable[RawLog]) -> Iterator[RawLog]:
        for log in logs:
            self.logs += 1
            self._add(f"{log.device}/{log.generation}/{log.session}", log.data or b"")
            yield log

    def _quarantine(self, pieces: Iterable[tuple[str, bytes, str]]) -> Iterator[tuple[str, bytes, str]]:
        for name, data, reason in pieces:
            self.quarantined += 1
            self._add(f"quarantine/{name}", data)
            self._add("reason", reason.encode("utf-8", "backslashreplace"))
            yield name, data, reason

    def _add(self, name: str, data: bytes) -> None:
        self._hash.update(f"{name} {len(data)}\n".encode())
        self._hash.update(data)


def contents_of(store: Store, progress: Progress | None = None) -> Contents:
    """The contents of a store. `progress` gets (done, total) logs."""
    return Contents((line.raw for line in store.journal.lines()), _loaded(store, progress), store.raw.in_quarantine())


def sum_of(contents: Contents) -> Sum:
    """Read `contents` completely, and return their sum."""
    found = Sum()
    counted = found.adding(contents)
    for part in (counted.lines, counted.logs, counted.quarantine):
        for _ in part:
            pass
    return found


def fill(store: Store, contents: Contents, expected: str | None = None) -> Sum:
    """Write contents into an empty store, read all of it again, write its tables from it, and return the sum.

    Raises StoreFailed where the store does not hold what was written, or the checksum is not `expected`.
    """
    written = Sum()
    counted = written.adding(contents)
    store.journal.fill(counted.lines)
    store.raw.fill(counted.logs)
    for piece in counted.quarantine:
        store.raw.put_in_quarantine(*piece)
    # Before the tables are written: that copies unreadable logs to quarantine, and repairs the journal.
    if sum_of(contents_of(store)).sha256 != written.sha256 or written.sha256 != (expected or written.sha256):
        raise StoreFailed(f"The store {store.name} does not hold what was written to it: check its disk. Nothing was changed elsewhere.")
    store.rebuild()
    return written


def is_empty(store: Store) -> bool:
    """Whether a store holds nothing."""
    return not (store.journal.size() or store.raw.count() or next(iter(store.raw.in_quarantine()), None) is not None)


def refuse_contents(store: Store) -> None:
    """Raise StoreNotEmpty where a store holds something."""
    if not is_empty(store):
        raise StoreNotEmpty(f"The store {store.name} is not empty, and nothing of it is overwritten: choose an empty database or folder.")


def _loaded(store: Store, progress: Progress | None) -> Iterator[RawLog]:
    total = store.raw.count()
    for done, log in enumerate(store.raw.all(), 1):
        yield log if log.data is not None else replace(log, data=store.raw.load(log.path), written_ms=0)
        if progress is not None:
            progress(done, max(done, total))
