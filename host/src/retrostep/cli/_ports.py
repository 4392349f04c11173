"""What the commands that talk to boards share."""

import click

from retrostep.output.plain import clean

ports_option = click.option(
    "--port", "named", multiple=True, metavar="TTY", help="The board's port (default: all plugged in, and those RETROSTEP_PORTS names)."
)
port_option = click.option("--port", required=True, metavar="TTY", help="The board's port, as `retrostep devices` shows it.")


def complain(error: Exception, port: str = "") -> None:
    """One line on stderr about what did not work, where the work goes on; it names the `port` where the sentence does not."""
    where = f"{port}: " if port not in str(error) else ""
    click.echo(clean(f"Error: {where}{error}"), err=True)
