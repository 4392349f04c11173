"""A blank chip becomes a device: what is on it is looked at first, then MicroPython and the firmware are written."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrostep_core.link import messages

from retrostep.deploy.deploy import Deployed, deploy
from retrostep.deploy.micropython_image import MicroPythonImage
from retrostep.device.boot_text import reach_prompt
from retrostep.device.client import DeviceClient
from retrostep.device.esptool import write_image
from retrostep.device.mpremote import stop_program
from retrostep.device.ports import all_ports, port_after_reset
from retrostep.device.progress import Progress, no_progress
from retrostep.device.serial_port import SerialPort
from retrostep.errors import (
    BlankChip,
    BoardNotFound,
    FlashFailed,
    InRomLoader,
    LinkLost,
    NoApp,
    NoRepl,
    NotStarting,
    OtherProtocol,
    PortBusy,
    Refused,
)

START_S = 60.0
"""MicroPython's first start formats the file system, a chip with its own USB leaves the bus for some seconds, and a person may have to
press a button."""
_TRY_AGAIN_S = 0.5

LOGS = """
import json, os
def logs(folder):
    found = 0
    entries = list(os.ilistdir(folder))
    names = [e[0] for e in entries]
    for e in entries:
        if e[1] & 0x4000:
            found += logs(folder + "/" + e[0])
        elif e[0].endswith(".rsl") and e[0][:-4] + ".ok" not in names and (len(e) < 4 or e[3]):
            found += 1
    return found
unsynced = 0
for folder in ("/logs", "/sessions"):
    try:
        unsynced += logs(folder)
    except OSError as x:
        if x.args[0] != 2:
            unsynced = None
            break
print(json.dumps(unsynced))
"""


@dataclass(frozen=True)
class OnBoard:
    """What flashing would erase: the device's name ("" if it is unknown), and its sessions that are not synced (None: not known)."""

    device: str
    unsynced: int | None
    is_app: bool


def look(port: str) -> OnBoard:
    """What the board at `port` holds, as its firmware reports it, or else its file system.

    Raises the errors of opening a port. A chip that answers in neither way has unknown contents, and a blank one none.
    """
    try:
        with DeviceClient(SerialPort(port)) as board:
            hello = board.hello()
        is_open = hello.state == messages.IN_SESSION
        return OnBoard(hello.device, hello.unsynced + is_open, True)
    except BlankChip:
        return OnBoard("", 0, False)
    except NotStarting:
        return OnBoard("", None, False)
    except (NoApp, OtherProtocol, LinkLost, Refused):
        try:
            unsynced = stop_program(port).ask(LOGS)
        except (NotStarting, NoRepl):
            return OnBoard("", None, False)
        return OnBoard("", unsynced if isinstance(unsynced, int) else None, False)


def flash(board: dict[str, Any], port: str, image: MicroPythonImage, progress: Progress = no_progress) -> Deployed:
    """Erase the chip, write `image`, verify it, start MicroPython, and deploy the firmware of `board`. Everything on the chip is lost.

    Raises WrongBoard before anything is erased, FlashFailed, and the errors of `deploy`.
    """
    name, how, before = board["name"], board["flash"], all_ports()
    write_image(how["chip"], port, how["baud"], how["offset"], image.path, progress)
    progress("starting MicroPython", 0, 0)
    return deploy(name, wait_for_micropython(lambda: port_after_reset(port, name, before), START_S, progress), progress)


def wait_for_micropython(find: Callable[[], str], longest_s: float, progress: Progress = no_progress) -> str:
    """The port at which MicroPython's prompt answers. `find` returns the port to try, which may change.

    Raises FlashFailed after `longest_s`, or at once where the chip starts no program.
    """
    until = time.monotonic() + longest_s
    while True:
        port = find()
        try:
            with SerialPort(port) as line:
                reach_prompt(line)
            return port
        except InRomLoader as error:
            # Some chips stay in their loader after BOOT was held.
            progress("press the board's reset button, without BOOT", 0, 0)
            if time.monotonic() >= until:
                raise FlashFailed(f"MicroPython was written, but does not start. {error}", port=port) from error
        except NotStarting as error:
            raise FlashFailed(f"MicroPython was written, but does not start. {error}", port=port) from error
        except (BoardNotFound, PortBusy, LinkLost, NoRepl) as error:
            if time.monotonic() >= until:
                raise FlashFailed(f"MicroPython was written, but does not answer. {error}", port=port) from error
        time.sleep(_TRY_AGAIN_S)


def describe(path: Path) -> str:
    """`~/Downloads/FILE`, where it is below the home folder."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):  # it is not below it, or this user has none
        return str(path)
