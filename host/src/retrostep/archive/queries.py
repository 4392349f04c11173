"""The questions that a store answers. `Store` adds opening, writing and rebuilding."""

from collections import namedtuple
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from retrostep_core.codes import END_BATTERY, END_BUTTON, END_STILLNESS
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from retrostep.archive.assignments import Assignment
from retrostep.archive.entry_values import storable
from retrostep.archive.identifiers import IMPORTED, LATEST, is_device_name, person_key, person_likeness, person_name, session_id
from retrostep.archive.nearest import hint
from retrostep.archive.schema import (
    AlertRow,
    AssignmentRow,
    AthleteRow,
    BoutRow,
    CorrectionRow,
    DeviceRow,
    EpochRow,
    GapRow,
    HistoryRow,
    ImportRow,
    LoadRow,
    MarkRow,
    NoteRow,
    OverrideRow,
    RecordingColumns,
    SessionRow,
    StoreState,
)
from retrostep.archive.transactions import Transactions, rows_of
from retrostep.errors import AthleteNotFound, AthleteRemoved, NoSessionYet, NotFound, SessionNotFound
from retrostep.plain_text import quoted

LONGEST_MS = 48 * 3_600_000
"""Sessions that began earlier than this (48 h) before a moment are not looked for: neither a battery nor a person lasts so long."""

if TYPE_CHECKING:

    class _RecordingFields(RecordingColumns):
        @classmethod
        def _make(cls, values: Iterable[Any]) -> Self: ...
else:
    _RecordingFields = namedtuple("_RecordingFields", RecordingColumns.__annotations__, defaults=(1,))


class Recording(_RecordingFields):
    """One recording as rules see it: the values of `schema.RecordingColumns`, as a named tuple. A database row becomes one directly."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """Its name: `DEVICE/NUMBER`, `DEVICE.2/NUMBER`."""
        return session_id(self.device, self.number, self.nth_generation)


COMPLETE_ENDS = (END_STILLNESS, END_BUTTON, END_BATTERY)
"""Ends of a recording (codes.END_*) after which nothing of it is missing."""

OUTLINE = (
    "athlete_id",
    "placed_at_ms",
    "duration_ms",
    "backward_ms",
    "backward_walk_ms",
    "backward_stage",
    "backward_cadence_x10",
    "backward_contacts",
    "backward_impact_g8",
    "flags",
)
"""The values of an outline of a recording, in order: columns of the table `sessions`, and a sum of PARTIAL, STRETCHED, UNDATED and
NOT_RECORDED."""

PARTIAL, STRETCHED, UNDATED, NOT_RECORDED = 1, 2, 4, 8
"""Flags of an outline: a part of the recording may be missing; stretching was marked; its date is not known; it was imported, and does not
show what was run backward."""


@dataclass(frozen=True)
class SessionDetail:
    """One session with everything that belongs to it."""

    session: SessionRow
    athlete: str | None
    bouts: list[BoutRow]
    epochs: list[EpochRow]
    alerts: list[AlertRow]
    gaps: list[GapRow]
    loads: list[LoadRow]
    marks: list[MarkRow]
    notes: list[NoteRow]
    has_own_athlete: bool = False
    """Whether a person moved the session to this athlete."""
    imported: ImportRow | None = None
    """The file that it was imported from; None for a device's session."""


