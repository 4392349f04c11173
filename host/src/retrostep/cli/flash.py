"""`retrostep flash`: write MicroPython and the firmware to a chip."""

import sys
from pathlib import Path
from typing import Any

import click

from retrostep.cli._ask import can_ask, confirm
from retrostep.cli._bars import progress_bar
from retrostep.cli._doctor import Keyboard, examined, print_checks
from retrostep.cli._options import store_option, yes_option
from retrostep.cli._ports import one_port, optional_port
from retrostep.cli._stop import after_ctrl_c
from retrostep.cli._store import entering
from retrostep.deploy.flash import OnBoard, describe, flash, look
from retrostep.deploy.micropython_image import check_image, newest_download
from retrostep.device.boards import read_board
from retrostep.device.client import DeviceClient
from retrostep.device.ports import all_ports, port_after_reset
from retrostep.device.serial_port import SerialPort
from retrostep.errors import UnsyncedSessions
from retrostep.output.lines import echo
from retrostep.sync.sync import sync_board
from retrostep.units import count

IMAGE: click.Path = click.Path(dir_okay=False, path_type=Path)


@click.command("flash")
@click.option("--board", "name", required=True, metavar="NAME", help="The board's name, as `retrostep boards` lists it.")
@optional_port
@click.option("--image", type=IMAGE, metavar="FILE", help="MicroPython's official image (default: the newest in the downloads folder).")
@click.option("--erase", is_flag=True, help="Erase sessions that are not synced, without a question.")
@yes_option
@store_option
def command(name: str, port: str | None, image: Path | None, erase: bool, yes: bool, store_url: str | None) -> None:
    """Write MicroPython and the firmware to a new board.

    Nothing is downloaded: the command names the official image and its page. The image is checked: right chip, complete, new enough. Then
    the chip is erased, MicroPython is written and verified, the firmware is copied and started, and `retrostep doctor` examines the board.

    Everything on the board is erased, its settings too. Sessions that are not synced are synced first, or erased if you agree.

    \b
    Example:  retrostep flash --board ESP32_DEVKIT_LSM6DSOX
              retrostep flash --board ESP32_DEVKIT_LSM6DSOX --port /dev/ttyUSB0 --image ESP32_GENERIC-20251209-v1.27.0.bin

    \b
    Exit status: 1 if a check of the doctor fails, else 0.
    """
    board = read_board(name)
    checked = check_image(image or newest_download(board), board)
    if image is None:
        confirm(f"MicroPython {checked.version_text} is in {describe(checked.path)}.", "Write it?", yes, "--yes")
    port = one_port(port, name)
    _spare_sessions(port, erase, store_url)
    before = all_ports()
    _explain_boot(board)
    port = port_after_reset(port, name, before)
    state = "The chip may be without a program: run the same command again."
    with after_ctrl_c(state), progress_bar(name) as progress:
        done = flash(board, port, checked, progress)
    echo(f"{done.device} runs MicroPython {checked.version_text} and Retrostep ({count(done.copied, 'file')} copied).")
    report = examined(done.port, Keyboard() if can_ask() else None)
    print_checks(report)
    sys.exit(report.exit_status)


def _spare_sessions(port: str, erase: bool, store_url: str | None) -> None:
    """Sync what is on the board at `port`, if the person at the keyboard wants so. Return if nothing unsynced is left, or may be erased."""
    found = look(port)
    may_sync = found.unsynced and found.is_app and not erase and can_ask()
    if may_sync and click.confirm(f"{_sessions(found)} Sync now?", default=True, err=True):
        with entering(store_url) as store, DeviceClient(SerialPort(port)) as client:
            sync_board(client, store)
        found = look(port)
    if found.unsynced == 0 or erase:
        return
    if not can_ask():
        raise UnsyncedSessions(f"{_sessions(found)} Flashing erases them. If they may be lost, add --erase.", port=port)
    confirm(_sessions(found), "Flashing erases everything on it. Erase it?", erase, "--erase")


def _sessions(found: OnBoard) -> str:
    if found.unsynced is None:
        return "The board does not tell whether it holds sessions: if it may, press its reset button and sync it first."
    verb = "is" if found.unsynced == 1 else "are"
    return f"{count(found.unsynced, 'session')} of {found.device or 'the board'} {verb} not synced."


def _explain_boot(board: dict[str, Any]) -> None:
    """Where esptool cannot start the loader by itself, say how, and wait for the person at the keyboard."""
    if board["flash"]["boot"] == "button":
        echo("Hold BOOT, press and release RESET, then release BOOT: the chip now waits in its loader.", err=True)
        if can_ask():
            click.prompt("Press Enter when this is done", default="", show_default=False, prompt_suffix=" ", err=True)
