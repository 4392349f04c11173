"""Rules about how often: sessions with backward running in a week, and rest days between them. Walking is not counted."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import NamedTuple

from retrostep.training.dates import day_text
from retrostep.training.finding import UNKNOWN
from retrostep.training.rules.rule import (
    FROM,
    WEEK_DAYS,
    Explanation,
    Judgement,
    Proposal,
    RuleLimits,
    TrainingHistory,
    days,
    grade,
    grade_between,
)
from retrostep.training.training_day import TrainingDay
from retrostep.training.training_session import TrainingSession
from retrostep.units import count

_DOUBT = " Devices contradict each other about whether all of them were backward sessions."


class _RunDay(NamedTuple):
    """A day with jogging or running.

    number     how many such sessions there were
    doubtful   how many of them are contradicted by another device
    last       the last of them, or the day itself where its sessions are not known one by one
    """

    day: int
    number: int
    doubtful: int
    last: TrainingSession | TrainingDay


def _run_days(history: TrainingHistory) -> list[_RunDay]:
    found = [_RunDay(day.day, day.running.number, 0, day) for day in history.earlier if day.running.number]
    for day, sessions in groupby(history.running, key=TrainingSession.day_of):
        of_day = list(sessions)
        found.append(_RunDay(day, len(of_day), sum(map(_is_doubtful, of_day)), of_day[-1]))
    return found


def frequency(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """Number of sessions with backward running in the 7 days up to each judged day with one."""
    run_days = _run_days(history)
    first = number = doubtful = 0
    for each in run_days:
        number += each.number
        doubtful += each.doubtful
        while each.day - run_days[first].day >= WEEK_DAYS:
            number -= run_days[first].number
            doubtful -= run_days[first].doubtful
            first += 1
        if each.day >= history.since:
            verdict, limit = grade_between(number - doubtful, number, number, limits)
            yield Judgement(verdict, number, limit, each.last, partial(_explain_frequency, each.day, number, verdict))


def _explain_frequency(day: int, number: int, verdict: str) -> Explanation:
    why = f"{count(number, 'session')} with backward running in the 7 days to {day_text(day)}."
    if verdict == UNKNOWN:
        why += _DOUBT
    todo = "Wait with backward running until there are fewer in the last 7 days. Walking is not counted."
    return Explanation(f"{count(number, 'run')} in 7 days", why, todo)


def most_by_frequency(history: TrainingHistory, limits: RuleLimits, next_: Proposal) -> int | None:
    """0 if there were so many sessions that one more warns."""
    if not next_.is_running:
        return None
    first = next_.day - WEEK_DAYS + 1
    earlier = sum(day.running.number for day in history.earlier_between(first, next_.day))
    number = 1 + earlier + len(days(history.running, first, next_.day))
    return 0 if next_.is_refused(grade(number, limits)[0]) else None


def rest_days(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """Number of days in a row with backward running. Each row of days is judged at its last day."""
    row_days = last_day = 0
    sure_days = last_sure_day = longest_sure = 0  # the same without sessions that a device denies
    run_days = _run_days(history)
    for index, each in enumerate(run_days):
        if each.day != last_day + 1:
            row_days = longest_sure = 0
        row_days += 1
        last_day = each.day
        if each.doubtful < each.number:
            sure_days = sure_days + 1 if each.day == last_sure_day + 1 else 1
            last_sure_day = each.day
            longest_sure = max(longest_sure, sure_days)
        continues = index + 1 < len(run_days) and run_days[index + 1].day == each.day + 1
        if each.day >= history.since and not continues:
            verdict, limit = grade_between(longest_sure, row_days, row_days, limits, FROM)
            yield Judgement(verdict, row_days, limit, each.last, partial(_explain_rest, each.day, row_days, verdict))


def _explain_rest(day: int, row_days: int, verdict: str) -> Explanation:
    why = f"{count(row_days, 'day')} in a row with backward running up to {day_text(day)}."
    if verdict == UNKNOWN:
        why += _DOUBT
    return Explanation(f"{count(row_days, 'day')} in a row", why, "Leave at least one rest day between days with backward running.")


def most_by_rest(history: TrainingHistory, limits: RuleLimits, next_: Proposal) -> int | None:
    """0 if there were so many days in a row that one more warns."""
    if not next_.is_running:
        return None
    dates = {session.day for session in history.running} | {day.day for day in history.earlier if day.running.number}
    row_days = 1
    while next_.day - row_days in dates:
        row_days += 1
    return 0 if next_.is_refused(grade(row_days, limits, FROM)[0]) else None


def _is_doubtful(session: TrainingSession) -> bool:
    """Whether a device denies that it was a session with backward running."""
    return bool(session.contradiction) and not session.is_surely_running
