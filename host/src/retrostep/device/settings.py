"""The settings of a device: /settings.json on its flash, read and written with its program stopped.

The board checks every value again at its start (firmware/hal/board.py), and uses that of board.json instead of a wrong one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retrostep_core import codes
from retrostep_core.link import messages

from retrostep.device.client import DeviceClient
from retrostep.device.mpremote import Mpremote, ask_as, stop_program
from retrostep.device.restart import restart_program
from retrostep.device.serial_port import SerialPort
from retrostep.errors import SessionRunning, WrongSetting

NICKNAME_MOST = 32
DEFAULTS: dict[str, Any] = {"haptic": 100, "led": 1, "auto_start": 1, "nickname": "", "ble": 0}
"""Of the firmware; those of the others are in board.json."""
NAMES = ("side", "placement", "haptic", "led", "auto_start", "auto_stop_s", "nickname", "ble")

_READ = """
import json
def read(path):
    try:
        with open(path) as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}
print(json.dumps([read("/board.json"), read("/settings.json")]))
"""

# The new file replaces the old one in one step: after a power cut it is one of the two.
_WRITE = """
import json, os
try:
    with open("/settings.json") as f:
        s = json.load(f)
except (OSError, ValueError):
    s = {{}}
if not isinstance(s, dict):
    s = {{}}
for key in {removed!r}:
    s.pop(key, None)
s.update(json.loads({changes!r}))
with open("/settings.json.new", "w") as f:
    json.dump(s, f)
os.rename("/settings.json.new", "/settings.json")
print(json.dumps("saved"))
"""


@dataclass(frozen=True)
class Settings:
    """What holds on the device `device`: `values` by name. `own` are those that its settings.json has; the others are defaults.

    `mount` is the calibrated one, "" where there is none.
    """

    device: str
    values: dict[str, Any]
    own: tuple[str, ...]
    mount: str
    lost_mount: bool = False


def read_settings(port: str) -> Settings:
    """The settings of the device at `port`. Its program is stopped for some seconds. Raises SessionRunning, and the errors of a port."""
    return change_settings(port, {})


def change_settings(port: str, changes: Mapping[str, Any]) -> Settings:
    """Save `changes` ({} for none) and return what holds then. They survive power cuts.

    Another side removes a calibrated mount, which was found on the other leg. Raises SessionRunning, WrongSetting, NoRepl and the errors
    of opening a port.
    """
    with DeviceClient(SerialPort(port)) as board:
        hello = board.hello()
    if hello.state == messages.IN_SESSION:
        raise SessionRunning(f"{hello.device} is in a session, which this would end. Stop it with the button, or wait a minute.", port=port)
    try:
        before = _read(stop_program(port), hello.device)
        lost_mount = bool(before.mount) and changes.get("side", before.values["side"]) != before.values["side"]
        after = before
        if changes:
            tool = Mpremote(port)
            removed = ["mount"] if lost_mount else []
            tool.ask(_WRITE.format(removed=removed, changes=json.dumps(dict(changes), ensure_ascii=True)))
            after = _read(tool, hello.device)
    finally:
        _, status = restart_program(port, bool(hello.epoch_ms))
    wrong = sorted(key for key, value in changes.items() if after.values.get(key) != value)
    if wrong or (changes and status.faults & codes.FAULT_SETTINGS):
        raise WrongSetting(f"{hello.device} does not use {', '.join(wrong) or 'a value in its settings'}: set it again.")
    return Settings(after.device, after.values, after.own, after.mount, lost_mount)


def _read(tool: Mpremote, device: str) -> Settings:
    board, settings = ask_as(tool, _READ, _two_objects)
    values = {name: settings.get(name, board.get(name, DEFAULTS.get(name))) for name in NAMES}
    return Settings(device, values, tuple(name for name in NAMES if name in settings), str(settings.get("mount", "")))


def _two_objects(answer: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    board, settings = answer
    return (board if isinstance(board, dict) else {}), (settings if isinstance(settings, dict) else {})
