"""Who exceeds a limit, and why: every rule over every athlete's training sessions, in one pass over the store.

A check judges the sessions of the 7 days up to a local date. Sessions of the weeks before are only compared with; later ones are
ignored. Each rule returns every finding that is not ok; if all are ok, the latest.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import chain, groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.queries import UNDATED, Recording
from retrostep.archive.schema import SessionRow
from retrostep.archive.store import Store
from retrostep.errors import Undated
from retrostep.training import quality_findings
from retrostep.training.acceptances import CAN_BE_ACCEPTED, Acceptances
from retrostep.training.data_quality import Core
from retrostep.training.dates import day_of, day_start_ms, day_text, today
from retrostep.training.device_limits import DeviceLimits, KnownLimits, planned_limits
from retrostep.training.finding import FAIL, INFO, OK, ORDER, UNKNOWN, AthleteVerdict, Finding, worst
from retrostep.training.plan import Planner
from retrostep.training.quality_findings import worst_of_recordings
from retrostep.training.review import CHANGE_ORDER, SAME, Review, change_since, review
from retrostep.training.rules.catalog import BY_NAME, RULES
from retrostep.training.rules.load import SPIKE_DAYS
from retrostep.training.rules.rule import ASK, WEEK_DAYS, Explanation, Judgement, Rule, RuleLimits, TrainingHistory, days
from retrostep.training.rules.week import CHRONIC_DAYS, week_load
from retrostep.training.training_day import TrainingDay, may_continue, training_days
from retrostep.training.training_session import MIN_BACKWARD_MS, TrainingSession, training_sessions

JUDGED_DAYS = 7
JUDGED_BY_DAYS = ("frequency", "rest_days")
"""Rules that judge by the sums of days alone, without the sessions of a day."""

_NOT_KNOWN = "Find out from the athlete what was done: the recordings do not show it for certain."

ACWR_HISTORY_DAYS = 3 * CHRONIC_DAYS
"""After so many days an exponential weight of 28 days has lost all but a few percent."""


class Check:
    """A check of a store on a local date.

    on, since    day numbers: the last and the first day that is judged
    met_damage   whether a judged recording's log is damaged; valid after `verdicts`
    """

    def __init__(self, store: Store, core: Core, on: date | None = None, judged_days: int = JUDGED_DAYS) -> None:
        """`core`: the one that this computer carries. `on`: the last judged day, by default today. `judged_days`: how many days."""
        self.store = store
        self.core = core
        self.on = (on or today()).toordinal()
        self.since = self.on - judged_days + 1
        self.until_ms = day_start_ms(self.on + 1)
        self.met_damage = False
        self._names = {athlete.id: athlete.name for athlete in store.athletes()}
        self._overrides = self._overrides_in_force()
        self._assignments = store.assignments()
        self._devices = store.devices()
        self._boards = {device.device: device.board for device in self._devices}
        self._synced_on = self._sync_days()
        self._acceptances = Acceptances(store.acceptances(), self.until_ms)
        self._known_limits = KnownLimits(row for row, _ in store.device_limits())
        self._worn = self._worn_devices()
        self._history_days = ACWR_HISTORY_DAYS if self._is_acwr_enabled() else SPIKE_DAYS
        self._recent = min(self.since, self.on - WEEK_DAYS + 1)
        """Sessions from this day on are known one by one, earlier ones as sums of days."""
        self._first = self.since - WEEK_DAYS - self._history_days  # a week more, for the verdict a week ago
        self._noted, self._left_out = self._recordings_with_pain()
        self._day_starts_ms = [day_start_ms(day) for day in range(self._first, self._recent + 1)]

    def verdicts(self, athlete: str | None = None) -> list[AthleteVerdict]:
        """The verdict of every athlete, worst first, or of one. Raises NotFound if the store does not know that athlete."""
        one = None if athlete is None else self.store.find_athlete(athlete).id
        first_ms, recent_ms = self._day_starts_ms[0], day_start_ms(self._recent)
        outlines = self.store.outlines(first_ms, recent_ms, one)
        recordings = self.store.recordings(recent_ms, one)
        found: list[AthleteVerdict] = []
        without_rows = dict(self._names) if one is None else {one: self._names[one]}
        with _without_gc():
            for athlete_id, own_outlines, own in _by_athlete(outlines, recordings):
                if athlete_id is None:
                    found += self._of_unassigned(own)
                else:
                    training = self._training(athlete_id, own_outlines, own)
                    found.append(self._of_athlete(athlete_id, without_rows.pop(athlete_id), training))
        found += [self._of_athlete(athlete_id, name, _Training([], [], [], [])) for athlete_id, name in without_rows.items()]
        return sorted(found, key=_urgency)

    def _training(self, athlete_id: int, outlines: list[tuple[int, ...]], recordings: list[Recording]) -> "_Training":
        """An athlete's training up to the day of the check. Before `_recent` it is sums of days, unless two of them may share a session."""
        dated, undated = self._seen(recordings)
        outlined = [outline for outline in outlines if not outline[-1] & UNDATED]
        if len(outlined) < len(outlines):
            undated = [each for each in self._earlier(athlete_id, self._first) if each.started_at_ms is None] + undated
        earlier = training_days(outlined, self._day_starts_ms, self._first)
        if earlier is None or (outlined and dated and may_continue(outlined[-1], dated[0])):
            dated, undated = self._seen(chain(self._earlier(athlete_id, self._first), recordings))
            earlier = []
        return _Training(earlier, training_sessions(dated), dated, undated)

    def _earlier(self, athlete_id: int, first: int) -> Iterable[Recording]:
        """The recordings of an athlete from the day `first` on, before those that every check reads."""
        return self.store.recordings(day_start_ms(first), athlete_id, day_start_ms(self._recent))

    def excluded(self, athlete: str | None = None) -> list[tuple[SessionRow, str | None]]:
        """The sessions of the judged days that people left out, of one athlete or of all. Raises NotFound."""
        name = None if athlete is None else self.store.find_athlete(athlete).name
        found = self.store.excluded(day_start_ms(self.since), self.until_ms)
        return [(row, worn_by) for row, worn_by in found if name in (None, worn_by)]

    def limits(self, rule: Rule, athlete_id: int | None) -> RuleLimits:
        """The limits of `rule` in force for an athlete on the day of the check."""
        own = self._overrides.get((rule.rule, athlete_id))
        return own or self._overrides.get((rule.rule, None)) or rule.limits

    def limits_of(self, athlete: str) -> tuple[str, list[DeviceLimits]]:
        """The athlete's name, and the limits of the devices that the athlete wears. Raises NotFound."""
        row = self.store.find_athlete(athlete)
        _, planner = self.planner_of(athlete)
        recordings = [recording for session in planner.history.sessions for recording in session.recordings]
        limits = {rule.rule: self.limits(rule, row.id) for rule in RULES}
        found = self._device_limits(row.id, planner, limits, _Training([], planner.history.sessions, recordings, []))
        return row.name, [replace(each, to_settle=planner.to_settle) for each in found]

    def planner_of(self, athlete: str) -> tuple[str, Planner]:
        """The athlete's name and planner on the day of the check. Raises NotFound."""
        row = self.store.find_athlete(athlete)
        dated, undated = self._seen(self.store.recordings(day_start_ms(self.since - self._history_days), row.id))
        noted, left_out = self._noted.get(row.id, ()), self._left_out.get(row.id, ())
        history = TrainingHistory(self.on, self.since, training_sessions(dated), undated, noted=noted, left_out=left_out)
        return row.name, self.planner(row.id, history, {rule.rule: self.limits(rule, row.id) for rule in RULES})

    def _seen(self, recordings: Iterable[Recording]) -> tuple[list[Recording], list[Recording]]:
        """The recordings up to the day of the check: those with a date, and those without that may belong there."""
        dated: list[Recording] = []
        undated: list[Recording] = []
        for recording in recordings:
            if recording.started_at_ms is None:
                if recording.not_before_ms is None or recording.not_before_ms < self.until_ms:
                    undated.append(recording)
            elif recording.started_at_ms < self.until_ms:
                dated.append(recording)
        return dated, undated

    def _of_athlete(self, athlete_id: int, name: str, training: "_Training") -> AthleteVerdict:
        history = self._history(athlete_id, training.sessions, training.undated, training.earlier, 0)
        limits = {rule.rule: self.limits(rule, athlete_id) for rule in RULES}
        findings: list[Finding] = []
        for rule in RULES:
            if limits[rule.rule].enabled:
                findings += _of_rule(rule, limits[rule.rule], history)
        findings += self._quality(athlete_id, history, training.dated)
        findings = [self._with_acceptance(athlete_id, finding) for finding in findings]
        findings.sort(key=quality_findings.reading_order)
        verdict = worst([finding.weight for finding in findings])
        return AthleteVerdict(name, verdict, findings, self._review(athlete_id, training, history, limits, verdict))

    def _history(
        self, athlete_id: int, sessions: list[TrainingSession], undated: list[Recording], earlier: list[TrainingDay], days_ago: int
    ) -> TrainingHistory:
        """What a check that many days earlier saw; each rule looks back equally far."""
        on, since = self.on - days_ago, self.since - days_ago
        first = since - self._history_days
        seen = [day for day in earlier if first <= day.day <= on]
        noted, left_out = self._noted.get(athlete_id, ()), self._left_out.get(athlete_id, ())
        return TrainingHistory(on, since, days(sessions, first, on), undated, seen, not undated, noted, left_out)

    def _with_acceptance(self, athlete_id: int, finding: Finding) -> Finding:
        if finding.verdict not in CAN_BE_ACCEPTED:
            return finding
        accepted = self._acceptances.of(athlete_id, finding.rule, finding.started_at_ms, self.on)
        return finding if accepted is None else replace(finding, accepted=accepted)

    def planner(self, athlete_id: int, history: TrainingHistory, limits: dict[str, RuleLimits]) -> Planner:
        """The planner of an athlete. Pain that was accepted does not stop the plan, nor does a rule that is accepted for that day."""
        seen = history.judged_recordings()
        is_pain_accepted = bool(seen) and self._acceptances.of(athlete_id, "pain", seen[-1].placed_at_ms, self.on) is not None

        def is_lifted(rule: str, start_ms: int) -> bool:
            return (rule == "pain" and is_pain_accepted) or self._acceptances.holds_on(athlete_id, rule, start_ms)

        return Planner(history, lambda rule: limits[rule.rule], is_lifted)

    def _review(
        self, athlete_id: int, training: "_Training", history: TrainingHistory, limits: dict[str, RuleLimits], verdict: str
    ) -> Review:
        before = self._verdict_before(athlete_id, training, limits)
        has_data = any(session.is_recorded for session in history.between(self.since, self.on))
        load = week_load(history, limits["weekly_volume"], limits["first_exposure"])
        planner = self.planner(athlete_id, history, limits)
        change = change_since(before, verdict, has_data)
        devices = self._device_limits(athlete_id, planner, limits, training)
        return review(history, planner, load, change, before, self._synced_on.get(athlete_id), devices)

    def _device_limits(self, athlete_id: int, planner: Planner, limits: dict[str, RuleLimits], training: "_Training") -> list[DeviceLimits]:
        """The limits of the devices that the athlete wears."""
        worn = self._worn.get(athlete_id, ())
        if not worn:
            return []
        planned = planned_limits(planner, lambda rule: limits[rule.rule])
        recordings: Iterable[Recording] = training.dated
        if training.earlier and not set(worn) <= {recording.device for recording in training.dated}:
            earlier = (each for each in self._earlier(athlete_id, self._first) if each.started_at_ms is not None)
            recordings = [*earlier, *training.dated]
        return [self._known_limits.of(device, recordings, planned) for device in worn]

    def _verdict_before(self, athlete_id: int, training: "_Training", limits: dict[str, RuleLimits]) -> str | None:
        """The verdict a week ago, by today's limits; None where there was no session in that week. Undated sessions are left out."""
        on, since = self.on - WEEK_DAYS, self.since - WEEK_DAYS
        by_days = self._history(athlete_id, training.sessions, [], training.earlier, WEEK_DAYS)
        week: list[TrainingSession | TrainingDay] = [*by_days.earlier_between(since, on), *by_days.between(since, on)]
        if not any(each.is_recorded for each in week):
            return None
        rules = [rule for rule in RULES if limits[rule.rule].enabled]
        if training.earlier:
            # A failure by the sums of days saves reading the sessions: nothing is worse.
            by_sums = [rule for rule in rules if rule.rule in JUDGED_BY_DAYS]
            if self._worst(OK, athlete_id, by_sums, limits, by_days) == FAIL:
                return FAIL
        history = self._history_before(athlete_id, training, min(since, on - WEEK_DAYS + 1))
        judged = [recording for session in history.between(since, on) for recording in session.recordings]
        return self._worst(worst_of_recordings(judged, self.core), athlete_id, rules, limits, history)

    def _history_before(self, athlete_id: int, training: "_Training", first_day: int) -> TrainingHistory:
        """What a check a week earlier saw, with the sessions from `first_day` on one by one."""
        sessions, earlier = training.sessions, training.earlier
        if earlier and earlier[-1].day >= first_day:
            dated = [each for each in self._earlier(athlete_id, first_day) if each.started_at_ms is not None]
            sessions = training_sessions(dated) + sessions
            earlier = [day for day in earlier if day.day < first_day]
        return self._history(athlete_id, sessions, [], earlier, WEEK_DAYS)

    def _worst(self, found: str, athlete_id: int, rules: list[Rule], limits: dict[str, RuleLimits], history: TrainingHistory) -> str:
        """The worst of `found` and the judgements of rules. Rules after a failure are not asked."""
        for rule in rules:
            if found == FAIL:
                break
            found = self._worse(found, athlete_id, rule, limits, history)
        return found

    def _worse(self, found: str, athlete_id: int, rule: Rule, limits: dict[str, RuleLimits], history: TrainingHistory) -> str:
        """The worst of `found` and the judgements of a rule; accepted ones are information."""
        for judgement in rule.judge(history, limits[rule.rule]):
            if ORDER[judgement.verdict] > ORDER[found]:
                at_ms = None if judgement.subject is None else judgement.subject.placed_at_ms
                is_accepted = self._acceptances.of(athlete_id, rule.rule, at_ms, history.on) is not None
                found = max(found, INFO if is_accepted else judgement.verdict, key=ORDER.__getitem__)
        return found

    def _quality(self, athlete_id: int, history: TrainingHistory, dated: list[Recording]) -> Iterator[Finding]:
        """The findings of data_quality; recordings with the same problems share one."""
        since_ms = day_start_ms(self.since)
        judged = [recording for recording in dated if recording.placed_at_ms >= since_ms]
        late_undated = [recording for recording in history.undated if recording.placed_at_ms >= since_ms]
        doubtful: dict[tuple[str, ...], list[Recording]] = {}
        for recording in judged:
            if problems := quality_findings.recording_problems(recording, self.core):
                doubtful.setdefault(problems, []).append(recording)
                self.met_damage |= recording.damage > 0 or recording.lost_records > 0
        if (other := quality_findings.other_firmware(judged, self.core)) is not None:
            yield other
        for problems, recordings in doubtful.items():
            yield quality_findings.doubtful(problems, recordings, self.core, self._boards.get(recordings[-1].device, ""))
        contradictions = [session for session in history.sessions if session.contradiction and session.day >= self.since]
        for session in contradictions:
            yield quality_findings.contradictory(session)
        for recording in late_undated:
            yield quality_findings.undated(recording)
        days = f"the {self.on - self.since + 1} days to {day_text(self.on)}"
        is_recorded = any(recording.device != IMPORTED or recording.backward_ms for recording in judged)
        if not is_recorded and not late_undated:
            synced_on = self._synced_on.get(athlete_id)
            synced_on = synced_on if synced_on is not None and synced_on >= self.since else None
            yield quality_findings.no_session(days, synced_on, is_imported=bool(judged))
        elif not doubtful and not contradictions and not late_undated:
            yield quality_findings.complete(judged, days)

    def _of_unassigned(self, recordings: Iterable[Recording]) -> Iterator[AthleteVerdict]:
        """One verdict with a finding for each device that has judged sessions without an athlete."""
        since_ms = day_start_ms(self.since)
        by_device: dict[str, tuple[int, Recording]] = {}
        for recording in recordings:
            if recording.device == IMPORTED:
                continue  # its athlete was removed, and no device waits for one
            earliest_ms = recording.not_before_ms if recording.started_at_ms is None else recording.started_at_ms
            if recording.placed_at_ms >= since_ms and (earliest_ms is None or earliest_ms < self.until_ms):
                by_device[recording.device] = (by_device.get(recording.device, (0, recording))[0] + 1, recording)
        assigned = {assignment.device for assignment in self._assignments}
        findings = [
            quality_findings.unassigned(device, number, last, device in assigned) for device, (number, last) in sorted(by_device.items())
        ]
        if findings:
            yield AthleteVerdict(None, UNKNOWN, findings)

    def _recordings_with_pain(self) -> tuple[dict[int, list[Recording]], dict[int, list[Recording]]]:
        """The recordings with a note of pain, by athlete: those that nobody accepted as settled, and those that are excluded."""
        noted: dict[int, list[Recording]] = {}
        left_out: dict[int, list[Recording]] = {}
        for each, is_excluded in self.store.recordings_with_pain(day_start_ms(self._first), self.until_ms):
            assert each.athlete_id is not None
            if self._acceptances.of(each.athlete_id, "pain", each.placed_at_ms, self.on) is None:
                noted.setdefault(each.athlete_id, []).append(each)
            if is_excluded:
                left_out.setdefault(each.athlete_id, []).append(each)
        return noted, left_out

    def _overrides_in_force(self) -> dict[tuple[str, int | None], RuleLimits]:
        """The limits that people set, by rule and athlete; the latest entry counts."""
        return {
            (row.rule, row.athlete_id): RuleLimits(row.warn, row.fail, row.enabled, row.who, row.why, BY_NAME[row.rule].walking)
            for row, _ in self.store.overrides()
            if row.rule in BY_NAME and row.from_at_ms < self.until_ms and (row.to_at_ms is None or row.to_at_ms >= self.until_ms)
        }

    def _is_acwr_enabled(self) -> bool:
        return BY_NAME["acwr"].enabled or any(rule == "acwr" and limits.enabled for (rule, _), limits in self._overrides.items())

    def _worn_devices(self) -> dict[int, list[str]]:
        """By athlete: the devices that the athlete wears on the day of the check."""
        ids = {name: athlete_id for athlete_id, name in self._names.items()}
        worn: dict[int, list[str]] = {}
        for each in self._assignments:
            if each.athlete is not None and each.from_at_ms < self.until_ms and (each.to_at_ms is None or each.to_at_ms >= self.until_ms):
                worn.setdefault(ids[each.athlete], []).append(each.device)
        return worn

    def _sync_days(self) -> dict[int, int]:
        """By athlete: the day on which a device was last synced while the athlete wore it."""
        synced = {device.device: device.last_seen_at_ms for device in self._devices if device.last_seen_at_ms is not None}
        ids = {name: athlete_id for athlete_id, name in self._names.items()}
        days: dict[int, int] = {}
        for assignment in self._assignments:
            at_ms = synced.get(assignment.device)
            if assignment.athlete is None or at_ms is None:
                continue
            if assignment.from_at_ms <= at_ms and (assignment.to_at_ms is None or at_ms < assignment.to_at_ms):
                athlete_id = ids[assignment.athlete]
                days[athlete_id] = max(days.get(athlete_id, 0), day_of(at_ms))
        return days


