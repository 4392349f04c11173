"""Rules about how a session was done: warm-up, cadence, stretching, and pain afterwards."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from functools import partial
from operator import itemgetter

from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.queries import Recording
from retrostep.training.alert_limits import DEFAULT_PACKED, missed_stops
from retrostep.training.dates import day_of, day_start_ms, day_text
from retrostep.training.finding import FAIL, INFO, OK, UNKNOWN, WARN
from retrostep.training.rules.floor import BACKWARD, RUNNING
from retrostep.training.rules.rule import (
    ASK,
    BELOW,
    DO,
    FROM,
    REFER,
    WEEK_DAYS,
    Explanation,
    Judgement,
    Proposal,
    RuleLimits,
    TrainingHistory,
    grade,
    lowest_limit,
    may_exceed,
)
from retrostep.training.training_session import TrainingSession
from retrostep.units import cadence, clock, count, duration

CADENCE_DAYS = 28
_NO_DEVICE = "it was imported, so no device gave alerts"
_SLOWER = "Raise backward cadence more slowly. Slow down when the device vibrates."


def ramp_alerts(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """Number of stop alerts that the device gave because backward cadence rose too fast."""
    for session in history.judged_sessions(_has_plain_limits):
        number = session.ramp_stops
        verdict, limit = grade(number, limits, FROM)
        # Usually one recording with the default limits: then nothing was missed.
        reasons = _missed_stops(session)
        if session.contradiction or (reasons and verdict == OK):
            verdict = UNKNOWN
        yield Judgement(verdict, number, limit, session, partial(_explain_ramp, session, reasons))


def _has_plain_limits(session: TrainingSession) -> bool:
    """Whether it is one recording by a device with the default limits, which gave no stop alert."""
    main = session.main_recording
    return not session.ramp_stops and len(session.recordings) == 1 and main.limits == DEFAULT_PACKED and main.device != IMPORTED


def _explain_ramp(session: TrainingSession, reasons: list[str]) -> Explanation:
    why = f"The device gave {count(session.ramp_stops, 'stop alert')} for rising cadence on {day_text(session.day)}."
    if session.contradiction:
        why += f" {session.contradiction}"
    elif reasons:
        why += f" There may have been cause for more: {'; '.join(reasons)}."
    return Explanation(count(session.ramp_stops, "stop alert"), why, _SLOWER, DO)


def warm_up(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """Forward time before the first backward bout, in s."""
    if limits.warn is None and limits.fail is None:
        return
    least_ms = 1_000 * max(limit for limit in (limits.warn, limits.fail) if limit is not None)
    for session in history.judged_sessions(lambda each: len(each.recordings) == 1 and each.main_recording.warm_up_ms >= least_ms):
        warm_up_ms = session.warm_up_ms
        measured_s = warm_up_ms / 1_000
        verdict, limit = grade(measured_s, limits, BELOW)
        reason = ""
        most_s = None if session.unrecorded_ms is None else measured_s + session.unrecorded_ms / 1_000
        if verdict != OK and any(recording.warm_up_mark for recording in session.recordings):
            verdict, reason = INFO, " The athlete pressed the button for another warm-up."
        elif verdict != OK and (most_s is None or not may_exceed(most_s, limits, BELOW)):
            verdict = UNKNOWN
            reason = f" {session.contradiction}" if session.contradiction else " Part of it was not recorded, so it may have been more."
        yield Judgement(verdict, measured_s, limit, session, partial(_explain_warm_up, session, warm_up_ms, reason))


def _explain_warm_up(session: TrainingSession, warm_up_ms: int, reason: str) -> Explanation:
    why = f"{duration(warm_up_ms)} forward before the first backward bout on {day_text(session.day)}.{reason}"
    return Explanation(f"warm-up {clock(warm_up_ms)}", why, "Walk and jog forward first, until warm.", DO)


def cadence_jump(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """A session's median backward cadence compared with the median of the sessions of the 28 days before, in percent.

    Sessions that were mostly walking are compared with such sessions, others with others.
    """
    sessions = [session for session in history.backward if session.cadence_x10]
    for is_running in (True, False):
        earlier = [(day.day, day.cadences[is_running]) for day in history.earlier]
        group = [session for session in sessions if session.is_mostly_running == is_running] if history.has_walking else sessions
        yield from _jumps(earlier, group, history.since, limits, history.skips_ok)
        if not history.has_walking:
            break


def _jumps(
    earlier: list[tuple[int, Sequence[int]]], sessions: list[TrainingSession], since: int, limits: RuleLimits, skips_ok: bool
) -> Iterator[Judgement]:
    lowest = lowest_limit(limits)
    first = bisect_left(sessions, since, key=TrainingSession.day_of)
    entries = [*earlier, *((session.day, (session.cadence_x10,)) for session in sessions)]
    oldest, end = 0, len(earlier) + first
    if first < len(sessions):
        oldest = bisect_left(entries, sessions[first].day - CADENCE_DAYS, hi=end, key=itemgetter(0))
    # Cadences of the last 28 days, in order of size. 0: without cadence.
    before = sorted(cadence for _, cadences in entries[oldest:end] for cadence in cadences if cadence)
    for session in sessions[first:]:
        while session.day - entries[oldest][0] > CADENCE_DAYS:
            for old in filter(None, entries[oldest][1]):
                before.pop(bisect_left(before, old))
            oldest += 1
        usual_x10 = _median(before) if before else None
        insort(before, session.cadence_x10)
        if usual_x10 is None:
            continue
        percent = (session.cadence_x10 - usual_x10) * 100 / usual_x10
        is_below = lowest is None or percent <= lowest
        if skips_ok and is_below and session is not sessions[-1] and not session.contradiction:
            continue
        by_limits, limit = grade(percent, limits)
        is_running = session.is_mostly_running
        floor, ms = (RUNNING, session.running_ms) if is_running else (BACKWARD, session.backward_ms)
        verdict = by_limits if by_limits == OK else floor.capped(by_limits, ms)
        reason = floor.text(verdict, by_limits)
        if session.contradiction:
            verdict, reason = UNKNOWN, f" {session.contradiction}"
        yield Judgement(verdict, round(percent, 2), limit, session, partial(_explain_jump, session, percent, usual_x10, reason))


def _explain_jump(session: TrainingSession, percent: float, usual_x10: float, reason: str) -> Explanation:
    why = (
        f"Median backward cadence {cadence(session.cadence_x10)} on {day_text(session.day)}, {percent:+.1f} % compared with the "
        f"{CADENCE_DAYS} days before ({usual_x10 / 10:.0f}).{reason}"
    )
    return Explanation(f"cadence {percent:+.0f} %", why, _SLOWER)


def usual_cadence_x10(history: TrainingHistory, day: int, is_running: bool) -> float | None:
    """The median backward cadence of the 28 days before `day`, of the sessions that cadence_jump compares with; None without any."""
    found = (session for session in history.backward if day - session.day <= CADENCE_DAYS and session.is_mostly_running == is_running)
    values = [session.cadence_x10 for session in found]
    for each in history.earlier_between(day - CADENCE_DAYS, day):
        values += each.cadences[is_running]
    values = sorted(filter(None, values))
    return _median(values) if values else None


def stretch(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """Whether stretching was marked after a session. A missing mark warns only if the athlete uses the button for it."""
    is_used = any(session.is_stretched for session in history.backward) or any(day.is_stretched for day in history.earlier)
    for session in history.judged_sessions(lambda each: each.is_stretched):
        is_marked = session.is_stretched
        verdict = OK if is_marked else WARN if is_used else INFO
        yield Judgement(verdict, int(is_marked), 1, session, partial(_explain_stretch, session, verdict))


def _explain_stretch(session: TrainingSession, verdict: str) -> Explanation:
    day = day_text(session.day)
    why = {
        OK: f"Stretching was marked after the session on {day}.",
        WARN: f"No stretching was marked after the session on {day}, but it was after others.",
        INFO: f"No stretching was marked on {day}. The button was never used for it, so it may have been done.",
    }[verdict]
    return Explanation("no stretch marked", why, "Stretch the lower limbs afterwards, and press the button for it.", DO)


UNSETTLED_DAYS = 30
"""Pain is shown for so long if no later note says that it has settled. An engineering number."""


def pain(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """What was noted about a session: pain from 0 to 10, pain on the day after, limping, swelling.

    An undated session is judged by its latest possible day. The notes of an excluded session count too. Without a note in the judged days,
    the last one before them warns if it was a warning or a failure: nothing shows that it has settled.
    """
    noted = history.noted_recordings(history.since, history.on)
    for recording in noted:
        verdict, measured, limit = _graded_pain(recording, limits)
        yield Judgement(verdict, measured, limit, recording, partial(_explain_pain, history, recording, measured, verdict))
    if not noted:
        yield from _unsettled(history, limits)


def _graded_pain(recording: Recording, limits: RuleLimits) -> tuple[str, int | None, float | None]:
    """(verdict, pain, limit) of what was noted about a recording. The limit is None where the verdict is not that of the number."""
    pains = [value for value in (recording.pain, recording.pain_next_day) if value is not None]
    most = max(pains, default=None)
    verdict, limit = (OK, None) if most is None else grade(most, limits, FROM)
    if recording.limp or recording.swelling:
        return FAIL, most, limit if verdict == FAIL else None
    if recording.pain_next_day and verdict == OK:
        return WARN, most, None
    return verdict, most, limit


def _unsettled(history: TrainingHistory, limits: RuleLimits) -> Iterator[Judgement]:
    """A warning about the last note before the judged days, if that was a warning or a failure."""
    first_ms, end_ms = day_start_ms(history.on - UNSETTLED_DAYS), day_start_ms(history.since)
    last = next((each for each in reversed(history.noted) if first_ms <= each.placed_at_ms < end_ms), None)
    if last is None or (last.pain_next_day == 0 and not last.limp and not last.swelling):
        return
    verdict, measured, limit = _graded_pain(last, limits)
    if verdict != OK:
        yield Judgement(WARN, measured, limit, last, partial(_explain_pain, history, last, measured, WARN, is_old=True))


def _explain_pain(history: TrainingHistory, recording: Recording, measured: int | None, verdict: str, is_old: bool = False) -> Explanation:
    words = [] if measured is None else [f"pain {measured} of 10"]
    short = [] if measured is None else [f"pain {measured}"]
    if recording.pain_next_day:
        words.append("not settled on the day after")
        short.append("next day")
    found = [word for word, is_so in (("limping", recording.limp), ("swelling", recording.swelling)) if is_so]
    is_dated = recording.started_at_ms is not None
    which = f"the session on {day_text(day_of(recording.placed_at_ms))}" if is_dated else f"the undated session {recording.id}"
    left_out = ", which is excluded: only its notes count" if recording in history.left_out else ""
    why = f"{', '.join(words + found).capitalize()}, noted for {which}{left_out}."
    if is_old:
        short.append("not noted as settled")
        why += " No later note says that it has settled."
    if verdict == FAIL:
        todo = "Send the athlete to a doctor or physiotherapist. No backward running until they agree to it."
        return Explanation(", ".join(found + short), why, todo, REFER)
    todo = "No backward running until it has settled. Ask the athlete how it is. If it does not settle, see a doctor or physiotherapist."
    return Explanation(", ".join(found + short), why, todo, ASK)


def to_settle(history: TrainingHistory, limits: RuleLimits) -> str:
    """What was noted last and has to settle before the next session, as a sentence; empty if nothing has to."""
    judgements = [judgement for judgement in pain(history, limits) if judgement.verdict in (WARN, FAIL)]
    return judgements[-1].explain().why if judgements else ""


def most_by_pain(history: TrainingHistory, limits: RuleLimits, next_: Proposal) -> int | None:
    """0 while noted pain is judged: it has not settled as far as anybody noted."""
    noted = history.noted_recordings(next_.day - WEEK_DAYS + 1, next_.day)
    return 0 if any(next_.is_refused(_graded_pain(recording, limits)[0]) for recording in noted) else None


def _missed_stops(session: TrainingSession) -> list[str]:
    """Why the recordings with backward running may lack stop alerts, as phrases; usually none."""
    recordings = [recording for recording in session.recordings if recording.backward_ms]
    reasons = ((each, _NO_DEVICE if each.device == IMPORTED else missed_stops(each.limits)) for each in recordings)
    return [f"in recording {each.id}, {reason}" for each, reason in reasons if reason]


def _median(ordered: Sequence[int]) -> float:
    """The median of numbers in order of size."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
