"""A board's folder: board.json, and the page and the pictures that are made from it."""

import json
from pathlib import Path
from typing import Any

from retrostep.boards.case import case_svg
from retrostep.boards.page import board_page
from retrostep.boards.picture import wiring_svg
from retrostep.device.boards import board_faults, carried, read_board
from retrostep.errors import BoardFolderError, DamagedData


def made_from(board: dict[str, Any]) -> dict[str, str]:
    """{file name: text} of what is made from a board.json; empty for a board without `wiring`, whose page is written by hand."""
    if "wiring" not in board:
        return {}
    return {"board.md": board_page(board), "wiring.svg": wiring_svg(board), "case.svg": case_svg(board)}


def is_drawn(name: str) -> bool:
    """Are the page and the picture of board `name` what its board.json gives? Raises as `draw`."""
    return not _outdated(name)


def draw(name: str) -> list[Path]:
    """Write the page and the picture of board `name`; returns the files that changed.

    Raises UnknownBoard, DamagedData for a wrong board.json, or BoardFolderError where the folder cannot be written.
    """
    outdated = _outdated(name)
    for path, text in outdated.items():
        _write(path, text)
    return list(outdated)


def _outdated(name: str) -> dict[Path, str]:
    """{path: new text} of the files that are not what board.json gives."""
    folder = carried() / "boards" / name
    texts = {folder / file: text for file, text in made_from(read_board(name)).items()}
    return {path: text for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text}


def create(board: dict[str, Any]) -> Path:
    """Create the folder of a new board, with its page and picture; returns the folder.

    Raises DamagedData for a board that does not follow the schema or has a wrong pin, or BoardFolderError where the folder exists or
    cannot be written. Nothing is written then.
    """
    faults = board_faults(board)
    if faults:
        raise DamagedData(f"The board.json of {board['name']} {faults[0]}.")
    folder = carried() / "boards" / str(board["name"])
    try:
        folder.mkdir()
    except FileExistsError:
        raise BoardFolderError(f"{folder} exists already. Choose another name, or edit its board.json.") from None
    except OSError as error:
        reason = f"{folder} cannot be created ({error.strerror})."
        raise BoardFolderError(f"{reason} A new board needs a checkout that you may write to.") from error
    for file, text in {"board.json": board_json(board), **made_from(board)}.items():
        _write(folder / file, text)
    return folder


def board_json(board: dict[str, Any]) -> str:
    """board.json with one line for each field, and one for each entry of a long list."""
    lines = []
    for key, value in board.items():
        text = json.dumps(value, ensure_ascii=False)
        if len(text) > 120 and isinstance(value, dict):
            entries = ",\n".join(f"    {json.dumps(name)}: {json.dumps(part, ensure_ascii=False)}" for name, part in value.items())
            text = f"{{\n{entries}\n  }}"
        lines.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BoardFolderError(f"{path} cannot be written ({error.strerror}).") from error