class _Training(NamedTuple):
    """The training of one athlete.

    earlier    sums of the days before the first of `sessions`
    sessions   dated training sessions, of the recordings in `dated`
    undated    recordings without a date
    """

    earlier: list[TrainingDay]
    sessions: list[TrainingSession]
    dated: list[Recording]
    undated: list[Recording]


def _by_athlete(
    outlines: Iterable[tuple[int, ...]], recordings: Iterable[Recording]
) -> Iterator[tuple[int | None, list[tuple[int, ...]], list[Recording]]]:
    """(athlete's id, outlines, recordings) for each athlete with any. Both come by athlete, first the recordings without one."""
    by_outline, by_recording = groupby(outlines, key=itemgetter(0)), groupby(recordings, key=attrgetter("athlete_id"))
    one, other = next(by_outline, None), next(by_recording, None)
    while one is not None or other is not None:
        if other is not None and other[0] is None:
            yield None, [], list(other[1])
            other = next(by_recording, None)
            continue
        athlete_id = min(each[0] for each in (one, other) if each is not None)
        own: list[tuple[int, ...]] = []
        seen: list[Recording] = []
        if one is not None and one[0] == athlete_id:
            own, one = list(one[1]), next(by_outline, None)
        if other is not None and other[0] == athlete_id:
            seen, other = list(other[1]), next(by_recording, None)
        yield athlete_id, own, seen


