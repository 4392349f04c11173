"""A dump of a board's flash, as esptool reads it: where its file system begins, and the files of one folder in it.

littlefs is C, and a damaged or hostile image can bring it down; it runs in a process of its own, so that one bad file costs one file.
"""

import multiprocessing
import os
import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from littlefs import LittleFS, LittleFSError, UserContext

from retrostep.archive.disk import explained
from retrostep.errors import NoImage

BLOCK = 4096
IMAGE_MOST_BYTES = 1 << 27
"""No ESP32 carries more flash."""
FILES_MOST = 10_000
SILENCE_S = 30.0
"""littlefs needs far less for one file; an image on which it goes round in circles is given up."""
CRASHES_MOST = 10
READ_COMMAND = "esptool read_flash 0 ALL flash.bin"

_TABLE_AT = 0x8000
_TABLE_ENTRIES = 95
_ENTRY = struct.Struct("<HBBII16sI")
_ENTRY_MAGIC = 0x50AA
_TYPE_DATA = 1
_SUBTYPES = (0x81, 0x82, 0x83)
"""What tables say of the partition that MicroPython keeps its files in: fat (the oldest), spiffs, littlefs."""
_MAGIC = b"littlefs"
_MAGIC_AT = 8
_FOUND_MOST = 16


@dataclass(frozen=True)
class Read:
    """A file of the dump: its bytes as far as they could be read, and why it was no further ("": all of it was)."""

    name: str
    data: bytes
    trouble: str = ""


def read_image(path: Path) -> bytes:
    """The dump at `path`. Raises NoImage for what cannot be one, NoAccess where it may not be read."""
    with explained(path), open(path, "rb") as file:
        data = file.read(IMAGE_MOST_BYTES + 1)
    if len(data) > IMAGE_MOST_BYTES:
        raise NoImage(f"{path} is larger than any board's flash. Read the flash anew with `{READ_COMMAND}`.")
    if not data.strip(b"\xff") or not data.strip(b"\x00"):
        raise NoImage(f"{path} is blank: nothing was ever written there, or it was erased. Read the flash anew with `{READ_COMMAND}`.")
    return data


def file_systems(data: bytes) -> list[int]:
    """Where in the dump a file system may begin, the likeliest first: what the partition table says, then what looks like one."""
    found = []
    for n in range(_TABLE_ENTRIES):
        at = _TABLE_AT + n * _ENTRY.size
        if len(data) < at + _ENTRY.size:
            break
        magic, kind, subtype, offset, _, _, _ = _ENTRY.unpack_from(data, at)
        if magic != _ENTRY_MAGIC:
            break
        if kind == _TYPE_DATA and subtype in _SUBTYPES and offset % BLOCK == 0 and offset < len(data):
            found.append(offset)
    at = data.find(_MAGIC)
    while at >= 0 and len(found) < _FOUND_MOST:
        block = at - _MAGIC_AT
        if block >= 0 and block % BLOCK == 0:
            # The superblock is kept twice, in the first two blocks; one of them may be damaged.
            found += [block, block - BLOCK] if block >= BLOCK else [block]
        at = data.find(_MAGIC, at + 1)
    return list(dict.fromkeys(found))


class Folder:
    """The files of `folder`, those whose names end as `endings` say, in the file system that begins at `offset` of a dump.

    `sizes` tells their lengths as far as littlefs can; `trouble` why the list isn't whole ("": it is). `is_mounted` and `exists` say how
    far it came. Use it as a context manager.
    """

    def __init__(self, data: bytes, offset: int, folder: str, endings: tuple[str, ...], most_bytes: int) -> None:
        self._asked = (data[offset:], folder, endings, most_bytes)
        self._said = _ask(*self._asked, None)
        self.is_mounted = self.exists = False
        self.sizes: dict[str, int] = {}
        self.trouble = ""
        for said in self._said:
            if said[0] == "mounted":
                self.is_mounted = True
            elif said[0] == "exists":
                self.exists = True
            elif said[0] == "name":
                self.sizes[said[1]] = said[2]
            elif said[0] in ("trouble", "failed"):
                self.trouble = said[1]
            elif said[0] == "listed":
                break

    def read(self) -> Iterator[Read]:
        """Each of the files, by name, up to `most_bytes` of it."""
        waiting = sorted(self.sizes)
        for _ in range(CRASHES_MOST):
            parts: list[bytes] = []
            for said in self._said:
                if said[0] == "data":
                    parts.append(said[1])
                elif said[0] in ("end", "failed") and waiting:
                    yield Read(waiting.pop(0), b"".join(parts), said[1])
                    parts = []
            if not waiting:
                return
            self._said = _ask(*self._asked, waiting)
        for name in waiting:
            yield Read(name, b"", "the file system is too damaged to read it")

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._said.close()


def _ask(
    data: bytes, folder: str, endings: tuple[str, ...], most_bytes: int, names: list[str] | None
) -> Generator[tuple[Any, ...], None, None]:
    """What a process that mounts `data` has to say; ("failed", why) ends it where it crashes or falls silent."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_serve, args=(theirs, data, folder, endings, most_bytes, names), daemon=True)
    process.start()
    theirs.close()
    try:
        while True:
            if not ours.poll(SILENCE_S):
                yield "failed", "the file system goes round in circles there"
                return
            try:
                said = ours.recv()
            except EOFError:
                yield "failed", "the file system is damaged there"
                return
            if said[0] == "done":
                return
            yield said
    finally:
        ours.close()
        process.kill()
        process.join()


class _Dump(UserContext):
    """The dump as a block device; what lies behind its end reads as erased, and `is_short` says that it was asked for."""

    is_short = False

    def read(self, cfg: Any, block: int, off: int, size: int) -> bytearray:
        start = block * cfg.block_size + off
        part = self.buffer[start : start + size]
        if len(part) < size:
            self.is_short = True
            part = part + b"\xff" * (size - len(part))
        return part


def _serve(out: Connection, data: bytes, folder: str, endings: tuple[str, ...], most_bytes: int, names: list[str] | None) -> None:
    """In a process of its own: mount, list the folder where no `names` are given, and read the files."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what a failed assertion prints is of no use to anybody
    dump = _Dump(buffer=bytearray(data))
    # Latin-1 takes any bytes for a name.
    files = LittleFS(dump, mount=False, filename_encoding="latin-1", block_size=BLOCK, block_count=0)
    try:
        files.mount()
    except (LittleFSError, OSError) as error:
        out.send(("trouble", str(error)))
        out.send(("done",))
        return
    if names is None:
        out.send(("mounted",))
        names = sorted(_list(out, files, folder, endings))
        out.send(("listed",))
    for name in names:
        _read(out, files, dump, f"{folder}/{name}", most_bytes)
    out.send(("done",))


def _list(out: Connection, files: LittleFS, folder: str, endings: tuple[str, ...]) -> list[str]:
    names: list[str] = []
    try:
        entries = files.scandir(folder)
        for count, entry in enumerate(entries):
            if count > FILES_MOST:
                out.send(("trouble", f"the folder lists more than {FILES_MOST} files"))
                break
            if entry.type == 1 and entry.name.endswith(endings):
                names.append(entry.name)
                out.send(("name", entry.name, entry.size))
        out.send(("exists",))
    except (LittleFSError, OSError, ValueError) as error:
        if getattr(error, "code", 0) != LittleFSError.Error.LFS_ERR_NOENT:
            out.send(("exists",))
            out.send(("trouble", f"the list of files is damaged ({error})"))
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
