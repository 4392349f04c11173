"""The alert limits that were in force on a device while it recorded, and whether they were as strict as the default ones."""

from functools import lru_cache
from typing import Any

from retrostep_core.gait.limit_ranges import unpack_limits
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_to_json

DEFAULT_PACKED = Limits().pack().hex()
DEFAULT: dict[str, Any] = limits_to_json(Limits())
"""The limits of a device on which nobody set others, by their JSON names. The limits of the rule ramp_alerts are made for them."""


@lru_cache(maxsize=1_000)
def alert_limits(packed: str) -> dict[str, Any] | None:
    """The limits in a log's header (`SessionRow.limits`, in hex) by their JSON names; None if this version cannot read them.

    Percent, steps a minute and s; 0 means that the alert is off.
    """
    try:
        limits: dict[str, Any] = limits_to_json(unpack_limits(bytes.fromhex(packed)))
    except ValueError:
        return None
    return limits


@lru_cache(maxsize=1_000)
def missed_stops(packed: str) -> str:
    """Why a device may not have given a stop alert for rising cadence that the default limits require, as a phrase; usually empty.

    With a lower percentage or a longer window a device gives at least the alerts of the default limits, so nothing is missed then.
    """
    limits = alert_limits(packed)
    if limits is None:
        return "its alert limits cannot be read"
    if not limits["ramp_stop_pct"]:
        return "its stop alert for rising cadence was off"
    is_later = any(limits[name] > DEFAULT[name] for name in ("ramp_stop_pct", "ramp_warn_pct"))
    if is_later or limits["ramp_window_s"] < DEFAULT["ramp_window_s"]:
        return f"its limits for rising cadence were {_ramp_text(limits)}, not {_ramp_text(DEFAULT)}"
    return ""


def _ramp_text(limits: dict[str, Any]) -> str:
    return f"{limits['ramp_warn_pct']:g} and {limits['ramp_stop_pct']:g} % within {limits['ramp_window_s']} s"
