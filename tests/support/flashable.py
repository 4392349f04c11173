"""A blank virtual chip, and images for it, for tests of flashing."""

from pathlib import Path

from rom import stand_in
from rom_protocol import CHIPS


def stand_in_image(folder: Path, chip: str = "esp32") -> Path:
    """A file that looks like an official image, named as one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "UNIX-20260101-v1.28.0.bin"
    path.write_bytes(stand_in(CHIPS[chip], "1.28.0"))
    return path
