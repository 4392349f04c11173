"""Runs powerloss.cuts on MicroPython, one process for each part of the work, and reads its results."""

import re

from support.interpreter import micropython

SCENARIOS = ("training", "low-flash", "old-layout")
# Every fifth cut is enough to find each mutant.
MUTANT_EVERY = 5
_COUNTS = re.compile(r"(\d+) operations, (\d+) erases, (\d+) cuts, (\d+) of them reordered, (\d+) double cuts, (\d+) broken")
_NAMES = ("operations", "erases", "cuts", "reordered", "double", "broken")


def cuts(*arguments: str) -> tuple[list[str], dict[str, int]]:
    """(failure lines, counts by name) of `powerloss.cuts` with these arguments."""
    done = micropython("powerloss.cuts", *arguments, timeout_s=1800)
    found = _COUNTS.search(done.stdout)
    if not found:
        failure = f"BROKEN powerloss.cuts {' '.join(arguments)} ended without counts: {done.stdout}{done.stderr}"
        return [failure], dict.fromkeys(_NAMES, 0) | {"broken": 1}
    failures = [line for line in done.stdout.splitlines() if line.startswith("BROKEN")]
    return failures, dict(zip(_NAMES, map(int, found.groups()), strict=True))
