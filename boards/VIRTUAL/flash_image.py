"""The file that holds a virtual board's flash: 512 blocks of LittleFS, then the chip's own six-byte id."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from pathlib import Path

from littlefs import LittleFS, LittleFSError
from retrostep.device.bundle import bundle
from retrostep.errors import RetrostepError

BLOCK = 4096
BLOCKS = 512
SIZE = BLOCK * BLOCKS
_MAGIC = b"RSVB"
_ID_BYTES = 6


class ImageError(RetrostepError):
    """The image cannot be used; the message says why."""


class FlashImage:
    """The image at `path`, locked while open. Where it isn't there or is blank, the working tree's firmware is put on it with `settings`.

    `fd` is the open file, `id` the board's six bytes, `born` tells that it was blank. Raises ImageError, and what `bundle` raises.
    """

    def __init__(self, path: Path, settings: dict | None = None) -> None:
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
            self.born = self._blank()
            if self.born:
                self._provision(settings or {})
            self.id = self._identify()
        except BaseException:
            os.close(self.fd)
            raise

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.fd)

    def json(self, name: str) -> dict:
        """A JSON object among the board's files; {} if it isn't there or isn't one."""
        with contextlib.suppress(LittleFSError, OSError, ValueError):
            found = json.loads(self.read(name))
            if isinstance(found, dict):
                return found
        return {}

    def read(self, name: str) -> bytes:
        """A file on the board, while it is off."""
        files = self._files()
        with files.open(name, "rb") as file:
            return bytes(file.read())

    def _files(self) -> LittleFS:
        """The files as they are now; writing to them changes a copy."""
        files = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
        files.context.buffer = bytearray(os.pread(self.fd, SIZE, 0))
        files.mount()
        return files

    def _blank(self) -> bool:
        size = os.fstat(self.fd).st_size
        head = os.pread(self.fd, 2 * BLOCK, 0)
        if not head.strip(b"\x00") or not head.strip(b"\xff"):
            return True
        whole = size in (SIZE, SIZE + len(_MAGIC) + _ID_BYTES)
        with contextlib.suppress(LittleFSError):
            if whole and self._files():
                return False
        raise ImageError(f"{self.path}: this is no flash image of a virtual board; name another file, or one that does not exist yet.")

    def _provision(self, settings: dict) -> None:
        files = LittleFS(block_size=BLOCK, block_count=BLOCKS)
        for name, content in [*bundle("VIRTUAL"), ("settings.json", json.dumps(settings).encode())]:
            folder = "/".join(name.split("/")[:-1])
            if folder:
                files.makedirs(folder, exist_ok=True)
            with files.open(name, "wb") as file:
                file.write(content)
        data = bytes(files.context.buffer)
        try:
            os.ftruncate(self.fd, 0)
            # The superblocks come last: an image that was cut short stays blank.
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
