"""Sessions as people and other programs read them."""

import json
from dataclasses import asdict
from typing import Any

from retrostep_core.code_names import (
    ALERT_NAMES,
    DIRECTION_NAMES,
    END_NAMES,
    GAP_NAMES,
    MARK_NAMES,
    SEVERITY_NAMES,
    SIDE_NAMES,
    START_NAMES,
)
from retrostep_core.codes import PLACEMENT_NAMES

from retrostep.archive.backward_gait import GAIT_NAMES
from retrostep.archive.corrections import EXCLUDED
from retrostep.archive.dating import has_latest_start
from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.queries import SessionDetail
from retrostep.archive.schema import AlertRow, BoutRow, EpochRow, HistoryRow, ImportRow, LoadRow, NoteRow, SessionRow
from retrostep.output.impacts import impacts
from retrostep.training.alert_limits import alert_limits
from retrostep.training.data_quality import quality_problems
from retrostep.units import alert_unit, alert_value, duration, local_time, named, quantity, utc


def when(row: SessionRow) -> str:
    """When a session started, in local time; for an undated one, its bounds."""
    if row.started_at_ms is not None:
        return local_time(row.started_at_ms) + (" (by hand)" if row.dated == "manual" else "")
    if not has_latest_start(row.not_after_ms, row.duration_ms):
        return "undated" if row.not_before_ms is None else f"undated: {local_time(row.not_before_ms)} or later"
    if row.not_before_ms is not None:
        return f"undated: {local_time(row.not_before_ms)} to {local_time(row.not_after_ms)}"
    return f"undated: by {local_time(row.not_after_ms)}"


def session_dict(row: SessionRow, athlete: str | None) -> dict[str, Any]:
    """A session for `--json`: times in UTC, durations in s, cadence in steps a minute."""
    return {
        "session": row.name,
        "device": row.device,
        "generation": row.nth_generation,
        "life": row.nth_generation,  # the field's first name, kept for programs that read it
        "number": row.number,
        "athlete": athlete,
        "started": utc(row.started_at_ms),
        "dated": row.dated,
        "not_before": utc(row.not_before_ms),
        "not_after": utc(row.not_after_ms) if has_latest_start(row.not_after_ms, row.duration_ms) else None,
        "duration_s": row.duration_ms / 1_000,
        "forward_s": row.forward_ms / 1_000,
        "backward_s": row.backward_ms / 1_000,
        "steps": {"forward": row.forward_steps, "backward": row.backward_steps, "unknown": row.unknown_steps},
        "backward_cadence_spm": row.backward_cadence_x10 / 10 if row.backward_cadence_x10 else None,
        "alerts": {"ramp_warn": row.ramp_warns, "ramp_stop": row.ramp_stops},
        "end": named(END_NAMES, row.end_reason) or None,
        "gap_s": row.gap_ms / 1_000,
        "damaged": bool(row.damage or row.lost_records),
        "pain": row.pain,
        "imported": row.device == IMPORTED,
        "excluded": row.excluded_why,
    }


def detail_dict(detail: SessionDetail) -> dict[str, Any]:
    """One session with everything that is stored about it, for `--json`."""
    row = detail.session
    return {
        **session_dict(row, detail.athlete),
        "clock_spread_s": row.clock_spread_ms / 1_000,
        "received": utc(row.received_at_ms),
        "boot": row.boot,
        "board": row.board,
        "core_version": row.core_version,
        "core_hash": row.core_hash,
        "placement": None if detail.imported else named(PLACEMENT_NAMES, row.placement),
        "side": named(SIDE_NAMES, row.side) or None,
        "mount": row.found_mount or row.mount,
        "declared_mount": row.mount,
        "started_by": named(START_NAMES, row.trigger),
        "warm_up_s": row.warm_up_ms / 1_000,
        "backward_walk_s": row.backward_walk_ms / 1_000,
        "backward_stage": GAIT_NAMES[row.backward_stage],
        "longest_backward_s": row.longest_backward_ms / 1_000,
        "damaged_bytes": row.damage,
        "lost_records": row.lost_records,
        "contradictory": row.contradictory,
        "limits": alert_limits(row.limits),
        "imported_from": _origin_dict(detail.imported),
        "bouts": [_bout_dict(bout) for bout in detail.bouts],
        "epochs": [_epoch_dict(epoch) for epoch in detail.epochs],
        "alerts_given": [_alert_dict(alert) for alert in detail.alerts],
        "gaps": [{"from_s": gap.from_ms / 1_000, "to_s": gap.to_ms / 1_000, "reason": named(GAP_NAMES, gap.reason)} for gap in detail.gaps],
        "impacts": [asdict(found) for found in impacts(detail.loads)],
        "loads": [_load_dict(load) for load in detail.loads],
        "marks": [{"at_s": mark.at_ms / 1_000, "mark": named(MARK_NAMES, mark.mark)} for mark in detail.marks],
        "notes": [_note_dict(note) for note in detail.notes],
    }


def _bout_dict(bout: BoutRow) -> dict[str, Any]:
    return {
        "start_s": bout.start_ms / 1_000,
        "end_s": bout.end_ms / 1_000,
        "direction": named(DIRECTION_NAMES, bout.direction),
        "steps": bout.steps,
        "cadence_spm": bout.cadence_mean_x10 / 10,
        "cadence_max_spm": bout.cadence_max_x10 / 10,
    }


def _epoch_dict(epoch: EpochRow) -> dict[str, Any]:
    return {
        "at_s": epoch.t_ms / 1_000,
        "forward_steps": epoch.forward_steps,
        "backward_steps": epoch.backward_steps,
        "unknown_steps": epoch.unknown_steps,
        "forward_s": epoch.forward_ms / 1_000,
        "backward_s": epoch.backward_ms / 1_000,
        "cadence_spm": epoch.cadence_x10 / 10,
        "peak_g": epoch.peak_mg / 1_000,
    }


