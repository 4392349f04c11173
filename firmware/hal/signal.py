"""What the wearer feels and sees: one pattern at a time on the vibration motor and the LED, without ever waiting."""

# A pattern: on, off, on, ... in ms. Told apart on a running leg by number and length of pulses.
START = (120, 100, 120)
STOP = (500,)
MARKED = (60,)
WARN = (250, 150, 250)
HALT = (700, 150, 700, 150, 700)
TROUBLE = (60, 60, 60, 60, 60, 60, 60, 60, 60)

# The LED alone, every few seconds: the app runs.
_HEARTBEAT_EVERY_MS = 4000
_HEARTBEAT_MS = 20


class Signal:
    """`led(on)` and `haptic(on)` switch; either may be None. Call `poll` every 10 to 50 ms."""

    def __init__(self, led: object = None, haptic: object = None) -> None:
        self._led = led
        self._haptic = haptic
        self._pattern = None
        self._place = 0
        self._until_ms = 0
        self._urgency = 0
        self._beat_ms = 0
        self._beating = False

    def play(self, pattern: tuple, now_ms: int, urgency: int = 0) -> bool:
        """Begin `pattern` at once; False if one of higher urgency is under way, which goes on."""
        if self._pattern is not None and self._urgency > urgency:
            return False
        self._pattern = pattern
        self._place = 0
        self._urgency = urgency
        self._until_ms = now_ms + pattern[0]
        self._set(True, True)
        return True

    @property
    def busy(self) -> bool:
        """True while a pattern is under way."""
        return self._pattern is not None

    def poll(self, now_ms: int) -> None:
        """Go on with the pattern under way, or with the heartbeat."""
        if self._pattern is None:
            self._beat(now_ms)
            return
        if now_ms < self._until_ms:
            return
        self._place += 1
        if self._place >= len(self._pattern):
            self.off()
            return
        self._until_ms = now_ms + self._pattern[self._place]
        on = self._place % 2 == 0
        self._set(on, on)

    def off(self) -> None:
        """Silence."""
        self._pattern = None
        self._beating = False
        self._set(False, False)

    def _beat(self, now_ms: int) -> None:
        if self._beating:
            if now_ms - self._beat_ms >= _HEARTBEAT_MS:
                self._beating = False
                self._set(False, False)
        elif now_ms - self._beat_ms >= _HEARTBEAT_EVERY_MS:
            self._beat_ms = now_ms
            self._beating = True
            self._set(True, False)

    def _set(self, led: bool, haptic: bool) -> None:
        if self._led is not None:
            self._led(led)
        if self._haptic is not None:
            self._haptic(haptic)


def switch(pin: object, active_low: bool) -> object:
    """A function that switches what hangs on the output `pin` (machine.Pin) on or off."""
    return lambda on: pin.value(1 if on != active_low else 0)
