"""The wires between a board and its parts, as board.json describes them."""

from dataclasses import dataclass
from typing import Any

ADDRESS_HIGH = 0x6B


@dataclass(frozen=True)
class Wire:
    """One wire: from what is printed on the board, through `via` where something is in series, to `to` on the part.

    kind   supply, ground or signal
    """

    pin: str
    to: str
    kind: str
    via: str = ""


@dataclass(frozen=True)
class Part:
    """A part and its wires. `how` is a sentence about the connection; a part that the board carries has no wires."""

    title: str
    wires: tuple[Wire, ...]
    how: str = ""


def parts(board: dict[str, Any]) -> list[Part]:
    """The parts of a checked board.json with `wiring`, in the order of the picture."""
    found = [_sensor(board), _button(board), _led(board), _motor(board), _cell_voltage(board)]
    return [part for part in found if part is not None]


def power(board: dict[str, Any]) -> list[Part]:
    """Notes about the power supply, below the parts in the picture."""
    wiring = board["wiring"]
    return [
        Part("Cell and charger", (), f"{wiring['cell']} {wiring['charger']}"),
        Part("Switch", (), wiring["off"]),
        Part("Never", (), wiring["never"]),
    ]


def _label(board: dict[str, Any], pin: int) -> str:
    """What is printed beside a GPIO, and its number where that differs."""
    printed: str = board["wiring"]["labels"].get(str(pin), "")
    return printed if printed in (str(pin), f"IO{pin}") else f"{printed} (GPIO {pin})" if printed else f"GPIO {pin}"


def _sensor(board: dict[str, Any]) -> Part:
    wiring, bus, high = board["wiring"], board["i2c"], board["imu"]["address"] == ADDRESS_HIGH
    title = f"{board['imu']['model']} breakout"
    wires = (
        Wire(wiring["supply"], "VIN", "supply"),
        Wire(wiring["ground"], "GND", "ground"),
        Wire(_label(board, bus["scl"]), "SCL", "signal"),
        Wire(_label(board, bus["sda"]), "SDA", "signal"),
    )
    address = "Connect SDO to 3.3 V: address 0x6B." if high else "Leave SDO open: address 0x6A."
    if "i2c" in wiring["on_board"]:
        return Part(title, wires, f"One STEMMA QT cable has all four wires. {address}")
    return Part(title, wires, f"The breakout has its own pull-ups. {address}")


def _button(board: dict[str, Any]) -> Part | None:
    button = board.get("button")
    if button is None:
        return None
    pin = _label(board, button["pin"])
    if "button" in board["wiring"]["on_board"]:
        return Part("Button", (), f"On the board, at {pin}.")
    other = ("ground", board["wiring"]["ground"]) if button["active_low"] else ("supply", board["wiring"]["supply"])
    return Part("Button", (Wire(pin, "one leg", "signal"), Wire(other[1], "the other leg", other[0])), "A press connects the two.")


def _led(board: dict[str, Any]) -> Part | None:
    feedback = board.get("feedback", {})
    if "led" not in feedback:
        return None
    pin, wiring = _label(board, feedback["led"]), board["wiring"]
    if "led" in wiring["on_board"]:
        return Part("LED", (), f"On the board, at {pin}.")
    return Part(
        "LED",
        (Wire(pin, "anode (long leg)", "signal", "1 kOhm"), Wire(wiring["ground"], "cathode", "ground")),
        "Optional.",
    )


def _motor(board: dict[str, Any]) -> Part | None:
    feedback, wiring = board.get("feedback", {}), board["wiring"]
    if "haptic" not in feedback:
        return None
    wires = (
        Wire(wiring["motor_supply"], "motor +", "supply"),
        Wire(_label(board, feedback["haptic"]), "base of the transistor", "signal", "1 kOhm"),
        Wire(wiring["ground"], "emitter of the transistor", "ground"),
    )
    how = "NPN transistor, e.g. 2N2222: its collector to motor -. Diode 1N4148 across the motor, its stripe at motor +."
    return Part("Vibration motor (3 V, 100 mA)", wires, how)


def _cell_voltage(board: dict[str, Any]) -> Part | None:
    battery, wiring = board.get("battery"), board["wiring"]
    if battery is None:
        return None
    pin = _label(board, battery["pin"])
    if "battery" in wiring["on_board"]:
        return Part("Cell voltage", (), f"The board has a divider at {pin}.")
    wires = (
        Wire("cell +", "upper end", "supply", f"{battery['scale_x100'] - 100} kOhm"),
        Wire(pin, "middle", "signal"),
        Wire(wiring["ground"], "lower end", "ground", "100 kOhm"),
    )
    return Part("Divider for the cell voltage", wires, "100 nF from the middle to ground. Optional: without it the charge is unknown.")
