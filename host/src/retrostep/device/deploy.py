"""Copy to a board what it shall run, prove the copy, and prove that it runs. Sessions and settings on the board stay untouched."""

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrostep.device.boards import read_board
from retrostep.device.bundle import CORE, HASH, bundle
from retrostep.device.client import Board
from retrostep.device.core import core_hash_of
from retrostep.device.mpremote import Mpremote
from retrostep.device.open import Line
from retrostep.device.progress import Progress, silent
from retrostep.errors import DeployFailed, WrongBoard

OWNED_FOLDERS = ("hal", CORE, "lib/adafruit_lsm6ds", "lib/adafruit_register", "lib/adafruit_bus_device")
"""Folders on the board that hold nothing but what this copies: whatever else lies there is from another version, and goes."""

MPY_VERSION = 6
WHO_AM_I = {"LSM6DSOX": 0x6C, "LSM6DSO32": 0x6C, "LSM6DSO": 0x6C, "ISM330DHCX": 0x6B, "LSM6DS3TR-C": 0x6A, "LSM6DS33": 0x69}
"""What register 0x0F of each sensor holds (ST data sheets, "WHO_AM_I (0Fh)")."""

CHIP = """
import json, os, sys
try:
    machine = os.uname()[4]
except AttributeError:
    machine = ""
s = sys.implementation
print(json.dumps([sys.platform, getattr(s, "_machine", machine), getattr(s, "_mpy", 0) & 255]))
"""

SENSOR = """
import json
try:
    from machine import I2C, Pin
    found = I2C({id}, scl=Pin({scl}), sda=Pin({sda}), freq={freq_hz}).readfrom_mem({address}, 15, 1)[0]
except Exception:
    found = -1
print(json.dumps(found))
"""

HASHES = """
import binascii, hashlib, json, os
found = {{}}
part = memoryview(bytearray(512))
def note(path):
    try:
        if os.stat(path)[0] & 0x4000:
            for entry in os.listdir(path):
                note(path + "/" + entry)
            return
        h = hashlib.sha256()
        with open(path, "rb") as f:
            n = f.readinto(part)
            while n:
                h.update(part[:n])
                n = f.readinto(part)
        found[path] = binascii.hexlify(h.digest()).decode()
    except OSError:
        pass
for path in {paths!r}:
    note(path)
v = os.statvfs("/")
print(json.dumps([found, v[0] * v[3]]))
"""

MAKE_ROOM = """
import json, os
for path in {stale!r}:
    os.remove(path)
for folder in {folders!r}:
    try:
        os.mkdir(folder)
    except OSError:
        pass
print(json.dumps("done"))
"""


@dataclass(frozen=True)
class Deployed:
    """What a deploy did: the board's device id, and how many files and bytes were copied, removed and left as they were."""

    device: str
    copied: int
    copied_bytes: int
    removed: int
    unchanged: int


def deploy(name: str, port: str, progress: Progress = silent) -> Deployed:
    """Bring the board at `port` to what `bundle(name)` holds, restart it, and hear its HELLO.

    Raises UnknownBoard, the errors of opening a port, WrongBoard (another chip or sensor is there), NoRepl or DeployFailed.
    """
    board, files = read_board(name), dict(bundle(name))
    Line(port).close()  # a port that cannot be opened is better explained by us
    tool = Mpremote(port)
    progress("asking the board what it is", 0, 0)
    check_chip(board, *tool.ask(CHIP))
    check_sensor(board, tool.ask(SENSOR.format(**board["i2c"], address=board["imu"]["address"])))

    wanted = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    there, free = _hashes(tool, wanted)
    differing = {path for path in wanted if there.get(path) != wanted[path]}
    if HASH in wanted and any(path.startswith(f"{CORE}/") for path in differing):
        differing.add(HASH)  # it goes first and comes back last: a copy that is cut short must not go by the name of a whole core
    changed = sorted(differing, key=_last_things_last)
    stale = sorted(path for path in there if path not in wanted)
    needed = sum(len(files[path]) + 4096 for path in changed)
    if needed > free + sum(4096 for path in [*changed, *stale] if path in there):
        raise DeployFailed(f"The board has {free // 1024} KB of flash free and needs {needed // 1024} KB: sync it, then it can make room.")
    folders = sorted({str(parent) for path in changed for parent in list(Path(path).parents)[:-1]})
    if changed or stale:
        tool.ask(MAKE_ROOM.format(stale=[*stale, *({HASH} & differing & set(there))], folders=folders))
        _copy(tool, {path: files[path] for path in changed}, progress)
        there, _ = _hashes(tool, wanted)
        wrong = [path for path in changed if there.get(path) != wanted[path]]
        _copy(tool, {path: files[path] for path in wrong}, progress)  # USB transfers have been seen corrupted: once more, then it is said
        if wrong:
            there, _ = _hashes(tool, wanted)
        for path in wrong:
            if there.get(path) != wanted[path]:
                raise DeployFailed(f"{path} did not arrive whole, twice. Try another cable or port, then run the same command again.")

    progress("starting the app", 0, 0)
    with Board(Line(port)) as restarted:
        restarted.soft_reset()
        hello = restarted.hello(patience_s=20)
    sources = {path.removeprefix(f"{CORE}/"): data for path, data in files.items() if path.startswith(f"{CORE}/")}
    if hello.board != name or hello.core_hash != (files.get(HASH) or core_hash_of(sources)):
        raise DeployFailed("The board started something else than what was copied. Press its reset button and run the same command again.")
    return Deployed(hello.device, len(changed), sum(len(files[path]) for path in changed), len(stale), len(wanted) - len(changed))


