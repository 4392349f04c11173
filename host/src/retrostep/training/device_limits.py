"""The alert limits that make a device enforce an athlete's plan, and where a device enforces others."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from retrostep_core.gait.limit_ranges import unpack_limits
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json, limits_to_json

from retrostep.archive.backward_gait import JOG, JOG_LEAST_SPM, WALK, WALK_MOST_SPM
from retrostep.archive.decision_tables import DeviceLimitsRow
from retrostep.archive.queries import Recording
from retrostep.training.finding import FAIL
from retrostep.training.plan import Planner
from retrostep.training.rules.catalog import BY_NAME
from retrostep.training.rules.execution import usual_cadence_x10
from retrostep.training.rules.rule import Rule, RuleLimits
from retrostep.units import duration

_MOST = {"session_warn_s": 65_535, "session_stop_s": 65_535, "warm_up_s": 65_535, "ceiling_warn_spm": 400, "ceiling_stop_spm": 400}
"""What a device takes at most (firmware, gait/limits.py)."""


def planned_limits(planner: Planner, limits_of: Callable[[Rule], RuleLimits]) -> Limits:
    """The limits for a device of the athlete.

    session    warns at the longest next session without a warning in the gait of the athlete's stage, stops where the check would fail
    warm_up    the limit of the rule warm_up
    ceiling    the usual cadence and the percentages of cadence_jump, in whole steps. Without a usual cadence: for a plan of walking,
               where walking ends and where jogging begins, because the device does not know the gait; otherwise the default
    ramp       the default: no rule of the check has a percentage for it (engineering)

    0 switches an alert off, so where no session is allowed its limit is 1 s.
    """
    gait = planner.stage()
    values: dict[str, float] = {"ceiling_warn_spm": WALK_MOST_SPM, "ceiling_stop_spm": JOG_LEAST_SPM} if gait == WALK else {}
    following = planner.next_session(gait)
    if following.most_s is not None:
        warn_s = max(1, following.most_s)
        stop_s = planner.allowance(following.day, gait, FAIL).most_s
        values |= {"session_warn_s": warn_s, "session_stop_s": max(warn_s, 2 * warn_s if stop_s is None else stop_s)}
    warm_up = limits_of(BY_NAME["warm_up"])
    values["warm_up_s"] = int(warm_up.warn or 0) if warm_up.enabled else 0
    usual_x10 = usual_cadence_x10(planner.history, following.day, gait >= JOG)
    jump = limits_of(BY_NAME["cadence_jump"])
    if usual_x10 is not None and jump.enabled:
        for name, percent in (("ceiling_warn_spm", jump.warn), ("ceiling_stop_spm", jump.fail)):
            values[name] = 0 if percent is None else int(usual_x10 * (1 + percent / 100) / 10 + 1e-6)
    limits: Limits = limits_from_json({name: min(value, _MOST[name]) for name, value in values.items()})
    return limits


@dataclass(frozen=True)
class DeviceLimits:
    """The limits of a device of an athlete.

    in_force   as far as they are known: sent to it, or recorded in its last log; None if neither
    planned    those of the athlete's plan
    waiting    limits that wait for the next sync; None if none wait
    to_settle  what has to settle before the athlete runs backward, as a sentence; empty if nothing has to
    """

    device: str
    in_force: Limits | None
    planned: Limits
    waiting: Limits | None
    to_settle: str = ""

    @property
    def differing(self) -> list[str]:
        """The JSON names of the limits that are others than the plan's; empty where it is not known."""
        if self.in_force is None:
            return []
        in_force, planned = limits_to_json(self.in_force), limits_to_json(self.planned)
        return [name for name in planned if in_force[name] != planned[name]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "device": self.device,
            "in_force": None if self.in_force is None else limits_to_json(self.in_force),
            "plan": limits_to_json(self.planned),
            "waiting": None if self.waiting is None else limits_to_json(self.waiting),
            "differing": self.differing,
        }


class KnownLimits:
    """The limits that are in force on devices, as far as the store knows."""

    def __init__(self, rows: Iterable[DeviceLimitsRow]) -> None:
        self._sent: dict[str, tuple[int, str]] = {}
        self._waiting: dict[str, str] = {}
        for row in rows:
            if row.sent_at_ms is not None:
                self._sent[row.device] = row.sent_at_ms, row.limits
            if row.is_waiting:
                self._waiting[row.device] = row.limits

    def of(self, device: str, recordings: Iterable[Recording], planned: Limits) -> DeviceLimits:
        """The limits of `device`. `recordings`: those of its athlete, in order of their start."""
        known = self._sent.get(device)
        for recording in recordings:
            if recording.device == device and recording.placed_at_ms >= (known[0] if known else 0):
                known = recording.placed_at_ms, recording.limits
        waiting = self._waiting.get(device)
        return DeviceLimits(device, _unpacked(known[1]) if known else None, planned, _unpacked(waiting) if waiting else None)


def _unpacked(packed: str) -> Limits | None:
    """Limits from their hex; None if this version cannot read them."""
    try:
        limits: Limits = unpack_limits(bytes.fromhex(packed))
    except ValueError:
        return None
    return limits


def limits_words(limits: Limits, only: Collection[str] | None = None) -> str:
    """`backward time 66 s, stop at 2 min; warm-up 5 min; cadence rise 10 %, stop at 15 % in 10 s; cadence 162, stop at 170 steps a minute`.

    only    JSON names of limits: the kinds without any of them are left out
    """
    values = limits_to_json(limits)

    def pair(warn: str, stop: str, shown: Callable[[float], str]) -> str:
        words = [*([shown(values[warn])] if values[warn] else []), *([f"stop at {shown(values[stop])}"] if values[stop] else [])]
        return ", ".join(words) or "off"

    session = pair("session_warn_s", "session_stop_s", lambda s: duration(round(1_000 * s)))
    rise = pair("ramp_warn_pct", "ramp_stop_pct", lambda percent: f"{percent:g} %")
    cadence = pair("ceiling_warn_spm", "ceiling_stop_spm", lambda spm: f"{spm:g}")
    warm_up = duration(1_000 * values["warm_up_s"]) if values["warm_up_s"] else "off"
    kinds = {
        f"backward time {session}": ("session_warn_s", "session_stop_s"),
        f"warm-up {warm_up}": ("warm_up_s",),
        f"cadence rise {rise} in {values['ramp_window_s']} s": ("ramp_window_s", "ramp_warn_pct", "ramp_stop_pct"),
        f"cadence {cadence} steps a minute": ("ceiling_warn_spm", "ceiling_stop_spm"),
    }
    return "; ".join(words for words, names in kinds.items() if only is None or not set(names).isdisjoint(only))
