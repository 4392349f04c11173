"""The wiring of a board as an SVG picture: one row for each wire, so that no two wires cross."""

from typing import Any
from xml.etree import ElementTree

from retrostep.boards.svg import box, dot, line, picture, text, written
from retrostep.boards.wiring import Part, Wire, parts, power

_WIDTH = 760
_ROW = 26
_MARGIN = 16
_BOARD_RIGHT = 260
_PART_LEFT = 510
_CHARACTERS = 36
"""Characters of a sentence in one line of a part's box."""

_COLOURS = {"supply": "#b3261e", "ground": "#202124", "signal": "#1a5fb4"}


def wiring_svg(board: dict[str, Any]) -> str:
    """The picture of a checked board.json with `wiring`."""
    found = parts(board) + power(board)
    heights = [_height(part) for part in found]
    height = sum(heights) + _MARGIN * (len(found) + 2) + _ROW
    svg = picture(_WIDTH, height, f"Wiring of {board['product']}")
    box(svg, _MARGIN, _MARGIN, _BOARD_RIGHT - _MARGIN, height - 2 * _MARGIN, "#e8f0e8", "#4a6b4a")
    text(svg, _MARGIN + 12, _MARGIN + 20, board["name"], weight="bold")
    top = _MARGIN * 2 + _ROW
    for part, part_height in zip(found, heights, strict=True):
        _draw_part(svg, part, top, part_height)
        top += part_height + _MARGIN
    return written(svg)


def _draw_part(svg: ElementTree.Element, part: Part, top: int, height: int) -> None:
    left = _PART_LEFT if part.wires else _BOARD_RIGHT + _MARGIN
    box(svg, left, top, _WIDTH - _MARGIN - left, height, "#f6f3ea", "#8a7440")
    text(svg, left + 12, top + 18, part.title, weight="bold")
    y = top + _ROW
    for wire in part.wires:
        _draw_wire(svg, wire, y + 12)
        y += _ROW
    for sentence in _lines(part):
        text(svg, left + 12, y + 14, sentence, size=11)
        y += 16


def _draw_wire(svg: ElementTree.Element, wire: Wire, y: int) -> None:
    colour = _COLOURS[wire.kind]
    # The cell is no part of the board.
    start = _BOARD_RIGHT if not wire.pin.startswith("cell") else _BOARD_RIGHT + 70
    line(svg, start, y, _PART_LEFT, y, colour, "2.5")
    for x in (start, _PART_LEFT):
        dot(svg, x, y, colour)
    text(svg, start - 10, y + 4, wire.pin, anchor="end")
    text(svg, _PART_LEFT + 12, y + 4, wire.to)
    if wire.via:
        middle = (_BOARD_RIGHT + 70 + _PART_LEFT) // 2
        box(svg, middle - 38, y - 9, 76, 18, "#ffffff", colour)
        text(svg, middle, y + 4, wire.via, size=11, anchor="middle")


def _lines(part: Part) -> list[str]:
    """The sentence of a part, broken into lines that fit its box."""
    width = _CHARACTERS if part.wires else 2 * _CHARACTERS
    lines = [""]
    for word in part.how.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [each for each in lines if each]


def _height(part: Part) -> int:
    return _ROW * (1 + len(part.wires)) + 16 * len(_lines(part)) + 8
