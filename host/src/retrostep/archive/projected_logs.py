"""The projection of logs onto the store's tables: sessions with their details, and what logs tell about their devices."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from retrostep_core.codes import CLOCK_BY_HAND
from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from retrostep.archive.corrections import SessionKey, apply_correction, correction_of
from retrostep.archive.dating import EPOCH_LAST_MS, ClockFact
from retrostep.archive.log_rows import DETAIL_COLUMNS, LogRows
from retrostep.archive.schema import (
    AlertRow,
    BoutRow,
    ClockFactRow,
    CorrectionRow,
    DeviceRow,
    EpochRow,
    GapRow,
    GenerationRow,
    LoadRow,
    MarkRow,
    NoteRow,
    SessionRow,
)
from retrostep.archive.session_dates import next_session_id
from retrostep.archive.transactions import driver_sql

DETAILS: dict[str, Any] = {"bouts": BoutRow, "epochs": EpochRow, "alerts": AlertRow, "gaps": GapRow, "loads": LoadRow, "marks": MarkRow}
"""The tables of a session's details, in the order of DETAIL_COLUMNS."""


def _insert(table: Any, columns: Iterable[str]) -> str:
    """The statement that inserts rows as tuples."""
    return str(insert(table).compile(dialect=sqlite.dialect(), column_keys=list(columns)))


_SESSION_COLUMNS = [column.name for column in SessionRow.__table__.columns]
_INSERT_SESSION = _insert(SessionRow, _SESSION_COLUMNS)
_INSERT_DETAIL = {name: _insert(DETAILS[name], ("session_id", *columns)) for name, columns in DETAIL_COLUMNS.items()}

_NEW_SESSION = {
    "athlete_id": None,
    "started_at_ms": None,
    "not_before_ms": None,
    "dated": "undated",
    "clock_spread_ms": 0,
    "excluded_why": None,
    "pain": None,
    "pain_next_day": None,
    "limp": False,
    "swelling": False,
}
"""What no log says of its session."""


def project_logs(session: Session, logs: Sequence[tuple[LogRows, int | None]]) -> None:
    """Write logs to the tables, in place of earlier versions of them; no log may be there twice. Call `update_dating` afterwards.

    With each comes the moment when it was received; None: not known, so that it bounds nothing.
    """
    by_generation: dict[tuple[str, int], list[tuple[LogRows, int]]] = {}
    for rows, received_at_ms in logs:
        received = EPOCH_LAST_MS if received_at_ms is None else received_at_ms
        by_generation.setdefault(rows.key[:2], []).append((rows, received))
    for (device, generation), group in by_generation.items():
        _write_sessions(session, device, generation, group)
        add_clock_facts(session, device, generation, [fact for rows, _ in group for fact in rows.clock_facts])
        _update_device(session, [rows for rows, _ in group])


def _write_sessions(session: Session, device: str, generation: int, group: list[tuple[LogRows, int]]) -> None:
    """Write the sessions of one generation of a device, with their details, and with what people entered about them."""
    place = {"device": device, "generation": generation}
    numbers = [rows.session["number"] for rows, _ in group]
    nth_generation = number_of_generation(session, device, generation)
    of_group = select(SessionRow.number, SessionRow.id).filter_by(**place).where(SessionRow.number.in_(numbers))
    ids = {number: key for number, key in session.execute(of_group)}
    if ids:
        for table in DETAILS.values():
            session.execute(delete(table).where(table.session_id.in_(ids.values())))
        session.execute(delete(SessionRow).where(SessionRow.id.in_(ids.values())), execution_options={"synchronize_session": False})
    next_id = next_session_id(session)
    inserted: list[tuple[Any, ...]] = []
    details: dict[str, list[tuple[int, ...]]] = {name: [] for name in DETAILS}
    for rows, received_at_ms in group:
        key = ids.get(rows.session["number"], next_id)
        next_id += key == next_id
        times = {"placed_at_ms": received_at_ms, "not_after_ms": received_at_ms, "received_at_ms": received_at_ms}
        values = {**_NEW_SESSION, **rows.session, **times, "id": key, "nth_generation": nth_generation}
        inserted.append(tuple([values[name] for name in _SESSION_COLUMNS]))
        for packed, own in zip(details.values(), rows.details, strict=True):
            packed.extend([(key, *row) for row in own])
    connection = session.connection()
    connection.exec_driver_sql(driver_sql(connection, _INSERT_SESSION), inserted)
    for name, packed in details.items():
        if packed:
            connection.exec_driver_sql(driver_sql(connection, _INSERT_DETAIL[name]), packed)
    session.expire_all()
    for table in (CorrectionRow, NoteRow):
        entered = select(table.number).filter_by(**place).where(table.number.in_(numbers)).distinct()
        for number in session.scalars(entered):
            row = session_row(session, (device, generation, number))
            assert row is not None
            if table is CorrectionRow:
                apply_correction(row, correction_of(session, (device, generation, number)))
            else:
                update_from_notes(session, row)
    session.flush()


