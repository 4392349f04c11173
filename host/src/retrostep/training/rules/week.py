"""Rules about the backward time of a week: compared with the week before, with all moving time, and with four weeks."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from retrostep.training.dates import day_text
from retrostep.training.finding import INFO, OK, UNKNOWN
from retrostep.training.rules.floor import RUNNING, SESSIONS_A_WEEK
from retrostep.training.rules.part import (
    ALL_PART,
    RUN_PART,
    Part,
    allowed_ms,
    compared,
    doubt_text,
    grade_increase,
    increase,
    judged_parts,
    least_of,
    sum_unrecorded_ms,
    worst_of,
)
from retrostep.training.rules.rule import (
    WEEK_DAYS,
    Explanation,
    Graded,
    Judgement,
    Proposal,
    RuleLimits,
    TrainingHistory,
    between,
    days,
    grade,
    lowest_limit,
)
from retrostep.training.training_session import TrainingSession
from retrostep.units import duration, quantity

ACUTE_DAYS, CHRONIC_DAYS = 7, 28
VOLUME_INFO_PERCENT = 10


# weekly_volume


def weekly_volume(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """Backward time of the last 7 days compared with the 7 days before, in percent."""
    found = [judgement for part in judged_parts(history) if (judgement := _week(history, limits, part)) is not None]
    if found:
        yield worst_of(found)


class _Week(NamedTuple):
    """The sums of 7 days.

    contradiction   where devices contradict each other, as a sentence; empty where they agree
    contacts        backward contacts whose impact was measured; 0 if a session has none
    impact_g8       the sum of their peaks, in 1/8 g
    """

    ms: int
    contradiction: str
    contacts: int
    impact_g8: int


def _week_of(history: TrainingHistory, part: Part, last_day: int) -> _Week:
    """The 7 days to `last_day`."""
    first = last_day - WEEK_DAYS + 1
    sessions = days(part.of(history), first, last_day)
    earlier = [own for day in history.earlier_between(first, last_day) if (own := part.of_day(day)).number]
    contacts = [session.contacts for session in sessions] + [day.contacts for day in earlier]
    return _Week(
        sum(map(part.ms, sessions)) + sum(day.ms for day in earlier),
        next((session.contradiction for session in sessions if session.contradiction), ""),
        sum(contacts) if all(contacts) else 0,
        sum(session.impact_g8 for session in sessions) + sum(day.impact_g8 for day in earlier),
    )


def _week(history: TrainingHistory, limits: RuleLimits, part: Part) -> Judgement | None:
    sessions = days(part.of(history), history.on - WEEK_DAYS + 1, history.on)
    now, before = _week_of(history, part, history.on), _week_of(history, part, history.on - WEEK_DAYS)
    if not now.ms or not before.ms:
        return None
    # Forward sessions may hide backward time in their gaps, too.
    everything = history.between(history.on - WEEK_DAYS + 1, history.on)
    unrecorded_ms = None if before.contradiction else sum_unrecorded_ms(everything)
    floor = part.floor.times(SESSIONS_A_WEEK)
    most_ms = None if unrecorded_ms is None else now.ms + unrecorded_ms
    verdict, limit = between(partial(grade_increase, before.ms, limits, floor), sum(map(part.least_ms, sessions)), now.ms, most_ms)
    percent = increase(now.ms, before.ms)
    if verdict == OK and percent > VOLUME_INFO_PERCENT:
        verdict, limit = INFO, VOLUME_INFO_PERCENT
    doubt = [*(session.contradiction for session in everything), before.contradiction]
    explain = partial(_explain_week, history.on, now, before, doubt, part, verdict, limits)
    return Judgement(verdict, round(percent, 2), limit, sessions[-1], explain)


def _explain_week(on: int, now: _Week, before: _Week, doubt: list[str], part: Part, verdict: str, limits: RuleLimits) -> Explanation:
    percent = increase(now.ms, before.ms)
    floor = part.floor.times(SESSIONS_A_WEEK)
    why = f"{duration(now.ms)} {part.words} in the 7 days to {day_text(on)}, {compared(percent)} the 7 days before ({duration(before.ms)})."
    by_limits = grade(percent, limits)[0]
    if verdict == UNKNOWN:
        why += doubt_text(doubt)
    elif by_limits != OK:
        why += floor.text(verdict, by_limits)
    elif verdict == INFO:
        why += " Shown for information: a study of a 10 % program found no effect."
    why += _impacts(now, before)
    todo = f"Keep the next 7 days at {duration(allowed_ms(before.ms, lowest_limit(limits), floor.inform_ms) or 0)} {part.words} or less."
    return Explanation(f"week {percent:+.0f} %", why, todo)


def _impacts(now: _Week, before: _Week) -> str:
    """The load by impact of both weeks, as a sentence after a space; empty where a log has none."""
    if not now.contacts or not before.contacts or not before.impact_g8:
        return ""
    return (
        f" Load by impact, for information: {now.contacts} contacts of the worn leg with a mean peak of "
        f"{now.impact_g8 / now.contacts / 8:.1f} g, {compared(increase(now.impact_g8, before.impact_g8))} the 7 days before in all."
    )


def _week_ms(history: TrainingHistory, part: Part, last_day: int) -> int:
    """The backward time of the 7 days to `last_day`."""
    first = last_day - WEEK_DAYS + 1
    earlier = sum(part.of_day(day).ms for day in history.earlier_between(first, last_day))
    return earlier + sum(map(part.ms, days(part.of(history), first, last_day)))


def most_by_week(history: TrainingHistory, limits: RuleLimits, next_: Proposal) -> int | None:
    """The longest next session that weekly_volume allows on its day."""

    def most(part: Part) -> int | None:
        before_ms = _week_ms(history, part, next_.day - WEEK_DAYS)
        if not before_ms:
            return None
        floor_ms = part.floor.times(SESSIONS_A_WEEK).most_ms(next_.level)
        allowed = allowed_ms(before_ms, next_.limit(limits), floor_ms)
        return None if allowed is None else max(0, allowed - _week_ms(history, part, next_.day))

    return least_of(most, history, next_, limits)


class WeekLoad(NamedTuple):
    """The load of the 7 days to a check: running, or all backward time where the athlete only walks.

    limit_ms   what weekly_volume allows; what first_exposure allows in two sessions where the week before had nothing
    """

    by_day_ms: list[int]
    limit_ms: int | None

    @property
    def now_ms(self) -> int:
        """The load of all 7 days."""
        return sum(self.by_day_ms)

    @property
    def limit_s(self) -> float | None:
        """The limit in s."""
        return None if self.limit_ms is None else self.limit_ms / 1_000


def week_load(history: TrainingHistory, limits: RuleLimits, exposure: RuleLimits) -> WeekLoad:
    """The load of the 7 days to the check. `limits` of weekly_volume, `exposure` of first_exposure; a rule that is off limits nothing."""
    has_run = history.running or any(day.running.number for day in history.earlier)
    part = RUN_PART if has_run else ALL_PART
    by_day_ms = [0] * WEEK_DAYS
    for session in days(part.of(history), history.on - WEEK_DAYS + 1, history.on):
        by_day_ms[session.day - history.on - 1] += part.ms(session)
    before_ms = _week_ms(history, part, history.on - WEEK_DAYS)
    if before_ms:
        floor_ms = part.floor.times(SESSIONS_A_WEEK).inform_ms
        allowed = allowed_ms(before_ms, lowest_limit(limits), floor_ms) if limits.enabled else None
    else:
        warn = lowest_limit(exposure if part.running else exposure.for_walking()) if exposure.enabled else None
        allowed = None if warn is None else int(warn * 1_000) * SESSIONS_A_WEEK
    return WeekLoad(by_day_ms, allowed)


# share


def share(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """Backward running as a share of all recorded moving time of the last 7 days, in percent."""
    now = history.between(history.on - WEEK_DAYS + 1, history.on)
    running = [session for session in now if session.is_running]
    running_ms = sum(session.running_ms for session in running)
    other_ms = _moving_ms(now) - running_ms
    if not running_ms:
        return
    unrecorded_ms = sum_unrecorded_ms(now)
    most_ms = None if unrecorded_ms is None else running_ms + unrecorded_ms
    least_ms = sum(session.least_running_ms for session in running)
    verdict, limit = between(partial(_grade_share, other_ms, limits), least_ms, running_ms, most_ms)
    percent = running_ms * 100 / (running_ms + other_ms)
    explain = partial(_explain_share, history, now, running_ms, other_ms, verdict, limits)
    yield Judgement(verdict, round(percent, 2), limit, running[-1], explain)


def _moving_ms(now: list[TrainingSession]) -> int:
    """All moving time; a few steps back are none."""
    return sum(session.forward_ms + (session.backward_ms if session.is_backward else 0) for session in now)


def _grade_share(other_ms: int, limits: RuleLimits, running_ms: float) -> Graded:
    verdict, limit = grade(running_ms * 100 / (running_ms + other_ms) if running_ms else 0, limits)
    return (verdict, limit) if verdict == OK else (RUNNING.capped(verdict, running_ms), limit)


def _explain_share(
    history: TrainingHistory, now: list[TrainingSession], running_ms: int, other_ms: int, verdict: str, limits: RuleLimits
) -> Explanation:
    percent = running_ms * 100 / (running_ms + other_ms)
    why = (
        f"{quantity(percent, '%')} of the moving time recorded in the 7 days to {day_text(history.on)} was backward running "
        f"({duration(running_ms)} of {duration(running_ms + other_ms)})."
    )
    why += (
        doubt_text([session.contradiction for session in now]) if verdict == UNKNOWN else RUNNING.text(verdict, grade(percent, limits)[0])
    )
    todo = "Run more forward or less backward. Wear the device on forward runs too, or import them, so that they count."
    return Explanation(f"backward share {percent:.0f} %", why, todo)


def most_by_share(history: TrainingHistory, limits: RuleLimits, next_: Proposal) -> int | None:
    """The longest next session that share allows on its day."""
    percent = next_.limit(limits)
    if percent is None or not next_.is_running or percent >= 100:
        return None
    now = history.between(next_.day - WEEK_DAYS + 1, next_.day)
    running = [session for session in now if session.is_running]
    running_ms = sum(session.running_ms for session in running)
    other_ms = _moving_ms(now) - running_ms + next_.warm_up_ms
    return max(0, int(percent * other_ms / (100 - percent)) - running_ms, RUNNING.most_ms(next_.level) - running_ms)


# acwr


def acwr(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """Acute:chronic workload ratio: exponentially weighted backward time a day, about 7 days against about 28. At most `info`."""
    if not history.judged:
        return
    loads = {day.day: day.backward.ms for day in history.earlier if day.backward.number}
    for session in history.backward:
        loads[session.day] = loads.get(session.day, 0) + session.backward_ms
    first = min(loads)
    if history.on - first < CHRONIC_DAYS:
        return
    acute = chronic = float(loads[first])
    for day in range(first + 1, history.on + 1):
        acute += (loads.get(day, 0) - acute) * 2 / (ACUTE_DAYS + 1)
        chronic += (loads.get(day, 0) - chronic) * 2 / (CHRONIC_DAYS + 1)
    ratio = acute / chronic
    verdict = INFO if limits.warn is not None and ratio >= limits.warn else OK
    why = f"The backward time of about one week is {ratio:.2f} times that of about four weeks on {day_text(history.on)}."
    explained = Explanation(f"ACWR {ratio:.2f}", why, "For information only; no action needed.")
    yield Judgement(verdict, round(ratio, 2), limits.warn, history.backward[-1], lambda: explained)
