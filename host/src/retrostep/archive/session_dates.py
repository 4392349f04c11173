"""The dates of sessions, and the athletes that follow from them: written to the table `sessions`."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from retrostep.archive.dating import ClockFact, Cut, Dating, SessionTiming, date_and_cut, date_from
from retrostep.archive.entry_values import BEGINNING_MS
from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.schema import AssignmentRow, AthleteRow, Base, ClockFactRow, CorrectionRow, ImportRow, SessionRow
from retrostep.archive.transactions import driver_sql

_COLUMNS = SessionRow.__table__.c
_TIMING = [field.name for field in fields(SessionTiming)]
_UPDATED = [*(field.name for field in fields(Dating)), "placed_at_ms", "athlete_id"]
_TIMES = select(*(_COLUMNS[name] for name in ("id", "number", *_TIMING, *_UPDATED)))
_UPDATE = f"UPDATE sessions SET {', '.join(f'{name} = ?' for name in _UPDATED)} WHERE id = ?"
_FACTS = select(*(ClockFactRow.__table__.c[name] for name in (field.name for field in fields(ClockFact))))

MAX_NUMBERS = 500
"""So many sessions are looked up by their numbers; more are looked up all at once."""


class DatingRow(Base):
    """From which boot on the sessions of one generation of a device can be dated alone (dating.Cut). No row: only all of them together."""

    __tablename__ = "datings"
    device: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    boot: Mapped[int]
    started_ms: Mapped[int]
    ran_until_ms: Mapped[int | None]
    reached_ms: Mapped[int | None]
    ended_ms: Mapped[int]
    behind_until_ms: Mapped[int]

    def cut(self) -> Cut:
        """As the dating takes it."""
        return Cut(**{field.name: getattr(self, field.name) for field in fields(Cut)})


def next_session_id(session: Session) -> int:
    """The id of the next row of `sessions`. Ids are chosen here, so that the details of many sessions are written with them at once."""
    return 1 + (session.scalar(select(func.max(SessionRow.id))) or 0)


def update_dating(session: Session, device: str) -> None:
    """Date every session of a device by the clock facts known now, and assign it to the athlete who wore the device then."""
    session.flush()
    for generation in sorted({*session.scalars(_generations(SessionRow, device)), *session.scalars(_generations(ClockFactRow, device))}):
        _date_all(session, device, generation)


def update_dating_from(session: Session, device: str, generation: int, boot: int) -> None:
    """As `update_dating`, where sessions or clock facts changed in one generation of the device, the first of them in `boot`.

    Only the sessions of the last boots are read where that makes no difference, as it does not when clocks agree. So the cost does not
    grow with the years of a device.
    """
    session.flush()
    row = session.get(DatingRow, (device, generation))
    if row is None or boot < row.boot or not _date_from(session, device, generation, row.cut()):
        _date_all(session, device, generation)


def _generations(table: type[SessionRow] | type[ClockFactRow], device: str) -> Select[Any]:
    return select(table.generation).where(table.device == device).distinct()


def _date_all(session: Session, device: str, generation: int) -> None:
    rows, facts = _sessions_and_facts(session, device, generation, None)
    datings, cut = date_and_cut([times for *_, times in rows], facts)
    _write(session, device, generation, rows, datings)
    _keep_cut(session, device, generation, cut)


def _date_from(session: Session, device: str, generation: int, cut: Cut) -> bool:
    """Date the sessions from the cut on. False where that is not enough; nothing is written then."""
    rows, facts = _sessions_and_facts(session, device, generation, cut.boot)
    dated = date_from(cut, [times for *_, times in rows], facts)
    if dated is None:
        return False
    _write(session, device, generation, rows, dated[0])
    _keep_cut(session, device, generation, dated[1])
    return True


_Rows = list[tuple[int, int, list[Any], SessionTiming]]


def _sessions_and_facts(session: Session, device: str, generation: int, boot: int | None) -> tuple[_Rows, list[ClockFact]]:
    """The sessions, as (id, number, present dating, timing), and the clock facts of one generation; only those from `boot` on if given."""
    of_facts = _FACTS.where(ClockFactRow.device == device, ClockFactRow.generation == generation)
    times = _TIMES.where(SessionRow.device == device, SessionRow.generation == generation)
    if boot is not None:
        of_facts, times = of_facts.where(ClockFactRow.boot >= boot), times.where(SessionRow.boot >= boot)
    # In the order of their ids: the last manual date of a boot is right.
    facts = [ClockFact(*fact) for fact in session.execute(of_facts.order_by(ClockFactRow.id))]
    rows = [
        (key, number, values[len(_TIMING) :], SessionTiming(*values[: len(_TIMING)])) for key, number, *values in session.execute(times)
    ]
    return rows, facts


def _keep_cut(session: Session, device: str, generation: int, cut: Cut | None) -> None:
    if cut is not None:
        session.merge(DatingRow(device=device, generation=generation, **vars(cut)))
    elif (row := session.get(DatingRow, (device, generation))) is not None:
        session.delete(row)
    session.flush()


def _write(session: Session, device: str, generation: int, rows: _Rows, datings: Sequence[Dating]) -> None:
    """Write the datings of sessions that changed, and the athletes."""
    if not rows:
        return
    earliest = min(BEGINNING_MS if dating.not_before_ms is None else dating.not_before_ms for dating in datings)
    wearers = _Wearers(session, device, earliest, max(dating.not_after_ms for dating in datings))
    own_athletes = _own_athletes(session, device, generation, [number for _, number, *_ in rows])
    changed = []
    for (key, number, held, _), dating in zip(rows, datings, strict=True):
        athlete_id = wearers.between(dating.not_before_ms, dating.not_after_ms)
        athlete_id = wearers.unless_removed(own_athletes.get((generation, number), athlete_id))
        new = {**vars(dating), "placed_at_ms": dating.placed_at_ms, "athlete_id": athlete_id}
        values = [new[name] for name in _UPDATED]
        if values != held:
            changed.append((*values, key))
    if changed:
        connection = session.connection()
        connection.exec_driver_sql(driver_sql(connection, _UPDATE), changed)
        session.expire_all()


def update_athletes(session: Session, device: str, from_ms: int, to_ms: int | None) -> None:
    """Assign the sessions of a device that may have been between two moments (None: no end) to the athlete who wore it then."""
    within = [SessionRow.not_after_ms >= from_ms]
    if to_ms is not None:
        within.append(func.coalesce(SessionRow.not_before_ms, BEGINNING_MS) < to_ms)
    _assign(session, device, *within)


def update_athlete(session: Session, row: SessionRow) -> None:
    """Assign one session to its athlete."""
    _assign(session, row.device, SessionRow.id == row.id)


def _assign(session: Session, device: str, *conditions: ColumnElement[bool]) -> None:
    session.flush()
    columns = (SessionRow.id, SessionRow.generation, SessionRow.number, SessionRow.not_before_ms, SessionRow.not_after_ms)
    query = select(*columns, SessionRow.athlete_id).where(SessionRow.device == device, *conditions)
    rows = list(session.execute(query))
    if not rows:
        return
    earliest = min(BEGINNING_MS if row.not_before_ms is None else row.not_before_ms for row in rows)
    wearers = _Wearers(session, device, earliest, max(row.not_after_ms for row in rows))
    own_athletes = _own_athletes(session, device, numbers=[row.number for row in rows])
    changed = []
    for row in rows:
        athlete_id = wearers.between(row.not_before_ms, row.not_after_ms)
        athlete_id = wearers.unless_removed(own_athletes.get((row.generation, row.number), athlete_id))
        if athlete_id != row.athlete_id:
            changed.append((athlete_id, row.id))
    if changed:
        connection = session.connection()
        connection.exec_driver_sql(driver_sql(connection, "UPDATE sessions SET athlete_id = ? WHERE id = ?"), changed)
        session.expire_all()


class _Wearers:
    """Who wore a device between two moments (None: no end), and which athletes were removed."""

    def __init__(self, session: Session, device: str, earliest_ms: int, latest_ms: int | None) -> None:
        columns = AssignmentRow.athlete_id, AssignmentRow.from_at_ms
        query = select(*columns).where(AssignmentRow.device == device)
        query = query.where(AssignmentRow.to_at_ms.is_(None) | (AssignmentRow.to_at_ms > earliest_ms))
        if latest_ms is not None:
            query = query.where(AssignmentRow.from_at_ms <= latest_ms)
        rows = session.execute(query.order_by(AssignmentRow.from_at_ms)).all()
        self._athletes: Sequence[int | None] = [row.athlete_id for row in rows]
        self._starts: Sequence[int] = [row.from_at_ms for row in rows]
        self._removed = set(session.scalars(select(AthleteRow.id).where(AthleteRow.removed)))

    def between(self, earliest_ms: int | None, latest_ms: int) -> int | None:
        """Who wore the device in all that time; None where it was unassigned or several athletes are possible."""
        first = bisect_right(self._starts, BEGINNING_MS if earliest_ms is None else earliest_ms) - 1
        possible = set(self._athletes[max(first, 0) : bisect_right(self._starts, latest_ms)])
        return possible.pop() if first >= 0 and len(possible) == 1 else None

    def unless_removed(self, athlete_id: int | None) -> int | None:
        """The athlete, or None for a removed one."""
        return None if athlete_id in self._removed else athlete_id


def _own_athletes(
    session: Session, device: str, generation: int | None = None, numbers: Sequence[int] = ()
) -> dict[tuple[int, int], int | None]:
    """The athletes whom people chose for sessions of a device (or of one generation, with these numbers), by generation and number.

    For an imported session that is the athlete for whom it was imported, unless a person moved it.
    """
    corrected = select(CorrectionRow.generation, CorrectionRow.number, CorrectionRow.athlete_id)
    corrected = corrected.where(CorrectionRow.device == device, CorrectionRow.has_athlete)
    if generation is not None:
        corrected = corrected.where(CorrectionRow.generation == generation)
    imported = select(ImportRow.number, ImportRow.athlete_id)
    if 0 < len(numbers) <= MAX_NUMBERS:
        corrected = corrected.where(CorrectionRow.number.in_(numbers))
        imported = imported.where(ImportRow.number.in_(numbers))
    chosen = {(0, number): athlete_id for number, athlete_id in session.execute(imported)} if device == IMPORTED else {}
    return {**chosen, **{(generation, number): athlete_id for generation, number, athlete_id in session.execute(corrected)}}
