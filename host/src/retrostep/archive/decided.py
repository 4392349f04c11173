"""What a coach decides: findings that are accepted, and the alert limits that a device gets. Each method appends to the journal."""

from collections.abc import Iterable
from datetime import datetime

from retrostep_core.gait.limits import Limits
from sqlalchemy import select

from retrostep.archive.decision_tables import AcceptanceRow, DeviceLimitsRow
from retrostep.archive.entry_values import storable
from retrostep.archive.identifiers import device_name
from retrostep.archive.moments import to_ms
from retrostep.archive.people import People, by_whom
from retrostep.archive.schema import AthleteRow
from retrostep.errors import Unchanged


class Decided(People):
    """The methods of a store that record decisions. `who` is the login name of the person who decides."""

    # Accepted findings

    def accept(self, athlete: str, rule: str, *, who: str, because: str, until: datetime | None = None) -> str:
        """Accept the findings of `rule` about training of `athlete` up to now, and with `until` those before that moment too.

        Return the athlete's name. Raises AthleteNotFound, Unchanged where it is accepted so already.
        """
        name = self.find_athlete(athlete).name
        until_ms = None if until is None else to_ms(until)
        if until_ms is not None and any(
            (row.rule, row.until_at_ms, row.because) == (rule, until_ms, because) for row in self.acceptances(name)
        ):
            raise Unchanged(f"{rule} is accepted for {name} already, for that reason.")
        self._enter_all([("accept", {"athlete": name, "rule": rule, "until_at_ms": until_ms, **by_whom(who, because)})])
        return name

    def revoke(self, athlete: str, rule: str, *, who: str, why: str = "") -> str:
        """Revoke every acceptance of `rule` for `athlete`. Return the name. Raises AthleteNotFound, Unchanged where there is none."""
        name = self.find_athlete(athlete).name
        if not any(row.rule == rule for row in self.acceptances(name)):
            raise Unchanged(f"No finding of {rule} is accepted for {name}.")
        self._enter_all([("revoke", {"athlete": name, "rule": rule, **by_whom(who, why)})])
        return name

    def acceptances(self, athlete: str | None = None, *, revoked: bool = False) -> list[AcceptanceRow]:
        """The acceptances in force of an athlete or of all, in the order entered; with `revoked` the revoked ones as well."""
        query = select(AcceptanceRow).order_by(AcceptanceRow.id)
        if athlete is not None:
            query = query.where(AcceptanceRow.athlete_id == self.find_athlete(athlete).id)
        if not revoked:
            query = query.where(AcceptanceRow.revoked_at_ms.is_(None))
        with self._read() as session:
            return list(session.scalars(query))

    # Limits of devices

    def set_device_limits(self, limits: Iterable[tuple[str, str | None, Limits]], *, who: str) -> None:
        """Record the limits (device, athlete, limits) that devices get at their next sync, in place of those that wait."""
        who = storable(who)
        self._enter_all(
            [
                ("limits", {"device": device_name(device), "athlete": athlete, "limits": packed.pack().hex(), "who": who})
                for device, athlete, packed in limits
            ]
        )

    def record_limits_sent(self, device: str, limits: Limits) -> None:
        """Record that the limits that waited for `device` are in force on it."""
        self._enter_all([("limits_sent", {"device": device_name(device), "limits": limits.pack().hex()})])

    def cancel_device_limits(self, device: str, *, who: str) -> None:
        """Cancel the limits that wait for `device`. Raises Unchanged where none wait."""
        if self.waiting_limits(device) is None:
            raise Unchanged(f"No limits wait for {device}.")
        self._enter_all([("limits_cancel", {"device": device_name(device), "who": storable(who)})])

    def waiting_limits(self, device: str) -> DeviceLimitsRow | None:
        """The limits that wait for `device`; None where none do."""
        return next((row for row, _ in self.device_limits() if row.device == device and row.is_waiting), None)

    def device_limits(self) -> list[tuple[DeviceLimitsRow, str | None]]:
        """All limits that were set for devices, with the athlete's name, in the order entered."""
        query = select(DeviceLimitsRow, AthleteRow.name).outerjoin(AthleteRow, DeviceLimitsRow.athlete_id == AthleteRow.id)
        with self._read() as session:
            return [(row, name) for row, name in session.execute(query.order_by(DeviceLimitsRow.id))]
