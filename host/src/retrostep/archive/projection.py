"""The projection of journal entries onto the store's tables: the same steps when they arrive and when the store is rebuilt."""

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.orm import Session

from retrostep.archive import decisions
from retrostep.archive import entry_values as read
from retrostep.archive.assignments import assignment_number
from retrostep.archive.corrections import (
    AS_ASSIGNED,
    ATHLETE,
    BY_CLOCKS,
    NOTE_FIELDS,
    SessionKey,
    add_history,
    apply_correction,
    correct,
)
from retrostep.archive.dating import ClockFact, is_possible_clock
from retrostep.archive.event_journal import REWRITTEN, Entry
from retrostep.archive.identifiers import IMPORTED, device_name, person_key, person_likeness, person_name, session_number
from retrostep.archive.imported import apply_imports
from retrostep.archive.projected_logs import (
    add_clock_facts,
    add_note,
    may_be_of,
    number_generations,
    remove_manual_dates,
    session_row,
    update_from_notes,
)
from retrostep.archive.schema import (
    AssignmentRow,
    AthleteRow,
    CorrectionRow,
    DeviceRow,
    ImportRow,
    NoteRow,
    OverrideRow,
    ReceiptRow,
    SessionRow,
    StoreState,
)
from retrostep.archive.session_dates import update_athlete, update_athletes
from retrostep.archive.transactions import driver_sql

RECEIVED = "received"
"""The kind of the entry for a received log."""

MOVED = "moved"
"""The kind of the last entry of a store that was moved to another place."""

REOPENED = "reopened"
"""The kind of the entry after which a store that was moved is used again."""


def receipt_fields(key: SessionKey, identity: tuple[int, int], received_at_ms: int) -> dict[str, Any]:
    """The fields of the journal's entry for a received log: which bytes (length, CRC-32) are archived, and since when."""
    (device, generation, number), (length, crc) = key, identity
    of_log = {"device": device, **generation_field(generation), "number": number, "length": length, "crc": crc}
    return {**of_log, "received_at_ms": received_at_ms}


def generation_field(generation: int) -> dict[str, int]:
    """The generation as journal entries have it: as `life`, and not at all where it is 0."""
    return {"life": generation} if generation else {}


class Receipt(NamedTuple):
    """A log that was received: which one, its bytes, and when; `received_at_ms` None where the clock of that host was wrong."""

    key: SessionKey
    length: int
    crc: int
    received_at_ms: int | None


def receipt_of(entry: Entry) -> Receipt:
    """The receipt in an entry. ValueError, KeyError, TypeError or UnsafeName where it is not a valid one."""
    key = device_name(read.text(entry["device"])), _generation(entry), session_number(read.integer(entry["number"]))
    at_ms = read.moment(entry["received_at_ms"])
    return Receipt(key, read.integer(entry["length"]), read.integer(entry["crc"]), at_ms if is_possible_clock(at_ms) else None)


Redated = tuple[str, int, int]
"""Device, generation and boot of a session or a clock fact that changed: sessions must be dated again."""


def apply_receipts(session: Session, receipts: Sequence[Receipt]) -> list[Redated]:
    """Apply receipts in order. Return what must be dated again.

    A receipt for other bytes replaces the one before. Of two for the same bytes, the earlier moment counts: the session was over then.
    """
    connection = session.connection()
    rows = [(*receipt.key, receipt.length, receipt.crc, receipt.received_at_ms) for receipt in receipts]
    connection.exec_driver_sql(driver_sql(connection, _PUT_RECEIPT), rows)
    if connection.dialect.name == "sqlite":  # a server keeps no logs in folders
        connection.exec_driver_sql(_PUT_FOLDER, sorted({receipt.key[:2] for receipt in receipts}))
    session.expire_all()
    keys = {receipt.key for receipt in receipts}
    if session.scalar(select(SessionRow.id).where(may_be_of(SessionRow, keys)).limit(1)) is None:
        return []  # as in a rebuild, where the join would read all receipts each time
    differ = select(SessionRow.id, *_KEY, SessionRow.boot, ReceiptRow.received_at_ms).join(ReceiptRow, _SAME)
    differ = differ.where(SessionRow.log_crc == ReceiptRow.crc, SessionRow.received_at_ms != ReceiptRow.received_at_ms)
    differ = differ.where(may_be_of(SessionRow, keys))
    changed = [row for row in session.execute(differ) if (row.device, row.generation, row.number) in keys]
    if changed:
        session.execute(update(SessionRow), [{"id": row.id, "received_at_ms": row.received_at_ms} for row in changed])
    return [(row.device, row.generation, row.boot) for row in changed]


