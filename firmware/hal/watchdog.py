"""The watchdog: it resets the board where the program hangs. The board counts its resets in a row, and starts safe mode after the third.

The count is in the memory of the real-time clock, which every reset but a power-on keeps and which costs no flash:

    "RS" resets in a row, 0 to 255      whether the watchdog runs, 0 or 1

MicroPython cannot stop a watchdog, but an ESP32 takes another timeout. So the app gives it a day before it leaves the board to the REPL.
"""

import machine
from retrostep_core.constants import const

# The longest call of a task takes 0.3 s, and one that moves a log of older firmware 0.7 s (README.md, "Measured").
_RUN_MS = const(10000)
# A start reads a log that a power cut left open, however long it is.
_START_MS = const(60000)
_REST_MS = const(86400000)
# After so much time without a reset the next one is the first in a row.
_SETTLED_MS = const(60000)
_RESETS_MOST = const(255)


def resets_in_a_row() -> int:
    """How often the watchdog has reset the board in a row; boot.py calls it once at each start.

    Any other reset than a soft one ends the row. After a soft reset, a watchdog that runs gets time for the REPL.
    """
    resets, running = _read()
    cause = machine.reset_cause()
    if cause == machine.SOFT_RESET:
        if running:
            machine.WDT(timeout=_REST_MS)
        return resets
    resets = min(resets + 1, _RESETS_MOST) if cause == machine.WDT_RESET else 0
    _write(resets, 0)
    return resets


class Watchdog:
    """`resets` is how often it has reset the board in a row."""

    def __init__(self) -> None:
        self.resets = _read()[0]
        self._feed: object = None

    def start(self) -> None:
        """Watch the start of the app from now on."""
        self._set(_START_MS)

    def run(self) -> None:
        """Watch the tasks from now on: `feed` is due every 10 s."""
        self._set(_RUN_MS)

    def rest(self) -> None:
        """Leave the board to the REPL, for a day."""
        self._set(_REST_MS)

    def feed(self, now_ms: int) -> None:
        """The tasks run. After a minute the row of resets is over."""
        if self._feed is not None:
            self._feed()
        if self.resets and now_ms > _SETTLED_MS:
            self.resets = 0
            _write(0, 1)

    def _set(self, timeout_ms: int) -> None:
        _write(self.resets, 1)
        self._feed = machine.WDT(timeout=timeout_ms).feed


def _read() -> tuple:
    memory = machine.RTC().memory()
    if len(memory) != 4 or memory[:2] != b"RS":
        return 0, 0
    return memory[2], memory[3]


def _write(resets: int, running: int) -> None:
    machine.RTC().memory(b"RS" + bytes((resets, running)))
