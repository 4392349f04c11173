"""The files of a board whose app is stopped, read by scripts at MicroPython's prompt; every piece is proved by its CRC."""

import binascii
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from errno import ENOENT

from retrostep.device.mpremote import Mpremote
from retrostep.device.progress import Progress
from retrostep.errors import NoRepl

FILES_MOST = 10_000
BATCH = 50
"""Files read by one script: their names must fit into the board's memory."""
TRIES = 3
"""USB transfers have been seen corrupted; what did not come whole is asked for again."""

_NUMBER = re.compile("[0-9]{1,10}")

LIST = """
import json, os
try:
    for e in os.ilistdir({folder!r}):
        if not e[1] & 0x4000:
            print(json.dumps([e[0], e[3] if len(e) > 3 else os.stat({folder!r} + "/" + e[0])[6]]))
    print(json.dumps("whole"))
except OSError as x:
    print(json.dumps(x.args[0]))
"""

READ = """
from binascii import b2a_base64, crc32
b = bytearray(384)
for n, name, at, end in {wanted}:
    try:
        with open({folder!r} + "/" + name, "rb") as f:
            f.seek(at)
            while at < end:
                c = f.readinto(b)
                if not c:
                    break
                p = memoryview(b)[:c]
                print(n, at, crc32(p), b2a_base64(p).decode().strip())
                at += c
        print(n, at, "end")
    except OSError as x:
        print(n, at, "error", x.args[0])
"""


@dataclass
class StoppedFile:
    """A file on the board: its `size` as the board lists it, what has come of it, and what kept the rest ("": all of it came)."""

    name: str
    size: int
    data: bytearray = field(default_factory=bytearray)
    trouble: str = "it did not arrive whole"


class StoppedFolder:
    """`folder` on the board that `tool` works with. `trouble` says why the list of its files is not whole ("": it is)."""

    def __init__(self, tool: Mpremote, folder: str) -> None:
        self._tool, self._folder = tool, folder
        self.files: list[StoppedFile] = []
        self.trouble = "the board did not finish listing its files"
        self.exists = True
        tool.hear(LIST.format(folder=folder), self._listed)

    def _listed(self, line: str) -> None:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return
        if said == "whole":
            self.trouble = ""
        elif said == ENOENT:
            self.exists, self.trouble = False, ""
        elif isinstance(said, int):
            self.trouble = f"the list of files is damaged on the board (error {said})"
        elif len(self.files) < FILES_MOST:
            match said:
                case [str(name), int(size)]:
                    self.files.append(StoppedFile(name, max(0, size)))

    def read(self, wanted: list[StoppedFile], progress: Progress) -> Iterator[StoppedFile]:
        """Each of the `wanted` files with what can be had of it."""
        total = sum(file.size for file in wanted)
        before = 0
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            reader = _Reader(batch, lambda file, done, before=before: progress(file.name, before + done, total))  # type: ignore[misc]
            lost: NoRepl | None = None
            for _ in range(TRIES):
                due = [(n, file.name, len(file.data), file.size) for n, file in enumerate(batch) if file.trouble]
                if not due or lost is not None:
                    break
                try:
                    # ascii(): a name is from the board, and is written so that it can only be a text.
                    self._tool.hear(READ.format(folder=self._folder, wanted=ascii(due)), reader.heard)
                except NoRepl as error:
                    lost = error
            before += sum(len(file.data) for file in batch)
            yield from (file for file in batch if lost is None or not file.trouble)
            if lost is not None:
                raise lost


class _Reader:
    """Puts the pieces that a script prints to the files of its batch."""

    def __init__(self, batch: list[StoppedFile], came: Callable[[StoppedFile, int], None]) -> None:
        self._batch, self._came = batch, came

    def heard(self, line: str) -> None:
        """One line: number of the file, offset, then CRC and base64, or `end`, or `error` and its number."""
        words = line.split()
        if len(words) < 3 or not (_NUMBER.fullmatch(words[0]) and _NUMBER.fullmatch(words[1])) or int(words[0]) >= len(self._batch):
            return
        file, offset = self._batch[int(words[0])], int(words[1])
        if offset != len(file.data):
            return  # a piece before it was lost: all from there on is asked for again
        if words[2] == "end":
            file.trouble = "" if offset >= file.size else f"the board gave only {offset} of its {file.size} bytes"
        elif words[2] == "error":
            file.trouble = f"the board cannot read it beyond byte {offset}"
        elif len(words) == 4:
            try:
                piece = binascii.a2b_base64(words[3], strict_mode=True)
            except ValueError:
                return
            if words[2] == str(binascii.crc32(piece)) and len(file.data) + len(piece) <= file.size:
                file.data += piece
                self._came(file, sum(len(one.data) for one in self._batch))
