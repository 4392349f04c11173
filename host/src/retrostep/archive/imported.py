"""Activities that people imported from files of other programs: their entry in the journal, and their session in the tables.

An imported activity has no log. Its entry holds all that is known of it, so it is kept, rebuilt, shared and forgotten with the journal. It
is the session IMPORT/1, IMPORT/2, ... in the order of the entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retrostep_core import codes
from retrostep_core.log.decoded import Bout, Direction, End, Epoch, Totals
from retrostep_core.log.reader import Log
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from retrostep.archive import entry_values as read
from retrostep.archive.event_journal import Entry
from retrostep.archive.identifiers import IMPORTED, session_number
from retrostep.archive.log_summary import MAX_STEPS_PER_S, details_of, movement_columns
from retrostep.archive.projected_logs import NewSession, insert_sessions
from retrostep.archive.schema import ImportRow
from retrostep.archive.session_dates import next_session_id, update_athlete

MAX_DURATION_MS = 48 * 3_600_000
"""Longest accepted activity (48 h). In a longer one the watch was not stopped, or its times are wrong."""

MAX_BOUTS = 2_000
"""An activity has at most so many bouts, so that its entry is a line of at most 100 KB."""

_MOVING = (codes.FORWARD, codes.BACKWARD, codes.UNKNOWN)

NO_CORE = "0.0.0"
"""A core version below every real one: no core counted this session."""


@dataclass(frozen=True)
class ImportedActivity:
    """One activity of a file: when it was, and its bouts in order, with times in ms since its start.

    `digest` identifies the activity in its file. Steps and cadence of a bout are 0 where the file has none.
    """

    file: str
    format: str
    sport: str
    digest: str
    started_at_ms: int
    duration_ms: int
    bouts: Sequence[Bout]
    is_export: bool = False
    """Whether Retrostep wrote the file; it is not in the entry."""

    @property
    def ended_at_ms(self) -> int:
        """When it ended."""
        return self.started_at_ms + self.duration_ms

    def as_log(self) -> Any:
        """The activity in the form of a decoded log: totals at the end of each bout, and standing between bouts."""
        log = Log()
        totals = [0, 0, 0, 0, 0]
        reached_ms = 0
        for bout in self.bouts:
            if bout.start_ms > reached_ms:
                log.directions.append(Direction(reached_ms, reached_ms, codes.STILL))
            log.directions.append(Direction(bout.start_ms, bout.start_ms, bout.direction))
            steps, time = {codes.FORWARD: (0, 3), codes.BACKWARD: (1, 4)}.get(bout.direction, (2, None))
            totals[steps] += bout.steps
            if time is not None:
                totals[time] += bout.end_ms - bout.start_ms
            log.epochs.append(Epoch(bout.end_ms, Totals(*totals), bout.cadence_mean_x10, 0))
            reached_ms = bout.end_ms
        log.directions.append(Direction(reached_ms, reached_ms, codes.STILL))
        log.bouts = list(self.bouts)
        log.totals, log.duration_ms = Totals(*totals), self.duration_ms
        log.end, log.closed = End(self.duration_ms, codes.END_BUTTON, log.totals), True
        return log


def import_fields(activity: ImportedActivity, athlete: str, number: int, who: str) -> dict[str, Any]:
    """The fields of the journal's entry for an imported activity."""
    return {
        "device": IMPORTED,
        "number": number,
        "athlete": athlete,
        **{name: getattr(activity, name) for name in ("file", "format", "sport", "digest", "started_at_ms", "duration_ms")},
        "bouts": [list(bout) for bout in activity.bouts],
        "who": who,
    }


