"""The benchmark: `make bench`, or `.venv/bin/python tests/bench [SECTION...]` for a part of it."""

import argparse
import os
import sys
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE.parents[1] / ".venv-bench" / "bin" / "python"
# Where it is ready the peers are in it, and everything else as well.
SECTIONS = {
    "scores": "steps, cadence, direction: labelled and generated motion, with peers",
    "cadence": "40 to 260 steps a minute, forward and backward",
    "switches": "how soon a change of direction is told, on recorded runners",
    "ramps": "alerts when cadence is made to rise",
    "sweeps": "what mount, noise, impacts, strap, clock and lost samples do; a picture",
    "cost": "instructions, time, memory on MicroPython, beside an engine that polls the sensor",
    "wear": "block erases in an hour of running",
    "link": "speed of a sync on throttled lines, beside mpremote, and the memory it takes",
    "alongside": "samples and alerts while a sync goes on",
    "constants": "what the engine's important constants do (not in the full run)",
}
FULL = [name for name in SECTIONS if name != "constants"]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tests/bench",
        description=__doc__,
        epilog="\n".join(f"  {name:10} {what}" for name, what in SECTIONS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="one of those below; all but constants unless named")
    asked = parser.parse_args().sections
    if unknown := [name for name in asked if name not in SECTIONS]:
        parser.error(f"there is no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    if (PEERS.parents[1] / ".ready").is_file() and Path(sys.prefix) != PEERS.parents[1]:
        os.execv(PEERS, [str(PEERS), str(HERE), *asked])
    from show import console

    begin = time.monotonic()
    console.print(f"Retrostep bench, {date.today()}, {os.uname().machine}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for name in asked or FULL:
        start = time.monotonic()
        __import__(name).run()
        console.print(f"[dim]{name}: {time.monotonic() - start:.0f} s[/dim]")
    console.print(f"\nAll of it took {time.monotonic() - begin:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
