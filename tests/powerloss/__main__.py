"""Cuts the power at every operation of the flash: `make powerloss`, or `.venv/bin/python tests/powerloss [--every N]`.

Every life (life.py) is cut on all cores, and then so is the firmware broken on purpose (controls.py), which must be caught. Exits 1 where a
promise was broken, with a line that makes that cut again.
"""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed

from sweep import CONTROL_EVERY, HERE, LIVES, cuts, run

sys.path[0:0] = [str(HERE.parents[1] / "firmware")]

from controls import CONTROLS  # noqa: E402

# Parts of a life's cuts: small enough that all cores end together and the line of progress moves.
_PARTS = 16


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/powerloss", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="make each N-th cut only")
    every = max(1, parser.parse_args().every)
    begin = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sound = [_whole(pool, life, every) for life in LIVES]
        sound.append(_on_a_bad_flash(every))
        sound += pool.map(_caught, [(control, life) for control, (_, life) in CONTROLS.items() if life])
    print(f"{time.monotonic() - begin:.0f} s")
    return 0 if all(sound) else 1


def _whole(pool: ThreadPoolExecutor, life: str, every: int) -> bool:
    """All cuts of a life; true if no promise was broken."""
    jobs = [pool.submit(cuts, life, "as-it-is", str(every * _PARTS), str(part * every)) for part in range(_PARTS)]
    sums: Counter[str] = Counter()
    for n, job in enumerate(as_completed(jobs), 1):
        told, counts = job.result()
        for line in told:
            print(line)
        sums.update(counts)
        if sys.stderr.isatty():
            end = "\r" if n < _PARTS else "\r\x1b[K"
            print(f"{life}: {100 * n // _PARTS} %, {sums['cuts']} cuts, {sums['broken']} broken", end=end, file=sys.stderr, flush=True)
    operations, erases = sums["operations"] // _PARTS, sums["erases"] // _PARTS
    print(
        f"{life}: {operations} operations of the flash, {erases} erases; {sums['cuts']} cuts, {sums['reordered']} of them reordered, "
        f"{sums['double']} double cuts: {sums['broken']} broken",
        flush=True,
    )
    return not sums["broken"]


def _on_a_bad_flash(every: int) -> bool:
    """Whether the device starts and counts whatever is wrong with its flash."""
    done = run("faults.py", str(every))
    print(f"flash faults at the start: {(done.stdout + done.stderr).strip()}", flush=True)
    return done.returncode == 0


def _caught(job: tuple[str, str]) -> bool:
    """Whether the cuts find a control; says how."""
    control, life = job
    told, counts = cuts(life, control, str(CONTROL_EVERY), "0")
    if counts["broken"]:
        print(f"{control}: caught by cut {counts['cuts']}: {told[0].removeprefix('BROKEN ')}", flush=True)
    else:
        print(f"{control}: NOT CAUGHT by {counts['cuts']} cuts", flush=True)
    return counts["broken"] > 0


if __name__ == "__main__":
    sys.exit(main())
