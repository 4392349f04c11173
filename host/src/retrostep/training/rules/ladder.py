"""The ladder: walk before you jog, jog before you run. The stage is the fastest backward gait of a session (backward_gait)."""

from collections.abc import Iterator, Sequence
from functools import partial

from retrostep.archive.backward_gait import GAIT_NAMES, JOG, NONE, RUN, WALK
from retrostep.training.dates import day_text
from retrostep.training.finding import FAIL, OK, UNKNOWN, WARN
from retrostep.training.rules.floor import RUNNING
from retrostep.training.rules.rule import WEEK_DAYS, Explanation, Judgement, Proposal, RuleLimits, TrainingHistory
from retrostep.training.training_session import TrainingSession
from retrostep.units import count

LADDER_DAYS = 30
DONE_TIMES = 2
"""A stage is done after so many sessions at it or above it."""


def ladder(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """How many stages a session was above those that were done twice in the 30 days before; and stages climbed in 7 days."""
    window = _Window(history)
    judged = [index for index in history.judged if history.backward[index].stage != NONE]
    for index in judged:
        session = history.backward[index]
        done, a_week_ago = window.before(index, session.day)
        if history.skips_ok and session.stage <= min(done, a_week_ago) and index != judged[-1]:
            continue
        verdict, measured, limit = _grade(session.stage, done, a_week_ago, limits)
        uncapped = verdict
        verdict = RUNNING.capped(verdict, session.running_ms) if session.stage >= JOG else OK
        if session.contradiction and verdict in (WARN, FAIL):
            verdict = UNKNOWN
        yield Judgement(verdict, measured, limit, session, partial(_tell, session, done, a_week_ago, verdict, uncapped))


def stage_done(history: TrainingHistory, day: int) -> int:
    """The highest stage that was done twice in the 30 days before `day`: NONE, WALK, JOG or RUN."""
    return _reached_before(history, day)[0]


def most_by_ladder(history: TrainingHistory, limits: RuleLimits, next_: Proposal) -> int | None:
    """The floor if the gait is a stage too high; no limit otherwise."""
    if not next_.is_running:
        return None
    done, a_week_ago = _reached_before(history, next_.day)
    is_refused = next_.is_refused(_grade(next_.gait, done, a_week_ago, limits)[0])
    return RUNNING.most_ms(next_.level) if is_refused else None


def _reached_before(history: TrainingHistory, day: int) -> tuple[int, int]:
    """(the stage done twice, the highest stage reached a week or more ago) before a session on `day`, after all that are known."""
    first = day - LADDER_DAYS
    numbers, oldest = [0] * (RUN + 1), NONE
    for session in reversed(history.backward):
        if session.day < first or (numbers[RUN] >= DONE_TIMES and oldest == RUN):
            break
        numbers[session.stage] += 1
        if session.day <= day - WEEK_DAYS:
            oldest = max(oldest, session.stage)
    for each in history.earlier_between(first, day):
        for stage, number in enumerate(each.stages):
            numbers[stage] += number
            if number and each.day <= day - WEEK_DAYS:
                oldest = max(oldest, stage)
    return _done_twice(numbers), oldest


def _done_twice(numbers: Sequence[int]) -> int:
    """The highest stage that was reached twice. `numbers`: how many sessions reached each stage, and none above it."""
    reached = 0
    for stage in (RUN, JOG, WALK):
        reached += numbers[stage]
        if reached >= DONE_TIMES:
            return stage
    return NONE


def _grade(stage: int, done: int, a_week_ago: int, limits: RuleLimits) -> tuple[str, int, float | None]:
    """(verdict, measured, limit) of a session that reached `stage`."""
    step, climbed = stage - done, stage - a_week_ago
    if limits.fail is not None and climbed > limits.fail:
        return FAIL, climbed, limits.fail
    if limits.warn is not None and step > limits.warn:
        return WARN, step, limits.warn
    return OK, max(0, step), limits.warn


class _Window:
    """How many sessions of the 30 days before a session reached which stage. Sessions are asked for in order of their days."""

    def __init__(self, history: TrainingHistory) -> None:
        entries = [(day.day, stage, number) for day in history.earlier for stage, number in enumerate(day.stages) if number]
        self._offset = len(entries)
        self._entries = entries + [(session.day, session.stage, 1) for session in history.backward]
        self._first = self._end = self._old_end = 0
        self._numbers = [0] * (RUN + 1)
        self._old_numbers = [0] * (RUN + 1)

    def before(self, index: int, day: int) -> tuple[int, int]:
        """(the stage done twice, the highest stage reached a week or more ago) before `history.backward[index]`, seen on `day`."""
        entries, numbers, old = self._entries, self._numbers, self._old_numbers
        index += self._offset
        while self._end < index:
            _, stage, number = entries[self._end]
            numbers[stage] += number
            self._end += 1
        while self._old_end < index and entries[self._old_end][0] <= day - WEEK_DAYS:
            _, stage, number = entries[self._old_end]
            old[stage] += number
            self._old_end += 1
        while self._first < index and entries[self._first][0] < day - LADDER_DAYS:
            _, stage, number = entries[self._first]
            numbers[stage] -= number
            old[stage] -= number
            self._first += 1
        return _done_twice(numbers), RUN if old[RUN] else JOG if old[JOG] else WALK if old[WALK] else NONE


_PHRASES = ("no backward session", "backward walking", "backward jogging", "backward running")


def _tell(session: TrainingSession, done: int, a_week_ago: int, verdict: str, uncapped: str) -> Explanation:
    stage = session.stage
    done_text = f"{_PHRASES[done]} was done {DONE_TIMES} times" if done else "no stage was done twice"
    why = f"{_PHRASES[stage].capitalize()} on {day_text(session.day)}; {done_text} in the {LADDER_DAYS} days before."
    if uncapped == FAIL:
        why += f" That is {count(stage - a_week_ago, 'stage')} in 7 days."
    if verdict == UNKNOWN:
        why += f" {session.contradiction}"
    elif verdict != OK:
        why += RUNNING.text(verdict, uncapped)
    below = min(done + 1, stage - 1)
    todo = f"{_PHRASES[below].capitalize()} first, in {DONE_TIMES} sessions." if below else ""
    return Explanation(f"{GAIT_NAMES[stage]} before {DONE_TIMES} x {GAIT_NAMES[below] if below else 'walk'}", why, todo)
