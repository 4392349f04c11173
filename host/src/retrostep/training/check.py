"""Who exceeds a limit, and why: every rule over every athlete's sessions, in one pass over the store.

A check stands on a local date. The sessions of the 7 days up to it are judged, those of the weeks before are their history, and later ones
are not looked at. Of each rule every finding that is not ok is told, or else the latest that is.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import groupby

from retrostep.archive.store import Recording, Store
from retrostep.training.dates import day_of, day_start_ms, day_text, today
from retrostep.training.finding import FAIL, INFO, OK, ORDER, UNKNOWN, AthleteVerdict, Finding, worst
from retrostep.training.load import CHRONIC_DAYS, SPIKE_DAYS
from retrostep.training.outing import LEAST_BACKWARD_MS, outings
from retrostep.training.quality import GAP_LIMIT_MS, Core, troubles
from retrostep.training.rule import Judgement, Limits, Rule, Training
from retrostep.training.rules import BY_NAME, QUALITY, QUALITY_SOURCE, RULES

JUDGED_DAYS = 7
ACWR_HISTORY_DAYS = 3 * CHRONIC_DAYS
"""An exponential weight of 28 days has forgotten all but a few percent by then."""


class Check:
    """A check of `store` on the local date `on` (default today), by the core that this computer carries.

    judged_days   how many days up to `on` are judged
    """

    def __init__(self, store: Store, core: Core, on: date | None = None, judged_days: int = JUDGED_DAYS) -> None:
        self.store = store
        self.core = core
        self.on = (on or today()).toordinal()
        self.since = self.on - judged_days + 1
        self.until_ms = day_start_ms(self.on + 1)
        self._names = {athlete.id: athlete.name for athlete in store.athletes()}
        self._overrides = self._overrides_in_force()
        self._worn = store.assignments()
        self._seen_on = self._seen_days()
        self.met_damage = False
        """Whether a judged recording's log is damaged; known once the verdicts are."""

    def verdicts(self, athlete: str | None = None) -> list[AthleteVerdict]:
        """Every athlete's verdict, the gravest first, or that of one. NotFound for somebody who is not in the store."""
        one = None if athlete is None else self.store.find_athlete(athlete).id
        history = ACWR_HISTORY_DAYS if self._any_acwr() else SPIKE_DAYS
        rows = self.store.recordings(day_start_ms(self.since - history), one)
        found: list[AthleteVerdict] = []
        waiting = dict(self._names) if one is None else {one: self._names[one]}
        for athlete_id, recordings in groupby(rows, key=lambda recording: recording.athlete_id):
            if athlete_id is None:
                found += self._of_nobody(recordings)
                continue
            found.append(self._of_athlete(athlete_id, waiting.pop(athlete_id), recordings))
        found += [self._of_athlete(athlete_id, name, ()) for athlete_id, name in waiting.items()]
        return sorted(found, key=lambda verdict: (-ORDER[verdict.verdict], verdict.athlete is None, (verdict.athlete or "").casefold()))

    def limits(self, rule: Rule, athlete_id: int | None) -> Limits:
        """The limits of `rule` in force for an athlete on the day of the check."""
        own = self._overrides.get((rule.rule, athlete_id))
        return own or self._overrides.get((rule.rule, None)) or rule.limits

    def _of_athlete(self, athlete_id: int, name: str, recordings: Iterable[Recording]) -> AthleteVerdict:
        dated: list[Recording] = []
        undated: list[Recording] = []
        for recording in recordings:
            if recording.started_at_ms is None:
                if recording.not_before_ms is None or recording.not_before_ms < self.until_ms:
                    undated.append(recording)
            elif recording.started_at_ms < self.until_ms:
                dated.append(recording)
        training = Training(self.on, self.since, outings(dated), undated)
        findings: list[Finding] = []
        for rule in RULES:
            limits = self.limits(rule, athlete_id)
            if limits.enabled:
                findings += self._told(rule, limits, training)
        findings += self._quality(athlete_id, training, dated)
        return AthleteVerdict(name, worst([finding.verdict for finding in findings]), _sorted(findings))

    def _told(self, rule: Rule, limits: Limits, training: Training) -> Iterator[Finding]:
        """The findings of one rule that are worth telling."""
        latest = None
        told = 0
        unsure = rule.by_dates and any(recording.backward_ms >= LEAST_BACKWARD_MS for recording in training.undated)
        for judgement in rule.judge(training, limits):
            if judgement.verdict == OK and not unsure:
                latest = judgement
                continue
            if judgement.verdict == OK:
                why = f"{judgement.why} There are undated sessions, which may change this."
                judgement = judgement._replace(verdict=UNKNOWN, why=why, todo=_say_when("SESSION"))
            told += 1
            yield _finding(rule, limits, judgement)
        if latest is not None and not told:
            yield _finding(rule, limits, latest)

    def _quality(self, athlete_id: int, training: Training, dated: list[Recording]) -> Iterator[Finding]:
        since_ms = day_start_ms(self.since)
        judged = [recording for recording in dated if recording.placed_at_ms >= since_ms]
        late = [recording for recording in training.undated if recording.placed_at_ms >= since_ms]
        troubled: dict[tuple[str, ...], list[Recording]] = {}
        for recording in judged:
            if wrong := troubles(recording, self.core):
                troubled.setdefault(tuple(wrong), []).append(recording)
                self.met_damage |= recording.damage > 0 or recording.lost_records > 0
        for reasons, recordings in troubled.items():
            yield self._trouble(reasons, recordings)
        for recording in late:
            yield _undated(recording)
        if not judged and not late:
            yield self._no_data(athlete_id)
        elif not troubled and not late:
            count = f"{len(judged)} recording{'s' if len(judged) > 1 else ''}"
            why = f"{count} in the {self.on - self.since + 1} days to {day_text(self.on)}, whole and dated."
            yield _quality_finding(OK, judged[-1].id, why, "")

    def _trouble(self, reasons: tuple[str, ...], recordings: list[Recording]) -> Finding:
        last = recordings[-1]
        measured = limit = None
        if last.gap_ms > GAP_LIMIT_MS:
            measured, limit = last.gap_ms / 1_000, GAP_LIMIT_MS / 1_000
        day = day_text(day_of(last.placed_at_ms))
        which = f"The recording on {day}" if len(recordings) == 1 else f"{len(recordings)} recordings, the latest on {day},"
        todo = f"See `retrostep session {last.id}`."
        if self.core.is_foreign(last.core_version, last.core_hash):
            todo = "Bring board and computer to the same version (`retrostep deploy`); what is recorded from then on can be judged."
        return _quality_finding(UNKNOWN, last.id, f"{which} cannot be judged for certain: {'; '.join(reasons)}.", todo, measured, limit)

    def _no_data(self, athlete_id: int) -> Finding:
        days = f"the {self.on - self.since + 1} days to {day_text(self.on)}"
        seen_on = self._seen_on.get(athlete_id)
        if seen_on is not None and seen_on >= self.since:
            why = f"No session in {days}; the device was last synced on {day_text(seen_on)}."
            return _quality_finding(INFO, None, why, "Nothing, or sync again if there was training since then.")
        why = f"No session in {days}, and no device of this athlete was synced in them: what was done is not known."
        return _quality_finding(UNKNOWN, None, why, "Plug the device in and run `retrostep sync`.")

    def _of_nobody(self, recordings: Iterable[Recording]) -> Iterator[AthleteVerdict]:
        """One finding a device for judged sessions that no athlete can be told for."""
        since_ms = day_start_ms(self.since)
        by_device: dict[str, tuple[int, Recording]] = {}
        for recording in recordings:
            began = recording.not_before_ms if recording.started_at_ms is None else recording.started_at_ms
            if recording.placed_at_ms >= since_ms and (began is None or began < self.until_ms):
                by_device[recording.device] = (by_device.get(recording.device, (0, recording))[0] + 1, recording)
        findings = []
        for device, (count, last) in sorted(by_device.items()):
            sessions = f"{count} session{'s' if count > 1 else ''}"
            why = f"{sessions} of device {device} belong{'' if count > 1 else 's'} to nobody, so no athlete's limits were checked."
            todo = f"Run `retrostep athletes assign {device} NAME`."
            if last.started_at_ms is None and any(wearing.device == device for wearing in self._worn):
                why = f"{sessions} of device {device} may be one athlete's or another's, because it is not known when."
                todo = _say_when(last.id)
            findings.append(_quality_finding(UNKNOWN, last.id, why, todo))
        if findings:
            yield AthleteVerdict(None, UNKNOWN, findings)

    def _overrides_in_force(self) -> dict[tuple[str, int | None], Limits]:
        """By rule and athlete; what was entered last counts."""
        return {
            (row.rule, row.athlete_id): Limits(row.warn, row.fail, row.enabled, row.who, row.why)
            for row, _ in self.store.overrides()
            if row.rule in BY_NAME and row.from_at_ms < self.until_ms and (row.to_at_ms is None or row.to_at_ms >= self.until_ms)
        }

    def _any_acwr(self) -> bool:
        return BY_NAME["acwr"].enabled or any(rule == "acwr" and limits.enabled for (rule, _), limits in self._overrides.items())

    def _seen_days(self) -> dict[int, int]:
        """When a device was last seen while it was an athlete's, as a day."""
        seen = {device.device: device.last_seen_at_ms for device in self.store.devices() if device.last_seen_at_ms is not None}
        ids = {name: athlete_id for athlete_id, name in self._names.items()}
        days: dict[int, int] = {}
        for wearing in self._worn:
            at_ms = seen.get(wearing.device)
            if wearing.athlete is None or at_ms is None:
                continue
            if wearing.from_at_ms <= at_ms and (wearing.to_at_ms is None or at_ms < wearing.to_at_ms):
                athlete_id = ids[wearing.athlete]
                days[athlete_id] = max(days.get(athlete_id, 0), day_of(at_ms))
        return days


