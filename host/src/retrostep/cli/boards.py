"""`retrostep boards`: the boards that Retrostep runs on, and how they are wired."""

import json
import re
import sys
from typing import Any

import click

from retrostep.boards.board_folder import create, draw, is_drawn
from retrostep.boards.new_board import LINKS, Answers, described
from retrostep.cli._options import json_option
from retrostep.cli._ports import print_error
from retrostep.device.boards import board_names, read_board, schema, sensors
from retrostep.device.chips import CHIPS, unusable
from retrostep.errors import DamagedData
from retrostep.output.lines import echo, echo_row


@click.group("boards", invoke_without_command=True)
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List the boards that Retrostep runs on.

    \b
    Example:  retrostep boards
              retrostep boards show ESP32_DEVKIT_LSM6DSOX
              retrostep boards new MY_BOARD
    """
    if context.invoked_subcommand is None:
        context.invoke(list_boards, as_json=as_json)


@command.command("list")
@json_option
def list_boards(as_json: bool) -> None:
    """List every board. Same as `retrostep boards`.

    \b
    Example:  retrostep boards list --json

    \b
    Exit status: 4 if a board.json does not follow the schema, else 0.
    """
    boards: list[dict[str, Any]] = []
    status = 0
    for name in board_names():
        try:
            boards.append(read_board(name))
        except DamagedData as error:
            print_error(error)
            status = error.exit_status
    if as_json:
        click.echo(json.dumps({"boards": boards}, indent=2))
    else:
        width = max((len(board["name"]) for board in boards), default=0)
        for board in boards:
            echo_row((board["name"], board["chip"], board["imu"]["model"], board["product"]), (width, 8, 10, 0))
    sys.exit(status)


@command.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show how the board NAME is wired.

    \b
    Example:  retrostep boards show ESP32_DEVKIT_LSM6DSOX
    """
    board = read_board(name)
    if as_json:
        click.echo(json.dumps(board, indent=2))
        return
    for key, value in board.items():
        if isinstance(value, dict):
            value = ", ".join(f"{part} {amount}" for part, amount in value.items())
        elif isinstance(value, list):
            value = "; ".join(" ".join(map(str, item.values())) for item in value) or "none"
        echo(f"{key:<12} {value}", 13)


@command.command("draw")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--check", is_flag=True, help="Write nothing; exit with 4 if a picture or page is out of date.")
def draw_boards(names: tuple[str, ...], check: bool) -> None:
    """Check boards, and draw their wiring, case and page.

    Without NAME it is every board. board.md, wiring.svg and case.svg in the board's folder are written from its board.json.

    \b
    Example:  retrostep boards draw ESP32_DEVKIT_LSM6DSOX

    \b
    Exit status: 4 if a board.json is wrong, else 0.
    """
    status = 0
    for name in names or board_names():
        try:
            board = read_board(name)
            if "wiring" not in board:
                echo(f"{name}: board.json is correct; its page is written by hand.")
            elif check:
                drawn = is_drawn(name)
                status = status if drawn else 4
                echo(f"{name}: {'up to date' if drawn else 'out of date. Draw it again'}.")
            else:
                changed = draw(name)
                echo(f"{name}: {', '.join(path.name for path in changed)} drawn." if changed else f"{name}: up to date.")
        except DamagedData as error:
            print_error(error)
            status = error.exit_status
    sys.exit(status)


@command.command("new")
@click.argument("name")
def new(name: str) -> None:
    """Create the folder of a new board from your answers.

    Each answer is checked when you give it. Answer `-` for a part that the board does not have. Everything can be changed later in the
    folder's board.json; `retrostep boards draw NAME` then draws it again.

    \b
    Example:  retrostep boards new MY_BOARD
    """
    if not re.fullmatch(r"[A-Z0-9_]{1,32}", name):
        raise click.BadParameter(f"{ascii(name)}: use at most 32 capital letters, digits and underscores.", param_hint="NAME")
    if re.fullmatch(r"CON|PRN|AUX|NUL|(COM|LPT)[0-9]", name):
        raise click.BadParameter(f"{name} is a name that Windows keeps for itself. Choose another one.", param_hint="NAME")
    if name in board_names():
        raise click.BadParameter(f"boards/{name} exists already. Choose another name, or edit its board.json.", param_hint="NAME")
    chip = click.prompt("Chip", type=click.Choice(list(LINKS)), default="esp32")
    vendor = _ask_text("Manufacturer of the board", "vendor")
    product = _ask_text("Product", "product")
    size_mm = _ask_size()
    model = click.prompt("Sensor", type=click.Choice(list(sensors())), default="LSM6DSOX")
    address = {"0x6A": 0x6A, "0x6B": 0x6B}[click.prompt("Address of the sensor", type=click.Choice(["0x6A", "0x6B"]), default="0x6A")]
    given: dict[str, int | None] = {}
    for part, question in _PINS.items():
        given[part] = _ask_pin(chip, part, question, given)
    folder = create(described(Answers(name, vendor, product, chip, model, address, given, size_mm)))
    echo(f"Created {folder}: board.json, board.md, wiring.svg and case.svg.")
    echo(f"Write what is printed beside each pin into wiring/labels of board.json. Then draw it again: `retrostep boards draw {name}`.")


_PINS = {
    "scl": "GPIO of SCL",
    "sda": "GPIO of SDA",
    "button": "GPIO of the button (- for none)",
    "led": "GPIO of the LED (- for none)",
    "haptic": "GPIO of the motor's transistor (- for none)",
    "battery": "GPIO of the cell's divider (- for none)",
}
_OPTIONAL = ("button", "led", "haptic", "battery")


def _ask_text(question: str, field: str) -> str:
    """Ask for a text until it is one that `field` of board.json may have."""
    allowed = schema()["properties"][field]["pattern"]
    while True:
        answer = " ".join(click.prompt(question).split())
        if re.search(allowed, answer):
            return answer
        echo(f"{ascii(answer[:40])}: that is too long, or has a control character or one of < > |.", err=True)


def _ask_size() -> tuple[int, ...]:
    """Ask for the size of the board until the answer is valid."""
    while True:
        answer = click.prompt("Length, width and height of the board in mm", default="55 28 16")
        if re.fullmatch(r"[1-9][0-9]? +[1-9][0-9]? +[1-9][0-9]?", answer):
            return tuple(map(int, answer.split()))
        echo(f"{ascii(answer)} is no size: write three whole numbers, such as 55 28 16.", err=True)


def _ask_pin(chip: str, part: str, question: str, given: dict[str, int | None]) -> int | None:
    """Ask for the GPIO of `part` until it is one that the chip can use there and that no other part has."""
    while True:
        answer = click.prompt(question)
        if answer == "-" and part in _OPTIONAL:
            return None
        if not re.fullmatch(r"[0-9]{1,2}", answer):
            echo(f"{ascii(answer)} is no GPIO: write its number, such as 21.", err=True)
            continue
        pin = int(answer)
        fault = "is in use already" if pin in given.values() else unusable(CHIPS[chip], part, pin)
        if not fault:
            return pin
        echo(f"GPIO {pin} {fault}.", err=True)
