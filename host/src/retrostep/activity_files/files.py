"""Imports activity files for an athlete: recognises the format, skips what the store has already, and adds the rest as sessions."""

import hashlib
import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retrostep.activity_files.track import ON_FOOT, Track
from retrostep.archive.durable_files import file_errors
from retrostep.archive.entry_values import storable
from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.imported import MAX_DURATION_MS, ImportedActivity
from retrostep.archive.moments import now_ms
from retrostep.archive.schema import AthleteRow, SessionRow
from retrostep.archive.store import Store
from retrostep.errors import NoAccess, RetrostepError, UnusableActivity
from retrostep.units import duration, local_time

MAX_FILE_BYTES = 32_000_000
"""A day of points each second takes 10 MB as TCX."""

FIRST_START_MS = 946_684_800_000
"""2000-01-01 UTC. A watch that shows an earlier time was never set."""

SAME_MS = 10_000
"""Activities whose starts and durations differ by no more are the same: formats round times, watches cut the end. An engineering number."""

CLOCK_TOLERANCE_MS = 600_000
"""An activity may end so much later than now, because clocks of watches and computers differ."""

_NAME_LENGTH = 120
_HEAD_BYTES = 4_096
_GPX = re.compile(rb"<(?:\w+:)?gpx[\s>]")
_UNNAMED_SPORTS = ("", "other", "generic", "unknown")

_MONTH_MS = 30 * 86_400_000


@dataclass(frozen=True)
class Skipped:
    """A valid activity that is not imported, and why. `needs_sport`: its file does not name its sport."""

    why: str
    needs_sport: bool = False


