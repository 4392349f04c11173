"""Every byte of the archive against what is known about it: raw logs, quarantine, event journal and store."""

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping, func, select, tuple_
from sqlalchemy.orm import Session

from retrostep.archive.corrections import MARKS, SessionKey
from retrostep.archive.database import missing_tables
from retrostep.archive.durable_files import is_temporary
from retrostep.archive.identifiers import session_id
from retrostep.archive.journal_repair import Disorder
from retrostep.archive.log_readers import batches
from retrostep.archive.log_summary import LogSummary, summarize_log
from retrostep.archive.projected_logs import may_be_of
from retrostep.archive.raw_logs import RawLog, RawLogs
from retrostep.archive.schema import GenerationRow, ReceiptRow, SessionRow
from retrostep.archive.tables import Progress
from retrostep.errors import DamagedData, RetrostepError

_BATCH = 200
"""So many logs are compared with the rows of one query."""

_KEY = ReceiptRow.device, ReceiptRow.generation, ReceiptRow.number
_MARKS = frozenset(MARKS.values())
_CRC_IN_NAME = re.compile(r".*-([0-9a-f]{8})\.rsl")


@dataclass(frozen=True)
class Finding:
    """One file that is not as it should be. `session` is the name of the session that it should hold; None where it holds none."""

    path: Path
    session: str | None
    why: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"file": str(self.path), "session": self.session, "why": self.why}


@dataclass
class Verification:
    """The result of `verify`.

    logs, bytes    how many logs were read, and their size
    rotten         files with other bytes than were received, or that the disk cannot read
    truncated      logs that are shorter than received
    missing        logs that were received and are not on the disk
    foreign        files among the logs that are no log, or the log of another session
    unreferenced   files that nothing needs: left by a program that was killed
    differing      sessions whose row in the store is not what their log says; a rebuild of the store corrects them
    lacking        tables that the store lacks; a rebuild makes them again
    journal        what is wrong with the event journal
    """

    logs: int = 0
    bytes: int = 0
    rotten: list[Finding] = field(default_factory=list)
    truncated: list[Finding] = field(default_factory=list)
    missing: list[Finding] = field(default_factory=list)
    foreign: list[Finding] = field(default_factory=list)
    unreferenced: list[Path] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    journal: Disorder = field(default_factory=Disorder)

    @property
    def is_complete(self) -> bool:
        """Whether everything is as it should be."""
        return not (self.findings() or self.unreferenced or self.differing or self.lacking or self.journal)

    def findings(self) -> list[tuple[str, Finding]]:
        """Every finding about a file, with its kind."""
        kinds = ("rotten", "truncated", "missing", "foreign")
        return [(kind, finding) for kind in kinds for finding in getattr(self, kind)]


