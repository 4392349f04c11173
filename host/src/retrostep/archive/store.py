"""The store: what the raw logs add up to, whose sessions they are and when they were, in tables that can be asked quickly.

It is derived. The raw logs and the journal of entries beside it are the truth, and `rebuild` makes the store anew from them.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from retrostep_core.log.records import BY_HAND, FROM_HOST
from sqlalchemy import Select, func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from retrostep.archive import disk, schema
from retrostep.archive.dating import TOLERANCE_MS, ClockFact
from retrostep.archive.derive import SINCE_EVER_MS, apply_entry, put_log, settle
from retrostep.archive.digest import Digest, digest
from retrostep.archive.disk import make_folder
from retrostep.archive.engine import explained, open_engine, sqlite_path
from retrostep.archive.entries import Entries
from retrostep.archive.home import Home
from retrostep.archive.names import device_name, session_id, session_number
from retrostep.archive.raw import RawLogs
from retrostep.archive.schema import (
    AlertRow,
    AssignmentRow,
    AthleteRow,
    BoutRow,
    DeviceRow,
    EpochRow,
    GapRow,
    LifeRow,
    MarkRow,
    NoteRow,
    OverrideRow,
    SessionRow,
    StoreState,
)
from retrostep.errors import Contradiction, DamagedData, DamagedStore, NotFound, RetrostepError, StoreLayout

NAME_LENGTH = 80
TEXT_LENGTH = 2_000


class Hello(Protocol):
    """What a device says of itself (retrostep_core.link.messages.Hello)."""

    @property
    def device(self) -> str: ...
    @property
    def board(self) -> str: ...
    @property
    def core_version(self) -> tuple[int, ...]: ...
    @property
    def core_hash(self) -> bytes: ...
    @property
    def boot(self) -> int: ...


class Recording(NamedTuple):
    """The columns of a session that rules judge; see schema.SessionRow for what they mean."""

    athlete_id: int | None
    device: str
    number: int
    started_at_ms: int | None
    not_before_ms: int | None
    placed_at_ms: int
    duration_ms: int
    forward_ms: int
    backward_ms: int
    first_backward_ms: int | None
    warm_up_ms: int
    backward_cadence_x10: int
    ramp_stops: int
    warm_up_mark: bool
    stretch_mark: bool
    pain: int | None
    pain_next_day: int | None
    limp: bool
    swelling: bool
    gap_ms: int
    end_reason: int
    damage: int
    lost_records: int
    contradictory: bool
    core_version: str
    core_hash: str
    nth_life: int = 1

    @property
    def id(self) -> str:
        """As `session_id` tells."""
        return session_id(self.device, self.number, self.nth_life)


@dataclass(frozen=True)
class SessionDetail:
    """One session with all that belongs to it."""

    session: SessionRow
    athlete: str | None
    bouts: list[BoutRow]
    epochs: list[EpochRow]
    alerts: list[AlertRow]
    gaps: list[GapRow]
    marks: list[MarkRow]
    notes: list[NoteRow]


@dataclass(frozen=True)
class Wearing:
    """Who wears a device from when to when; see schema.AssignmentRow."""

    device: str
    athlete: str | None
    from_at_ms: int
    to_at_ms: int | None


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild found: sessions in the store, logs that could not be read (path, why), damaged lines among the entries."""

    sessions: int
    unreadable: list[tuple[Path, str]]
    damaged_entries: int


def now_ms() -> int:
    """UTC now, in ms since 1970."""
    return time.time_ns() // 1_000_000