def apply_imports(session: Session, imports: Sequence[tuple[int | None, Entry]]) -> None:
    """Add imported activities, with their athletes, to the tables. ValueError, KeyError or TypeError where an entry is not valid.

    Two who import at the same time may have chosen one number: the later entry gets the next free one. The same activity of the same
    athlete is added once.
    """
    activities = [activity_of(entry) for _, entry in imports]
    digests, wanted = {activity.digest for activity in activities}, [session_number(read.integer(entry["number"])) for _, entry in imports]
    columns = ImportRow.number, ImportRow.digest, ImportRow.athlete_id
    there = session.execute(select(*columns).where(ImportRow.digest.in_(digests) | ImportRow.number.in_(wanted))).all()
    taken, known = {row.number for row in there}, {(row.digest, row.athlete_id) for row in there}
    next_id, next_number = next_session_id(session), next_import_number(session)
    rows: list[dict[str, Any]] = []
    sessions: list[NewSession] = []
    for (athlete_id, entry), activity, number in zip(imports, activities, wanted, strict=True):
        if athlete_id is not None and (activity.digest, athlete_id) in known:
            continue
        known.add((activity.digest, athlete_id))
        if number in taken:
            number = next_number
        taken.add(number)
        next_number = max(next_number, number + 1)
        at_ms = read.moment(entry["at_ms"])
        origin = {name: getattr(activity, name) for name in ("file", "format", "sport", "digest")}
        rows.append({"number": number, "athlete_id": athlete_id, "at_ms": at_ms, "who": read.text(entry["who"]), **origin})
        log = activity.as_log()
        sessions.append((_columns(activity, log, number, at_ms), {"id": next_id + len(sessions)}, details_of(log)))
    if rows:
        session.execute(insert(ImportRow), rows)
        insert_sessions(session, sessions)
        session.expire_all()
        update_athlete(session, IMPORTED, sorted(row["number"] for row in rows))


def next_import_number(session: Session) -> int:
    """The number of the next imported session."""
    return 1 + (session.scalar(select(func.max(ImportRow.number))) or 0)


def _columns(activity: ImportedActivity, log: Any, number: int, at_ms: int) -> dict[str, Any]:
    """The row of the session. Columns about device, core and alert limits are empty or 0."""
    start_ms = activity.started_at_ms
    of_device = dict.fromkeys(("generation", "boot", "start_ticks_ms", "clock_spread_ms", "placement", "side", "trigger"), 0)
    texts = dict.fromkeys(("board", "core_hash", "mount", "found_mount", "limits"), "")
    dates = dict.fromkeys(("started_at_ms", "not_before_ms", "not_after_ms", "placed_at_ms"), start_ms)
    return {
        "device": IMPORTED,
        "number": number,
        "nth_generation": 1,
        **of_device,
        **texts,
        **dates,
        "dated": "imported",
        "received_at_ms": at_ms,
        "core_version": NO_CORE,
        "log_length": 0,
        "log_crc": 0,
        **movement_columns(log),
    }


def activity_of(entry: Entry) -> ImportedActivity:
    """The activity in an entry. Raises ValueError where its times or steps are impossible."""
    file, kind, sport, digest = (read.text(entry[name]) for name in ("file", "format", "sport", "digest"))
    start_ms, duration_ms = read.moment(entry["started_at_ms"]), read.integer(entry["duration_ms"])
    bouts = [Bout(*map(read.integer, values)) for values in entry["bouts"]]
    check_bouts(bouts, duration_ms)
    return ImportedActivity(file, kind, sport, digest, start_ms, duration_ms, bouts)


def check_bouts(bouts: Sequence[Bout], duration_ms: int) -> None:
    """Raise ValueError where times, directions or steps of the bouts are impossible in an activity of this length."""
    if not 0 < duration_ms <= MAX_DURATION_MS or len(bouts) > MAX_BOUTS:
        raise ValueError("not the length of an activity")
    reached_ms = 0
    for bout in bouts:
        if not reached_ms <= bout.start_ms < bout.end_ms <= duration_ms or bout.direction not in _MOVING:
            raise ValueError("not a bout of this activity")
        most_steps = ((bout.end_ms - bout.start_ms) // 1_000 + 2) * MAX_STEPS_PER_S
        if not 0 <= bout.steps <= most_steps or not all(0 <= x10 <= 600 * MAX_STEPS_PER_S for x10 in bout[4:]):
            raise ValueError("not the steps of a bout")
        reached_ms = bout.end_ms
