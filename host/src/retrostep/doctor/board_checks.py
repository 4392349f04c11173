"""The board with its program stopped: MicroPython, memory, flash, the sensor, and the parts that a person feels and sees."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from retrostep.deploy.micropython import LEAST, MICROPYTHON, read_micropython
from retrostep.device.boards import board_names, has_patterned_fifo, sensors
from retrostep.device.mpremote import Mpremote, ask_as
from retrostep.doctor import sensor_test
from retrostep.doctor.check import Report
from retrostep.errors import FlashFull, OldMicroPython, OtherDescription, Unhealthy, WrongBoard

HEAP_LEAST_BYTES = 130_000
"""The firmware takes up to 122 KB of heap (firmware/README.md, "Measured")."""
FLASH_LEAST_BYTES = 200_000
"""About five hours of running."""
_ACC_NOISE_MG, _GYR_NOISE_DPS = (8.0, 40.0), (0.5, 5.0)
"""Warn and fail: ten and fifty times what the datasheet gives for this range and rate."""
_GRAVITY_MG = (850, 1150)
_RATE_WARN, _RATE_FAIL = 0.05, 0.10
"""The datasheet allows the sensor's clock 10 %."""
_PRESS_S = 10
SENSOR_CHECKS = ("sensor", "self-test", "sample rate", "noise", "gravity")
"""The names of the checks of the motion sensor."""

FACTS = """
import gc, json, os
gc.collect()
v = os.statvfs("/")
def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""
# LittleFS can count more blocks than there are: free ones then wrap below 0.
print(json.dumps([gc.mem_free(), v[0] * v[3] if v[3] <= v[2] else 0, v[0] * v[2], read("/board.json")]))
"""

BUTTON = """
import json, time
from machine import Pin
p = Pin({pin}, Pin.IN, Pin.PULL_UP if {low} else Pin.PULL_DOWN)
n = {tries}
while n and p.value() == {low}:
    n -= 1
    time.sleep_ms(20)
print(json.dumps(p.value() != {low}))
"""

PULSES = """
import json, time
from machine import Pin
p = Pin({pin}, Pin.OUT, value={off})
for ms in (300, 300, 300):
    p.value(1 - p.value())
    time.sleep_ms(ms)
p.value({off})
print(json.dumps("done"))
"""


class Person(Protocol):
    """The person at the keyboard."""

    def agrees(self, question: str) -> bool:
        """The answer to a question."""

    def told(self, text: str) -> None:
        """Something to do now."""


@dataclass(frozen=True)
class Facts:
    """Free heap, free and total bytes of the flash, and board.json as it is on the board ({} if it is missing or damaged)."""

    heap: int
    free: int
    total: int
    board: dict[str, Any]


def check_stopped(report: Report, tool: Mpremote, person: Person | None) -> None:
    """Add the checks that need MicroPython's prompt. Raises NoRepl where it is lost."""
    found = ask_as(tool, MICROPYTHON, read_micropython)
    name = "MicroPython"
    if found.version[:2] < LEAST:
        report.fail(name, found.version_text, OldMicroPython(f"{LEAST[0]}.{LEAST[1]} or newer is needed."))
    else:
        report.ok(name, f"{found.version_text} on {found.chip}")
    facts = ask_as(tool, FACTS, _facts)
    _check_memory(report, facts)
    if not facts.board:
        report.fail("board.json", "missing", WrongBoard("Copy the firmware to the board again."))
        return
    _check_sensor(report, tool, facts.board)
    _check_parts(report, tool, facts.board, person)


def _facts(answer: Any) -> Facts:
    heap, free, total, text = answer
    try:
        board = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        board = {}
    return Facts(int(heap), int(free), int(total), board if isinstance(board, dict) else {})


def _check_memory(report: Report, facts: Facts) -> None:
    heap = f"{facts.heap // 1024} KB free without the firmware"
    if facts.heap < HEAP_LEAST_BYTES:
        report.warn("heap", heap, Unhealthy("Use an official build of MicroPython for this board, or a board with PSRAM."))
    else:
        report.ok("heap", heap)
    if any(check.name == "flash" for check in report.checks):
        return  # the firmware has reported a worse state
    free = f"{facts.free // 1024} of {facts.total // 1024} KB free"
    if facts.free < FLASH_LEAST_BYTES:
        report.warn("flash", free, FlashFull("It is nearly full.", port=report.port))
    else:
        report.ok("flash", free)


