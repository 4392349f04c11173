"""Totals of a session from its records, in bounded memory: for a log that has no END.

An EPOCH gives exact totals. Steps and directions after the last EPOCH are counted on top of them, late directions included.
"""

from ..codes import BACKWARD, FORWARD, UNKNOWN
from ..directions import counted_direction, direction_at
from . import decoded
from . import records as r

# Newest steps and stretches that a late direction can still change.
_KEPT = 64


class TotalsFromLog:
    """Give it every record in order with add(); totals() and end_ms() then hold for the log as far as it goes."""

    def __init__(self):
        # Movement was counted up to here: the last step, an EPOCH that counted something, or a change of direction.
        self._last_moved_ms = 0
        # Steps and ms by direction; BACKWARD is the highest that is counted.
        self._steps = [0] * (BACKWARD + 1)
        self._ms = [0] * (BACKWARD + 1)
        self._now_ms = 0
        self._newest_steps = []  # [t_ms, direction]
        self._stretches = [(0, UNKNOWN)]  # (since_ms, direction) of the newest changes

    def add(self, kind: int, record):
        """`record` is what decode() gave for `kind`; None is ignored."""
        if record is None:
            return
        if kind == r.STEPS:
            for t_ms in record.times_ms:
                self._add_step(t_ms)
        elif kind == r.DIRECTION:
            self._set_direction(record.since_ms, counted_direction(record.direction))
        elif kind == r.EPOCH:
            self._set_totals(record)

    def totals(self) -> decoded.Totals:
        """decoded.Totals up to the last sign of movement."""
        self._advance(self._last_moved_ms)
        steps, ms = self._steps, self._ms
        counted = (steps[FORWARD], steps[BACKWARD], steps[UNKNOWN], ms[FORWARD], ms[BACKWARD])
        return decoded.Totals(*[_as_u32(value) for value in counted])

    def end_ms(self) -> int:
        """The end of the session in ms since its start: the last sign of movement. A session is never shorter than its counted time."""
        totals = self.totals()
        return _as_u32(max(self._last_moved_ms, totals.forward_ms + totals.backward_ms))

    def _advance(self, to_ms: int):
        if to_ms > self._now_ms:
            self._ms[self._stretches[-1][1]] += to_ms - self._now_ms
            self._now_ms = to_ms

    def _add_step(self, t_ms: int):
        self._advance(t_ms)
        direction = direction_at(self._stretches, t_ms)
        self._steps[direction] += 1
        self._newest_steps.append([t_ms, direction])
        if len(self._newest_steps) > _KEPT:
            self._newest_steps.pop(0)
        self._last_moved_ms = max(self._last_moved_ms, t_ms)

    def _set_direction(self, since_ms: int, direction: int):
        """From `since_ms` on steps and time have this direction: move what was counted otherwise."""
        self._advance(since_ms)
        for step in self._newest_steps:
            if step[0] >= since_ms:
                self._steps[step[1]] -= 1
                self._steps[direction] += 1
                step[1] = direction
        end_ms = self._now_ms
        while self._stretches:
            start_ms, before = self._stretches[-1]
            changed_ms = end_ms - max(start_ms, since_ms)
            if changed_ms > 0:
                self._ms[before] -= changed_ms
                self._ms[direction] += changed_ms
                end_ms -= changed_ms
            if start_ms < since_ms:
                break
            self._stretches.pop()
        self._stretches.append((since_ms, direction))
        if len(self._stretches) > _KEPT:
            self._stretches.pop(0)
        if direction != UNKNOWN:
            self._last_moved_ms = max(self._last_moved_ms, self._now_ms)
        elif any(self._steps):
            self._last_moved_ms = max(self._last_moved_ms, since_ms)

    def _set_totals(self, epoch):
        self._advance(epoch.t_ms)
        totals = epoch.totals
        steps = [totals.unknown_steps, totals.forward_steps, totals.backward_steps]
        # Its time of movement is counted up to the EPOCH, even if its last step is older.
        if sum(steps) != sum(self._steps) or self._stretches[-1][1] != UNKNOWN:
            self._last_moved_ms = max(self._last_moved_ms, epoch.t_ms)
        self._steps = steps
        self._ms[FORWARD] = totals.forward_ms
        self._ms[BACKWARD] = totals.backward_ms


def _as_u32(value: int) -> int:
    """The nearest value that END can hold: records of a damaged log may add up to anything."""
    return min(max(0, value), 0xFFFFFFFF)
