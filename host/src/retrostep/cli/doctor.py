"""`retrostep doctor`: does this board work?"""

import json
import sys

import click

from retrostep.cli._ask import can_ask
from retrostep.cli._bars import progress_bar
from retrostep.cli._doctor import Keyboard, examined, print_checks, report_as_dict
from retrostep.cli._options import json_option
from retrostep.cli._ports import one_port, optional_port


@click.command("doctor")
@optional_port
@json_option
def command(port: str | None, as_json: bool) -> None:
    """Examine a board and say what does not work.

    Port and permissions, firmware, clock, battery, MicroPython, memory, flash, the sensor's identity, self-test, noise and sample rate,
    button, motor and LED. Each check is ok, warn or fail; below a problem stands what helps. It takes less than two minutes.

    Lay the board still on a table. Its program is stopped for some seconds; a session in progress is not disturbed. Without a terminal,
    or with --json, nobody is asked: motor, LED and a press of the button are left out. Ctrl-C ends it with what was found so far.

    \b
    Example:  retrostep doctor
              retrostep doctor --port /dev/ttyUSB0 --json

    \b
    Exit status: 1 if a check fails, else 0.
    """
    port = one_port(port)
    asked = not as_json and can_ask()
    with progress_bar(port, not as_json and not asked) as bar:
        report = examined(port, Keyboard() if asked else None, bar, is_printed=not as_json)
    if as_json:
        click.echo(json.dumps(report_as_dict(report), indent=2))
    else:
        print_checks(report)
    sys.exit(report.exit_status)
