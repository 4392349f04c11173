"""What a coach wants to know of an athlete at one glance: what changed, the load of the week, what may be done next."""

from dataclasses import dataclass, field
from typing import Any

from retrostep.archive.backward_gait import GAIT_NAMES
from retrostep.training.device_limits import DeviceLimits
from retrostep.training.finding import FAIL, ORDER, UNKNOWN, WARN
from retrostep.training.plan import Allowance, Planner
from retrostep.training.rules.rule import TrainingHistory
from retrostep.training.rules.week import WeekLoad

NEW, WORSE, BETTER, SAME = "new", "worse", "better", "same"
CHANGE_ORDER = {NEW: 0, WORSE: 1, SAME: 2, BETTER: 3}


@dataclass(frozen=True, slots=True)
class Review:
    """One athlete at a glance.

    change              NEW: a warning or failure that was not there a week ago, or the first data; WORSE, BETTER or SAME than then
    before              the verdict a week ago; None where there was no session in that week
    load                the last 7 days
    next_session        the next session in the gait of the athlete's stage
    after_jump          what to know where `next_session` follows from a jump, as sentences; else empty
    to_settle           what was noted and has to settle before it, as a sentence; empty if nothing has to
    stage               the stage that was done twice (backward_gait)
    pain                the worst pain noted in the judged days, 0 to 10; None without a note
    is_hurt             whether limping or swelling was noted in them
    days_without_data   days since the last recorded session or sync; None where there was none in the 30 days before
    devices             the alert limits of the devices that the athlete wears
    """

    change: str
    before: str | None
    load: WeekLoad
    next_session: Allowance
    to_settle: str
    stage: int
    pain: int | None
    is_hurt: bool
    days_without_data: int | None
    devices: list[DeviceLimits] = field(default_factory=list)
    after_jump: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For `check --json`."""
        load = self.load
        return {
            "change": self.change,
            "before": self.before,
            "load": {"seconds_by_day": [ms / 1_000 for ms in load.by_day_ms], "seconds": load.now_ms / 1_000, "limit_s": load.limit_s},
            "next_session": self.next_session.as_dict(),
            "after_jump": self.after_jump or None,
            "to_settle": self.to_settle or None,
            "stage": GAIT_NAMES[self.stage],
            "pain": self.pain,
            "limp_or_swelling": self.is_hurt,
            "days_without_data": self.days_without_data,
            "devices": [device.as_dict() for device in self.devices],
        }


def change_since(before: str | None, now: str, has_data: bool) -> str:
    """How a verdict changed within a week. `before` None: there was no session in that week; `has_data`: there is one now.

    What cannot be judged any more has not become better.
    """
    if before is None:
        return NEW if has_data else SAME
    if now in (WARN, FAIL) and before not in (WARN, FAIL):
        return NEW
    if ORDER[now] == ORDER[before] or (now == UNKNOWN and before in (WARN, FAIL)):
        return SAME
    return WORSE if ORDER[now] > ORDER[before] else BETTER


def noted_pain(history: TrainingHistory) -> tuple[int | None, bool]:
    """(worst pain, whether limping or swelling was noted) of the judged days."""
    recordings = history.judged_recordings()
    pains = [pain for recording in recordings for pain in (recording.pain, recording.pain_next_day) if pain is not None]
    return max(pains, default=None), any(recording.limp or recording.swelling for recording in recordings)


def days_without_data(history: TrainingHistory, synced_on: int | None) -> int | None:
    """Days since the last session that a device recorded, or since the last sync of the athlete's device."""
    known = [day for day in (history.last_recorded_day, synced_on) if day is not None]
    return history.on - min(history.on, max(known)) if known else None


def review(
    history: TrainingHistory,
    planner: Planner,
    load: WeekLoad,
    change: str,
    before: str | None,
    synced_on: int | None,
    devices: list[DeviceLimits],
) -> Review:
    """The review of one athlete."""
    pain, is_hurt = noted_pain(history)
    stage = planner.stage()
    days = days_without_data(history, synced_on)
    following = planner.next_session(stage)
    return Review(change, before, load, following, planner.to_settle, stage, pain, is_hurt, days, devices, planner.after_jump)