_KEY = SessionRow.device, SessionRow.generation, SessionRow.number
_SAME = and_(ReceiptRow.device == SessionRow.device, ReceiptRow.generation == SessionRow.generation, ReceiptRow.number == SessionRow.number)
_PUT_RECEIPT = """
INSERT INTO receipts (device, generation, number, length, crc, received_at_ms) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (device, generation, number) DO UPDATE SET
    received_at_ms = CASE
        WHEN receipts.length <> excluded.length OR receipts.crc <> excluded.crc THEN excluded.received_at_ms
        WHEN receipts.received_at_ms < excluded.received_at_ms THEN receipts.received_at_ms
        ELSE coalesce(excluded.received_at_ms, receipts.received_at_ms) END,
    length = excluded.length, crc = excluded.crc
"""
_PUT_FOLDER = "INSERT INTO folders (device, generation, mtime_ns) VALUES (?, ?, 0) ON CONFLICT (device, generation) DO NOTHING"


def apply_entries(session: Session, entries: Sequence[Entry]) -> list[Redated]:
    """Apply entries of the journal to the tables, in order. Return what must be dated again afterwards.

    ValueError, KeyError, TypeError or UnsafeName where one is not a valid entry. Receipts are applied by `apply_receipts`.
    """
    redated: list[Redated] = []
    for kind, group in groupby(entries, key=itemgetter("entry")):
        if kind == "import":
            imports = list(group)
            ids = {name: _optional_athlete_id(session, name) for name in dict.fromkeys(entry["athlete"] for entry in imports)}
            apply_imports(session, [(ids[entry["athlete"]], entry) for entry in imports])
        elif kind in _APPLY:
            changes = [_APPLY[kind](session, entry) for entry in group]
            redated += [change for change in changes if change is not None]
        else:
            raise ValueError("an entry of an unknown kind")
    return redated


def _apply_athlete(session: Session, entry: Entry) -> None:
    _athlete_id(session, entry["name"])


def _apply_assignment(session: Session, entry: Entry) -> None:
    device, from_ms = device_name(read.text(entry["device"])), read.moment(entry["from_at_ms"])
    athlete_id = None if entry["athlete"] is None else _athlete_id(session, entry["athlete"])
    replaced = session.scalar(select(AssignmentRow.number).filter_by(device=device, from_at_ms=from_ms))
    session.execute(delete(AssignmentRow).where(AssignmentRow.device == device, AssignmentRow.from_at_ms == from_ms))
    number = assignment_number(session, device, entry.get("number", replaced))
    texts = {name: read.text(entry.get(name, "")) for name in ("who", "why")}
    session.add(AssignmentRow(device=device, number=number, athlete_id=athlete_id, from_at_ms=from_ms, to_at_ms=None, **texts))
    _link_assignments(session, device, from_ms)


def _apply_unassign(session: Session, entry: Entry) -> None:
    device, from_ms = device_name(read.text(entry["device"])), read.moment(entry["from_at_ms"])
    session.execute(delete(AssignmentRow).where(AssignmentRow.device == device, AssignmentRow.from_at_ms == from_ms))
    _link_assignments(session, device, from_ms)


def _link_assignments(session: Session, device: str, from_ms: int) -> None:
    """Let the assignments around a moment end where the next one starts, and assign the sessions from then on to the next one."""
    session.flush()
    of_device = select(AssignmentRow).where(AssignmentRow.device == device)
    before = session.scalar(of_device.where(AssignmentRow.from_at_ms < from_ms).order_by(AssignmentRow.from_at_ms.desc()).limit(1))
    here = session.scalar(of_device.where(AssignmentRow.from_at_ms == from_ms))
    after = session.scalar(of_device.where(AssignmentRow.from_at_ms > from_ms).order_by(AssignmentRow.from_at_ms).limit(1))
    end_ms = None if after is None else after.from_at_ms
    if here is not None:
        here.to_at_ms = end_ms
    if before is not None:
        before.to_at_ms = end_ms if here is None else from_ms
    update_athletes(session, device, from_ms, end_ms)


