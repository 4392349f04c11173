"""`retrostep calibrate`: let a board find out how its sensor is mounted."""

import json

import click
from retrostep_core.gait.calibration import DONE, STAND, WALK
from retrostep_core.link.messages import Calibration

from retrostep.cli._options import json_option
from retrostep.cli._ports import port_option
from retrostep.device.calibrate import calibrate, last_calibration, reason_name, state_name, why
from retrostep.device.client import Board
from retrostep.device.open import Line
from retrostep.errors import CalibrationFailed


@click.command("calibrate")
@port_option
@click.option("--last", is_flag=True, help="Only tell what came of the last calibration, such as one that was begun by three presses.")
@json_option
def command(port: str, last: bool, as_json: bool) -> None:
    """Find out how the sensor sits on the leg: stand still, then walk five strides FORWARD.

    What is found holds at once and is kept on the board. It ends a session that goes on. The cable must reach for ten steps; a board that
    runs on a cell may be unplugged as soon as it pulses, and asked with --last afterwards.
    """
    with Board(Line(port)) as board:
        device = board.hello().device
        outcome = last_calibration(board) if last else calibrate(board, _silent if as_json else _guide)
    if as_json:
        facts = {"state": state_name(outcome), "mount": outcome.mount, "strides": outcome.strides, "reason": reason_name(outcome)}
        click.echo(json.dumps({"device": device, **facts}))
    if outcome.state != DONE or outcome.reason:
        raise CalibrationFailed(why(outcome))
    if not as_json:
        click.echo(f"Done: mount {outcome.mount}. It is kept on {device} and holds from now on.")


def _silent(now: Calibration) -> None:
    """Nothing beside the JSON."""


def _guide(now: Calibration) -> None:
    """What the wearer is to do."""
    if now.state == STAND:
        click.echo("Stand still, the foot flat on the ground ...")
    elif now.state == WALK and not now.strides:
        click.echo("Now walk five strides straight forward ...")
    elif now.state == WALK:
        click.echo(f"  stride {now.strides}")
