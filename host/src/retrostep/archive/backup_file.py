"""A backup of a store in one file: a ZIP archive with the journal, the raw logs, the quarantine, and a checksum of all of it.

entries.jsonl                           the lines of the event journal
logs/DEVICE/GGGGGGGG/NNNNNNNN.rsl       the raw logs, byte for byte; GGGGGGGG is the generation in hex
quarantine/NAME, quarantine/NAME.why    what is kept in quarantine, and why
backup.json                             the format, how much there is, and the SHA-256 of it (contents.Sum)
"""

import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from retrostep.archive.contents import Contents, Sum, sum_of
from retrostep.archive.durable_files import (
    file_errors,
    fsync_file,
    private_opener,
    refuse_missing_folder,
    remove_temporary_backups,
    temporary_backup,
)
from retrostep.archive.identifiers import device_name, generation_name, session_number
from retrostep.archive.moments import now_ms
from retrostep.archive.raw_logs import RawLog, log_file_name
from retrostep.archive.tables import Progress
from retrostep.errors import BadBackup, FileExists, RetrostepError, UnsafeName

FORMAT = 1
MAX_PIECE_BYTES = 1 << 26
"""Longest log or journal line that is accepted. The log of a whole day has less than a hundredth."""

_MAX_JOURNAL_BYTES = 1 << 29
"""A thousand athletes enter less in ten years. It is written to a data folder from memory."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of other methods, a few bytes are unpacked to gigabytes at once."""

_JOURNAL, _SUMMARY = "entries.jsonl", "backup.json"
_LOG = re.compile(r"logs/([^/]+)/([0-9a-f]{8})/([0-9]{8,10})\.rsl")
_QUARANTINE = re.compile(r"quarantine/([A-Za-z0-9_-][A-Za-z0-9._-]{0,150})")
_WHY = ".why"


def refuse_place(path: Path) -> None:
    """Raise FileExists where `path` exists, RetrostepError where its folder does not, before anything is read for a backup."""
    with file_errors(path):
        if os.path.lexists(path):
            raise FileExists(f"{path} exists already: choose another name for the backup.")
        refuse_missing_folder(path.parent)


def write_backup(path: Path, contents: Contents) -> Sum:
    """Write `contents` to the new file `path`, and read it again. It is on the disk when this returns. Raises FileExists, BadBackup."""
    refuse_place(path)
    remove_temporary_backups(path.parent)
    new = temporary_backup(path)
    done = Sum()
    with file_errors(path):
        try:
            _write(new, contents, done)
            if checked_sum(new).sha256 != done.sha256:
                raise BadBackup(f"{path} could not be read as it was written: check its disk, or choose another one.")
            os.replace(new, path)
            fsync_file(path)
        finally:
            new.unlink(missing_ok=True)
    return done


def checked_sum(path: Path) -> Sum:
    """Read a backup completely, and return how much it holds. Raises BadBackup where a part is damaged, missing or foreign."""
    version, expected = _summary(path)
    if version != FORMAT:
        raise BadBackup(f"A newer version of Retrostep wrote the backup {path}: update this one.")
    found = sum_of(contents_in(path))
    if (found.entries, found.logs, found.quarantined, found.sha256) != expected:
        raise _bad(path)
    return found


def contents_in(path: Path, progress: Progress | None = None, total: int = 0) -> Contents:
    """The contents of a backup, read on demand. `progress` gets (done, total) logs. Reading raises BadBackup."""
    return Contents(_lines(path), _logs(path, progress, total), _in_quarantine(path))


def _write(path: Path, contents: Contents, done: Sum) -> None:
    """Write everything to the new file `path`, and add it to `done`. The directory of the archive leaves memory at the end."""
    with open(path, "wb", opener=private_opener) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            _write_parts(archive, done.adding(contents))
            facts = {"entries": done.entries, "logs": done.logs, "quarantined": done.quarantined, "sha256": done.sha256}
            archive.writestr(_SUMMARY, json.dumps({"retrostep_backup": FORMAT, "made_at_ms": now_ms(), **facts}))
        file.flush()
        os.fsync(file.fileno())


def _summary(path: Path) -> tuple[Any, tuple[Any, ...]]:
    """The format of a backup, and how much it should hold with which checksum."""
    with _opened(path) as archive:
        try:
            facts = json.loads(_bytes(archive, _SUMMARY))
            return facts["retrostep_backup"], (facts["entries"], facts["logs"], facts["quarantined"], facts["sha256"])
        except (ValueError, KeyError, TypeError):
            raise _bad(path) from None


def _write_parts(archive: zipfile.ZipFile, contents: Contents) -> None:
    with archive.open(_JOURNAL, "w", force_zip64=True) as journal:
        for line in contents.lines:
            journal.write(line)
    for log in contents.logs:
        name = f"logs/{log.device}/{generation_name(log.generation)}/{log_file_name(log.session)}"
        archive.writestr(name, log.data or b"")
    for name, data, reason in contents.quarantine:
        archive.writestr(f"quarantine/{name}", data)
        archive.writestr(f"quarantine/{name}{_WHY}", reason.encode("utf-8", "backslashreplace"))


def _lines(path: Path) -> Iterator[bytes]:
    with _opened(path) as archive, archive.open(_JOURNAL) as journal:
        while line := journal.readline(MAX_PIECE_BYTES):
            if not line.endswith(b"\n"):
                raise _bad(path)
            yield line


def _logs(path: Path, progress: Progress | None, total: int) -> Iterator[RawLog]:
    last: tuple[str, int, int] = "", -1, -1
    done = 0
    with _opened(path) as archive:
        for name in archive.namelist():
            if (found := _LOG.fullmatch(name)) is None:
                if name not in (_JOURNAL, _SUMMARY) and _QUARANTINE.fullmatch(name) is None:
                    raise _bad(path)
                continue
            key = device_name(found[1]), int(found[2], 16), session_number(int(found[3]))
            if key <= last:  # the same log again
                raise _bad(path)
            last = key
            yield RawLog(key[0], key[2], Path(name).parent, key[1], _bytes(archive, name), now_ms())
            done += 1
            if progress is not None:
                progress(done, max(done, total))


def _in_quarantine(path: Path) -> Iterator[tuple[str, bytes, str]]:
    with _opened(path) as archive:
        names = [found[1] for name in archive.namelist() if (found := _QUARANTINE.fullmatch(name)) is not None]
        if len(set(names)) != len(names):
            raise _bad(path)
        for name in names:
            if not name.endswith(_WHY):
                yield name, _bytes(archive, f"quarantine/{name}"), _bytes(archive, f"quarantine/{name}{_WHY}").decode("utf-8")


def _bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(MAX_PIECE_BYTES)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive at `path`. Raises BadBackup, also where a part that is read in the block is damaged."""
    with file_errors(path):
        if not path.is_file():
            raise RetrostepError(f"{path} is not a file: check the path." if path.exists() else f"There is no file {path}: check the path.")
        try:
            with closing(zipfile.ZipFile(path)) as archive:
                for part in archive.infolist():
                    most = _MAX_JOURNAL_BYTES if part.filename == _JOURNAL else MAX_PIECE_BYTES
                    if part.file_size > most or part.compress_type not in _METHODS:
                        raise ValueError("not a part of a backup")
                yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, NotImplementedError, RuntimeError, UnsafeName) as error:
            raise _bad(path) from error


def _bad(path: Path) -> BadBackup:
    return BadBackup(f"{path} is not a complete backup of a store, or was changed since: nothing was restored. Use another copy of it.")
