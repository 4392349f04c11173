"""The findings of data_quality: what could not be judged, and why."""

from dataclasses import replace

from retrostep.archive.dating import has_latest_start
from retrostep.archive.queries import Recording
from retrostep.errors import DoubtfulRecording, NotSynced, OtherCore, RetrostepError, Unassigned, Undated
from retrostep.training.data_quality import MAX_GAP_MS, Core, quality_problems
from retrostep.training.dates import day_of, day_text
from retrostep.training.finding import INFO, OK, ORDER, UNKNOWN, Finding
from retrostep.training.rules.catalog import QUALITY, QUALITY_SOURCE
from retrostep.training.rules.rule import ASK, DO
from retrostep.training.training_session import TrainingSession
from retrostep.units import count, local_time


def reading_order(finding: Finding) -> tuple[int, bool]:
    """Sort key: the worst first; of what is unknown, the reason before the rules that it leaves unknown."""
    return -ORDER[finding.weight], finding.weight == UNKNOWN and finding.rule != QUALITY


def recording_problems(recording: Recording, core: Core) -> tuple[str, ...]:
    """Why a recording cannot be judged, as phrases; usually nothing."""
    problems = quality_problems(recording)
    if core.is_foreign(recording.core_version):
        problems.append(f"recorded by firmware {recording.core_version}, which counts in another way than this computer's {core.text}")
    return tuple(problems)


def worst_of_recordings(recordings: list[Recording], core: Core) -> str:
    """`unknown` if any of them cannot be judged for certain, else `ok`."""
    return UNKNOWN if any(recording_problems(recording, core) for recording in recordings) else OK


def complete(recordings: list[Recording], days: str) -> Finding:
    """Every recording of `days` can be judged."""
    return _finding(OK, "complete", recordings[-1].id, f"{count(len(recordings), 'recording')} in {days}, complete and dated.")


def other_firmware(recordings: list[Recording], core: Core) -> Finding | None:
    """Which of the judged recordings were made by other firmware that counts alike; None where none was."""
    others = [each for each in recordings if core.is_other(each.core_version, each.core_hash)]
    if not others:
        return None
    names = sorted({f"{each.core_version} ({each.core_hash})" for each in others})
    which = f"{count(len(others), 'recording')} of {len(recordings)} by another firmware version: {', '.join(names)}."
    why = f"{which} It counts as this computer's does, {core.text} ({core.hash}), so the verdict stands."
    return replace(_finding(OK, "other firmware", others[-1].id, why), is_note=True)


def doubtful(problems: tuple[str, ...], recordings: list[Recording], core: Core, board: str = "") -> Finding:
    """`recordings`, all with the same `problems`, cannot be judged. `board`: the kind of board of the latest one, where it is known."""
    last = recordings[-1]
    measured = limit = None
    if last.gap_ms > MAX_GAP_MS:
        measured, limit = last.gap_ms / 1_000, MAX_GAP_MS / 1_000
    day = day_text(day_of(last.placed_at_ms))
    which = f"The recording on {day}" if len(recordings) == 1 else f"{len(recordings)} recordings, the latest on {day},"
    why = f"{which} cannot be judged for certain: {'; '.join(problems)}."
    if core.is_foreign(last.core_version):
        is_newer = core.is_newer(last.core_version)
        todo = "Update Retrostep on this computer: then they can be judged." if is_newer else "What is recorded afterwards can be judged."
        other = None if is_newer else OtherCore(why, **({"board": board} if board else {}))
        return _finding(UNKNOWN, "other firmware", last.id, why, todo, other, measured, limit, at_ms=last.placed_at_ms)
    doubt = DoubtfulRecording(why, session=last.id)
    headline = "log damaged" if last.damage or last.lost_records else "log incomplete"
    return _finding(UNKNOWN, headline, last.id, why, "", doubt, measured, limit, at_ms=last.placed_at_ms)


def contradictory(session: TrainingSession) -> Finding:
    """Devices contradict each other about a training session."""
    why = f"The session on {day_text(session.day)} cannot be judged for certain. {session.contradiction}"
    todo = "Find out which device the athlete wore, and on which leg."
    doubt = DoubtfulRecording(why, session=session.id)
    return _finding(UNKNOWN, "devices contradict", session.id, why, todo, doubt, step=ASK, at_ms=session.start_ms)


def undated(recording: Recording) -> Finding:
    """It is not known when `recording` was made."""
    has_latest = has_latest_start(recording.placed_at_ms, recording.duration_ms)
    latest = local_time(recording.placed_at_ms)
    if recording.not_before_ms is not None:
        earliest = local_time(recording.not_before_ms)
        why = f"only that it was between {earliest} and {latest}." if has_latest else f"only that it was after {earliest}."
    else:
        why = f"only that it was before {latest}." if has_latest else "because the computer's clock was wrong when it was received."
    why = f"It is not known when this session was, {why}"
    return _finding(
        UNKNOWN, "session undated", recording.id, why, "", Undated(why, session=recording.id), step=ASK, at_ms=recording.placed_at_ms
    )


def no_session(days: str, synced_on: int | None, *, is_imported: bool = False) -> Finding:
    """An athlete has no session of a device in `days`. `synced_on`: the day in them on which the athlete's device was last synced.

    `is_imported`: forward training in them was imported. It does not show what was run backward.
    """
    none = "No session but imported ones" if is_imported else "No session"
    if synced_on is not None:
        why = f"{none} in {days}. The device was last synced on {day_text(synced_on)}."
        return _finding(INFO, "no session", None, why, "Nothing to do. Sync if they trained since.")
    why = f"{none} in {days}, and no device of this athlete was synced in them. It is not known what was done."
    return _finding(UNKNOWN, "no data", None, why, "", NotSynced(why))


def unassigned(device: str, number: int, last: Recording, is_assigned: bool) -> Finding:
    """`number` sessions of `device` belong to no athlete. `is_assigned`: an athlete wears the device now or wore it once."""
    sessions = count(number, "session")
    if last.started_at_ms is None and is_assigned:
        why = f"{sessions} of device {device} may belong to one athlete or to another, because the date is not known."
        return _finding(UNKNOWN, "session undated", last.id, why, "", Undated(why, session=last.id))
    why = f"{sessions} of device {device} {'has' if number == 1 else 'have'} no athlete, so no athlete's limits were checked."
    return _finding(UNKNOWN, "no athlete", last.id, why, "", Unassigned(why, device=device))


def _finding(
    verdict: str,
    headline: str,
    session: str | None,
    why: str,
    todo: str = "",
    problem: RetrostepError | None = None,
    measured: float | None = None,
    limit: float | None = None,
    *,
    step: str = DO,
    at_ms: int | None = None,
) -> Finding:
    unit = "" if limit is None else "s"
    step = "" if verdict == OK else step
    return Finding(
        QUALITY,
        verdict,
        measured,
        limit,
        unit,
        session,
        why,
        QUALITY_SOURCE,
        todo,
        problem,
        headline=headline,
        step=step,
        started_at_ms=at_ms,
    )
