"""The dates of sessions, and the athletes that follow from them: written to the table `sessions`."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from retrostep.archive.dating import ClockFact, Cut, Dating, SessionTiming, date_and_cut, date_from
from retrostep.archive.entry_values import BEGINNING_MS
from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.schema import AssignmentRow, AthleteRow, Base, ClockFactRow, CorrectionRow, ImportRow, SessionRow
from retrostep.archive.transactions import driver_sql

_COLUMNS = SessionRow.__table__.c
_TIMING = SessionTiming._fields
_UPDATED = [*Dating._fields, "placed_at_ms", "athlete_id"]
_TIMES = select(*(_COLUMNS[name] for name in ("id", "number", *_TIMING, *_UPDATED)))
_UPDATE = f"UPDATE sessions SET {', '.join(f'{name} = ?' for name in _UPDATED)} WHERE id = ?"
_FACTS = select(*(ClockFactRow.__table__.c[name] for name in ClockFact._fields))


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


_CUT = [field.name for field in fields(Cut)]
_CUT_OF = select(*(DatingRow.__table__.c[name] for name in _CUT))
_PUT_CUT = (
    f"INSERT INTO datings (device, generation, {', '.join(_CUT)}) VALUES (?, ?, {', '.join('?' * len(_CUT))}) "
    f"ON CONFLICT (device, generation) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _CUT)}"
)


def next_session_id(session: Session) -> int:
    """The id of the next row of `sessions`. Ids are chosen here, so that the details of many sessions are written with them at once."""
    return 1 + (session.scalar(select(func.max(SessionRow.id))) or 0)


def date_all(session: Session, device: str, generation: int) -> None:
    """Date every session of a device's generation by the clock facts known now, and assign it to the athlete who wore the device then."""
    session.flush()
    rows, facts = _sessions_and_facts(session, device, generation, None)
    datings, cut = date_and_cut([times for *_, times in rows], facts)
    _write(session, device, generation, rows, datings)
    _keep_cut(session, device, generation, cut)


def update_dating_from(session: Session, device: str, generation: int, boot: int) -> None:
    """As `date_all`, where sessions or clock facts changed in that generation of the device, the first of them in `boot`.

    Only the sessions of the last boots are read if that gives the same dates, as it does when clocks agree. So the cost does not grow
    with the age of a device.
    """
    session.flush()
    cut = session.execute(_CUT_OF.where(DatingRow.device == device, DatingRow.generation == generation)).first()
    if cut is None or boot < cut.boot or not _date_from(session, device, generation, Cut(*cut)):
        date_all(session, device, generation)


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
    # In the order of their ids: the last manual date of a boot counts.
    facts = [ClockFact(*fact) for fact in session.execute(of_facts.order_by(ClockFactRow.id))]
    rows = [
        (key, number, values[len(_TIMING) :], SessionTiming(*values[: len(_TIMING)])) for key, number, *values in session.execute(times)
    ]
    return rows, facts


def _keep_cut(session: Session, device: str, generation: int, cut: Cut | None) -> None:
    connection = session.connection()
    if cut is None:
        connection.execute(delete(DatingRow).where(DatingRow.device == device, DatingRow.generation == generation))
    else:
        connection.exec_driver_sql(driver_sql(connection, _PUT_CUT), (device, generation, *vars(cut).values()))


def _write(session: Session, device: str, generation: int, rows: _Rows, datings: Sequence[Dating]) -> None:
    """Write the datings of sessions that changed, and the athletes."""
    if not rows:
        return
    earliest = min(BEGINNING_MS if dating.not_before_ms is None else dating.not_before_ms for dating in datings)
    wearers = _Wearers(session, device, earliest, max(dating.not_after_ms for dating in datings))
    own_athletes = _own_athletes(session, device, [number for _, number, *_ in rows])
    changed = []
    for (key, number, held, _), dating in zip(rows, datings, strict=True):
        athlete_id = wearers.between(dating.not_before_ms, dating.not_after_ms)
        athlete_id = own_athletes.get((generation, number), athlete_id)
        values = [*dating, dating.placed_at_ms, athlete_id]
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


