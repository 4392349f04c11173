"""Rules about how much: backward time of a session and of a week, against what went before."""

from collections import deque
from collections.abc import Iterator

from retrostep.training.dates import day_text, span_text
from retrostep.training.finding import INFO, OK, UNKNOWN
from retrostep.training.outing import Outing
from retrostep.training.rule import WEEK_DAYS, Judgement, Limits, Training, grade

SPIKE_DAYS = 30
LAY_OFF_DAYS = 14
ACUTE_DAYS, CHRONIC_DAYS = 7, 28
VOLUME_INFO_PERCENT = 10


def session_spike(training: Training, limits: Limits) -> Iterator[Judgement]:
    """A session's backward time against the longest of the 30 days before, earlier ones of the same day included."""
    candidates: deque[Outing] = deque()
    for place, outing in enumerate(training.backward):
        while candidates and outing.day - candidates[0].day > SPIKE_DAYS:
            candidates.popleft()
        longest = candidates[0] if candidates else None
        # What is later and as long as an earlier one outlives it: the longest still in the window stands first.
        while candidates and candidates[-1].backward_ms <= outing.backward_ms:
            candidates.pop()
        candidates.append(outing)
        if longest is None or place not in training.judged:
            continue
        percent = (outing.backward_ms - longest.backward_ms) * 100 / longest.backward_ms
        verdict, limit = grade(percent, limits)
        why = (
            f"{span_text(outing.backward_ms)} backward on {day_text(outing.day)}, {_change(percent)} the longest session of the "
            f"{SPIKE_DAYS} days before ({span_text(longest.backward_ms)} on {day_text(longest.day)})."
        )
        top_ms = None if outing.hidden_ms is None else outing.backward_ms + outing.hidden_ms
        if verdict == OK and (top_ms is None or grade((top_ms - longest.backward_ms) * 100 / longest.backward_ms, limits)[0] != OK):
            verdict, why = UNKNOWN, why + _HIDDEN
        elif verdict != OK and longest.hidden_ms != 0:
            why += " That longest session was not recorded whole, so it may have been longer."
        reference = max(outing.backward_ms, longest.backward_ms) if verdict == OK else longest.backward_ms
        todo = f"Keep the next session at {span_text(int(reference * (1 + (limits.warn or 0) / 100)))} backward or less."
        yield Judgement(verdict, round(percent, 2), limit, outing.id, why, todo)


def first_exposure(training: Training, limits: Limits) -> Iterator[Judgement]:
    """The first backward session, or the first after 14 whole days without one."""
    for place in training.judged:
        outing = training.backward[place]
        last = training.backward[place - 1] if place else None
        if last is not None and outing.day - last.day <= LAY_OFF_DAYS:
            continue
        verdict, limit = grade(outing.backward_ms / 1_000, limits)
        occasion = f"with no other on record in the {SPIKE_DAYS} days before" if last is None else f"the first since {day_text(last.day)}"
        why = f"{span_text(outing.backward_ms)} backward on {day_text(outing.day)}, {occasion}."
        top_ms = None if outing.hidden_ms is None else outing.backward_ms + outing.hidden_ms
        if verdict == OK and (top_ms is None or grade(top_ms / 1_000, limits)[0] != OK):
            verdict, why = UNKNOWN, why + _HIDDEN
        todo = "Start again with backward bouts of one minute, two or three times, with slow forward jogging between them."
        yield Judgement(verdict, outing.backward_ms / 1_000, limit, outing.id, why, todo)