class LogCheck:
    """Compares each log with its receipt and its row in the store while it is read, also where it is read for another purpose."""

    def __init__(self, session: Session, raw: RawLogs, journal: Disorder) -> None:
        self._session, self._raw = session, raw
        self._done = Verification(journal=journal)
        self._nth = {(row.device, row.generation): row.nth for row in session.scalars(select(GenerationRow))}
        self._total = max(session.scalar(select(func.count()).select_from(ReceiptRow)) or 0, raw.count())
        self._last: SessionKey = "", -1, -1

    def logs(self, progress: Progress | None = None) -> Iterator[RawLog]:
        """Every archived log with its bytes, compared. Those that cannot be read are left out. `progress` gets (done, total) logs."""
        for batch in batches(self._raw.all(), _BATCH):
            keys = [_key(log) for log in batch]
            receipts, stored = self._receipts_until(keys[-1]), self._stored(keys)
            self._add_missing(receipts.keys() - set(keys))
            for log, key in zip(batch, keys, strict=True):
                self._done.logs += 1
                name = self._name(key)
                data = _read(log, name, self._done)
                if data is not None:
                    _compare(log, data, receipts.get(key), stored.get(key), name, self._done)
                    yield replace(log, data=data)
                if progress is not None:
                    progress(self._done.logs, max(self._total, self._done.logs))
        self._add_missing(self._receipts_until(None).keys())

    def _receipts_until(self, last: SessionKey | None) -> dict[SessionKey, tuple[int, int]]:
        """(length, CRC) of the receipts behind those that were read so far, up to `last`. The logs come in the same order."""
        query = select(*_KEY, ReceiptRow.length, ReceiptRow.crc).where(tuple_(*_KEY) > tuple_(*self._last))
        if last is not None:
            query, self._last = query.where(tuple_(*_KEY) <= tuple_(*last)), last
        rows = self._session.execute(query)
        return {(device, generation, number): (length, crc) for device, generation, number, length, crc in rows}

    def _stored(self, keys: list[SessionKey]) -> dict[SessionKey, RowMapping]:
        """The rows of these sessions, and of others."""
        rows = self._session.execute(select(SessionRow.__table__).where(may_be_of(SessionRow, keys))).mappings()
        return {(row["device"], row["generation"], row["number"]): row for row in rows}

    def _name(self, key: SessionKey) -> str:
        device, generation, number = key
        return session_id(device, number, self._nth.get((device, generation), 1))

    def _add_missing(self, keys: Iterable[SessionKey]) -> None:
        for device, generation, number in sorted(keys):
            path = self._raw.path(device, number, generation)
            self._done.missing.append(Finding(path, self._name((device, generation, number)), "It was received, and is gone."))

    def result(self) -> Verification:
        """What was found, after the last log. Reads the quarantine, and looks for files that do not belong there."""
        done, raw = self._done, self._raw
        for path in raw.strangers():
            if is_temporary(path):
                done.unreferenced.append(path)
            else:
                done.foreign.append(Finding(path, None, "This is not the name of a log."))
        done.rotten += _rotten_in_quarantine(raw)
        done.unreferenced += raw.finished_parts()
        done.lacking = missing_tables(self._session)
        return done


def _key(log: RawLog) -> SessionKey:
    return log.device, log.generation, log.session


def _read(log: RawLog, name: str, done: Verification) -> bytes | None:
    """The bytes of a log; None, and a finding, where it cannot be read."""
    try:
        if log.data is not None:
            return log.data
        if log.path.is_file():  # reading a pipe would wait forever
            return log.path.read_bytes()
        done.foreign.append(Finding(log.path, name, "It is not a regular file."))
    except OSError as error:
        done.rotten.append(Finding(log.path, name, f"It cannot be read: {error.strerror or error}."))
    return None


def _compare(
    log: RawLog, data: bytes, receipt: tuple[int, int] | None, stored: RowMapping | None, name: str, done: Verification
) -> None:
    done.bytes += len(data)
    try:
        summary = summarize_log(data, log.device, log.session, log.generation)
    except DamagedData as error:
        summary, unreadable = None, str(error)
    if receipt is None:
        done.foreign.append(Finding(log.path, None, unreadable if summary is None else "It has no receipt in the journal."))
    elif len(data) < receipt[0]:
        done.truncated.append(Finding(log.path, name, f"It has {len(data)} of the {receipt[0]} bytes that were received."))
    elif (len(data), binascii.crc32(data)) != receipt:
        done.rotten.append(Finding(log.path, name, "Its bytes are not those that were received."))
    elif summary is not None and not _is_as_stored(stored, summary):
        done.differing.append(name)


def _is_as_stored(stored: RowMapping | None, summary: LogSummary) -> bool:
    # People can correct the marks.
    return stored is not None and all(stored[name] == value for name, value in summary.session.items() if name not in _MARKS)


def _rotten_in_quarantine(raw: RawLogs) -> Iterator[Finding]:
    """Logs in quarantine whose bytes do not have the CRC in their name."""
    for path in raw.quarantined():
        named = _CRC_IN_NAME.fullmatch(path.name)
        if raw.size_of(path) is None:  # reading a pipe would wait forever
            yield Finding(path, None, "It is not a regular file.")
            continue
        try:
            crc = binascii.crc32(raw.load(path))
        except RetrostepError as error:
            cause = error.__cause__
            yield Finding(path, None, f"It cannot be read: {cause.strerror if isinstance(cause, OSError) else error}.")
            continue
        if named and crc != int(named[1], 16):
            yield Finding(path, None, "Its bytes changed in quarantine.")