class Queries:
    """What can be asked of a store. Each method reads in a transaction of its own."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def find_athlete(self, name: str) -> AthleteRow:
        """The athlete with that name, in any spelling that identifiers.person_likeness takes for the same.

        AthleteNotFound names the nearest ones, or those that fit where there are several; AthleteRemoved where the athlete was removed.
        """
        named = self.athletes_named(name)
        present = [row for row in named if not row.removed]
        if len(present) == 1:
            return present[0]
        if present:
            names = ", ".join(quoted(row.name) for row in present)
            raise AthleteNotFound(f"{quoted(person_name(name))} may be {names}: write the name as there.")
        if named:
            raise AthleteRemoved(f"There was an athlete {quoted(named[0].name)}, who was removed.", athlete=named[0].name)
        known = hint(name, (row.name for row in self.athletes()))
        raise AthleteNotFound(f"There is no athlete {quoted(person_name(name))} ({known}).")

    def athletes_named(self, name: str) -> list[AthleteRow]:
        """The athlete whose name that is, removed or not; where there is none, those whose names are as like as two spellings."""
        if storable(name) != name:  # no name in the store is like it, and the database cannot be asked
            return []
        with self._read() as session:
            exact = list(session.scalars(select(AthleteRow).where(AthleteRow.key == person_key(name))))
            alike = select(AthleteRow).where(AthleteRow.likeness == person_likeness(name)).order_by(AthleteRow.id)
            return exact or list(session.scalars(alike))

    def find_device(self, name: str, *, may_be_new: bool = False) -> str:
        """The device `name`, or the only known one with `name` as a part of its name. With `may_be_new` a full name need not be known.

        Raises NotFound, with the nearest ones, where none or several fit.
        """
        known = self.known_devices()
        if name in known:
            return name
        close = [device for device in known if name and name.lower() in device.lower()]
        if len(close) == 1:
            return close[0]
        if close:
            raise NotFound(f"{name!r} may be {', '.join(close[:10])}: write more of the name.")
        if not may_be_new or not is_device_name(name):
            raise NotFound(f"There is no device {ascii(name[:40])} ({hint(name, [device for device in known if device != IMPORTED])}).")
        return name

    def known_devices(self) -> list[str]:
        """The name of every device that was connected here, is assigned, or has a session, in order."""
        with self._read() as session:
            of_devices = (DeviceRow.device, SessionRow.device, AssignmentRow.device)
            return sorted({device for column in of_devices for device in session.scalars(select(column).distinct())})

    def find_session(self, name: str) -> SessionRow:
        """The session that `name` means.

        `DEVICE/NUMBER`, `DEVICE.2/NUMBER`, or `NUMBER` where only one session has it; `latest`: the latest session of all; `ATHLETE` or
        `latest ATHLETE`: the athlete's latest one. Raises SessionNotFound, AthleteNotFound, AthleteRemoved; NotFound, with the candidates,
        where several sessions fit.
        """
        device, _, number = name.rpartition("/")
        if not device and not _is_number(number):
            return self._latest_session(self._of_whom(name))
        device, _, generation = device.partition(".")
        if not _is_number(number) or (device and not is_device_name(device)):
            raise SessionNotFound(f"{ascii(name[:60])} is no session: write DEVICE/NUMBER.")
        query = select(SessionRow).where(SessionRow.number == int(number))
        if device:
            query = query.where(SessionRow.device == self.find_device(device))
        if generation:
            query = query.where(SessionRow.nth_generation == (int(generation) if _is_number(generation) else 0))
        with self._read() as session:
            rows = list(session.scalars(query.order_by(SessionRow.device, SessionRow.nth_generation).limit(11)))
        if len(rows) == 1 or (rows and device and rows[0].nth_generation == 1):
            return rows[0]
        if rows:
            raise NotFound(f"There are several sessions {number}: write one of {', '.join(row.name for row in rows)}.")
        raise SessionNotFound(f"There is no session {ascii(name[:60])} in the store.")

    def _of_whom(self, name: str) -> AthleteRow | None:
        """Whose latest session `latest`, `latest ATHLETE` or `ATHLETE` means; None for that of all."""
        word, _, athlete = " ".join(name.split()).partition(" ")
        if word.casefold() == LATEST:
            return self.find_athlete(athlete) if athlete else None
        try:
            return self.find_athlete(name)
        except AthleteNotFound as unknown:
            raise SessionNotFound(f"{str(unknown)[:-1]}, and it is no session: write DEVICE/NUMBER.") from unknown

    def _latest_session(self, athlete: AthleteRow | None) -> SessionRow:
        """The latest session of an athlete (None: of all). NotFound, with the candidates, where an undated one may be later."""
        of_whom = select(SessionRow) if athlete is None else select(SessionRow).where(SessionRow.athlete_id == athlete.id)
        dated = of_whom.where(SessionRow.started_at_ms.is_not(None)).order_by(SessionRow.started_at_ms.desc(), SessionRow.number.desc())
        undated = of_whom.where(SessionRow.started_at_ms.is_(None)).order_by(SessionRow.not_after_ms.desc(), SessionRow.number.desc())
        with self._read() as session:
            last = session.scalar(dated.limit(1))
            if last is not None:
                undated = undated.where(SessionRow.not_after_ms > last.started_at_ms)
            perhaps = list(session.scalars(undated.limit(11)))
        if not perhaps and last is not None:
            return last
        if len(perhaps) == 1 and (last is None or (perhaps[0].not_before_ms or 0) >= (last.started_at_ms or 0)):
            return perhaps[0]
        whose = "There is" if athlete is None else f"{athlete.name} has"
        if not perhaps:
            raise NoSessionYet(f"{whose} no session yet.")
        names = ", ".join(row.name for row in ([] if last is None else [last]) + perhaps)
        raise NotFound(f"{whose} undated sessions, so it is not known which is the latest: write one of {names}.")

    def athletes(self, *, removed: bool = False) -> list[AthleteRow]:
        """Every athlete, or every removed one, by name."""
        with self._read() as session:
            return list(session.scalars(select(AthleteRow).where(AthleteRow.removed.is_(removed)).order_by(AthleteRow.name)))

    def athlete_names(self) -> list[str]:
        """The name of every athlete who was not removed."""
        with self._read() as session:
            return list(session.scalars(select(AthleteRow.name).where(AthleteRow.removed.is_(False))))

    def longest_sessions(self) -> list[str]:
        """Names that are as long as the longest ones of sessions, for each generation: of the longest device and the highest number."""
        columns = func.max(func.length(SessionRow.device)), func.max(SessionRow.number), SessionRow.nth_generation
        with self._read() as session:
            found = session.execute(select(*columns).group_by(SessionRow.nth_generation))
            return [session_id("x" * length, number, nth) for length, number, nth in found]

    def devices(self) -> list[DeviceRow]:
        """Every device that was connected here or whose logs are here, by name."""
        with self._read() as session:
            return list(session.scalars(select(DeviceRow).order_by(DeviceRow.device)))

    def assignments(self) -> list[Assignment]:
        """Who wore which device from when to when, by device and time. A removed athlete is nobody."""
        with self._read() as session:
            return [Assignment(*row) for row in session.execute(_ASSIGNMENTS.order_by(AssignmentRow.device, AssignmentRow.from_at_ms))]

    def assignments_around(self, device: str, moments: Iterable[int]) -> list[Assignment]:
        """The assignments of a device that start nearest to some moments, two on each side, by time."""
        of_device, start = _ASSIGNMENTS.where(AssignmentRow.device == device), AssignmentRow.from_at_ms
        near: dict[int, Assignment] = {}
        with self._read() as session:
            for at_ms in moments:
                before = session.execute(of_device.where(start <= at_ms).order_by(start.desc()).limit(2))
                after = session.execute(of_device.where(start > at_ms).order_by(start).limit(2))
                near.update({row.from_at_ms: Assignment(*row) for row in (*before, *after)})
        return [near[from_ms] for from_ms in sorted(near)]

    def overrides(self) -> list[tuple[OverrideRow, str | None]]:
        """Every override with its athlete's name, in the order entered."""
        query = select(OverrideRow, AthleteRow.name).outerjoin(AthleteRow, OverrideRow.athlete_id == AthleteRow.id).order_by(OverrideRow.id)
        with self._read() as session:
            return [(row, name) for row, name in session.execute(query)]

    def sessions(
        self, *, athlete: str | None = None, device: str | None = None, since_ms: int | None = None
    ) -> Iterator[tuple[SessionRow, str | None]]:
        """Sessions with their athletes' names, the earliest first. Undated ones are listed at their latest possible time."""
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

    def sessions_around(self, from_ms: int, to_ms: int, athlete: str | None = None) -> list[tuple[SessionRow, str | None]]:
        """The dated sessions that were under way between two moments, with their athletes' names, the earliest first.

        With `athlete`, only those of that athlete and those without one.
        """
        query = select(SessionRow, AthleteRow.name).outerjoin(AthleteRow, SessionRow.athlete_id == AthleteRow.id)
        query = query.where(SessionRow.placed_at_ms >= from_ms - LONGEST_MS, SessionRow.placed_at_ms <= to_ms)  # by the index
        query = query.where(SessionRow.started_at_ms + SessionRow.duration_ms >= from_ms)
        if athlete is not None:
            query = query.where(SessionRow.athlete_id.is_(None) | (AthleteRow.name == athlete))
        with self._read() as session:
            return [(row, name) for row, name in session.execute(query.order_by(SessionRow.placed_at_ms, SessionRow.id))]

    def imported_as(self, digests: Iterable[str], athlete_id: int) -> dict[str, tuple[SessionRow, str | None]]:
        """By digest: the first session that such an activity was imported as for the athlete, or moved there; with its athlete's name."""
        same = (SessionRow.device == IMPORTED) & (SessionRow.number == ImportRow.number)
        query = select(ImportRow.digest, SessionRow, AthleteRow.name).join(ImportRow, same)
        query = query.outerjoin(AthleteRow, SessionRow.athlete_id == AthleteRow.id).where(ImportRow.digest.in_(digests))
        query = query.where((ImportRow.athlete_id == athlete_id) | (SessionRow.athlete_id == athlete_id))
        with self._read() as session:
            rows = session.execute(query.order_by(ImportRow.number.desc()))
            return {digest: (row, name) for digest, row, name in rows}

    def detail(self, row: SessionRow) -> SessionDetail:
        """Everything that belongs to a session."""
        with self._read() as session:

            def of(table: type[Any], order: Any) -> list[Any]:
                return list(session.scalars(select(table).where(table.session_id == row.id).order_by(order)))

            key = {"device": row.device, "generation": row.generation, "number": row.number}
            notes = select(NoteRow).filter_by(**key, withdrawn=False)
            return SessionDetail(
                session=row,
                athlete=session.scalar(select(AthleteRow.name).where(AthleteRow.id == row.athlete_id)),
                bouts=of(BoutRow, BoutRow.start_ms),
                epochs=of(EpochRow, EpochRow.t_ms),
                alerts=of(AlertRow, AlertRow.at_ms),
                gaps=of(GapRow, GapRow.from_ms),
                loads=of(LoadRow, LoadRow.t_ms),
                marks=of(MarkRow, MarkRow.at_ms),
                notes=list(session.scalars(notes.order_by(NoteRow.nth))),
                has_own_athlete=bool(session.scalar(select(CorrectionRow.has_athlete).filter_by(**key))),
                imported=session.get(ImportRow, row.number) if row.device == IMPORTED else None,
            )

    def history(self, row: SessionRow) -> list[HistoryRow]:
        """What people entered and corrected about a session, in the order entered."""
        query = select(HistoryRow).filter_by(device=row.device, generation=row.generation, number=row.number)
        with self._read() as session:
            return list(session.scalars(query.order_by(HistoryRow.id)))

    def excluded(self, since_ms: int, until_ms: int) -> list[tuple[SessionRow, str | None]]:
        """The excluded sessions that are placed between two moments, with their athletes' names, the earliest first."""
        query = select(SessionRow, AthleteRow.name).outerjoin(AthleteRow, SessionRow.athlete_id == AthleteRow.id)
        query = query.where(SessionRow.excluded_why.is_not(None), SessionRow.placed_at_ms >= since_ms, SessionRow.placed_at_ms < until_ms)
        with self._read() as session:
            return [(row, name) for row, name in session.execute(query.order_by(SessionRow.placed_at_ms))]

    def recordings(self, since_ms: int, athlete_id: int | None = None, until_ms: int | None = None) -> Iterator[Recording]:
        """Every recording placed at `since_ms` or later that is not excluded, in one pass: unassigned ones first, then by athlete and date.

        `until_ms`: only those placed before. `athlete_id` limits it to one athlete. The memory used does not depend on how many there are.
        """
        columns = [_SESSIONS[name] for name in RecordingColumns.__annotations__]
        with self._read() as session:
            for of_athletes in (
                [_SESSIONS.athlete_id.is_(None), _OF_ATHLETES] if athlete_id is None else [_SESSIONS.athlete_id == athlete_id]
            ):
                yield from map(Recording._make, rows_of(session, _by_athlete(columns, of_athletes, since_ms, until_ms)))

    def outlines(self, since_ms: int, until_ms: int, athlete_id: int | None = None) -> Iterator[tuple[int, ...]]:
        """What rules need of recordings that are only compared with, placed between two moments, by athlete and date; as OUTLINE says.

        Excluded ones and those without an athlete are left out. `athlete_id` limits it to one athlete. It takes a third of the time of
        `recordings`.
        """
        of_athletes = _OF_ATHLETES if athlete_id is None else _SESSIONS.athlete_id == athlete_id
        with self._read() as session:
            yield from rows_of(session, _by_athlete(_OUTLINE, of_athletes, since_ms, until_ms))

    def recordings_with_pain(self, since_ms: int, until_ms: int) -> list[tuple[Recording, bool]]:
        """The recordings of athletes between two moments with a note of pain (0 too), limping or swelling, by date.

        And whether each is excluded: then only its notes count. Undated ones are at their latest possible date. The time depends on how
        many notes there are, not on how many recordings.
        """
        is_about_pain = or_(NoteRow.pain.is_not(None), NoteRow.limp, NoteRow.swelling)
        key = NoteRow.device, NoteRow.generation, NoteRow.number
        noted = select(*key).where(NoteRow.withdrawn.is_(False), is_about_pain).distinct().subquery()
        is_same = and_(*(_SESSIONS[name] == noted.c[name] for name in ("device", "generation", "number")))
        columns = [_SESSIONS[name] for name in RecordingColumns.__annotations__]
        query = select(*columns, _SESSIONS.excluded_why).select_from(noted.join(SessionRow.__table__, is_same))
        with self._read() as session:
            rows = session.execute(query.where(_SESSIONS.athlete_id.is_not(None))).all()
        found = [(Recording._make(row[:-1]), row.excluded_why is not None) for row in rows]
        # The dates are compared here: by the index of dates, the database would read every session of these days.
        return sorted((each for each in found if since_ms <= each[0].placed_at_ms < until_ms), key=lambda each: each[0].placed_at_ms)

    def sessions_by_athlete(self) -> dict[int, int]:
        """How many sessions each athlete (by id) has."""
        query = select(SessionRow.athlete_id, func.count()).where(SessionRow.athlete_id.is_not(None)).group_by(SessionRow.athlete_id)
        with self._read() as session:
            return {athlete_id: count for athlete_id, count in session.execute(query) if athlete_id is not None}

    def unassigned_sessions(self) -> dict[str, int]:
        """How many sessions of each device have no athlete. Excluded ones are not counted, nor imported ones: their athlete was removed."""
        query = select(SessionRow.device, func.count()).where(SessionRow.athlete_id.is_(None), SessionRow.excluded_why.is_(None))
        query = query.where(SessionRow.device != IMPORTED).group_by(SessionRow.device)
        with self._read() as session:
            return {device: count for device, count in session.execute(query)}

    def counts(self) -> dict[str, int]:
        """How many sessions, athletes, devices and notes there are, and how many of them have what kind of problem."""
        with self._read() as session:

            def count(query: Select[Any]) -> int:
                return session.scalar(query) or 0

            return {
                "sessions": count(select(func.count()).select_from(SessionRow)),
                "athletes": count(select(func.count()).where(AthleteRow.removed.is_(False))),
                "devices": count(select(func.count()).select_from(DeviceRow)),
                "undated": count(select(func.count()).where(SessionRow.started_at_ms.is_(None))),
                "unassigned": count(select(func.count()).where(SessionRow.athlete_id.is_(None))),
                "damaged": count(select(func.count()).where((SessionRow.damage > 0) | (SessionRow.lost_records > 0))),
                "notes": count(select(func.count()).where(NoteRow.withdrawn.is_(False))),
                "damaged_entries": count(select(StoreState.entries_damaged)),
            }

    def _read(self) -> AbstractContextManager[Session]:
        return self._transactions.read()