def _apply_rename(session: Session, entry: Entry) -> None:
    name = person_name(read.text(entry["name"]))
    row = session.get_one(AthleteRow, _athlete_id(session, entry["athlete"]))
    row.name, row.key, row.likeness = name, person_key(name), person_likeness(name)
    session.flush()


def _apply_remove(session: Session, entry: Entry) -> None:
    athlete_id = _athlete_id(session, entry["athlete"])
    session.get_one(AthleteRow, athlete_id).removed = bool(entry["removed"])
    session.flush()
    devices = {
        *session.scalars(select(AssignmentRow.device).where(AssignmentRow.athlete_id == athlete_id)),
        *session.scalars(select(CorrectionRow.device).where(CorrectionRow.athlete_id == athlete_id)),
    }
    if session.scalar(select(ImportRow.number).where(ImportRow.athlete_id == athlete_id).limit(1)) is not None:
        devices.add(IMPORTED)
    for device in sorted(devices):
        update_athletes(session, device, read.BEGINNING_MS, None)


def _apply_correct(session: Session, entry: Entry) -> None:
    key = _session_key(entry)
    corrected = correct(session, key, entry, _athlete_id)
    add_history(session, key, entry, read.text(entry["what"]), AS_ASSIGNED if entry.get("as_assigned") else entry["value"])
    row = session_row(session, key)
    if row is None:
        return
    apply_correction(row, corrected)
    session.flush()
    if entry["what"] == ATHLETE:
        update_athlete(session, row.device, [row.number])


def _apply_clock(session: Session, entry: Entry) -> Redated | None:
    fact = ClockFact(*(read.integer(entry[name]) for name in ("boot", "ticks_ms", "epoch_ms", "source")))
    if "number" in entry:
        add_history(session, _session_key(entry), entry, "date", fact.epoch_ms)
    device, generation = device_name(read.text(entry["device"])), _generation(entry)
    if device == IMPORTED:
        raise ValueError("the date of an imported session is that of its file")
    return (device, generation, fact.boot) if add_clock_facts(session, [(device, generation, fact)]) else None


def _apply_clock_withdraw(session: Session, entry: Entry) -> Redated:
    """The manual dates of a boot no longer count: what clocks say does."""
    device, generation, _ = key = _session_key(entry)
    boot = read.integer(entry["boot"])
    add_history(session, key, entry, "date", BY_CLOCKS)
    remove_manual_dates(session, device, generation, boot)
    return device, generation, boot


def _apply_generation(session: Session, entry: Entry) -> None:
    number_generations(session, {(device_name(read.text(entry["device"])), read.integer(entry["life"])): read.integer(entry["nth"])})


def _apply_rewritten(session: Session, entry: Entry) -> None:
    """Lines of the journal were changed on purpose. The changed lines follow; nothing else is to be done."""
    read.text(entry["id"])


def _apply_moved(session: Session, entry: Entry) -> None:
    """The store was moved to another place."""
    session.get_one(StoreState, 1).moved_to = read.text(entry["to"])


def _apply_reopened(session: Session, entry: Entry) -> None:
    """The place to which the store was moved is lost: this one is used again."""
    session.get_one(StoreState, 1).moved_to = None


def _apply_seen(session: Session, entry: Entry) -> None:
    row = session.get(DeviceRow, device_name(read.text(entry["device"]))) or DeviceRow(device=entry["device"])
    row.board, row.core_version, row.core_hash = (read.text(entry[name]) for name in ("board", "core_version", "core_hash"))
    row.boot, row.last_seen_at_ms = read.integer(entry["boot"]), read.moment(entry["at_ms"])
    session.add(row)
    session.flush()


def _apply_note(session: Session, entry: Entry) -> None:
    device, generation, number = key = _session_key(entry)
    nth = 1 + (session.scalar(select(func.max(NoteRow.nth)).filter_by(device=device, generation=generation, number=number)) or 0)
    note = NoteRow(device=device, generation=generation, number=number, nth=nth, withdrawn=False, noted_at_ms=read.moment(entry["at_ms"]))
    _fill_note(note, entry)
    session.add(note)
    add_history(session, key, entry, f"note {nth}", {name: entry[name] for name in NOTE_FIELDS})
    if row := session_row(session, key):
        add_note(row, note)


