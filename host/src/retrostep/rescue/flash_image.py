"""A dump of a board's flash, as esptool reads it: where its file system starts, and the files of one folder in it.

littlefs is written in C, and a damaged or hostile image can crash it. It runs in a process of its own, so that a crash costs one file.
"""

import multiprocessing
import os
import struct
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from littlefs import LittleFS, LittleFSError, UserContext

from retrostep.archive.durable_files import file_errors
from retrostep.errors import NoImage

BLOCK = 4096
IMAGE_MOST_BYTES = 1 << 27
"""No ESP32 has more flash."""
FILES_MOST = 10_000
FOLDERS_MOST = 2_000
"""Of logs: each takes two blocks, and 16 MB have 4096."""
_FOLDER = 2
SILENCE_S = 30.0
"""littlefs needs far less for one file. An image on which it loops is given up."""
CRASHES_MOST = 10

_TABLE_AT = 0x8000
_TABLE_ENTRIES = 95
_ENTRY = struct.Struct("<HBBII16sI")
_ENTRY_MAGIC = 0x50AA
_TYPE_DATA = 1
_SUBTYPES = (0x81, 0x82, 0x83)
"""Subtypes of the partition with MicroPython's files: fat (in the oldest tables), spiffs, littlefs."""
_MAGIC = b"littlefs"
_MAGIC_AT = 8
_STARTS_MOST = 16


@dataclass(frozen=True)
class Read:
    """A file of the dump: its bytes as far as they could be read; `problem` says why no further, "" if it is complete."""

    name: str
    data: bytes
    problem: str = ""


def read_image(path: Path) -> bytes:
    """The dump at `path`. Raises NoImage for a file that cannot be one, NoAccess where it cannot be read."""
    with file_errors(path), open(path, "rb") as file:
        data = file.read(IMAGE_MOST_BYTES + 1)
    if len(data) > IMAGE_MOST_BYTES:
        raise NoImage(f"{path} is larger than any board's flash.")
    if not data.strip(b"\xff") or not data.strip(b"\x00"):
        raise NoImage(f"{path} is blank: the flash was erased, or nothing was ever written to it.")
    return data


def file_system_starts(data: bytes) -> list[int]:
    """Byte offsets at which a file system may start: those of the partition table first, then those of littlefs superblocks."""
    starts = []
    for n in range(_TABLE_ENTRIES):
        at = _TABLE_AT + n * _ENTRY.size
        if len(data) < at + _ENTRY.size:
            break
        magic, kind, subtype, offset, _, _, _ = _ENTRY.unpack_from(data, at)
        if magic != _ENTRY_MAGIC:
            break
        if kind == _TYPE_DATA and subtype in _SUBTYPES and offset % BLOCK == 0 and offset < len(data):
            starts.append(offset)
    at = data.find(_MAGIC)
    while at >= 0 and len(starts) < _STARTS_MOST:
        block = at - _MAGIC_AT
        if block >= 0 and block % BLOCK == 0:
            # The superblock is in both of the first two blocks, and one of them may be damaged.
            starts += [block, block - BLOCK] if block >= BLOCK else [block]
        at = data.find(_MAGIC, at + 1)
    return list(dict.fromkeys(starts))


class Folder:
    """The files of `folder`, and of the folders in it, in the file system that starts at `offset` of a dump. A context manager.

    Only files with one of the `endings` count. A file in an inner folder is named by both: "00000096/00000097.rsl".

    sizes       length of each file by name, as littlefs has it
    problem     why the list is not complete, "" if it is
    is_mounted  whether littlefs could mount the file system           exists      whether it has the folder
    """

    def __init__(self, data: bytes, offset: int, folder: str, endings: tuple[str, ...], most_bytes: int) -> None:
        self._request = (data[offset:], folder, endings, most_bytes)
        self._messages = _littlefs(*self._request, None)
        self.is_mounted = self.exists = False
        self.sizes: dict[str, int] = {}
        self.problem = ""
        for message in self._messages:
            if message[0] == "mounted":
                self.is_mounted = True
            elif message[0] == "exists":
                self.exists = True
            elif message[0] == "name":
                self.sizes[message[1]] = message[2]
            elif message[0] in ("problem", "failed"):
                self.problem = message[1]
            elif message[0] == "listed":
                break

    def read(self) -> Iterator[Read]:
        """Every file in order of names, up to `most_bytes` of it."""
        waiting = sorted(self.sizes)
        for _ in range(CRASHES_MOST):
            parts: list[bytes] = []
            for message in self._messages:
                if message[0] == "data":
                    parts.append(message[1])
                elif message[0] in ("end", "failed") and waiting:
                    yield Read(waiting.pop(0), b"".join(parts), message[1])
                    parts = []
            if not waiting:
                return
            self._messages = _littlefs(*self._request, waiting)
        for name in waiting:
            yield Read(name, b"", "the file system is too damaged to read it")

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._messages.close()


