"""A store for tests of the check, without a database."""

from collections.abc import Iterable, Sequence
from types import SimpleNamespace

from retrostep.archive.assignments import Assignment
from retrostep.archive.queries import Recording
from retrostep.training.training_session import has_note

from support.recordings import outline


class StoreWith:
    """The answers of a store that has these recordings, of one athlete unless they say otherwise."""

    def __init__(
        self,
        recordings: Iterable[Recording],
        athletes: Sequence[str] = ("Ada",),
        assignments: Sequence[Assignment] = (),
        seen: dict[str, int | None] | None = None,
        overrides: Sequence[tuple[SimpleNamespace, str | None]] = (),
    ) -> None:
        self._recordings = list(recordings)
        self._athletes = [SimpleNamespace(id=number, name=name) for number, name in enumerate(athletes, 1)]
        self._assignments, self._seen, self._overrides = list(assignments), seen or {}, list(overrides)

    def athletes(self) -> list[SimpleNamespace]:
        return self._athletes

    def find_athlete(self, name: str) -> SimpleNamespace:
        return next(athlete for athlete in self._athletes if athlete.name == name)

    def assignments(self) -> list[Assignment]:
        return self._assignments

    def overrides(self) -> list[tuple[SimpleNamespace, str | None]]:
        return self._overrides

    def device_limits(self) -> list[SimpleNamespace]:
        return []

    def acceptances(self) -> list[SimpleNamespace]:
        return []

    def devices(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(device=device, board="VIRTUAL", last_seen_at_ms=at_ms) for device, at_ms in self._seen.items()]

    def outlines(self, since_ms: int, until_ms: int, athlete_id: int | None) -> Iterable[tuple[int, ...]]:
        return [outline(each) for each in self.recordings(since_ms, athlete_id, until_ms) if each.athlete_id is not None]

    def recordings(self, since_ms: int, athlete_id: int | None, until_ms: int | None = None) -> Iterable[Recording]:
        found = [each for each in self._recordings if each.placed_at_ms >= since_ms and athlete_id in (None, each.athlete_id)]
        found = [each for each in found if until_ms is None or each.placed_at_ms < until_ms]
        return sorted(found, key=lambda each: (each.athlete_id or 0, each.placed_at_ms))

    def recordings_with_pain(self, since_ms: int, until_ms: int) -> list[tuple[Recording, bool]]:
        found = [each for each in self._recordings if since_ms <= each.placed_at_ms < until_ms]
        noted = [each for each in found if has_note(each)]
        return [(each, False) for each in sorted(noted, key=lambda each: each.placed_at_ms)]
