"""Where boards may be plugged in: serial ports whose USB ids one of boards/*/board.json names, and those that RETROSTEP_PORTS names."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from serial.tools import list_ports

from retrostep.device.boards import board_names, read_board
from retrostep.errors import BoardNotFound


@dataclass(frozen=True)
class Port:
    """A serial port that may lead to a board: its path, its "vvvv:pppp" USB ids, and the boards that show such ids."""

    path: str
    usb: str
    boards: tuple[str, ...]


def boards_by_usb_ids() -> dict[str, tuple[str, ...]]:
    """{"vvvv:pppp": names of the boards that show these USB ids}."""
    ids: dict[str, tuple[str, ...]] = {}
    for name in board_names():
        for shown in read_board(name)["usb"]:
            usb = f"{shown['vid']}:{shown['pid']}"
            ids[usb] = (*ids.get(usb, ()), name)
    return ids


def find_ports() -> list[Port]:
    """Every port that may lead to a board, by path with its numbers in order; which of them does, only HELLO can tell."""
    known = boards_by_usb_ids()
    found = []
    for port in list_ports.comports():
        usb = f"{port.vid:04x}:{port.pid:04x}" if port.vid is not None and port.pid is not None else ""
        if usb in known:
            found.append(Port(port.device, usb, known[usb]))
    return sorted(found, key=lambda port: _in_order(port.path))


def ports(named: Iterable[str], and_all: bool = False) -> list[Port]:
    """The ports that were named, or, where none was or `and_all`, all that may lead to a board. Raises BoardNotFound where there are none.

    RETROSTEP_PORTS names more of these, with spaces between: ports that show no USB ids. A port that has two names counts once.
    """
    wanted = [Port(path, "", ()) for path in named]
    if and_all or not wanted:
        wanted += [*find_ports(), *(Port(path, "", ()) for path in os.environ.get("RETROSTEP_PORTS", "").split())]
    chosen: dict[str, Port] = {}
    for port in wanted:
        chosen.setdefault(os.path.realpath(port.path), port)
    if not chosen:
        raise BoardNotFound(
            "No board was found. Plug one in with a cable that carries data (many only charge); for a board whose USB ids are not "
            "known, name its port with --port."
        )
    return list(chosen.values())


def _in_order(path: str) -> list[tuple[int, str]]:
    """A sorting key that puts ttyUSB2 before ttyUSB10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path)]
