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

from retrostep.archive.store import Store
from support.club import club_store, fill_club
from support.postgresql import NoServer, empty_schema

from bench.inputs import BUILD
from bench.tables import console


def run(athletes: int = 50, days: int = 60) -> None:
    """The section of `make bench`."""
    console.print("[bold]Report[/bold]")
    folder = BUILD / "report"
    for a_week, on_server in ((3.5, False), (7.0, False), (28.0, False), (3.5, True)):
        shutil.rmtree(folder, ignore_errors=True)
        names = [f"Athlete {n}" for n in range(athletes)]
        if on_server:
            folder.mkdir()
            try:
                url = empty_schema()
            except NoServer as why:
                console.print(f"[dim]{why}[/dim]")
                return
            with Store(url) as store:
                fill_club(store, names, days, a_week)
        else:
            url = club_store(folder, names, days, a_week)
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [sys.executable, "-m", "retrostep", "report", "--store", url, "--to", str(folder / "club.html")]
        subprocess.run(command, env={**os.environ, "RETROSTEP_HOME": str(folder)}, stdout=subprocess.DEVNULL, check=True)
        seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        size_mb = (folder / "club.html").stat().st_size / 1e6
        console.print(
            f"{athletes} athletes, {a_week:g} sessions a week, {'on a server' if on_server else 'in a file'}: {seconds:.1f} s, "
            f"{after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.1f} s of processor, {size_mb:.1f} MB "
            "(at most 10 s and 5 MB)"
        )
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("athletes", 50), ("days", 60)):
        parser.add_argument(f"--{name}", type=int, default=default)
    run(**vars(parser.parse_args()))
