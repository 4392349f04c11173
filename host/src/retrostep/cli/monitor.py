"""`retrostep monitor`: steps, direction, cadence and alerts as they happen."""

import json
import time

import click

from retrostep.cli._options import json_option
from retrostep.cli._ports import port_option
from retrostep.device.client import Board
from retrostep.device.open import Line
from retrostep.device.watch import described, told, watch


@click.command("monitor")
@port_option
@json_option
@click.option("--seconds", type=click.FloatRange(min=0), help="Stop after so many seconds.")
@click.option("--until-session-ends", is_flag=True, help="Stop when the session that goes on, or else the next one, has ended.")
def command(port: str, as_json: bool, seconds: float | None, until_session_ends: bool) -> None:
    """Show what a board counts, live. Stop with Ctrl-C; the board counts on.

    With --json each line is one event: step, direction, cadence, alert, gap or session, with times in seconds since the session began.
    """
    until = None if seconds is None else time.monotonic() + seconds
    with Board(Line(port), on_text=None if as_json else _log_text) as board:
        board.hello()
        try:
            for event in watch(board, until, until_session_ends):
                click.echo(json.dumps(told(event)) if as_json else described(event))
        except KeyboardInterrupt:
            return


def _log_text(text: str) -> None:
    for line in text.splitlines():
        if line.strip():
            click.echo(f"board: {line}", err=True)
