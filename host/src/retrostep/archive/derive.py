"""How logs and entries become rows of the store: the same steps when they arrive and when the store is made anew."""

from collections.abc import Iterable
from typing import Any

from retrostep_core.log.records import BY_HAND
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from retrostep.archive.dating import ClockFact, Taken, date_sessions
from retrostep.archive.digest import Digest
from retrostep.archive.entries import Entry
from retrostep.archive.names import device_name, session_number
from retrostep.archive.schema import (
    AlertRow,
    AssignmentRow,
    AthleteRow,
    BoutRow,
    ClockFactRow,
    DeviceRow,
    EpochRow,
    GapRow,
    LifeRow,
    MarkRow,
    NoteRow,
    OverrideRow,
    SessionRow,
)

SINCE_EVER_MS = 0
MOMENT_LAST_MS = 1 << 43
"""In 2248: a moment that somebody entered lies before."""

LIMIT_LAST = 1e6
"""No rule's limit is as large, in any unit."""
DETAILS: tuple[tuple[Any, str], ...] = (
    (BoutRow, "bouts"),
    (EpochRow, "epochs"),
    (AlertRow, "alerts"),
    (GapRow, "gaps"),
    (MarkRow, "marks"),
)


def put_log(session: Session, facts: Digest, received_at_ms: int) -> SessionRow:
    """Write a log's facts, in place of what an earlier reading of it wrote; `settle` the device afterwards."""
    device, life, number = (facts.session[name] for name in ("device", "life", "number"))
    row = _session_row(session, device, life, number)
    if row is None:
        row = SessionRow(received_at_ms=received_at_ms, placed_at_ms=received_at_ms, not_after_ms=received_at_ms)
        row.dated, row.clock_spread_ms, row.limp, row.swelling = "undated", 0, False, False
    elif row.log_crc == facts.session["log_crc"]:
        # The same came before: it had ended by the first time.
        row.received_at_ms = min(row.received_at_ms, received_at_ms)
    else:
        row.received_at_ms = received_at_ms
    for name, value in facts.session.items():
        setattr(row, name, value)
    row.nth_life = met_life(session, device, life)
    session.add(row)
    session.flush()
    for table, name in DETAILS:
        session.execute(delete(table).where(table.session_id == row.id))
        if details := getattr(facts, name):
            session.execute(table.__table__.insert(), [{"session_id": row.id, **detail} for detail in details])
    _put_facts(session, device, life, facts.clock_facts)
    seen = session.get(DeviceRow, device)
    if seen is None or (seen.last_seen_at_ms is None and seen.boot <= row.boot):
        seen = seen or DeviceRow(device=device, last_seen_at_ms=None)
        seen.board, seen.core_version, seen.core_hash, seen.boot = row.board, row.core_version, row.core_hash, row.boot
        session.add(seen)
    _sum_up_notes(session, row)
    return row


def met_life(session: Session, device: str, life: int, wanted: int = 1) -> int:
    """Which life of `device` this is: as it was called before, or else `wanted`, or the first number behind that which is free.

    Life 0 gets the lowest number that no entry of the journal gives to another, so that it has the same whenever the store is made anew.
    """
    taken = {row.life: row.nth for row in session.scalars(select(LifeRow).where(LifeRow.device == device))}
    if life not in taken:
        nth = max(1, wanted)
        while nth in taken.values():
            nth += 1
        session.add(LifeRow(device=device, life=life, nth=nth))
        session.flush()
        return nth
    return taken[life]


