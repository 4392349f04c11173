"""The store: sessions, athletes and notes in tables that can be queried quickly.

It is derived. The raw logs and the event journal beside it are the truth, and `rebuild` writes the store again from them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from retrostep_core.codes import CLOCK_FROM_HOST
from sqlalchemy import select
from sqlalchemy.orm import Session

from retrostep.archive import schema
from retrostep.archive.catalogue import Comparison, compare_with_logs, remember_folders
from retrostep.archive.data_dir import DataDir
from retrostep.archive.database import (
    damaged_store,
    database_errors,
    is_as_defined,
    layout_of,
    refuse_foreign_tables,
    wipe_deleted,
)
from retrostep.archive.database_journal import DatabaseJournal
from retrostep.archive.database_logs import DatabaseLogs
from retrostep.archive.dating import ClockFact, is_possible_clock
from retrostep.archive.decided import Decided
from retrostep.archive.durable_files import remove_temporary
from retrostep.archive.entry_values import storable
from retrostep.archive.event_journal import Entry, EventJournal
from retrostep.archive.hello import Hello
from retrostep.archive.identifiers import device_name
from retrostep.archive.log_rows import rows_of
from retrostep.archive.log_summary import LogSummary, summarize_log
from retrostep.archive.moments import now_ms, to_ms
from retrostep.archive.place import (
    Place,
    Server,
    close_to_others,
    has_sources,
    refuse_missing_store,
    refuse_special_journal,
    set_store_aside,
)
from retrostep.archive.projected_logs import project_logs
from retrostep.archive.projection import MOVED, RECEIVED, REOPENED, generation_field, receipt_fields
from retrostep.archive.queries import Queries
from retrostep.archive.raw_logs import RawLogs
from retrostep.archive.schema import GenerationRow, ReceiptRow, SessionRow, StoreState
from retrostep.archive.session_dates import update_dating_from
from retrostep.archive.store_url import file_url, is_server, shown_url, sqlite_path
from retrostep.archive.tables import Progress, RebuildReport, Tables, lost_sessions
from retrostep.archive.transactions import Transactions
from retrostep.archive.verify import LogCheck, Verification
from retrostep.errors import (
    DamagedStore,
    DiskFull,
    ForeignStore,
    NoAccess,
    NoStore,
    RetrostepError,
    StoreFailed,
    StoreLayout,
    StoreLost,
    StoreMoved,
)


class Store(Decided):
    """The store at `url`, with its raw logs and its journal.

    `sqlite:///PATH` is a file, and logs and journal are beside it (default: the one in the data folder). With `postgresql://...`
    everything is in a database on a server. Opening a store compares it with the logs and the journal, and adds what it lacks;
    `notices` name what was added. Several threads may use it. Use it as a context manager, or call `close`.

    Raises UnsupportedStore, NoStore, StoreLayout, StoreMoved, StoreBusy, StoreLost, StoreFailed, DamagedStore, NoAccess, DiskFull.
    """

    def __init__(self, url: str | None = None, *, reading: bool = False, rebuilding: bool = False) -> None:
        """`reading` opens a store that exists, and works where nothing can be written. `rebuilding` opens it only to be rebuilt."""
        self.url = url or DataDir.from_environment().store_url
        self.notices: list[RetrostepError] = []
        """What opening found: what was added to the store, and what is missing on the disk."""
        self.lost_sessions: list[str] = []
        """Sessions that the journal knows and the store lacks, because their logs are gone."""
        self.name = shown_url(self.url)
        """The store as messages name it."""
        self.path: Path | None = None
        """The file of the store; None where it is on a server."""
        self._place: Place | Server
        if is_server(self.url):
            self._place = Server(self.url)
            self.data_dir = DataDir.from_environment()
            self._connect()
            self.raw: RawLogs = DatabaseLogs(self.data_dir, self._transactions)
            self.journal: EventJournal = DatabaseJournal(self._transactions)
        else:
            self.path = sqlite_path(self.url)
            self.name = str(self.path)
            self.data_dir = DataDir(self.path.parent)
            self.raw, self.journal = RawLogs(self.data_dir), EventJournal(self.data_dir.journal)
            self._place = Place(self.path, is_default=not url, reading=reading)
            self._clean_folder(self.path)
            self._connect()
        self._tables = Tables(self.raw, self.journal, is_frozen=self._place.is_frozen)
        try:
            if not rebuilding:
                self._open(reading)
        except BaseException:
            self.close()
            raise

    def _clean_folder(self, path: Path) -> None:
        refuse_special_journal(self.data_dir.journal)
        if not self._place.is_frozen:
            self.notices += close_to_others(self.data_dir, path)
            for folder in (self.data_dir.path, self.data_dir.quarantine):
                remove_temporary(folder)

    def _open(self, reading: bool) -> None:
        """Prepare the store. To be read, it is used as it is where the disk is full or the folder cannot be written after all."""
        notices = list(self.notices)
        try:
            self._prepare(reading)
        except (DiskFull, NoAccess):
            if not reading or self._place.is_frozen or isinstance(self._place, Server):
                raise
            self._engine.dispose()
            self.notices = notices
            self._place.freeze()
            self._tables = Tables(self.raw, self.journal, is_frozen=True)
            self._connect()
            self._prepare(reading)
        moved_to = self.moved_to()
        if not reading:
            self._refuse_moved(moved_to)
        elif moved_to:
            what = f"The store {self.name} was moved to {moved_to}. What is there may be newer: use that one."
            self.notices.append(StoreMoved(what, store=self.shown_url))

    def _connect(self) -> None:
        self._engine = self._place.open()
        Queries.__init__(self, Transactions(self._engine, self.name))

    def _create_on_server(self, reading: bool) -> None:
        """Create the tables in an empty database. Another program may do so at the same moment."""
        with self._read() as session:
            refuse_foreign_tables(session, self.name)
        if reading:
            raise NoStore(f"There is no store at {self.name} yet: sync or enter something first, or check the URL.")
        try:
            with self._transactions.write(is_new=True) as session:
                self._tables.create(session)
        except StoreFailed:
            with self._read() as session:
                if layout_of(session) is None:
                    raise

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()
        self._place.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # From devices

    def ingest(self, device: str, number: int, data: bytes, received_at: datetime | None = None, *, generation: int = 0) -> SessionRow:
        """Write the log of a session to the tables, in place of an earlier version of it; return its row.

        `received_at` is when the host received it (default now): the session was over by then. Damage inside the log is counted in the
        row. Raises DamagedData where `data` is not a log of that session; the tables are unchanged then.
        """
        return self.add_log(summarize_log(data, device, number, generation), received_at)

    def add_log(self, summary: LogSummary, received_at: datetime | None = None) -> SessionRow:
        """As `ingest`, for a log that was summarized already."""
        with self._write() if self.journal.in_database else nullcontext():
            return self._add_log(summary, received_at)

    def _add_log(self, summary: LogSummary, received_at: datetime | None) -> SessionRow:
        device, number, generation = summary.key
        received_at_ms = now_ms() if received_at is None else to_ms(received_at)
        known = self.receipt(summary.key)
        if _is_new(known, summary, received_at_ms):
            self._number_generation(device, generation)
            if self.raw.exists(device, number, generation):
                self.record_receipt(summary, received_at)
        with self._write() as session:
            receipt = session.get(ReceiptRow, (device, generation, number))
            changed = project_logs(session, [(rows_of(summary), received_at_ms if receipt is None else receipt.received_at_ms)])
            if isinstance(self.raw, DatabaseLogs):
                self.raw.stored(session, [(device, generation, number)])
            for place, boot in changed.items():
                update_dating_from(session, *place, boot)
            return session.scalars(select(SessionRow).filter_by(device=device, generation=generation, number=number)).one()

    def record_receipt(self, summary: LogSummary, received_at: datetime | None = None) -> None:
        """Record in the journal which log is archived since when (default now), unless it has an earlier receipt for the same bytes."""
        device, number, generation = summary.key
        # On a server two may receive one log at the same time. Read under the lock, the clock makes the second one later, so not a receipt.
        with self.journal.locked() if self.journal.in_database else nullcontext():
            received_at_ms = now_ms() if received_at is None else to_ms(received_at)
            if _is_new(self.receipt(summary.key), summary, received_at_ms):
                self._number_generation(device, generation)
                self._enter(RECEIVED, **receipt_fields((device, generation, number), summary.identity, received_at_ms))

    def receipt(self, key: tuple[str, int, int]) -> ReceiptRow | None:
        """The receipt of the log with that device, number and generation; None where it was never archived."""
        device, number, generation = key
        with self._transactions.joined() as session:
            return session.get(ReceiptRow, (device, generation, number))

    def has_undamaged_log(self, key: tuple[str, int, int]) -> bool:
        """Whether the store has the session with that device, number and generation from a log without damage."""
        device, number, generation = key
        with self._read() as session:
            row = session.scalar(select(SessionRow).filter_by(device=device, number=number, generation=generation))
        return row is not None and not row.damage and not row.lost_records

    def add_clock_fact(
        self, device: str, boot: int, ticks_ms: int, epoch_ms: int, source: int = CLOCK_FROM_HOST, *, generation: int = 0
    ) -> None:
        """Record that it was `epoch_ms` at `ticks_ms` of that boot, and date the device's sessions by it. ValueError where impossible."""
        fact = ClockFact(boot, ticks_ms, epoch_ms, source)
        if not fact.is_plausible():
            raise ValueError("a clock fact lies between 2020 and 2100")
        self._enter("clock", device=device_name(device), **fact._asdict(), **generation_field(generation))

    def saw_device(self, hello: Hello, fact: ClockFact | None = None) -> None:
        """Record that a device is connected now, what it reported about itself, and the clock fact of that moment."""
        device = device_name(hello.device)
        seen = {
            "device": device,
            "board": hello.board,
            "core_version": ".".join(str(part) for part in hello.core_version),
            "core_hash": hello.core_hash.hex(),
            "boot": hello.boot,
        }
        clock = [] if fact is None else [("clock", {"device": device, **fact._asdict(), **generation_field(hello.generation)})]
        self._enter_all([("seen", seen), *clock])

    def _number_generation(self, device: str, generation: int) -> None:
        """Give a new generation of a device its number. The journal keeps it, except that of generation 0."""
        with self._transactions.joined() as session:
            taken = {row.generation: row.nth for row in session.scalars(select(GenerationRow).where(GenerationRow.device == device))}
        if generation and generation not in taken:
            nth = next(n for n in range(1, len(taken) + 2) if n not in taken.values())
            self._enter("life", device=device, nth=nth, **generation_field(generation))

    # Rebuilding

    def rebuild(self, progress: Progress | None = None) -> RebuildReport:
        """Write every table again from the raw logs and the journal, in one transaction: if it is cut, the store is as before.

        Unreadable logs stay where they are and are copied to quarantine with the reason. `progress` gets (done, total) logs. Entries
        that the journal lost are restored from the store's copy first.
        """
        with self._write() as session:
            return self._tables.rebuild(session, progress)

    def check_file(self) -> None:
        """Raise DamagedStore where SQLite finds damage in the store's file, or where its tables are not defined as they should be.

        Raise StoreLayout where a newer version wrote the store, NoStore where a server has none.
        """
        with self._read() as session:
            layout = layout_of(session)
            if layout is not None and layout > schema.LAYOUT:
                raise self._newer()
            if self.path is None:
                if layout is None:
                    raise NoStore(f"There is no store at {self.name}: check the URL.")
                return
            is_complete = session.connection().exec_driver_sql("PRAGMA integrity_check(1)").scalar() == "ok"
            if not is_complete or (layout == schema.LAYOUT and not is_as_defined(session)):
                raise damaged_store(self.name)

    def verify(self, progress: Progress) -> Verification:
        """Read every byte of the archive, and compare it with the receipts and the store. `progress` gets (done, total) logs."""
        with self.checking() as check:
            for _ in check.logs(progress):
                pass
            return check.result()

    @contextmanager
    def checking(self) -> Iterator[LogCheck]:
        """For code that reads every log: the check that compares each log as it is read. The journal is checked when the block begins."""
        with self._transactions.joined() as session:
            disorder = self._tables.check_journal(session)
            disorder.damaged = max(disorder.damaged, session.scalar(select(StoreState.entries_damaged)) or 0)
            yield LogCheck(session, self.raw, disorder)

    def rewrite_journal(self, change: Callable[[Entry], Entry | None]) -> int:
        """Change entries of the journal for good, and write the tables again. Return how many entries changed.

        `change` gets every entry and returns what takes its place; None removes it. Nothing of the old entries stays in the journal or in
        this store. After a power cut the journal is as before, or complete.
        """
        with self._write() as session:
            changed = self.journal.rewrite(change)
            self._tables.rebuild(session)
        with database_errors(self.name), self._engine.connect() as connection:
            wipe_deleted(connection)
        return changed

    def snapshot(self) -> AbstractContextManager[None]:
        """In the block, this thread sees the store as it was when the block began; on a server, the logs and the journal too."""
        return self._transactions.snapshot()

    @property
    def shown_url(self) -> str:
        """The URL as messages show it, without the password."""
        return self.name if self.path is None else file_url(self.path)

    def mark_moved(self, to: str, who: str) -> None:
        """Record that the store was moved to another place: nothing is entered here any more."""
        self._enter(MOVED, to=storable(to), who=storable(who))

    def mark_reopened(self, who: str) -> None:
        """Record that the store is used here again, because the place it was moved to is lost."""
        self._enter(REOPENED, who=storable(who))

    def moved_to(self) -> str | None:
        """Where the store was moved to; None where it was not."""
        with self._read() as session:
            return session.scalar(select(StoreState.moved_to))

    # Inside

    def _write(self) -> AbstractContextManager[Session]:
        return self._transactions.write()

    def _enter(self, kind: str, **fields: object) -> None:
        """Append an entry to the journal, which makes it durable, then apply it to the tables."""
        self._enter_all([(kind, fields)])

    def _enter_all(self, entries: list[tuple[str, dict[str, Any]]]) -> None:
        """Append several entries in one write, then apply them."""
        if isinstance(self.journal, DatabaseJournal):
            self._enter_on_server(self.journal, entries)
            return
        with self.journal.locked():
            self._refuse_moved(self.moved_to(), entries)
            self.journal.append_all(now_ms(), entries)
        with self._write() as session:
            self._tables.apply_journal(session)

    def _enter_on_server(self, journal: DatabaseJournal, entries: list[tuple[str, dict[str, Any]]]) -> None:
        """Append and apply entries in one transaction. Where its end is not answered, look whether they are there."""
        before = journal.appended
        try:
            with self._write() as session:
                self._refuse_moved(session.scalar(select(StoreState.moved_to)), entries)
                journal.append_all(now_ms(), entries)
                self._tables.apply_journal(session, journal.last_lines)
        except BaseException as error:
            is_unknown = isinstance(error, StoreLost) and journal.appended > before
            journal.appended = before
            if not is_unknown or not self._was_saved(journal):
                raise
            journal.appended += 1

    def _was_saved(self, journal: DatabaseJournal) -> bool:
        self._engine.dispose()  # its other connections are lost as well
        try:
            return journal.was_saved()
        except StoreLost as error:
            why = "The connection was lost at the end, so what was entered may be in it: look there before you enter it again."
            raise StoreLost(f"The store {self.name} cannot be reached any more. {why}") from error

    def _prepare(self, reading: bool) -> None:
        """Create the tables of a new store, check the layout, and add what the journal and the logs have and the tables lack."""
        layout, found = self._compared()
        if layout is None and isinstance(self._place, Server):
            self._create_on_server(reading)
            layout, found = self._compared()
        if layout is not None and layout > schema.LAYOUT:
            raise self._newer()
        if found is None or found.new:
            if isinstance(self._place, Place) and self._place.is_frozen and not self._place.is_scratch:
                self._engine.dispose()
                self._place.use_copy()
                self._connect()
            with self._write() as session:
                found = self._tables.bring_up_to_date(session, self.notices)
        elif found.is_large and found.folders and not self._place.is_frozen:
            with self._write() as session:
                remember_folders(session, found)
        if not found.is_complete:
            self.notices.append(found.as_error())
            with self._read() as session:
                self.lost_sessions = lost_sessions(session, found.missing)

    def _compared(self) -> tuple[int | None, Comparison | None]:
        """The layout of the tables (None: there are none), and what they lack of the logs (None: they are not up to date)."""
        with self._transactions.snapshot(), self._read() as session:
            layout = layout_of(session)
            is_current = layout == schema.LAYOUT and self._tables.has_every_entry(session)
            return layout, compare_with_logs(session, self.raw) if is_current else None

    def _refuse_moved(self, to: str | None, entries: Sequence[tuple[str, dict[str, Any]]] = ()) -> None:
        if to is not None and [kind for kind, _ in entries] != [REOPENED]:
            raise StoreMoved(f"The store {self.name} was moved to {to}: use that one.", store=self.shown_url)

    def _newer(self) -> StoreLayout:
        return StoreLayout(f"A newer version of Retrostep wrote the store {self.name}: update this one.")