def _check_sensor(report: Report, tool: Mpremote, board: Mapping[str, Any]) -> None:
    imu, bus = _numbers(board, "imu", "address"), _numbers(board, "i2c", "id", "scl", "sda", "freq_hz")
    model = board["imu"].get("model") if imu else None
    if imu is None or bus is None or not isinstance(model, str) or model not in sensors():
        report.fail("sensor", "not described", WrongBoard("board.json does not describe the sensor and its bus."))
        return
    bus |= _numbers(board, "i2c", "power") or {}
    found = dict(ask_as(tool, _script(bus, imu["address"], []), _identities))
    who = found.get(imu["address"])
    if who is None:
        _missing(report, found, imu["address"], bus, board)
        return
    if who != sensors()[model]:
        text = f"{sensor_test.chip_name(who)} at 0x{imu['address']:02X}, but board.json says {model}"
        report.fail("sensor", text, _other_description(report, board, f"Solder an {model} on, or correct imu.model in {{}}."))
        return
    report.ok("sensor", f"{model} at 0x{imu['address']:02X}")
    fifo = sensor_test.PATTERNED if has_patterned_fifo(model) else sensor_test.TAGGED
    out = ask_as(tool, _script(bus, imu["address"], sensor_test.ops(fifo)), lambda answer: answer[1])
    if isinstance(out, str):
        report.fail("self-test", f"a transfer failed ({out})", Unhealthy("Check the wires of the sensor: SDA, SCL, 3V3, GND."))
        return
    try:
        now = sensor_test.measured(out, model, fifo)
    except (TypeError, ValueError):
        report.fail("self-test", "the answer cannot be read", Unhealthy("Try again. If it stays so, use another cable."))
        return
    _check_self_test(report, "accelerometer", now.acc_test_mg, fifo.acc_limits_mg, "mg")
    _check_self_test(report, "gyroscope", now.gyr_test_dps, sensor_test.GYR_LIMITS_DPS, "degrees/s")
    _check_samples(report, now)


def _script(bus: Mapping[str, int], address: int, ops: list[sensor_test.Op]) -> str:
    return sensor_test.SCRIPT.format(**{"power": -1, **bus}, addresses=sensor_test.ADDRESSES, address=address, ops=ops)


def _identities(answer: Any) -> list[tuple[int, int]]:
    return [(int(address), int(who)) for address, who in answer[0]]


def _other_description(report: Report, board: Mapping[str, Any], what: str) -> OtherDescription:
    """The problem of a board.json that describes another sensor; in `what`, {} stands for its file on this computer."""
    name = board.get("name")
    facts = {"port": report.port} | ({"board": name} if name in board_names() else {})
    return OtherDescription(what.format(f"boards/{facts.get('board', 'NAME')}/board.json"), **facts)


def _missing(report: Report, found: Mapping[int, int], address: int, bus: Mapping[str, int], board: Mapping[str, Any]) -> None:
    sensors_found = [(other, who) for other, who in found.items() if who >= 0]
    if sensors_found:
        other, who = sensors_found[0]
        text = f"{sensor_test.chip_name(who)} answers at 0x{other:02X}, not at 0x{address:02X}"
        report.fail(
            "sensor", text, _other_description(report, board, f"Change the wire of SA0 (SDO), or correct imu.address to {other} in {{}}.")
        )
        return
    pins = f"SDA to GPIO {bus['sda']}, SCL to GPIO {bus['scl']}, 3V3, GND"
    others = f"; other parts do at {', '.join(f'0x{other:02X}' for other in found)}" if found else ""
    report.fail("sensor", f"nothing answers at 0x6A or 0x6B{others}", Unhealthy(f"Check the four wires: {pins}."))