def settle(session: Session, device: str) -> None:
    """Date every session of a device by the clock facts that are known now, and say whose they are."""
    facts: dict[int, list[ClockFact]] = {}
    # By their ids: the last who says when a boot was is right.
    for row in session.scalars(select(ClockFactRow).where(ClockFactRow.device == device).order_by(ClockFactRow.id)):
        facts.setdefault(row.life, []).append(ClockFact(row.boot, row.ticks_ms, row.epoch_ms, row.source))
    wearers = list(session.scalars(select(AssignmentRow).where(AssignmentRow.device == device).order_by(AssignmentRow.from_at_ms)))
    columns = ("athlete_id", "dated", "started_at_ms", "not_before_ms", "not_after_ms", "placed_at_ms", "clock_spread_ms")
    query = select(
        SessionRow.id,
        SessionRow.life,
        SessionRow.boot,
        SessionRow.start_ticks_ms,
        SessionRow.duration_ms,
        SessionRow.received_at_ms,
        *(getattr(SessionRow, name) for name in columns),
    ).where(SessionRow.device == device)
    taken: dict[int, list[tuple[int, list[Any], Taken]]] = {}
    for key, life, boot, ticks, duration, received, *held in session.execute(query):
        taken.setdefault(life, []).append((key, held, Taken(boot, ticks, duration, received)))
    changed = []
    for life, rows in taken.items():
        datings = date_sessions([each for _, _, each in rows], facts.get(life, ()))
        for (key, held, _), dating in zip(rows, datings, strict=True):
            earliest = SINCE_EVER_MS if dating.not_before_ms is None else dating.not_before_ms
            athlete_id = _wearer(wearers, earliest, dating.not_after_ms)
            values = {"athlete_id": athlete_id, "placed_at_ms": dating.placed_at_ms, **vars(dating)}
            if [values[name] for name in columns] != held:
                changed.append({"id": key, **values})
    if changed:
        session.execute(update(SessionRow), changed)


def apply_entry(session: Session, entry: Entry) -> None:
    """Take one entry of the journal into the tables. ValueError, KeyError, TypeError or UnsafeName for what is no entry."""
    kind = entry["entry"]
    if kind == "athlete":
        _athlete_id(session, entry["name"])
    elif kind == "assign":
        _apply_assignment(session, entry)
    elif kind == "clock":
        fact = ClockFact(*(_integer(entry[name]) for name in ("boot", "ticks_ms", "epoch_ms", "source")))
        _put_facts(session, device_name(_text(entry["device"])), _integer(entry.get("life", 0)), [fact])
        settle(session, entry["device"])
    elif kind == "life":
        met_life(session, device_name(_text(entry["device"])), _integer(entry["life"]), _integer(entry["nth"]))
    elif kind == "seen":
        _apply_seen(session, entry)
    elif kind == "note":
        _apply_note(session, entry)
    elif kind == "override":
        _apply_override(session, entry)
    else:
        raise ValueError("an entry of an unknown kind")


def _athlete_id(session: Session, said: object) -> int:
    name = _text(said)
    row = session.scalar(select(AthleteRow).where(AthleteRow.name == name))
    if row is None:
        row = AthleteRow(name=name)
        session.add(row)
        session.flush()
    return row.id


def _apply_assignment(session: Session, entry: Entry) -> None:
    device, from_ms = device_name(_text(entry["device"])), _moment(entry["from_at_ms"])
    athlete_id = None if entry["athlete"] is None else _athlete_id(session, entry["athlete"])
    session.execute(delete(AssignmentRow).where(AssignmentRow.device == device, AssignmentRow.from_at_ms == from_ms))
    session.add(AssignmentRow(device=device, athlete_id=athlete_id, from_at_ms=from_ms, to_at_ms=None))
    session.flush()
    rows = list(session.scalars(select(AssignmentRow).where(AssignmentRow.device == device).order_by(AssignmentRow.from_at_ms)))
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        row.to_at_ms = None if following is None else following.from_at_ms
    session.flush()
    settle(session, device)


def _apply_seen(session: Session, entry: Entry) -> None:
    row = session.get(DeviceRow, device_name(_text(entry["device"]))) or DeviceRow(device=entry["device"])
    row.board, row.core_version, row.core_hash = (_text(entry[name]) for name in ("board", "core_version", "core_hash"))
    row.boot, row.last_seen_at_ms = _integer(entry["boot"]), _moment(entry["at_ms"])
    session.add(row)
    session.flush()