def _littlefs(
    data: bytes, folder: str, endings: tuple[str, ...], most_bytes: int, names: list[str] | None
) -> Generator[tuple[Any, ...], None, None]:
    """The messages of a process that mounts `data`. ("failed", why) is the last one if it crashes or stays silent."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_serve, args=(theirs, data, folder, endings, most_bytes, names), daemon=True)
    process.start()
    theirs.close()
    try:
        while True:
            if not ours.poll(SILENCE_S):
                yield "failed", "littlefs loops in the damaged file system there"
                return
            try:
                message = ours.recv()
            except EOFError:
                yield "failed", "the file system is damaged there"
                return
            if message[0] == "done":
                return
            yield message
    finally:
        ours.close()
        process.kill()
        process.join()


class _Dump(UserContext):
    """The dump as a block device. Bytes after its end read as erased; `is_short` says that some were read."""

    is_short = False

    def read(self, cfg: Any, block: int, off: int, size: int) -> bytearray:
        """The bytes that littlefs asks for."""
        start = block * cfg.block_size + off
        part = self.buffer[start : start + size]
        if len(part) < size:
            self.is_short = True
            part = part + b"\xff" * (size - len(part))
        return part


def _serve(out: Connection, data: bytes, folder: str, endings: tuple[str, ...], most_bytes: int, names: list[str] | None) -> None:
    """Runs in its own process: mount, list the folder if no `names` are given, and send the files."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # littlefs prints its failed assertions
    dump = _Dump(buffer=bytearray(data))
    # Latin-1 decodes any bytes.
    files = LittleFS(dump, mount=False, filename_encoding="latin-1", block_size=BLOCK, block_count=0)
    try:
        files.mount()
    except (LittleFSError, OSError) as error:
        out.send(("problem", str(error)))
        out.send(("done",))
        return
    with suppress(LittleFSError):
        # Completes a rename that a power cut interrupted, in this copy. Until then littlefs hides another file.
        files.fs_mkconsistent()
    if names is None:
        out.send(("mounted",))
        names = sorted(_list(out, files, folder, endings))
        out.send(("listed",))
    for name in names:
        _read(out, files, dump, f"{folder}/{name}", most_bytes)
    out.send(("done",))


def _list(out: Connection, files: LittleFS, folder: str, endings: tuple[str, ...], inner: str = "") -> list[str]:
    """Send the files of `folder`/`inner`, and of the folders in it; returns their names."""
    names: list[str] = []
    folders: list[str] = []
    try:
        entries = files.scandir(f"{folder}/{inner}" if inner else folder)
        for count, entry in enumerate(entries):
            if count > FILES_MOST:
                out.send(("problem", f"the folder lists more than {FILES_MOST} files"))
                break
            if entry.type == 1 and entry.name.endswith(endings):
                names.append(inner + entry.name)
                out.send(("name", inner + entry.name, entry.size))
            elif entry.type == _FOLDER and not inner and entry.name not in (".", "..") and len(folders) < FOLDERS_MOST:
                folders.append(f"{entry.name}/")
        out.send(("exists",))
    except (LittleFSError, OSError, ValueError) as error:
        if getattr(error, "code", 0) != LittleFSError.Error.LFS_ERR_NOENT:
            out.send(("exists",))
            out.send(("problem", f"the list of files is damaged ({error})"))
    for name in sorted(folders):
        names += _list(out, files, folder, endings, name)
    return names


def _read(out: Connection, files: LittleFS, dump: _Dump, path: str, most_bytes: int) -> None:
    dump.is_short = False
    sent = 0
    try:
        with files.open(path, "rb") as file:
            while sent < most_bytes:
                part = bytes(file.read(min(BLOCK, most_bytes - sent)))
                if dump.is_short:
                    out.send(("end", "the dump ends before it"))
                    return
                if not part:
                    out.send(("end", ""))
                    return
                out.send(("data", part))
                sent += len(part)
        out.send(("end", f"it is longer than {most_bytes} bytes"))
    except (LittleFSError, OSError, ValueError) as error:
        out.send(("end", f"the file system is damaged there ({error})"))