def _alert_dict(alert: AlertRow) -> dict[str, Any]:
    return {
        "at_s": alert.at_ms / 1_000,
        "kind": named(ALERT_NAMES, alert.kind),
        "severity": named(SEVERITY_NAMES, alert.severity),
        "measured": alert_value(alert.kind, alert.measured),
        "limit": alert_value(alert.kind, alert.limit),
        "unit": alert_unit(alert.kind),
    }


def _load_dict(load: LoadRow) -> dict[str, Any]:
    return {
        "at_s": load.t_ms / 1_000,
        "direction": named(DIRECTION_NAMES, load.direction),
        "contacts": load.count + load.clipped,
        "clipped": load.clipped,
        "axial_mean_g": load.axial_mean_g8 / 8,
        "axial_max_g": load.axial_max_g8 / 8,
        "resultant_mean_g": load.resultant_mean_g8 / 8,
        "resultant_max_g": load.resultant_max_g8 / 8,
        "rise_mean_g_s": load.rise_mean_4g_s * 4,
        "rise_max_g_s": load.rise_max_4g_s * 4,
    }


def _note_dict(note: NoteRow) -> dict[str, Any]:
    return {
        "number": note.nth,
        "noted": utc(note.noted_at_ms),
        "pain": note.pain,
        "rpe": note.rpe,
        "next_day": note.next_day,
        "limp": note.limp,
        "swelling": note.swelling,
        "text": note.text,
    }


def _origin_dict(origin: ImportRow | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    return {"file": origin.file, "format": origin.format, "sport": origin.sport or None, "at": utc(origin.at_ms), "who": origin.who}


def origin_text(origin: ImportRow) -> str:
    """Where an imported session is from: `run.fit (FIT, running), on 2026-11-20 18:30 by coach`."""
    what = ", ".join(text for text in (origin.format, origin.sport) if text)
    return f"{origin.file} ({what}), on {local_time(origin.at_ms)} by {origin.who or 'unknown'}"


def shortcomings(row: SessionRow) -> list[str]:
    """What is missing, damaged or doubtful in a session, in words; empty for a complete one."""
    found = quality_problems(row, max_gap_ms=0)
    if row.clock_spread_ms > 2_000:
        found.append(f"clock readings differ by {duration(row.clock_spread_ms)}")
    return found


def limits_lines(packed: str) -> list[str]:
    """The alert limits that were in force on the device, a line for each kind: `cadence rise: warn 10 %, stop 15 % in 10 s`."""
    limits = alert_limits(packed)
    if limits is None:
        return ["not readable by this version"]
    return [
        _limit_pair("cadence rise", limits["ramp_warn_pct"], limits["ramp_stop_pct"], "%", f" in {limits['ramp_window_s']} s"),
        _limit_pair("cadence", limits["ceiling_warn_spm"], limits["ceiling_stop_spm"], "steps/min"),
        f"warm-up: {duration(limits['warm_up_s'] * 1_000) if limits['warm_up_s'] else 'off'}",
        _limit_pair("backward time", limits["session_warn_s"], limits["session_stop_s"], "s"),
    ]


def _limit_pair(name: str, warn: float, stop: float, unit: str, more: str = "") -> str:
    if not warn and not stop:
        return f"{name}: off"
    shown = [f"{severity} {quantity(value, unit) if value else 'off'}" for severity, value in (("warn", warn), ("stop", stop))]
    return f"{name}: {', '.join(shown)}{more}"


def still_counting(row: SessionRow) -> str:
    """What counts of an excluded session, after its reason: `; the note still counts: pain 6`. Empty without a note of pain."""
    pains = [pain for pain in (row.pain, row.pain_next_day) if pain is not None]
    words = noted(pain=max(pains, default=None), rpe=None, text="", next_day=False, limp=row.limp, swelling=row.swelling)
    return f"; the note still counts: {words}" if words else ""


def noted(*, pain: int | None, rpe: int | None, text: str, next_day: bool, limp: bool, swelling: bool) -> str:
    """A note in words: `pain 6 on the day after, RPE 7, limping, left calf tight`."""
    words = [f"pain {pain}{' on the day after' if next_day else ''}"] if pain is not None else []
    words += [f"RPE {rpe}"] if rpe is not None else []
    words += [word for word, is_so in (("limping", limp), ("swelling", swelling)) if is_so]
    words += [text] if text else []
    return ", ".join(words)


def history_dict(row: HistoryRow) -> dict[str, Any]:
    """One line of a session's history for `--json`."""
    before, after = json.loads(row.before), json.loads(row.after)
    return {"at": utc(row.at_ms), "who": row.who, "what": row.what, "before": before, "after": after, "why": row.why}


def history_text(row: HistoryRow) -> str:
    """One line of a session's history: `athlete: Ada -> Ben (typing error)`."""
    before, after = (_value_text(row.what, json.loads(text)) for text in (row.before, row.after))
    is_first_note = row.what.startswith("note") and row.before == "null"
    change = after if is_first_note else f"{before} -> {after}"
    return f"{row.what.replace('_', '-')}: {change}" + (f" ({row.why})" if row.why else "")


def _value_text(what: str, value: Any) -> str:
    """A value of the history in words."""
    if isinstance(value, dict):
        return noted(**value) or "empty"
    if what == "date":
        return "undated" if value is None else value if isinstance(value, str) else local_time(value)
    if what == EXCLUDED:
        return f"yes, {value}" if isinstance(value, str) else "yes" if value else "no"
    if what.startswith("note"):
        return "withdrawn"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not assigned" if value is None else str(value)
