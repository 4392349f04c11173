"""A serial line's pace: ten bits a byte."""

from __future__ import annotations

# A computer that comes late sends what it missed for so long at once, so that the average keeps the line's rate.
_LATE_S = 0.05


class Line:
    """One direction of a line of `bps` bits a second; None lets everything pass at once. Times are seconds that only rise."""

    def __init__(self, bps: int | None) -> None:
        self._byte_s = 0.0 if bps is None else 10.0 / bps
        self._free_at = 0.0

    def room(self, now: float) -> int:
        """How many bytes have had time to pass by `now`."""
        if not self._byte_s:
            return 1 << 16
        self._free_at = max(self._free_at, now - max(_LATE_S, 2 * self._byte_s))
        return max(0, int((now - self._free_at) / self._byte_s))

    def passed(self, count: int) -> None:
        """So many bytes have passed."""
        self._free_at += count * self._byte_s

    def idle(self, now: float) -> None:
        """Nothing waits: time that passes now carries no bytes."""
        self._free_at = max(self._free_at, now)

    def wait(self, now: float) -> float:
        """Seconds until there is room for a byte."""
        return max(0.0, self._free_at + self._byte_s - now)
