"""Corrections of sessions and athletes, applied to the tables. Each keeps what was there before in the history."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from retrostep.archive.entry_values import storable
from retrostep.archive.event_journal import Entry
from retrostep.archive.schema import CorrectionRow, HistoryRow, SessionRow

EXCLUDED = "excluded"
ATHLETE = "athlete"
AS_ASSIGNED = "(as its device is assigned)"
"""In the history: the athlete is no longer chosen by a person."""

BY_CLOCKS = "(by the clocks)"
"""In the history: the date is no longer a manual one."""

MARKS = {"warm_up": "warm_up_mark", "stretch": "stretch_mark"}
"""The marks that can be corrected, and their columns."""

NOTE_FIELDS = ("pain", "rpe", "text", "next_day", "limp", "swelling")

SessionKey = tuple[str, int, int]
"""Device, generation and number."""


def correction_of(session: Session, key: SessionKey) -> CorrectionRow | None:
    """What was corrected about a session; None where nothing was."""
    device, generation, number = key
    return session.scalar(select(CorrectionRow).filter_by(device=device, generation=generation, number=number))


def correct(session: Session, key: SessionKey, entry: Entry, athlete_id: Callable[[Session, object], int]) -> CorrectionRow:
    """Record a correction of a session. ValueError or KeyError where the entry is not valid."""
    what, value = entry["what"], entry["value"]
    row = correction_of(session, key)
    if row is None:
        device, generation, number = key
        row = CorrectionRow(device=device, generation=generation, number=number, has_athlete=False)
        session.add(row)
    if what == ATHLETE:
        row.has_athlete = not entry.get("as_assigned", False)
        row.athlete_id = None if value is None else athlete_id(session, value)
    elif not isinstance(value, bool):
        raise ValueError("not a yes or no")
    elif what == EXCLUDED:
        row.excluded_why = storable(str(entry["why"])) if value else None
    else:
        setattr(row, MARKS[what], value)
    session.flush()
    return row


def apply_correction(row: SessionRow, corrected: CorrectionRow | None) -> None:
    """Write a session's corrections over what its log says. The athlete is set with the date."""
    row.excluded_why = None if corrected is None else corrected.excluded_why
    for column in MARKS.values():
        value = None if corrected is None else getattr(corrected, column)
        if value is not None:
            setattr(row, column, value)


def add_history(session: Session, key: SessionKey, entry: Entry, what: str, after: Any) -> None:
    """Add what an entry changed to the history of its session."""
    device, generation, number = key
    texts = {name: storable(str(entry.get(name, ""))) for name in ("who", "why")}
    before = json.dumps(entry.get("before"))
    row = HistoryRow(device=device, generation=generation, number=number, what=what, before=before, after=json.dumps(after), **texts)
    row.at_ms = entry["at_ms"]
    session.add(row)
