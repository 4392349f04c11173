"""What session_spike compares a session with: the longest of the 30 days before. A session above the limit, a jump, counts as the one that
it was compared with, so that it does not raise what is allowed next.

A day whose sessions are known only as sums is one entry, its longest session. Days before that of the judged session are always taken so;
earlier sessions of the same day count one by one. The first known session counts as it is.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from retrostep.training.rules.part import ALL_PART, RUN_PART, Part, increase
from retrostep.training.rules.rule import RuleLimits, TrainingHistory, days, lowest_limit
from retrostep.training.training_session import TrainingSession

SPIKE_DAYS = 30


class Reference(NamedTuple):
    """The session, or the longest of a day, that later ones are compared with.

    ms, day         its time, and the day number that it was on
    counts_from     the day number from which on it counts for 30 days: that of the last jump from it, or its own
    contradiction   what devices contradict each other about, as a sentence; usually empty
    is_complete     whether it was recorded completely
    """

    ms: int
    day: int
    counts_from: int
    contradiction: str = ""
    is_complete: bool = True

    @property
    def is_after_jump(self) -> bool:
        """Whether a later session was a jump from it."""
        return self.counts_from != self.day


class References:
    """The references of a part of the backward time, day after day."""

    __slots__ = ("_days", "_floor_ms", "_percent", "_today", "_today_longest")

    def __init__(self, part: Part, limits: RuleLimits) -> None:
        self._percent, self._floor_ms = lowest_limit(limits), part.floor.inform_ms
        self._days: deque[Reference] = deque()  # of the last 30 days, each longer than all after it
        self._today: Reference | None = None
        self._today_longest: Reference | None = None

    def before(self, day: int) -> Reference | None:
        """What a next session on `day` is compared with; None without any. `day` is never before that of the last session."""
        if self._today_longest is not None and self._today_longest.day != day:
            self._append(self._counted(self._today_longest, self._of_days(self._today_longest.day)))
            self._today = self._today_longest = None
        return self._of_days(day) if self._today is None else self._today

    def add(self, own: Reference) -> None:
        """Add a session, or the longest one of a day. All added before are earlier."""
        before = self.before(own.day)
        counted = self._counted(own, before)
        self._today = counted if before is None or counted.ms >= before.ms else before
        if self._today_longest is None or own.ms >= self._today_longest.ms:
            self._today_longest = own

    def _of_days(self, day: int) -> Reference | None:
        longest = self._days
        while longest and day - longest[0].counts_from > SPIKE_DAYS:
            longest.popleft()
        return longest[0] if longest else None

    def _append(self, counted: Reference) -> None:
        longest = self._days
        while longest and longest[-1].ms <= counted.ms:
            longest.pop()
        longest.append(counted)

    def _counted(self, own: Reference, before: Reference | None) -> Reference:
        """What a session counts as: itself, or the one before it, from which it was a jump."""
        if before is None or self._percent is None or own.ms <= max(before.ms, self._floor_ms):
            return own
        return own if increase(own.ms, before.ms) <= self._percent else before._replace(counts_from=own.day)


def reference_ms(history: TrainingHistory, running: bool, day: int, limits: RuleLimits) -> int:
    """The time with which a session on `day`, after all others, is compared: of jogging and running, or all; in ms, 0 without any."""
    part = RUN_PART if running else ALL_PART
    references = References(part, limits)
    for each in history.earlier:
        if (own := part.of_day(each)).number and each.day < day:
            references.add(Reference(own.longest_ms, each.day, each.day))
    sessions = days(part.of(history), 0, day)
    for own_day, ms in _longest_by_day((each for each in sessions if each.day != day), part):
        references.add(Reference(ms, own_day, own_day))
    for session in days(sessions, day, day):
        references.add(Reference(part.ms(session), day, day))
    before = references.before(day)
    return 0 if before is None else before.ms


def _longest_by_day(sessions: Iterable[TrainingSession], part: Part) -> Iterable[tuple[int, int]]:
    """(day, time of the longest session of that day in ms) of sessions in order of their start."""
    longest: dict[int, int] = {}
    for session in sessions:
        ms = part.ms(session)
        if ms > longest.get(session.day, 0):
            longest[session.day] = ms
    return longest.items()