def weekly_volume(training: Training, limits: Limits) -> Iterator[Judgement]:
    """Backward time of the 7 days up to the check against the 7 days before them."""
    now = training.within(training.on - WEEK_DAYS + 1, training.on)
    before = training.within(training.on - 2 * WEEK_DAYS + 1, training.on - WEEK_DAYS)
    now_ms, before_ms = _backward_ms(now), _backward_ms(before)
    if not now_ms or not before_ms:
        return
    percent = (now_ms - before_ms) * 100 / before_ms
    verdict, limit = grade(percent, limits)
    days = f"the 7 days to {day_text(training.on)}"
    why = f"{span_text(now_ms)} backward in {days}, {_change(percent)} the 7 days before ({span_text(before_ms)})."
    hidden = _hidden_ms(now)
    if verdict == OK and (hidden is None or grade((now_ms + hidden - before_ms) * 100 / before_ms, limits)[0] != OK):
        verdict, why = UNKNOWN, why + _HIDDEN
    elif verdict == OK and percent > VOLUME_INFO_PERCENT:
        verdict, limit = INFO, VOLUME_INFO_PERCENT
        why += " More than 10 % is worth knowing, and was not shown to matter."
    session = next(outing.id for outing in reversed(now) if outing.is_backward)
    todo = f"Keep the next 7 days at {span_text(int(before_ms * (1 + (limits.warn or 0) / 100)))} backward or less."
    yield Judgement(verdict, round(percent, 2), limit, session, why, todo)


def acwr(training: Training, limits: Limits) -> Iterator[Judgement]:
    """Exponentially weighted backward time a day of about a week against that of about four; never more than `info`."""
    if not training.judged:
        return
    loads: dict[int, int] = {}
    for outing in training.backward:
        loads[outing.day] = loads.get(outing.day, 0) + outing.backward_ms
    first = min(loads)
    if training.on - first < CHRONIC_DAYS:
        return
    acute = chronic = float(loads[first])
    for day in range(first + 1, training.on + 1):
        acute += (loads.get(day, 0) - acute) * 2 / (ACUTE_DAYS + 1)
        chronic += (loads.get(day, 0) - chronic) * 2 / (CHRONIC_DAYS + 1)
    ratio = acute / chronic
    verdict = INFO if limits.warn is not None and ratio >= limits.warn else OK
    session = training.backward[-1].id
    why = f"The backward time of about a week is {ratio:.2f} times that of about four weeks on {day_text(training.on)}."
    yield Judgement(
        verdict, round(ratio, 2), limits.warn, session, why, "Nothing: this ratio is only shown for who knows it from elsewhere."
    )


def share(training: Training, limits: Limits) -> Iterator[Judgement]:
    """Backward part of all recorded moving time of the 7 days up to the check."""
    now = training.within(training.on - WEEK_DAYS + 1, training.on)
    backward_ms = _backward_ms(now)
    if not backward_ms:
        return
    forward_ms = sum(outing.forward_ms for outing in now)
    percent = backward_ms * 100 / (backward_ms + forward_ms)
    verdict, limit = grade(percent, limits)
    why = (
        f"{percent:.0f} % of the moving time recorded in the 7 days to {day_text(training.on)} was backward "
        f"({span_text(backward_ms)} of {span_text(backward_ms + forward_ms)})."
    )
    hidden = _hidden_ms(now)
    if verdict == OK and (hidden is None or grade((backward_ms + hidden) * 100 / (backward_ms + hidden + forward_ms), limits)[0] != OK):
        verdict, why = UNKNOWN, why + _HIDDEN
    session = next(outing.id for outing in reversed(now) if outing.is_backward)
    todo = "Run more forward, or less backward; wear the device on forward runs too, so that they count."
    yield Judgement(verdict, round(percent, 2), limit, session, why, todo)


_HIDDEN = " Part of it was not recorded, so it may have been more."


def _backward_ms(outings: list[Outing]) -> int:
    return sum(outing.backward_ms for outing in outings if outing.is_backward)


def _hidden_ms(outings: list[Outing]) -> int | None:
    hidden = [outing.hidden_ms for outing in outings]
    return None if None in hidden else sum(ms or 0 for ms in hidden)


def _change(percent: float) -> str:
    if percent == 0:
        return "as much as"
    # One decimal more where rounding would hide on which side of a limit it lies.
    size = f"{abs(percent):.0f}" if abs(percent) >= 100 or percent == int(percent) else f"{abs(percent):.1f}"
    return f"{size} % {'more' if percent > 0 else 'less'} than"
