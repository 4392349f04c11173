"""What a rule is: its limits, their source, and the function that judges."""

import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import NamedTuple, Protocol

from retrostep.archive.backward_gait import JOG
from retrostep.archive.queries import Recording
from retrostep.training.dates import day_start_ms
from retrostep.training.finding import FAIL, INFO, OK, UNKNOWN, WARN
from retrostep.training.training_day import TrainingDay
from retrostep.training.training_session import TrainingSession, has_note

WEEK_DAYS = 7
ABOVE, FROM, BELOW = "above", "from", "below"


@dataclass(frozen=True, slots=True)
class RuleLimits:
    """The limits of a rule in its unit; None if there is no such limit. `who` and `why`: who set them, if they are not the default.

    `walking`: the default limits for walking, where the rule has its own. They are never stricter than those for running.
    """

    warn: float | None
    fail: float | None
    enabled: bool = True
    who: str = ""
    why: str = ""
    walking: "RuleLimits | None" = None

    def for_walking(self) -> "RuleLimits":
        """The limits for walking."""
        if self.walking is None:
            return self
        warn, fail = (
            None if set_ is None or own is None else max(set_, own)
            for set_, own in ((self.warn, self.walking.warn), (self.fail, self.walking.fail))
        )
        return RuleLimits(warn, fail)


@dataclass(slots=True)
class TrainingHistory:
    """What a rule may look at: one athlete's training up to the day of the check.

    on, since        day numbers: the last and the first day that is judged
    sessions         dated training sessions in order of their start, with those before `since` that are compared with
    earlier          sums of the days before the first of `sessions`, in order; only compared with
    undated          recordings without a date that may have been made on `since` or later
    noted            recordings with a note of pain, limping or swelling, by date, also of days that are only in `earlier`
    left_out         those that a person left out of the check: their notes count, their motion does not
    skips_ok         whether rules may leave out judgements that are ok, except the last
    backward         the `sessions` that count as backward sessions
    judged           indices into `backward` of the sessions that are judged
    running          those of `backward` that count as jogging or running
    judged_running   indices into `running` of the sessions that are judged
    has_walking      whether any backward time was walking; if not, `running` is `backward`
    """

    on: int
    since: int
    sessions: list[TrainingSession]
    undated: list[Recording]
    earlier: Sequence[TrainingDay] = ()
    skips_ok: bool = False
    noted: Sequence[Recording] = ()
    left_out: Sequence[Recording] = ()
    backward: list[TrainingSession] = field(init=False)
    judged: range = field(init=False)
    running: list[TrainingSession] = field(init=False)
    judged_running: range = field(init=False)
    has_walking: bool = field(init=False)

    def __post_init__(self) -> None:
        self.backward = [session for session in self.sessions if session.is_backward]
        self.judged = self._judged(self.backward)
        self.has_walking = any(session.running_ms != session.backward_ms for session in self.backward) or any(
            day.has_walking for day in self.earlier
        )
        self.running = [session for session in self.backward if session.is_running] if self.has_walking else self.backward
        self.judged_running = self._judged(self.running) if self.has_walking else self.judged

    @property
    def last_recorded_day(self) -> int | None:
        """The last day with a session of any kind that a device recorded; None without one."""
        known: list[TrainingSession | TrainingDay] = [*self.earlier, *self.sessions]
        return next((each.day for each in reversed(known) if each.is_recorded), None)

    @property
    def last_backward_day(self) -> int | None:
        """The last day with a backward session; None without one."""
        if self.backward:
            return self.backward[-1].day
        return next((day.day for day in reversed(self.earlier) if day.backward.number), None)

    def judged_sessions(self, is_ok: Callable[[TrainingSession], bool]) -> Iterator[TrainingSession]:
        """The backward sessions that are judged. With `skips_ok`, without those for which `is_ok` is true, except the last session."""
        sessions = self.backward[self.judged.start :]
        if not self.skips_ok:
            return iter(sessions)
        return chain((session for session in sessions[:-1] if not is_ok(session)), sessions[-1:])

    def earlier_between(self, first_day: int, last_day: int) -> Sequence[TrainingDay]:
        """Those of `earlier` from `first_day` to `last_day`, both included."""
        first = bisect_left(self.earlier, first_day, key=_day_of)
        return self.earlier[first : bisect_right(self.earlier, last_day, lo=first, key=_day_of)]

    def _judged(self, sessions: list[TrainingSession]) -> range:
        return range(bisect_left(sessions, self.since, key=TrainingSession.day_of), len(sessions))

    def between(self, first_day: int, last_day: int) -> list[TrainingSession]:
        """The sessions from `first_day` to `last_day`, both included."""
        return days(self.sessions, first_day, last_day)

    def judged_recordings(self) -> list[Recording]:
        """The recordings of the judged days by date, with those of `left_out`.

        Undated ones that may have been made then are at their latest possible date.
        """
        return self._with_others(self.between(self.since, self.on), self.since, self.on, [*self.undated, *self.left_out])

    def noted_recordings(self, first_day: int, last_day: int) -> list[Recording]:
        """Those of some days with a note of pain (0 too), limping or swelling, in the same order."""
        noted = [session for session in self.between(first_day, last_day) if session.has_note]
        others = [*(recording for recording in self.undated if has_note(recording)), *self.left_out]
        recordings = self._with_others(noted, first_day, last_day, others) if noted or others else []
        return [recording for recording in recordings if has_note(recording)]

    def _with_others(self, sessions: list[TrainingSession], first_day: int, last_day: int, others: list[Recording]) -> list[Recording]:
        dated = [recording for session in sessions for recording in session.recordings]
        first_ms, end_ms = day_start_ms(first_day), day_start_ms(last_day + 1)
        found = [each for each in others if first_ms <= each.placed_at_ms and (each.not_before_ms or 0) < end_ms]
        return sorted(dated + found, key=attrgetter("placed_at_ms")) if found else dated


