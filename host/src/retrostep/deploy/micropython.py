"""The MicroPython of a board: its chip, its version, and which .mpy files it can load."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retrostep.errors import OldMicroPython, WrongBoard
from retrostep.plain_text import clean

LEAST = (1, 27)
"""The oldest MicroPython that the firmware was tested on."""

MICROPYTHON = """
import json, os, sys
try:
    machine = os.uname()[4]
except AttributeError:
    machine = ""
s = sys.implementation
print(json.dumps([sys.platform, getattr(s, "_machine", machine), list(s.version[:3]), getattr(s, "_mpy", 0)]))
"""


@dataclass(frozen=True)
class MicroPython:
    """What runs on the connected chip.

    `chip` is named as in board.json, or sys.platform for another port. `mpy` is sys.implementation._mpy: from its lowest bit, 8 bits of
    version, 2 of sub-version, then the architecture of native code ("MicroPython .mpy files" in MicroPython's documentation).
    """

    chip: str
    version: tuple[int, ...]
    mpy: int

    @property
    def version_text(self) -> str:
        """`1.27.0`."""
        return ".".join(map(str, self.version))


def read_micropython(answer: Any) -> MicroPython:
    """The value that the script MICROPYTHON printed. Raises TypeError or ValueError if it is something else."""
    platform, machine, version, mpy = answer
    # _machine ends in "with ESP32S3". The name of the board before it may contain other names of chips.
    named = re.search(r"\bwith (ESP32\w*)", str(machine).replace("-", ""), re.IGNORECASE)
    chip = named[1].lower() if named else "unix" if platform in ("linux", "darwin") else clean(str(platform))
    return MicroPython(chip, tuple(int(number) for number in version), int(mpy))


def check_micropython(board: Mapping[str, Any], files: Mapping[str, bytes], found: MicroPython) -> None:
    """Raise WrongBoard if the connected chip is not that of `board`, OldMicroPython if it cannot run `files`, {path: content}."""
    if found.chip != board["chip"]:
        raise WrongBoard(
            f"The board at this port is {_with_article(found.chip)}, but {board['name']} has {_with_article(board['chip'])}. "
            "Nothing was copied.",
            board=board["name"],
        )
    if found.version[:2] < LEAST:
        raise _old(board, f"is version {found.version_text}, and {LEAST[0]}.{LEAST[1]} or newer is needed")
    for path, content in files.items():
        if path.endswith(".mpy"):
            _check_mpy(board, path, content, found)


def _check_mpy(board: Mapping[str, Any], path: str, content: bytes, found: MicroPython) -> None:
    """The header of `content` is `M`, the version, a byte with the architecture above the sub-version (2 bits), and one more."""
    version, sub_version, machine = content[1], content[2] & 3, content[2] >> 2 & 15
    theirs = found.mpy & 255, found.mpy >> 8 & 3
    if version != theirs[0]:
        raise _old(board, f"{found.version_text} loads .mpy files of version {theirs[0]}, and {path} has version {version}")
    # Only native code depends on the sub-version and on the architecture.
    if machine and sub_version != theirs[1]:
        raise _old(
            board, f"{found.version_text} loads native code of .mpy version {version}.{theirs[1]}, and {path} has {version}.{sub_version}"
        )
    if machine and machine != found.mpy >> 10 & 15:
        raise _old(board, f"{found.version_text} loads no native code for {board['chip']}, or for another architecture than {path} has")


def _old(board: Mapping[str, Any], what: str) -> OldMicroPython:
    return OldMicroPython(f"The board's MicroPython {what}. Nothing was copied.", board=board["name"])


def _with_article(chip: str) -> str:
    return "MicroPython's unix port" if chip == "unix" else f"an {chip.upper()}"
