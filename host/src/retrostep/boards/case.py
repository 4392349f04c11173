"""The case of a board and its strap: sizes from the parts inside, and a picture in two views, to scale.

From the top: the sensor, motor and button, the charger module where there is one, and the board with its USB socket at the lower end. The
cell lies behind the board, toward the leg. The sensor lies flat on the wall toward the leg.
"""

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from retrostep.boards.svg import box, dot, line, picture, text, written

WALL_MM = 2
SENSOR_MM = (26, 26, 5)
"""Room for Adafruit's breakouts of 26 x 18 mm, lengthwise or crosswise."""
CELL_MM = (36, 29, 5)
"""A LiPo cell of 500 mAh."""
MOTOR_MM = 12
"""Room for a disc motor of 10 mm, with a button in front of it."""
STRAP_MM = 25
_GAP_MM = 1
_BETWEEN_MM = 2
_EAR_MM = 8
_SLOT_MM = 3

_SCALE = 4
_MARGIN = 60
_VIEWS_APART = 230
_STRAP_SHOWN = 60
_INSIDE, _WALL, _STRAP, _AXIS = "#ffffff", "#d9d3c4", "#cfd8e6", "#1a5fb4"
_EDGE, _INK, _LEADER = "#6b6348", "#202124", "#80868b"
_PARTS = {"sensor": "#dbe7f5", "motor": "#f5e3db", "module": "#f5f0c8", "board": "#e8f0e8", "cell": "#eadff2"}


@dataclass(frozen=True)
class Place:
    """Where a part lies, in mm: `top` from the upper end of the inside down, `near` from the wall at the leg outward."""

    part: str
    title: str
    top: int
    length: int
    width: int
    near: int
    depth: int


@dataclass(frozen=True)
class Case:
    """The inside of a case in mm: length along the leg, width across it, depth away from it; and the parts inside."""

    length: int
    width: int
    depth: int
    places: tuple[Place, ...]

    @property
    def outside(self) -> tuple[int, int, int]:
        """Length, width and depth with the walls, without the ears of the strap."""
        return self.length + 2 * WALL_MM, self.width + 2 * WALL_MM, self.depth + 2 * WALL_MM


def case_of(board: dict[str, Any]) -> Case:
    """The smallest case for a checked board.json with `wiring`."""
    wiring = board["wiring"]
    board_length, board_width, board_height = wiring["size_mm"]
    places = [Place("sensor", "sensor", _GAP_MM, SENSOR_MM[0], SENSOR_MM[1], 0, SENSOR_MM[2])]
    top = _GAP_MM + SENSOR_MM[0] + _BETWEEN_MM
    title = "motor" if "button" in wiring["on_board"] or "button" not in board else "motor, button"
    places.append(Place("motor", title, top, MOTOR_MM, MOTOR_MM, 0, SENSOR_MM[2]))
    top += MOTOR_MM + _BETWEEN_MM
    width = max(SENSOR_MM[1], CELL_MM[1], board_width)
    if "charger_mm" in wiring:
        across, along, height = wiring["charger_mm"]
        places.append(Place("module", "charger", top, along, across, 0, height))
        top += along + _BETWEEN_MM
        width = max(width, across)
    length = top + max(board_length, CELL_MM[0]) + _GAP_MM
    outer = CELL_MM[2] + _GAP_MM
    places.append(Place("cell", "cell (dashed at the left)", length - _GAP_MM - CELL_MM[0], CELL_MM[0], CELL_MM[1], 0, CELL_MM[2]))
    places.append(Place("board", "board", length - board_length, board_length, board_width, outer, board_height))
    return Case(length, width + 2 * _GAP_MM, outer + board_height + _GAP_MM, tuple(places))


def case_svg(board: dict[str, Any]) -> str:
    """The picture of a checked board.json with `wiring`."""
    case = case_of(board)
    length, width, depth = (_SCALE * mm for mm in case.outside)
    front = _MARGIN + _SCALE * _EAR_MM + _STRAP_SHOWN
    side = front + width + _VIEWS_APART
    svg = picture(side + depth + 4 * _MARGIN, length + 2 * _MARGIN + 20, f"Case and strap of {board['product']}")
    _strap(svg, front, width, length)
    _front(svg, case, front)
    _side(svg, case, side)
    return written(svg)