def _say_when(session: str) -> str:
    return f"Say when: `retrostep session {session} --date '2026-11-20 17:30'`."


def _finding(rule: Rule, limits: Limits, judgement: Judgement) -> Finding:
    why = judgement.why
    if limits.who:
        why += f" The limits were set by {limits.who}: {limits.why}"
    return Finding(
        rule.rule,
        judgement.verdict,
        judgement.measured,
        judgement.limit,
        rule.unit,
        judgement.session,
        why,
        rule.citation,
        judgement.todo if judgement.verdict != OK else "",
    )


def _quality_finding(
    verdict: str, session: str | None, why: str, todo: str, measured: float | None = None, limit: float | None = None
) -> Finding:
    return Finding(QUALITY, verdict, measured, limit, "" if limit is None else "s", session, why, QUALITY_SOURCE, todo)


def _undated(recording: Recording) -> Finding:
    latest = _utc_as_local(recording.placed_at_ms)
    between = f"not after {latest}"
    if recording.not_before_ms is not None:
        between = f"between {_utc_as_local(recording.not_before_ms)} and {latest}"
    why = f"It is not known when this session was, only that it was {between}."
    return _quality_finding(UNKNOWN, recording.id, why, _say_when(recording.id))


def _utc_as_local(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _sorted(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: -ORDER[finding.verdict])


def exit_status(verdicts: list[AthleteVerdict], *, damaged: bool) -> int:
    """3 where a limit is exceeded (a finding fails; a warning does not), else 4 where damaged data was met, else 0."""
    if any(verdict.verdict == FAIL for verdict in verdicts):
        return 3
    return 4 if damaged else 0
