"""The file that holds a virtual board's flash: 512 LittleFS blocks, then the six-byte id of the chip."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from pathlib import Path

from littlefs import LittleFS, LittleFSError
from retrostep.deploy.firmware_files import firmware_files
from retrostep.errors import RetrostepError

BLOCK = 4096
BLOCKS = 512
SIZE = BLOCK * BLOCKS
_MAGIC = b"RSVB"
_ID_BYTES = 6


def write_files(path: Path, content: bytes) -> None:
    """Make `content` the flash of the image at `path`. Erased flash becomes an empty file system, as at MicroPython's first start."""
    if not content.strip(b"\xff"):
        content = bytes(LittleFS(block_size=BLOCK, block_count=BLOCKS).context.buffer)
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.write(content)


class ImageError(RetrostepError):
    """The image cannot be used; the message says why."""


class FlashImage:
    """The image at `path`, locked while open. A missing or blank one gets the firmware of this
    checkout, with `settings`, for `sensor` (default: that of VIRTUAL) and as `code` (see `firmware_files`).

    `fd` is the open file, `id` the six bytes of the board, `is_new` whether it was blank. Raises ImageError, and the errors of
    `firmware_files`.
    """

    def __init__(self, path: Path, settings: dict | None = None, sensor: str | None = None, code: str | None = None) -> None:
        self.path = path
        try:
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ImageError(f"{path}: the flash image cannot be opened: {error.strerror}.") from error
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self.fd)
            raise ImageError(f"{path}: another virtual board runs on this flash image; stop it, or name another image.") from error
        try:
            self.is_new = self._blank()
            if self.is_new:
                self._provision(settings or {}, sensor, code)
            self.id = self._identify()
        except BaseException:
            os.close(self.fd)
            raise

    def close(self) -> None:
        """Close the file and release its lock."""
        os.close(self.fd)

    def json(self, name: str) -> dict:
        """The JSON object in a file of the board; {} if there is none."""
        with contextlib.suppress(LittleFSError, OSError, ValueError):
            found = json.loads(self.read(name))
            if isinstance(found, dict):
                return found
        return {}

    def read(self, name: str) -> bytes:
        """The content of a file of the board, which must be off."""
        files = self._files()
        with files.open(name, "rb") as file:
            return bytes(file.read())

    def _files(self) -> LittleFS:
        """A copy of the file system as it is now."""
        files = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
        files.context.buffer = bytearray(os.pread(self.fd, SIZE, 0))
        files.mount()
        return files

    def _blank(self) -> bool:
        size = os.fstat(self.fd).st_size
        head = os.pread(self.fd, 2 * BLOCK, 0)
        if not head.strip(b"\x00") or not head.strip(b"\xff"):
            return True
        complete = size in (SIZE, SIZE + len(_MAGIC) + _ID_BYTES)
        with contextlib.suppress(LittleFSError):
            if complete and self._files():
                return False
        raise ImageError(f"{self.path}: this is not a flash image of a virtual board: name another file, or a new one.")

    def _provision(self, settings: dict, sensor: str | None, code: str | None) -> None:
        files = LittleFS(block_size=BLOCK, block_count=BLOCKS)
        program = firmware_files("VIRTUAL", code, sensor)
        for name, content in [*program.items(), ("settings.json", json.dumps(settings).encode())]:
            folder = "/".join(name.split("/")[:-1])
            if folder:
                files.makedirs(folder, exist_ok=True)
            with files.open(name, "wb") as file:
                file.write(content)
        data = bytes(files.context.buffer)
        try:
            os.ftruncate(self.fd, 0)
            # The superblocks come last: an image whose writing was interrupted stays blank.
            os.pwrite(self.fd, data[2 * BLOCK :], 2 * BLOCK)
            os.pwrite(self.fd, data[: 2 * BLOCK], 0)
        except OSError as error:
            raise ImageError(f"{self.path}: the flash image cannot be written: {error.strerror}.") from error

    def _identify(self) -> bytes:
        tail = os.pread(self.fd, len(_MAGIC) + _ID_BYTES, SIZE)
        if not tail.startswith(_MAGIC):
            tail = _MAGIC + secrets.token_bytes(_ID_BYTES)
            os.pwrite(self.fd, tail, SIZE)
        return tail[len(_MAGIC) :]
