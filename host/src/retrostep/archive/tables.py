"""The tables of the store, written from the raw logs and the event journal: entry by entry, log by log, or all at once."""

import binascii
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import delete, func, inspect, select, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from retrostep.archive import schema
from retrostep.archive.catalogue import Comparison, Key, compare_with_logs, remember_folders
from retrostep.archive.corrections import SessionKey
from retrostep.archive.database import keep_copy, layout_of
from retrostep.archive.database_logs import DatabaseLogs
from retrostep.archive.dating import is_possible_clock
from retrostep.archive.event_journal import Entry, EventJournal, JournalLine, number_of, parse_entry
from retrostep.archive.identifiers import session_id
from retrostep.archive.journal_repair import Disorder, Repair, check_journal, lost_text, repair_journal, repaired_notice
from retrostep.archive.log_readers import batches, read_logs
from retrostep.archive.log_rows import LogRows, ReadLog
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.migrate import MIGRATED_SINCE, migrate, revision_of
from retrostep.archive.moments import now_ms
from retrostep.archive.projected_logs import Place, may_be_of, project_logs, session_row
from retrostep.archive.projection import (
    RECEIVED,
    Receipt,
    Redated,
    apply_entries,
    apply_receipts,
    generation_field,
    receipt_fields,
    receipt_of,
)
from retrostep.archive.rare_collections import rare_collections
from retrostep.archive.raw_logs import RawLog, RawLogs
from retrostep.archive.schema import EntryRow, GenerationRow, MigrationRow, ReceiptRow, SessionRow, StoreState
from retrostep.archive.session_dates import date_all, update_dating_from
from retrostep.archive.source_tables import SourceBase
from retrostep.errors import DamagedJournal, RetrostepError
from retrostep.units import count

_KEYS = select(SessionRow.device, SessionRow.generation, SessionRow.number)

BATCH = 500
"""So many logs, or entries, are projected at once."""

_PUT_ENTRY = "INSERT INTO entries (end, line, crc) VALUES (?, ?, ?)"
"""Of a journal in a file: the table is a copy of its lines."""

_NEVER_DERIVED = {EntryRow.__tablename__, StoreState.__tablename__, MigrationRow.__tablename__}
"""Tables of a store on a server that a rebuild leaves as they are."""

T = TypeVar("T")
Progress = Callable[[int, int], None]
Entries = list[tuple[str, dict[str, Any]]]


@dataclass
class RebuildReport:
    """The result of a rebuild.

    sessions         how many sessions the store has
    unreadable       logs that cannot be read: the copy in quarantine, and why
    damaged_entries  lines of the journal that cannot be read
    journal          the journal as messages name it
    lost             names of sessions that the journal knows and that have no log on the disk
    changed          logs whose bytes are not those that were received
    repaired         what was done to the journal; None where nothing had to be
    set_aside        where the damaged store that was replaced is kept; None where it was not damaged
    """

    sessions: int = 0
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    damaged_entries: int = 0
    journal: str = ""
    lost: list[str] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    repaired: Repair | None = None
    set_aside: Path | None = None


