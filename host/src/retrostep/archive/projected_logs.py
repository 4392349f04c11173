"""The projection of logs onto the store's tables: sessions with their details, and what logs tell about their devices."""

from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any

from retrostep_core.codes import CLOCK_BY_HAND
from sqlalchemy import ColumnElement, and_, delete, insert, literal, select, union
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from retrostep.archive.corrections import SessionKey, apply_correction, correction_of
from retrostep.archive.dating import EPOCH_LAST_MS, ClockFact
from retrostep.archive.log_rows import LogRows
from retrostep.archive.log_summary import DETAIL_COLUMNS, Details
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
_SESSION_VALUES = itemgetter(*_SESSION_COLUMNS)
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
"""Columns of a session that are not in its log."""

Place = tuple[str, int]
"""A device and one of its generations."""


def project_logs(session: Session, logs: Sequence[tuple[LogRows, int | None]]) -> dict[Place, int]:
    """Write logs to the tables, in place of earlier versions of them; no log may be there twice.

    Each comes with the moment when it was received; None where it is not known: it then sets no limit to the date.
    Return what must be dated afterwards: for each device and generation, the first boot that changed.
    """
    if not logs:
        return {}
    keys = [rows.key for rows, _ in logs]
    stored = _stored(session, keys)
    if stored:
        ids = [key for key, _ in stored.values()]
        for table in DETAILS.values():
            session.execute(delete(table).where(table.session_id.in_(ids)))
        session.execute(delete(SessionRow).where(SessionRow.id.in_(ids)), execution_options={"synchronize_session": False})
    nth = number_generations(session, dict.fromkeys((key[:2] for key in keys), 1))
    next_id = next_session_id(session)
    changed: dict[Place, int] = {}
    sessions: list[NewSession] = []
    for (rows, received_at_ms), key in zip(logs, keys, strict=True):
        place, own = key[:2], rows.session
        received = EPOCH_LAST_MS if received_at_ms is None else received_at_ms
        row_id, boot = stored.get(key, (next_id, own["boot"]))
        next_id += row_id == next_id
        times = {"placed_at_ms": received, "not_after_ms": received, "received_at_ms": received}
        sessions.append((own, {**times, "id": row_id, "nth_generation": nth[place]}, rows.details))
        changed[place] = min(boot, own["boot"], changed.get(place, boot))
    insert_sessions(session, sessions)
    session.expire_all()
    _apply_entered(session, set(keys))
    add_clock_facts(session, [(*key[:2], fact) for (rows, _), key in zip(logs, keys, strict=True) for fact in rows.clock_facts])
    _update_devices(session, [rows.session for rows, _ in logs])
    return changed


NewSession = tuple[dict[str, Any], dict[str, Any], Details]
"""Columns of a session that its log determines, the other ones with its id, and its details."""


def insert_sessions(session: Session, sessions: Iterable[NewSession]) -> None:
    """Insert rows of `sessions`. Columns that are not in a log may be left out."""
    rows: list[tuple[Any, ...]] = []
    packed: Details = {name: [] for name in DETAILS}
    for of_log, others, details in sessions:
        rows.append(_SESSION_VALUES({**_NEW_SESSION, **of_log, **others}))
        key = others["id"]
        for name, own in details.items():
            if own:
                packed[name].extend([(key, *row) for row in own])
    connection = session.connection()
    connection.exec_driver_sql(driver_sql(connection, _INSERT_SESSION), rows)
    for name, own in packed.items():
        if own:
            connection.exec_driver_sql(driver_sql(connection, _INSERT_DETAIL[name]), own)


def _stored(session: Session, keys: Sequence[SessionKey]) -> dict[SessionKey, tuple[int, int]]:
    """The id and the boot of each of these sessions that is in the tables."""
    columns = SessionRow.device, SessionRow.generation, SessionRow.number, SessionRow.id, SessionRow.boot
    wanted = set(keys)
    found = session.execute(select(*columns).where(may_be_of(SessionRow, wanted)))
    return {key: (row, boot) for *of_log, row, boot in found if (key := (of_log[0], of_log[1], of_log[2])) in wanted}


