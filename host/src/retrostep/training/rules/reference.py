"""What session_spike compares a session with: the longest of the 30 days before. A session above the limit, a jump, counts as the one that
it was compared with, so that it does not raise what is allowed next.

A day whose sessions are known only as sums is one entry, its longest session. Days before that of the judged session are always taken so;
earlier sessions of the same day count one by one. The first known session counts as it is.
"""

from collections import deque
from typing import NamedTuple

from retrostep.training.rules.part import ALL_PART, RUN_PART, Part, increase
from retrostep.training.rules.rule import RuleLimits, TrainingHistory, days, lowest_limit
from retrostep.training.training_day import TrainingDay
from retrostep.training.training_session import TrainingSession

SPIKE_DAYS = 30

_Counted = tuple[int, int, TrainingSession | TrainingDay]
"""(time in ms, day number, session or day): from that day on, for 30 days, the session counts with this time. Of a jump, the session is the
one that it was compared with."""


class Reference(NamedTuple):
    """The session, or the longest of a day, that another one is compared with.

    ms, day         its time, and the day number that it was on
    contradiction   what devices contradict each other about, as a sentence; usually empty
    is_complete     whether it was recorded completely
    is_after_jump   whether a later session was a jump from it
    """

    ms: int
    day: int
    contradiction: str
    is_complete: bool
    is_after_jump: bool


class References:
    """What the sessions of one part of the backward time are compared with, day after day."""

    __slots__ = ("_days", "_floor_ms", "_longest", "_part", "_percent", "_today")

    def __init__(self, part: Part, limits: RuleLimits) -> None:
        self._part, self._percent, self._floor_ms = part, lowest_limit(limits), part.floor.inform_ms
        self._days: deque[_Counted] = deque()  # of the last 30 days, each longer than all after it
        self._today: _Counted | None = None
        self._longest: _Counted | None = None  # session of today

    def add_day(self, ms: int, day: int, of: TrainingSession | TrainingDay) -> None:
        """Add the longest session of a day, after all days before."""
        counted = self._counted(ms, day, of, self._of_days(day))
        ms, kept = counted[0], self._days
        while kept and kept[-1][0] <= ms:
            kept.pop()
        kept.append(counted)

    def add(self, ms: int, session: TrainingSession) -> None:
        """Add a session, after all before it."""
        day, before = session.day, self.before(session.day)
        counted = self._counted(ms, day, session, before)
        self._today = counted if before is None or counted[0] >= before[0] else before
        if self._longest is None or ms >= self._longest[0]:
            self._longest = ms, day, session

    def before(self, day: int) -> _Counted | None:
        """What a next session on `day` is compared with; None without any. `day` is never before that of the last session."""
        if self._longest is not None and self._longest[1] != day:
            longest, self._today, self._longest = self._longest, None, None
            self.add_day(*longest)
        return self._of_days(day) if self._today is None else self._today

    def described(self, counted: _Counted) -> Reference:
        """The facts about what a session is compared with."""
        ms, day, of = counted
        if isinstance(of, TrainingSession):
            return Reference(ms, of.day, of.contradiction, of.unrecorded_ms == 0, day != of.day)
        return Reference(ms, of.day, "", self._part.of_day(of).is_complete, day != of.day)

    def _of_days(self, day: int) -> _Counted | None:
        kept = self._days
        while kept and day - kept[0][1] > SPIKE_DAYS:
            kept.popleft()
        return kept[0] if kept else None

    def _counted(self, ms: int, day: int, of: TrainingSession | TrainingDay, before: _Counted | None) -> _Counted:
        """What a session counts as: itself, or the one before it, from which it was a jump."""
        if before is None or ms <= before[0] or ms <= self._floor_ms or self._percent is None or increase(ms, before[0]) <= self._percent:
            return ms, day, of
        return before[0], day, before[2]


def reference_ms(history: TrainingHistory, running: bool, day: int, limits: RuleLimits) -> int:
    """The time with which a session on `day`, after all others, is compared: of jogging and running, or all; in ms, 0 without any."""
    part = RUN_PART if running else ALL_PART
    references = References(part, limits)
    for each in history.earlier:
        own = each.running if running else each.backward
        if own.number and each.day < day:
            references.add_day(own.longest_ms, each.day, each)
    sessions = days(part.of(history), 0, day)
    longest: dict[int, TrainingSession] = {}
    for session in sessions:
        other = longest.get(session.day)
        if other is None or part.ms(session) > part.ms(other):
            longest[session.day] = session
    for own_day, session in longest.items():
        if own_day < day:
            references.add_day(part.ms(session), own_day, session)
    for session in days(sessions, day, day):
        references.add(part.ms(session), session)
    before = references.before(day)
    return 0 if before is None else before[0]
