"""What an athlete may do next: the rules backwards, and an outlook of some weeks on the pattern of the trials."""

from bisect import insort
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from itertools import pairwise

from retrostep_core.codes import END_STILLNESS

from retrostep.archive.backward_gait import GAIT_NAMES, JOG, RUN, WALK
from retrostep.archive.queries import Recording
from retrostep.archive.schema import RecordingColumns
from retrostep.training.dates import day_start_ms, day_text
from retrostep.training.finding import WARN
from retrostep.training.rules.catalog import BY_NAME, RULES
from retrostep.training.rules.execution import to_settle
from retrostep.training.rules.floor import BACKWARD, RUNNING, Floor
from retrostep.training.rules.ladder import stage_done
from retrostep.training.rules.load import usual_of_days
from retrostep.training.rules.part import allowed_ms
from retrostep.training.rules.rule import Proposal, Rule, RuleLimits, TrainingHistory, lowest_limit
from retrostep.training.training_session import MIN_BACKWARD_MS, TrainingSession
from retrostep.units import duration

GAITS = (WALK, JOG, RUN)
SEARCH_DAYS = 28
OUTLOOK_WEEKS = 4
DOUBLING_DAYS = 42
"""In the trials a session grew to twice its length over six weeks, and not more."""

STEP_S = 5
"""Planned sessions are whole multiples of this."""

BASIS = (
    "Two sessions a week, seconds at most doubled over six weeks, and no faster gait before week six: the pattern of the trials "
    "(Bouguezzi 2024, doi 10.1519/jsc.0000000000004859, and Uthoff 2020, J Strength Cond Res 34:1113), carried over to seconds "
    "(engineering). These doses were designed to be tolerated; they are not proven safe."
)
"""What an outlook is made from, for those who read one."""

AFTER_SETTLING = "No backward running until it has settled. What is planned holds only then."
"""What a plan says where pain, limping or swelling was noted: a week without a note does not show that it has settled."""

_GAPS = (3, 4)
"""Days from one session to the next: two a week, as in the trials."""

_OFTEN_NONE = ("pain", "frequency", "rest_days")
"""Rules that often allow no session on a day. They are asked first, because the others need not be asked then."""

_NOON_MS = 12 * 3_600_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """The longest session in a gait on a day (a day number) that raises no warning there.

    most_s   whole seconds of backward time; None if no rule limits it, 0 if none is allowed
    rule     the rule that limits it; empty if none does
    """

    day: int
    gait: int
    most_s: int | None
    rule: str

    def as_dict(self) -> dict[str, str | int | None]:
        """For JSON."""
        return {"date": day_text(self.day), "gait": GAIT_NAMES[self.gait], "seconds": self.most_s, "rule": self.rule or None}


