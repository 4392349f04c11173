"""Espressif's own tool, which talks to the loader in a chip's ROM. No other module knows how its output looks.

It runs as a separate process, like mpremote: its output is more stable than its Python interface, and a hang can be ended.
"""

import re
import sys
from pathlib import Path

from retrostep.device.patience import Patience
from retrostep.device.progress import Progress
from retrostep.device.tool_process import run_tool
from retrostep.errors import FlashFailed, NoPermission, PortBusy, RetrostepError, WrongBoard
from retrostep.plain_text import clean

COMMAND = (sys.executable, "-u", "-m", "esptool")

SILENCE_S = 180.0
"""esptool looks for the loader for about 20 s, and erases 16 MiB in less than this."""
_PERCENT = re.compile(r"(\d{1,3})(?:\.\d)?%")
_IS = re.compile(r"This chip is (ESP[\w-]+), not (ESP[\w-]+)")
_TEXT_MAX = 200


def write_image(chip: str, port: str, baud: int, offset: int, image: Path, progress: Progress) -> None:
    """Erase the flash of the chip at `port`, write `image` at `offset`, compare its MD5 and reset the chip.

    `chip` is esptool's name of the chip: another one is refused before anything is erased. Raises WrongBoard or FlashFailed.
    """
    steps = _Steps(progress, image.stat().st_size)
    arguments = ["--chip", chip, "--port", port, "--baud", str(baud), "write-flash", "--erase-all", f"0x{offset:x}", str(image)]
    status, lines = run_tool([*COMMAND, *arguments], steps.patience, steps.on_line, lambda how: _failed(port, steps, "it does not end"))
    if status or not steps.is_verified:
        raise _error(port, steps, lines)


class _Steps:
    """Follows the output: connected, erasing, writing, verified."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress, self._size = progress, size
        self.patience = Patience(SILENCE_S)
        self.is_connected = self.is_erased = self.is_verified = False
        progress("looking for the chip's loader", 0, 0)

    def on_line(self, line: str) -> int:
        """Take a line; whether it is progress."""
        if line.startswith("Connected to "):
            self.is_connected = True
        elif line.startswith("Erasing flash"):
            self.is_erased = True
            self._progress("erasing", 0, 0)
        elif line.startswith("Writing at ") and (percent := _PERCENT.search(line)):
            self._progress("writing MicroPython", self._size * int(percent[1]) // 100, self._size)
        elif line.startswith("Hash of data verified"):
            self.is_verified = True
        else:
            return 0
        return 1


def _error(port: str, steps: _Steps, lines: list[str]) -> RetrostepError:
    """The error for what esptool printed last."""
    printed = clean(" ".join(lines))
    other = _IS.search(printed)
    if other:
        return WrongBoard(f"The chip at {port} is an {other[1]}, but the board has an {other[2]}. Nothing was erased.")
    if "Permission denied" in printed:
        return NoPermission(f"You have no permission to open {port}.", port=port)
    if "the port is busy" in printed:
        return PortBusy(f"The port {port} is in use, or the board was unplugged. Close the other program and try again.", port=port)
    fatal = re.search(r"fatal error occurred: (.*)", printed)
    reason = (fatal[1] if fatal else next((line for line in reversed(lines) if line.strip()), "no output")).strip()
    return _failed(port, steps, clean(reason)[:_TEXT_MAX].rstrip(". "))


def _failed(port: str, steps: _Steps, reason: str) -> FlashFailed:
    if not steps.is_connected:
        how = "Hold BOOT, press and release RESET, release BOOT, and run the same command again. Nothing was erased"
        return FlashFailed(f"The chip at {port} did not enter its ROM loader ({reason}). {how}.", port=port)
    state = "The chip is erased" if steps.is_erased else "Nothing was erased"
    cure = "Use another cable or port, and run the same command again"
    return FlashFailed(f"esptool could not write MicroPython ({reason}). {state}. {cure}.", port=port)
