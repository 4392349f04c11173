"""Bring session logs here when there is no app to ask: from a board whose app is stopped, or from a dump of its flash.

What a session can be told from goes the way that a sync takes, and a later sync finds it here or goes on behind it. What can't be read
goes to quarantine with the reason. The board learns nothing of it: only a sync tells it that a log is safe.
"""

import binascii
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retrostep_core.log.decoded import Header
from retrostep_core.log.reader import LogError, read_log

from retrostep.archive.digest import digest
from retrostep.archive.keep import keep
from retrostep.archive.names import session_id
from retrostep.archive.raw import RawLogs
from retrostep.archive.store import Store
from retrostep.device.carve import carve
from retrostep.device.client import Board, sanitized
from retrostep.device.flash import READ_COMMAND, Folder, file_systems, read_image
from retrostep.device.mpremote import Mpremote
from retrostep.device.open import Line
from retrostep.device.progress import Progress, silent
from retrostep.device.stopped import StoppedFolder
from retrostep.device.tail import FOLDER as TAIL
from retrostep.device.tail import PIECE_MOST_BYTES, PIECES, tail_of
from retrostep.errors import DamagedData, NoApp, NoImage, NoRepl, RetrostepError
from retrostep.sync import LOG_MOST_BYTES, device_lock

FOLDER = "/sessions"
KINDS = (".ok", ".rsl")
PIECE_NAMES = tuple(str(piece) for piece in range(PIECES))
START_S = 6.0
"""A board whose app starts says HELLO sooner. One that hangs has no room for more of our requests, and needs some for a Ctrl-C."""
_LOG = re.compile(r"([0-9]{8,10})\.rsl")


@dataclass
class Rescued:
    """What became of one file: `outcome` is rescued, had (kept here before), damaged (kept; the rest counts), quarantined or unread.

    `session` is None where none can be told. `synced_before` says that some computer had confirmed to the board that it holds all of it.
    """

    file: str
    length: int
    outcome: str
    session: str | None = None
    synced_before: bool = False
    why: str = ""


@dataclass
class Rescue:
    """What a rescue found. `app` says how the board was left: "runs", or why it doesn't; "" for a dump."""

    source: str
    device: str | None = None
    board: str | None = None
    app: str = ""
    sessions: list[Rescued] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def of(self, *outcomes: str) -> list[Rescued]:
        """What came of it that way."""
        return [one for one in self.sessions if one.outcome in outcomes]

    @property
    def exit_status(self) -> int:
        """4 where damaged data was met, otherwise 0."""
        return DamagedData.exit_status if self.warnings or self.of("damaged", "quarantined", "unread") else 0

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        counts = {outcome: len(self.of(outcome)) for outcome in ("rescued", "had", "damaged", "quarantined", "unread")}
        return {**asdict(self), **counts}


def rescue_board(port: str, raw: RawLogs, store: Store, progress: Progress = silent) -> Rescue:
    """Rescue the logs of the board at `port`, whose app is stopped meanwhile and started again, if it can be, whatever happens.

    Raises the errors of opening a port, NoRepl, SyncRunning, DiskFull, NoAccess; what had come by then is kept.
    """
    Line(port).close()  # a port that cannot be opened is better explained by us
    found = Rescue(port)
    keeper = _Keeper(found, raw, store)
    with _started_again(port, found):
        tool = Mpremote(port)
        rest = StoppedFolder(tool, TAIL)
        pieces = [file for file in rest.files if file.name in PIECE_NAMES and file.size <= PIECE_MOST_BYTES]
        keeper.tail = {file.name: bytes(file.data) for file in rest.read(pieces, silent)}
        folder = StoppedFolder(tool, FOLDER)
        if folder.trouble:
            found.warnings.append(f"Not every file of the board is known: {folder.trouble}.")
        wanted = []
        for file in sorted(folder.files, key=lambda file: file.name):
            if file.size > LOG_MOST_BYTES:
                keeper.unread(file.name, file.size, f"It is said to be {file.size} bytes long, which cannot be.")
            elif file.name.endswith(KINDS):
                wanted.append(file)
        try:
            for done in folder.read(wanted, lambda name, done, total: progress(sanitized(name), done, total)):
                keeper.take(done.name, bytes(done.data), done.trouble)
        except NoRepl as error:
            raise NoRepl(f"{error} {len(found.of('rescued', 'had', 'damaged'))} sessions are safe here already.") from error
        finally:
            keeper.finish()
    return found


def rescue_image(path: Path, raw: RawLogs, store: Store, progress: Progress = silent) -> Rescue:
    """Rescue the logs in a dump of a board's flash: all of it, or the partition with the files.

    Raises NoImage where it is none, SyncRunning, DiskFull, NoAccess.
    """
    data = read_image(path)
    found = Rescue(str(path))
    keeper = _Keeper(found, raw, store)
    places = file_systems(data)
    is_whole = is_mounted = False
    for place in places:
        with Folder(data, place, TAIL, PIECE_NAMES, PIECE_MOST_BYTES) as rest:
            keeper.tail = {read.name: read.data for read in rest.read()}
        with Folder(data, place, FOLDER, KINDS, min(LOG_MOST_BYTES, len(data))) as folder:
            is_mounted |= folder.is_mounted
            if not folder.exists:
                continue
            is_whole = not folder.trouble
            if folder.trouble:
                found.warnings.append(f"Not every file of the dump is known: {folder.trouble}.")
            done, total = 0, sum(folder.sizes.values())
            for read in folder.read():
                done += folder.sizes[read.name]
                progress(sanitized(read.name), done, total)
                is_whole &= not read.trouble
                keeper.take(read.name, read.data, read.trouble)
            break
    keeper.finish()
    if not is_whole:
        for log in carve(data, [*places, 0]):
            keeper.carved(log.header, log.data, log.is_ended)
    if not is_mounted:
        if not found.sessions:
            raise NoImage(
                f"{path} holds neither a board's file system nor a session log. Read the flash with `{READ_COMMAND}`, then run this again."
            )
        found.warnings.append("The file system is lost; logs were pieced together from what is left of it.")
    return found


