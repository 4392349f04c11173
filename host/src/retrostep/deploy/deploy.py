"""Copy the firmware to a board, verify the copy, and check that it starts. Sessions and settings on the board are not touched."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrostep_core.sensor_text import CHIPS

from retrostep.deploy.firmware_files import CORE, HASH, firmware_files
from retrostep.deploy.micropython import MICROPYTHON, check_micropython, read_micropython
from retrostep.device.boards import read_board, sensors
from retrostep.device.client import DeviceClient
from retrostep.device.core_version import core_hash
from retrostep.device.mpremote import Mpremote, ask_as, stop_program
from retrostep.device.progress import Progress, no_progress
from retrostep.device.serial_port import SerialPort
from retrostep.errors import DeployFailed, FlashFull, WrongBoard

OWN_FOLDERS = ("hal", CORE, "lib/adafruit_lsm6ds", "lib/adafruit_register", "lib/adafruit_bus_device")
"""Folders on the board that hold only files of a deploy. Any other file in them is from another version and is removed."""

SENSOR_SETUP = "sensor.bin"
"""The set-up of the sensor that the board keeps (firmware/hal/sensor_start.py). Removed, so that a changed program makes its own."""

BLOCK = 4096
"""Bytes of flash that LittleFS gives to a file at a time."""

LAST = (HASH, "app.mpy", "app.py", "boot.py", "main.py")
"""Copied last, in this order: an interrupted copy has no core hash, and does not start a half-copied program."""

SENSOR = """
import json
try:
    from machine import I2C, Pin
    if {power} >= 0:
        import time
        Pin({power}, Pin.OUT, value=1)
        time.sleep_ms(50)
    found = I2C({id}, scl=Pin({scl}), sda=Pin({sda}), freq={freq_hz}).readfrom_mem({address}, 15, 1)[0]
except Exception:
    found = -1
print(json.dumps(found))
"""

HASHES = """
import binascii, hashlib, json, os
found = {{}}
part = memoryview(bytearray(512))
def add(path):
    try:
        if os.stat(path)[0] & 0x4000:
            for entry in os.listdir(path):
                add(path + "/" + entry)
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
    add(path)
v = os.statvfs("/")
# LittleFS can count more blocks than there are: free ones then wrap below 0.
print(json.dumps([found, v[0] * v[3] if v[3] <= v[2] else 0]))
"""

PREPARE = """
import json, os
for path in {remove!r}:
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
    """The result of a deploy: the board's device id and port, and the number of files (and bytes) copied, removed and unchanged."""

    device: str
    port: str
    copied: int
    copied_bytes: int
    removed: int
    unchanged: int


def deploy(name: str, port: str, progress: Progress = no_progress) -> Deployed:
    """Copy the files of the board `name` to the board at `port`, restart it, and wait for its HELLO. Files that are equal stay.

    Raises UnknownBoard, the errors of opening a port, WrongBoard, FlashFull, NoRepl or DeployFailed.
    """
    board, files = read_board(name), firmware_files(name)
    progress("checking the board", 0, 0)
    tool = stop_program(port)
    check_micropython(board, files, ask_as(tool, MICROPYTHON, read_micropython))
    check_sensor(board, ask_as(tool, SENSOR.format(**{"power": -1, **board["i2c"]}, address=board["imu"]["address"]), int))

    wanted = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    present, free = _hashes_on_board(tool, wanted)
    changed = _changed_files(wanted, present)
    stale = sorted(path for path in present if path not in wanted and (changed or path != SENSOR_SETUP))
    needed = sum(len(files[path]) + BLOCK for path in changed)
    if needed > free + BLOCK * sum(path in present for path in [*changed, *stale]):
        raise FlashFull(f"The board has {free // 1024} KB of free flash, but {needed // 1024} KB are needed.", port=port)
    if changed or stale:
        folders = sorted({parent.as_posix() for path in changed for parent in list(Path(path).parents)[:-1]})
        outdated_hash = [HASH] if HASH in changed and HASH in present else []
        tool.ask(PREPARE.format(remove=stale + outdated_hash, folders=folders))
        _copy_and_verify(tool, {path: files[path] for path in changed}, wanted, progress)

    progress("starting the app", 0, 0)
    with DeviceClient(SerialPort(port)) as restarted:
        restarted.soft_reset()
        hello = restarted.hello(timeout_s=20)
    if hello.board != name or hello.core_hash != core_hash():
        raise DeployFailed(
            f"The board started {hello.board} with firmware {hello.core_hash.hex()}, not the program that was copied. "
            "Press its reset button and try again."
        )
    copied_bytes = sum(len(files[path]) for path in changed)
    return Deployed(hello.device, port, len(changed), copied_bytes, len(stale), len(wanted) - len(changed))