def update_athlete(session: Session, device: str, numbers: Sequence[int]) -> None:
    """Assign the sessions of a device from the first to the last of `numbers`, in ascending order, to their athletes."""
    _assign(session, device, SessionRow.number.between(numbers[0], numbers[-1]))


def _assign(session: Session, device: str, *conditions: ColumnElement[bool]) -> None:
    session.flush()
    columns = (SessionRow.id, SessionRow.generation, SessionRow.number, SessionRow.not_before_ms, SessionRow.not_after_ms)
    query = select(*columns, SessionRow.athlete_id).where(SessionRow.device == device, *conditions)
    rows = list(session.execute(query))
    if not rows:
        return
    earliest = min(BEGINNING_MS if row.not_before_ms is None else row.not_before_ms for row in rows)
    wearers = _Wearers(session, device, earliest, max(row.not_after_ms for row in rows))
    own_athletes = _own_athletes(session, device, [row.number for row in rows])
    changed = []
    for row in rows:
        athlete_id = wearers.between(row.not_before_ms, row.not_after_ms)
        athlete_id = own_athletes.get((row.generation, row.number), athlete_id)
        if athlete_id != row.athlete_id:
            changed.append((athlete_id, row.id))
    if changed:
        connection = session.connection()
        connection.exec_driver_sql(driver_sql(connection, "UPDATE sessions SET athlete_id = ? WHERE id = ?"), changed)
        session.expire_all()


class _Wearers:
    """Who wore a device between two moments (None: no end). A removed athlete counts as nobody."""

    def __init__(self, session: Session, device: str, earliest_ms: int, latest_ms: int | None) -> None:
        query = select(AssignmentRow.from_at_ms, AthleteRow.id).where(AssignmentRow.device == device)
        query = query.outerjoin(AthleteRow, (AthleteRow.id == AssignmentRow.athlete_id) & AthleteRow.removed.is_(False))
        query = query.where(AssignmentRow.to_at_ms.is_(None) | (AssignmentRow.to_at_ms > earliest_ms))
        if latest_ms is not None:
            query = query.where(AssignmentRow.from_at_ms <= latest_ms)
        rows = session.execute(query.order_by(AssignmentRow.from_at_ms)).all()
        self._starts: Sequence[int] = [from_ms for from_ms, _ in rows]
        self._athletes: Sequence[int | None] = [athlete_id for _, athlete_id in rows]

    def between(self, earliest_ms: int | None, latest_ms: int) -> int | None:
        """Who wore the device in all that time; None where it was unassigned or several athletes are possible."""
        first = bisect_right(self._starts, BEGINNING_MS if earliest_ms is None else earliest_ms) - 1
        possible = set(self._athletes[max(first, 0) : bisect_right(self._starts, latest_ms)])
        return possible.pop() if first >= 0 and len(possible) == 1 else None


def _own_athletes(session: Session, device: str, numbers: Sequence[int]) -> dict[tuple[int, int], int | None]:
    """The athletes whom people chose for sessions of a device with these numbers, by generation and number; None for a removed one.

    For an imported session that is the athlete for whom it was imported, unless a person moved it.
    """
    first, last = min(numbers), max(numbers)
    same = AthleteRow.removed.is_(False)
    corrected = select(CorrectionRow.generation, CorrectionRow.number, AthleteRow.id)
    corrected = corrected.outerjoin(AthleteRow, (AthleteRow.id == CorrectionRow.athlete_id) & same)
    corrected = corrected.where(CorrectionRow.device == device, CorrectionRow.has_athlete, CorrectionRow.number.between(first, last))
    chosen: dict[tuple[int, int], int | None] = {}
    if device == IMPORTED:
        imported = select(ImportRow.number, AthleteRow.id).outerjoin(AthleteRow, (AthleteRow.id == ImportRow.athlete_id) & same)
        chosen = {(0, number): athlete_id for number, athlete_id in session.execute(imported.where(ImportRow.number.between(first, last)))}
    return {**chosen, **{(generation, number): athlete_id for generation, number, athlete_id in session.execute(corrected)}}
