"""An activity as CSV, one line a second, and as JSON."""

import csv
import io
import json
from typing import Any

from retrostep.export.activity import Activity
from retrostep.units import utc

_COLUMNS = ("session", "athlete", "time", "t_s", "cadence_spm", "direction", "steps", "alert")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r")
"""With the full-width forms of the signs, which some spreadsheets read alike."""


def csv_bytes(activity: Activity) -> bytes:
    """A line for each second: time in UTC, cadence in steps a minute of both feet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for second in activity.seconds:
        writer.writerow(
            (
                activity.session,
                _cell(activity.athlete or ""),
                utc(activity.started_at_ms + second.at_ms),
                f"{second.at_ms / 1_000:g}",
                f"{second.cadence_spm:.1f}",
                second.direction,
                second.steps,
                second.alert,
            )
        )
    return out.getvalue().encode("utf-8")


def _cell(text: str) -> str:
    """A text that a person entered, which a spreadsheet must not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def json_bytes(activity: Activity) -> bytes:
    """The activity as activity.schema.json describes it."""
    return (json.dumps(activity_dict(activity), indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def activity_dict(activity: Activity) -> dict[str, Any]:
    """Times in s since the start and in UTC, cadence in steps a minute of both feet."""
    return {
        "format": "retrostep-activity",
        "version": 1,
        "session": activity.session,
        "device": activity.device,
        "athlete": activity.athlete,
        "started": utc(activity.started_at_ms),
        "duration_s": activity.duration_ms / 1_000,
        "forward_s": activity.forward_ms / 1_000,
        "backward_s": activity.backward_ms / 1_000,
        "steps": activity.steps,
        "cadence_spm": round(activity.cadence_spm, 1),
        "cadence_max_spm": round(activity.cadence_max_spm, 1),
        "tibial_peak_g": activity.tibial_peak_g,
        "rpe": activity.rpe,
        "pain": activity.pain,
        "notes": activity.notes,
        "laps": [
            {
                "start_s": lap.start_ms / 1_000,
                "end_s": lap.end_ms / 1_000,
                "direction": lap.direction,
                "intensity": lap.intensity,
                "steps": lap.steps,
                "cadence_spm": round(lap.cadence_spm, 1),
                "cadence_max_spm": round(lap.cadence_max_spm, 1),
                "tibial_peak_g": lap.tibial_peak_g,
            }
            for lap in activity.laps
        ],
        "seconds": [
            {
                "t_s": second.at_ms / 1_000,
                "cadence_spm": round(second.cadence_spm, 1),
                "direction": second.direction,
                "steps": second.steps,
                "alert": second.alert,
            }
            for second in activity.seconds
        ],
    }
