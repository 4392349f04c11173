"""Rules about how: warming up, keeping cadence steady, stretching, and what the athlete says afterwards."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

from retrostep.training.dates import day_text, span_text
from retrostep.training.finding import FAIL, INFO, OK, UNKNOWN, WARN
from retrostep.training.outing import Outing
from retrostep.training.rule import BELOW, FROM, Judgement, Limits, Training, grade

CADENCE_DAYS = 28
STEADY = "Raise backward cadence more slowly; slow down when the device buzzes."


def ramp_alerts(training: Training, limits: Limits) -> Iterator[Judgement]:
    """Live alerts of severity stop for a cadence that climbed too fast."""
    for place in training.judged:
        outing = training.backward[place]
        count = sum(recording.ramp_stops for recording in outing.recordings)
        verdict, limit = grade(count, limits, FROM)
        why = f"The device gave {count or 'no'} stop alert{'' if count == 1 else 's'} for rising cadence on {day_text(outing.day)}."
        yield Judgement(verdict, count, limit, outing.id, why, STEADY)


def warm_up(training: Training, limits: Limits) -> Iterator[Judgement]:
    """Forward time before the first backward bout."""
    if limits.warn is None and limits.fail is None:
        return
    for place in training.judged:
        outing = training.backward[place]
        measured_s = outing.warm_up_ms / 1_000
        verdict, limit = grade(measured_s, limits, BELOW)
        why = f"{span_text(outing.warm_up_ms)} forward before the first backward bout on {day_text(outing.day)}."
        if verdict != OK and any(recording.warm_up_mark for recording in outing.recordings):
            verdict, why = INFO, why + " The athlete pressed the button for a warm-up done in another way."
        elif verdict != OK and (outing.hidden_ms is None or grade(measured_s + outing.hidden_ms / 1_000, limits, BELOW)[0] == OK):
            verdict, why = UNKNOWN, why + " Part of the session was not recorded, so it may have been more."
        yield Judgement(verdict, measured_s, limit, outing.id, why, "Walk and jog forward first, until warm.")


def cadence_jump(training: Training, limits: Limits) -> Iterator[Judgement]:
    """A session's median backward cadence against the median of those of the 28 days before."""
    with_cadence = [outing for outing in training.backward if outing.cadence_x10]
    first = bisect_left(with_cadence, training.since, key=Outing.day_of)
    before = sorted(outing.cadence_x10 for outing in with_cadence[:first])  # those of the days before, in order of size
    oldest = 0
    for outing in with_cadence[first:]:
        while outing.day - with_cadence[oldest].day > CADENCE_DAYS:
            before.pop(bisect_left(before, with_cadence[oldest].cadence_x10))
            oldest += 1
        usual = _middle(before) if before else None
        insort(before, outing.cadence_x10)
        if usual is None:
            continue
        percent = (outing.cadence_x10 - usual) * 100 / usual
        verdict, limit = grade(percent, limits)
        why = (
            f"Median backward cadence {outing.cadence_x10 / 10:.0f} steps a minute on {day_text(outing.day)}, {percent:+.1f} % against the "
            f"{CADENCE_DAYS} days before ({usual / 10:.0f})."
        )
        yield Judgement(verdict, round(percent, 2), limit, outing.id, why, STEADY)


def stretch(training: Training, limits: Limits) -> Iterator[Judgement]:
    """A stretch mark after the backward running. Its absence says something only of an athlete who uses the button for it."""
    is_used = any(_is_stretched(outing) for outing in training.backward)
    for place in training.judged:
        outing = training.backward[place]
        is_marked = _is_stretched(outing)
        if is_marked:
            verdict, why = OK, f"Stretching was marked after the session on {day_text(outing.day)}."
        elif is_used:
            verdict, why = WARN, f"No stretching was marked after the session on {day_text(outing.day)}, though it was after others."
        else:
            verdict, why = (
                INFO,
                f"No stretching was marked on {day_text(outing.day)}; the button was never used for it, so it may have been done.",
            )
        yield Judgement(verdict, int(is_marked), 1, outing.id, why, "Stretch the lower limbs afterwards, and press the button for it.")


def pain(training: Training, limits: Limits) -> Iterator[Judgement]:
    """What was noted about a session: pain, pain that lasted, limping, swelling."""
    for outing in training.outings:
        if outing.day < training.since:
            continue
        for recording in outing.recordings:
            said = [value for value in (recording.pain, recording.pain_next_day) if value is not None]
            if not said and not recording.limp and not recording.swelling:
                continue
            measured = max(said, default=None)
            verdict, limit = (OK, limits.warn) if measured is None else grade(measured, limits, FROM)
            words = [] if measured is None else [f"Pain {measured} of 10"]
            if recording.pain_next_day:
                words.append("not settled on the day after")
                verdict = WARN if verdict == OK else verdict
            words += [word for word, is_so in (("limping", recording.limp), ("swelling", recording.swelling)) if is_so]
            if recording.limp or recording.swelling:
                verdict, limit = FAIL, limits.fail
            why = f"{', '.join(words).capitalize()}, noted for the session on {day_text(outing.day)}."
            todo = "No backward running until it has settled; see somebody who treats it if it does not."
            yield Judgement(verdict, measured, limit, recording.id, why, todo)


def _is_stretched(outing: Outing) -> bool:
    return any(recording.stretch_mark for recording in outing.recordings)


def _middle(ordered: Sequence[int]) -> float:
    """The median of numbers in order of size."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
