"""Raw logs: session logs byte for byte as the devices wrote them. A log is never overwritten by another one and never deleted."""

import binascii
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from retrostep.archive.data_dir import DataDir
from retrostep.archive.durable_files import file_errors, fsync_file, make_folder, private_opener, remove_temporary, write_atomically
from retrostep.archive.identifiers import device_name, generation_name, session_id, session_number
from retrostep.errors import DamagedData, UnsafeName

OTHER_LOG = "another log of the same device and session is archived already"

_LOG = re.compile(r"([0-9]{8,10})\.rsl")
_QUARANTINED = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}")
_GENERATION = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class RawLog:
    """One archived log: its device, session number and generation, and the folder of its file. A log in a database comes with its bytes."""

    device: str
    session: int
    folder: Path
    generation: int = 0
    data: bytes | None = None
    written_ms: int = 0

    @property
    def path(self) -> Path:
        """The file of the log."""
        return self.folder / log_file_name(self.session)


@dataclass(frozen=True)
class LogFolder:
    """The folder with the logs of one generation of a device; `mtime_ns` is its time, which changes with the names in it."""

    device: str
    generation: int
    path: Path
    mtime_ns: int


class PartialLog:
    """The received beginning of a log. It outlives the process, so that a transfer resumes where it was cut.

    Use it as a context manager, or call `close`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path.parent)
        with file_errors(path):
            self._file = open(path, "a+b", opener=private_opener)  # noqa: SIM115 - closed by close()
        self.offset = self._file.seek(0, os.SEEK_END)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Add `data` at `offset`. It survives this process, though not a power cut. Raises DiskFull."""
        with file_errors(self.path):
            self._file.write(data)
            self._file.flush()
        self.offset += len(data)

    def data(self) -> bytes:
        """All that was received so far."""
        with file_errors(self.path):
            self._file.seek(0)
            return self._file.read()

    def discard(self) -> None:
        """Delete the file: the log is archived, or it must be read from its beginning."""
        self._file.close()
        with file_errors(self.path):
            self.path.unlink(missing_ok=True)
        self.offset = 0

    def close(self) -> None:
        """Close the file and keep it."""
        with file_errors(self.path):
            self._file.close()

    def __enter__(self) -> "PartialLog":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class RawLogs:
    """The raw logs in a data folder. Device names and session numbers are checked before they become a path (UnsafeName)."""

    def __init__(self, data_dir: DataDir) -> None:
        self.data_dir = data_dir
        self.logs_folder, self.quarantine_folder = data_dir.logs, data_dir.quarantine

    def path(self, device: str, session: int, generation: int = 0) -> Path:
        """The file of an archived log; it need not exist."""
        return _folder(self.logs_folder, device, generation) / log_file_name(session_number(session))

    def exists(self, device: str, session: int, generation: int = 0) -> bool:
        """Whether that log is archived. A pipe, a device or a folder in its place is not a log."""
        path = self.path(device, session, generation)
        with file_errors(path):
            return path.is_file()

    def size_of(self, path: Path) -> int | None:
        """The size of a kept log, archived or in quarantine; None where there is no file."""
        with file_errors(path):
            return path.stat().st_size if path.is_file() else None

    def load(self, path: Path) -> bytes:
        """The bytes of a kept log, archived or in quarantine."""
        with file_errors(path):
            return path.read_bytes()

    def partial(self, device: str, session: int, generation: int = 0) -> PartialLog:
        """The received beginning of a log, empty where there is none; to be continued."""
        path = _folder(self.data_dir.incoming, device, generation) / f"{session_number(session):08d}.part"
        self._set_other_things_aside(path)
        return PartialLog(path)

    def commit(self, device: str, session: int, data: bytes, generation: int = 0) -> Path:
        """Archive a log; its file and its folder are on the disk when this returns.

        A longer log replaces its own beginning. Where the bytes contradict the archived ones, they go to quarantine, the archive stays
        as it is, and DamagedData is raised. Raises DiskFull, NoAccess, UnsafeName too.
        """
        path = self.path(device, session, generation)
        self._set_other_things_aside(path)
        with file_errors(path):
            archived = path.read_bytes() if path.exists() else None
        if archived is not None and archived[: len(data)] == data:
            self.make_durable(path)
            return path
        if archived is not None and data[: len(archived)] != archived:
            raise other_log(device, session, self.quarantine(device, session, data, OTHER_LOG, generation))
        write_atomically(path, data)
        return path

    def _set_other_things_aside(self, path: Path) -> None:
        """Move what is in the place of a log and is no file to quarantine: a pipe would be waited for, a folder cannot be replaced."""
        with file_errors(path):
            if os.path.lexists(path) and not path.is_file():
                path.rename(make_folder(self.data_dir.quarantine) / f"{path.name}.{time.time_ns()}")

    def fill(self, logs: Iterable[RawLog]) -> None:
        """Write logs, which come with their bytes, into an empty archive."""
        for log in logs:
            assert log.data is not None
            self.commit(log.device, log.session, log.data, log.generation)

    def make_durable(self, path: Path) -> None:
        """Write a kept log and its folder to the disk: a program may have been killed between writing the file and syncing it."""
        with file_errors(path):
            fsync_file(path)

    def replace(self, device: str, session: int, data: bytes, why: str, generation: int = 0) -> Path:
        """Archive `data` in place of the archived log, which goes to quarantine first with the reason `why`. Return its file there."""
        path = self.path(device, session, generation)
        aside = self.quarantine(device, session, self.read(device, session, generation), why, generation)
        write_atomically(path, data)
        return aside

    def quarantine(self, device: str, session: int, data: bytes, why: str, generation: int = 0) -> Path:
        """Keep `data` in quarantine, beside a .txt file with the reason. Return its file. Unsafe names are left out of the path."""
        path = self.quarantine_path(device, session, binascii.crc32(data), generation)
        with file_errors(path):
            is_kept = path.is_file() and path.read_bytes() == data
        if not is_kept:
            self.put_in_quarantine(path.name, data, quarantine_reason(device, session, data, why))
        return path

    def put_in_quarantine(self, name: str, data: bytes, reason: str) -> None:
        """Write a file and, where there is one, its reason to quarantine."""
        path = self.quarantine_folder / name
        write_atomically(path, data)
        if reason:
            write_atomically(path.with_suffix(".txt"), reason.encode("utf-8", "backslashreplace"))

    def quarantine_path(self, device: str, session: int, crc: int, generation: int = 0) -> Path:
        """Where a log with that CRC-32 is kept in quarantine. Any device name is accepted; an unsafe one is not in the path."""
        try:
            middle = f"{generation_name(generation)}-" if generation else ""
            name = f"{device_name(device)}-{middle}{session_number(session):08d}"
        except UnsafeName:
            name = "unnamed"
        return self.quarantine_folder / f"{name}-{crc:08x}.rsl"

    def finished_parts(self, device: str = "") -> list[Path]:
        """Received beginnings of logs (of `device`, or of all) that are archived: a program was killed before it removed them."""
        found = []
        root = self.data_dir.incoming
        with file_errors(root):
            for part in sorted((root / device).rglob("*.part")):
                log = self.logs_folder / part.relative_to(root).with_suffix(".rsl")
                if part.is_file() and self.size_of(log) is not None and self.load(log).startswith(part.read_bytes()):
                    found.append(part)
        return found

    def remove_leftovers(self, device: str) -> None:
        """Remove what killed programs left of `device`: temporary files, and beginnings of logs that are archived completely.

        Call it while no other program receives logs of that device.
        """
        self._remove_temporary(device)
        for part in self.finished_parts(device_name(device)):
            with file_errors(part):
                part.unlink(missing_ok=True)

    def _remove_temporary(self, device: str) -> None:
        for folder in self.folders_of(device):
            remove_temporary(folder.path)

    def copies(self, device: str, session: int) -> list[Path]:
        """Every log with that session number, of any generation of the device: the archived ones, then those in quarantine."""
        device, number = device_name(device), f"{session_number(session):08d}"
        logs, quarantine = self.data_dir.logs, self.data_dir.quarantine
        with file_errors(self.data_dir.path):
            archived = [*logs.glob(f"{device}/{number}.rsl"), *logs.glob(f"{device}/*/{number}.rsl")]
            aside = [*quarantine.glob(f"{device}-{number}-*.rsl"), *quarantine.glob(f"{device}-*-{number}-*.rsl")]
            return [*sorted(archived), *sorted(aside)]

    def quarantined(self) -> list[Path]:
        """Every log in quarantine, by name; its reason is beside it as .txt."""
        with file_errors(self.data_dir.quarantine):
            return sorted(self.data_dir.quarantine.glob("*.rsl"))

    def strangers(self) -> Iterator[Path]:
        """Files among the logs that are not named like a log."""
        known = {folder.path for folder in self.folders()}
        root = self.logs_folder
        for path in _below(root):
            if path not in known and not (path.parent in known and log_number(path.name) is not None):
                yield path

    def in_quarantine(self) -> Iterator[tuple[str, bytes, str]]:
        """Every file that was put in quarantine, as (name, bytes, reason), by name. Old stores, which are derived, are left out."""
        root = self.quarantine_folder
        with file_errors(root):
            paths = sorted(path for path in root.iterdir() if path.is_file()) if root.is_dir() else []
            names = {path.name for path in paths}
            for path in paths:
                is_reason = path.suffix == ".txt" and f"{path.stem}.rsl" in names
                if is_reason or ".sqlite" in path.name or _QUARANTINED.fullmatch(path.name) is None:
                    continue
                reason = path.with_suffix(".txt")
                yield path.name, path.read_bytes(), reason.read_text("utf-8", "replace") if reason.name in names - {path.name} else ""

    def count(self) -> int:
        """How many logs are archived."""
        return sum(len(_numbers(folder.path)) for folder in self.folders())

    def folders(self) -> Iterator[LogFolder]:
        """Every folder of logs, by device and generation. Other files and folders are ignored."""
        with file_errors(self.data_dir.logs):
            devices = sorted(entry.name for entry in _entries(self.data_dir.logs) if entry.is_dir())
        for device in devices:
            with suppress(UnsafeName):
                yield from self.folders_of(device_name(device))

    def folders_of(self, device: str) -> Iterator[LogFolder]:
        """Every folder of logs of one device, by generation."""
        folder = self.data_dir.logs / device_name(device)
        with file_errors(folder):
            if not folder.is_dir():
                return
            inner = [
                entry.name for entry in _entries(folder) if _GENERATION.fullmatch(entry.name) and int(entry.name, 16) and entry.is_dir()
            ]
            yield LogFolder(device, 0, folder, folder.stat().st_mtime_ns)
            for name in sorted(inner):
                yield LogFolder(device, int(name, 16), folder / name, (folder / name).stat().st_mtime_ns)

    def sizes(self, folder: LogFolder) -> list[tuple[int, int]]:
        """Number and size of every log in `folder`, by number. 0 for a link that leads nowhere."""
        with file_errors(folder.path):
            return sorted((number, _size(entry)) for entry in _entries(folder.path) if (number := log_number(entry.name)) is not None)

    def all(self) -> Iterator[RawLog]:
        """Every archived log, by device, generation and session. Other files are ignored."""
        for folder in self.folders():
            yield from self._logs_in(folder)

    def of(self, device: str) -> Iterator[RawLog]:
        """Every archived log of one device, by generation and session."""
        for folder in self.folders_of(device):
            yield from self._logs_in(folder)

    def read(self, device: str, session: int, generation: int = 0) -> bytes:
        """The bytes of an archived log. Raises NoAccess, or RetrostepError where it is not archived."""
        path = self.path(device, session, generation)
        with file_errors(path):
            return path.read_bytes()

    def archived(self, device: str, session: int, generation: int = 0) -> bytes:
        """The bytes of an archived log; empty where it is not archived. Raises NoAccess."""
        return self.read(device, session, generation) if self.exists(device, session, generation) else b""

    def together(self) -> AbstractContextManager[object]:
        """A block in which a log is archived and its receipt entered. Files and the journal are written one after the other."""
        return nullcontext()

    def _logs_in(self, folder: LogFolder) -> Iterator[RawLog]:
        for number in sorted(_numbers(folder.path)):
            yield RawLog(folder.device, number, folder.path, folder.generation)