class _Keeper:
    """Takes files as they come, and keeps each where it belongs."""

    def __init__(self, found: Rescue, raw: RawLogs, store: Store) -> None:
        self._found, self._raw, self._store = found, raw, store
        self._unreadable: list[tuple[Rescued, int, bytes]] = []
        self._confirmed: dict[str, tuple[int, int]] = {}
        self._logs: list[tuple[str, Rescued, bytes]] = []
        self.tail: dict[str, bytes] = {}
        """What lies in /tail, by name: the last bytes of the log that was being written."""

    def take(self, name: str, data: bytes, trouble: str) -> None:
        """A file as far as it could be read; `trouble` says why no further."""
        if name.endswith(".ok"):
            if len(data) == 12 and binascii.crc32(data[:8]) == struct.unpack_from("<I", data, 8)[0]:
                self._confirmed[name.removesuffix(".ok")] = struct.unpack_from("<II", data)
            return
        match = _LOG.fullmatch(name)
        number = int(match[1]) if match else 0
        if not trouble:
            data += tail_of([self.tail.get(piece, b"") for piece in PIECE_NAMES], number, len(data))
        if not data:
            if trouble:
                self.unread(name, 0, f"Nothing of it can be read: {trouble}.")
            return  # a log that was begun and never flushed holds nothing
        done = Rescued(name, len(data), "rescued")
        self._found.sessions.append(done)
        self._logs.append((name.removesuffix(".rsl"), done, data))
        try:
            header: Any = read_log(data).header
            if number and header.session != number:
                raise DamagedData(f"It says that it is session {header.session} of {ascii(header.device)}")
            facts = digest(header.device, header.session, data, header.life).session
        except (LogError, DamagedData) as error:
            done.outcome, done.why = "quarantined", f"{str(error).rstrip('.')}."
            self._unreadable.append((done, number, data))
            return
        done.session = session_id(header.device, header.session)
        self._found.device, self._found.board = self._found.device or header.device, self._found.board or header.board
        if facts["damage"] or facts["lost_records"]:
            done.outcome = "damaged"
            done.why = f"{facts['damage']} bytes and {facts['lost_records']} records of it are damaged; the rest counts."
        if trouble:
            done.outcome, done.why = "damaged", f"Only its first {len(data)} bytes can be read ({trouble}); they count."
        self._archive(done, header, data)

    def unread(self, name: str, length: int, why: str) -> None:
        """A file of which nothing came."""
        self._found.sessions.append(Rescued(name, length, "unread", why=why))

    def finish(self) -> None:
        """All has come: what is unreadable goes to quarantine, under the device that the other logs name."""
        for done, number, data in self._unreadable:
            done.why += f" It is kept in {self._raw.quarantine(self._found.device or '', number, data, done.why)}."
        for stem, done, data in self._logs:
            done.synced_before = self._confirmed.get(stem) == (len(data), binascii.crc32(data))

    def carved(self, header: Header, data: bytes, is_ended: bool) -> None:
        """A log that was pieced together; nothing is said of one that is archived."""
        who = header.device, header.session
        done = Rescued("", len(data), "quarantined", session_id(*who))
        how_far = "whole" if is_ended else "without its end"
        done.why = f"It was pieced together from the blocks of a damaged file system, {how_far}."
        with suppress(DamagedData):
            if self._raw.path(*who, header.life).exists() and self._raw.read(*who, header.life).startswith(data):
                return
            digest(*who, data, header.life)
            self._found.device = self._found.device or header.device
        done.why += f" It is kept in {self._raw.quarantine(*who, data, done.why, header.life)}."
        self._found.sessions.append(done)

    def _archive(self, done: Rescued, header: Header, data: bytes) -> None:
        who = header.device, header.session
        is_had = self._raw.path(*who, header.life).exists() and self._raw.read(*who, header.life).startswith(data)
        try:
            with device_lock(self._raw.home, header.device, self._found.source):
                row = keep(self._raw, self._store, *who, data, header.life)
        except DamagedData as conflict:
            done.outcome, done.why = "quarantined", str(conflict)
        else:
            done.session = session_id(row.device, row.number, row.nth_life)
            if is_had and done.outcome == "rescued":
                done.outcome = "had"


@contextmanager
def _started_again(port: str, found: Rescue) -> Iterator[None]:
    """Afterwards the board's app is started, if it can be; `found.app` says so."""
    try:
        yield
    except BaseException:
        with suppress(RetrostepError), Board(Line(port)) as board:
            board.soft_reset()
        raise
    try:
        with Board(Line(port)) as board:
            board.soft_reset()
            hello = board.hello(START_S)
    except NoApp as error:
        found.app = f"{error.found} Run `retrostep deploy --board {found.board or 'NAME'} --port {port}`; what was rescued is safe."
    except RetrostepError as error:  # it is gone, and what came is here
        found.app = str(error)
    else:
        found.app = "runs"
        found.device, found.board = hello.device, hello.board
