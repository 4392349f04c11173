"""Findings that a person accepted, with the reason. They keep their verdict, and no longer decide the athlete's."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from retrostep.archive.decision_tables import AcceptanceRow
from retrostep.training.dates import day_of
from retrostep.training.finding import FAIL, UNKNOWN, WARN
from retrostep.units import utc

CAN_BE_ACCEPTED = (WARN, FAIL, UNKNOWN)
"""Verdicts that ask for a decision."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Who accepted a finding when and why. `until_at_ms`: later findings are accepted too, before that moment; None for none."""

    because: str
    who: str
    at_ms: int
    until_at_ms: int | None

    def as_dict(self) -> dict[str, str | None]:
        """For JSON."""
        return {"because": self.because, "who": self.who, "at": utc(self.at_ms), "until": utc(self.until_at_ms)}


def _no_longer_than(later: Accepted, earlier: Accepted) -> Accepted:
    """An acceptance after a later one was entered: its `until` may be shortened, and then it was too long."""
    untils = later.until_at_ms, earlier.until_at_ms
    return earlier if None in untils else replace(earlier, until_at_ms=min(until for until in untils if until is not None))


class Acceptances:
    """The acceptances that were in force at a moment: `before_ms` is the first one after it."""

    def __init__(self, rows: Iterable[AcceptanceRow], before_ms: int) -> None:
        self._rows: dict[tuple[int, str], list[Accepted]] = {}
        for row in rows:
            if row.at_ms < before_ms:
                accepted = Accepted(row.because, row.who, row.at_ms, row.until_at_ms)
                earlier = self._rows.get((row.athlete_id, row.rule), [])
                self._rows[row.athlete_id, row.rule] = [*(_no_longer_than(accepted, one) for one in earlier), accepted]

    def of(self, athlete_id: int, rule: str, started_at_ms: int | None, on: int) -> Accepted | None:
        """The acceptance of a finding about training that began at `started_at_ms`; the latest of several, None without one.

        A finding about no session is one of the day `on`.
        """
        for accepted in reversed(self._rows.get((athlete_id, rule), ())):
            until_ms = accepted.until_at_ms or 0
            if started_at_ms is None:
                is_covered = on <= max(day_of(accepted.at_ms), day_of(max(0, until_ms - 1)))
            else:
                is_covered = started_at_ms <= accepted.at_ms or started_at_ms < until_ms
            if is_covered:
                return accepted
        return None

    def holds_on(self, athlete_id: int, rule: str, start_ms: int) -> bool:
        """Whether findings of `rule` about training at `start_ms`, in the future, are accepted already."""
        return any(start_ms < (accepted.until_at_ms or 0) for accepted in self._rows.get((athlete_id, rule), ()))
