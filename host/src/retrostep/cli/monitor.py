"""`retrostep monitor`: steps, direction, cadence and alerts as they happen."""

import json
import time

import click
from retrostep_core.link.answers import Status
from retrostep_core.sensor_text import sensor_text

from retrostep.cli._options import json_option
from retrostep.cli._ports import one_port, optional_port, print_wait
from retrostep.device.client import DeviceClient
from retrostep.device.live_events import event_as_dict, event_text, live_events
from retrostep.device.serial_port import SerialPort


@click.command("monitor")
@optional_port
@json_option
@click.option("--seconds", type=click.FloatRange(min=0), help="Stop after this many seconds.")
@click.option("--until-session-ends", is_flag=True, help="Stop at the end of the session in progress, or of the next one.")
def command(port: str | None, as_json: bool, seconds: float | None, until_session_ends: bool) -> None:
    """Show steps, direction, cadence and alerts, live.

    Stop with Ctrl-C; the board keeps counting. With --json each line is one event: step, direction, cadence, alert, gap or session. Its
    times are in seconds since the session started. A line of the event "sensor" gives a fault of the sensor, or null when it works again.

    \b
    Example:  retrostep monitor
              retrostep monitor --port /dev/ttyUSB0
    """
    port = one_port(port)
    until = None if seconds is None else time.monotonic() + seconds
    with DeviceClient(SerialPort(port), on_text=None if as_json else _log_text, on_wait=print_wait) as board:
        board.hello()
        shown = 0

        def show_sensor(status: Status) -> None:
            nonlocal shown
            if status.sensor == shown:
                return
            shown = status.sensor
            fault = sensor_text(shown & 255, shown >> 8) or None
            if as_json:
                click.echo(json.dumps({"event": "sensor", "at": status.t_ms / 1000, "fault": fault}))
            else:
                click.echo(f"Sensor: {fault or 'works again'}.", err=True)

        try:
            for event in live_events(board, until, until_session_ends, show_sensor):
                click.echo(json.dumps(event_as_dict(event)) if as_json else event_text(event))
        except KeyboardInterrupt:
            return


def _log_text(text: str) -> None:
    for line in text.splitlines():
        if line.strip():
            click.echo(f"board: {line}", err=True)
