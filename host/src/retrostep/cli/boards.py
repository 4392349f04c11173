"""`retrostep boards`: which boards are known, and what is in them."""

import json
import sys
from typing import Any

import click

from retrostep.cli._options import json_option
from retrostep.cli._ports import complain
from retrostep.device.boards import board_names, read_board
from retrostep.errors import DamagedData
from retrostep.output.plain import clean


@click.group("boards", invoke_without_command=True)
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show the boards that Retrostep runs on. Without a command: list them."""
    if context.invoked_subcommand is None:
        context.invoke(list_boards, as_json=as_json)


@command.command("list")
@json_option
def list_boards(as_json: bool) -> None:
    """List every known board. Exit status 4 where a board.json does not follow the schema."""
    boards: list[dict[str, Any]] = []
    status = 0
    for name in board_names():
        try:
            boards.append(read_board(name))
        except DamagedData as error:
            complain(error)
            status = error.exit_status
    if as_json:
        click.echo(json.dumps({"boards": boards}, indent=2))
    else:
        width = max((len(board["name"]) for board in boards), default=0)
        for board in boards:
            click.echo(clean(f"{board['name']:<{width}}  {board['chip']:<8}  {board['imu']['model']:<10}  {board['product']}"))
    sys.exit(status)


@command.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show how the board NAME is wired."""
    board = read_board(name)
    if as_json:
        click.echo(json.dumps(board, indent=2))
        return
    for key, value in board.items():
        if isinstance(value, dict):
            value = ", ".join(f"{part} {amount}" for part, amount in value.items())
        elif isinstance(value, list):
            value = "; ".join(" ".join(map(str, item.values())) for item in value) or "none"
        click.echo(clean(f"{key:<12} {value}"))
