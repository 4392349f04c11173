"""One button: debounced, with short, double, triple and long presses."""

from retrostep_core.constants import const

_NONE = const(0)
_SHORT = const(1)
_DOUBLE = const(2)
_LONG = const(3)
_TRIPLE = const(4)

_DEBOUNCE_MS = const(30)
# Presses that follow each other within this time belong together.
_NEXT_PRESS_MS = const(400)
_LONG_MS = const(800)
# A call to the flash may delay a poll. A complete press fits between two polls further apart than this.
_LATE_MS = const(60)


class Button:
    """`value()` returns the pin's level, 0 or 1. Call `poll` every 10 to 50 ms, and `edge` from the pin's interrupt when it is pressed.

    The chip keeps an edge until its interrupt can run, so a press is known even if it begins and ends during one long call. Such a press
    counts once, whatever its length.
    """

    def __init__(self, value: object, active_low: bool) -> None:
        self._value = value
        self._pressed_level = 0 if active_low else 1
        self._raw = False
        self._raw_since_ms = 0
        self._has_edge = False
        self._polled_ms = -1
        self._down = False  # debounced
        self._down_since_ms = 0
        self._up_since_ms = 0
        self._presses = 0  # not reported yet
        self._long_reported = False

    @property
    def is_pressed(self) -> bool:
        """It is down, or was a moment ago."""
        return self._raw or self._down

    def edge(self, _pin: object) -> None:
        """The interrupt: the button was pressed."""
        self._has_edge = True

    def poll(self, now_ms: int) -> int:
        """The press that ended just now: _SHORT, _DOUBLE or _TRIPLE; _LONG while it is still held; otherwise _NONE."""
        has_edge = self._has_edge
        self._has_edge = False
        raw = self._value() == self._pressed_level
        if 0 <= self._polled_ms < now_ms - _LATE_MS:
            self._catch_up(raw, has_edge, now_ms)
        self._polled_ms = now_ms
        if raw != self._raw:
            self._raw = raw
            self._raw_since_ms = now_ms
        if raw != self._down and now_ms - self._raw_since_ms >= _DEBOUNCE_MS:
            self._down = raw
            if raw:
                self._down_since_ms = now_ms
            else:
                self._up_since_ms = now_ms
                if self._long_reported:
                    self._long_reported = False
                else:
                    self._presses += 1
        if self._down:
            if not self._long_reported and now_ms - self._down_since_ms >= _LONG_MS:
                self._long_reported = True
                self._presses = 0
                return _LONG
        elif self._presses and now_ms - self._up_since_ms >= _NEXT_PRESS_MS:
            presses = self._presses
            self._presses = 0
            return _SHORT if presses == 1 else _DOUBLE if presses == 2 else _TRIPLE
        return _NONE

    def _catch_up(self, raw: bool, has_edge: bool, now_ms: int) -> None:
        """Count a press that began and ended between two polls."""
        if self._down:
            if raw and has_edge:
                # Released, and pressed again.
                self._presses += 0 if self._long_reported else 1
                self._long_reported = False
                self._down_since_ms = now_ms
        elif not raw and (has_edge or self._raw):
            # Pressed and released. A release bounces too, so an edge while it was down is none.
            self._presses += 1
            self._up_since_ms = now_ms
