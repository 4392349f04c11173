"""Pulses of the vibration motor and the LED: one pattern at a time, without waiting."""

from retrostep_core.constants import const

# Each pattern: ms on, off, on, ... A pulse is short or long; no two patterns have the same sequence of them, so that each can be told
# apart while running. The host prints them as a card.
_SHORT_MS = const(150)
_GAP_MS = const(150)
_LONG_MS = const(600)
_LONGEST_MS = const(1400)
SESSION_STARTED = (_SHORT_MS, _GAP_MS, _LONG_MS)
SESSION_ENDED = (_LONG_MS, _GAP_MS, _SHORT_MS)
CONFIRMED = (_SHORT_MS,)
WARM_UP_REACHED = (_SHORT_MS, _GAP_MS, _SHORT_MS, _GAP_MS, _LONG_MS)
EASE_OFF = (_SHORT_MS, _GAP_MS, _SHORT_MS)
SESSION_LIMIT = (_LONG_MS, _GAP_MS, _LONG_MS)
STRETCH = (_LONG_MS, _GAP_MS, _SHORT_MS, _GAP_MS, _LONG_MS)
BATTERY_LOW = (_LONG_MS, _GAP_MS, _SHORT_MS, _GAP_MS, _SHORT_MS)
FLASH_SHORT = (_LONG_MS, _GAP_MS, _LONG_MS, _GAP_MS, _SHORT_MS)
MOUNT = (_SHORT_MS, _GAP_MS, _SHORT_MS, _GAP_MS, _SHORT_MS, _GAP_MS, _SHORT_MS)
FAULT = (_SHORT_MS, _GAP_MS, _SHORT_MS, _GAP_MS, _SHORT_MS, _GAP_MS, _SHORT_MS, _GAP_MS, _SHORT_MS)

# How urgent a pattern is: it is not interrupted by a less urgent one.
_NORMAL = const(0)
_URGENT = const(1)
_MOST_URGENT = const(2)

# The LED flashes while the app runs.
_HEARTBEAT_EVERY_MS = const(4000)
_HEARTBEAT_MS = const(20)


class Feedback:
    """`led(on)` and `haptic(on)` switch LED and motor; None on a board without one. Call `poll` every 10 to 50 ms."""

    def __init__(self, led: object = None, haptic: object = None) -> None:
        self._led = led
        self._motor = haptic
        self._pattern: tuple[int, ...] | None = None
        self._urgency = _NORMAL
        self._index = 0  # in the pattern
        self._next_ms = 0
        self._heartbeat_ms = 0
        self._heartbeat_on = False

    def play(self, pattern: tuple, now_ms: int, urgency: int = _NORMAL) -> bool:
        """Start `pattern`; False if a more urgent one is playing, which continues."""
        if self._pattern is not None and self._urgency > urgency:
            return False
        self._urgency = urgency
        self._pattern = pattern
        self._index = 0
        self._next_ms = now_ms + pattern[0]
        self._switch(True, True)
        return True

    @property
    def busy(self) -> bool:
        """True while a pattern is playing."""
        return self._pattern is not None

    def poll(self, now_ms: int) -> None:
        """Switch the motor and the LED when it is time."""
        if self._pattern is None:
            if self._heartbeat_on:
                if now_ms - self._heartbeat_ms >= _HEARTBEAT_MS:
                    self._heartbeat_on = False
                    self._switch(False, False)
            elif now_ms - self._heartbeat_ms >= _HEARTBEAT_EVERY_MS:
                self._heartbeat_ms = now_ms
                self._heartbeat_on = True
                self._switch(True, False)
            return
        if now_ms < self._next_ms:
            return
        self._index += 1
        if self._index >= len(self._pattern):
            self.off()
            return
        self._next_ms = now_ms + self._pattern[self._index]
        on = self._index % 2 == 0
        self._switch(on, on)

    def off(self) -> None:
        """Stop the pattern; motor and LED are off."""
        self._pattern = None
        self._heartbeat_on = False
        self._switch(False, False)

    def _switch(self, led: bool, haptic: bool) -> None:
        if self._led is not None:
            self._led(led)
        if self._motor is not None:
            self._motor(haptic)


def stop_now(percent: int) -> tuple:
    """Three long pulses, the longer the further a limit is exceeded: 600 ms, and 40 ms more for each per cent, up to 1.4 s."""
    long_ms = min(_LONGEST_MS, _LONG_MS + 40 * percent)
    return (long_ms, _GAP_MS, long_ms, _GAP_MS, long_ms)


def switch(pin: object, active_low: bool) -> object:
    """A function that switches the output `pin` (machine.Pin) on or off."""
    return lambda on: pin.value(1 if on != active_low else 0)