def _apply_note(session: Session, entry: Entry) -> None:
    device, number = device_name(_text(entry["device"])), session_number(_integer(entry["number"]))
    said = {name: None if entry[name] is None else _of_ten(entry[name]) for name in ("pain", "rpe")}
    flags = {name: bool(entry[name]) for name in ("next_day", "limp", "swelling")}
    at_ms, text = _moment(entry["at_ms"]), _text(entry["text"])
    life = _integer(entry.get("life", 0))
    session.add(NoteRow(device=device, life=life, number=number, noted_at_ms=at_ms, text=text, **said, **flags))
    session.flush()
    row = _session_row(session, device, life, number)
    if row is not None:
        _sum_up_notes(session, row)


def _apply_override(session: Session, entry: Entry) -> None:
    row = OverrideRow(
        athlete_id=None if entry["athlete"] is None else _athlete_id(session, entry["athlete"]),
        rule=_text(entry["rule"]),
        warn=None if entry["warn"] is None else _limit(entry["warn"]),
        fail=None if entry["fail"] is None else _limit(entry["fail"]),
        enabled=bool(entry["enabled"]),
        from_at_ms=_moment(entry["from_at_ms"]),
        to_at_ms=None if entry["to_at_ms"] is None else _moment(entry["to_at_ms"]),
        who=_text(entry["who"]),
        why=_text(entry["why"]),
    )
    session.add(row)
    session.flush()


def _sum_up_notes(session: Session, row: SessionRow) -> None:
    notes = list(session.scalars(select(NoteRow).filter_by(device=row.device, life=row.life, number=row.number)))
    row.pain = max((note.pain for note in notes if note.pain is not None and not note.next_day), default=None)
    row.pain_next_day = max((note.pain for note in notes if note.pain is not None and note.next_day), default=None)
    row.limp = any(note.limp for note in notes)
    row.swelling = any(note.swelling for note in notes)
    session.flush()


def _session_row(session: Session, device: str, life: int, number: int) -> SessionRow | None:
    return session.scalar(select(SessionRow).where(SessionRow.device == device, SessionRow.life == life, SessionRow.number == number))


def _put_facts(session: Session, device: str, life: int, facts: Iterable[ClockFact]) -> None:
    for fact in facts:
        if not fact.is_plausible():
            raise ValueError("a clock fact that cannot be")
        columns = {"device": device, "life": life, **vars(fact)}
        if fact.source == BY_HAND:  # said once more, it is the last that was said
            session.execute(delete(ClockFactRow).filter_by(**columns))
        if session.scalar(select(ClockFactRow.id).filter_by(**columns)) is None:
            session.add(ClockFactRow(**columns))
            session.flush()


def _wearer(wearers: list[AssignmentRow], earliest_ms: int, latest_ms: int) -> int | None:
    """Who wore the device through all of `earliest_ms` to `latest_ms`; None for nobody, or where it cannot be told."""
    covering = {row.athlete_id for row in wearers if row.from_at_ms <= latest_ms and (row.to_at_ms is None or row.to_at_ms > earliest_ms)}
    is_covered = any(row.from_at_ms <= earliest_ms for row in wearers)
    return covering.pop() if is_covered and len(covering) == 1 else None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    value.encode()  # half a surrogate pair is no text that the store can hold: UnicodeEncodeError is a ValueError
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 62:
        raise ValueError("not an integer that the store can hold")
    return value


def _moment(value: object) -> int:
    at_ms = _integer(value)
    if not SINCE_EVER_MS <= at_ms < MOMENT_LAST_MS:
        raise ValueError("not a moment that has a date everywhere")
    return at_ms


def _of_ten(value: object) -> int:
    number = _integer(value)
    if not 0 <= number <= 10:
        raise ValueError("not from 0 to 10")
    return number


def _limit(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < LIMIT_LAST:
        raise ValueError("not a limit")
    return float(value)
