"""The bit rate of a serial line: ten bits per byte."""

from __future__ import annotations

# A process that is scheduled late may send at once what it missed in this time. The average then keeps the rate.
_CATCH_UP_S = 0.05
_NO_LIMIT_BYTES = 1 << 16


class LineRate:
    """One direction of a line of `bps` bits per second; None for no limit. All times are seconds of a monotonic clock."""

    def __init__(self, bps: int | None) -> None:
        self._byte_s = 0.0 if bps is None else 10.0 / bps
        self._free_at = 0.0

    def room(self, now: float) -> int:
        """The number of bytes that may pass by `now`."""
        if not self._byte_s:
            return _NO_LIMIT_BYTES
        self._free_at = max(self._free_at, now - max(_CATCH_UP_S, 2 * self._byte_s))
        return max(0, int((now - self._free_at) / self._byte_s))

    def passed(self, count: int) -> None:
        """Record that `count` bytes have passed."""
        self._free_at += count * self._byte_s

    def idle(self, now: float) -> None:
        """Record that nothing waits: this time cannot be used later."""
        self._free_at = max(self._free_at, now)

    def wait(self, now: float) -> float:
        """Seconds until a byte may pass."""
        return max(0.0, self._free_at + self._byte_s - now)
