"""How many steps and how long, by direction, corrected when a direction is known late."""

from retrostep_core.gait.codes import BACKWARD, FORWARD, STILL, UNKNOWN

_STEPS = 64
_SPANS = 8


class Tally:
    """Steps of both feet and milliseconds of movement by direction, since the session's start.

    A direction statement (since, direction) re-labels every step with t >= since, and the time from there on; statements' `since`
    never falls. Late steps older than the newest statement get the direction that held at their time, for the last eight statements.
    """

    def __init__(self) -> None:
        self.direction = UNKNOWN
        self.cadence_x10 = 0
        self._now_ms = 0
        self._since_ms = 0
        self._steps = [0, 0, 0, 0]
        self._ms = [0, 0, 0, 0]
        # Times of the newest steps (ring) and the newest statements, for late corrections.
        self._times = [-1] * _STEPS
        self._next = 0
        self._spans = [[-1, UNKNOWN] for _ in range(_SPANS)]

    @property
    def forward_steps(self) -> int:
        """Steps forward, both feet."""
        return self._steps[FORWARD]

    @property
    def backward_steps(self) -> int:
        """Steps backward, both feet."""
        return self._steps[BACKWARD]

    @property
    def unknown_steps(self) -> int:
        """Steps whose direction nobody could tell."""
        return self._steps[UNKNOWN]

    @property
    def forward_ms(self) -> int:
        """Time forward, up to the newest sample."""
        return self._ms[FORWARD] + (self._now_ms - self._since_ms if self.direction == FORWARD else 0)

    @property
    def backward_ms(self) -> int:
        """Time backward, up to the newest sample."""
        return self._ms[BACKWARD] + (self._now_ms - self._since_ms if self.direction == BACKWARD else 0)

    @property
    def newest_since_ms(self) -> int:
        """From when on the newest statement of direction holds; -1 before the first."""
        return self._spans[-1][0]

    def now(self, at_ms: int) -> None:
        """The newest sample's time; open spans last until then."""
        if at_ms > self._now_ms:
            self._now_ms = at_ms

    def start(self, at_ms: int) -> None:
        """Zero everything that is counted; the direction goes on."""
        for k in range(4):
            self._steps[k] = 0
            self._ms[k] = 0
        self._since_ms = at_ms
        if self._now_ms < at_ms:
            self._now_ms = at_ms
        for k in range(_STEPS):
            self._times[k] = -1

    def direction_at(self, t_ms: int) -> int:
        """The direction stated for `t_ms`, as far as it is remembered."""
        for k in range(_SPANS - 1, -1, -1):
            span = self._spans[k]
            if span[0] <= t_ms:
                return span[1]
        return UNKNOWN

    def step(self, t_ms: int, direction: int) -> None:
        """One step of either foot."""
        self._steps[_counted(direction)] += 1
        self._times[self._next] = t_ms
        self._next = (self._next + 1) % _STEPS

    def turn(self, since_ms: int, direction: int) -> None:
        """From `since_ms` on, everything has this direction, whatever was said before."""
        was = self.direction
        for t_ms in self._times:
            if t_ms >= since_ms and t_ms >= 0:
                self._steps[_counted(self.direction_at(t_ms))] -= 1
                self._steps[_counted(direction)] += 1
        oldest = self._spans.pop(0)
        oldest[0] = since_ms
        oldest[1] = direction
        self._spans.append(oldest)
        if since_ms > self._since_ms:
            self._ms[was] += since_ms - self._since_ms
            self._since_ms = since_ms
        self.direction = direction


def _counted(direction: int) -> int:
    return direction if direction != STILL else UNKNOWN
