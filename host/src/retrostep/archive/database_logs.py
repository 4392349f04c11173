"""The raw logs of a store on a server: in its tables, so that every coach has them. Only a log being received is in a local file."""

import binascii
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from retrostep.archive.data_dir import DataDir
from retrostep.archive.identifiers import device_name, session_number
from retrostep.archive.log_readers import batches
from retrostep.archive.moments import now_ms
from retrostep.archive.raw_logs import OTHER_LOG, RawLog, RawLogs, log_number, other_log, quarantine_reason
from retrostep.archive.schema import ReceiptRow
from retrostep.archive.source_tables import LogRow, QuarantineRow, WaitingLogRow
from retrostep.archive.transactions import Transactions, driver_sql
from retrostep.errors import RetrostepError, UnsafeName

Key = tuple[str, int, int]
"""Device, generation, number."""

_PAGE = 200
_KEY = (LogRow.device, LogRow.generation, LogRow.number)
_WAITING = (WaitingLogRow.device, WaitingLogRow.generation, WaitingLogRow.number)
_PUT_WAITING = "INSERT INTO waiting_logs (device, generation, number) VALUES (?, ?, ?) ON CONFLICT (device, generation, number) DO NOTHING"


class DatabaseLogs(RawLogs):
    """The raw logs in the table `raw_logs`, and quarantine. Paths are relative: they only name logs in messages."""

    def __init__(self, data_dir: DataDir, transactions: Transactions) -> None:
        super().__init__(data_dir)
        self.logs_folder, self.quarantine_folder = Path("logs"), Path("quarantine")
        self._transactions = transactions

    def exists(self, device: str, session: int, generation: int = 0) -> bool:
        """Whether that log is archived."""
        return self.size_of(self.path(device, session, generation)) is not None

    def size_of(self, path: Path) -> int | None:
        """The size of a kept log, archived or in quarantine; None where there is none."""
        found = self._key_of(path)
        with self._transactions.joined() as session:
            if isinstance(found, str):
                return session.scalar(select(func.length(QuarantineRow.data)).where(QuarantineRow.name == found))
            return None if found is None else session.scalar(select(LogRow.length).where(_is(found)))

    def load(self, path: Path) -> bytes:
        """The bytes of a kept log, archived or in quarantine."""
        found = self._key_of(path)
        data = None
        with self._transactions.joined() as session:
            if isinstance(found, str):
                data = session.scalar(select(QuarantineRow.data).where(QuarantineRow.name == found))
            elif found is not None:
                data = session.scalar(select(LogRow.data).where(_is(found)))
        if data is None:
            raise RetrostepError(f"{path} is not in the store any more: run this again.")
        return data

    def read(self, device: str, session: int, generation: int = 0) -> bytes:
        """The bytes of an archived log. RetrostepError where it is not archived."""
        return self.load(self.path(device, session, generation))

    def archived(self, device: str, session: int, generation: int = 0) -> bytes:
        """The bytes of an archived log; empty where it is not archived."""
        with self._transactions.joined() as reading:
            return reading.scalar(select(LogRow.data).where(_is((device, generation, session)))) or b""

    def together(self) -> AbstractContextManager[object]:
        """In the block, what is archived and entered is one transaction."""
        return self._transactions.write()

    def commit(self, device: str, session: int, data: bytes, generation: int = 0) -> Path:
        """Archive a log. It is durable when this returns, also if another program archives the same log at that moment."""
        path, key = self.path(device, session, generation), (device, generation, session)
        with self._transactions.write() as writing:
            archived = writing.scalar(select(LogRow.data).where(_is(key)))
            if archived is not None and archived[: len(data)] == data:
                return path
            is_other = archived is not None and data[: len(archived)] != archived
            if not is_other:
                self._put(writing, key, data, now_ms(), is_there=archived is not None)
        if is_other:
            raise other_log(device, session, self.quarantine(device, session, data, OTHER_LOG, generation))
        return path

    def fill(self, logs: Iterable[RawLog]) -> None:
        """Write logs, which come with their bytes, into an empty store whose tables are rebuilt afterwards."""
        with self._transactions.write() as session:
            for batch in batches(logs, _PAGE):
                session.execute(insert(LogRow), [_values(log) for log in batch])

    def make_durable(self, path: Path) -> None:
        """Do nothing: every committed log is durable."""

    def replace(self, device: str, session: int, data: bytes, why: str, generation: int = 0) -> Path:
        """Archive `data` in place of the archived log, which goes to quarantine with the reason `why`. Return its name there."""
        with self._transactions.write() as writing:
            aside = self.quarantine(device, session, self.read(device, session, generation), why, generation)
            self._put(writing, (device, generation, session), data, now_ms(), is_there=True)
        return aside

    def quarantine(self, device: str, session: int, data: bytes, why: str, generation: int = 0) -> Path:
        """Keep `data` in quarantine with the reason. Return its name there."""
        path = self.quarantine_path(device, session, binascii.crc32(data), generation)
        with self._transactions.write() as writing:
            if writing.scalar(select(QuarantineRow.data).where(QuarantineRow.name == path.name)) != data:
                writing.execute(delete(QuarantineRow).where(QuarantineRow.name == path.name))
                self._put_aside(writing, path.name, data, quarantine_reason(device, session, data, why), device, session)
        return path

    def put_in_quarantine(self, name: str, data: bytes, reason: str) -> None:
        """Write a piece that came from another store to quarantine."""
        facts = dict(line.partition(": ")[::2] for line in reason.splitlines()[:2])
        number = facts.get("session", "")
        with self._transactions.write() as session:
            device = facts.get("device", "").strip("'")
            self._put_aside(session, name, data, reason, device, int(number) if number.isdigit() and len(number) <= 10 else 0)

    def copies(self, device: str, session: int) -> list[Path]:
        """Every log with that session number, of any generation of the device: the archived ones, then those in quarantine."""
        device, number = device_name(device), session_number(session)
        archived = select(LogRow.generation).where(LogRow.device == device, LogRow.number == number).order_by(LogRow.generation)
        aside = select(QuarantineRow.name).where(QuarantineRow.device == device, QuarantineRow.number == number)
        with self._transactions.joined() as reading:
            paths = [self.path(device, number, generation) for generation in reading.scalars(archived)]
            return [*paths, *(self.quarantine_folder / name for name in reading.scalars(aside.order_by(QuarantineRow.name)))]

    def quarantined(self) -> list[Path]:
        """Every log in quarantine, by name."""
        with self._transactions.joined() as session:
            names = list(session.scalars(select(QuarantineRow.name).order_by(QuarantineRow.name)))
        return [self.quarantine_folder / name for name in names if name.endswith(".rsl")]

    def in_quarantine(self) -> Iterator[tuple[str, bytes, str]]:
        """Everything in quarantine, as (name, bytes, reason), by name."""
        with self._transactions.joined() as session:
            names = list(session.scalars(select(QuarantineRow.name).order_by(QuarantineRow.name)))
        for name in names:
            with self._transactions.joined() as session:
                row = session.get_one(QuarantineRow, name)
            yield row.name, row.data, row.reason

    def drop_from_quarantine(self, is_dropped: Callable[[bytes], bool]) -> None:
        """Remove the pieces of old journals for which `is_dropped` is true."""
        for name, data, _ in self.in_quarantine():
            if not name.endswith(".rsl") and is_dropped(data):
                with self._transactions.write() as session:
                    session.execute(delete(QuarantineRow).where(QuarantineRow.name == name))

    def strangers(self) -> Iterator[Path]:
        """Empty: a table holds no foreign files."""
        return iter(())

    def count(self) -> int:
        """How many logs are archived."""
        with self._transactions.joined() as session:
            return session.scalar(select(func.count()).select_from(LogRow)) or 0

    def all(self) -> Iterator[RawLog]:
        """Every archived log with its bytes, by device, generation and session."""
        return self._pages("")

    def of(self, device: str) -> Iterator[RawLog]:
        """Every archived log of one device with its bytes, by generation and session."""
        return self._pages(device_name(device))

    def waiting(self, session: Session) -> list[RawLog]:
        """The logs that the tables do not have, or have in a shorter version. Their bytes are not read yet."""
        return [RawLog(*_named(self, *row), row.generation) for row in session.execute(select(*_WAITING).order_by(*_WAITING))]

    def missing(self, session: Session) -> list[Key]:
        """The logs that have a receipt and are not here."""
        keys = ReceiptRow.device, ReceiptRow.generation, ReceiptRow.number
        same = and_(*(one == other for one, other in zip(keys, _KEY, strict=True)))
        gone = select(*keys).outerjoin(LogRow, same).where(LogRow.number.is_(None)).order_by(*keys)
        return [(device, generation, number) for device, generation, number in session.execute(gone)]

    def loaded(self, logs: Iterable[RawLog]) -> Iterator[RawLog]:
        """The logs with their bytes."""
        for log in logs:
            if log.data is not None:
                yield log
                continue
            with self._transactions.joined() as session:
                key = log.device, log.generation, log.session
                row = session.execute(select(LogRow.data, LogRow.written_at_ms).where(_is(key))).one()
            yield replace(log, data=row.data, written_ms=row.written_at_ms)

    def stored(self, session: Session, keys: Iterable[Key]) -> None:
        """Remember that the tables hold these logs now."""
        session.execute(delete(WaitingLogRow).where(tuple_(*_WAITING).in_(list(keys))))

    def _remove_temporary(self, device: str) -> None:
        """Do nothing: no logs are in files."""

    def _pages(self, device: str) -> Iterator[RawLog]:
        last: Key = device, -1, -1
        columns = (*_KEY, LogRow.data, LogRow.written_at_ms)
        while True:
            query = select(*columns).where(tuple_(*_KEY) > tuple_(*last)).order_by(*_KEY).limit(_PAGE)
            with self._transactions.joined() as session:
                rows = session.execute(query.where(LogRow.device == device) if device else query).all()
            for row in rows:
                yield RawLog(*_named(self, row.device, row.generation, row.number), row.generation, row.data, row.written_at_ms)
            if len(rows) < _PAGE:
                return
            last = rows[-1].device, rows[-1].generation, rows[-1].number

    def _put(self, session: Session, key: Key, data: bytes, written_at_ms: int, *, is_there: bool) -> None:
        device, generation, number = key
        of_log = {"device": device, "generation": generation, "number": number}
        values = {"data": data, "length": len(data), "written_at_ms": written_at_ms}
        session.execute(update(LogRow).where(_is(key)).values(values) if is_there else insert(LogRow).values(**of_log, **values))
        connection = session.connection()
        connection.exec_driver_sql(driver_sql(connection, _PUT_WAITING), key)

    def _put_aside(self, session: Session, name: str, data: bytes, reason: str, device: str, number: int) -> None:
        try:
            device = device_name(device)
        except UnsafeName:
            device = ""
        reason = reason.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
        session.execute(insert(QuarantineRow).values(name=name, device=device, number=number, data=data, reason=reason))

    def _key_of(self, path: Path) -> Key | str | None:
        """Which log a path names: its key, its name in quarantine, or nothing."""
        if path.parts[:1] == self.quarantine_folder.parts:
            return path.name
        device, *generation = path.parts[1:-1] if len(path.parts) in (3, 4) else ("",)
        number = log_number(path.name)
        try:
            return None if number is None else (device_name(device), int(generation[0], 16) if generation else 0, number)
        except (UnsafeName, ValueError):
            return None


def _values(log: RawLog) -> dict[str, Any]:
    assert log.data is not None
    of_log = {"device": log.device, "generation": log.generation, "number": log.session}
    return {**of_log, "data": log.data, "length": len(log.data), "written_at_ms": log.written_ms}


def _is(key: Key) -> ColumnElement[bool]:
    device, generation, number = key
    return and_(LogRow.device == device, LogRow.generation == generation, LogRow.number == number)


def _named(raw: RawLogs, device: str, generation: int, number: int) -> tuple[str, int, Path]:
    return device, number, raw.path(device, number, generation).parent
