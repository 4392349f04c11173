"""Raw samples in the log of a session, for a recording: CAPTURE, then RAW records, then CAPTURE with 0 minutes.

Imported only for a capture, to save RAM.
"""

import struct

from ..constants import const
from . import records as r

# Samples at 104 Hz, in blocks of 12.
_BYTES_A_MINUTE = const(84000)


class RawCapture:
    """Writes to `log` (OpenLog), as long as it exists. Times are in ms since boot, `since_ms` in ms since the session's start."""

    def __init__(self, log):
        self._log = log
        self._until_ms = 0

    def begin(self, now_ms: int, since_ms: int, minutes: int, label: str):
        """Samples follow for `minutes`; the label is at most 32 characters."""
        self._until_ms = now_ms + minutes * 60000
        self._log.set_bulk(True)
        self._put(now_ms, since_ms, minutes, label)

    def is_over(self, now_ms: int) -> bool:
        """Whether its time is up."""
        return now_ms >= self._until_ms

    def end(self, now_ms: int, since_ms: int):
        """No more samples follow."""
        self._log.set_bulk(False)
        self._put(now_ms, since_ms, 0, "")

    def samples(self, block, n: int, t0_ms: int, since_ms: int, period_us: int):
        """A block of at most 20 samples, as Engine.samples takes it."""
        self._log.put(t0_ms, r.RAW, pack_raw(self._log.payload, since_ms, period_us, block, n))

    def _put(self, now_ms: int, since_ms: int, minutes: int, label: str):
        self._log.put(now_ms, r.CAPTURE, pack_capture(self._log.payload, since_ms, minutes, label))
        self._log.flush()


def minutes_of(free_bytes: int) -> int:
    """For how many minutes of samples there is room; 0 for none."""
    return free_bytes // _BYTES_A_MINUTE if free_bytes > 0 else 0


def pack_raw(buf: bytearray, t_ms: int, period_us: int, block, n: int) -> int:
    """RAW: `n` samples (at most 20) of `block` in body axes, mg x y z and 0.1 degrees per second x y z; the first one at `t_ms`."""
    struct.pack_into("<IH", buf, 0, t_ms, period_us)
    at = 6
    for i in range(6 * n):
        value = block[i]
        buf[at] = value & 255
        buf[at + 1] = value >> 8 & 255
        at += 2
    return at


def pack_capture(buf: bytearray, at_ms: int, minutes: int, label: str) -> int:
    """CAPTURE: RAW records follow for so many minutes; 0 says that they end. The label is at most 32 characters."""
    struct.pack_into("<IB", buf, 0, at_ms, minutes)
    return r.pack_name(buf, 5, label)