def _front(svg: ElementTree.Element, case: Case, left: int) -> None:
    """Front view, from outside toward the leg."""
    length, width, _ = (_SCALE * mm for mm in case.outside)
    wall = _SCALE * WALL_MM
    text(svg, left, _MARGIN - 36, "From outside", weight="bold")
    box(svg, left, _MARGIN, width, length, _WALL, _EDGE)
    box(svg, left + wall, _MARGIN + wall, width - 2 * wall, length - 2 * wall, _INSIDE, _EDGE)
    for place in case.places:
        part_width = _SCALE * place.width
        x = left + (width - part_width) // 2
        y = _MARGIN + wall + _SCALE * place.top
        dashed = "4 3" if place.part == "cell" else ""
        box(svg, x, y, part_width, _SCALE * place.length, "none" if dashed else _PARTS[place.part], _INK, dashed)
        if not dashed:
            text(svg, left + width // 2, y + 16, place.title, size=11, anchor="middle")
    sensor = case.places[0]
    middle, centre = left + width // 2 - 20, _MARGIN + wall + _SCALE * (sensor.top + sensor.length // 2)
    line(svg, middle, centre + 30, middle, centre - 10, _AXIS, "2.5")
    line(svg, middle, centre - 10, middle - 6, centre, _AXIS, "2.5")
    line(svg, middle, centre - 10, middle + 6, centre, _AXIS, "2.5")
    text(svg, middle + 8, centre + 4, "x, up", size=11)
    text(svg, middle + 8, centre + 20, "z, to you", size=11)
    far = left - _SCALE * _EAR_MM - _STRAP_SHOWN
    _measure(svg, far, _MARGIN, far, _MARGIN + length, f"{case.outside[0]} mm")
    _measure(svg, left, _MARGIN + length + 30, left + width, _MARGIN + length + 30, f"{case.outside[1]} mm")
    text(svg, left + width // 2, _MARGIN + length + 16, "USB", size=11, anchor="middle")


def _side(svg: ElementTree.Element, case: Case, left: int) -> None:
    """Side view in section, with the leg at the left."""
    length, _, depth = (_SCALE * mm for mm in case.outside)
    wall = _SCALE * WALL_MM
    text(svg, left, _MARGIN - 36, "Cut open, from the side", weight="bold")
    box(svg, left - 30, _MARGIN - 20, 22, length + 40, "#f3dcc9", "none")
    text(svg, left - 36, _MARGIN + length // 2, "leg", anchor="end")
    box(svg, left, _MARGIN, depth, length, _WALL, _EDGE)
    box(svg, left + wall, _MARGIN + wall, depth - 2 * wall, length - 2 * wall, _INSIDE, _EDGE)
    labels: list[tuple[int, int, str]] = []
    for place in case.places:
        x = left + wall + _SCALE * place.near
        y = _MARGIN + wall + _SCALE * place.top
        box(svg, x, y, _SCALE * place.depth, _SCALE * place.length, _PARTS[place.part], _INK)
        at = x + _SCALE * place.depth // 2, y + (16 if place.part != "board" else _SCALE * place.length - 16)
        labels.append((*at, place.title))
    for x, y, title in labels:
        dot(svg, x, y, _LEADER, radius=2)
        line(svg, x, y, left + depth + 14, y, _LEADER)
        text(svg, left + depth + 18, y + 4, title, size=11)
    _measure(svg, left, _MARGIN + length + 30, left + depth, _MARGIN + length + 30, f"{case.outside[2]} mm")


def _strap(svg: ElementTree.Element, left: int, width: int, length: int) -> None:
    """The strap, the ears on both sides, and their slots."""
    ear, slot, strap = _SCALE * _EAR_MM, _SCALE * _SLOT_MM, _SCALE * STRAP_MM
    top = _MARGIN + (length - strap) // 2
    for x, at in ((left - ear, left - ear + 6), (left + width, left + width + ear - slot - 6)):
        box(svg, x, top - 10, ear, strap + 20, _WALL, _EDGE)
        box(svg, at, top - 2, slot, strap + 4, _INSIDE, _EDGE)
    for x in (left - ear - _STRAP_SHOWN + 12, left + width + ear - 6):
        box(svg, x, top, _STRAP_SHOWN, strap, _STRAP, "#5b6b85")
    text(svg, left + width + ear + 2, top - 8, f"strap, {STRAP_MM} mm", size=11)


def _measure(svg: ElementTree.Element, x1: int, y1: int, x2: int, y2: int, label: str) -> None:
    """A dimension line with its length."""
    line(svg, x1, y1, x2, y2, _LEADER)
    for x, y in ((x1, y1), (x2, y2)):
        is_level = y1 == y2
        line(svg, x - (0 if is_level else 4), y - (4 if is_level else 0), x + (0 if is_level else 4), y + (4 if is_level else 0), _LEADER)
    middle_x, middle_y = (x1 + x2) // 2, (y1 + y2) // 2
    if y1 == y2:
        text(svg, middle_x, middle_y + 16, label, size=11, anchor="middle")
    else:
        text(svg, middle_x - 6, middle_y, label, size=11, anchor="end")
