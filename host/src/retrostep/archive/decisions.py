"""Entries of the journal about decisions of a coach: accepted findings, and the alert limits of devices. Applied to the tables."""

from binascii import unhexlify

from retrostep_core.gait.limit_ranges import unpack_limits
from sqlalchemy import select
from sqlalchemy.orm import Session

from retrostep.archive import entry_values as read
from retrostep.archive.decision_tables import AcceptanceRow, DeviceLimitsRow
from retrostep.archive.event_journal import Entry
from retrostep.archive.identifiers import device_name, person_key, person_name
from retrostep.archive.schema import AthleteRow


def apply_accept(session: Session, athlete_id: int, entry: Entry) -> None:
    """Accept the findings of a rule about an athlete. ValueError or KeyError where the entry is not valid; likewise below."""
    row = AcceptanceRow(athlete_id=athlete_id, rule=read.text(entry["rule"]), at_ms=read.moment(entry["at_ms"]))
    row.until_at_ms = read.optional_moment(entry["until_at_ms"])
    row.who, row.because = read.text(entry["who"]), read.text(entry["why"])
    session.add(row)
    session.flush()


def apply_revoke(session: Session, athlete_id: int, entry: Entry) -> None:
    """Revoke every acceptance of a rule for an athlete."""
    at_ms, who, why = read.moment(entry["at_ms"]), read.text(entry["who"]), read.text(entry["why"])
    query = select(AcceptanceRow).filter_by(athlete_id=athlete_id, rule=read.text(entry["rule"]), revoked_at_ms=None)
    for row in session.scalars(query):
        row.revoked_at_ms, row.revoked_who, row.revoked_why = at_ms, who, why
    session.flush()


def apply_limits(session: Session, entry: Entry) -> None:
    """Set the limits that a device gets next, in place of those that wait."""
    device, at_ms, limits = device_name(read.text(entry["device"])), read.moment(entry["at_ms"]), _limits(entry["limits"])
    for waiting in _waiting(session, device):
        waiting.cancelled_at_ms = at_ms
    name = entry["athlete"]
    athlete_id = None if name is None else session.scalar(select(AthleteRow.id).filter_by(key=person_key(person_name(read.text(name)))))
    session.add(DeviceLimitsRow(device=device, limits=limits, athlete_id=athlete_id, at_ms=at_ms, who=read.text(entry["who"])))
    session.flush()


def apply_limits_sent(session: Session, entry: Entry) -> None:
    """Record that a device has these limits in force."""
    device, at_ms, limits = device_name(read.text(entry["device"])), read.moment(entry["at_ms"]), _limits(entry["limits"])
    for waiting in _waiting(session, device):
        if waiting.limits == limits:
            waiting.sent_at_ms = at_ms
    session.flush()


def apply_limits_cancel(session: Session, entry: Entry) -> None:
    """Cancel the limits that wait for a device."""
    at_ms, who = read.moment(entry["at_ms"]), read.text(entry["who"])
    for waiting in _waiting(session, device_name(read.text(entry["device"]))):
        waiting.cancelled_at_ms, waiting.cancelled_who = at_ms, who
    session.flush()


def _waiting(session: Session, device: str) -> list[DeviceLimitsRow]:
    return list(session.scalars(select(DeviceLimitsRow).filter_by(device=device, sent_at_ms=None, cancelled_at_ms=None)))


def _limits(value: object) -> str:
    """Limits in hex that a device takes."""
    text = read.text(value)
    unpack_limits(unhexlify(text))
    return text