def may_be_of(table: Any, keys: Collection[SessionKey]) -> ColumnElement[bool]:
    """The condition for the rows of these sessions. It may match others too: it stays short, however many there are."""
    numbers = [number for *_, number in keys]
    return and_(table.device.in_({device for device, *_ in keys}), table.number.between(min(numbers), max(numbers)))


def _apply_entered(session: Session, keys: set[SessionKey]) -> None:
    """Write to the sessions what people entered about them before their logs came."""
    corrected, noted = (
        select(literal(name), table.device, table.generation, table.number).where(may_be_of(table, keys))
        for name, table in (("corrected", CorrectionRow), ("noted", NoteRow))
    )
    for what, device, generation, number in session.execute(union(corrected, noted)).all():
        key = device, generation, number
        if key not in keys:
            continue
        row = session_row(session, key)
        assert row is not None
        if what == "corrected":
            apply_correction(row, correction_of(session, key))
        else:
            update_from_notes(session, row)
    session.flush()


def _update_devices(session: Session, logs: Sequence[dict[str, Any]]) -> None:
    """Keep what logs report about their devices, until a device was connected here: the newest boot counts."""
    newest: dict[str, dict[str, Any]] = {}
    for log in logs:
        known = newest.get(log["device"])
        if known is None or log["boot"] >= known["boot"]:
            newest[log["device"]] = log
    rows = {row.device: row for row in session.scalars(select(DeviceRow).where(DeviceRow.device.in_(newest)))}
    for device, log in newest.items():
        row = rows.get(device)
        if row is None:
            row = DeviceRow(device=device, last_seen_at_ms=None)
            session.add(row)
        elif row.last_seen_at_ms is not None or row.boot > log["boot"]:
            continue
        row.board, row.core_version, row.core_hash, row.boot = (log[name] for name in ("board", "core_version", "core_hash", "boot"))
    session.flush()


def number_generations(session: Session, wanted: dict[Place, int]) -> dict[Place, int]:
    """The numbers of devices' generations: the one that each has, or else the first free one from the wanted one on, which it then has.

    Generation 0 is in no entry of the journal. It gets the lowest number that no entry gave away, which is the same in a rebuilt store.
    """
    devices = {device for device, _ in wanted}
    known = session.scalars(select(GenerationRow).where(GenerationRow.device.in_(devices)))
    numbers: dict[Place, int] = {(row.device, row.generation): row.nth for row in known}
    for place in [each for each in wanted if each not in numbers]:
        taken = {nth for (device, _), nth in numbers.items() if device == place[0]}
        nth = max(1, wanted[place])
        while nth in taken:
            nth += 1
        session.add(GenerationRow(device=place[0], generation=place[1], nth=nth))
        numbers[place] = nth
    session.flush()
    return numbers


def add_clock_facts(session: Session, facts: Iterable[tuple[str, int, ClockFact]]) -> bool:
    """Add the facts (device, generation, fact) that are not known yet; a manual date that is entered again is the last one again.

    Return whether any was added.
    """
    new: dict[tuple[str, int, ClockFact], None] = {}
    for device, generation, fact in facts:
        if not fact.is_plausible():
            raise ValueError("an impossible clock fact")
        new.pop((device, generation, fact), None) if fact.source == CLOCK_BY_HAND else None
        new.setdefault((device, generation, fact))
    for device, generation, fact in new:
        if fact.source == CLOCK_BY_HAND:
            session.execute(delete(ClockFactRow).filter_by(device=device, generation=generation, **fact._asdict()))
    if not new:
        return False
    connection = session.connection()
    rows = [(device, generation, *fact) for device, generation, fact in new]
    return connection.exec_driver_sql(driver_sql(connection, _ADD_FACT), rows).rowcount > 0


def remove_manual_dates(session: Session, device: str, generation: int, boot: int) -> None:
    """Remove every manual date of a boot."""
    session.execute(delete(ClockFactRow).filter_by(device=device, generation=generation, boot=boot, source=CLOCK_BY_HAND))


_FACT_COLUMNS = ("device", "generation", *ClockFact._fields)
_ADD_FACT = f"{_insert(ClockFactRow, _FACT_COLUMNS)} ON CONFLICT DO NOTHING"


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
