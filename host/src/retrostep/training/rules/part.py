"""The parts of backward time that rules judge on their own, and how a time is compared with an earlier one."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from retrostep.training.finding import OK, ORDER
from retrostep.training.rules.floor import BACKWARD, RUNNING, Floor
from retrostep.training.rules.rule import Graded, Judgement, Proposal, RuleLimits, TrainingHistory, grade
from retrostep.training.training_day import DayPart, TrainingDay
from retrostep.training.training_session import TrainingSession
from retrostep.units import quantity

_UNRECORDED = " Part of it was not recorded, so it may have been more."


class Part(NamedTuple):
    """A part of the backward time that is judged on its own. `running`: jogging and running; else all of it, walking included."""

    running: bool
    floor: Floor
    words: str
    short: str

    def ms(self, session: TrainingSession) -> int:
        """Its time in a session."""
        return session.running_ms if self.running else session.backward_ms

    def least_ms(self, session: TrainingSession) -> int:
        """The time on which all devices agree."""
        return session.least_running_ms if self.running else session.least_backward_ms

    def most_ms(self, session: TrainingSession) -> int | None:
        """The time if all that may be missing belonged to it; None if it is not bounded."""
        return None if session.unrecorded_ms is None else self.ms(session) + session.unrecorded_ms

    def of(self, history: TrainingHistory) -> list[TrainingSession]:
        """The sessions that count."""
        return history.running if self.running else history.backward

    def of_day(self, day: TrainingDay) -> DayPart:
        """The sums of a day whose sessions are not known one by one."""
        return day.running if self.running else day.backward


RUN_PART = Part(True, RUNNING, "of backward running", "run")
ALL_PART = Part(False, BACKWARD, "backward", "walk")
ONLY_RUN_PART = Part(True, RUNNING, "backward", "run")


def judged_parts(history: TrainingHistory) -> tuple[Part, ...]:
    """The parts that are judged. Without walking all of it is running, which has the stricter limits."""
    return (RUN_PART, ALL_PART) if history.has_walking else (ONLY_RUN_PART,)


def worst_of(judgements: Iterable[Judgement]) -> Judgement:
    """The worst judgement, the first of several."""
    return max(judgements, key=lambda judgement: ORDER[judgement.verdict])


def grade_increase(reference_ms: int, limits: RuleLimits, floor: Floor, ms: float) -> Graded:
    """(verdict, limit in percent) for the increase from `reference_ms` to `ms`. Below the floor the verdict is milder."""
    verdict, limit = grade(increase(ms, reference_ms), limits)
    return (verdict, limit) if verdict == OK else (floor.capped(verdict, ms), limit)


def least_of(most: Callable[[Part], int | None], history: TrainingHistory, next_: Proposal, limits: RuleLimits) -> int | None:
    """The smallest limit in ms of the parts that the next session belongs to; None without a limit."""
    if limits.warn is None and limits.fail is None:
        return None
    # Without walking all of it is running, which has the stricter limits.
    running = [RUN_PART, ALL_PART] if history.has_walking else [RUN_PART]
    found = [ms for part in (running if next_.is_running else [ALL_PART]) if (ms := most(part)) is not None]
    return min(found, default=None)


def doubt_text(contradictions: Iterable[str]) -> str:
    """Why a backward time is not certain, as a sentence after a space: the first contradiction, else that a part was not recorded."""
    return next((f" {contradiction}" for contradiction in contradictions if contradiction), _UNRECORDED)


def sum_unrecorded_ms(sessions: list[TrainingSession]) -> int | None:
    """Backward time that gaps may hide in any of `sessions`; None if it is not bounded."""
    unrecorded = [session.unrecorded_ms for session in sessions]
    return None if None in unrecorded else sum(ms or 0 for ms in unrecorded)


def increase(value: float, reference: int) -> float:
    """By how many percent `value` is above `reference`; both have the same unit."""
    return (value - reference) * 100 / reference


def allowed_ms(reference_ms: int, percent: float | None, floor_ms: int) -> int | None:
    """The longest time in ms, in whole seconds, that is at most `percent` above `reference_ms`, or the floor; None without a limit."""
    return None if percent is None else max(int(reference_ms * (1 + percent / 100) + 1e-6) // 1_000 * 1_000, floor_ms)


def compared(percent: float) -> str:
    """`40 % more than`, `as much as`."""
    if percent == 0:
        return "as much as"
    return f"{quantity(abs(percent), '%')} {'more' if percent > 0 else 'less'} than"
