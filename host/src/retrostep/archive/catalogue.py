"""The catalogue of raw logs: what the journal's receipts say must be on the disk, compared with what is there.

The comparison reads no log. It compares names and sizes. A folder of logs changes its own time when a log in it is created, renamed or
removed; in large archives a folder with an unchanged time is skipped. `verify` reads every byte.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from retrostep.archive.database_logs import DatabaseLogs
from retrostep.archive.raw_logs import LogFolder, RawLog, RawLogs, log_file_name
from retrostep.archive.schema import FolderRow, ReceiptRow, SessionRow
from retrostep.errors import LogsMissing
from retrostep.units import count

LARGE_ARCHIVE_LOGS = 20_000
"""From this many logs on, folders whose time has not changed are skipped. Below, every log's size is read, which takes 0.1 s."""

SETTLED_NS = 2_000_000_000
"""A folder that changed in the last 2 s may change again within the resolution of its time. It is compared again the next time."""

Key = tuple[str, int, int]
"""Device, generation, number."""


@dataclass
class Comparison:
    """What the disk and the tables do not agree about.

    new         logs that the tables do not have, or have in a shorter version
    missing     logs that have a receipt and are not on the disk
    changed     logs whose bytes are not those that were received, as far as their lengths show it
    unreadable  logs in `new` that turned out to be unreadable
    folders     the folders that were compared
    is_large    folders with an unchanged time were skipped
    """

    new: list[RawLog] = field(default_factory=list)
    missing: list[Key] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)
    folders: list[LogFolder] = field(default_factory=list)
    is_large: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether the disk has every log that it should have, in full length and readable."""
        return not (self.missing or self.changed or self.unreadable)

    def as_error(self) -> LogsMissing:
        """What is wrong on the disk, in one sentence."""
        counts = ((self.missing, "missing"), (self.changed, "not as received"), (self.unreadable, "unreadable"))
        words = [f"{count(len(logs), 'raw log')} {'is' if len(logs) == 1 else 'are'} {what}" for logs, what in counts if logs]
        return LogsMissing(f"{' and '.join(words)} on this computer.")


@dataclass(frozen=True)
class _Known:
    """What the tables know of one log: the length by its receipt and the length of the log that was stored (None: none)."""

    received: int
    stored: int | None


def compare_with_logs(session: Session, raw: RawLogs) -> Comparison:
    """Compare the tables with the raw logs, without reading a log. Raw logs in the same database know what the tables lack."""
    if isinstance(raw, DatabaseLogs):
        return Comparison(new=raw.waiting(session))
    found = Comparison()
    stamps = {(row.device, row.generation): row.mtime_ns for row in session.scalars(select(FolderRow))}
    found.is_large = is_large = (session.scalar(select(func.count()).select_from(ReceiptRow)) or 0) >= LARGE_ARCHIVE_LOGS
    known = {} if is_large else _known(session)
    for folder in raw.folders():
        place = folder.device, folder.generation
        stamp = stamps.pop(place, 0)
        if is_large and stamp == folder.mtime_ns:
            continue
        if is_large:
            known.update(_known(session, place))
        _compare_folder(raw, folder, known.pop(place, {}), found)
    for place in stamps if is_large else ():
        known.update(_known(session, place))
    found.missing += [(*place, number) for place, numbers in known.items() for number in numbers]
    found.missing.sort()
    return found


def remember_folders(session: Session, found: Comparison) -> None:
    """Remember the times of the folders that were compared and hold what they should."""
    settled_ns = time.time_ns() - SETTLED_NS
    doubtful = {key[:2] for key in found.missing} | {path.parent for path in (*found.changed, *found.unreadable)}
    stamps = []
    for folder in found.folders:
        is_settled = folder.mtime_ns < settled_ns and not doubtful & {(folder.device, folder.generation), folder.path}
        stamps.append((folder.device, folder.generation, folder.mtime_ns if is_settled else 0))
    if stamps:
        session.connection().exec_driver_sql(_PUT_STAMP, stamps)
        session.expire_all()


_PUT_STAMP = """
INSERT INTO folders (device, generation, mtime_ns) VALUES (?, ?, ?)
ON CONFLICT (device, generation) DO UPDATE SET mtime_ns = excluded.mtime_ns
"""
"""Of logs in files: those on a server are in no folders."""


def _compare_folder(raw: RawLogs, folder: LogFolder, known: dict[int, _Known], found: Comparison) -> None:
    found.folders.append(folder)
    for number, size in raw.sizes(folder):
        one = known.pop(number, None)
        if one is None or one.stored is None or size > max(one.received, one.stored):
            found.new.append(RawLog(folder.device, number, folder.path, folder.generation))
        elif size < one.received:
            found.changed.append(folder.path / log_file_name(number))
        elif one.stored < size:
            found.new.append(RawLog(folder.device, number, folder.path, folder.generation))
    found.missing += [(folder.device, folder.generation, number) for number in known]


def _known(session: Session, place: tuple[str, int] | None = None) -> dict[tuple[str, int], dict[int, _Known]]:
    """What the tables know of the logs in one folder, or in all of them."""
    of_log = (ReceiptRow.device, ReceiptRow.generation, ReceiptRow.number)
    same = and_(SessionRow.device == of_log[0], SessionRow.generation == of_log[1], SessionRow.number == of_log[2])
    query = select(*of_log, ReceiptRow.length, SessionRow.log_length).outerjoin(SessionRow, same)
    if place is not None:
        query = query.where(ReceiptRow.device == place[0], ReceiptRow.generation == place[1])
    known: dict[tuple[str, int], dict[int, _Known]] = {}
    for device, generation, number, received, stored in session.execute(query):
        known.setdefault((device, generation), {})[number] = _Known(received, stored)
    return known
