"""What people enter and correct: athletes, assignments, notes, limits, and corrections of sessions.

Each method checks its values and appends entries to the journal. An entry that corrects something holds what was there before.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from retrostep_core.codes import CLOCK_BY_HAND
from sqlalchemy import select

from retrostep.archive.assignments import Assignment, check_assignment, covering
from retrostep.archive.corrections import ATHLETE, EXCLUDED, MARKS, NOTE_FIELDS
from retrostep.archive.dating import is_possible_clock
from retrostep.archive.entry_values import BEGINNING_MS, storable
from retrostep.archive.identifiers import IMPORTED, LATEST, device_name, person_name, session_number
from retrostep.archive.imported import ImportedActivity, import_fields, next_import_number
from retrostep.archive.manual_date import check_manual_date
from retrostep.archive.moments import now_ms, to_ms
from retrostep.archive.projection import generation_field
from retrostep.archive.queries import Queries
from retrostep.archive.schema import AssignmentRow, AthleteRow, ClockFactRow, ImportRow, NoteRow, OverrideRow, SessionRow
from retrostep.errors import AthleteRemoved, ImpossibleDate, NotFound, RetrostepError, Unchanged
from retrostep.plain_text import clean, quoted

MAX_NAME_LENGTH = 80
MAX_TEXT_LENGTH = 2_000

Entries = list[tuple[str, dict[str, Any]]]


class People(Queries):
    """The methods of a store that record what people enter. `who` is the login name of the person who enters it, `why` the reason."""

    def _enter_all(self, entries: Entries) -> None:
        """Append entries to the journal, then apply them. The store does it."""
        raise NotImplementedError

    # Athletes

    def add_athlete(self, name: str) -> str:
        """Add an athlete; return the name as it is stored. RetrostepError where it is taken or not a name."""
        name = self._free_name(name)
        self._enter_all([("athlete", {"name": name})])
        return name

    def rename_athlete(self, name: str, new: str, *, who: str = "", why: str = "") -> str:
        """Give an athlete another name; return it. Raises AthleteNotFound, or RetrostepError where it is taken or not a name.

        Raises Unchanged where it is the same name.
        """
        old = self.find_athlete(name).name
        if person_name(new) == old:
            raise Unchanged(f"The athlete's name is {quoted(old)} already.")
        new = self._free_name(new, except_for=old)
        self._enter_all([("rename", {"athlete": old, "name": new, "who": storable(who), "why": storable(why)})])
        return new

    def remove_athlete(self, name: str, *, who: str = "", why: str = "") -> str:
        """Remove an athlete from every list; the athlete's sessions have no athlete then. Return the name. Raises AthleteNotFound."""
        found = self.find_athlete(name).name
        self._enter_all([("remove", {"athlete": found, "removed": True, "who": storable(who), "why": storable(why)})])
        return found

    def restore_athlete(self, name: str, *, who: str = "", why: str = "") -> str:
        """Undo `remove_athlete`; return the name. Raises NotFound where no removed athlete has that name."""
        found = next((row.name for row in self.athletes_named(name) if row.removed), None)
        if found is None:
            removed = [row.name for row in self.athletes(removed=True)]
            known = f"removed were: {', '.join(removed[:10])}" if removed else "nobody was removed"
            raise NotFound(f"No athlete {quoted(person_name(name))} was removed ({known}).")
        self._enter_all([("remove", {"athlete": found, "removed": False, "who": storable(who), "why": storable(why)})])
        return found

    def _free_name(self, name: str, except_for: str | None = None) -> str:
        name = person_name(name)
        if not 1 <= len(name) <= MAX_NAME_LENGTH or clean(name) != name:
            hidden = next((f" (U+{ord(char):04X} is not)" for char, shown in zip(name, clean(name), strict=False) if char != shown), "")
            raise RetrostepError(f"An athlete's name is 1 to {MAX_NAME_LENGTH} printable characters{hidden}: choose another.")
        if name.startswith("-") or name.rpartition("/")[2].isdecimal() or name.split()[0].casefold() == LATEST:
            raise RetrostepError(f"{quoted(name)} would be taken for an option or a session: choose another name.")
        for other in (row for row in self.athletes_named(name) if row.name != except_for):
            if other.removed:
                raise AthleteRemoved(f"There was an athlete {quoted(other.name)}, who was removed.", athlete=other.name)
            raise RetrostepError(f"There is an athlete {quoted(other.name)} already: choose a different name.")
        return name

    # Assignments

    def assign(
        self,
        device: str,
        athlete: str | None,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
        *,
        replaces: Assignment | None = None,
        who: str = "",
        why: str = "",
    ) -> int:
        """Record that `athlete` (None: nobody) wears `device` from `from_at` to `to_at`; return the start in ms, UTC.

        Without `from_at`: from its first session on for a device that was never assigned, otherwise from now on. Without `to_at`: until
        another assignment. After `to_at` the device is worn by who wore it then. `replaces` is withdrawn, and gives its number,
        and its end where there is no `to_at`. Sessions are assigned at once.
        Raises AthleteNotFound, AssignmentContradiction (see check_assignment).
        """
        device = device_name(device)
        if device == IMPORTED:
            raise RetrostepError(f"{IMPORTED} stands for imported files, which are no device: each of them has its own athlete.")
        name = None if athlete is None else self.find_athlete(athlete).name
        if from_at is not None:
            from_ms = max(BEGINNING_MS, to_ms(from_at))
        else:
            with self._read() as session:
                known = session.scalar(select(AssignmentRow.id).where(AssignmentRow.device == device).limit(1))
            from_ms = BEGINNING_MS if known is None else now_ms()
        to_at_ms = to_ms(to_at) if to_at is not None else None if replaces is None else replaces.to_at_ms
        moments = [from_ms] if to_at_ms is None else [from_ms, to_at_ms]
        existing = [one for one in self.assignments_around(device, moments) if one != replaces]
        worn_before = covering(existing, from_ms)
        if replaces is not None and to_at is None and worn_before is not None and worn_before.athlete == name:
            self.withdraw_assignment(replaces, who=who, why=why)
            return from_ms
        if replaces is not None and (replaces.athlete, replaces.from_at_ms, replaces.to_at_ms) == (name, from_ms, to_at_ms):
            raise Unchanged(f"Assignment {replaces.number} of {device} is so already.")
        check_assignment(device, existing, name, from_ms, to_at_ms)
        by = by_whom(who, why)
        entries: Entries = []
        if replaces is not None and replaces.from_at_ms != from_ms:
            entries.append(("unassign", {"device": device, "from_at_ms": replaces.from_at_ms, **by}))
        if to_at_ms is not None:
            after = covering(existing, to_at_ms)
            if after is None or after.from_at_ms != to_at_ms:
                next_name = None if after is None else after.athlete
                entries.append(("assign", {"device": device, "athlete": next_name, "from_at_ms": to_at_ms, **by}))
        number = {} if replaces is None else {"number": replaces.number}
        entries.append(("assign", {"device": device, "athlete": name, "from_at_ms": from_ms, **number, **by}))
        self._enter_all(entries)
        return from_ms

    def withdraw_assignment(self, withdrawn: Assignment, *, who: str = "", why: str = "") -> None:
        """Withdraw an assignment: who wore the device before wears it until the next assignment."""
        self._enter_all([("unassign", {"device": withdrawn.device, "from_at_ms": withdrawn.from_at_ms, **by_whom(who, why)})])

    # Imported activities

    def add_imported(self, athlete: str, activities: Iterable[ImportedActivity], *, who: str = "") -> list[SessionRow]:
        """Add imported activities as sessions of an athlete; return their rows, in that order. Raises AthleteNotFound."""
        found, who = self.find_athlete(athlete), storable(who)
        activities = list(activities)
        with self._read() as session:
            first = next_import_number(session)
        self._enter_all([("import", import_fields(each, found.name, number, who)) for number, each in enumerate(activities, first)])
        digests = [each.digest for each in activities]
        same = (SessionRow.device == IMPORTED) & (SessionRow.number == ImportRow.number)
        query = select(ImportRow.digest, SessionRow).join(SessionRow, same).where(ImportRow.digest.in_(digests))
        query = query.where(ImportRow.athlete_id == found.id)
        with self._read() as session:
            rows = {digest: row for digest, row in session.execute(query.order_by(ImportRow.number))}
        return [rows[digest] for digest in digests]

    # Corrections of a session

    def set_manual_date(
        self, row: SessionRow, began: datetime, *, clock_was_wrong: bool = False, who: str = "", why: str = ""
    ) -> SessionRow:
        """Record when a session began. It dates every session of the same boot. Return the session's row.

        `clock_was_wrong`: the computer's clock was wrong when it received the log, so that the time of receipt bounds nothing. Raises
        ImpossibleDate (also for an imported session), AfterReceipt or Contradiction (see check_manual_date), Unchanged where it has that
        date; nothing is recorded then.
        """
        began_ms = to_ms(began)
        if row.device == IMPORTED:
            raise ImpossibleDate(f"Session {row.name} was imported, and its date is that of its file. It can be excluded.")
        if row.dated == "manual" and row.started_at_ms == began_ms:
            raise Unchanged(f"Session {row.name} has that manual date already.")
        with self._read() as session:
            others = list(session.scalars(select(SessionRow).filter_by(device=row.device, generation=row.generation)))
        check_manual_date(row, others, began_ms, now_ms(), clock_was_wrong)
        fact = {"boot": row.boot, "ticks_ms": row.start_ticks_ms, "epoch_ms": began_ms, "source": CLOCK_BY_HAND}
        self._enter_all([("clock", {**_session_fields(row), **fact, "before": row.started_at_ms, **by_whom(who, why)})])
        return self._again(row)

    def withdraw_manual_date(self, row: SessionRow, *, who: str = "", why: str = "") -> SessionRow:
        """Undo `set_manual_date` for every session of the same boot: clocks date them, as far as they can. Return the session's row.

        Raises Unchanged where it has no manual date.
        """
        if row.dated != "manual":
            raise Unchanged(f"Session {row.name} has no manual date.")
        self._enter_all([("clock_withdraw", {**_session_fields(row), "boot": row.boot, "before": row.started_at_ms, **by_whom(who, why)})])
        return self._again(row)

    def clock_starts(self, row: SessionRow) -> list[int]:
        """When a session started by each time that a computer set the device's clock since it was switched on, in ms, UTC."""
        query = select(ClockFactRow).filter_by(device=row.device, generation=row.generation, boot=row.boot)
        with self._read() as session:
            facts = list(session.scalars(query.where(ClockFactRow.source != CLOCK_BY_HAND)))
        return sorted(fact.epoch_ms - fact.ticks_ms + row.start_ticks_ms for fact in facts if is_possible_clock(fact.epoch_ms))

    def exclude(self, row: SessionRow, why: str, *, who: str = "") -> None:
        """Leave a session out of the check, with the reason. Raises Unchanged where it is, for that reason."""
        if row.excluded_why == _checked_text(why):
            raise Unchanged(f"Session {row.name} is left out of the check already: {row.excluded_why}.")
        self._correct(row, EXCLUDED, True, row.excluded_why, who, _checked_text(why))

    def include(self, row: SessionRow, *, who: str = "", why: str = "") -> None:
        """Undo `exclude`."""
        self._correct(row, EXCLUDED, False, row.excluded_why, who, why)

    def set_session_athlete(self, row: SessionRow, athlete: str, *, who: str = "", why: str = "") -> str:
        """Move a session to an athlete, whatever the assignment of its device says. Return the name. Raises AthleteNotFound, Unchanged."""
        name = self.find_athlete(athlete).name
        detail = self.detail(row)
        if detail.has_own_athlete and detail.athlete == name:
            raise Unchanged(f"Session {row.name} was moved to {name} already.")
        self._correct(row, ATHLETE, name, detail.athlete, who, why)
        return name

    def unset_session_athlete(self, row: SessionRow, *, who: str = "", why: str = "") -> SessionRow:
        """Undo `set_session_athlete`: the assignment of the device says who it was. Return the session's row. Raises Unchanged."""
        detail = self.detail(row)
        if not detail.has_own_athlete:
            raise Unchanged(f"Session {row.name} follows the assignment of its device already.")
        self._correct(row, ATHLETE, None, detail.athlete, who, why, as_assigned=True)
        return self._again(row)

    def set_mark(self, row: SessionRow, mark: str, is_set: bool, *, who: str = "", why: str = "") -> None:
        """Set or withdraw a session's mark: `warm_up` or `stretch`. Raises Unchanged where it is so."""
        if getattr(row, MARKS[mark]) == is_set:
            name = mark.replace("_", "-")
            raise Unchanged(f"Session {row.name} has {'a' if is_set else 'no'} {name} mark already.")
        self._correct(row, mark, is_set, getattr(row, MARKS[mark]), who, why)

    def _correct(self, row: SessionRow, what: str, value: object, before: object, who: str, why: str, **more: object) -> None:
        fields = {**_session_fields(row), "what": what, "value": value, "before": before, **by_whom(who, _checked_text(why)), **more}
        self._enter_all([("correct", fields)])

    def _again(self, row: SessionRow) -> SessionRow:
        with self._read() as session:
            return session.scalars(select(SessionRow).where(SessionRow.id == row.id)).one()

    # Notes

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
        generation: int = 0,
        who: str = "",
    ) -> None:
        """Add a note to a session: pain and RPE 0 to 10, text up to 2 000 characters. ValueError outside of these."""
        note = _checked_note({"pain": pain, "rpe": rpe, "text": text, "next_day": next_day, "limp": limp, "swelling": swelling})
        where = {"device": device_name(device), "number": session_number(number), **generation_field(generation)}
        self._enter_all([("note", {**where, **note, "who": storable(who)})])

    def correct_note(self, row: SessionRow, nth: int, changes: dict[str, Any], *, who: str = "", why: str = "") -> None:
        """Change fields of the session's note number `nth`. ValueError as for `note`; NotFound where there is no such note, Unchanged."""
        before = self._note_fields(row, nth)
        value = _checked_note({**before, **changes})
        if value == before:
            raise Unchanged(f"Note {nth} of session {row.name} is so already.")
        self._enter_all([("note_change", {**_session_fields(row), "note": nth, "value": value, "before": before, **by_whom(who, why)})])

    def withdraw_note(self, row: SessionRow, nth: int, *, who: str = "", why: str = "") -> None:
        """Withdraw the session's note number `nth`. NotFound where there is no such note."""
        before = self._note_fields(row, nth)
        self._enter_all([("note_change", {**_session_fields(row), "note": nth, "value": None, "before": before, **by_whom(who, why)})])

    def _note_fields(self, row: SessionRow, nth: int) -> dict[str, Any]:
        notes = {note.nth: note for note in self.detail(row).notes}
        if nth not in notes:
            known = f"it has {_numbers(notes)}" if notes else "it has none"
            raise NotFound(f"Session {row.name} has no note {nth} ({known}).")
        return note_fields(notes[nth])

    # Limits

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
        """Set a rule's limits for an athlete (None: for all), from `from_at` (default now) to `to_at`. A limit of None is no limit.

        Raises AthleteNotFound, Unchanged where the same was entered last.
        """
        name = None if athlete is None else self.find_athlete(athlete).name
        fields = {
            "rule": rule,
            "athlete": name,
            "warn": warn,
            "fail": fail,
            "enabled": enabled,
            "from_at_ms": now_ms() if from_at is None else to_ms(from_at),
            "to_at_ms": None if to_at is None else to_ms(to_at),
            **by_whom(who, why),
        }
        in_force = self._own_limits(rule, name)
        entered = ("warn", "fail", "enabled", "to_at_ms", "who", "why")
        if in_force is not None and all(getattr(in_force, field) == fields[field] for field in entered):
            raise Unchanged(f"{rule} has these limits already, for the same reason.")
        self._enter_all([("override", fields)])

    def reset_limits(self, rule: str, *, athlete: str | None = None, who: str = "", why: str = "") -> OverrideRow:
        """End the limits that people set for a rule, for an athlete (None: those for all). Return the ones that were in force.

        Raises AthleteNotFound, Unchanged where none are in force.
        """
        name = None if athlete is None else self.find_athlete(athlete).name
        in_force = self._own_limits(rule, name)
        if in_force is None:
            raise Unchanged(f"{rule} has its default limits for {name or 'all'} already.")
        self._enter_all([("reset", {"rule": rule, "athlete": name, **by_whom(who, why)})])
        return in_force

    def _own_limits(self, rule: str, athlete: str | None) -> OverrideRow | None:
        """The limits in force now that people set last for a rule and an athlete (None: for all)."""
        query = select(OverrideRow).outerjoin(AthleteRow, OverrideRow.athlete_id == AthleteRow.id).order_by(OverrideRow.id.desc()).limit(1)
        query = query.where(OverrideRow.rule == rule, AthleteRow.name.is_(None) if athlete is None else AthleteRow.name == athlete)
        query = query.where(OverrideRow.to_at_ms.is_(None) | (OverrideRow.to_at_ms > now_ms()))
        with self._read() as session:
            return session.scalar(query)


def note_fields(note: NoteRow) -> dict[str, Any]:
    """What a note says, as its entry in the journal has it."""
    return {name: getattr(note, name) for name in NOTE_FIELDS}


def _session_fields(row: SessionRow) -> dict[str, Any]:
    return {"device": row.device, "number": row.number, **generation_field(row.generation)}


def by_whom(who: str, why: str) -> dict[str, str]:
    return {"who": storable(who), "why": storable(why)}


def _checked_text(text: str) -> str:
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(f"a text has at most {MAX_TEXT_LENGTH} characters")
    return storable(text)


def _checked_note(note: dict[str, Any]) -> dict[str, Any]:
    if any(value is not None and not 0 <= value <= 10 for value in (note["pain"], note["rpe"])) or len(note["text"]) > MAX_TEXT_LENGTH:
        raise ValueError("pain and rpe are 0 to 10, text has at most 2000 characters")
    return {**note, "text": storable(note["text"])}


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