def _is_new(known: ReceiptRow | None, summary: LogSummary, received_at_ms: int) -> bool:
    """Whether the known receipt is not for the bytes of this log, or is later than `received_at_ms`."""
    if known is None or (known.length, known.crc) != summary.identity:
        return True
    return is_possible_clock(received_at_ms) and (known.received_at_ms is None or received_at_ms < known.received_at_ms)


def rebuild_store(url: str | None = None, progress: Progress | None = None, *, moves_foreign: bool = False) -> RebuildReport:
    """Rebuild the store at `url`, of this layout or an older one. What cannot be opened as a store any more is moved to quarantine first.

    So is another program's database in the place of the store of a data folder. Raises NoStore where a `url` is given and neither a
    store nor logs nor a journal are there, ForeignStore for another program's database without logs or a journal beside it, unless
    `moves_foreign`.
    """
    if url and is_server(url):
        with Store(url, rebuilding=True) as store:
            store.check_file()
            return store.rebuild(progress)
    path = sqlite_path(url or DataDir.from_environment().store_url)
    if url:
        refuse_missing_store(path)
    try:
        with Store(url, rebuilding=True) as store:
            store.check_file()  # a damaged page would be used again, and fail later
            return store.rebuild(progress)
    except (DamagedStore, ForeignStore) as error:
        if isinstance(error, ForeignStore) and not (moves_foreign or has_sources(path)):
            raise
        aside = set_store_aside(path)
        with Store(url, rebuilding=True) as store:
            report = store.rebuild(progress)
        report.set_aside = aside
        return report
