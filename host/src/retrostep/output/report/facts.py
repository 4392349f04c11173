"""What the report shows: for each athlete the check, the load of four weeks, the plan and the sessions. Nothing here is text of a page."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from retrostep.archive.assignments import Assignment
from retrostep.archive.backward_gait import JOG, WALK
from retrostep.archive.queries import Recording, SessionDetail
from retrostep.archive.schema import SessionRow
from retrostep.archive.store import Store
from retrostep.output.findings import combined_findings
from retrostep.output.triage import named_sources
from retrostep.training.check import Check
from retrostep.training.data_quality import MAX_GAP_MS, Core
from retrostep.training.dates import day_of, day_start_ms
from retrostep.training.finding import AthleteVerdict
from retrostep.training.plan import GAITS, Allowance, Planner
from retrostep.training.review import Review
from retrostep.training.rules.catalog import BY_NAME, RULES
from retrostep.training.rules.rule import RuleLimits, TrainingHistory
from retrostep.training.training_session import TrainingSession

WEEKS = 4
DAYS = 7 * WEEKS
CHARTED_SESSIONS = 10
"""The latest sessions of an athlete have charts and notes: they are what is talked about, and they bound the size of the file. Imported
forward running has none."""
LISTED_SESSIONS = 40
"""Earlier ones than these are summed up in one line."""


@dataclass(frozen=True)
class LoadDay:
    """The load of a day (a day number), and the longest session that raised no warning on it.

    load_ms       the backward time of its sessions that count
    limit_ms      of the first session; None where no rule limited it; `limited_by` is the rule
    over_ms       by how much its sessions were longer than what was allowed before each of them
    unknown       why the load may be higher; empty for a day that is known completely
    """

    day: int
    load_ms: int
    over_ms: int
    limit_ms: int | None
    limited_by: str
    unknown: str
    pain: int | None
    is_hurt: bool


@dataclass(frozen=True)
class Evidence:
    """The load of DAYS days against its limit: `running` is jogging and running only, otherwise all backward time."""

    running: bool
    days: list[LoadDay]


@dataclass(frozen=True)
class Week:
    """The sums of 7 days, `first` to `last` (day numbers)."""

    first: int
    last: int
    sessions: int
    backward_ms: int
    running_ms: int
    forward_ms: int
    ramp_stops: int
    unknown_days: int


@dataclass(frozen=True)
class ShownSession:
    """A training session: `rows` are the recordings of its main device; `details` belong to them, and are empty without a chart."""

    session: TrainingSession
    rows: list[SessionRow]
    details: list[SessionDetail]
    findings: list[tuple[str, str]]
    """(rule, verdict) of the findings about it."""


@dataclass(frozen=True)
class AthletePage:
    """Everything about one athlete.

    evidence   one or two charts; the first is the load that the check compares
    sessions   the latest first; `earlier` are those that are only summed up
    following  the next session for each gait, `outlook` the next weeks in the gait of the athlete's stage
    """

    verdict: AthleteVerdict
    review: Review
    evidence: list[Evidence]
    weeks: list[Week]
    sessions: list[ShownSession]
    earlier: list[TrainingSession]
    undated: list[SessionRow]
    excluded: list[SessionRow]
    following: list[Allowance]
    outlook: list[Allowance]
    warm_up_ms: int
    sources: dict[str, str]

    @property
    def name(self) -> str:
        """The athlete's name."""
        assert self.verdict.athlete is not None
        return self.verdict.athlete


@dataclass(frozen=True)
class Report:
    """A report on the day `on` (a day number). `unassigned` has the findings about sessions that have no athlete.

    is_club   whether it is about everybody; otherwise it names nobody but its athlete
    """

    on: int
    since: int
    is_club: bool
    pages: list[AthletePage]
    unassigned: list[AthleteVerdict] = field(default_factory=list)


