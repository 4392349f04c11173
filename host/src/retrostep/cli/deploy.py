"""`retrostep deploy`: copy the firmware to a board."""

import click

from retrostep.cli._bars import progress_bar
from retrostep.cli._ports import one_port, optional_port
from retrostep.cli._stop import after_ctrl_c
from retrostep.deploy.deploy import deploy
from retrostep.units import count, kilobytes


@click.command("deploy")
@click.option("--board", required=True, metavar="NAME", help="The board's name, as `retrostep boards` lists it.")
@optional_port
def command(board: str, port: str | None) -> None:
    """Copy the firmware to a board and start it.

    The board must run MicroPython. Only files that differ are copied, and each is verified by its SHA-256. Sessions and settings on
    the board stay. A session in progress ends.

    \b
    Example:  retrostep deploy --board ESP32_DEVKIT_LSM6DSOX
              retrostep deploy --board ESP32_DEVKIT_LSM6DSOX --port /dev/ttyUSB0
    """
    port = one_port(port, board)
    partly = "The board may have only part of the firmware: run the same command again."
    with after_ctrl_c(partly), progress_bar(board) as progress:
        done = deploy(board, port, progress)
    removed = f", {count(done.removed, 'old file')} removed" if done.removed else ""
    click.echo(
        f"{done.device} runs Retrostep: {count(done.copied, 'file')} copied ({kilobytes(done.copied_bytes)}), "
        f"{count(done.unchanged, 'file')} already there{removed}."
    )
