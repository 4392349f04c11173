"""The event journal of a store on a server: its lines are in the table `entries`, in the same transaction as what follows from them."""

import binascii
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from retrostep.archive.event_journal import SEQ, Entry, EventJournal, JournalLine, entry_line, number_of, parse_entry, rewritten
from retrostep.archive.log_readers import batches
from retrostep.archive.schema import EntryRow
from retrostep.archive.transactions import Transactions

_PAGE = 1_000


class DatabaseJournal(EventJournal):
    """The journal in the table `entries`. A line's id is the offset of its end, as in a file of these lines."""

    in_database = True

    def __init__(self, transactions: Transactions) -> None:
        super().__init__(Path("entries.jsonl"))
        self._transactions = transactions
        self._last = b"", 0
        self.last_lines: list[JournalLine] = []
        """The lines that were appended last."""

    @property
    def name(self) -> str:
        """The journal as messages name it: it has no file."""
        return "the journal of entries"

    def append_all(self, at_ms: int, entries: list[tuple[str, dict[str, Any]]]) -> None:
        """Append entries. They are durable when the surrounding transaction ends."""
        with self._transactions.write() as session:
            last = session.execute(select(EntryRow.id, EntryRow.line).order_by(EntryRow.id.desc()).limit(1)).first()
            end, seq = (0, 0) if last is None else (last.id, self._last_number(session, last.line))
            lines = [entry_line({"entry": kind, "at_ms": at_ms, SEQ: n, **fields}) for n, (kind, fields) in enumerate(entries, seq + 1)]
            self.last_lines = self._put(session, lines, end)
        self.appended += 1

    def fill(self, lines: Iterable[bytes]) -> None:
        """Write lines into an empty journal."""
        end = 0
        with self._transactions.write() as session:
            for page in batches(lines, _PAGE):
                end = self._put(session, page, end)[-1].end

    def was_saved(self) -> bool:
        """Whether the last appended lines are in the journal. Asked where the connection was lost during the commit."""
        return self.holds(*self._last)

    def size(self) -> int:
        """Length of all lines in bytes."""
        with self._transactions.joined() as session:
            return session.scalar(select(func.max(EntryRow.id))) or 0

    def lines(self, start: int = 0) -> Iterator[JournalLine]:
        """Every line behind offset `start`. A damaged one has no entry."""
        while True:
            query = select(EntryRow.id, EntryRow.line, EntryRow.crc).where(EntryRow.id > start).order_by(EntryRow.id).limit(_PAGE)
            with self._transactions.joined() as session:
                rows = session.execute(query).all()
            for end, line, crc in rows:
                yield JournalLine(end, parse_entry(line) if binascii.crc32(line) == crc else None, line)
            if len(rows) < _PAGE:
                return
            start = rows[-1].id

    def torn_end(self) -> bytes:
        """Empty: a transaction writes a line completely or not at all."""
        return b""

    def holds(self, line: bytes, end: int) -> bool:
        """Whether the journal has `line` up to offset `end`."""
        with self._transactions.joined() as session:
            return session.scalar(select(EntryRow.line).where(EntryRow.id == end)) == line

    def rewrite(self, change: Callable[[Entry], Entry | None]) -> int:
        """Replace every entry by `change(entry)`, or remove it where that is None. Return how many entries changed."""
        with self._transactions.write() as session:
            lines, changed = rewritten(self.lines(), change)
            session.execute(delete(EntryRow))
            self._put(session, lines, 0)
        return changed

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other program from writing."""
        with self._transactions.write():
            yield

    def _put(self, session: Session, lines: Iterable[bytes], end: int) -> list[JournalLine]:
        put = []
        for line in lines:
            end += len(line)
            put.append(JournalLine(end, parse_entry(line), line))
        if put:
            rows = [{"id": line.end, "end": line.end, "line": line.raw, "crc": binascii.crc32(line.raw)} for line in put]
            session.execute(insert(EntryRow), rows)
            self._last = put[-1].raw, put[-1].end
        return put

    def _last_number(self, session: Session, line: bytes) -> int:
        """The number of the last line, or of the last one that has a number."""
        if number := number_of(parse_entry(line)):
            return number
        older = select(EntryRow.line).order_by(EntryRow.id.desc()).execution_options(yield_per=_PAGE)
        return next((number for other in session.scalars(older) if (number := number_of(parse_entry(other)))), 0)
