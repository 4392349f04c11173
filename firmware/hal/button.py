"""One button: debounced, and told apart by how it is pressed."""

NONE = 0
SHORT = 1
DOUBLE = 2
LONG = 3
TRIPLE = 4

_DEBOUNCE_MS = 30
# A further press within this time belongs to those before it; so much later it is known how many there were.
_AGAIN_MS = 400
_LONG_MS = 800


class Button:
    """`value()` is the pin's level, 0 or 1. Call `poll` every 10 to 50 ms."""

    def __init__(self, value: object, active_low: bool) -> None:
        self._value = value
        self._pressed_level = 0 if active_low else 1
        self._down = False  # debounced
        self._raw = False
        self._raw_since_ms = 0
        self._down_since_ms = 0
        self._up_since_ms = 0
        self._presses = 0  # that wait to be judged
        self._told_long = False

    def poll(self, now_ms: int) -> int:
        """NONE, or the press that has just become certain: SHORT, DOUBLE, TRIPLE or (while still held) LONG."""
        raw = self._value() == self._pressed_level
        if raw != self._raw:
            self._raw = raw
            self._raw_since_ms = now_ms
        if raw != self._down and now_ms - self._raw_since_ms >= _DEBOUNCE_MS:
            self._down = raw
            if raw:
                self._down_since_ms = now_ms
            else:
                self._up_since_ms = now_ms
                if self._told_long:
                    self._told_long = False
                else:
                    self._presses += 1
        if self._down:
            if not self._told_long and now_ms - self._down_since_ms >= _LONG_MS:
                self._told_long = True
                self._presses = 0
                return LONG
        elif self._presses and now_ms - self._up_since_ms >= _AGAIN_MS:
            presses = self._presses
            self._presses = 0
            return SHORT if presses == 1 else DOUBLE if presses == 2 else TRIPLE
        return NONE
