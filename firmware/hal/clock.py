"""Time since boot that never wraps, and the wall clock once a host has told it."""


class Clock:
    """`ticks_ms` and `ticks_diff` are the `time` module's; `boot` is the number of this start.

    `on_set(ticks_ms, epoch_ms, source)`, if given, hears every setting of the wall clock.
    """

    def __init__(self, ticks_ms: object, ticks_diff: object, boot: int = 0) -> None:
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._last = ticks_ms()
        self._now = 0
        self._offset = None
        self.boot = boot
        self.on_set = None

    def ticks_ms(self) -> int:
        """Milliseconds since boot; never falls. To be called at least once in half a turn of the port's counter (6 days on an ESP32)."""
        ticks = self._ticks_ms()
        passed = self._ticks_diff(ticks, self._last)
        if passed > 0:
            self._last = ticks
            self._now += passed
        return self._now

    def epoch_ms(self) -> int:
        """UTC in Unix milliseconds; 0 as long as nobody has set it."""
        return 0 if self._offset is None else self._offset + self.ticks_ms()

    def set_epoch_ms(self, epoch_ms: int, source: int) -> int:
        """Set the wall clock (source: FORMATS.md "Codes"); the milliseconds since boot at which it was set. ValueError before 2020."""
        if epoch_ms < 1577836800000:
            raise ValueError("The time set lies before 2020.")
        now = self.ticks_ms()
        self._offset = epoch_ms - now
        if self.on_set is not None:
            self.on_set(now, epoch_ms, source)
        return now