def to_ms(moment: datetime) -> int:
    """An aware moment in ms since 1970, UTC."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000)


def storable(text: str) -> str:
    """`text` as every database holds it: bytes that were no UTF-8 on the command line are written as their codes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _local(at_ms: int) -> str:
    """A moment in this computer's time zone, to the minute."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


class Store:
    """The store at `url` (`sqlite:///PATH`; default: the one in the Home), with the raw logs and entries that lie beside it.

    Several threads may use it. Use it as a context manager, or call `close`. Raises UnsupportedStore, StoreLayout, StoreBusy, NoAccess,
    DiskFull, DamagedData.
    """

    def __init__(self, url: str | None = None, *, rebuilding: bool = False) -> None:
        """`rebuilding` opens a store of any layout, to be rebuilt next and for nothing else."""
        self.url = url or Home.from_environment().store_url
        self.path = sqlite_path(self.url)
        self.home = Home(self.path.parent)
        self.raw = RawLogs(self.home)
        self.entries = Entries(self.home.entries)
        self._engine = open_engine(self.path)
        self._reading = sessionmaker(self._engine, expire_on_commit=False)
        self._writing = sessionmaker(self._engine.execution_options(writes=True), expire_on_commit=False)
        # SQLite has one writer, and those that wait for it inside do so in sleeps and give up after BUSY_S.
        self._one_writer = threading.Lock()
        try:
            if not rebuilding:
                self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # What devices bring

    def ingest(self, device: str, number: int, data: bytes, received_at: datetime | None = None, *, life: int = 0) -> SessionRow:
        """Take the log of a session into the tables, again if need be; return its row.

        `received_at` is when the host got it (default now): it had ended by then. Damage inside the log is noted in the row. Raises
        DamagedData when no session can be told from these bytes; the tables are then as before.
        """
        return self.put(digest(device, number, data, life), received_at)

    def put(self, facts: Digest, received_at: datetime | None = None) -> SessionRow:
        """Take a log's facts, as `digest` told them, into the tables; otherwise as `ingest`."""
        self._meet(facts.session["device"], facts.session["life"])
        received_at_ms = now_ms() if received_at is None else to_ms(received_at)
        with self._write() as session:
            row = put_log(session, facts, received_at_ms)
            settle(session, row.device)
            session.refresh(row)
            return row

    def add_clock_fact(self, device: str, boot: int, ticks_ms: int, epoch_ms: int, source: int = FROM_HOST, *, life: int = 0) -> None:
        """Keep that it was `epoch_ms` at `ticks_ms` of that boot, and date the device's sessions by it. ValueError for what cannot be."""
        if not ClockFact(boot, ticks_ms, epoch_ms, source).is_plausible():
            raise ValueError("a clock fact lies between 2020 and 2100")
        fact = {"boot": boot, "ticks_ms": ticks_ms, "epoch_ms": epoch_ms, "source": source}
        self._enter("clock", device=device_name(device), **fact, **({"life": life} if life else {}))

    def date_by_hand(self, row: SessionRow, began: datetime) -> SessionRow:
        """Keep that somebody says when a session began; its row as it is dated by that, and so is every session of the same boot.

        Raises Contradiction for what cannot be, which is then not kept: it is not over yet, it had come here before, or another boot of the
        device lies between.
        """
        began_ms = to_ms(began)
        name = session_id(row.device, row.number, row.nth_life)
        if began_ms + row.duration_ms > now_ms() + TOLERANCE_MS:
            raise Contradiction(f"Session {name} would not be over yet: it lasted {row.duration_ms / 60_000:.0f} minutes.")
        if began_ms + row.duration_ms > row.received_at_ms + TOLERANCE_MS:
            raise Contradiction(f"Session {name} had ended when its log came here, at {_local(row.received_at_ms)}: say an earlier time.")
        query = select(SessionRow).where(SessionRow.device == row.device, SessionRow.life == row.life)
        with self._read() as session:
            others = list(session.scalars(query.order_by(SessionRow.boot, SessionRow.start_ticks_ms)))
        boot_at_ms = began_ms - row.start_ticks_ms
        same = [(boot_at_ms + other.start_ticks_ms, other.duration_ms) for other in others if other.boot == row.boot]
        first_ms, last_ms = min(start for start, _ in same), max(start + length for start, length in same)
        for other in others:
            if other.started_at_ms is None or other.boot == row.boot:
                continue
            their = session_id(other.device, other.number, other.nth_life)
            cure = f"If that one is wrong, date it first: `retrostep session {their} --date ...`."
            if other.boot < row.boot and other.started_at_ms + other.duration_ms > first_ms + TOLERANCE_MS:
                ended = _local(other.started_at_ms + other.duration_ms)
                raise Contradiction(f"The device recorded session {their} before {name}, and that one ended at {ended}. {cure}")
            if other.boot > row.boot and last_ms > other.started_at_ms + TOLERANCE_MS:
                raise Contradiction(
                    f"The device recorded session {their} after {name}, and that one began at {_local(other.started_at_ms)}. {cure}"
                )
        if row.started_at_ms is None and not row.clock_spread_ms:
            earliest = SINCE_EVER_MS if row.not_before_ms is None else row.not_before_ms
            if not earliest - TOLERANCE_MS <= began_ms <= row.not_after_ms + TOLERANCE_MS:
                since = "" if row.not_before_ms is None else f"not before {_local(row.not_before_ms)} and "
                raise Contradiction(f"Session {name} was {since}not after {_local(row.not_after_ms)}, as the device was synced then.")
        self.add_clock_fact(row.device, row.boot, row.start_ticks_ms, began_ms, BY_HAND, life=row.life)
        with self._read() as session:
            return session.scalars(select(SessionRow).where(SessionRow.id == row.id)).one()

    def saw_device(self, hello: Hello) -> None:
        """Keep that a device was there just now, and what it said of itself."""
        self._enter(
            "seen",
            device=device_name(hello.device),
            board=hello.board,
            core_version=".".join(str(part) for part in hello.core_version),
            core_hash=hello.core_hash.hex(),
            boot=hello.boot,
        )

    def _meet(self, device: str, life: int) -> None:
        """Give a life that is new a number that people can call it by, for good. Life 0 needs no entry (see derive.met_life)."""
        with self._read() as session:
            taken = {row.life: row.nth for row in session.scalars(select(LifeRow).where(LifeRow.device == device))}
        if life and life not in taken:
            nth = next(n for n in range(1, len(taken) + 2) if n not in taken.values())
            self._enter("life", device=device, life=life, nth=nth)

    # What people enter

    def add_athlete(self, name: str) -> str:
        """Add an athlete; return the name as it is kept, without odd spaces. RetrostepError when the name is taken or no name."""
        name = " ".join(name.split())
        if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
            raise RetrostepError(f"An athlete's name is 1 to {NAME_LENGTH} printable characters: choose another.")
        with self._read() as session:
            taken = [held for held in session.scalars(select(AthleteRow.name)) if held.casefold() == name.casefold()]
        if taken:
            raise RetrostepError(f"There is an athlete {taken[0]!r} already: choose a name that tells them apart.")
        self._enter("athlete", name=name)
        return name

    def assign(self, device: str, athlete: str | None, from_at: datetime | None = None) -> int:
        """From `from_at` on `device` is worn by `athlete` (None: nobody), until another assignment; return that moment in ms, UTC.

        Without `from_at`: since ever for a device that was never assigned, so that the sessions it holds are the athlete's, otherwise now.
        Sessions follow at once. NotFound for an athlete who is not in the store.
        """
        device = device_name(device)
        name = None if athlete is None else self.find_athlete(athlete).name
        if from_at is not None:
            from_ms = max(SINCE_EVER_MS, to_ms(from_at))
        else:
            with self._read() as session:
                is_known = session.scalar(select(func.count()).where(AssignmentRow.device == device))
            from_ms = now_ms() if is_known else SINCE_EVER_MS
        self._enter("assign", device=device, athlete=name, from_at_ms=from_ms)
        return from_ms

    def note(
        self,
        device: str,
        number: int,
        *,
        pain: int | None = None,
        rpe: int | None = None,
        text: str = "",
        next_day: bool = False,
        limp: bool = False,
        swelling: bool = False,
        life: int = 0,
    ) -> None:
        """Note something about a session: pain and RPE 0 to 10, text up to 2 000 characters. ValueError out of these."""
        if any(value is not None and not 0 <= value <= 10 for value in (pain, rpe)) or len(text) > TEXT_LENGTH:
            raise ValueError("pain and rpe are 0 to 10, text has at most 2000 characters")
        device, number, text = device_name(device), session_number(number), storable(text)
        said = {"pain": pain, "rpe": rpe, "text": text, "next_day": next_day, "limp": limp, "swelling": swelling}
        self._enter("note", device=device, number=number, **said, **({"life": life} if life else {}))

    def override(
        self,
        rule: str,
        *,
        who: str,
        why: str,
        athlete: str | None = None,
        warn: float | None = None,
        fail: float | None = None,
        enabled: bool = True,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
    ) -> None:
        """Set a rule's limits for an athlete or (None) for all, from `from_at` (default now) to `to_at`; None for a limit is none."""
        name = None if athlete is None else self.find_athlete(athlete).name
        from_ms = now_ms() if from_at is None else to_ms(from_at)
        until_ms = None if to_at is None else to_ms(to_at)
        self._enter(
            "override",
            rule=rule,
            athlete=name,
            warn=warn,
            fail=fail,
            enabled=enabled,
            from_at_ms=from_ms,
            to_at_ms=until_ms,
            who=storable(who),
            why=storable(why),
        )

    # Asking

    def find_athlete(self, name: str) -> AthleteRow:
        """The athlete of that name, upper or lower case. NotFound names who is there."""
        with self._read() as session:
            rows = list(session.scalars(select(AthleteRow).order_by(AthleteRow.name)))
        wanted = " ".join(name.split())
        for row in rows:
            if row.name == wanted:
                return row
        for row in rows:
            if row.name.casefold() == wanted.casefold():
                return row
        known = ", ".join(row.name for row in rows[:10]) + (" ..." if len(rows) > 10 else "")
        hint = f"known: {known}" if rows else "nobody is in the store yet"
        raise NotFound(f"There is no athlete {wanted!r} ({hint}): add one with `retrostep athletes add NAME`.")

    def find_device(self, name: str) -> str:
        """The device called `name`, or the only known one whose name contains it; a full name need not be known. NotFound, UnsafeName."""
        with self._read() as session:
            known = set(session.scalars(select(DeviceRow.device))) | set(session.scalars(select(SessionRow.device).distinct()))
        if name in known:
            return name
        close = sorted(device for device in known if name and name.lower() in device.lower())
        if len(close) == 1:
            return close[0]
        if close:
            raise NotFound(f"{name!r} may be {', '.join(close[:10])}: write more of the name.")
        return device_name(name)

    def find_session(self, name: str) -> SessionRow:
        """The session called `DEVICE/NUMBER`, `DEVICE.NTH_LIFE/NUMBER`, or NUMBER where there is but one. NotFound says what to do."""
        device, _, number = name.rpartition("/")
        device, _, life = device.partition(".")
        if not number.isascii() or not number.isdigit() or len(number) > 10:
            raise NotFound(f"{ascii(name[:60])} is no session: write DEVICE/NUMBER, as `retrostep sessions` lists them.")
        query = select(SessionRow).where(SessionRow.number == int(number))
        if device:
            query = query.where(SessionRow.device == self.find_device(device))
        if life:
            query = query.where(SessionRow.nth_life == (int(life) if life.isascii() and life.isdigit() and len(life) < 10 else 0))
        with self._read() as session:
            rows = list(session.scalars(query.order_by(SessionRow.device, SessionRow.nth_life).limit(11)))
        if len(rows) == 1 or (rows and device and rows[0].nth_life == 1):
            return rows[0]
        if rows:
            names = ", ".join(session_id(row.device, row.number, row.nth_life) for row in rows)
            raise NotFound(f"There are several sessions {number}: write one of {names}.")
        raise NotFound(f"There is no session {ascii(name[:60])} in the store: `retrostep sessions` lists them.")

    def athletes(self) -> list[AthleteRow]:
        """Every athlete, by name."""
        with self._read() as session:
            return list(session.scalars(select(AthleteRow).order_by(AthleteRow.name)))

    def devices(self) -> list[DeviceRow]:
        """Every device that was seen or left logs, by name."""
        with self._read() as session:
            return list(session.scalars(select(DeviceRow).order_by(DeviceRow.device)))

    def assignments(self) -> list[Wearing]:
        """Who wore which device from when to when, by device and time."""
        query = (
            select(AssignmentRow, AthleteRow.name)
            .outerjoin(AthleteRow, AssignmentRow.athlete_id == AthleteRow.id)
            .order_by(AssignmentRow.device, AssignmentRow.from_at_ms)
        )
        with self._read() as session:
            return [Wearing(row.device, name, row.from_at_ms, row.to_at_ms) for row, name in session.execute(query)]

    def overrides(self) -> list[tuple[OverrideRow, str | None]]:
        """Every override with its athlete's name, in the order entered."""
        query = select(OverrideRow, AthleteRow.name).outerjoin(AthleteRow, OverrideRow.athlete_id == AthleteRow.id).order_by(OverrideRow.id)
        with self._read() as session:
            return [(row, name) for row, name in session.execute(query)]

    def sessions(
        self, *, athlete: str | None = None, device: str | None = None, since_ms: int | None = None
    ) -> Iterator[tuple[SessionRow, str | None]]:
        """Sessions with their athletes' names, the earliest first; undated ones stand at the latest they can have been."""
        query = select(SessionRow, AthleteRow.name).outerjoin(AthleteRow, SessionRow.athlete_id == AthleteRow.id)
        if athlete is not None:
            query = query.where(SessionRow.athlete_id == self.find_athlete(athlete).id)
        if device is not None:
            query = query.where(SessionRow.device == self.find_device(device))
        if since_ms is not None:
            query = query.where(SessionRow.placed_at_ms >= since_ms)
        query = query.order_by(SessionRow.placed_at_ms, SessionRow.device, SessionRow.number)
        with self._read() as session:
            for row in session.execute(query.execution_options(yield_per=500)):
                yield row[0], row[1]

    def detail(self, row: SessionRow) -> SessionDetail:
        """All that belongs to a session."""
        with self._read() as session:

            def of(table: type[Any], order: Any) -> list[Any]:
                return list(session.scalars(select(table).where(table.session_id == row.id).order_by(order)))

            notes = select(NoteRow).where(NoteRow.device == row.device, NoteRow.life == row.life, NoteRow.number == row.number)
            return SessionDetail(
                session=row,
                athlete=session.scalar(select(AthleteRow.name).where(AthleteRow.id == row.athlete_id)),
                bouts=of(BoutRow, BoutRow.start_ms),
                epochs=of(EpochRow, EpochRow.t_ms),
                alerts=of(AlertRow, AlertRow.at_ms),
                gaps=of(GapRow, GapRow.from_ms),
                marks=of(MarkRow, MarkRow.at_ms),
                notes=list(session.scalars(notes.order_by(NoteRow.id))),
            )

    def recordings(self, since_ms: int, athlete_id: int | None = None) -> Iterator[Recording]:
        """What rules judge of every session placed at `since_ms` or later, by athlete (nobody's first) and date, in one pass.

        `athlete_id` keeps to one athlete. Memory stays flat however many there are.
        """
        columns = SessionRow.__table__.c
        query = select(*(columns[name] for name in Recording._fields)).where(columns.placed_at_ms >= since_ms)
        if athlete_id is not None:
            query = query.where(columns.athlete_id == athlete_id)
        query = query.order_by(columns.athlete_id.nulls_first(), columns.placed_at_ms)
        with self._read() as session:
            # A million rows: each comes straight from the database, without a row object between. Flags are 0 and 1 then.
            cursor = session.connection().execute(query).cursor
            assert cursor is not None
            yield from map(Recording._make, iter(cursor.fetchone, None))

    def sessions_by_athlete(self) -> dict[int, int]:
        """How many sessions each athlete (by id) has."""
        query = select(SessionRow.athlete_id, func.count()).where(SessionRow.athlete_id.is_not(None)).group_by(SessionRow.athlete_id)
        with self._read() as session:
            return {athlete_id: count for athlete_id, count in session.execute(query) if athlete_id is not None}

    def sessions_of_nobody(self) -> dict[str, int]:
        """How many sessions of each device are nobody's."""
        query = select(SessionRow.device, func.count()).where(SessionRow.athlete_id.is_(None)).group_by(SessionRow.device)
        with self._read() as session:
            return {device: count for device, count in session.execute(query)}

    def counts(self) -> dict[str, int]:
        """How many of what there is."""
        with self._read() as session:

            def count(query: Select[Any]) -> int:
                return session.scalar(query) or 0

            return {
                "sessions": count(select(func.count()).select_from(SessionRow)),
                "athletes": count(select(func.count()).select_from(AthleteRow)),
                "devices": count(select(func.count()).select_from(DeviceRow)),
                "undated": count(select(func.count()).where(SessionRow.started_at_ms.is_(None))),
                "unassigned": count(select(func.count()).where(SessionRow.athlete_id.is_(None))),
                "damaged": count(select(func.count()).where((SessionRow.damage > 0) | (SessionRow.lost_records > 0))),
                "notes": count(select(func.count()).select_from(NoteRow)),
                "damaged_entries": count(select(StoreState.entries_damaged)),
            }

    # Making it anew

    def rebuild(self, raw: RawLogs | None = None, progress: Callable[[int, int], None] | None = None) -> Rebuilt:
        """Make every table anew from the raw logs and the entries, in one transaction: cut short, the store is as before.

        Logs that cannot be read stay where they are and are copied to quarantine with the reason. `progress` is told how many
        of how many are done.
        """
        raw = raw or self.raw
        unreadable: list[tuple[Path, str]] = []
        done = 0
        with explained(self.path), self._writing.begin() as session:
            self._refuse_a_foreign_database(session)
            applied = self._applied(session)
            if applied > self.entries.size():
                raise DamagedData(
                    f"{self.entries.path} is shorter than what the store has taken from it: put the whole file back before rebuilding, "
                    "or athletes and notes would be lost."
                )
            schema.Base.metadata.drop_all(session.connection())
            self._create(session)
            self._apply_entries(session)
            devices = set()
            logs = list(raw.all())
            for log in logs:
                data = raw.read(log.device, log.session, log.life)
                try:
                    facts = digest(log.device, log.session, data, log.life)
                except DamagedData as error:
                    unreadable.append((raw.quarantine(log.device, log.session, data, str(error), log.life), str(error)))
                else:
                    put_log(session, facts, int(log.path.stat().st_mtime * 1_000))
                    devices.add(log.device)
                    done += 1
                if progress is not None:
                    progress(done + len(unreadable), len(logs))
            for device in sorted(devices):
                settle(session, device)
            damaged = session.scalar(select(StoreState.entries_damaged)) or 0
        return Rebuilt(done, unreadable, damaged)

    # Inside

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with explained(self.path), self._reading.begin() as session:
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with self._one_writer, explained(self.path), self._writing.begin() as session:
            yield session

    def _prepare(self) -> None:
        """Check the layout, create what is not there, and take in entries that another process made."""
        with self._read() as session:
            is_new = not inspect(session.connection()).get_table_names()
        if is_new:
            with self._write() as session:
                if not inspect(session.connection()).get_table_names():
                    self._create(session)
        with self._read() as session:
            self._refuse_a_foreign_database(session)
            layout = session.scalar(select(StoreState.layout))
            behind = layout == schema.LAYOUT and self._applied(session) != self.entries.size()
        if layout is None or layout < schema.LAYOUT:
            raise StoreLayout(
                f"The store {self.path} is of an older retrostep: run `retrostep store rebuild` once; logs and notes are kept."
            )
        if layout > schema.LAYOUT:
            raise StoreLayout(f"The store {self.path} is of a newer retrostep: update this one (pip install -U retrostep).")
        if behind:
            with self._write() as session:
                self._apply_entries(session)

    def _refuse_a_foreign_database(self, session: Session) -> None:
        tables = inspect(session.connection()).get_table_names()
        if tables and StoreState.__tablename__ not in tables:
            raise StoreLayout(f"{self.path} is another program's database: name a file of its own with --store sqlite:///PATH.")

    def _create(self, session: Session) -> None:
        schema.Base.metadata.create_all(session.connection())
        session.add(StoreState(id=1, layout=schema.LAYOUT, entries_applied=0, entries_damaged=0))
        session.flush()

    @staticmethod
    def _applied(session: Session) -> int:
        if StoreState.__tablename__ not in inspect(session.connection()).get_table_names():
            return 0
        return session.scalar(select(StoreState.entries_applied)) or 0

    def _enter(self, entry: str, **fields: object) -> None:
        """Write an entry to the journal, which makes it safe, and take it into the tables."""
        self.entries.append(entry, now_ms(), **fields)
        with self._write() as session:
            self._apply_entries(session)

    def _apply_entries(self, session: Session) -> None:
        state = session.scalars(select(StoreState)).one()
        if self.entries.size() < state.entries_applied:
            raise DamagedData(f"{self.entries.path} is shorter than what the store has taken from it: put the whole file back.")
        for line in self.entries.since(state.entries_applied):
            state.entries_applied = line.end
            try:
                if line.entry is None:
                    raise ValueError("not an entry")
                with session.begin_nested():
                    apply_entry(session, line.entry)
            except (KeyError, TypeError, ValueError, RetrostepError, IntegrityError):
                state.entries_damaged += 1
        session.flush()


def rebuild_store(url: str | None = None, progress: Callable[[int, int], None] | None = None) -> Rebuilt:
    """Make the store at `url` anew, of whatever layout it is; one that is no database any more is first moved to quarantine."""
    try:
        with Store(url, rebuilding=True) as store:
            return store.rebuild(progress=progress)
    except DamagedStore:
        path = sqlite_path(url or Home.from_environment().store_url)
        aside = make_folder(Home(path.parent).quarantine) / f"{path.name}.{now_ms()}"
        with disk.explained(path):
            for ending in ("", "-wal", "-shm"):
                if (part := path.with_name(path.name + ending)).exists():
                    part.rename(aside.with_name(aside.name + ending))
        with Store(url, rebuilding=True) as store:
            return store.rebuild(progress=progress)
