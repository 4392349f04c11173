"""Rules about how often: backward sessions in a week, and rest between them."""

from bisect import bisect_left
from collections.abc import Iterator

from retrostep.training.dates import day_text
from retrostep.training.rule import FROM, WEEK_DAYS, Judgement, Limits, Training, grade


def frequency(training: Training, limits: Limits) -> Iterator[Judgement]:
    """Backward sessions in the 7 days that end with each judged session's day, up to that session."""
    days = [outing.day for outing in training.backward]
    for place in training.judged:
        outing = training.backward[place]
        count = place + 1 - bisect_left(days, outing.day - WEEK_DAYS + 1)
        verdict, limit = grade(count, limits)
        why = f"{count} backward session{'s' if count > 1 else ''} in the 7 days to {day_text(outing.day)}."
        todo = "Leave out backward running until fewer fall into any 7 days."
        yield Judgement(verdict, count, limit, outing.id, why, todo)


def rest_days(training: Training, limits: Limits) -> Iterator[Judgement]:
    """Days in a row with backward running, of runs that reach into the judged days."""
    run = 0
    last_day = None
    for place, outing in enumerate(training.backward):
        if outing.day != last_day:
            run = run + 1 if last_day is not None and outing.day == last_day + 1 else 1
            last_day = outing.day
        if place not in training.judged:
            continue
        following = training.backward[place + 1] if place + 1 < len(training.backward) else None
        if following is not None and following.day - outing.day <= 1:
            continue
        verdict, limit = grade(run, limits, FROM)
        why = f"{run} day{'s' if run > 1 else ''} in a row with backward running up to {day_text(outing.day)}."
        yield Judgement(verdict, run, limit, outing.id, why, "Leave at least one day between days with backward running.")
