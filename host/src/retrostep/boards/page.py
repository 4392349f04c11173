"""board.md of a board, made from its board.json."""

from typing import Any

from retrostep.boards.case import CELL_MM, STRAP_MM, WALL_MM, case_of
from retrostep.boards.power import CELL_MAH, cell_ma
from retrostep.boards.wiring import parts

_PRICES_USD = (
    ("sensor breakout", 12),
    ("vibration motor, 3 V", 2),
    ("transistor, diodes, resistors", 1),
    ("LiPo cell, 500 mAh, with protection", 8),
    ("elastic strap with hook and loop, 25 mm; case", 6),
)
_BOOT = {
    "auto": "The board resets into its loader by itself. Copies without that circuit need a hand: hold BOOT, press and release EN or\n"
    "RESET, release BOOT.",
    "button": "The loader needs a hand: hold BOOT (B), press and release RESET (R), or plug the board in, and release BOOT.",
}
_SERIAL = {
    "uart": "A USB bridge at 115200 baud: 11.5 kB a second. The board loses bytes when its receive ring of 260 overflows, so the\n"
    "host has at most four requests in progress.",
    "usb": "The chip's own USB. A rate has no meaning there; a full line holds bytes back and loses none.",
    "jtag": "The chip's USB-Serial-JTAG. It drops output when the host does not read for 200 ms; the host asks again for what is missing.",
}


def board_page(board: dict[str, Any]) -> str:
    """The text of board.md for a checked board.json with `wiring`."""
    wiring = board["wiring"]
    sections = [
        f"# {board['name']}\n\n{board['product']}, by {board['vendor']}.\n"
        "This page and its pictures are made from board.json by `make boards`. Not yet tried on hardware: "
        "the firmware was tested\non the virtual board, with a model of the sensor after its datasheet.",
        _micropython(board),
        "## Wiring\n\n![wiring](wiring.svg)\n\n" + _wiring_table(board),
        _power(board),
        _price_table(board),
        _case(board),
        _wearing(board),
        f"## Serial line\n\n{_SERIAL[board['link']]}",
    ]
    if wiring["notes"]:
        sections.append("## Notes\n\n" + "\n".join(f"- {note}" for note in wiring["notes"]))
    return "\n\n".join(sections) + "\n"


def _micropython(board: dict[str, Any]) -> str:
    name = board["name"]
    return (
        f"## MicroPython and firmware\n\nDownload the newest {board['micropython']}-DATE-VERSION.bin, 1.27 or later, from\n"
        f"{board['flash']['from']} into your downloads folder. Plug the board in. This checks\n"
        "the image, erases the chip, writes MicroPython, and copies and starts the firmware:\n\n"
        f"    make flash BOARD={name}\n\n{_BOOT[board['flash']['boot']]}\n"
        "Everything on the board is erased; sessions that are not synced are synced first, or erased if you agree.\n"
        "[firmware/README.md](../../firmware/README.md) says how to copy later versions of the firmware without erasing anything."
    )


def _wiring_table(board: dict[str, Any]) -> str:
    rows = ["| part | board | through | part's end |", "|---|---|---|---|"]
    for part in parts(board):
        rows += [f"| {part.title} | {wire.pin} | {wire.via or '-'} | {wire.to} |" for wire in part.wires]
    sentences = [f"- {part.title}: {part.how}" for part in parts(board) if part.how]
    return "\n".join([*rows, "", *sentences])


def _power(board: dict[str, Any]) -> str:
    wiring = board["wiring"]
    asleep, awake = (
        ("without a host", "with a host")
        if board["link"] == "uart"
        else ("in a session without a host", "with a host, or without a session")
    )
    rows = ["| state | mean current | a full cell of 500 mAh lasts |", "|---|---|---|"]
    for state, is_asleep in ((asleep, True), (awake, False)):
        current_ma = cell_ma(board, is_asleep)
        rows.append(f"| {state} | {current_ma:.0f} mA | {CELL_MAH / current_ma:.0f} h |")
    boost = " The module that makes 5 V of the cell's voltage\nis included." if "charger_mm" in wiring else ""
    return (
        f"## Power\n\n- Cell: {wiring['cell']}\n- Charger: {wiring['charger']}\n- Off: {wiring['off']}\n"
        f"- The motor is fed from {wiring['motor_supply']}: the regulator gives it the same strength at every charge. "
        "A pin cannot feed it.\n"
        f"- **{wiring['never']}**\n- **Use a cell with a protection circuit. Take the device off before you charge it.**\n\n"
        + "\n".join(rows)
        + "\n\nThis is an estimate from the chips' datasheets and was not measured (`make bench SECTIONS=power`). In a session without\n"
        f"a host the chip sleeps between bursts of samples; the board around it does not.{boost}"
    )


def _price_table(board: dict[str, Any]) -> str:
    wiring = board["wiring"]
    prices = [("board", wiring["price_usd"]), *_PRICES_USD, *((part["what"], part["price_usd"]) for part in wiring["extra_parts"])]
    if "button" in board and "button" not in wiring["on_board"]:
        prices.append(("button", 1))
    rows = [f"| {what} | {usd} |" for what, usd in prices]
    total = sum(usd for _, usd in prices)
    return "\n".join(["## Parts", "", "| part | typical price in USD |", "|---|---|", *rows, f"| all | {total} |"])


def _case(board: dict[str, Any]) -> str:
    case = case_of(board)
    inside = f"{case.length} x {case.width} x {case.depth} mm"
    outside = "{} x {} x {} mm".format(*case.outside)
    usb = "the board's USB socket" if "charger_mm" not in board["wiring"] else "the USB sockets of board and charger"
    button = " The button goes through the wall in front of it." if "button" in board else ""
    if "button" in board["wiring"]["on_board"]:
        button = " Cut an opening for the board's button."
    return (
        f"## Strap and case\n\n![case](case.svg)\n\nThe case is {inside} inside, and {outside} outside with walls of {WALL_MM} mm: "
        "print it, or take a box of\nat least that size. "
        f"The strap is {STRAP_MM} mm wide and 40 cm long, elastic, with hook and loop.\n\n"
        "1. Glue the sensor flat onto the wall toward the leg, its x arrow up along the leg and its component side (z) away from it.\n"
        "   It must not move in the case: what wobbles counts wrongly.\n"
        f"2. Glue the motor onto the same wall.{button}\n"
        f"3. Lay the cell ({CELL_MM[0]} x {CELL_MM[1]} x {CELL_MM[2]} mm) flat behind the board, with foam between the two. "
        "It must not bend, and no pin may press on it.\n"
        f"4. Cut openings for {usb} and for the switch, and a small one for the LED. Cover them with tape against sweat.\n"
        "5. Mark on the case which way is up."
    )


def _wearing(board: dict[str, Any]) -> str:
    rows = ["| side | forward | left | up | mount |", "|---|---|---|---|---|"]
    for side in ("left", "right"):
        mount = board[f"mount_{side}"]
        rows.append(f"| {side} | {mount[:2]} | {mount[2:4]} | {mount[4:]} | `{mount}` |")
    return (
        "## Wearing it\n\n"
        "Outside of the lower leg, a hand's breadth above the ankle, under the strap, which is tight enough that nothing slides.\n"
        "A thin sock or sleeve under the case is kinder to the skin.\n\n"
        + "\n".join(rows)
        + "\n\nIf it is worn in another way, it finds that out while you walk."
    )
