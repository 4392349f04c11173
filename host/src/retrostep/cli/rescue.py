"""`retrostep rescue`: session logs from a board whose app does not start, or from a dump of its flash."""

import json
import sys
from pathlib import Path

import click

from retrostep.archive.store import Store
from retrostep.cli._bars import progress_bar
from retrostep.cli._options import json_option, store_option
from retrostep.output.plain import clean
from retrostep.rescue import Rescue, rescue_board, rescue_image


@click.command("rescue")
@click.option("--port", metavar="TTY", help="The board's port, as `retrostep devices` shows it.")
@click.option(
    "--image", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="A dump of the board's flash instead."
)
@json_option
@store_option
def command(port: str | None, image: Path | None, as_json: bool, store_url: str | None) -> None:
    """Save the sessions of a board that `retrostep sync` cannot reach, because its app does not start.

    With --port it works through MicroPython's own prompt: what runs there is stopped, and started again afterwards. With --image it
    reads a dump of the flash, whole or only the partition with the files, which esptool makes of a board that does not even do that.
    Nothing on the board is changed. Damaged logs are kept and reported, and the exit status is 4. Sessions that come again by a
    later sync are not counted twice.

    \b
    Example:  retrostep rescue --port /dev/ttyUSB0
              esptool read_flash 0 ALL flash.bin && retrostep rescue --image flash.bin
    """
    if (port is None) == (image is None):
        raise click.UsageError("Give either --port TTY or --image FILE.")
    with Store(store_url) as store, progress_bar(port or str(image), not as_json) as progress:
        found = rescue_board(port, store.raw, store, progress) if port else rescue_image(Path(str(image)), store.raw, store, progress)
    for warning in found.warnings:
        click.echo(f"Warning: {clean(warning)}", err=True)
    for one in found.of("damaged", "quarantined", "unread"):
        name = one.session or one.file
        click.echo(f"{'Unread' if one.outcome == 'unread' else 'Damaged'}: {clean(f'{name}: {one.why}')}", err=True)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
    else:
        _tell(found)
    sys.exit(found.exit_status)


def _tell(found: Rescue) -> None:
    """The summary, on stdout."""
    rescued = found.of("rescued")
    words = [f"{len(rescued)} session{'' if len(rescued) == 1 else 's'} rescued"]
    if rescued:
        words[0] += f" ({sum(one.length for one in rescued) / 1024:.1f} KB)"
    for outcome, said in (
        ("had", "here already"),
        ("damaged", "damaged, kept and counted"),
        ("quarantined", "unreadable or doubtful, in quarantine"),
        ("unread", "unread"),
    ):
        if found.of(outcome):
            words.append(f"{len(found.of(outcome))} {said}")
    whose = f"{found.device} ({found.board})" if found.device else "no device is named"
    click.echo(clean(f"{found.source}: {whose}: {', '.join(words)}."))
    only = [one for one in rescued if not one.synced_before]
    if only:
        click.echo(f"{len(only)} of those rescued had never been synced to any computer.")
    if found.of("rescued", "had", "damaged"):
        click.echo("`retrostep sessions` lists what is in the store.")
    if found.app:
        click.echo("The board's app runs again." if found.app == "runs" else f"The board's app did not start: {clean(found.app)}")
