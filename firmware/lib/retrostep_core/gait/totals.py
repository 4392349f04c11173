"""Steps and time by direction since the session began, corrected when a direction is known late."""

from retrostep_core.constants import const
from retrostep_core.directions import counted_direction, direction_at

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)
_FORWARD = const(1)
_BACKWARD = const(2)
# A late direction corrects at most this many steps, and looks back over at most this many changes.
_STEPS_KEPT = const(64)
_CHANGES_KEPT = const(8)


class GaitTotals:
    """Steps of both feet, and milliseconds of movement, by direction.

    A change of direction (since_ms, direction) relabels every step with t_ms >= since_ms, and the time from there on. since_ms never
    falls. A step older than the newest change gets the direction of its own time, for the last eight changes.

    direction    the newest direction         cadence_x10   0.1 steps a minute of both feet, 0 none
    resets       how often the totals were reset: a new number is a new session
    """

    def __init__(self) -> None:
        self.direction = _UNKNOWN
        self.cadence_x10 = 0
        self.resets = 0
        self._now_ms = 0
        # Time is counted in _ms up to here; the rest, up to _now_ms, has the newest direction.
        self._counted_ms = 0
        self._steps = [0, 0, 0, 0]
        self._ms = [0, 0, 0, 0]
        # The newest steps' times (a ring), and the newest changes [since_ms, direction].
        self._step_ms = [-1] * _STEPS_KEPT
        self._next_step = 0
        self._changes = [[-1, _UNKNOWN] for _ in range(_CHANGES_KEPT)]

    @property
    def forward_steps(self) -> int:
        """Steps forward, both feet."""
        return self._steps[_FORWARD]

    @property
    def backward_steps(self) -> int:
        """Steps backward, both feet."""
        return self._steps[_BACKWARD]

    @property
    def unknown_steps(self) -> int:
        """Steps of unknown direction, both feet."""
        return self._steps[_UNKNOWN]

    @property
    def forward_ms(self) -> int:
        """Time forward, up to the newest sample."""
        return self._ms[_FORWARD] + (self._now_ms - self._counted_ms if self.direction == _FORWARD else 0)

    @property
    def backward_ms(self) -> int:
        """Time backward, up to the newest sample."""
        return self._ms[_BACKWARD] + (self._now_ms - self._counted_ms if self.direction == _BACKWARD else 0)

    def counted(self) -> tuple[int, int, int, int, int]:
        """Steps forward, backward and unknown; ms forward and backward: in the order of records and answers."""
        return self.forward_steps, self.backward_steps, self.unknown_steps, self.forward_ms, self.backward_ms

    @property
    def direction_since_ms(self) -> int:
        """Since when the newest direction holds; -1 before the first."""
        return self._changes[-1][0]

    def advance(self, at_ms: int) -> None:
        """The newest sample's time: the newest direction lasts until then."""
        if at_ms > self._now_ms:
            self._now_ms = at_ms

    def reset(self, at_ms: int) -> None:
        """Zero steps and time, from `at_ms` on; the direction stays."""
        self.resets += 1
        for k in range(4):
            self._steps[k] = 0
            self._ms[k] = 0
        self._counted_ms = at_ms
        if self._now_ms < at_ms:
            self._now_ms = at_ms
        for k in range(_STEPS_KEPT):
            self._step_ms[k] = -1

    def direction_at(self, t_ms: int) -> int:
        """The direction at `t_ms`, for the last eight changes."""
        return direction_at(self._changes, t_ms)

    def add_step(self, t_ms: int, direction: int) -> None:
        """Count one step of either foot."""
        self._steps[counted_direction(direction)] += 1
        self._step_ms[self._next_step] = t_ms
        self._next_step = (self._next_step + 1) % _STEPS_KEPT

    def set_direction(self, since_ms: int, direction: int) -> None:
        """From `since_ms` on, steps and time have this direction instead of any reported before."""
        before = self.direction
        for t_ms in self._step_ms:
            if t_ms >= since_ms and t_ms >= 0:
                self._steps[counted_direction(self.direction_at(t_ms))] -= 1
                self._steps[counted_direction(direction)] += 1
        # Reuse the oldest change's list: nothing is allocated.
        change = self._changes.pop(0)
        change[0] = since_ms
        change[1] = direction
        self._changes.append(change)
        if since_ms > self._counted_ms:
            self._ms[before] += since_ms - self._counted_ms
            self._counted_ms = since_ms
        self.direction = direction
