"""Rules about the backward time of a session, compared with earlier ones."""

from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple

from retrostep.training.dates import day_text
from retrostep.training.finding import OK, UNKNOWN
from retrostep.training.rules.part import (
    ALL_PART,
    ONLY_RUN_PART,
    RUN_PART,
    Part,
    allowed_ms,
    compared,
    doubt_text,
    grade_increase,
    increase,
    judged_parts,
    least_of,
    worst_of,
)
from retrostep.training.rules.rule import (
    Explanation,
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
from retrostep.units import clock, duration, quantity

SPIKE_DAYS = 30
LAY_OFF_DAYS = 14


class _Longest(NamedTuple):
    """The longest session, or the day that it was in: later sessions are compared with it."""

    ms: int
    day: int
    contradiction: str
    is_complete: bool


# session_spike


def session_spike(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """A session's backward time compared with the longest of the 30 days before, in percent. Earlier sessions of the same day count."""
    if not history.has_walking:
        yield from _spikes(history, limits, ONLY_RUN_PART)
        return
    found: dict[TrainingSession, list[Judgement]] = {}
    for part in judged_parts(history):
        for judgement in _spikes(history, limits, part):
            assert isinstance(judgement.subject, TrainingSession)
            found.setdefault(judgement.subject, []).append(judgement)
    yield from (worst_of(found[session]) for session in history.backward if session in found)


def _spikes(history: TrainingHistory, limits: RuleLimits, part: Part) -> Iterator[Judgement]:
    sessions = part.of(history)
    sizes = [session.running_ms for session in sessions] if part.running else [session.backward_ms for session in sessions]
    lowest = lowest_limit(limits)
    longest: deque[_Longest] = deque()  # of the last 30 days, each longer than all after it
    for earlier in history.earlier:
        if (own := part.of_day(earlier)).number:
            _append(longest, _Longest(own.longest_ms, earlier.day, "", own.is_complete))
    for session, ms in zip(sessions, sizes, strict=True):
        day = session.day
        while longest and day - longest[0].day > SPIKE_DAYS:
            longest.popleft()
        before = longest[0] if longest else None
        _append(longest, _Longest(ms, day, session.contradiction, session.unrecorded_ms == 0))
        if before is None or day < history.since:
            continue
        percent = increase(ms, before.ms)
        if session.unrecorded_ms == 0 and not before.contradiction and (lowest is None or percent <= lowest):
            if history.skips_ok and session is not sessions[-1]:
                continue
            verdict, limit = OK, lowest  # as nearly all are
        else:
            most_ms = None if before.contradiction else part.most_ms(session)
            verdict, limit = between(partial(grade_increase, before.ms, limits, part.floor), part.least_ms(session), ms, most_ms)
        explain = partial(_explain_spike, session, before, part, verdict, percent, limits)
        yield Judgement(verdict, round(percent, 2), limit, session, explain)


def _append(longest: deque[_Longest], session: _Longest) -> None:
    """Add a session, and remove those before it that are not longer: no later session is compared with them."""
    while longest and longest[-1].ms <= session.ms:
        longest.pop()
    longest.append(session)


def _explain_spike(
    session: TrainingSession, longest: _Longest, part: Part, verdict: str, percent: float, limits: RuleLimits
) -> Explanation:
    ms, longest_ms = part.ms(session), longest.ms
    why = (
        f"{duration(ms)} {part.words} on {day_text(session.day)}, {compared(percent)} the longest session of the "
        f"{SPIKE_DAYS} days before ({duration(longest_ms)} on {day_text(longest.day)})."
    )
    if verdict == UNKNOWN:
        why += doubt_text([session.contradiction, longest.contradiction])
    else:
        why += part.floor.text(verdict, grade(percent, limits)[0])
        if verdict != OK and not longest.is_complete:
            why += " That longest session was not recorded completely, so it may have been longer."
    step = quantity(lowest_limit(limits) or 0, "%")
    todo = f"Make the next sessions as long as those before this one, and add at most {step} at a time."
    return Explanation(f"{percent:+.0f} % on longest", why, todo)


def most_by_spike(history: TrainingHistory, limits: RuleLimits, next_: Proposal) -> int | None:
    """The longest next session that session_spike allows."""

    def most(part: Part) -> int | None:
        longest_ms = longest_of_days(history, part.running, next_.day)
        return allowed_ms(longest_ms, next_.limit(limits), part.floor.most_ms(next_.level)) if longest_ms else None

    return least_of(most, history, next_, limits)


def longest_of_days(history: TrainingHistory, running: bool, day: int) -> int:
    """The time of the longest session of the 30 days before `day`, of jogging and running or of all, in ms; 0 without any."""
    part = RUN_PART if running else ALL_PART
    first = day - SPIKE_DAYS
    earlier = (part.of_day(each).longest_ms for each in history.earlier_between(first, day))
    return max(chain(earlier, map(part.ms, days(part.of(history), first, day))), default=0)


def usual_of_days(history: TrainingHistory, running: bool, day: int, limits: RuleLimits) -> int:
    """As `longest_of_days`, without days above the lowest limit of session_spike: a jump is no level to plan from.

    Of each day only the longest session counts, because earlier days may be known only by their sums.
    """
    part = RUN_PART if running else ALL_PART
    first, percent = day - SPIKE_DAYS, lowest_limit(limits)
    by_day = {each.day: part.of_day(each).longest_ms for each in history.earlier_between(first, day)}
    for session in days(part.of(history), first, day):
        by_day[session.day] = max(by_day.get(session.day, 0), part.ms(session))
    usual_ms = longest_ms = 0
    for ms in by_day.values():
        allowed = allowed_ms(longest_ms, percent, part.floor.inform_ms) if longest_ms else None
        if allowed is None or ms <= allowed:
            usual_ms = max(usual_ms, ms)
        longest_ms = max(longest_ms, ms)
    return usual_ms


# first_exposure


def first_exposure(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """Backward time of the first session, or of the first after 14 full days without one, in s; running and all time on their own."""
    parts = [(part, part.of(history), limits if part.running else limits.for_walking()) for part in judged_parts(history)]
    places = [0] * len(parts)
    for index in history.judged:
        session = history.backward[index]
        found = []
        for k, (part, sessions, own) in enumerate(parts):
            while places[k] < len(sessions) and sessions[places[k]].start_ms < session.start_ms:
                places[k] += 1
            place = places[k]
            if place == len(sessions) or sessions[place] is not session:
                continue
            last_day = sessions[place - 1].day if place else _last_earlier(history, part)
            if last_day is None or session.day - last_day > LAY_OFF_DAYS:
                found.append(_exposure(session, last_day, part, own))
        if found:
            yield worst_of(found)


def _last_earlier(history: TrainingHistory, part: Part) -> int | None:
    """The last of the earlier days with a session that counts; None without one."""
    return next((day.day for day in reversed(history.earlier) if part.of_day(day).number), None)


def _exposure(session: TrainingSession, last_day: int | None, part: Part, limits: RuleLimits) -> Judgement:
    ms, most_ms = part.ms(session), part.most_ms(session)
    most_s = None if most_ms is None else most_ms / 1_000
    verdict, limit = between(lambda s: grade(s, limits), part.least_ms(session) / 1_000, ms / 1_000, most_s)
    return Judgement(verdict, ms / 1_000, limit, session, partial(_explain_exposure, session, last_day, part, verdict))


def _explain_exposure(session: TrainingSession, last_day: int | None, part: Part, verdict: str) -> Explanation:
    ms = part.ms(session)
    context = f"with no other in the {SPIKE_DAYS} days before" if last_day is None else f"the first since {day_text(last_day)}"
    why = f"{duration(ms)} {part.words} on {day_text(session.day)}, {context}."
    if verdict == UNKNOWN:
        why += doubt_text([session.contradiction])
    todo = "Start again with two or three backward bouts of one minute, and jog slowly forward between them."
    return Explanation(f"first {part.short} {clock(ms)}", why, todo)


def most_by_exposure(history: TrainingHistory, limits: RuleLimits, next_: Proposal) -> int | None:
    """The longest next session that first_exposure allows."""

    def most(part: Part) -> int | None:
        most_s = next_.limit(limits if part.running else limits.for_walking())
        first = next_.day - LAY_OFF_DAYS
        if most_s is None or days(part.of(history), first, next_.day):
            return None
        if any(part.of_day(day).number for day in history.earlier_between(first, next_.day)):
            return None
        return int(most_s * 1_000)

    return least_of(most, history, next_, limits)
