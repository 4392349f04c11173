"""The motion of the leg at any microsecond, from a recording.

playback.py writes the file, as int32 values: the number of samples, six values for standing still before, six for standing still after,
then eight per sample: seconds, microseconds, x y z in micro-g, x y z in 1/8 milli-degree per second. In these units, every sensitivity
of the LSM6DS family is a whole number.
"""

from array import array

_ROW = 8
_CHUNK = 64
_HEAD_INTS = 13


class PlayedLeg:
    """Plays `file` from the call of `begin`, or from `start_us` if it began before a reset. Time must not go backwards."""

    def __init__(self, file: object, start_us: int | None = None) -> None:
        head = array("i", bytes(4 * _HEAD_INTS))
        # After a reset this is the same open file, at the position where the last run ended.
        file.seek(0)
        file.readinto(head)
        self.start_us = start_us
        self._file = file
        self._unread = head[0]
        self._before = head[1:7]
        self._after = head[7:13]
        self._rows = array("i", bytes(4 * _ROW * _CHUNK))
        # Row 0 of each later chunk is the last row of the previous chunk.
        self._fresh = memoryview(self._rows)[_ROW:]
        self._have = file.readinto(self._rows) // 4
        self._unread -= self._have // _ROW
        self._a = -_ROW
        self._a_us = self._b_us = -1
        self._next()

    def begin(self, at_us: int) -> None:
        """Start the recording at `at_us`; later calls are ignored."""
        if self.start_us is None:
            self.start_us = at_us

    def motion_at(self, at_us: int, out: object) -> None:
        """Set out[0:6] to the motion at `at_us`, interpolated between samples; standing still before and after the recording."""
        if self.start_us is None or at_us < self.start_us:
            out[:] = self._before
            return
        us = at_us - self.start_us
        while self._b_us < us:
            if not self._next():
                out[:] = self._after
                return
        rows = self._rows
        a = self._a + 2
        span = self._b_us - self._a_us
        part = us - self._a_us
        for k in range(6):
            here = rows[a + k]
            out[k] = here + (rows[a + _ROW + k] - here) * part // span

    def _next(self) -> bool:
        """Advance to the next pair of samples; returns False after the last one."""
        rows = self._rows
        a = self._a + _ROW
        if a + 2 * _ROW > self._have:
            if not self._unread:
                return False
            rows[:_ROW] = rows[a : a + _ROW]
            count = self._file.readinto(self._fresh) // (4 * _ROW)
            self._unread -= count
            self._have = (count + 1) * _ROW
            a = 0
        self._a = a
        self._a_us = rows[a] * 1000000 + rows[a + 1]
        self._b_us = rows[a + _ROW] * 1000000 + rows[a + _ROW + 1]
        return True