class Tables:
    """Writes the tables of one store within the caller's transactions. `is_frozen`: the journal must not be written."""

    def __init__(self, raw: RawLogs, journal: EventJournal, is_frozen: bool = False) -> None:
        self._raw, self._journal, self._is_frozen = raw, journal, is_frozen

    # The event journal

    def apply_journal(self, session: Session, appended: Sequence[JournalLine] = ()) -> None:
        """Apply every entry of the journal that the tables do not have yet. A damaged one is counted and skipped.

        `appended` are the lines that were just appended in this transaction. They are not read again where they are all that is new.
        """
        for (device, generation), boot in sorted(self._apply_new_entries(session, appended).items()):
            update_dating_from(session, device, generation, boot)

    def _apply_new_entries(self, session: Session, appended: Sequence[JournalLine] = ()) -> dict[Place, int]:
        """As `apply_journal`. Return what must be dated afterwards: for each device and generation, the first boot that changed."""
        applied, damaged = session.execute(select(StoreState.entries_applied, StoreState.entries_damaged)).one()
        is_all = bool(appended) and appended[0].end - len(appended[0].raw) == applied
        redated: dict[Place, int] = {}
        for lines in batches(appended if is_all else self._journal.lines(applied), BATCH):
            if not self._journal.in_database:
                session.connection().exec_driver_sql(_PUT_ENTRY, [(line.end, line.raw, binascii.crc32(line.raw)) for line in lines])
            applied = lines[-1].end
            damaged += _apply_lines(session, lines, redated)
        session.execute(update(StoreState).values(entries_applied=applied, entries_damaged=damaged))
        return redated

    def is_of_this_journal(self, session: Session) -> bool:
        """Whether the journal still has the entries that were applied to the tables, as far as its size and last applied line show."""
        if self._journal.in_database:
            return True
        last = session.execute(select(EntryRow.end, EntryRow.line).order_by(EntryRow.id.desc()).limit(1)).first()
        return last is None or self._journal.holds(last.line, last.end)

    def repair_journal(self, session: Session) -> Repair | None:
        """Restore what the journal lost and the tables have a copy of, and put it in order. Rebuild the tables afterwards.

        None where nothing had to be done. A journal that was rewritten on purpose since then lost nothing.
        """
        copies = list(self._copies(session))
        covered = (session.scalar(select(StoreState.entries_applied)) or 0) if copies else 0
        return repair_journal(self._journal, copies, covered)

    def check_journal(self, session: Session) -> Disorder:
        """Read the whole journal, and compare it with the copies of its lines."""
        # In a database the copies are the journal itself.
        return check_journal(self._journal, tuple if self._journal.in_database else lambda: self._copies(session))

    @staticmethod
    def _copies(session: Session) -> Iterator[bytes]:
        """The lines that the tables have an undamaged copy of, in order."""
        rows = session.execute(select(EntryRow.line, EntryRow.crc).order_by(EntryRow.id).execution_options(yield_per=BATCH))
        return (line for line, crc in rows if isinstance(line, bytes) and binascii.crc32(line) == crc)

    def _is_in_order(self, session: Session) -> bool:
        """Whether the lines that the tables do not have yet are complete, new and in order."""
        if self._journal.torn_end():
            return False
        last_line = session.scalar(select(EntryRow.line).order_by(EntryRow.id.desc()).limit(1))
        last = number_of(parse_entry(last_line)) if last_line else 0
        applied = session.scalar(select(StoreState.entries_applied)) or 0
        for lines in batches(self._journal.lines(applied), BATCH):
            crcs = [binascii.crc32(line.raw) for line in lines]
            known = set(session.scalars(select(EntryRow.line).where(EntryRow.crc.in_(crcs))))
            for line in lines:
                number = number_of(line.entry)
                if line.entry is None or line.raw in known or 0 < number <= last:
                    return False
                known.add(line.raw)
                last = max(last, number)
        return True

    def has_every_entry(self, session: Session) -> bool:
        """Whether the tables have every entry of the journal, and no other."""
        if not self.is_of_this_journal(session) or self._journal.torn_end():
            return False
        applied = session.scalar(select(StoreState.entries_applied)) or 0
        return next(self._journal.lines(applied), None) is None

    # The logs

    @rare_collections()
    def bring_up_to_date(self, session: Session, notices: list[RetrostepError]) -> Comparison:
        """Create or rebuild tables that are missing or old, apply the journal, and add logs. Say so in `notices`.

        Return the comparison with the disk.
        """
        layout = layout_of(session)
        is_behind = layout == schema.LAYOUT
        if layout is None:
            self.create(session)
        elif MIGRATED_SINCE <= layout < schema.LAYOUT:
            migrate(session)
            notices.append(RetrostepError("An older version of Retrostep wrote the store. Its tables were changed for this version."))
        elif layout < schema.LAYOUT:
            if (session.scalar(select(StoreState.entries_applied)) or 0) > self._journal.size():
                kept = keep_copy(self._raw.data_dir, session)
                notices.append(DamagedJournal(f"{self._journal.path.name} is shorter than it was. The store as it was is kept in {kept}."))
            received = receipts_of_older_store(session)
            self._recreate(session)
            self._record_missing(session, received)
            notices.append(RetrostepError("An older version of Retrostep wrote the store. It was written again for this version."))
        is_same = self.is_of_this_journal(session)
        if self._is_frozen and not is_same:
            here = Counter(line.raw for line in self._journal.lines())
            lost = [copy for copy in self._copies(session) if copy not in here]
            notices.append(DamagedJournal(lost_text(lost, "They still count.")))
            return compare_with_logs(session, self._raw)
        if not (self._is_frozen or self._journal.in_database) and not (is_same and self._is_in_order(session)):
            repaired = self.repair_journal(session)
            if repaired is not None:
                notices.append(repaired_notice(repaired))
            if repaired is not None or not is_same:
                self._recreate(session)
                is_behind = False
        self.apply_journal(session)
        found = compare_with_logs(session, self._raw)
        added = self.catch_up(session, found)
        if added and (is_behind or layout is None):
            notices.append(RetrostepError(f"The store lacked {count(added, 'session')} of the raw logs. They were added."))
        return found

    def _record_missing(self, session: Session, received: list[dict[str, Any]]) -> None:
        """Record those receipts of an older store that are not in the journal."""
        if not received:
            return
        self.apply_journal(session)
        here = {tuple(row) for row in session.execute(select(ReceiptRow.device, ReceiptRow.generation, ReceiptRow.number))}
        missing = [one for one in received if (one["device"], one.get("life", 0), one["number"]) not in here]
        for start in range(0, len(missing), BATCH):
            self._record(session, [(RECEIVED, one) for one in missing[start : start + BATCH]])

    def _recreate(self, session: Session) -> None:
        if self._journal.in_database:  # other programs read on meanwhile
            derived = [table for table in schema.Base.metadata.sorted_tables if table.name not in _NEVER_DERIVED]
            schema.Base.metadata.create_all(session.connection(), tables=derived)
            for table in reversed(derived):
                session.execute(delete(table))
            session.execute(update(StoreState).values(entries_applied=0, entries_damaged=0, moved_to=None))
            session.expire_all()
            return
        schema.Base.metadata.drop_all(session.connection())
        self.create(session)

    def catch_up(self, session: Session, found: Comparison) -> int:
        """Add the logs in `found.new` to the tables, with receipts for those that have none. Return how many sessions were added."""
        done = self._add_logs(session, found.new, len(found.new), keep_unreadable=False)
        found.unreadable = [path for path, _ in done.unreadable]
        found.changed += done.changed
        remember_folders(session, found)
        return done.sessions

    @rare_collections()
    def rebuild(self, session: Session, progress: Progress | None = None) -> RebuildReport:
        """Write every table from the logs and the journal. See `Store.rebuild`."""
        report = RebuildReport()
        has_copies = layout_of(session) == schema.LAYOUT
        if not self._journal.in_database:
            disorder = check_journal(self._journal, (lambda: self._copies(session)) if has_copies else tuple)
            if disorder.is_repairable(has_copies=has_copies):
                report.repaired = self.repair_journal(session) if has_copies else repair_journal(self._journal, [], 0)
        received = receipts_of_older_store(session)
        self._recreate(session)
        redated = self._apply_new_entries(session)
        self._record_missing(session, received)
        added = self._add_logs(session, self._raw.all(), self._raw.count(), progress, redated, keep_unreadable=True)
        report.unreadable, report.changed = added.unreadable, added.changed
        report.sessions = session.scalar(select(func.count()).select_from(SessionRow)) or 0
        report.damaged_entries = session.scalar(select(StoreState.entries_damaged)) or 0
        report.journal = self._journal.name
        found = compare_with_logs(session, self._raw)
        if isinstance(self._raw, DatabaseLogs):
            found.missing = self._raw.missing(session)
        found.unreadable = [log.path for log in found.new]
        report.lost = lost_sessions(session, found.missing)
        found.changed = report.changed
        remember_folders(session, found)
        return report

    @staticmethod
    def create(session: Session) -> None:
        """Create the tables in an empty database."""
        connection = session.connection()
        schema.Base.metadata.create_all(connection)
        if connection.dialect.name != "sqlite":
            SourceBase.metadata.create_all(connection)
        session.add(StoreState(id=1, layout=schema.LAYOUT, entries_applied=0, entries_damaged=0, moved_to=None))
        session.add(MigrationRow(version_num=revision_of(schema.LAYOUT)))
        session.flush()

    def _add_logs(
        self,
        session: Session,
        logs: Iterable[RawLog],
        total: int,
        progress: Progress | None = None,
        redated: Iterable[Place] = (),
        *,
        keep_unreadable: bool,
    ) -> RebuildReport:
        """Write `logs` to the tables, date their devices, and record the receipts that are missing. Report how many could be used.

        `total` is how many there are. Memory does not grow with them. `redated` must be dated in any case.
        """
        report = RebuildReport()
        changed = set(redated)
        if isinstance(self._raw, DatabaseLogs):
            logs = self._raw.loaded(logs)
        for batch in batches(_counted(read_logs(logs, total), total, progress), BATCH):
            self._add_batch(session, batch, report, changed, keep_unreadable)
        for place in sorted(changed):
            date_all(session, *place)
        return report

    def _add_batch(
        self, session: Session, batch: list[tuple[RawLog, ReadLog]], report: RebuildReport, changed: set[Place], keep_unreadable: bool
    ) -> None:
        known = _receipts(session, [log for log, _ in batch])
        usable: list[tuple[LogRows, int | None]] = []
        receipts: Entries = []
        for log, read in batch:
            if read.rows is None:
                where = self._keep(log, read.why) if keep_unreadable and read.is_damaged else log.path
                report.unreadable.append((where, read.why))
                continue
            key, identity = read.rows.key, read.rows.identity
            receipt = known.get(key)
            if receipt is not None and identity == (receipt.length, receipt.crc):
                usable.append((read.rows, receipt.received_at_ms))
            elif receipt is None or _has_grown(receipt, log, self._raw):
                # Archived by an older version, or by a process that was killed before it recorded the receipt.
                received_ms = read.written_ms if is_possible_clock(read.written_ms) else now_ms()
                receipts.append((RECEIVED, receipt_fields(key, identity, received_ms)))
                usable.append((read.rows, received_ms))
            else:
                report.changed.append(log.path)
                if session_row(session, key) is None:  # a stored one is from a time when its log had the right bytes
                    usable.append((read.rows, receipt.received_at_ms))
        changed.update(project_logs(session, usable))
        if isinstance(self._raw, DatabaseLogs):
            self._raw.stored(session, [rows.key for rows, _ in usable])
        report.sessions += len(usable)
        if receipts:
            self._record(session, receipts)

    def _keep(self, log: RawLog, why: str) -> Path:
        """Copy an unreadable log to quarantine. Return its file there."""
        data = self._raw.read(log.device, log.session, log.generation) if log.data is None else log.data
        return self._raw.quarantine(log.device, log.session, data, why, log.generation)

    def _record(self, session: Session, entries: Entries) -> None:
        """Append receipts to the journal and apply them; only apply them where the journal is frozen."""
        if not self._is_frozen:
            self._journal.append_all(now_ms(), entries)
            self.apply_journal(session)
            return
        apply_receipts(session, [receipt_of(fields) for _, fields in entries])