def report(store: Store, core: Core, on: date | None = None, athlete: str | None = None) -> Report:
    """The report of every athlete, most urgent first, or of one. Raises NotFound if the store does not know that athlete."""
    check, longer = Check(store, core, on), Check(store, core, on, DAYS)
    verdicts = check.verdicts(athlete)
    assignments = store.assignments()
    pages = [_Pages(store, check, longer, assignments).page(verdict) for verdict in verdicts if verdict.athlete is not None]
    return Report(check.on, check.since, athlete is None, pages, [verdict for verdict in verdicts if verdict.athlete is None])


class _Pages:
    """Makes the pages of athletes. `check` judges 7 days, `longer` reaches back as far as the charts need."""

    def __init__(self, store: Store, check: Check, longer: Check, assignments: Sequence[Assignment]) -> None:
        self._store, self._check, self._longer, self._assignments = store, check, longer, assignments
        self._on = check.on
        self._first = check.on - DAYS + 1

    def page(self, verdict: AthleteVerdict) -> AthletePage:
        verdict = replace(verdict, findings=combined_findings(verdict.findings))
        assert verdict.athlete is not None and verdict.review is not None
        athlete_id = self._store.find_athlete(verdict.athlete).id
        _, planner = self._check.planner_of(verdict.athlete)
        history = self._longer.planner_of(verdict.athlete)[1].history
        sessions = history.between(self._first, self._on)
        rows = list(self._store.sessions(athlete=verdict.athlete, since_ms=day_start_ms(self._first)))
        by_name = {row.name: row for row, _ in rows}
        outlook = planner.outlook(planner.stage())
        following = [planner.next_session(gait) for gait in GAITS]
        latest = sessions[::-1]
        charted = {id(session) for session in [each for each in latest if each.is_recorded][:CHARTED_SESSIONS]}
        evidence = self._evidence(athlete_id, verdict, verdict.review, planner, history)
        return AthletePage(
            verdict,
            verdict.review,
            evidence,
            self._weeks(sessions, evidence[0]),
            [_shown(self._store, verdict, by_name, session, id(session) in charted) for session in latest[:LISTED_SESSIONS]],
            latest[LISTED_SESSIONS:],
            [by_name[recording.id] for recording in history.undated if recording.id in by_name],
            [row for row, _ in rows if row.excluded_why is not None and row.placed_at_ms < self._check.until_ms],
            following,
            outlook,
            planner.warm_up_ms,
            _sources(verdict, [*following, *outlook], evidence),
        )

    def _evidence(
        self, athlete_id: int, verdict: AthleteVerdict, review: Review, planner: Planner, history: TrainingHistory
    ) -> list[Evidence]:
        """The load that the check compares, and the other one where the athlete also walked."""
        parts = [True] if planner.history.running else [False]
        if parts == [True] and any(s.is_backward and not s.is_mostly_running for s in history.between(self._first, self._on)):
            parts.append(False)
        limits = {rule.rule: self._check.limits(rule, athlete_id) for rule in RULES}
        assert verdict.athlete is not None
        unknown = self._unknown_days(verdict.athlete, review, history)
        return [
            Evidence(running, [self._day(athlete_id, day, running, review, history, limits, unknown[day]) for day in unknown])
            for running in parts
        ]

    def _day(
        self,
        athlete_id: int,
        day: int,
        running: bool,
        review: Review,
        history: TrainingHistory,
        limits: dict[str, RuleLimits],
        unknown: str,
    ) -> LoadDay:
        sessions = history.between(day, day)
        gait = max(JOG, review.stage) if running else WALK
        earlier_notes = [each for each in history.left_out if day_of(each.placed_at_ms) < day]

        def allowed(before: Sequence[TrainingSession]) -> Allowance:
            seen = TrainingHistory(day, day - 6, list(before), [], left_out=earlier_notes)
            return self._check.planner(athlete_id, seen, limits).allowance(day, gait)

        first = next((n for n, session in enumerate(history.sessions) if session.day >= day), len(history.sessions))
        limit = allowed(history.sessions[:first])
        load_ms = over_ms = 0
        for n, session in enumerate(sessions):
            if ms := counted_ms(session, running):
                own = allowed(history.sessions[: first + n]) if n else limit
                load_ms += ms
                over_ms += 0 if own.most_s is None else max(0, ms - 1_000 * own.most_s)
        left_out = [each for each in history.left_out if day_of(each.placed_at_ms) == day]
        recordings = [*(recording for session in sessions for recording in session.recordings), *left_out]
        pains = [pain for each in recordings for pain in (each.pain, each.pain_next_day) if pain is not None]
        is_hurt = any(each.limp or each.swelling for each in recordings)
        limit_ms = None if limit.most_s is None else 1_000 * limit.most_s
        return LoadDay(day, load_ms, over_ms, limit_ms, limit.rule, unknown, max(pains, default=None), is_hurt)

    def _unknown_days(self, athlete: str, review: Review, history: TrainingHistory) -> dict[int, str]:
        """For each day, why its load is not known completely; empty where it is."""
        last_known = self._first - 1 if review.days_without_data is None else self._on - review.days_without_data
        worn = [each for each in self._assignments if each.athlete == athlete]
        found = {}
        for day in range(self._first, self._on + 1):
            start_ms, end_ms = day_start_ms(day), day_start_ms(day + 1)
            sessions = [session for session in history.between(day, day) if session.is_recorded]
            reasons = [reason for session in sessions if (reason := _missing(session))]
            if any(_may_be_on(recording, day) for recording in history.undated):
                reasons.append("a session without a date may belong here")
            if not sessions and day > last_known:
                reasons.append("not synced since")
            elif not sessions and not any(a.from_at_ms < end_ms and (a.to_at_ms is None or a.to_at_ms > start_ms) for a in worn):
                reasons.append("no device was assigned")
            found[day] = "; ".join(dict.fromkeys(reasons))
        return found

    def _weeks(self, sessions: list[TrainingSession], evidence: Evidence) -> list[Week]:
        weeks = []
        for last in range(self._on, self._on - DAYS, -7):
            inside = [session for session in sessions if last - 7 < session.day <= last]
            weeks.append(
                Week(
                    last - 6,
                    last,
                    sum(session.is_backward for session in inside),
                    sum(session.backward_ms for session in inside),
                    sum(session.running_ms for session in inside),
                    sum(session.forward_ms for session in inside),
                    sum(session.ramp_stops for session in inside),
                    sum(bool(each.unknown) for each in evidence.days if last - 7 < each.day <= last),
                )
            )
        return weeks


