"""Recordings for tests of the rules, without a log or a store."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from retrostep.archive.backward_gait import JOG, NONE, RUN, WALK
from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.queries import COMPLETE_ENDS, NOT_RECORDED, OUTLINE, PARTIAL, STRETCHED, UNDATED, Recording
from retrostep.training.data_quality import Core
from retrostep.training.rules.rule import TrainingHistory
from retrostep.training.training_session import training_sessions
from retrostep_core.codes import END_STILLNESS
from retrostep_core.gait.limits import Limits

TODAY = date(2026, 11, 22)
CORE = Core((0, 1, 0), "00112233aabbccdd")
DAY_MS = 86_400_000
NOON_MS = int(datetime(TODAY.year, TODAY.month, TODAY.day, 12).timestamp() * 1_000)
"""Noon of TODAY, local time."""


def recording(days_ago: float, backward_s: float, **fields: object) -> Recording:
    """A complete recording at noon, local time, that many days before TODAY."""
    start = datetime(TODAY.year, TODAY.month, TODAY.day, 12) - timedelta(days=days_ago)
    start_ms = int(start.timestamp() * 1_000)
    values: dict[str, object] = {
        "athlete_id": 1,
        "device": "a1",
        "number": 1,
        "started_at_ms": start_ms,
        "not_before_ms": start_ms,
        "placed_at_ms": start_ms,
        "duration_ms": 1_500_000,
        "forward_ms": 900_000,
        "backward_ms": int(backward_s * 1_000),
        "first_backward_ms": 600_000 if backward_s else None,
        "warm_up_ms": 600_000,
        "backward_walk_ms": 0,
        "backward_stage": JOG if backward_s else NONE,
        "backward_contacts": 0,
        "backward_impact_g8": 0,
        "backward_cadence_x10": 1_500 if backward_s else 0,
        "ramp_stops": 0,
        "warm_up_mark": False,
        "stretch_mark": False,
        "pain": None,
        "pain_next_day": None,
        "limp": False,
        "swelling": False,
        "gap_ms": 0,
        "gap_reasons": 0,
        "end_reason": END_STILLNESS,
        "damage": 0,
        "lost_records": 0,
        "contradictory": False,
        "core_version": "0.1.0",
        "core_hash": CORE.hash,
        "limits": Limits().pack().hex(),
    }
    return Recording(**{**values, **fields})  # type: ignore[arg-type]


def history_of(recordings: Sequence[Recording], judged_days: int = 7) -> TrainingHistory:
    """The history of a check on TODAY that judges so many days."""
    ordered = sorted(recordings, key=lambda each: each.placed_at_ms)
    on = TODAY.toordinal()
    noted = [each for each in ordered if each.pain is not None or each.limp or each.swelling]
    return TrainingHistory(on, on - judged_days + 1, training_sessions(ordered), [], noted=noted)


def outline(recording: Recording) -> tuple[int, ...]:
    """A recording as `queries.OUTLINE` has it."""
    is_partial = recording.end_reason not in COMPLETE_ENDS or recording.gap_ms or recording.damage or recording.lost_records
    flags = PARTIAL if is_partial or recording.contradictory else 0
    flags += (STRETCHED if recording.stretch_mark else 0) + (UNDATED if recording.started_at_ms is None else 0)
    flags += NOT_RECORDED if recording.device == IMPORTED and not recording.backward_ms else 0
    return (*(getattr(recording, name) for name in OUTLINE[:-1]), flags)


def walking(days_ago: float, backward_s: float, **fields: object) -> Recording:
    """As `recording`, walking."""
    gait = {"backward_walk_ms": int(backward_s * 1_000), "backward_stage": WALK, "backward_cadence_x10": 1_000}
    return recording(days_ago, backward_s, **{**gait, **fields})


def running(days_ago: float, backward_s: float, **fields: object) -> Recording:
    """As `recording`, which is jogging, but running."""
    return recording(days_ago, backward_s, **{"backward_stage": RUN, "backward_cadence_x10": 1_900, **fields})