def lost_sessions(session: Session, keys: Iterable[Key]) -> list[str]:
    """The names of those sessions in `keys` that the tables do not have, in order."""
    there = {(row.device, row.generation, row.number) for row in session.execute(_KEYS)} if keys else set()
    keys = set(keys) - there
    nth = {(row.device, row.generation): row.nth for row in session.scalars(select(GenerationRow))}
    return [session_id(device, number, nth.get((device, generation), 1)) for device, generation, number in sorted(keys)]


def receipts_of_older_store(session: Session) -> list[dict[str, Any]]:
    """What a store of the first layouts, which had no receipts, knows of the received logs. Empty for a newer one."""
    connection = inspect(session.connection())
    tables = connection.get_table_names()
    if ReceiptRow.__tablename__ in tables or SessionRow.__tablename__ not in tables:
        return []
    columns = {str(column["name"]) for column in connection.get_columns(SessionRow.__tablename__)}
    generation_column = "generation" if "generation" in columns else "life"  # its first name
    if not {"device", generation_column, "number", "log_length", "log_crc", "received_at_ms"} <= columns:
        return []
    query = f"SELECT device, {generation_column}, number, log_length, log_crc, received_at_ms FROM sessions ORDER BY 1, 2, 3"
    names = ("length", "crc", "received_at_ms")
    return [
        {"device": device, **generation_field(generation), "number": number, **dict(zip(names, facts, strict=True))}
        for device, generation, number, *facts in session.connection().exec_driver_sql(query)
    ]