def _by_athlete(
    columns: Iterable[ColumnElement[Any]], of_athletes: ColumnElement[bool], since_ms: int, until_ms: int | None
) -> Select[Any]:
    """Recordings of some athletes that are not excluded, by athlete and date."""
    query = select(*columns).where(of_athletes, _SESSIONS.excluded_why.is_(None), _SESSIONS.placed_at_ms >= since_ms)
    query = query if until_ms is None else query.where(_SESSIONS.placed_at_ms < until_ms)
    return query.order_by(_SESSIONS.athlete_id, _SESSIONS.placed_at_ms)


_SESSIONS = SessionRow.__table__.c
_OF_ATHLETES = _SESSIONS.athlete_id.in_(select(AthleteRow.id))
"""Of every athlete. Asked like this, the database goes from athlete to athlete in the index by athlete and date, and sorts nothing."""

_IS_PARTIAL = or_(
    _SESSIONS.end_reason.not_in(COMPLETE_ENDS),
    _SESSIONS.gap_ms > 0,
    _SESSIONS.damage > 0,
    _SESSIONS.lost_records > 0,
    _SESSIONS.contradictory,
)
_OUTLINE = (
    *(_SESSIONS[name] for name in OUTLINE[:-1]),
    case((_IS_PARTIAL, PARTIAL), else_=0)
    + case((_SESSIONS.stretch_mark, STRETCHED), else_=0)
    + case((_SESSIONS.started_at_ms.is_(None), UNDATED), else_=0)
    + case(((_SESSIONS.backward_ms == 0) & (_SESSIONS.device == IMPORTED), NOT_RECORDED), else_=0),
)

_ASSIGNMENTS = select(  # the values of an Assignment, in its order
    AssignmentRow.device,
    AthleteRow.name,
    AssignmentRow.from_at_ms,
    AssignmentRow.to_at_ms,
    AssignmentRow.number,
    AssignmentRow.who,
    AssignmentRow.why,
).outerjoin(AthleteRow, (AssignmentRow.athlete_id == AthleteRow.id) & AthleteRow.removed.is_(False))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10
