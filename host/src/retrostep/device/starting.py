"""What a board that starts, or did not start, says in lines of text."""

import re
import time
from collections.abc import Callable

from retrostep.plain_text import clean

START_S = 60.0
"""A start lasts at most this long: then the device's watchdog resets it."""
_STARTING = re.compile(rb"retrostep: starting: ([ -~]{1,60})\s*")
_OURS = b"retrostep: "
_TAIL_BYTES = 1000
_SAFE_MODE = re.compile(rb"'(button|watchdog)'")
_SAFE_MODE_CAUSES = {
    "button": "its button was held at the start",
    "watchdog": "its program hung three times in a row, and the watchdog reset it",
}
ASK_SAFE_MODE = b"SAFE_MODE\r"
"""Typed at MicroPython's prompt: boot.py sets that name."""


class Starting:
    """Follows the start of the board at `path`. `on_wait` gets a sentence each time the board reports another part of it."""

    def __init__(self, path: str, on_wait: Callable[[str], None] | None = None) -> None:
        self._path, self._on_wait = path, on_wait
        self._line = b""
        self._since = 0.0
        self.part = ""
        """What the board does now, in its own words; "" while it does not start."""

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        *lines, self._line = (self._line + data)[-_TAIL_BYTES:].split(b"\n")
        for line in lines:
            self._take_line(line.rpartition(b"\x00")[2])

    def _take_line(self, line: bytes) -> None:
        found = _STARTING.fullmatch(line)
        if found:
            if not self.part:
                self._since = time.monotonic()
            part = clean(found[1].decode())
            if part != self.part and self._on_wait is not None:
                self._on_wait(f"The board at {self._path} is starting ({part}). Waiting for it.")
            self.part = part
        elif line.startswith(_OURS):
            self.part = ""

    @property
    def until(self) -> float:
        """The time.monotonic() up to which it is worth to wait; 0 while the board does not start."""
        return self._since + START_S if self.part else 0.0


def at_prompt(path: str, text: bytes, answer: bytes) -> str:
    """The sentence on a board at MicroPython's prompt. `text` came before it, `answer` after ASK_SAFE_MODE."""
    safe_mode = _SAFE_MODE.search(answer)
    if safe_mode:
        return f"The board at {path} is in safe mode: {_SAFE_MODE_CAUSES[safe_mode[1].decode()]}; Retrostep isn't running on it."
    errors = [line for line in text.decode("utf-8", "replace").splitlines() if "Error: " in line and "SyntaxError" not in line]
    after = f" after {clean(errors[-1].strip())[:120]}" if errors else ""
    return f"The board at {path} is at MicroPython's prompt{after}; Retrostep isn't running on it."