def _counted(logs: Iterable[T], total: int, progress: Progress | None) -> Iterator[T]:
    """`logs`, reported to `progress` one by one as (done, total)."""
    for done, log in enumerate(logs, 1):
        yield log
        if progress is not None:
            progress(done, max(done, total))


def _has_grown(receipt: Receipt, log: RawLog, raw: RawLogs) -> bool:
    """Whether the log is a longer version of the one that the receipt is for, and not the same one with something else behind it."""
    data = raw.load(log.path) if log.data is None else log.data
    beginning = data[: receipt.length]
    if len(data) <= receipt.length or binascii.crc32(beginning) != receipt.crc:
        return False
    key = log.device, log.session, log.generation
    grown = summarize_log(data, *key)
    return not grown.is_damaged or grown.damage == summarize_log(beginning, *key).damage


def _receipts(session: Session, logs: list[RawLog]) -> dict[SessionKey, Receipt]:
    """The receipts of those logs. Others may be among them."""
    columns = ReceiptRow.device, ReceiptRow.generation, ReceiptRow.number, ReceiptRow.length, ReceiptRow.crc, ReceiptRow.received_at_ms
    query = select(*columns).where(may_be_of(ReceiptRow, [(log.device, log.generation, log.session) for log in logs]))
    found = {}
    for device, generation, number, length, crc, at_ms in session.execute(query):
        found[device, generation, number] = Receipt((device, generation, number), length, crc, at_ms)
    return found


