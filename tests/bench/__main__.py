"""The benchmark. `make bench` runs all sections but `constants`; `make bench SECTIONS="scores cadence"` runs some of them."""

import argparse
import importlib
import os
import sys
import time
from datetime import date

from support.places import ROOT

# The other step counters are installed here. It holds everything else as well.
PEERS = ROOT / ".venv-bench" / "bin" / "python"
SECTIONS = {
    "scores": "steps, cadence, direction: labelled and generated motion, with peers",
    "cadence": "40 to 260 steps a minute, forward and backward",
    "not_gait": "false steps, seconds and alerts in motion that is not gait, with peers",
    "field": "steps and direction in running that turns, shuffles and is pushed",
    "mounts": "direction of recorded gait with the sensor worn any way round",
    "faults": "a sensor that freezes, is stuck, loses its gyroscope or its line: what a walk keeps",
    "switches": "delay until a change of direction is reported, on recorded runners",
    "ramps": "alerts when cadence rises",
    "sweeps": "effect of mount, noise, impacts, strap, clock and lost samples; a picture",
    "cost": "instructions, time and memory on MicroPython",
    "flash": "time that the flash takes: start, LIST, create, longest call",
    "wear": "block erases in an hour of running",
    "link": "speed of a sync on slow serial lines, beside mpremote, and its memory",
    "power": "how long a cell lasts, by arithmetic",
    "alongside": "lost samples and late alerts during a sync",
    "archive": "cost of an entry and of a rebuild after years; scaled by `python -m bench.archive --help`",
    "club": "check of clubs of 10 and 1,000 in a file and on PostgreSQL, from a log to a verdict; scaled by `python -m bench.club --help`",
    "report": "time and size of the report of a club of 50, in a file and on PostgreSQL",
    "constants": "effect of the main constants of the engine (not in the full run)",
}
FULL = [name for name in SECTIONS if name != "constants"]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench",
        description=__doc__,
        epilog="\n".join(f"  {name:10} {what}" for name, what in SECTIONS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="one or more of those below; default: all but constants")
    asked = parser.parse_args().sections
    if unknown := [name for name in asked if name not in SECTIONS]:
        parser.error(f"no section {unknown[0]!r}; the sections are {', '.join(SECTIONS)}")
    if (PEERS.parents[1] / ".ready").is_file() and not PEERS.parents[1].samefile(sys.prefix):
        os.execv(PEERS, [str(PEERS), "-m", "bench", *asked])
    from bench.tables import console

    begin = time.monotonic()
    console.print(f"Retrostep bench, {date.today()}, {os.uname().machine}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for name in asked or FULL:
        start = time.monotonic()
        importlib.import_module(f"bench.{name}").run()
        console.print(f"[dim]{name}: {time.monotonic() - start:.0f} s[/dim]")
    console.print(f"\nTotal: {time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
