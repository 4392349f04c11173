"""Totals of a session told from its records alone, in bounded memory: for a log that has no END.

Epochs bring exact totals; steps and directions after the last epoch are counted on top of them, late corrections included.
"""

from . import records as r

HELD = 64  # steps and stretches that a late correction can still reach
FORWARD, BACKWARD, OTHER = 0, 1, 2
CLASS_OF = (OTHER, FORWARD, BACKWARD, OTHER)  # by direction code


class Account:
    """take() every record in order; totals() and moved_ms then stand for the session as far as its log goes.

    moved_ms is the last sign of movement: a step, an epoch that counted something, or the moment at which moving was over.
    """

    def __init__(self):
        self.moved_ms = 0
        self._steps = [0, 0, 0]
        self._ms = [0, 0, 0]
        self._now_ms = 0
        self._recent = []  # [t_ms, class] of the last steps
        self._stretches = [(0, OTHER)]  # (since_ms, class) of the last statements

    def take(self, kind: int, record):
        """`record` is what decode gave for `kind`."""
        if record is None:
            return
        if kind == r.STEPS:
            for t_ms in record.times_ms:
                self._step(t_ms)
        elif kind == r.DIRECTION:
            self._say(record.since_ms, CLASS_OF[record.direction])
        elif kind == r.EPOCH:
            self._epoch(record)

    def totals(self) -> r.Totals:
        self._advance(self.moved_ms)
        n, ms = self._steps, self._ms
        return r.Totals(max(0, n[0]), max(0, n[1]), max(0, n[2]), max(0, ms[0]), max(0, ms[1]))

    def _advance(self, to_ms: int):
        if to_ms > self._now_ms:
            self._ms[self._stretches[-1][1]] += to_ms - self._now_ms
            self._now_ms = to_ms

    def _class_at(self, t_ms: int) -> int:
        for place in range(len(self._stretches) - 1, -1, -1):
            if self._stretches[place][0] <= t_ms:
                return self._stretches[place][1]
        return OTHER

    def _step(self, t_ms: int):
        self._advance(t_ms)
        label = self._class_at(t_ms)
        self._steps[label] += 1
        self._recent.append([t_ms, label])
        if len(self._recent) > HELD:
            self._recent.pop(0)
        self.moved_ms = max(self.moved_ms, t_ms)

    def _say(self, since_ms: int, label: int):
        self._advance(since_ms)
        for step in self._recent:
            if step[0] >= since_ms:
                self._steps[step[1]] -= 1
                self._steps[label] += 1
                step[1] = label
        end_ms = self._now_ms
        while self._stretches:
            start_ms, said = self._stretches[-1]
            changed_ms = end_ms - max(start_ms, since_ms)
            if changed_ms > 0:
                self._ms[said] -= changed_ms
                self._ms[label] += changed_ms
                end_ms -= changed_ms
            if start_ms < since_ms:
                break
            self._stretches.pop()
        self._stretches.append((since_ms, label))
        if len(self._stretches) > HELD:
            self._stretches.pop(0)
        if label == OTHER and self._recent:
            self.moved_ms = max(self.moved_ms, since_ms)

    def _epoch(self, epoch):
        self._advance(epoch.t_ms)
        counted = list(epoch.totals[:3])
        if counted != self._steps:
            self.moved_ms = max(self.moved_ms, epoch.t_ms)
        self._steps = counted
        self._ms[:2] = epoch.totals[3:]
