"""Session logs as the devices wrote them: archived byte for byte, never overwritten, never dropped."""

import binascii
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from retrostep.archive.disk import explained, make_folder, sync_folder, write_whole
from retrostep.archive.home import Home
from retrostep.archive.names import device_name, life_name, session_id, session_number
from retrostep.errors import DamagedData, UnsafeName

_LOG = re.compile(r"([0-9]{8,10})\.rsl")
_LIFE = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class RawLog:
    """One archived log: whose it is and where it lies."""

    device: str
    session: int
    path: Path
    life: int = 0


class Partial:
    """What has come of a log so far; it outlives the process, so that a transfer goes on where it was cut.

    Use it as a context manager, or call `close`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path.parent)
        with explained(path):
            self._file = open(path, "a+b")  # noqa: SIM115 - it is closed by close()
        self.offset = self._file.seek(0, os.SEEK_END)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Add `data` at `offset`; on disk when this returns, though not yet safe from a power cut. Raises DiskFull."""
        with explained(self.path):
            self._file.write(data)
            self._file.flush()
        self.offset += len(data)

    def data(self) -> bytes:
        """All that has come so far."""
        with explained(self.path):
            self._file.seek(0)
            return self._file.read()

    def discard(self) -> None:
        """Forget what has come: the transfer is complete and archived, or must start afresh."""
        self._file.close()
        with explained(self.path):
            self.path.unlink(missing_ok=True)
        self.offset = 0

    def close(self) -> None:
        """Let go of the file and keep it."""
        with explained(self.path):
            self._file.close()

    def __enter__(self) -> "Partial":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class RawLogs:
    """The archive of raw logs under a Home. Device names and session numbers are checked before they become a path (UnsafeName)."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def path(self, device: str, session: int, life: int = 0) -> Path:
        """Where the log of `session` of `device` is archived."""
        return _folder(self.home.logs, device, life) / f"{session_number(session):08d}.rsl"

    def partial(self, device: str, session: int, life: int = 0) -> Partial:
        """What has come of a log so far, to go on with."""
        return Partial(_folder(self.home.incoming, device, life) / f"{session_number(session):08d}.part")

    def commit(self, device: str, session: int, data: bytes, life: int = 0) -> Path:
        """Archive a whole log; file and folder are on the disk for good when this returns.

        A log that has grown replaces the beginning of itself. Bytes that contradict the archived ones are quarantined, the archive
        stays as it was, and DamagedData says where they went. Raises DiskFull, NoAccess, UnsafeName.
        """
        path = self.path(device, session, life)
        with explained(path):
            held = path.read_bytes() if path.exists() else None
        if held is not None and held[: len(data)] == data:
            # Archived before, perhaps by a process that was killed before it could sync the folder.
            with explained(path):
                sync_folder(path.parent)
            return path
        if held is not None and data[: len(held)] != held:
            kept = self.quarantine(device, session, data, "another log of the same device and session is archived already", life)
            raise DamagedData(
                f"Session {session_id(device, session)} differs from the one archived before; both are kept, the new one in {kept}. "
                "If the board was erased in between, that is expected."
            )
        write_whole(path, data)
        return path

    def replace(self, device: str, session: int, data: bytes, why: str, life: int = 0) -> Path:
        """Archive `data` in place of what is archived, which goes to quarantine first, with the reason; return where that is."""
        path = self.path(device, session, life)
        aside = self.quarantine(device, session, self.read(device, session, life), why, life)
        write_whole(path, data)
        return aside

    def has(self, device: str, session: int, length: int, crc: int, life: int = 0) -> bool:
        """Whether the `length` bytes with CRC-32 `crc` of that session are kept here, archived or quarantined."""
        path = self.path(device, session, life)
        return self._holds(path, length, crc) or self._holds(self._quarantined(device, session, crc, life), length, crc)

    def quarantine(self, device: str, session: int, data: bytes, why: str, life: int = 0) -> Path:
        """Keep `data` aside with a file that says why; return where. Names that are no names are left out of the path."""
        path = self._quarantined(device, session, binascii.crc32(data), life)
        if not self._holds(path, len(data), binascii.crc32(data)):
            when = datetime.now(UTC).isoformat(timespec="seconds")
            reason = f"device: {ascii(device[:80])}\nsession: {session}\nreceived: {when}\nlength: {len(data)}\nwhy: {why}\n"
            write_whole(path, data)
            write_whole(path.with_suffix(".txt"), reason.encode("utf-8", "backslashreplace"))
        return path

    def copies(self, device: str, session: int) -> list[Path]:
        """Every log that came under that number, in whatever life of the device: the archived ones, then those in quarantine."""
        device, number = device_name(device), f"{session_number(session):08d}"
        with explained(self.home.path):
            archived = [*self.home.logs.glob(f"{device}/{number}.rsl"), *self.home.logs.glob(f"{device}/*/{number}.rsl")]
            aside = [*self.home.quarantine.glob(f"{device}-{number}-*.rsl"), *self.home.quarantine.glob(f"{device}-*-{number}-*.rsl")]
            return [*sorted(archived), *sorted(aside)]

    def quarantined(self) -> list[Path]:
        """Every quarantined log, oldest name first; its reason lies beside it as .txt."""
        with explained(self.home.quarantine):
            return sorted(self.home.quarantine.glob("*.rsl"))

    def all(self) -> Iterator[RawLog]:
        """Every archived log, by device, life and session. Files that no RawLogs put there are passed over."""
        with explained(self.home.logs):
            folders = sorted(self.home.logs.iterdir()) if self.home.logs.is_dir() else []
            for folder in folders:
                try:
                    device = device_name(folder.name)
                except UnsafeName:
                    continue
                yield from self.of(device)

    def of(self, device: str) -> Iterator[RawLog]:
        """Every archived log of one device, by life and session."""
        folder = self.home.logs / device_name(device)
        with explained(folder):
            if folder.is_dir():
                yield from self._logs_in(folder, device, 0)
                for inner in sorted(folder.iterdir()):
                    if _LIFE.fullmatch(inner.name) and inner.is_dir() and int(inner.name, 16):
                        yield from self._logs_in(inner, device, int(inner.name, 16))

    def read(self, device: str, session: int, life: int = 0) -> bytes:
        """The archived bytes of a log. Raises NoAccess, RetrostepError when it is not there."""
        path = self.path(device, session, life)
        with explained(path):
            return path.read_bytes()

    def _logs_in(self, folder: Path, device: str, life: int) -> Iterator[RawLog]:
        for path in sorted(folder.iterdir()):
            match = _LOG.fullmatch(path.name)
            if match and path == folder / f"{int(match[1]):08d}.rsl":
                yield RawLog(device, int(match[1]), path, life)

    def _quarantined(self, device: str, session: int, crc: int, life: int) -> Path:
        try:
            name = _stem(device, session, life)
        except UnsafeName:
            name = "unnamed"
        return self.home.quarantine / f"{name}-{crc:08x}.rsl"

    @staticmethod
    def _holds(path: Path, length: int, crc: int) -> bool:
        with explained(path):
            if not path.is_file() or path.stat().st_size < length:
                return False
            with open(path, "rb") as file:
                return binascii.crc32(file.read(length)) == crc


def _folder(under: Path, device: str, life: int) -> Path:
    """Where what comes of one life of a device lies; life 0 is that of logs that tell none."""
    return under / device_name(device) / life_name(life) if life else under / device_name(device)


def _stem(device: str, session: int, life: int) -> str:
    """How the names of a session's logs in quarantine begin."""
    return f"{device_name(device)}-{f'{life_name(life)}-' if life else ''}{session_number(session):08d}"
