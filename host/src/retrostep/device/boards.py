"""The known boards: one folder each under boards/, described by its board.json."""

import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any, cast

from retrostep.device.chips import pin_faults
from retrostep.errors import DamagedData, UnknownBoard

PACKAGE = Path(__file__).resolve().parents[1]
_FOR_THE_MAKER = ("vendor", "product", "wiring")


def carried() -> Path:
    """The folder that holds firmware/ and boards/: the root of a checkout, or the copy inside an installed package."""
    checkout = PACKAGE.parents[2]
    return checkout if (checkout / "firmware/lib/retrostep_core").is_dir() else PACKAGE / "carried"


def sensors() -> dict[str, int]:
    """{model: content of its register WHO_AM_I} of every sensor that the firmware supports (firmware/hal/sensors.py)."""
    return {model: row[0] for model, row in _sensor_table().items()}


def has_patterned_fifo(model: str) -> bool:
    """Whether the FIFO of a supported sensor has the older, patterned words."""
    return _sensor_table()[model][1] == 1


def sensor_driver(model: str) -> str:
    """The class of a supported sensor in Adafruit's driver package; `model` itself for one that is not supported."""
    row = _sensor_table().get(model)
    return row[2] if row else model


@cache
def _sensor_table() -> dict[str, tuple[int, int, str]]:
    # The table's only import is of `const`, which the carried core provides.
    return cast(dict[str, tuple[int, int, str]], runpy.run_path(str(carried() / "firmware/hal/sensors.py"))["SENSORS"])


def board_names() -> list[str]:
    """The names of all boards, sorted."""
    return sorted(path.parent.name for path in (carried() / "boards").glob("*/board.json"))


def board_bytes(board: dict[str, Any]) -> bytes:
    """board.json of a board of `read_board`, as it goes to the device: without what only its maker needs."""
    return json.dumps({field: value for field, value in board.items() if field not in _FOR_THE_MAKER}).encode()


def schema() -> dict[str, Any]:
    """boards/board.schema.json; the sensor models that it allows come from the firmware's table."""
    found = cast(dict[str, Any], json.loads((carried() / "boards/board.schema.json").read_bytes()))
    found["properties"]["imu"]["properties"]["model"]["enum"] = list(sensors())
    return found


def read_board(name: str) -> dict[str, Any]:
    """The description of the board `name`, checked against the schema and its chip.

    Raises UnknownBoard, or DamagedData that names the first wrong field.
    """
    file = f"boards/{name}/board.json"
    known = board_names()
    if name not in known:
        raise UnknownBoard(f"There is no board '{name}'. Known boards: {', '.join(known)}.")
    try:
        board = json.loads((carried() / file).read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedData(f"{file} is not JSON ({error}). Correct it and try again.") from error
    faults = board_faults(board)
    if faults:
        raise DamagedData(f"{file} {faults[0]}.")
    if board["name"] != name:
        raise DamagedData(f"{file} has the name '{board['name']}'. The folder and the board need the same name.")
    return cast(dict[str, Any], board)


def board_faults(board: Any) -> list[str]:
    """What is wrong with the content of a board.json, by its schema and its chip: one clause for each fault, empty for none."""
    from jsonschema import Draft202012Validator  # Takes 0.2 s to import: only where it is used.

    errors = sorted(Draft202012Validator(schema()).iter_errors(board), key=lambda e: list(map(str, e.absolute_path)))
    if not errors:
        return [f"is wrong: {fault}" for fault in pin_faults(board)]
    fields = ["/".join(map(str, error.absolute_path)) or "its top level" for error in errors]
    return [f"does not follow boards/board.schema.json at {field}: {error.message}" for field, error in zip(fields, errors, strict=True)]
