"""What an hour of running does to the flash: the real app on LittleFS, on a chip in memory that counts."""

import json
import subprocess
import sys
from pathlib import Path

from show import figure, section, table
from work import spread

CHILD = Path(__file__).with_name("wear_child.py")
WAYS = {"tail": "as it is: the last bytes in small files", "log": "each flush into the log"}
# A NOR chip's typical times, W25Q32JV: to erase 4 kB, to program a page of 256 bytes or a part of one.
_ERASE_MS, _PROGRAM_MS = 45, 0.4


def run() -> None:
    """One table: the firmware as it is, and what it would do without its tail."""
    section(
        "Wear of the flash in an hour of running",
        "Four minutes forward and one backward in turn, with a flush at least every 5 s. Busy: erases x 45 ms + programs x 0.4 ms, while "
        "an ESP32 runs nothing that lies in flash. Years: an hour a day, 512 blocks evenly worn, 100 000 erases each.",
    )
    rows = []
    for way, told in zip(WAYS, spread(_hour, [(way,) for way in WAYS]), strict=True):
        busy_s = (told["erases"] * _ERASE_MS + told["programs"] * _PROGRAM_MS) / 1000
        years = 512 * 100_000 / told["erases"] / 365
        programmed, log = f"{told['programmed'] / 1024:.0f}", figure(told["log"] / 1024, 1, None, 40.0)
        rows.append([WAYS[way], told["erases"], told["most"], told["programs"], programmed, log, f"{busy_s:.1f}", f"{years:.0f}"])
    columns = ("", "block erases", "of the most worn", "programs", "KB programmed", "KB of log", "s busy", "years")
    table("", columns, rows, bold=[0])


def _hour(way: str) -> dict[str, int]:
    command = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=32m", str(CHILD), way]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"MicroPython ended: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))