def counted_ms(session: TrainingSession, running: bool) -> int:
    """The backward time of a session as the rules count it: of jogging and running only, or all; 0 for a few steps."""
    if running:
        return session.running_ms if session.is_running else 0
    return session.backward_ms if session.is_backward else 0


def _shown(
    store: Store, verdict: AthleteVerdict, by_name: dict[str, SessionRow], session: TrainingSession, has_chart: bool
) -> ShownSession:
    ids = [each.id for each in session.recordings if each.device == session.main_recording.device]
    rows = [by_name[name] for name in ids if name in by_name]
    of_session = {each.id for each in session.recordings}
    findings = [(finding.rule, finding.weight) for finding in verdict.findings if finding.session in of_session]
    return ShownSession(session, rows, [store.detail(row) for row in rows] if has_chart else [], findings)


def _missing(session: TrainingSession) -> str:
    """Why a session may have been longer than recorded; empty where it was not."""
    if session.contradiction:
        return "devices contradict each other"
    if session.unrecorded_ms is None:
        return "not recorded completely"
    return "gaps in the recording" if session.unrecorded_ms > MAX_GAP_MS else ""


def _may_be_on(recording: Recording, day: int) -> bool:
    """Whether an undated recording may have been made on a day."""
    earliest = 0 if recording.not_before_ms is None else day_of(recording.not_before_ms)
    return earliest <= day <= day_of(recording.placed_at_ms)


def _sources(verdict: AthleteVerdict, allowances: list[Allowance], evidence: list[Evidence]) -> dict[str, str]:
    """The source of every rule that is named on the page, once each."""
    sources = named_sources([verdict])
    named = [each.rule for each in allowances] + [day.limited_by for each in evidence for day in each.days]
    for rule in filter(None, named):
        sources.setdefault(rule, BY_NAME[rule].citation)
    return sources
