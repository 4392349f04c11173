"""`retrostep deploy`: copy to a board what it shall run."""

import click

from retrostep.cli._bars import progress_bar
from retrostep.cli._ports import port_option
from retrostep.device.deploy import deploy


@click.command("deploy")
@click.option("--board", required=True, metavar="NAME", help="The kind of board, as `retrostep boards` lists it.")
@port_option
def command(board: str, port: str) -> None:
    """Copy the firmware to a board that runs MicroPython, and start it.

    Only files that differ are copied; each is verified by its SHA-256. Sessions and settings on the board stay untouched, but
    a session that is going on ends here.
    """
    with progress_bar(board) as progress:
        done = deploy(board, port, progress)
    files = "file" if done.copied == 1 else "files"
    click.echo(
        f"{done.device} runs Retrostep: {done.copied} {files} copied ({done.copied_bytes / 1024:.1f} KB), {done.unchanged} were the same"
        f"{f', {done.removed} old ones removed' if done.removed else ''}."
    )
