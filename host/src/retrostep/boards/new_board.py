"""A board.json from a maker's answers."""

from dataclasses import dataclass
from typing import Any

LINKS = {"esp32": "uart", "esp32s3": "usb", "esp32c3": "jtag", "esp32c6": "jtag"}
IMAGES = {"esp32": "ESP32_GENERIC", "esp32s3": "ESP32_GENERIC_S3", "esp32c3": "ESP32_GENERIC_C3", "esp32c6": "ESP32_GENERIC_C6"}
_OFFSETS = {"esp32": 4096}
_USB = {
    "uart": [
        {"vid": "10c4", "pid": "ea60", "what": "Silicon Labs CP210x bridge"},
        {"vid": "1a86", "pid": "7523", "what": "WCH CH340 bridge"},
        {"vid": "1a86", "pid": "55d4", "what": "WCH CH9102 bridge"},
    ],
    "usb": [
        {"vid": "303a", "pid": "4001", "what": "MicroPython's USB serial port"},
        {"vid": "303a", "pid": "1001", "what": "USB-Serial-JTAG of the ROM loader"},
    ],
    "jtag": [{"vid": "303a", "pid": "1001", "what": "USB-Serial-JTAG"}],
}


@dataclass(frozen=True)
class Answers:
    """What a maker knows of a board.

    pins      the GPIO of scl, sda, button, led, haptic and battery; None for a part that it does not have
    size_mm   length, width and height
    """

    name: str
    vendor: str
    product: str
    chip: str
    model: str
    address: int
    pins: dict[str, int | None]
    size_mm: tuple[int, ...]


def described(answers: Answers) -> dict[str, Any]:
    """The board.json of a board whose parts are wired by hand; `device.boards.board_faults` checks it."""
    pins = answers.pins
    link, image = LINKS[answers.chip], IMAGES[answers.chip]
    board: dict[str, Any] = {
        "name": answers.name,
        "vendor": answers.vendor,
        "product": answers.product,
        "chip": answers.chip,
        "code": "compiled",
        "micropython": image,
        "flash": {
            "chip": answers.chip,
            "offset": _OFFSETS.get(answers.chip, 0),
            "baud": 460800,
            "boot": "auto" if link == "uart" else "button",
            "from": f"https://micropython.org/download/{image}/",
        },
        "usb": _USB[link],
        "link": link,
        "i2c": {"id": 0, "scl": pins["scl"], "sda": pins["sda"], "freq_hz": 400_000},
        "imu": {"model": answers.model, "address": answers.address},
        "mount_left": "+y+z+x",
        "mount_right": "-y-z+x",
        "side": "left",
        "placement": "shank",
    }
    board["light_sleep"] = True
    if pins["button"] is not None:
        board["button"] = {"pin": pins["button"], "active_low": True}
    feedback = {part: pins[part] for part in ("led", "haptic") if pins[part] is not None}
    if feedback:
        board["feedback"] = feedback
    if pins["battery"] is not None:
        board["battery"] = {"pin": pins["battery"], "scale_x100": 200}
    board["rates"] = {"odr_hz": 104, "watermark": 12}
    board["auto_stop_s"] = 60
    board["wiring"] = {
        "labels": {},
        "on_board": [],
        "supply": "3V3",
        "ground": "GND",
        "motor_supply": "3V3",
        "cell": (
            "To a charger module with a 5 V output (boost). Its 5 V output goes through a Schottky diode (1N5817, stripe toward the board) "
            "to the board's 5 V pin."
        ),
        "charger": "The module charges it from its own USB socket. Thanks to the diode, the board's USB may be plugged in as well.",
        "off": "A slide switch in the wire from the module's 5 V output to the board. The cell still charges.",
        "never": "Never connect the cell (up to 4.2 V) to 3V3: that destroys the chip and the sensor.",
        "size_mm": list(answers.size_mm),
        "charger_mm": [26, 18, 6],
        "price_usd": 10,
        "extra_parts": [{"what": "charger module with 5 V output", "price_usd": 5}, {"what": "slide switch", "price_usd": 1}],
        "current_ma": 45,
        "notes": [],
    }
    return board