class Planner:
    """Plans for one athlete.

    history     the training up to the day of the plan, as a check of that day sees it
    limits_of   the limits of a rule in force for the athlete
    is_lifted   whether the findings of a rule about a session that starts then are accepted
    """

    def __init__(
        self,
        history: TrainingHistory,
        limits_of: Callable[[Rule], RuleLimits],
        is_lifted: Callable[[str, int], bool] = lambda rule, start_ms: False,
    ) -> None:
        self._history = history
        self._is_lifted = is_lifted
        warm_up = limits_of(BY_NAME["warm_up"])
        self._pain = limits_of(BY_NAME["pain"])
        self._spike = limits_of(BY_NAME["session_spike"])
        self.warm_up_ms = int(1_000 * (warm_up.warn or 0)) if warm_up.enabled else 0
        ordered = sorted(RULES, key=lambda rule: rule.rule not in _OFTEN_NONE)
        self._rules = [(rule, limits) for rule in ordered if rule.most is not None and (limits := limits_of(rule)).enabled]
        self._allowances: dict[tuple[int, int, str], Allowance] = {}

    @property
    def history(self) -> TrainingHistory:
        """What the plan is made from."""
        return self._history

    @property
    def to_settle(self) -> str:
        """What has to settle before the next session: `Pain 6 of 10, noted for the session on 2026-11-24.`; empty if nothing has to."""
        is_asked = self._pain.enabled and not self._is_lifted("pain", day_start_ms(self._history.on) + _NOON_MS)
        return to_settle(self._history, self._pain) if is_asked else ""

    @property
    def first_day(self) -> int:
        """The first day of a next session: a second one on the day of the last is not planned."""
        return max(self._history.on, (self._history.last_backward_day or 0) + 1)

    def stage(self) -> int:
        """The stage that was done twice; WALK for a beginner."""
        return max(WALK, stage_done(self._history, self.first_day))

    def allowance(self, day: int, gait: int, level: str = WARN) -> Allowance:
        """The longest session on `day` in `gait` that raises no warning; with level FAIL, the longest that does not fail."""
        asked = day, gait, level
        if asked not in self._allowances:
            self._allowances[asked] = self._allowance(day, gait, level)
        return self._allowances[asked]

    def _allowance(self, day: int, gait: int, level: str) -> Allowance:
        proposal = Proposal(day, gait, self.warm_up_ms, level)
        start_ms = day_start_ms(day) + _NOON_MS
        most_ms, binding = None, ""
        for rule, limits in self._rules:
            assert rule.most is not None
            ms = rule.most(self._history, limits, proposal)
            if ms is not None and (most_ms is None or ms < most_ms) and not self._is_lifted(rule.rule, start_ms):
                most_ms, binding = ms, rule.rule
                if ms < MIN_BACKWARD_MS:
                    break
        if most_ms is None:
            return Allowance(day, gait, None, "")
        # Less than MIN_BACKWARD_MS is no backward session.
        return Allowance(day, gait, most_ms // 1_000 if most_ms >= MIN_BACKWARD_MS else 0, binding)

    def next_session(self, gait: int, from_day: int | None = None) -> Allowance:
        """The first day, from now or `from_day` on, that allows a session as long as the floor; otherwise the first that allows most."""
        useful_s = _floor(gait).inform_ms // 1_000
        found = None
        first_day = max(self.first_day, from_day or 0)
        for day in range(first_day, first_day + SEARCH_DAYS):
            allowance = self.allowance(day, gait)
            if allowance.most_s is None or allowance.most_s >= useful_s:
                return allowance
            if found is None or allowance.most_s > (found.most_s or 0):
                found = allowance
        assert found is not None
        return found

    @property
    def after_jump(self) -> str:
        """What to know where the next session in the gait of the stage may be longer only because of a jump, as sentences; else empty.

        session_spike compares with the longest session, jumps included, as its study does. No trial continued from a jump.
        """
        following = self.next_session(self.stage())
        if following.rule != "session_spike":
            return ""
        usual_ms = usual_of_days(self._history, following.gait >= JOG, following.day, self._spike)
        allowed = allowed_ms(usual_ms, lowest_limit(self._spike), _floor(following.gait).inform_ms)
        if not usual_ms or allowed is None or 1_000 * (following.most_s or 0) <= allowed:
            return ""
        steady = f"Better: {duration(usual_ms)}, the longest session of 30 days that was no jump."
        return f"That follows from a jump. {steady} The weeks of the plan start from that."

    def outlook(self, gait: int, weeks: int = OUTLOOK_WEEKS, from_day: int | None = None) -> list[Allowance]:
        """Sessions of the weeks from now or `from_day` on: two a week, each within every limit if the ones before were done as planned.

        The first is as long as the longest of the last 30 days without jumps, or the floor for a beginner. Seconds at most double over six
        weeks. Where that would leave less for a later session than for the one before, all start shorter, so that none is shorter than the
        one before; the `rule` of the first says which limit requires it. Where that is not possible, the `rule` of the shorter one does.
        """
        first_day = self.next_session(gait, from_day).day
        start_s = self._usual_s(gait) or _floor(gait).inform_ms // 1_000
        planned = self._sessions(gait, weeks, first_day, start_s)
        if not (rule := _dip(planned)):
            return planned
        shorter, longer = MIN_BACKWARD_MS // 1_000 // STEP_S, start_s // STEP_S
        while longer - shorter > 1:
            middle = (shorter + longer) // 2
            tried = self._sessions(gait, weeks, first_day, middle * STEP_S)
            if _dip(tried):
                longer = middle
            else:
                shorter, planned = middle, [replace(tried[0], rule=rule), *tried[1:]]
        return planned

    def _sessions(self, gait: int, weeks: int, first_day: int, start_s: int) -> list[Allowance]:
        """Two sessions a week from `first_day` on, of `start_s` at first and longer then, as far as every limit allows it."""
        planned: list[Allowance] = []
        ahead = self
        day, sessions = first_day, list(self._history.sessions)
        while day < first_day + 7 * weeks:
            allowance = ahead.allowance(day, gait)
            grown_s = int(start_s * 2 ** ((day - first_day) / DOUBLING_DAYS))
            seconds = min(grown_s, grown_s if allowance.most_s is None else allowance.most_s)
            seconds = seconds // STEP_S * STEP_S
            if seconds * 1_000 < MIN_BACKWARD_MS:
                day += 1
                continue
            start_s = seconds if not planned else start_s
            binding = allowance.rule if seconds < grown_s // STEP_S * STEP_S else ""
            planned.append(Allowance(day, gait, seconds, binding))
            insort(sessions, planned_session(day, gait, seconds, self.warm_up_ms), key=lambda session: session.start_ms)
            ahead = self._seeing(TrainingHistory(day, day - 6, sessions, [], self._history.earlier))
            day += _GAPS[(len(planned) - 1) % 2]
        return planned

    def _seeing(self, history: TrainingHistory) -> "Planner":
        """This planner, with another history."""
        other = copy(self)
        other._history, other._allowances = history, {}
        return other

    def _usual_s(self, gait: int) -> int:
        """The longest session of the last 30 days that counts for the gait and was no jump, in s."""
        return usual_of_days(self._history, gait != WALK, self.first_day, self._spike) // 1_000


def _floor(gait: int) -> Floor:
    """The absolute floor of the relative rules for a session in that gait."""
    return RUNNING if gait >= JOG else BACKWARD


def _dip(planned: list[Allowance]) -> str:
    """The rule that makes a session shorter than the one before, the first of several; empty where none is shorter."""
    return next((other.rule for one, other in pairwise(planned) if (other.most_s or 0) < (one.most_s or 0)), "")


def planned_session(day: int, gait: int, seconds: float, warm_up_ms: int) -> TrainingSession:
    """A session as it would be recorded: warm-up, `seconds` backward in one gait, stretching; at local noon of `day`."""
    start_ms, backward_ms = day_start_ms(day) + _NOON_MS, int(1_000 * seconds)
    values = {
        **dict.fromkeys(RecordingColumns.__annotations__, 0),
        "device": "plan",
        "started_at_ms": start_ms,
        "not_before_ms": start_ms,
        "placed_at_ms": start_ms,
        "duration_ms": warm_up_ms + backward_ms,
        "forward_ms": warm_up_ms,
        "warm_up_ms": warm_up_ms,
        "first_backward_ms": warm_up_ms,
        "backward_ms": backward_ms,
        "backward_walk_ms": backward_ms if gait == WALK else 0,
        "backward_stage": gait,
        "end_reason": END_STILLNESS,
        "stretch_mark": True,
        "pain": None,
        "pain_next_day": None,
        "limits": "",
        "nth_generation": 1,
    }
    return TrainingSession([Recording._make(values[name] for name in RecordingColumns.__annotations__)])
