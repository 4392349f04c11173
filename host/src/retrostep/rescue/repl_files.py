"""The files of a board whose app is stopped, read by scripts at MicroPython's prompt. Every piece has a CRC."""

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
"""Files that one script reads: their names must fit into the board's memory."""
TRIES = 3
"""USB transfers can be corrupted. A file that is not complete is read again, from its last good byte."""

ENTRY_WORTH = 100
"""A listed file, or the end of one, counts as so many useful bytes."""

_NUMBER = re.compile("[0-9]{1,10}")

# To make a folder that exists completes a rename that a power cut interrupted. Until then LittleFS hides another file.
LIST = """
import json, os
bad = 0
def find(folder, inner):
    global bad
    try:
        for e in os.ilistdir(folder):
            if not e[1] & 0x4000:
                print(json.dumps([inner + e[0], e[3] if len(e) > 3 else os.stat(folder + "/" + e[0])[6]]))
            elif not inner:
                find(folder + "/" + e[0], e[0] + "/")
    except OSError as x:
        bad = x.args[0]
try:
    os.stat({folder!r})
    os.mkdir({folder!r})
except OSError:
    pass
find({folder!r}, "")
print(json.dumps(bad or "complete"))
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
    """A file on the board: its `size` in the board's list, the bytes received, and why the rest is missing ("" if it is complete)."""

    name: str
    size: int
    data: bytearray = field(default_factory=bytearray)
    problem: str = "it did not arrive completely"


class StoppedFolder:
    """`folder` on the board of `tool`, with the folders in it. `problem` says why the list of its files is not complete, "" if it is."""

    def __init__(self, tool: Mpremote, folder: str) -> None:
        self._tool, self._folder = tool, folder
        self.files: list[StoppedFile] = []
        self.problem = "the board did not finish listing its files"
        self.exists = True
        tool.hear(LIST.format(folder=folder), self._listed)

    def _listed(self, line: str) -> int:
        """Take a line; how many bytes of it are useful."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return 0
        if message == "complete":
            self.problem = ""
        elif message == ENOENT:
            self.exists, self.problem = False, ""
        elif isinstance(message, int):
            self.problem = f"the list of files is damaged on the board (error {message})"
        elif len(self.files) < FILES_MOST:
            match message:
                case [str(name), int(size)]:
                    self.files.append(StoppedFile(name, max(0, size)))
                    return ENTRY_WORTH
        return 0

    def read(self, wanted: list[StoppedFile], progress: Progress) -> Iterator[StoppedFile]:
        """Every file of `wanted`, as far as it can be read. NoRepl where the prompt is lost; complete files come before it."""
        total = sum(file.size for file in wanted)
        before = 0
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            reader = _Reader(batch, lambda file, done, before=before: progress(file.name, before + done, total))  # type: ignore[misc]
            lost: NoRepl | None = None
            for _ in range(TRIES):
                due = [(n, file.name, len(file.data), file.size) for n, file in enumerate(batch) if file.problem]
                if not due or lost is not None:
                    break
                try:
                    # ascii(): the board chose the name. So it can only be a string in the script.
                    self._tool.hear(READ.format(folder=self._folder, wanted=ascii(due)), reader.take_line)
                except NoRepl as error:
                    lost = error
            before += sum(len(file.data) for file in batch)
            yield from (file for file in batch if lost is None or not file.problem)
            if lost is not None:
                raise lost


class _Reader:
    """Appends the pieces that a script prints to the files of its batch."""

    def __init__(self, batch: list[StoppedFile], received: Callable[[StoppedFile, int], None]) -> None:
        self._batch, self._received = batch, received
        self._ended: set[int] = set()

    def take_line(self, line: str) -> int:
        """One line: number of the file, offset, then CRC and base64, or `end`, or `error` and its number. Its useful bytes are returned."""
        words = line.split()
        if len(words) < 3 or not (_NUMBER.fullmatch(words[0]) and _NUMBER.fullmatch(words[1])) or int(words[0]) >= len(self._batch):
            return 0
        number, offset = int(words[0]), int(words[1])
        file = self._batch[number]
        if offset != len(file.data):
            return 0  # an earlier piece was lost; the next try starts there
        if words[2] in ("end", "error"):
            missing = f"the board sent {offset} of its {file.size} bytes" if offset < file.size else ""
            file.problem = missing if words[2] == "end" else f"the board cannot read it beyond byte {offset}"
            is_first = number not in self._ended
            self._ended.add(number)
            return ENTRY_WORTH if is_first else 0
        if len(words) == 4:
            try:
                piece = binascii.a2b_base64(words[3], strict_mode=True)
            except ValueError:
                return 0
            if words[2] == str(binascii.crc32(piece)) and len(file.data) + len(piece) <= file.size:
                file.data += piece
                self._received(file, sum(len(one.data) for one in self._batch))
                return len(piece)
        return 0
