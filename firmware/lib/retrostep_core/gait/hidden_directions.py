"""Directions that wait until the mount is known."""

from retrostep_core.constants import const
from retrostep_core.directions import is_directed

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)
_CHANGES_KEPT = const(6)


class HiddenDirections:
    """Keeps the newest directions that are not reported yet. Fixed memory.

    hidden   the newest direction that waits for the mount
    """

    def __init__(self) -> None:
        # [since_ms, direction], the oldest first.
        self._changes = [[0, _UNKNOWN] for _ in range(_CHANGES_KEPT)]
        self._waiting = 0
        self.hidden = _UNKNOWN

    def hide(self, since_ms: int, direction: int) -> int:
        """The direction to report while the mount is not known: FORWARD and BACKWARD wait, and are UNKNOWN for now."""
        changes = self._changes
        result = _UNKNOWN if is_directed(direction) else direction
        if direction == self.hidden:
            return result
        self.hidden = direction
        if not self._waiting and not is_directed(direction):
            return result
        if self._waiting and changes[self._waiting - 1][0] >= since_ms:
            self._waiting -= 1
        if self._waiting == _CHANGES_KEPT:
            # Reuse the oldest one's list: nothing is allocated.
            change = changes.pop(0)
            changes.append(change)
            self._waiting -= 1
        change = changes[self._waiting]
        change[0] = since_ms
        change[1] = direction
        self._waiting += 1
        return result

    def withdraw(self, since_ms: int, direction: int) -> None:
        """This direction was reported too early: it waits again."""
        self.hidden = _UNKNOWN
        self.hide(since_ms, direction)

    def report(self, direction: int) -> None:
        """This direction and those that waited were reported."""
        self.hidden = direction
        self._waiting = 0

    def waiting(self, k: int) -> list | None:
        """The k-th direction that waited: [since_ms, direction]; None after the last."""
        return self._changes[k] if k < self._waiting else None
