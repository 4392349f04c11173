"""What a chip without a running program sends: recognised from the bytes at its port, within seconds.

Sources: the ROM's boot messages and its loader's protocol, "Serial Protocol" in Espressif's esptool documentation.
"""

import re
import time

from retrostep.device.transport import Transport
from retrostep.errors import BlankChip, BootLoop, InRomLoader, NoRepl, NotStarting

SYNC = b"\xc0\x00\x08\x24\x00\x00\x00\x00\x00\x07\x07\x12\x20" + 32 * b"\x55" + b"\xc0"
"""The loader's SYNC request. Firmware and MicroPython ignore it."""
ASK_LOADER_AFTER_S = 0.4
"""A chip in its loader reports that once, at its reset. After this many seconds of silence it is asked, up to LOADER_TRIES times.

A working board answers sooner, unless it sleeps or starts."""
LOADER_TRIES = 3
"""Tries: the loader of a UART measures the baud rate from the first bytes, so it may miss a SYNC."""
_SYNC_ANSWER = b"\xc0\x01\x08"
_NO_PROGRAM = re.compile(rb"invalid header: 0x([0-9a-f]{8})|flash read err|ets_main\.c|No bootable app|csum err")
"""Of the ROM, and of the second-stage bootloader."""
_RESET = re.compile(rb"rst:0x[0-9a-f]+ \((\w{1,40})\)")
_WAITING = b"waiting for download"
_PROMPT = b">>> "
_COMPLAINTS_LEAST = 2
_RESETS_LEAST = 3
"""One reset is a normal start, and a disturbed read of the flash may give one complaint."""
_TAIL_BYTES = 4096
_PROMPT_S = 3.0
PROMPT_SILENCE_S = 10.0
"""A program may be in one call of the file system for some seconds before Ctrl-C ends it."""
_ASK_EVERY_S = 0.5


class BootText:
    """Watches what arrives from the port at `path`. `is_silent` until a first byte has arrived."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._tail = b""
        self._asked_at = time.monotonic()
        self._tries = 0

    @property
    def is_silent(self) -> bool:
        """Whether no byte has arrived yet."""
        return not self._tail

    @property
    def is_at_prompt(self) -> bool:
        """Whether the last text is MicroPython's prompt."""
        return self._tail.endswith(_PROMPT)

    def ask_loader(self, transport: Transport) -> None:
        """Ask for the ROM loader, if the port is silent and the last try was ASK_LOADER_AFTER_S ago; LOADER_TRIES times."""
        if self.is_silent and self._tries < LOADER_TRIES and time.monotonic() - self._asked_at >= ASK_LOADER_AFTER_S:
            self._asked_at = time.monotonic()
            self._tries += 1
            transport.write(SYNC + b"\n")  # the line's end keeps the next request apart

    def feed(self, data: bytes) -> None:
        """Take what has arrived. Raises BlankChip, InRomLoader or BootLoop once the bytes show that no program runs."""
        self._tail = (self._tail + data)[-_TAIL_BYTES:]
        error = self._error()
        if error is not None:
            raise error

    def _error(self) -> NotStarting | None:
        path, tail = self._path, self._tail
        resets = _RESET.findall(tail)
        last_start = tail.rpartition(b"rst:0x")[2]
        if _SYNC_ANSWER in tail or _WAITING in last_start:
            return InRomLoader(
                f"The chip at {path} waits in its ROM loader: press its reset button, without BOOT, to start its program.", port=path
            )
        complaints = _NO_PROGRAM.findall(tail)  # the header of each, or b"" for another complaint
        if len(complaints) >= _COMPLAINTS_LEAST:
            if b"ffffffff" in complaints and set(complaints) <= {b"ffffffff", b""}:
                return BlankChip(f"The chip at {path} is blank: it has no MicroPython yet.", port=path)
            return BootLoop(f"The chip at {path} finds no valid program in its flash and restarts again and again.", port=path)
        if len(resets) >= _RESETS_LEAST:
            cause = resets[-1].decode()
            cure = "its supply is too weak: use another cable and port" if "BROWN" in cause else f"the cause is {cause}"
            return BootLoop(f"The chip at {path} restarts again and again; {cure}.", port=path)
        return None


def reach_prompt(port: Transport, silence_s: float = PROMPT_SILENCE_S) -> None:
    """Stop the program with Ctrl-C until MicroPython's prompt is there; returns without one where the board prints something else.

    A port from which nothing comes for `silence_s` is silent.

    Raises BlankChip, InRomLoader or BootLoop for a chip that runs no program, NoRepl for one that stays silent, and LinkLost.
    """
    heard = BootText(port.path)
    begun = time.monotonic()
    asked = -_ASK_EVERY_S
    while (passed_s := time.monotonic() - begun) < (silence_s if heard.is_silent else _PROMPT_S):
        if passed_s - asked >= _ASK_EVERY_S:
            asked = passed_s
            port.write(b"\r\x03\x03\x02")  # twice, as a program may catch the first; then leave a raw REPL
        heard.feed(port.read(0.1))
        if heard.is_at_prompt:
            return
        heard.ask_loader(port)
    if heard.is_silent:
        raise NoRepl(
            f"Nothing answers at {port.path}. Press the board's reset button and try again, or use another cable: many only charge.",
            port=port.path,
        )
