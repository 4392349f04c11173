"""Official images of MicroPython: found in the downloads folder, and checked before they are written.

Sources: "Firmware Image Format" and "Partition Tables" in Espressif's documentation.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_downloads_path

from retrostep.deploy.micropython import LEAST
from retrostep.errors import NoMicroPython, WrongImage
from retrostep.plain_text import clean

IMAGE_MOST_BYTES = 16 << 20
_MAGIC = 0xE9
_CHIP_AT = 12
_CHIPS = {0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 12: "ESP32-C2", 13: "ESP32-C6", 16: "ESP32-H2", 18: "ESP32-P4"}
_CHIP_IDS = {name.lower().replace("-", ""): number for number, name in _CHIPS.items()}
_PARTITIONS_AT, _PARTITION_MAGIC = 0x8000, b"\xaa\x50"
_VERSION = re.compile(rb"MicroPython v(\d{1,3})\.(\d{1,3})\.(\d{1,3})")


@dataclass(frozen=True)
class MicroPythonImage:
    """A checked image: its file, and the version of MicroPython in it."""

    path: Path
    version: tuple[int, ...]

    @property
    def version_text(self) -> str:
        """`1.27.0`."""
        return ".".join(map(str, self.version))


def newest_download(board: Mapping[str, Any]) -> Path:
    """The newest official image of the board's MicroPython in the downloads folder. Raises NoMicroPython, which names the image."""
    build, source = board["micropython"], board["flash"]["from"]
    try:
        folder = user_downloads_path()
    except RuntimeError:  # this user has no home
        folder = Path("Downloads").absolute()
    name = re.compile(re.escape(build) + r"-(\d{8})-v(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?: ?\(\d{1,3}\))?\.bin")
    found = [(tuple(map(int, match.groups()[1:])), match[1], path) for path in _files(folder) if (match := name.fullmatch(path.name))]
    if not found:
        raise NoMicroPython(
            f"Get the newest {build}-DATE-VERSION.bin ({LEAST[0]}.{LEAST[1]} or newer) from {source} into {folder}, then try again.",
            board=board["name"],
        )
    return max(found)[2]


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_file()]
    except OSError:
        return []


def check_image(path: Path, board: Mapping[str, Any]) -> MicroPythonImage:
    """Check the image at `path` for `board`. Raises WrongImage: it is no image, incomplete, for another chip, or too old."""
    try:
        if path.stat().st_size > IMAGE_MOST_BYTES:
            raise _wrong(path, "is larger than any flash")
        content = path.read_bytes()
    except OSError as error:
        raise WrongImage(f"{path} cannot be read ({error.strerror}).") from error
    if len(content) < 24 or content[0] != _MAGIC:
        raise _wrong(path, f"is not an image for an ESP32: it does not begin with 0x{_MAGIC:X}")
    chip_id = struct.unpack_from("<H", content, _CHIP_AT)[0]
    wanted = board["flash"]["chip"]
    if chip_id != _CHIP_IDS[wanted]:
        raise _wrong(path, f"is for an {_CHIPS.get(chip_id, f'unknown chip (id {chip_id})')}, but {board['name']} has an {wanted.upper()}")
    table = _PARTITIONS_AT - board["flash"]["offset"]
    if content[table : table + 2] != _PARTITION_MAGIC:
        raise _wrong(path, "is not a complete image: it has no partition table. Use the .bin, not the .app-bin")
    match = _VERSION.search(content)
    if match is None:
        raise _wrong(path, "is not MicroPython")
    version = tuple(map(int, match.groups()))
    if version[:2] < LEAST:
        raise _wrong(path, f"is MicroPython {'.'.join(map(str, version))}, and {LEAST[0]}.{LEAST[1]} or newer is needed")
    return MicroPythonImage(path, version)


def _wrong(path: Path, what: str) -> WrongImage:
    return WrongImage(f"{clean(path.name)} {what}. Nothing was erased.")