def check_chip(board: dict[str, Any], platform: str, machine: str, mpy_version: int) -> None:
    """Raise WrongBoard where the port leads to another chip than `board` has, DeployFailed where its MicroPython is too old."""
    named = re.search(r"\bwith (ESP32\w*)", machine.replace("-", ""), re.IGNORECASE)
    found = named.group(1).lower() if named else "unix" if platform in ("linux", "darwin") else platform
    if found != board["chip"]:
        raise WrongBoard(
            f"The board at this port is {_article(found)}, but {board['name']} has {_article(board['chip'])}: nothing was copied. "
            "`retrostep boards` lists the boards and their chips."
        )
    if mpy_version != MPY_VERSION:
        raise DeployFailed(f"The board's MicroPython cannot run our bytecode (version {MPY_VERSION}): flash a newer MicroPython first.")


def check_sensor(board: dict[str, Any], who_am_i: int) -> None:
    """Raise WrongBoard where another sensor answers at the address than `board` names; a sensor that is silent may be wired later."""
    model = board["imu"]["model"]
    if who_am_i >= 0 and who_am_i != WHO_AM_I.get(model, who_am_i):
        others = " or ".join(name for name, value in WHO_AM_I.items() if value == who_am_i) or f"unknown (0x{who_am_i:02X})"
        raise WrongBoard(f"The sensor of this board is {others}, but {board['name']} has {model}: nothing was copied.")


def _article(chip: str) -> str:
    return "MicroPython's unix port" if chip == "unix" else f"an {chip.upper()}"


def _hashes(tool: Mpremote, wanted: dict[str, str]) -> tuple[dict[str, str], int]:
    """SHA-256 of every file on the board that is wanted or lies in a folder of ours, and the bytes that are free.

    Of what lies elsewhere its twin is asked for as well: an app.py that stayed would be imported before the app.mpy that is copied.
    """
    outside = {path for path in wanted if not path.startswith(tuple(f"{folder}/" for folder in OWNED_FOLDERS))}
    outside |= {twin for path in outside for twin in _twin(path)}
    found, free = tool.ask(HASHES.format(paths=[*sorted(outside), *OWNED_FOLDERS]))
    return dict(found), int(free)


def _twin(path: str) -> list[str]:
    """The file of the same module in the other form, source or bytecode."""
    stem, _, kind = path.rpartition(".")
    return [f"{stem}.{'mpy' if kind == 'py' else 'py'}"] if kind in ("py", "mpy") else []


def _copy(tool: Mpremote, files: dict[str, bytes], progress: Progress) -> None:
    """Write `files` to the board, in their order."""
    if not files:
        return
    names = list(files)
    total = sum(map(len, files.values()))
    with tempfile.TemporaryDirectory() as folder:
        pairs = []
        for n, path in enumerate(names):
            here = Path(folder) / f"{n}"
            here.write_bytes(files[path])
            pairs.append((here, path))
        tool.copy(pairs, lambda n: progress(names[n], sum(len(files[path]) for path in names[:n]), total))
    progress("copied", total, total)


def _last_things_last(path: str) -> tuple[int, str]:
    """A key that puts main.py at the end, and the app before it: a copy that is cut short starts nothing half new."""
    order = (HASH, "app.mpy", "app.py", "boot.py", "main.py")
    return order.index(path) if path in order else -1, path