def _apply_lines(session: Session, lines: list[JournalLine], redated: dict[Place, int]) -> int:
    """Apply lines of the journal. Return how many are damaged.

    Add to `redated`, by device and generation, the first boot of which something changed: sessions must be dated again.
    """
    receipts: list[Receipt] = []
    entries: list[Entry] = []
    damaged = 0
    for line in lines:
        if line.entry is None:
            damaged += 1
        elif line.entry["entry"] == RECEIVED:
            try:
                receipts.append(receipt_of(line.entry))
            except _NOT_VALID:
                damaged += 1
        else:
            entries.append(line.entry)
    changes: list[Redated] = []
    try:
        changes = _applied(session, entries)
    except _NOT_VALID:  # one of them is damaged
        for entry in entries:
            try:
                changes += _applied(session, [entry])
            except _NOT_VALID:
                damaged += 1
    if receipts:
        changes += apply_receipts(session, receipts)
    for device, generation, boot in changes:
        redated[device, generation] = min(boot, redated.get((device, generation), boot))
    return damaged


_NOT_VALID = (KeyError, TypeError, ValueError, RetrostepError, DataError, IntegrityError)


def _applied(session: Session, entries: list[Entry]) -> list[Redated]:
    """Apply all of the entries, or none. Return what must be dated again."""
    if not entries:
        return []
    with session.begin_nested():
        return apply_entries(session, entries)