@dataclass
class Outcome:
    """What became of one file.

    sessions   the imported sessions
    shared     for each session: the sessions of devices that recorded a part of it, and how long each did, in ms
    skipped    why each skipped activity was skipped
    problems   why each activity, or the whole file, cannot be used
    """

    file: str
    sessions: list[SessionRow] = field(default_factory=list)
    shared: list[list[tuple[SessionRow, int]]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    problems: list[RetrostepError] = field(default_factory=list)


def import_file(store: Store, athlete: str, path: Path, *, who: str = "", sport: str = "") -> Outcome:
    """Import the activities in the file `path` for an athlete. What cannot be imported is in the outcome. Raises AthleteNotFound.

    `sport` is used for activities whose sport the file does not name.
    """
    outcome = Outcome(path.name)
    owner = store.find_athlete(athlete)
    try:
        found = read_activities(path, sport)
    except RetrostepError as error:
        outcome.problems.append(error)
        return outcome
    known = _Known(store, owner, [each for each in found if isinstance(each, ImportedActivity)])
    taken = _Taken()
    for activity in found:
        if isinstance(activity, RetrostepError):
            outcome.problems.append(activity)
        elif isinstance(activity, Skipped):
            outcome.skipped.append(activity)
        elif (skipped := known.as_session(activity) or taken.overlapping(activity)) is not None:
            outcome.skipped.append(skipped)
        else:
            taken.add(activity)
            outcome.shared.append(known.by_devices(activity))
    if taken.activities:
        outcome.sessions = store.add_imported(owner.name, taken.activities, who=who)
    return outcome


class _Taken:
    """The activities of a file that are imported."""

    def __init__(self) -> None:
        self.activities: list[ImportedActivity] = []
        self._times: list[tuple[int, int]] = []
        """(start, end) of each, by time. They do not overlap by more than SAME_MS, and the shortest ones may lie within another."""

    def add(self, activity: ImportedActivity) -> None:
        self.activities.append(activity)
        insort(self._times, (activity.started_at_ms, activity.ended_at_ms))

    def overlapping(self, activity: ImportedActivity) -> Skipped | None:
        """Why an activity is skipped: it overlaps another of its file. None where it does not."""
        first = bisect_left(self._times, (activity.started_at_ms - MAX_DURATION_MS, 0))
        for start_ms, end_ms in self._times[first : bisect_left(self._times, (activity.ended_at_ms, 0))]:
            if min(end_ms, activity.ended_at_ms) - max(start_ms, activity.started_at_ms) > SAME_MS:
                return Skipped("it overlaps another activity of its file")
        return None


def read_activities(path: Path, sport: str = "") -> list[ImportedActivity | Skipped | RetrostepError]:
    """The activities in the file `path`, in order; for one that cannot be used, why not.

    Raises DamagedFile or UnusableActivity where nothing of the file can be used.
    """
    try:
        with file_errors(path):
            if not path.is_file():
                raise UnusableActivity("it is not a file" if path.exists() else "there is no such file")
            with open(path, "rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
    except NoAccess as error:
        raise UnusableActivity("it cannot be read: change its permissions") from error
    if len(data) > MAX_FILE_BYTES:
        raise UnusableActivity(f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB, which no activity is")
    return activities_in(data, path.name, sport)


def activities_in(data: bytes, name: str, sport: str = "") -> list[ImportedActivity | Skipped | RetrostepError]:
    """As `read_activities`, for the bytes of a file with that name."""
    kind, read = _reader(data)
    digest = hashlib.sha256(data).hexdigest()[:24]
    found: list[ImportedActivity | Skipped | RetrostepError] = []
    for number, track in enumerate(read(data), 1):
        if isinstance(track, RetrostepError):
            found.append(track)
            continue
        try:
            track.sport = sport if sport and track.sport in _UNNAMED_SPORTS else track.sport
            found.append(_usable(track, storable(name)[-_NAME_LENGTH:], kind, f"{digest}-{number}"))
        except UnusableActivity as error:
            found.append(error)
    if not found:
        raise UnusableActivity("it holds no activity")
    return found


def _reader(data: bytes) -> tuple[str, Callable[[bytes], Sequence[Track | RetrostepError]]]:
    """The format of a file, by its contents. Each library is imported only for its format."""
    if data[8:12] == b".FIT":
        from retrostep.activity_files.fit import read_fit

        return "FIT", read_fit
    if data[:2] in (b"PK", b"\x1f\x8b"):
        raise UnusableActivity("it is a compressed archive: unpack it first")
    if data[:64].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").startswith(b"<"):
        if _GPX.search(data[:_HEAD_BYTES].replace(b"\0", b"")):  # in UTF-16, every second byte is 0
            from retrostep.activity_files.gpx import read_gpx

            return "GPX", read_gpx
        from retrostep.activity_files.tcx import read_tcx

        return "TCX", read_tcx
    from retrostep.activity_files.table import read_table

    return "CSV", read_table


def _usable(track: Track, name: str, kind: str, digest: str) -> ImportedActivity | Skipped:
    """The activity of a track. Raises UnusableActivity."""
    is_walk_without_name = track.sport == "other" and any(point.cadence_spm for point in track.points)  # as Garmin's TCX has walks
    if track.sport not in ON_FOOT and not is_walk_without_name:
        if track.sport in _UNNAMED_SPORTS:
            return Skipped("its sport is not named, and only running, walking and hiking are imported", needs_sport=True)
        return Skipped(f"its sport is {track.sport}, and only running, walking and hiking are imported")
    now = now_ms()
    if track.started_at_ms < FIRST_START_MS:
        raise UnusableActivity("it is dated before 2000: the clock of its watch was not set")
    if track.ended_at_ms > now + CLOCK_TOLERANCE_MS:
        when = local_time(track.started_at_ms) if track.started_at_ms < now + 10**12 else "far away"
        raise UnusableActivity(f"it is dated in the future ({when}): the clock of its watch or of this computer is wrong")
    bouts = track.bouts()
    return ImportedActivity(name, kind, track.sport, digest, track.started_at_ms, track.duration_ms, bouts, track.is_export)


class _Known:
    """The sessions that the store has of an athlete at the times of a file's activities."""

    def __init__(self, store: Store, owner: AthleteRow, activities: Sequence[ImportedActivity]) -> None:
        self._athlete = athlete = owner.name
        self._imported = store.imported_as([activity.digest for activity in activities], owner.id)
        self._around: dict[str, list[tuple[SessionRow, str | None]]] = {}
        for group in _close_together(activities):
            from_ms, to_ms = group[0].started_at_ms - SAME_MS, max(activity.ended_at_ms for activity in group) + SAME_MS
            # An activity that Retrostep exported may be the session of any athlete.
            rows = store.sessions_around(from_ms, to_ms, None if any(activity.is_export for activity in group) else athlete)
            for activity in group:
                self._around[activity.digest] = [(row, name) for row, name in rows if _shared_ms(row, activity) >= -SAME_MS]

    def as_session(self, activity: ImportedActivity) -> Skipped | None:
        """Why an activity is skipped: the store has it already for the athlete. None where it does not.

        The same activity of another athlete is no reason: they may have run together. Nor is an imported session that was excluded, unless
        it is from the same file: a better file may take its place.
        """
        imported = self._imported.get(activity.digest)
        if imported is not None:
            return Skipped(f"it was imported already, as session {_named(*imported, self._athlete)}")
        around = [(row, name) for row, name in self._around[activity.digest] if row.device != IMPORTED or row.excluded_why is None]
        for row, name in around:
            is_own = name == self._athlete or (name is None and row.device != IMPORTED)
            if (is_own or activity.is_export) and _is_same(row, activity):
                return Skipped(f"it is session {_named(row, name, self._athlete)}: start and duration are the same")
        for row, name in around:
            shared_ms = _shared_ms(row, activity)
            if name == self._athlete and row.device == IMPORTED and shared_ms > SAME_MS:
                return Skipped(f"it overlaps session {row.name} by {duration(shared_ms)}, which was imported before")
        return None

    def by_devices(self, activity: ImportedActivity) -> list[tuple[SessionRow, int]]:
        """The sessions of the athlete's devices that recorded parts of an activity and count, and how long each did, in ms."""
        around = self._around[activity.digest]
        rows = [row for row, name in around if name == self._athlete and row.device != IMPORTED and row.excluded_why is None]
        return [(row, ms) for row in rows if (ms := _shared_ms(row, activity)) > 0]


def _close_together(activities: Sequence[ImportedActivity]) -> Iterator[list[ImportedActivity]]:
    """The activities by their starts, in groups that start within a month: their sessions are read from the store at once."""
    group: list[ImportedActivity] = []
    for activity in sorted(activities, key=lambda each: each.started_at_ms):
        if group and activity.started_at_ms - group[0].started_at_ms > _MONTH_MS:
            yield group
            group = []
        group.append(activity)
    if group:
        yield group


def _named(row: SessionRow, name: str | None, athlete: str) -> str:
    return row.name if name == athlete else f"{row.name} of {name or 'no athlete'}"


def _is_same(row: SessionRow, activity: ImportedActivity) -> bool:
    starts_ms = abs((row.started_at_ms or 0) - activity.started_at_ms)
    return starts_ms <= SAME_MS and abs(row.duration_ms - activity.duration_ms) <= SAME_MS


def _shared_ms(row: SessionRow, activity: ImportedActivity) -> int:
    start_ms = row.started_at_ms or 0
    return min(start_ms + row.duration_ms, activity.ended_at_ms) - max(start_ms, activity.started_at_ms)
