"""Save session logs without the app: from a board whose app is stopped, or from a dump of its flash.

A log with a header goes into the archive as in a sync. A later sync finds it there, or continues it. What cannot be read goes to
quarantine with the reason. The board is not changed: only a sync confirms a log to it.
"""

import binascii
import re
import struct
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retrostep_core.log.decoded import Header
from retrostep_core.log.tail import FOLDER as TAIL
from retrostep_core.log.tail import PIECE_FILE_BYTES, PIECES, tail_of

from retrostep.archive.identifiers import session_id
from retrostep.archive.ingest import archive_log
from retrostep.archive.log_summary import LogSummary, summarize_log
from retrostep.archive.store import Store
from retrostep.device.client import MAX_LISTED_BYTES, MAX_LOG_BYTES, DeviceClient
from retrostep.device.mpremote import Mpremote
from retrostep.device.progress import Progress, no_progress
from retrostep.device.serial_port import SerialPort
from retrostep.errors import AppNotStarted, DamagedData, NoApp, NoImage, NoRepl, RetrostepError
from retrostep.plain_text import clean
from retrostep.rescue.carve import carve
from retrostep.rescue.flash_image import Folder, file_system_starts, read_image
from retrostep.rescue.repl_files import StoppedFolder
from retrostep.sync.device_lock import device_lock
from retrostep.units import count, damage_text

FOLDERS = ("/logs", "/sessions")
"""Of the firmware's logs, and of those that older firmware wrote."""
CONFIRMED = ".rsc"
KINDS = (".ok", ".rsl", CONFIRMED)
PIECE_NAMES = tuple(str(piece) for piece in range(PIECES))
START_S = 6.0
"""An app that starts answers HELLO sooner. A board that hangs must not get more requests: a Ctrl-C needs room in its receive ring."""
_LOG = re.compile(r"([0-9]{8,10})\.rs[lc]")


@dataclass
class Rescued:
    """The outcome for one file.

    outcome        rescued; had: archived before; damaged: archived, and the rest of it counts; quarantined; unread
    session        its name, None if the file does not tell
    synced_before  a computer had confirmed to the board that it archived all of it
    """

    file: str
    length: int
    outcome: str
    session: str | None = None
    synced_before: bool = False
    why: str = ""


@dataclass
class Rescue:
    """What a rescue found. `app` is "runs" if the board's app was started afterwards, else the reason; "" for a dump.

    `problem` is that reason as an error; it is not part of the JSON.
    """

    source: str
    device: str | None = None
    board: str | None = None
    app: str = ""
    sessions: list[Rescued] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problem: RetrostepError | None = None

    def of(self, *outcomes: str) -> list[Rescued]:
        """The files with one of these outcomes."""
        return [one for one in self.sessions if one.outcome in outcomes]

    @property
    def exit_status(self) -> int:
        """4 if anything was damaged, otherwise 0."""
        return DamagedData.exit_status if self.warnings or self.of("damaged", "quarantined", "unread") else 0

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        counts = {outcome: len(self.of(outcome)) for outcome in ("rescued", "had", "damaged", "quarantined", "unread")}
        facts = {name: value for name, value in vars(self).items() if name != "problem"}
        return {**facts, "sessions": [asdict(one) for one in self.sessions], **counts}


