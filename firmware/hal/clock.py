"""Time since boot that never wraps, and the wall clock after a host has set it."""

from retrostep_core.constants import const

# 2020-01-01T00:00:00Z
_EPOCH_LEAST_MS = const(1577836800000)


class Clock:
    """`ticks_ms` and `ticks_diff` are the functions of the `time` module; `boot` is the number of this start.

    listener   attribute: listener(ticks_ms, epoch_ms, source) is called each time the wall clock is set; None for none
    """

    def __init__(self, ticks_ms: object, ticks_diff: object, boot: int = 0) -> None:
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._last_ms = ticks_ms()
        self._now_ms = 0
        self._offset_ms: int | None = None
        self.listener = None
        self.boot = boot

    def ticks_ms(self) -> int:
        """Milliseconds since boot; never falls. Call it at least once in half a period of the port's counter (6 days on an ESP32)."""
        ticks = self._ticks_ms()
        passed_ms = self._ticks_diff(ticks, self._last_ms)
        if passed_ms > 0:
            self._last_ms = ticks
            self._now_ms += passed_ms
        return self._now_ms

    def epoch_ms(self) -> int:
        """UTC in Unix milliseconds; 0 until a host has set it."""
        return 0 if self._offset_ms is None else self._offset_ms + self.ticks_ms()

    def set_epoch_ms(self, epoch_ms: int, source: int) -> int:
        """Set the wall clock (source: FORMATS.md, "Codes"). The ticks_ms at which it was set; ValueError before 2020."""
        if epoch_ms < _EPOCH_LEAST_MS:
            raise ValueError("The time is before 2020.")
        now_ms = self.ticks_ms()
        self._offset_ms = epoch_ms - now_ms
        if self.listener is not None:
            self.listener(now_ms, epoch_ms, source)
        return now_ms
