"""Options and error lines of the commands that talk to boards."""

import click

from retrostep.cli._cures import sentence
from retrostep.device.ports import select_ports
from retrostep.errors import NoBoardFound, SeveralBoards
from retrostep.output.lines import echo

ports_option = click.option(
    "--port", "named", multiple=True, metavar="PORT", help="A board's port; may be repeated (default: every plugged-in board)."
)
optional_port = click.option("--port", metavar="PORT", help="The board's port (default: the only plugged-in board).")


def one_port(named: str | None, board: str = "") -> str:
    """The port `named`, or else the only plugged-in one, of the kind `board` if that is given. Raises NoBoardFound, SeveralBoards."""
    if named is not None:
        return named
    found = select_ports(())
    # A port with no known USB ids may lead to any board.
    fitting = [port.path for port in found if not board or not port.boards or board in port.boards]
    if not fitting:
        raise NoBoardFound(f"None of the plugged-in boards has the USB ids of {board}.")
    if len(fitting) > 1:
        raise SeveralBoards(f"Several boards are plugged in: name one with --port ({', '.join(fitting)}).")
    return fitting[0]


def print_wait(sentence: str) -> None:
    """What a command waits for, on stderr."""
    echo(sentence, err=True)


def print_error(error: Exception, port: str = "") -> None:
    """One error line on stderr, for a command that continues. It starts with `port` where the message does not contain it."""
    where = f"{port}: " if port not in str(error) else ""
    echo(f"Error: {where}{sentence(error)}", 2, err=True)
