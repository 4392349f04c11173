"""What the commands that talk to boards share."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from retrostep.device import progress as device_progress
from retrostep.output.plain import clean

ports_option = click.option(
    "--port", "named", multiple=True, metavar="TTY", help="The board's port (default: every board that is plugged in)."
)
port_option = click.option("--port", required=True, metavar="TTY", help="The board's port, as `retrostep devices` shows it.")


@contextmanager
def progress_bar(title: str, is_shown: bool = True) -> Iterator[device_progress.Progress]:
    """A progress bar on stderr while the work lasts, where stderr is a terminal and the bar `is_shown`."""
    if not (is_shown and sys.stderr.isatty()):
        yield device_progress.silent
        return
    # A fifth of a second that a command without a bar need not spend.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(clean(title), total=None)
        yield lambda what, done, total: bars.update(bar, description=clean(f"{title} {what}"), completed=done, total=total or None)


def complain(error: Exception) -> None:
    """One line on stderr about what did not work, where the work goes on."""
    click.echo(f"Error: {clean(str(error))}", err=True)
