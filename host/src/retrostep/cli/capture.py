"""`retrostep capture`: log raw samples, for the recordings that the world does not have yet."""

import click

from retrostep.cli._ask import confirm
from retrostep.cli._options import WholeNumber
from retrostep.cli._ports import one_port, optional_port, print_wait
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep.output.lines import echo
from retrostep.units import count

LABEL_MOST = 32
CONSENT = (
    "A capture records every movement of the leg, 104 times a second. Whoever gets the file can study how this person moves. "
    "`retrostep export --format recording` writes it without name, device and date, but a way of moving can be recognised. "
    "Ask the person who wears the device first; for a child, ask the parents too. Nothing leaves this computer by itself."
)


def _label(context: click.Context, parameter: click.Parameter, value: str) -> str:
    text = " ".join(value.split())
    if len(text) > LABEL_MOST or not (text.isascii() and text.isprintable()):
        raise click.BadParameter(f"write at most {LABEL_MOST} letters, digits and signs of plain English.")
    return text


@click.command("capture")
@optional_port
@click.option("--minutes", type=WholeNumber(1, 20), default=5, show_default=True, help="How long; a minute takes 84 KB of flash.")
@click.option("--label", callback=_label, default="", metavar="TEXT", help="What is done, such as 'backward run, track'. No names.")
@click.option("--stop", is_flag=True, help="End a capture that is running.")
@click.option("--consent", is_flag=True, help="The person who wears the device has agreed. Do not ask.")
def command(port: str | None, minutes: int, label: str, stop: bool, consent: bool) -> None:
    """Log raw samples of the sensor for some minutes.

    The device starts at once: unplug it, strap it on and move. The samples are in the session's log. Sync it, then write them with
    `retrostep export SESSION --format recording`.

    \b
    Example:  retrostep capture --minutes 5 --label 'backward run, track'
    """
    port = one_port(port)
    if not stop:
        confirm(CONSENT, "Has the person agreed?", consent, "--consent")
    with DeviceClient(SerialPort(port), on_wait=print_wait) as board:
        board.hello()
        board.capture(0 if stop else minutes, "" if stop else label)
    if stop:
        echo("The capture has ended. Its session ends after a while without steps: sync the device then.")
    else:
        echo(f"Capturing for {count(minutes, 'minute')}. Unplug the device, strap it on and move. Then: `retrostep sync`.")
