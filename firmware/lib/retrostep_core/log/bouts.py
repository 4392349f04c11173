"""Bouts: unbroken stretches of one direction, reported once they have ended; and the median cadence of an epoch."""

from array import array

from ..constants import const
from .records import U16, clip

# As in retrostep_core/codes.py. A private constant takes no memory.
_STILL = const(3)
# A stretch of this length, or of this many steps, is a bout of its own.
_BOUT_MS = const(3000)
_BOUT_STEPS = const(4)
# Stretches that may be undecided. With one more the newest counts as a bout.
_UNDECIDED_MOST = const(8)
# Newest steps that can still change their side of a boundary.
_STEPS_KEPT = const(128)
# Newest cadences of an epoch, for their median.
_CADENCES_KEPT = const(64)


class _Stretch:
    """A time of one direction; `first` is the number of steps before it. The cadences are those reported during it, in 0.1 a minute."""

    def __init__(self, start_ms: int, direction: int, first: int):
        self.start_ms = start_ms
        self.direction = direction
        self.first = first
        self.cadence_sum_x10 = 0
        self.cadence_count = 0
        self.cadence_max_x10 = 0

    def add(self, other):
        """The cadences of `other` were reported during this one too."""
        self.cadence_sum_x10 += other.cadence_sum_x10
        self.cadence_count += other.cadence_count
        self.cadence_max_x10 = max(self.cadence_max_x10, other.cadence_max_x10)


class Bouts:
    """Bouts of forward, backward or unknown direction, from steps, directions and cadences.

    1. A bout lasts at least 3 s or has at least 4 steps.
    2. A shorter stretch of another direction does not break it; its steps count in it.
    3. Standing still for 3 s or more ends a bout at the moment when the standing began.
    4. A late direction (`since_ms` in the past) moves a boundary until the stretch after it is a bout itself.

    Times are ms since the session's start.
    report(start_ms, end_ms, direction, steps, cadence_mean_x10, cadence_max_x10) is called for every bout, in order. A cadence of 0
    means that none was reported.
    """

    def __init__(self, report):
        self._report = report
        self._step_ms = array("I", bytes(4 * _STEPS_KEPT))
        self._steps = 0
        # The bout under way, and the undecided stretches after it.
        self._stretches = []

    def begin(self, direction: int):
        """A new session, which starts in `direction`."""
        self._steps = 0
        self._stretches = [_Stretch(0, direction, 0)]

    def step(self, t_ms: int):
        """A step of either foot; step times rise."""
        self._step_ms[self._steps % _STEPS_KEPT] = t_ms
        self._steps += 1
        if len(self._stretches) > 1:
            self._check_newest(t_ms)

    def cadence(self, cadence_x10: int):
        """A cadence in 0.1 steps a minute; 0 does not count."""
        if cadence_x10 > 0:
            stretch = self._stretches[-1]
            stretch.cadence_sum_x10 += cadence_x10
            stretch.cadence_count += 1
            if cadence_x10 > stretch.cadence_max_x10:
                stretch.cadence_max_x10 = cadence_x10

    def direction(self, since_ms: int, direction: int):
        """From `since_ms` on everything has this direction."""
        stretches = self._stretches
        while stretches and stretches[-1].start_ms >= since_ms:
            stretches.pop()
        if not stretches or stretches[-1].direction != direction:
            stretches.append(_Stretch(since_ms, direction, self._steps_before(since_ms)))
        if len(stretches) > _UNDECIDED_MOST:
            self._accept_newest()

    def tick(self, now_ms: int):
        """Time passes, with or without steps."""
        if len(self._stretches) > 1:
            self._check_newest(now_ms)

    def finish(self, end_ms: int):
        """The session has ended: report the bout under way."""
        if len(self._stretches) > 1:
            self._check_newest(end_ms)
        after = self._stretch_after_bout()
        if after is None:
            self._end_bout(end_ms, self._steps)
        else:
            self._end_bout(min(after.start_ms, end_ms), self._steps_before(after.start_ms))
        self._stretches = self._stretches[:1]

    def _steps_before(self, t_ms: int) -> int:
        """How many steps were taken before `t_ms`."""
        count = self._steps
        oldest = max(0, count - _STEPS_KEPT)
        while count > oldest and self._step_ms[(count - 1) % _STEPS_KEPT] >= t_ms:
            count -= 1
        return count

    def _check_newest(self, now_ms: int):
        newest = self._stretches[-1]
        if now_ms - newest.start_ms >= _BOUT_MS or self._steps - self._steps_before(newest.start_ms) >= _BOUT_STEPS:
            self._accept_newest()

    def _accept_newest(self):
        """The newest stretch is long enough: it continues the bout, or ends it and is the next one."""
        bout = self._stretches[0]
        newest = self._stretches[-1]
        if newest.direction == bout.direction:
            for stretch in self._stretches[1:]:
                bout.add(stretch)
            self._stretches = [bout]
            return
        end_ms = self._stretch_after_bout().start_ms
        self._end_bout(end_ms, self._steps_before(end_ms))
        newest.first = self._steps_before(newest.start_ms)
        self._stretches = [newest]

    def _stretch_after_bout(self):
        """Merge what belongs to the bout, up to the last stretch of its direction. The stretch after that is returned, or None."""
        bout = self._stretches[0]
        last = 0
        for i in range(1, len(self._stretches)):
            if self._stretches[i].direction == bout.direction:
                last = i
        for stretch in self._stretches[1 : last + 1]:
            bout.add(stretch)
        return self._stretches[last + 1] if last + 1 < len(self._stretches) else None

    def _end_bout(self, end_ms: int, steps: int):
        bout = self._stretches[0]
        steps -= bout.first
        if bout.direction == _STILL or (end_ms - bout.start_ms < _BOUT_MS and steps < _BOUT_STEPS):
            return
        count = bout.cadence_count
        mean_x10 = (bout.cadence_sum_x10 + count // 2) // count if count else 0
        self._report(bout.start_ms, max(end_ms, bout.start_ms), bout.direction, steps, mean_x10, bout.cadence_max_x10)


class CadenceMedian:
    """Median of the last 64 cadences, in 0.1 steps a minute. Memory is allocated once."""

    def __init__(self):
        self._values = array("H", bytes(2 * _CADENCES_KEPT))
        self._count = 0

    def add(self, cadence_x10: int):
        """Take one cadence; 0 (no cadence) does not count."""
        if cadence_x10 > 0:
            self._values[self._count % _CADENCES_KEPT] = clip(cadence_x10, U16)
            self._count += 1

    def clear(self):
        """Forget all of them."""
        self._count = 0

    def median(self) -> int:
        """The upper median, 0 if there was no cadence. It sorts the values, so clear() must follow."""
        count = min(self._count, _CADENCES_KEPT)
        if count == 0:
            return 0
        values = self._values
        # Insertion sort in place: a few dozen values every 10 s.
        for i in range(1, count):
            value = values[i]
            k = i
            while k and values[k - 1] > value:
                values[k] = values[k - 1]
                k -= 1
            values[k] = value
        return values[count // 2]
