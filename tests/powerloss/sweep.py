"""Cuts made in processes of the boards' own interpreter: `cuts.py` from the outside."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIVES = ("worn", "short")
# A control is looked for in every so many cuts.
CONTROL_EVERY = 13
_COUNTS = re.compile(r"(\d+) operations, (\d+) erases, (\d+) cuts, (\d+) of them reordered, (\d+) double cuts, (\d+) broken")
_NAMES = ("operations", "erases", "cuts", "reordered", "double", "broken")


def run(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """A script of this folder on MicroPython."""
    command = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=16m", str(HERE / script), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


def cuts(*args: str) -> tuple[list[str], dict[str, int]]:
    """What `cuts.py` tells: its failures, and its counts by name."""
    done = run("cuts.py", *args)
    found = _COUNTS.search(done.stdout)
    if not found:
        told = f"BROKEN cuts.py {' '.join(args)} ended without a count: {done.stdout}{done.stderr}"
        return [told], dict.fromkeys(_NAMES, 0) | {"broken": 1}
    told = [line for line in done.stdout.splitlines() if line.startswith("BROKEN")]
    return told, dict(zip(_NAMES, map(int, found.groups()), strict=True))
