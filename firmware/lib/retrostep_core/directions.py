"""Which direction holds at a moment, from the changes of direction."""

from retrostep_core.constants import const

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)
_FORWARD = const(1)
_BACKWARD = const(2)
_STILL = const(3)


def direction_at(directions: object, t_ms: int) -> int:
    """The direction that holds at `t_ms`: that of the last change with since_ms <= t_ms, UNKNOWN before the first.

    directions  their list of (since_ms, direction) whose since_ms never falls. Searched in halves; allocates nothing.
    """
    low = 0
    high = len(directions)
    while low < high:
        middle = (low + high) >> 1
        if directions[middle][0] <= t_ms:
            low = middle + 1
        else:
            high = middle
    return directions[low - 1][1] if low else _UNKNOWN


def counted_direction(direction: int) -> int:
    """The direction that a step is counted in: a step during STILL has none, it is UNKNOWN."""
    return direction if direction != _STILL else _UNKNOWN


def is_directed(direction: int) -> bool:
    """Whether it is FORWARD or BACKWARD."""
    return _FORWARD <= direction <= _BACKWARD
