"""Cuts the power at every operation of the flash: `make powerloss`, or `.venv/bin/python tests/powerloss [--every N]`.

Every life (life.py) is cut on all cores, by the board's own interpreter, and then each control (controls.py) is: those must be caught.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

HERE = Path(__file__).resolve().parent
MICROPYTHON = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=64m"]
LIVES = ("worn", "short")
COUNTS = re.compile(
    r"(\d+) operations, (\d+) erases, (\d+) cuts, (\d+) of them reordered, (\d+) double cuts, (\d+) broken"
)
NAMES = ("operations", "erases", "cuts", "reordered", "double", "broken")
# Parts of a life's cuts: small enough that all cores end together and the line of progress moves.
PARTS = 16
# A control is looked for in every so many cuts.
CONTROL_EVERY = 7


def sweep(life: str, control: str, every: int, part: int) -> tuple[str, dict[str, int]]:
    """One process that makes its part of the cuts: (failures as it told them, its counts)."""
    done = subprocess.run([*MICROPYTHON, str(HERE / "cuts.py"), life, control, str(every), str(part)], capture_output=True, text=True)
    found = COUNTS.search(done.stdout)
    if not found:
        return f"BROKEN {life} {control} ended without a count:\n{done.stdout}{done.stderr}", {"broken": 1}
    told = "".join(line + "\n" for line in done.stdout.splitlines() if line.startswith("BROKEN"))
    return told, dict(zip(NAMES, map(int, found.groups()), strict=True))


def controls() -> Iterator[str]:
    """Names of the controls, without importing what only the board's interpreter can."""
    for name in re.findall(r'^    "([a-z-]+)": ', (HERE / "controls.py").read_text(), re.MULTILINE):
        if name != "as-it-is":
            yield name


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/powerloss", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="make each N-th cut only")
    every = max(1, parser.parse_args().every)
    begin = time.monotonic()
    broken = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for life in LIVES:
            jobs = [pool.submit(sweep, life, "as-it-is", every * PARTS, part * every) for part in range(PARTS)]
            sums: Counter[str] = Counter()
            for n, job in enumerate(as_completed(jobs), 1):
                told, counts = job.result()
                print(told, end="")
                facts = {name: counts.get(name, 0) for name in NAMES[:2]}
                sums.update({name: counts.get(name, 0) for name in NAMES[2:]})
                if sys.stderr.isatty():
                    print(f"\r{life}: {n} of {PARTS} parts, {sums['cuts']} cuts, {sums['broken']} broken", end="\r" * (n < PARTS), file=sys.stderr)
            if sys.stderr.isatty():
                print("\r\x1b[K", end="", file=sys.stderr)
            print(
                f"{life}: {facts['operations']} operations of the flash, {facts['erases']} erases; {sums['cuts']} cuts, "
                f"{sums['reordered']} of them reordered, {sums['double']} double cuts: {sums['broken']} broken"
            )
            broken += sums["broken"]
        jobs = [pool.submit(caught, control) for control in controls()]
        for told in [job.result() for job in jobs]:
            print(told)
            broken += told.startswith("NOT CAUGHT")
    print(f"{time.monotonic() - begin:.0f} s")
    return 1 if broken else 0


def caught(control: str) -> str:
    """A line on how the cuts found a control."""
    cuts = 0
    for life in LIVES:
        told, counts = sweep(life, control, CONTROL_EVERY, 0)
        cuts += counts.get("cuts", 0)
        if counts["broken"]:
            return f"{control}: caught after {cuts} cuts: {told.splitlines()[0].removeprefix('BROKEN ')}"
    return f"NOT CAUGHT: {control}, in {cuts} cuts"


if __name__ == "__main__":
    sys.exit(main())