def _update_device(session: Session, logs: Sequence[LogRows]) -> None:
    """Keep what the logs of one device tell about it, until it was connected here: the newest boot counts."""
    device = logs[0].session["device"]
    known = session.get(DeviceRow, device)
    if known is not None and known.last_seen_at_ms is not None:
        return
    newest = logs[0].session
    for rows in logs:
        if rows.session["boot"] >= newest["boot"]:
            newest = rows.session
    if known is None:
        known = DeviceRow(device=device, last_seen_at_ms=None)
        session.add(known)
    elif known.boot > newest["boot"]:
        return
    known.board, known.core_version, known.core_hash, known.boot = (newest[name] for name in ("board", "core_version", "core_hash", "boot"))
    session.flush()


def number_of_generation(session: Session, device: str, generation: int, wanted: int = 1) -> int:
    """The number of a device's generation: the one it has, or else the first free one from `wanted` on, which it then has.

    Generation 0 is in no entry of the journal. It gets the lowest number that no entry gave away, which is the same in a rebuilt store.
    """
    taken = {row.generation: row.nth for row in session.scalars(select(GenerationRow).where(GenerationRow.device == device))}
    if generation not in taken:
        nth = max(1, wanted)
        while nth in taken.values():
            nth += 1
        session.add(GenerationRow(device=device, generation=generation, nth=nth))
        session.flush()
        return nth
    return taken[generation]


def add_clock_facts(session: Session, device: str, generation: int, facts: Iterable[ClockFact]) -> bool:
    """Add the facts that are not known yet; a manual date that is entered again is the last one again. Return whether any was added."""
    new: dict[ClockFact, None] = {}
    for fact in facts:
        if not fact.is_plausible():
            raise ValueError("an impossible clock fact")
        new.pop(fact, None) if fact.source == CLOCK_BY_HAND else None
        new.setdefault(fact)
    place = {"device": device, "generation": generation}
    for fact in new:
        if fact.source == CLOCK_BY_HAND:
            session.execute(delete(ClockFactRow).filter_by(**place, **vars(fact)))
    if not new:
        return False
    before = session.scalar(_LAST_FACT)
    connection = session.connection()
    rows = [(device, generation, *vars(fact).values()) for fact in new]
    connection.exec_driver_sql(driver_sql(connection, _ADD_FACT), rows)
    return session.scalar(_LAST_FACT) != before


_FACT_COLUMNS = ("device", "generation", *(field.name for field in fields(ClockFact)))
_ADD_FACT = f"{_insert(ClockFactRow, _FACT_COLUMNS)} ON CONFLICT DO NOTHING"
_LAST_FACT = select(func.max(ClockFactRow.id))


def add_note(row: SessionRow, note: NoteRow) -> None:
    """Write what a new note says to its session's row."""
    if note.pain is not None:
        column = "pain_next_day" if note.next_day else "pain"
        setattr(row, column, max(note.pain, getattr(row, column) or 0))
    row.limp, row.swelling = row.limp or note.limp, row.swelling or note.swelling


def update_from_notes(session: Session, row: SessionRow) -> None:
    """Write what the notes of a session say to its row."""
    key = {"device": row.device, "generation": row.generation, "number": row.number, "withdrawn": False}
    notes = list(session.scalars(select(NoteRow).filter_by(**key)))
    row.pain = max((note.pain for note in notes if note.pain is not None and not note.next_day), default=None)
    row.pain_next_day = max((note.pain for note in notes if note.pain is not None and note.next_day), default=None)
    row.limp = any(note.limp for note in notes)
    row.swelling = any(note.swelling for note in notes)
    session.flush()


def session_row(session: Session, key: SessionKey) -> SessionRow | None:
    """The row of a session; None where its log is not here."""
    device, generation, number = key
    return session.scalar(select(SessionRow).filter_by(device=device, generation=generation, number=number))
