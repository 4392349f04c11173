"""`retrostep report`: one page for the club, an athlete or a physiotherapist."""

from datetime import datetime
from pathlib import Path

import click
from retrostep_core import VERSION

from retrostep.archive.durable_files import write_atomically
from retrostep.cli._options import PAST_MOMENT, NewFile, athlete_option, store_option, written_by_option
from retrostep.cli._store import reading
from retrostep.device.core_version import core_hash
from retrostep.output.lines import echo
from retrostep.output.report.facts import Report, report
from retrostep.output.report.page import page
from retrostep.output.report.pdf import write_pdf
from retrostep.training.data_quality import Core
from retrostep.training.dates import day_text

_OWN_SUFFIXES = (".html", ".htm")
_NAME_LENGTH = 40
"""Characters of an athlete's name in the name of a file."""


@click.command("report")
@athlete_option("Only this athlete: nobody else is named.")
@click.option("--to", type=NewFile(), metavar="FILE", help="The file (default: retrostep-DATE[-NAME].html here).")
@click.option("--pdf", is_flag=True, help="Also print it to a PDF file beside it; needs Chromium, Chrome or Edge.")
@click.option("--on", type=PAST_MOMENT, metavar="DATE", help="Report as on this local date; later sessions are left out.")
@store_option
def command(athlete: str | None, to: Path | None, pdf: bool, on: datetime | None, store_url: str | None) -> None:
    """Write a page about the club and each athlete.

    One HTML file that needs no network: who changed and needs you, which limit and why, the load by day against its limit, the next
    allowed session and plan, the sessions, and the sources. It can be read on a phone and printed. An existing file is replaced.
    For programs, `retrostep check --json`, `plan ATHLETE --json` and `sessions --json` print the same data.

    \b
    Example:  retrostep report
              retrostep report --athlete Ada --to ada.html --pdf
    """
    if to is not None and to.suffix.lower() not in _OWN_SUFFIXES:
        raise click.UsageError("The file of --to must end in .html.")
    if to is not None and not to.absolute().parent.is_dir():
        raise click.UsageError(f"There is no folder {to.absolute().parent}: create it first, or check the path of --to.")
    with reading(store_url) as store:
        found = report(store, Core(VERSION, core_hash().hex()), None if on is None else on.date(), athlete)
    path = (to or Path(_default_name(found))).absolute()
    made = page(found, datetime.now().astimezone()).encode()
    with written_by_option("--to", "The report", "file"):
        write_atomically(path, made)
        echo(f"Written: {path}")
        if pdf:
            printed = path.with_suffix(".pdf")
            write_pdf(path, printed)
            echo(f"Written: {printed}")


def _default_name(found: Report) -> str:
    """`retrostep-2026-11-28.html`; with the athlete's name where it is about one, so that the page of the club is not replaced."""
    name = "" if found.is_club else "".join(char if char.isalnum() else "_" for char in found.pages[0].name[:_NAME_LENGTH])
    return f"retrostep-{day_text(found.on)}{f'-{name}' if name else ''}.html"
