"""Who wears a device from when to when, and whether a new assignment contradicts those that were entered."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from retrostep.archive.schema import AssignmentNumberRow, AssignmentRow
from retrostep.errors import AssignmentContradiction, AssignmentExists
from retrostep.units import local_time


@dataclass(frozen=True)
class Assignment:
    """Who wears a device, from when to when, with its number, who entered it and why. See schema.AssignmentRow."""

    device: str
    athlete: str | None
    from_at_ms: int
    to_at_ms: int | None
    number: int = 0
    who: str = ""
    why: str = ""


def covering(assignments: Sequence[Assignment], at_ms: int) -> Assignment | None:
    """The assignment in force at a moment; None before the first one."""
    return max((one for one in assignments if one.from_at_ms <= at_ms), key=lambda one: one.from_at_ms, default=None)


def check_assignment(device: str, existing: Sequence[Assignment], athlete: str | None, from_ms: int, to_ms: int | None) -> None:
    """Return where `athlete` can be assigned from `from_ms` to `to_ms` (None: for good). `existing` are the others of the device.

    Raises AssignmentExists where it changes nothing, AssignmentContradiction where another assignment starts in that time.
    """
    starting = sorted((one for one in existing if from_ms <= one.from_at_ms), key=lambda one: one.from_at_ms)
    starting = [one for one in starting if to_ms is None or one.from_at_ms < to_ms]
    now = covering(existing, from_ms)
    if athlete is None and now is None:
        raise AssignmentExists(f"{device} is not assigned to an athlete at that time.", device=device)
    if now is not None and now.athlete == athlete:
        until = f", until {local_time(now.to_at_ms)}" if now.to_at_ms is not None else ""
        raise AssignmentExists(f"{device} is {_wearer(now)}{_since(now)} already{until}.", device=device)
    if starting:
        first = starting[0]
        raise AssignmentContradiction(f"{device} is {_wearer(first)}{_since(first)}, which contradicts this.", device=device)


def assignment_number(session: Session, device: str, wanted: object) -> int:
    """`wanted`, the number of the corrected assignment, where it is free; otherwise a number that no assignment of the device had."""
    numbers = session.get(AssignmentNumberRow, device) or AssignmentNumberRow(device=device, last=0)
    session.add(numbers)
    if isinstance(wanted, int) and 1 <= wanted <= numbers.last and not _is_taken(session, device, wanted):
        return wanted
    numbers.last += 1
    session.flush()
    return numbers.last


def _is_taken(session: Session, device: str, number: int) -> bool:
    return session.scalar(select(AssignmentRow.id).filter_by(device=device, number=number).limit(1)) is not None


def _wearer(one: Assignment) -> str:
    return "not assigned" if one.athlete is None else f"assigned to {one.athlete}"


def _since(one: Assignment) -> str:
    return f" from {local_time(one.from_at_ms)} on" if one.from_at_ms else " from its first session on"
