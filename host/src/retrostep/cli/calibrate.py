"""`retrostep calibrate`: a board finds out how its sensor is mounted."""

import json

import click
from retrostep_core.gait.calibration import DONE, SENSOR, STAND, WALK
from retrostep_core.link.answers import Calibration

from retrostep.cli._options import json_option
from retrostep.cli._ports import one_port, optional_port, print_wait
from retrostep.cli._stop import after_ctrl_c
from retrostep.device.calibrate import calibrate, calibration_error, last_calibration, reason_name, state_name
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort


@click.command("calibrate")
@optional_port
@click.option("--last", is_flag=True, help="Only show the result of the last calibration, for example one started by three presses.")
@json_option
def command(port: str | None, last: bool, as_json: bool) -> None:
    """Find out how the sensor is mounted on the leg.

    Stand still until the device pulses, then walk five strides forward. The board uses the result at once and saves it. A session in
    progress ends. The cable must be long enough for ten steps. You may unplug a board with a battery as soon as it pulses: plug
    it in again afterwards and use --last.

    \b
    Example:  retrostep calibrate
              retrostep calibrate --port /dev/ttyUSB0 --last
    """
    port = one_port(port)
    cancelled = "" if last else "The calibration is cancelled: the board keeps its mount."
    with after_ctrl_c(cancelled), DeviceClient(SerialPort(port), on_wait=print_wait) as board:
        device = board.hello().device
        outcome = last_calibration(board) if last else calibrate(board, _silent if as_json else _guide)
        sensor = board.status().sensor if outcome.reason == SENSOR else 0
    if as_json:
        facts = {"state": state_name(outcome), "mount": outcome.mount, "strides": outcome.strides, "reason": reason_name(outcome)}
        click.echo(json.dumps({"device": device, **facts}))
    if outcome.state != DONE or outcome.reason:
        raise calibration_error(outcome, port, sensor)
    if not as_json:
        click.echo(f"Done: mount {outcome.mount}, saved on {device} and used from now on.")


def _silent(now: Calibration) -> None:
    """With --json, print nothing else."""


def _guide(now: Calibration) -> None:
    """Print what the wearer does next."""
    if now.state == STAND:
        click.echo("Stand still with the foot flat on the ground ...")
    elif now.state == WALK and not now.strides:
        click.echo("Now walk five strides straight forward ...")
    elif now.state == WALK:
        click.echo(f"  stride {now.strides}")
