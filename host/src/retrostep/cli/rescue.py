"""`retrostep rescue`: save the sessions of a board whose app does not start.

The database is imported once the board is at its prompt: a chip without a program is reported before.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retrostep.cli._bars import progress_bar
from retrostep.cli._cures import sentence
from retrostep.cli._options import json_option, store_option
from retrostep.cli._stop import after_ctrl_c
from retrostep.cli._store import entering
from retrostep.device.mpremote import stop_program
from retrostep.device.restart import restarted_on_error
from retrostep.output.lines import echo
from retrostep.plain_text import clean
from retrostep.units import count, kilobytes

if TYPE_CHECKING:
    from retrostep.rescue.rescue import Rescue

IMAGE: click.Path = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("rescue")
@click.option("--port", metavar="PORT", help="The board's port.")
@click.option("--image", type=IMAGE, metavar="FILE", help="A dump of the board's flash, read instead.")
@json_option
@store_option
def command(port: str | None, image: Path | None, as_json: bool, store_url: str | None) -> None:
    """Save the sessions of a board whose app does not start.

    --port uses MicroPython's prompt: the board's program is stopped, and started again afterwards. --image reads a dump of the flash:
    all of it, or only the partition with the files. esptool makes a dump of a board whose prompt does not answer.

    The board is not changed. Damaged logs are kept and reported. A later sync does not count rescued sessions twice.

    \b
    Example:  retrostep rescue --port /dev/ttyUSB0
              esptool read_flash 0 ALL flash.bin
              retrostep rescue --image flash.bin

    \b
    Exit status: 4 if a log is damaged or could not be read, else 0.
    """
    if (port is None) == (image is None):
        raise click.UsageError("Give either --port PORT or --image FILE.")
    saved = "Every session rescued so far is kept. Run the same command again for the rest."
    with after_ctrl_c(saved):
        found = _of_board(port, store_url, not as_json) if port else _of_image(Path(str(image)), store_url, not as_json)
    for warning in found.warnings:
        echo(f"Warning: {warning}", err=True)
    for one in found.of("damaged", "quarantined", "unread"):
        label = "Unread" if one.outcome == "unread" else "Damaged"
        echo(f"{label}: {one.session or one.file}: {one.why}", err=True)
    if as_json:
        click.echo(json.dumps({**found.as_dict(), "app": _app(found)}, indent=2))
    else:
        _report(found)
    sys.exit(found.exit_status)


def _of_board(port: str, store_url: str | None, is_bar_wanted: bool) -> Rescue:
    tool = stop_program(port)
    with restarted_on_error(port):
        from retrostep.rescue.rescue import rescue_board

        with entering(store_url) as store, progress_bar(port, is_bar_wanted) as progress:
            return rescue_board(tool, store, progress)


def _of_image(image: Path, store_url: str | None, is_bar_wanted: bool) -> Rescue:
    from retrostep.rescue.rescue import rescue_image

    with entering(store_url) as store, progress_bar(str(image), is_bar_wanted) as progress:
        return rescue_image(image, store, progress)


def _report(found: Rescue) -> None:
    """Print the summary."""
    rescued = found.of("rescued")
    words = [f"{count(len(rescued), 'session')} rescued"]
    if rescued:
        words[0] += f" ({kilobytes(sum(one.length for one in rescued))})"
    for outcome, label in (
        ("had", "received before"),
        ("damaged", "damaged, but kept and used"),
        ("quarantined", "unreadable or doubtful, kept in the folder quarantine"),
        ("unread", "not read"),
    ):
        if found.of(outcome):
            words.append(f"{len(found.of(outcome))} {label}")
    device = f"{found.device} ({found.board})" if found.device else "unknown device"
    echo(f"{found.source}: {device}: {', '.join(words)}.")
    only = [one for one in rescued if not one.synced_before]
    if only:
        click.echo(f"{count(len(only), 'rescued session')} had not been synced to any computer before.")
    if found.of("rescued", "had", "damaged"):
        click.echo("`retrostep sessions` lists what is in the store.")
    if found.app:
        click.echo("The board's app runs again." if found.app == "runs" else f"The board's app did not start: {clean(_app(found))}")


def _app(found: Rescue) -> str:
    """How the board was left, with the command that helps."""
    return found.app if found.problem is None else sentence(found.problem)
