"""Sessions as people and other programs see them."""

from datetime import UTC, datetime
from typing import Any

from retrostep_core.gait.codes import (
    ALERT_NAMES,
    CEILING,
    DIRECTION_NAMES,
    GAP_NAMES,
    PLACEMENT_NAMES,
    RAMP,
    SEVERITY_NAMES,
    SIDE_NAMES,
)
from retrostep_core.log.names import END_NAMES, MARK_NAMES, TRIGGER_NAMES
from retrostep_core.log.records import BY_BUTTON, BY_ITSELF

from retrostep.archive.names import session_id
from retrostep.archive.schema import SessionRow
from retrostep.archive.store import SessionDetail
from retrostep.output.terminal import local_time


def utc(at_ms: int | None) -> str | None:
    """A moment as ISO 8601 in UTC."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(row: SessionRow) -> str:
    """When a session was, in local time; what is not known is said."""
    if row.started_at_ms is not None:
        return local_time(row.started_at_ms) + (" (by hand)" if row.dated == "manual" else "")
    if row.not_before_ms is not None:
        return f"undated: {local_time(row.not_before_ms)} to {local_time(row.not_after_ms)}"
    return f"undated: by {local_time(row.not_after_ms)}"


def named(names: tuple[str, ...], code: int) -> str:
    """The name of a code; a code from a newer device is shown as its number."""
    return names[code] if 0 <= code < len(names) else str(code)


def session_dict(row: SessionRow, athlete: str | None) -> dict[str, Any]:
    """A session for `--json`: times in UTC, durations in s, cadence in steps a minute."""
    return {
        "session": session_id(row.device, row.number, row.nth_life),
        "device": row.device,
        "life": row.nth_life,
        "number": row.number,
        "athlete": athlete,
        "started": utc(row.started_at_ms),
        "dated": row.dated,
        "not_before": utc(row.not_before_ms),
        "not_after": utc(row.not_after_ms),
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
    }


def detail_dict(detail: SessionDetail) -> dict[str, Any]:
    """One whole session for `--json`."""
    row = detail.session
    return {
        **session_dict(row, detail.athlete),
        "clock_spread_s": row.clock_spread_ms / 1_000,
        "received": utc(row.received_at_ms),
        "boot": row.boot,
        "board": row.board,
        "core_version": row.core_version,
        "core_hash": row.core_hash,
        "placement": named(PLACEMENT_NAMES, row.placement),
        "side": named(SIDE_NAMES, row.side) or None,
        "started_by": named(TRIGGER_NAMES, row.trigger),
        "warm_up_s": row.warm_up_ms / 1_000,
        "longest_backward_s": row.longest_backward_ms / 1_000,
        "damaged_bytes": row.damage,
        "lost_records": row.lost_records,
        "contradictory": row.contradictory,
        "bouts": [
            {
                "start_s": bout.start_ms / 1_000,
                "end_s": bout.end_ms / 1_000,
                "direction": named(DIRECTION_NAMES, bout.direction),
                "steps": bout.steps,
                "cadence_spm": bout.cadence_mean_x10 / 10,
                "cadence_max_spm": bout.cadence_max_x10 / 10,
            }
            for bout in detail.bouts
        ],
        "epochs": [
            {
                "at_s": epoch.t_ms / 1_000,
                "forward_steps": epoch.forward_steps,
                "backward_steps": epoch.backward_steps,
                "unknown_steps": epoch.unknown_steps,
                "forward_s": epoch.forward_ms / 1_000,
                "backward_s": epoch.backward_ms / 1_000,
                "cadence_spm": epoch.cadence_x10 / 10,
                "peak_g": epoch.peak_mg / 1_000,
            }
            for epoch in detail.epochs
        ],
        "alerts_given": [
            {
                "at_s": alert.at_ms / 1_000,
                "kind": named(ALERT_NAMES, alert.kind),
                "severity": named(SEVERITY_NAMES, alert.severity),
                "measured": in_unit(alert.kind, alert.measured),
                "limit": in_unit(alert.kind, alert.limit),
                "unit": alert_unit(alert.kind),
            }
            for alert in detail.alerts
        ],
        "gaps": [{"from_s": gap.from_ms / 1_000, "to_s": gap.to_ms / 1_000, "reason": named(GAP_NAMES, gap.reason)} for gap in detail.gaps],
        "marks": [{"at_s": mark.at_ms / 1_000, "mark": named(MARK_NAMES, mark.mark)} for mark in detail.marks],
        "notes": [
            {
                "noted": utc(note.noted_at_ms),
                "pain": note.pain,
                "rpe": note.rpe,
                "next_day": note.next_day,
                "limp": note.limp,
                "swelling": note.swelling,
                "text": note.text,
            }
            for note in detail.notes
        ],
    }


def in_unit(kind: int, value: int) -> float:
    """An alert's number in the unit of `alert_unit`."""
    return value / 10 if kind in (RAMP, CEILING) else value


def alert_unit(kind: int) -> str:
    """The unit of an alert's numbers (FORMATS.md, record ALERT)."""
    return {RAMP: "%", CEILING: "steps/min"}.get(kind, "s")


def troubles(row: SessionRow) -> list[str]:
    """What keeps a session from being whole, in words."""
    found = []
    if row.gap_ms:
        found.append(f"{row.gap_ms / 1_000:.1f} s of samples missing in {row.gaps} gap{'s' if row.gaps > 1 else ''}")
    if row.end_reason not in (BY_ITSELF, BY_BUTTON):
        found.append(named(END_NAMES, row.end_reason) or "not ended when it was synced")
    if row.damage or row.lost_records:
        found.append(f"{row.damage} bytes of the log damaged, {row.lost_records} records lost")
    if row.contradictory:
        found.append("totals that contradict each other")
    if row.clock_spread_ms > 2_000:
        found.append(f"clock facts that differ by {row.clock_spread_ms / 1_000:.0f} s")
    return found