def rescue_board(tool: Mpremote, store: Store, progress: Progress = no_progress) -> Rescue:
    """Rescue the logs of a board whose app is stopped, and start the app again. After an error that is the caller's task.

    Raises NoRepl, SyncRunning, DiskFull, NoAccess. Logs received before an error are kept.
    """
    found = Rescue(tool.port)
    keeper = _Keeper(found, store)
    rest = StoppedFolder(tool, TAIL)
    pieces = list({file.name: file for file in rest.files if file.name in PIECE_NAMES and file.size <= PIECE_FILE_BYTES}.values())
    keeper.tail = {file.name: bytes(file.data) for file in rest.read(pieces, no_progress)}
    try:
        listed = 0
        for place in FOLDERS:
            folder = StoppedFolder(tool, place)
            if folder.problem:
                found.warnings.append(f"Some files of the board may be missing: {folder.problem}.")
            wanted = []
            for file in sorted(folder.files, key=lambda file: file.name):
                listed += file.size if file.size <= MAX_LOG_BYTES else 0
                if listed > MAX_LISTED_BYTES:
                    keeper.unread(file.name, file.size, "The files before it are more than any flash holds.")
                elif file.size > MAX_LOG_BYTES:
                    keeper.unread(file.name, file.size, f"Its directory entry says {file.size} bytes, more than a log can have.")
                elif file.name.endswith(KINDS):
                    wanted.append(file)
            for done in folder.read(wanted, lambda name, done, total: progress(clean(name), done, total)):
                keeper.take(done.name, bytes(done.data), done.problem)
    except NoRepl as error:
        raise NoRepl(f"{error} Saved already: {count(len(found.of('rescued', 'had', 'damaged')), 'session')}.", **error.facts) from error
    finally:
        keeper.finish()
    _restart(tool.port, found)
    return found


def rescue_image(path: Path, store: Store, progress: Progress = no_progress) -> Rescue:
    """Rescue the logs in the dump at `path`: of the complete flash, or of the partition with the files.

    Raises NoImage where it is not a dump, SyncRunning, DiskFull, NoAccess.
    """
    data = read_image(path)
    found = Rescue(str(path))
    keeper = _Keeper(found, store)
    starts = file_system_starts(data)
    is_complete = is_mounted = False
    for start in starts:
        with Folder(data, start, TAIL, PIECE_NAMES, PIECE_FILE_BYTES) as rest:
            keeper.tail = {read.name: read.data for read in rest.read()}
        exists = False
        for place in FOLDERS:
            with Folder(data, start, place, KINDS, min(MAX_LOG_BYTES, len(data))) as folder:
                is_mounted |= folder.is_mounted
                if not folder.exists:
                    continue
                is_complete = (is_complete or not exists) and not folder.problem
                exists = True
                if folder.problem:
                    found.warnings.append(f"Some files of the dump may be missing: {folder.problem}.")
                done, total = 0, sum(folder.sizes.values())
                for read in folder.read():
                    done += folder.sizes[read.name]
                    progress(clean(read.name), done, total)
                    is_complete &= not read.problem
                    keeper.take(read.name, read.data, read.problem)
        if exists:
            break
    keeper.finish()
    carved = [] if is_complete else carve(data, [*starts, 0])
    for log in carved:
        keeper.carved(log.header, log.data, log.is_ended)
    if not is_mounted:
        if not carved:
            raise NoImage(f"{path} holds neither a board's file system nor a session log.")
        found.warnings.append("The file system is damaged. Logs were pieced together from its blocks.")
    return found