_day_of = attrgetter("day")


def days(sessions: list[TrainingSession], first_day: int, last_day: int) -> list[TrainingSession]:
    """The ones of `sessions`, which are in order of their start, from `first_day` to `last_day`, both included."""
    first = bisect_left(sessions, first_day, key=TrainingSession.day_of)
    return sessions[first : bisect_right(sessions, last_day, lo=first, key=TrainingSession.day_of)]


DO, ADJUST, ASK, REFER = "do", "adjust", "ask", "refer"
"""What the next step after a finding is: do something, change the plan, ask the athlete, or send the athlete to a doctor."""


class Explanation(NamedTuple):
    """A judgement in words: a headline of at most ten words, one or two sentences, what to do next, and which kind of step that is."""

    headline: str
    why: str
    todo: str = ""
    step: str = ADJUST


class Subject(Protocol):
    """What a judgement is about: a session or a recording."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def placed_at_ms(self) -> int:
        """When it began."""


class Judgement(NamedTuple):
    """What a rule finds about one session or one period. Measured value and limit are in the rule's unit.

    `explain` returns the words. They are made only where they are shown: most judgements are ok, and only the latest of these is shown.
    """

    verdict: str
    measured: float | None
    limit: float | None
    subject: Subject | None
    explain: Callable[[], Explanation]

    @property
    def session(self) -> str | None:
        """The name of the session or recording."""
        return None if self.subject is None else self.subject.id

    @property
    def why(self) -> str:
        """The sentences about it."""
        return self.explain().why

    @property
    def todo(self) -> str:
        """What to do next, if there is anything to do."""
        return self.explain().todo


@dataclass(frozen=True, slots=True)
class Proposal:
    """A next session for which the rules are asked: the day number of it, and its gait (backward_gait.WALK, JOG, RUN).

    warm_up_ms   forward time of that session
    level        WARN: the longest session without a warning is asked for; FAIL: the longest that does not fail
    """

    day: int
    gait: int
    warm_up_ms: int = 0
    level: str = WARN

    @property
    def is_running(self) -> bool:
        """Whether it counts as running: jogging does."""
        return self.gait >= JOG

    def limit(self, limits: RuleLimits) -> float | None:
        """The limit of a rule that the session must keep; None without one."""
        return limits.fail if self.level == FAIL or limits.warn is None else limits.warn

    def is_refused(self, verdict: str) -> bool:
        """Whether a verdict is one that the session must not get."""
        return verdict == FAIL or (verdict == WARN and self.level == WARN)


@dataclass(frozen=True)
class Rule:
    """A progression rule: its data (rules.toml says what each is), and the functions that judge by it.

    judge     the judgements of a history
    most      the longest session in ms that the rule allows as the next one without a warning; None if it does not limit it
    walking   the limits for walking, where the others are for jogging and running
    """

    rule: str
    judges: str
    warn: float | None
    fail: float | None
    unit: str
    basis: str
    source: str
    study: str
    judge: Callable[[TrainingHistory, RuleLimits], Iterator[Judgement]]
    most: Callable[[TrainingHistory, RuleLimits, Proposal], int | None] | None = None
    walking: RuleLimits | None = None
    exceeded: str = ABOVE
    by_dates: bool = True
    enabled: bool = True

    @cached_property
    def citation(self) -> str:
        """Source and basis, as every finding carries them."""
        return f"{self.source} ({self.basis})"

    @property
    def limits(self) -> RuleLimits:
        """The default limits."""
        return RuleLimits(self.warn, self.fail, self.enabled, walking=self.walking)


def lowest_limit(limits: RuleLimits) -> float | None:
    """The limit that is reached first: that of the warning, else that of the failure; None without limits."""
    return limits.fail if limits.warn is None else limits.warn


def grade(value: float, limits: RuleLimits, exceeded: str = ABOVE) -> tuple[str, float | None]:
    """(verdict, limit) of a value: ok, warn or fail, and the limit that is exceeded or else the next one."""
    exceeds = _EXCEEDS[exceeded]
    if limits.fail is not None and exceeds(value, limits.fail):
        return FAIL, limits.fail
    if limits.warn is not None and exceeds(value, limits.warn):
        return WARN, limits.warn
    return OK, limits.fail if limits.warn is None else limits.warn


def grade_between(least: float, value: float, most: float | None, limits: RuleLimits, exceeded: str = ABOVE) -> tuple[str, float | None]:
    """As `grade`, for a value that lies between `least` and `most` (None: not bounded).

    It is `warn` or `fail` only if `least` is, and `ok` only if `most` is; else it is unknown.
    """
    return between(lambda known: grade(known, limits, exceeded), least, value, most)


Graded = tuple[str, float | None]


def between(graded: Callable[[float], Graded], least: float, value: float, most: float | None) -> Graded:
    """(verdict, limit) of a value that lies between `least` and `most` (None: not bounded), if `graded` says what a known value gets."""
    found = graded(value)
    if found[0] in (OK, INFO):
        is_certain = most == value or (most is not None and graded(most)[0] in (OK, INFO))
        return found if is_certain else (UNKNOWN, found[1])
    if least == value:
        return found
    certain = graded(least)
    return (UNKNOWN, found[1]) if certain[0] in (OK, INFO) else certain


def may_exceed(value: float | None, limits: RuleLimits, exceeded: str = ABOVE) -> bool:
    """Whether `value` exceeds a limit; True for None, a value that is not bounded."""
    return value is None or grade(value, limits, exceeded)[0] != OK


_EXCEEDS: dict[str, Callable[[float, float], bool]] = {ABOVE: operator.gt, FROM: operator.ge, BELOW: operator.lt}
