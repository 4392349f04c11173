"""Which serial ports may lead to a board: those with the USB ids of a boards/*/board.json, and those in RETROSTEP_PORTS."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from serial.tools import list_ports

from retrostep.device.boards import board_names, read_board
from retrostep.errors import NoBoardFound


@dataclass(frozen=True)
class FoundPort:
    """A serial port that may lead to a board: its path, its USB ids as `vvvv:pppp`, and the names of the boards with these ids."""

    path: str
    usb: str
    boards: tuple[str, ...]


@cache
def boards_by_usb_ids() -> dict[str, tuple[str, ...]]:
    """Names of the boards by their USB ids, `vvvv:pppp`."""
    ids: dict[str, tuple[str, ...]] = {}
    for name in board_names():
        for shown in read_board(name)["usb"]:
            usb = f"{shown['vid']}:{shown['pid']}"
            ids[usb] = (*ids.get(usb, ()), name)
    return ids


def find_ports() -> list[FoundPort]:
    """Every plugged-in port with the USB ids of a board, in order of path. Only HELLO tells whether a board answers there."""
    known = boards_by_usb_ids()
    found = []
    for port in list_ports.comports():
        usb = f"{port.vid:04x}:{port.pid:04x}" if port.vid is not None and port.pid is not None else ""
        if usb in known:
            found.append(FoundPort(port.device, usb, known[usb]))
    return sorted(found, key=lambda port: _in_order(port.path))


def select_ports(named: Iterable[str], and_all: bool = False) -> list[FoundPort]:
    """The ports in `named`. If there are none, or with `and_all`, also every port that may lead to a board. Each port once.

    The environment's RETROSTEP_PORTS adds paths, with spaces between them, for boards without known USB ids. Raises NoBoardFound if
    there is no port.
    """
    candidates = [FoundPort(path, "", ()) for path in named]
    if and_all or not candidates:
        candidates += [*find_ports(), *(FoundPort(path, "", ()) for path in os.environ.get("RETROSTEP_PORTS", "").split())]
    selected: dict[str, FoundPort] = {}
    for port in candidates:
        selected.setdefault(os.path.normcase(os.path.realpath(port.path)), port)
    if not selected:
        raise NoBoardFound("No board was found. Plug one in with a cable that carries data (many only charge).")
    return list(selected.values())


def all_ports() -> set[str]:
    """The path of every serial port of this computer."""
    return {port.device for port in list_ports.comports()}


def port_after_reset(port: str, board: str, before: set[str]) -> str:
    """Where a board of the kind `board` is that was at `port`; `before` are the ports of that time (all_ports).

    A chip with its own USB is another device in its loader than under MicroPython, so its port may get another name.
    """
    if port in all_ports() or os.path.exists(port):
        return port
    new = [found.path for found in find_ports() if board in found.boards and found.path not in before]
    return new[0] if len(new) == 1 else port


def present_ports(named: Iterable[str], and_all: bool = False) -> list[str]:
    """The paths of `select_ports` that exist now; none where there is no port."""
    try:
        selected = select_ports(named, and_all)
    except NoBoardFound:
        return []
    listed = all_ports()  # Windows has no file for a port
    return [port.path for port in selected if port.usb or port.path in listed or os.path.exists(port.path)]


def _in_order(path: str) -> list[tuple[int, str]]:
    """A sort key that puts ttyUSB2 before ttyUSB10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path)]