class _Keeper:
    """Takes files in any order, and puts each into the archive or into quarantine."""

    def __init__(self, found: Rescue, store: Store) -> None:
        self._found, self._raw, self._store = found, store.raw, store
        self._unreadable: list[tuple[Rescued, int, bytes]] = []
        self._confirmed: dict[str, tuple[int, int]] = {}
        self._logs: list[tuple[str, Rescued, bytes]] = []
        self.tail: dict[str, bytes] = {}
        """The files of /tail by name: the last bytes of the log that was open."""

    def take(self, name: str, data: bytes, problem: str) -> None:
        """A file as far as it could be read; `problem` says why no further, "" if it is complete."""
        name = name.rpartition("/")[2]
        if name.endswith(".ok"):
            if len(data) == 12 and binascii.crc32(data[:8]) == struct.unpack_from("<I", data, 8)[0]:
                self._confirmed[name.removesuffix(".ok")] = struct.unpack_from("<II", data)
            return
        match = _LOG.fullmatch(name)
        number = int(match[1]) if match else 0
        if not problem:
            data += tail_of([self.tail.get(piece, b"") for piece in PIECE_NAMES], number, len(data))
        if not data:
            if problem:
                self.unread(name, 0, f"Nothing of it can be read: {problem}.")
            # Otherwise it is a log that was created and never flushed.
            return
        done = Rescued(name, len(data), "rescued")
        self._found.sessions.append(done)
        self._logs.append((name, done, data))
        try:
            summary = summarize_log(data, number=number or None)
        except DamagedData as error:
            done.outcome, done.why = "quarantined", f"{str(error).rstrip('.')}."
            self._unreadable.append((done, number, data))
            return
        device, session, _ = summary.key
        done.session = session_id(device, session)
        self._found.device, self._found.board = self._found.device or device, self._found.board or summary.session["board"]
        if summary.is_damaged:
            done.outcome = "damaged"
            done.why = f"It is damaged ({damage_text(*summary.damage)}); the rest counts."
        if problem:
            done.outcome, done.why = "damaged", f"Only its first {len(data)} bytes can be read ({problem}); they count."
        self._archive(done, summary, data)

    def unread(self, name: str, length: int, why: str) -> None:
        """A file of which nothing could be read."""
        self._found.sessions.append(Rescued(name, length, "unread", why=why))

    def finish(self) -> None:
        """All files are in, in order of their names now. Unreadable ones go to quarantine, under the device that the other logs name."""
        for done, number, data in self._unreadable:
            done.why += f" It is kept in {self._raw.quarantine(self._found.device or '', number, data, done.why)}."
        self._found.sessions.sort(key=lambda one: one.file)
        for name, done, data in self._logs:
            done.synced_before = name.endswith(CONFIRMED) or self._confirmed.get(name[:-4]) == (len(data), binascii.crc32(data))

    def carved(self, header: Header, data: bytes, is_ended: bool) -> None:
        """A log that was pieced together. It goes to quarantine, unless the archive has those bytes."""
        who = header.device, header.session
        done = Rescued("", len(data), "quarantined", session_id(*who))
        how_far = "complete" if is_ended else "without its end"
        done.why = f"It was pieced together from the blocks of a damaged file system, {how_far}."
        with suppress(DamagedData):
            if self._raw.exists(*who, header.generation) and self._raw.read(*who, header.generation).startswith(data):
                return
            summarize_log(data, *who, header.generation)
            self._found.device = self._found.device or header.device
        done.why += f" It is kept in {self._raw.quarantine(*who, data, done.why, header.generation)}."
        self._found.sessions.append(done)

    def _archive(self, done: Rescued, summary: LogSummary, data: bytes) -> None:
        device, _, _ = summary.key
        is_archived = self._raw.exists(*summary.key) and self._raw.read(*summary.key).startswith(data)
        try:
            with device_lock(self._raw.data_dir, device, self._found.source):
                row = self._store.add_log(archive_log(self._store, summary, data))
        except DamagedData as conflict:
            done.outcome, done.why = "quarantined", str(conflict)
        else:
            done.session = row.name
            if is_archived and done.outcome == "rescued":
                done.outcome = "had"


def _restart(port: str, found: Rescue) -> None:
    """Start the board's app; `found.app` and `found.problem` say whether it runs."""
    try:
        with DeviceClient(SerialPort(port)) as board:
            board.soft_reset()
            hello = board.hello(START_S)
    except NoApp as error:
        known = {"board": found.board} if found.board else {}
        found.problem = AppNotStarted(f"{error.found} The rescued sessions are safe.", port=port, **known)
        found.app = str(found.problem)
    except RetrostepError as error:
        # The board is gone. Its logs are here.
        found.problem = error
        found.app = str(error)
    else:
        found.app = "runs"
        found.device, found.board = hello.device, hello.board