def _check_samples(report: Report, now: sensor_test.Measured) -> None:
    """The sample rate, the noise and gravity of a sensor at rest."""
    off = abs(now.rate_hz / sensor_test.RATE_HZ - 1)
    rate = f"{now.rate_hz:.1f} Hz (nominal {sensor_test.RATE_HZ:.0f} Hz)"
    if off > _RATE_FAIL:
        report.fail("sample rate", rate, Unhealthy("Check the sensor's supply and wires, then replace the sensor."))
        return
    if off > _RATE_WARN:
        report.warn(
            "sample rate", rate, Unhealthy("The firmware measures the rate and corrects it. If it changes between two tests, replace it.")
        )
    else:
        report.ok("sample rate", rate)
    noise = f"{now.acc_noise_mg:.1f} mg, {now.gyr_noise_dps:.2f} degrees/s"
    still = "Lay the device still on a table and try again. If it stays so, check the sensor's supply, then replace the sensor."
    if not now.acc_noise_mg:
        report.fail("noise", "none: the values do not change", Unhealthy("Switch the board off and on, then replace the sensor."))
    elif now.acc_noise_mg > _ACC_NOISE_MG[1] or now.gyr_noise_dps > _GYR_NOISE_DPS[1]:
        report.fail("noise", noise, Unhealthy(still))
    elif now.acc_noise_mg > _ACC_NOISE_MG[0] or now.gyr_noise_dps > _GYR_NOISE_DPS[0]:
        report.warn("noise", noise, Unhealthy(still))
    else:
        report.ok("noise", noise)
    gravity = f"{now.acc_mg / 1000:.2f} g at rest"
    if _GRAVITY_MG[0] <= now.acc_mg <= _GRAVITY_MG[1]:
        report.ok("gravity", gravity)
    else:
        report.fail("gravity", gravity, Unhealthy(still))


def _check_self_test(report: Report, sensor: str, changes: tuple[float, ...], limits: tuple[int, int], unit: str) -> None:
    text = f"{sensor} {', '.join(f'{change:.0f}' for change in changes)} {unit} ({limits[0]} to {limits[1]})"
    if all(limits[0] <= change <= limits[1] for change in changes):
        report.ok("self-test", text)
    else:
        report.fail("self-test", text, Unhealthy(f"The {sensor} is broken: replace the sensor."))


def _check_parts(report: Report, tool: Mpremote, board: Mapping[str, Any], person: Person | None) -> None:
    """Button, motor and LED, as far as board.json names them."""
    button = _numbers(board, "button", "pin")
    if button is not None:
        _check_button(report, tool, button["pin"], bool(board["button"].get("active_low", True)), person)
    if person is None:
        return
    feedback = board.get("feedback")
    for part, name, question, cure in (
        (
            "haptic",
            "motor",
            "Did you feel two pulses?",
            "Check the motor, its transistor and its diode, and feedback.haptic in board.json.",
        ),
        ("led", "LED", "Did the LED flash twice?", "Check feedback.led and feedback.led_active_low in board.json."),
    ):
        pin = _numbers(board, "feedback", part)
        if pin is None or not isinstance(feedback, dict):
            continue
        off = int(part == "led" and bool(feedback.get("led_active_low", False)))
        tool.ask(PULSES.format(pin=pin[part], off=off))
        if person.agrees(question):
            report.ok(name, "works")
        else:
            report.fail(name, "not noticed", Unhealthy(cure))


def _check_button(report: Report, tool: Mpremote, pin: int, active_low: bool, person: Person | None) -> None:
    low = int(active_low)  # the level of a button that is not pressed
    wiring = f"Check that it connects GPIO {pin} to {'GND' if active_low else '3V3'}, and button in board.json."
    if tool.ask(BUTTON.format(pin=pin, low=low, tries=1)):
        report.fail("button", "pressed, or wired wrong", Unhealthy(f"Release it. {wiring}"))
        return
    if person is None:
        report.ok("button", "not pressed")
        return
    person.told(f"Press the button now, within {_PRESS_S} s.")
    if tool.ask(BUTTON.format(pin=pin, low=low, tries=_PRESS_S * 50)):
        report.ok("button", "works")
    else:
        report.warn("button", "no press was seen", Unhealthy(wiring))


def _numbers(board: Mapping[str, Any], part: str, *keys: str) -> dict[str, int] | None:
    """The whole numbers `keys` of a part of board.json, which may have any content; None where one is missing or impossible."""
    found = board.get(part)
    if not isinstance(found, dict):
        return None
    numbers = {key: found.get(key) for key in keys}
    if all(isinstance(number, int) and 0 <= number <= 10_000_000 for number in numbers.values()):
        return {key: int(number) for key, number in numbers.items() if number is not None}
    return None
