"""Bouts: unbroken stretches of one direction, told once they are over."""

from array import array

_SETTLE_MS = 3000
_SETTLE_STEPS = 4
_MOST = 8  # stretches that may stay undecided; then the last one is taken as it is
_HELD = 128  # steps that can still be put on one side of a boundary or the other
_STILL = 3


class _Stretch:
    def __init__(self, start_ms: int, direction: int, first: int):
        self.start_ms = start_ms
        self.direction = direction
        self.first = first  # number of steps before it
        self.sum_x10 = 0
        self.count = 0
        self.max_x10 = 0


class Bouts:
    """Stretches of forward, backward or unknown direction of at least 3 s or 4 steps; shorter ones of another direction break none.

    Standing still for 3 s or more ends a bout at the moment at which it began. Late corrections (a `since` before now) move boundaries as
    long as the stretch after them has not settled. Times are milliseconds since the session's start.
    tell(start_ms, end_ms, direction, steps, cadence_mean_x10, cadence_max_x10) is called for every bout, in order.
    """

    def __init__(self, tell):
        self._tell = tell
        self._times = array("I", bytes(4 * _HELD))
        self._steps = 0
        self._stretches = []

    def begin(self, direction: int):
        """A new session, moving in `direction` from its start."""
        self._steps = 0
        self._stretches = [_Stretch(0, direction, 0)]

    def step(self, t_ms: int):
        self._times[self._steps % _HELD] = t_ms
        self._steps += 1
        if len(self._stretches) > 1:
            self._settle(t_ms)

    def cadence(self, spm_x10: int):
        if spm_x10 > 0:
            stretch = self._stretches[-1]
            stretch.sum_x10 += spm_x10
            stretch.count += 1
            if spm_x10 > stretch.max_x10:
                stretch.max_x10 = spm_x10

    def say(self, since_ms: int, direction: int):
        """From `since_ms` on, everything has this direction."""
        stretches = self._stretches
        while stretches and stretches[-1].start_ms >= since_ms:
            stretches.pop()
        if not stretches or stretches[-1].direction != direction:
            stretches.append(_Stretch(since_ms, direction, self._before(since_ms)))
        if len(stretches) > _MOST:
            self._decide()

    def tick(self, now_ms: int):
        if len(self._stretches) > 1:
            self._settle(now_ms)

    def finish(self, end_ms: int):
        """The session's end: tells what is still going on."""
        if len(self._stretches) > 1:
            self._settle(end_ms)
        bout = self._stretches[0]
        after = self._after_bout()
        if after is None:
            self._close(bout, end_ms, self._steps)
        else:
            self._close(bout, min(after.start_ms, end_ms), self._before(after.start_ms))
        self._stretches = self._stretches[:1]

    def _before(self, t_ms: int) -> int:
        """How many steps lie before `t_ms`."""
        count = self._steps
        least = max(0, count - _HELD)
        while count > least and self._times[(count - 1) % _HELD] >= t_ms:
            count -= 1
        return count

    def _settle(self, now_ms: int):
        last = self._stretches[-1]
        if now_ms - last.start_ms >= _SETTLE_MS or self._steps - self._before(last.start_ms) >= _SETTLE_STEPS:
            self._decide()

    def _decide(self):
        """The last stretch is there for good: it goes on with the bout or ends it."""
        bout = self._stretches[0]
        last = self._stretches[-1]
        if last.direction == bout.direction:
            for stretch in self._stretches[1:]:
                self._join(bout, stretch)
            self._stretches = [bout]
            return
        end_ms = self._after_bout().start_ms
        self._close(bout, end_ms, self._before(end_ms))
        last.first = self._before(last.start_ms)
        self._stretches = [last]

    def _after_bout(self):
        """The first stretch after the last one that has the bout's direction (joining those before it), or None."""
        bout = self._stretches[0]
        last = 0
        for i in range(1, len(self._stretches)):
            if self._stretches[i].direction == bout.direction:
                last = i
        for stretch in self._stretches[1 : last + 1]:
            self._join(bout, stretch)
        return self._stretches[last + 1] if last + 1 < len(self._stretches) else None

    def _join(self, bout, stretch):
        bout.sum_x10 += stretch.sum_x10
        bout.count += stretch.count
        bout.max_x10 = max(bout.max_x10, stretch.max_x10)

    def _close(self, bout, end_ms: int, steps: int):
        steps -= bout.first
        if bout.direction == _STILL or (end_ms - bout.start_ms < _SETTLE_MS and steps < _SETTLE_STEPS):
            return
        mean = (bout.sum_x10 + bout.count // 2) // bout.count if bout.count else 0
        self._tell(bout.start_ms, max(end_ms, bout.start_ms), bout.direction, steps, mean, bout.max_x10)
