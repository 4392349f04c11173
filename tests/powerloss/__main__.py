"""Cut the power at every operation of the flash, restart the device and check that nothing promised is lost.

Then do the same with deliberate faults in the firmware (mutants.py), which must be found. Exit status 1 if a promise was broken; the
output then holds the arguments for --repeat.
"""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed

from support.interpreter import micropython

from powerloss.mutants import MUTANTS
from powerloss.runner import MUTANT_EVERY, SCENARIOS, cuts

# Each scenario is split into this many processes: all cores end together, and the progress line moves.
_PARTS = 16


def main() -> int:
    parser = argparse.ArgumentParser(prog="powerloss", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="make only every N-th cut")
    parser.add_argument("--repeat", nargs="+", metavar="ARGUMENT", help="repeat one cut, with the arguments that a failure printed")
    given = parser.parse_args()
    if given.repeat:
        failures, counts = cuts(*given.repeat)
        print("\n".join(failures) or f"{counts['cuts']} cut, nothing broken")
        return 1 if failures else 0
    every = max(1, given.every)
    begin = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        passed = [_scenario(pool, scenario, every) for scenario in SCENARIOS]
        passed.append(_damaged_flash(every))
        passed += pool.map(_mutant, [(mutant, scenario) for mutant, (_, scenario) in MUTANTS.items() if scenario])
    print(f"{time.monotonic() - begin:.0f} s")
    return 0 if all(passed) else 1


def _scenario(pool: ThreadPoolExecutor, scenario: str, every: int) -> bool:
    """Make all cuts of a scenario; true if no promise was broken."""
    jobs = [pool.submit(cuts, scenario, "unchanged", str(every * _PARTS), str(part * every)) for part in range(_PARTS)]
    sums: Counter[str] = Counter()
    for n, job in enumerate(as_completed(jobs), 1):
        failures, counts = job.result()
        for line in failures:
            print(line)
        sums.update(counts)
        if sys.stderr.isatty():
            end = "\r" if n < _PARTS else "\r\x1b[K"
            print(f"{scenario}: {100 * n // _PARTS} %, {sums['cuts']} cuts, {sums['broken']} broken", end=end, file=sys.stderr, flush=True)
    operations, erases = sums["operations"] // _PARTS, sums["erases"] // _PARTS
    print(
        f"{scenario}: {operations} flash operations, {erases} erases; {sums['cuts']} cuts, {sums['reordered']} of them reordered, "
        f"{sums['double']} double cuts: {sums['broken']} broken",
        flush=True,
    )
    return not sums["broken"]


def _damaged_flash(every: int) -> bool:
    """Start on every kind of damaged flash; true if on each the device starts and counts."""
    done = micropython("powerloss.faults", str(every), timeout_s=1800)
    print(f"damaged flash at the start: {(done.stdout + done.stderr).strip()}", flush=True)
    return done.returncode == 0


def _mutant(job: tuple[str, str]) -> bool:
    """Whether the cuts find a mutant."""
    mutant, scenario = job
    failures, counts = cuts(scenario, mutant, str(MUTANT_EVERY), "0")
    if counts["broken"]:
        print(f"{mutant}: found by cut {counts['cuts']}: {failures[0].removeprefix('BROKEN ')}", flush=True)
    else:
        print(f"{mutant}: NOT FOUND by {counts['cuts']} cuts", flush=True)
    return counts["broken"] > 0


if __name__ == "__main__":
    sys.exit(main())
