"""Wear of the flash in an hour of running: the real app on LittleFS, on a simulated chip that counts its operations."""

import json

from support.interpreter import micropython

from bench.parallel import run_parallel
from bench.tables import figure, section, table

WAYS = {"tail": "as in the firmware: the last bytes in small files", "log": "each flush into the log"}
# Typical times of a NOR chip, W25Q32JV: to erase 4 kB, to program up to 256 bytes.
_ERASE_MS, _PROGRAM_MS = 45, 0.4


def run() -> None:
    """One table: the firmware, and the same without the tail files."""
    section(
        "Wear of the flash in an hour of running",
        "Four minutes forward and one backward in turn, with a flush at least every 5 s. Busy: erases x 45 ms + programs x 0.4 ms, while "
        "an ESP32 runs nothing that lies in flash. Years: an hour a day, 512 blocks evenly worn, 100 000 erases each.",
    )
    rows = []
    for way, counts in zip(WAYS, run_parallel(_hour, [(way,) for way in WAYS]), strict=True):
        busy_s = (counts["erases"] * _ERASE_MS + counts["programs"] * _PROGRAM_MS) / 1000
        years = 512 * 100_000 / counts["erases"] / 365
        programmed, log = f"{counts['programmed'] / 1024:.0f}", figure(counts["log"] / 1024, 1, None, 40.0)
        rows.append([WAYS[way], counts["erases"], counts["most"], counts["programs"], programmed, log, f"{busy_s:.1f}", f"{years:.0f}"])
    columns = ("", "block erases", "of the most worn", "programs", "KB programmed", "KB of log", "s busy", "years")
    table("", columns, rows, bold=[0])


def _hour(way: str) -> dict[str, int]:
    done = micropython("bench.wear_board", way, heap="32m", timeout_s=300)
    if done.returncode:
        raise RuntimeError(f"MicroPython ended: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))
