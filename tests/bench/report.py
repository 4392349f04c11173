"""The report of a club: time of the command and size of the file.

    python -m bench.report --athletes 50 --days 60

The club is synthetic. The command is timed as a whole, with its start.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time

from support.club import club_store

from bench.inputs import BUILD
from bench.tables import console

DENSITIES = (3.5, 7.0, 28.0)
"""Training sessions a week."""


def run(athletes: int = 50, days: int = 60) -> None:
    """The section of `make bench`."""
    console.print("[bold]Report[/bold]")
    for a_week in DENSITIES:
        folder = BUILD / "report"
        shutil.rmtree(folder, ignore_errors=True)
        club_store(folder, [f"Athlete {n}" for n in range(athletes)], days, a_week)
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [sys.executable, "-m", "retrostep", "report", "--to", str(folder / "club.html")]
        subprocess.run(command, env={**os.environ, "RETROSTEP_HOME": str(folder)}, stdout=subprocess.DEVNULL, check=True)
        seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        size_mb = (folder / "club.html").stat().st_size / 1e6
        console.print(
            f"{athletes} athletes, {a_week:g} sessions a week: {seconds:.1f} s, "
            f"{after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.1f} s of processor, {size_mb:.1f} MB "
            "(at most 10 s and 5 MB)"
        )
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("athletes", 50), ("days", 60)):
        parser.add_argument(f"--{name}", type=int, default=default)
    run(**vars(parser.parse_args()))