def _apply_note_change(session: Session, entry: Entry) -> None:
    device, generation, number = key = _session_key(entry)
    nth, value = read.integer(entry["note"]), entry["value"]
    note = session.scalars(select(NoteRow).filter_by(device=device, generation=generation, number=number, nth=nth)).one_or_none()
    if note is None:
        raise ValueError("no such note")
    note.withdrawn = value is None
    if value is not None:
        _fill_note(note, value)
    add_history(session, key, entry, f"note {nth}", value)
    if row := session_row(session, key):
        session.flush()
        update_from_notes(session, row)


def _fill_note(note: NoteRow, values: Entry) -> None:
    note.text = read.text(values["text"])
    note.pain, note.rpe = (None if values[name] is None else read.zero_to_ten(values[name]) for name in ("pain", "rpe"))
    note.next_day, note.limp, note.swelling = (bool(values[name]) for name in ("next_day", "limp", "swelling"))


def _apply_override(session: Session, entry: Entry) -> None:
    row = OverrideRow(
        athlete_id=None if entry["athlete"] is None else _athlete_id(session, entry["athlete"]),
        rule=read.text(entry["rule"]),
        warn=None if entry["warn"] is None else read.limit(entry["warn"]),
        fail=None if entry["fail"] is None else read.limit(entry["fail"]),
        enabled=bool(entry["enabled"]),
        from_at_ms=read.moment(entry["from_at_ms"]),
        to_at_ms=read.optional_moment(entry["to_at_ms"]),
        who=read.text(entry["who"]),
        why=read.text(entry["why"]),
    )
    session.add(row)
    session.flush()


def _apply_reset(session: Session, entry: Entry) -> None:
    """End the limits that people set for a rule: they were in force until then."""
    athlete_id = None if entry["athlete"] is None else _athlete_id(session, entry["athlete"])
    at_ms, who, why = read.moment(entry["at_ms"]), read.text(entry["who"]), read.text(entry["why"])
    for row in session.scalars(select(OverrideRow).filter_by(rule=read.text(entry["rule"]), athlete_id=athlete_id)):
        if row.to_at_ms is None or row.to_at_ms > at_ms:
            row.to_at_ms, row.reset_who, row.reset_why = at_ms, who, why
    session.flush()


_APPLY: dict[str, Callable[[Session, Entry], Redated | None]] = {
    "athlete": _apply_athlete,
    "rename": _apply_rename,
    "remove": _apply_remove,
    "assign": _apply_assignment,
    "unassign": _apply_unassign,
    "correct": _apply_correct,
    "clock": _apply_clock,
    "clock_withdraw": _apply_clock_withdraw,
    "life": _apply_generation,
    REWRITTEN: _apply_rewritten,
    MOVED: _apply_moved,
    REOPENED: _apply_reopened,
    "seen": _apply_seen,
    "note": _apply_note,
    "note_change": _apply_note_change,
    "override": _apply_override,
    "reset": _apply_reset,
    "accept": lambda session, entry: decisions.apply_accept(session, _athlete_id(session, entry["athlete"]), entry),
    "revoke": lambda session, entry: decisions.apply_revoke(session, _athlete_id(session, entry["athlete"]), entry),
    "limits": decisions.apply_limits,
    "limits_sent": decisions.apply_limits_sent,
    "limits_cancel": decisions.apply_limits_cancel,
}
"""By the kind of an entry. The journal calls a generation `life`, as its first version did."""


def _athlete_id(session: Session, value: object) -> int:
    """The id of the athlete with that name, added where there is none: older journals name athletes that no entry added."""
    name = person_name(read.text(value))
    row = session.scalar(select(AthleteRow).where(AthleteRow.key == person_key(name)))
    if row is None:
        row = AthleteRow(name=name, key=person_key(name), likeness=person_likeness(name), removed=False)
        session.add(row)
        session.flush()
    return row.id


def _optional_athlete_id(session: Session, value: object) -> int | None:
    return None if value is None else _athlete_id(session, value)


def _session_key(entry: Entry) -> SessionKey:
    return device_name(read.text(entry["device"])), _generation(entry), session_number(read.integer(entry["number"]))


def _generation(entry: Entry) -> int:
    return read.integer(entry.get("life", 0))
