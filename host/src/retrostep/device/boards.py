"""The boards that are known: one folder each under boards/, described by its board.json."""

import json
from pathlib import Path
from typing import Any, cast

from retrostep.errors import DamagedData, UnknownBoard

PACKAGE = Path(__file__).resolve().parents[1]


def carried() -> Path:
    """The folder that holds firmware/ and boards/: a checkout's root, or what the wheel carries."""
    checkout = PACKAGE.parents[2]
    return checkout if (checkout / "firmware/lib/retrostep_core").is_dir() else PACKAGE / "carried"


def board_names() -> list[str]:
    """Every board that has a folder with a board.json, by name."""
    return sorted(p.parent.name for p in (carried() / "boards").glob("*/board.json"))


def board_bytes(name: str) -> bytes:
    """board.json of the board `name`, as it goes to the device. UnknownBoard lists the known ones."""
    known = board_names()
    if name not in known:
        raise UnknownBoard(f"There is no board '{name}'. Known boards: {', '.join(known)}.")
    return (carried() / "boards" / name / "board.json").read_bytes()


def read_board(name: str) -> dict[str, Any]:
    """The description of the board `name`, checked against boards/board.schema.json.

    Raises UnknownBoard, or DamagedData naming the first field that does not hold.
    """
    from jsonschema import Draft202012Validator  # a fifth of a second that commands with --port need not spend

    source = board_bytes(name)
    schema = json.loads((carried() / "boards/board.schema.json").read_bytes())
    try:
        board = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise DamagedData(f"boards/{name}/board.json is not JSON ({error}): mend it and try again.") from error
    wrong = sorted(Draft202012Validator(schema).iter_errors(board), key=lambda e: list(map(str, e.absolute_path)))
    if wrong:
        place = "/".join(map(str, wrong[0].absolute_path)) or "its top level"
        raise DamagedData(f"boards/{name}/board.json does not follow boards/board.schema.json at {place}: {wrong[0].message}.")
    if board["name"] != name:
        raise DamagedData(f"boards/{name}/board.json calls itself '{board['name']}': give the folder and the board one name.")
    return cast(dict[str, Any], board)