def other_log(device: str, session: int, kept: Path) -> DamagedData:
    """The error for a log that contradicts the archived one; it is `kept` in quarantine."""
    return DamagedData(
        f"Session {session_id(device, session)} differs from the one archived before; both are kept, the new one in {kept}. "
        "If the board was erased in between, that is expected."
    )


def quarantine_reason(device: str, session: int, data: bytes, why: str) -> str:
    """What is written beside a log in quarantine."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return f"device: {ascii(device[:80])}\nsession: {session}\nreceived: {when}\nlength: {len(data)}\nwhy: {why}\n"


def log_file_name(session: int) -> str:
    """The name of a log's file: the session's number with eight digits, `.rsl`."""
    return f"{session:08d}.rsl"


def log_number(name: str) -> int | None:
    """The session's number in a log's file name; None where it is no such name."""
    match = _LOG.fullmatch(name)
    number = int(match[1]) if match else 0
    return number if number and log_file_name(number) == name else None


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return list(entries)


def _below(folder: Path) -> Iterator[Path]:
    """Everything in a folder and the folders in it, in order. Folders that cannot be read are left out, links are not followed."""
    try:
        entries = sorted(_entries(folder), key=lambda entry: entry.name)
    except PermissionError:
        return
    for entry in entries:
        yield folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _below(folder / entry.name)


def _numbers(folder: Path) -> list[int]:
    """The numbers of the logs in a folder, in any order."""
    with file_errors(folder):
        return [number for entry in _entries(folder) if (number := log_number(entry.name)) is not None]


def _size(entry: "os.DirEntry[str]") -> int:
    return 0 if entry.is_symlink() and not os.path.exists(entry.path) else entry.stat().st_size


def _folder(parent: Path, device: str, generation: int) -> Path:
    """The folder of one generation of a device. Logs without a generation (0) are in the device's folder itself."""
    return parent / device_name(device) / generation_name(generation) if generation else parent / device_name(device)