@contextmanager
def _without_gc() -> Iterator[None]:
    """Without the search for reference cycles: a million sessions have none, and the search takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _of_rule(rule: Rule, limits: RuleLimits, history: TrainingHistory) -> Iterator[Finding]:
    """Every finding of `rule` that is not ok; if all are ok, the latest. If an undated session can change it, ok becomes unknown."""
    latest_ok = None
    is_ok = True
    undated = [recording for recording in history.undated if recording.backward_ms >= MIN_BACKWARD_MS] if rule.by_dates else []
    for judgement in rule.judge(history, limits):
        if judgement.verdict == OK and not undated:
            latest_ok = judgement
            continue
        is_ok = False
        if judgement.verdict == OK:
            explained = judgement.explain()
            explained = Explanation("undated sessions", f"{explained.why} Undated sessions may change this.", step=ASK)
            problem = Undated(explained.why, session=undated[-1].id)
            yield _finding(rule, limits, judgement._replace(verdict=UNKNOWN), explained, problem)
        else:
            yield _finding(rule, limits, judgement, judgement.explain())
    if latest_ok is not None and is_ok:
        yield _finding(rule, limits, latest_ok, latest_ok.explain())


def _finding(rule: Rule, limits: RuleLimits, judgement: Judgement, explained: Explanation, problem: Undated | None = None) -> Finding:
    why = f"{explained.why} The limits were set by {limits.who}: {limits.why}" if limits.who else explained.why
    if judgement.verdict == UNKNOWN and problem is None:
        explained = explained._replace(todo=_NOT_KNOWN, step=ASK)  # the rule's advice is for a limit that is exceeded
    is_ok = judgement.verdict == OK
    return Finding(
        rule.rule,
        judgement.verdict,
        judgement.measured,
        judgement.limit,
        rule.unit,
        judgement.session,
        why,
        rule.citation,
        "" if is_ok else explained.todo,
        problem,
        headline=explained.headline,
        step="" if is_ok else explained.step,
        started_at_ms=None if judgement.subject is None else judgement.subject.placed_at_ms,
    )


def _urgency(verdict: AthleteVerdict) -> tuple[int, bool, int, bool, str]:
    """Sort key: the worst verdict first; then pain, then new verdicts, then by name."""
    is_hurt = any(finding.rule == "pain" and finding.weight == verdict.verdict for finding in verdict.findings)
    change = SAME if verdict.review is None else verdict.review.change
    return -ORDER[verdict.verdict], not is_hurt, CHANGE_ORDER[change], verdict.athlete is None, (verdict.athlete or "").casefold()


def exit_status(verdicts: list[AthleteVerdict], *, damaged: bool) -> int:
    """3 if a finding is fail, else 4 if damaged data was met, else 0. A warning is no failure."""
    if any(verdict.verdict == FAIL for verdict in verdicts):
        return 3
    return 4 if damaged else 0
