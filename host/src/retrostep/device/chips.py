"""Which GPIOs of each microcontroller a part may use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chip:
    """The GPIOs of a chip, by number, and its current.

    pins         that exist and that a module brings out
    input_only   without an output and without a pull-up
    strapping    read at a reset: a part there can keep the chip from starting
    flash        used by flash or PSRAM
    console      of UART 0 and USB
    adc          of ADC 1; ADC 2 is shared with the radio
    active_ma    at 160 MHz with the radio off, in mA, without the board around it
    source       where these numbers are from
    """

    title: str
    pins: frozenset[int]
    input_only: frozenset[int]
    strapping: frozenset[int]
    flash: frozenset[int]
    console: frozenset[int]
    adc: frozenset[int]
    active_ma: int
    source: str


def _pins(text: str) -> frozenset[int]:
    """`0-5 12` as {0, 1, 2, 3, 4, 5, 12}."""
    spans = [(part.split("-") * 2)[:2] for part in text.split()]
    return frozenset(number for first, last in spans for number in range(int(first), int(last) + 1))


CHIPS = {
    # GPIO 20 exists on modules with an ESP32-PICO-V3 only.
    "esp32": Chip(
        "ESP32",
        _pins("0-23 25-27 32-39"),
        _pins("34-39"),
        _pins("0 2 5 12 15"),
        _pins("6-11"),
        _pins("1 3"),
        _pins("32-39"),
        34,
        "ESP32 datasheet, sections 2.2, 2.4 and 4.1 and the table of current in modem-sleep",
    ),
    "esp32s3": Chip(
        "ESP32-S3",
        _pins("0-21 26-48"),
        _pins(""),
        _pins("0 3 45 46"),
        _pins("26-37"),
        _pins("19 20 43 44"),
        _pins("1-10"),
        40,
        "ESP32-S3 datasheet, sections 2.3, 2.6 and 3 and the table of current in modem-sleep",
    ),
    "esp32c3": Chip(
        "ESP32-C3",
        _pins("0-21"),
        _pins(""),
        _pins("2 8 9"),
        _pins("11-17"),
        _pins("18-21"),
        _pins("0-4"),
        23,
        "ESP32-C3 datasheet, sections 2.3, 2.6 and 3 and the table of current in modem-sleep",
    ),
    "esp32c6": Chip(
        "ESP32-C6",
        _pins("0-30"),
        _pins(""),
        _pins("4 5 8 9 15"),
        _pins("24-30"),
        _pins("12 13 16 17"),
        _pins("0-6"),
        27,
        "ESP32-C6 datasheet, sections 2.3, 2.5 and 3 and the table of current in modem-sleep",
    ),
}
"""By the name that board.json and esptool use. The virtual board's pins are not of a chip."""


def part_pins(board: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """(field, GPIO) of every pin in a board.json that follows its schema."""
    for part, fields in (("i2c", ("scl", "sda", "power")), ("button", ("pin",)), ("feedback", ("led", "haptic")), ("battery", ("pin",))):
        for field in fields:
            if field in board.get(part, {}):
                yield f"{part}/{field}", board[part][field]


def pin_faults(board: dict[str, Any]) -> list[str]:
    """What is wrong with the pins of a board.json that follows its schema: one clause for each fault, empty for none."""
    chip = CHIPS.get(board["chip"])
    if chip is None:
        return []
    wiring = board.get("wiring", {})
    on_board = set(wiring.get("on_board", ()))
    faults = []
    users: dict[int, str] = {}
    for field, pin in part_pins(board):
        part = "led" if field == "feedback/led" else field.partition("/")[0]
        if pin in users:
            faults.append(f"{field} is GPIO {pin}, which {users[pin]} uses already")
        users.setdefault(pin, field)
        reason = unusable(chip, part, pin, part in on_board)
        if reason:
            faults.append(f"{field} is GPIO {pin}, which {reason}")
    return faults


def unusable(chip: Chip, part: str, pin: int, on_board: bool = False) -> str:
    """Why `part` cannot use GPIO `pin`, or "". `on_board`: the board's maker has wired it there, with what it needs."""
    if pin not in chip.pins:
        return f"does not exist on an {chip.title}"
    if pin in chip.flash:
        return f"belongs to the flash or PSRAM of an {chip.title}"
    if pin in chip.console:
        return f"belongs to the serial console of an {chip.title}"
    # A button that is held during a reset would start the ROM's loader, whoever wired it.
    if pin in chip.strapping and (part == "button" or not on_board):
        return f"is a strapping pin of an {chip.title}: a part there can keep it from starting"
    if part == "battery" and pin not in chip.adc:
        return f"has no ADC that measures while the radio may be on ({_range(chip.adc)} have one)"
    if pin in chip.input_only and part != "battery" and not (part == "button" and on_board):
        return "is an input without a pull-up"
    return ""


def _range(pins: frozenset[int]) -> str:
    return f"{min(pins)} to {max(pins)}"