def check_sensor(board: dict[str, Any], who_am_i: int) -> None:
    """Raise WrongBoard if the sensor that answers is not the one of `board`. None may answer (-1): it can be wired later.

    `who_am_i` is the content of the sensor's register 0x0F.
    """
    model = board["imu"]["model"]
    if who_am_i in (-1, sensors()[model]):
        return
    found = CHIPS.get(who_am_i) or f"unknown (WHO_AM_I is 0x{who_am_i:02X})"
    raise WrongBoard(f"The sensor of this board is {found}, but {board['name']} has {model}. Nothing was copied.", board=board["name"])


def _hashes_on_board(tool: Mpremote, wanted: dict[str, str]) -> tuple[dict[str, str], int]:
    """({path: SHA-256} of the files on the board that are wanted, replaced by wanted ones, or in a folder of ours; free bytes)."""
    outside = {path for path in wanted if not path.startswith(tuple(f"{folder}/" for folder in OWN_FOLDERS))}
    outside |= {_other_form(path) for path in outside if path.endswith((".py", ".mpy"))}
    return ask_as(tool, HASHES.format(paths=[*sorted(outside), SENSOR_SETUP, *OWN_FOLDERS]), _hashes)


def _hashes(answer: Any) -> tuple[dict[str, str], int]:
    found, free = answer
    return {str(path): str(digest) for path, digest in found.items()}, int(free)


def _other_form(path: str) -> str:
    """The same module as bytecode or as source. MicroPython imports app.py before app.mpy, so the other form must go."""
    stem, _, suffix = path.rpartition(".")
    return f"{stem}.{'mpy' if suffix == 'py' else 'py'}"


def _changed_files(wanted: dict[str, str], present: dict[str, str]) -> list[str]:
    """The paths to copy, in the order to copy them. Any change of the core includes its hash, so that the hash is written after it."""
    changed = {path for path, digest in wanted.items() if present.get(path) != digest}
    if HASH in wanted and any(path.startswith(f"{CORE}/") for path in changed):
        changed.add(HASH)
    return sorted(changed, key=lambda path: (LAST.index(path) if path in LAST else -1, path))


def _copy_and_verify(tool: Mpremote, files: dict[str, bytes], wanted: dict[str, str], progress: Progress) -> None:
    """Copy `files` and compare their hashes on the board. Damaged ones are copied once more: USB transfers can be corrupted."""
    damaged = list(files)
    for _ in range(2):
        _copy(tool, {path: files[path] for path in damaged}, progress)
        present, _free = _hashes_on_board(tool, wanted)
        damaged = [path for path in damaged if present.get(path) != wanted[path]]
        if not damaged:
            return
    raise DeployFailed(f"{damaged[0]} was damaged in transfer, twice. Try another cable or port, then deploy again.")


def _copy(tool: Mpremote, files: dict[str, bytes], progress: Progress) -> None:
    """Write `files` to the board, in their order."""
    if not files:
        return
    names = list(files)
    total = sum(map(len, files.values()))
    with tempfile.TemporaryDirectory() as folder:
        pairs = []
        for n, path in enumerate(names):
            source = Path(folder) / f"{n}"
            source.write_bytes(files[path])
            pairs.append((source, path))
        tool.copy(pairs, lambda n: progress(names[n], sum(len(files[path]) for path in names[:n]), total))
    progress("copied", total, total)
