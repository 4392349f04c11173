"""Files that survive a power cut, and the errors of the file system as errors of Retrostep."""

import errno
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from retrostep.errors import DiskFull, NoAccess, RetrostepError

if TYPE_CHECKING:
    from filelock import FileLock

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_ACCESS = {errno.EACCES, errno.EPERM, errno.EROFS}
_LOCK_POLL_S = 0.01
_TEMPORARY = ".new"
_TEMPORARY_NAME = re.compile(r"\..+\.([0-9]+)\.new")
_TEMPORARY_FOLDER = re.compile(r"\.restoring\.([0-9]+)\.new")
_TEMPORARY_BACKUP = ".retrostep-backup."


def disk_full(path: Path) -> DiskFull:
    """The error for a disk that has no room left for `path`."""
    cure = "free some space and run this again"
    return DiskFull(f"No room left for {path}: {cure}. What was archived is safe, and the device keeps the rest.")


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn an OSError about `path` into DiskFull, NoAccess or RetrostepError."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise disk_full(path) from error
        if error.errno in _NO_ACCESS:
            raise NoAccess(
                f"{path} cannot be read or written: change its permissions, or choose another folder (RETROSTEP_HOME for the data)."
            ) from error
        refuse_missing_folder(path.parent)
        raise RetrostepError(f"{path}: {error.strerror or error}. Check the disk, then run this again.") from error


def refuse_missing_folder(folder: Path) -> None:
    """Raise RetrostepError where `folder` is no folder, with the part of its path that is missing or something else."""
    with suppress(OSError):  # this user may not search a folder: the caller's own error is clearer
        first = next((part for part in (*reversed(folder.parents), folder) if not part.is_dir()), None)
        if first is not None and os.path.lexists(first):
            raise RetrostepError(f"{first} is not a folder: check the path.")
        if first is not None:
            raise RetrostepError(f"There is no folder {first}: create it first, or check the path.")


def make_folder(path: Path) -> Path:
    """Create `path` and its parents where they are missing, safe from a power cut and closed to other users. Return it."""
    if path.is_dir():
        return path
    make_folder(path.parent)
    with file_errors(path):
        with suppress(FileExistsError):
            path.mkdir(0o700)
            path.chmod(0o700)  # whatever the umask is
        fsync_folder(path.parent)
    return path


def private_opener(path: str, flags: int) -> int:
    """For `open(..., opener=private_opener)`: the file is open to this user and closed to others, whatever the umask is."""
    handle = os.open(path, flags, 0o600)
    make_handle_private(handle)
    return handle


def make_handle_private(handle: int) -> None:
    """Give an open file that belongs to this user the mode 0600. Windows keeps the files of a user private by itself."""
    change_mode = getattr(os, "fchmod", None)
    if change_mode is None:
        return
    facts = os.fstat(handle)
    if stat.S_ISREG(facts.st_mode) and facts.st_uid == user_id() and stat.S_IMODE(facts.st_mode) != 0o600:
        change_mode(handle, 0o600)


def user_id() -> int | None:
    """The id of this user; None on Windows, which has none."""
    effective = getattr(os, "geteuid", None)
    return None if effective is None else int(effective())


def make_private(path: Path) -> None:
    """Create the empty file `path`, closed to other users, where it is missing."""
    with file_errors(path):
        open(path, "ab", opener=private_opener).close()


def fsync_folder(path: Path) -> None:
    """Write the entries of folder `path` to the disk. Windows has no such call: NTFS writes them to its own journal."""
    directory = getattr(os, "O_DIRECTORY", None)
    if directory is None:
        return
    handle = os.open(path, os.O_RDONLY | directory)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_file(path: Path) -> None:
    """Write the bytes of an existing file, and its name in its folder, to the disk."""
    with open(path, "r+b" if os.name == "nt" else "rb") as file:
        os.fsync(file.fileno())
    fsync_folder(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Write `path`. After a power cut it holds all of `data`, or what it held before. Raises DiskFull, NoAccess."""
    make_folder(path.parent)
    new = path.with_name(f".{path.name}.{os.getpid()}{_TEMPORARY}")
    with file_errors(path):
        try:
            with open(new, "wb", opener=private_opener) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)


def is_temporary(path: Path) -> bool:
    """Whether `write_atomically` gave the file that name, and the program that did has ended without renaming it."""
    match = _TEMPORARY_NAME.fullmatch(path.name)
    return match is not None and not path.is_dir() and not _is_running(int(match[1]))


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """A new folder in `folder`, which is removed at the end, or by `remove_temporary` where this program is killed."""
    path = folder / f".restoring.{os.getpid()}{_TEMPORARY}"
    remove_temporary(folder)
    make_folder(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def temporary_backup(path: Path) -> Path:
    """The name under which a backup is written. It may be in any folder: a leftover must not be confused with other files."""
    return path.with_name(f"{_TEMPORARY_BACKUP}{path.name}.{os.getpid()}{_TEMPORARY}")


def remove_temporary_backups(folder: Path) -> None:
    """Remove the unfinished backups that killed programs left in `folder`."""
    with file_errors(folder):
        for path in folder.glob(f"{_TEMPORARY_BACKUP}*{_TEMPORARY}"):
            if is_temporary(path):
                path.unlink(missing_ok=True)


def remove_temporary(folder: Path) -> None:
    """Remove the files and folders that killed programs left in `folder`."""
    with file_errors(folder):
        for path in folder.glob(f".*{_TEMPORARY}") if folder.is_dir() else ():
            if is_temporary(path):
                path.unlink(missing_ok=True)
            elif (match := _TEMPORARY_FOLDER.fullmatch(path.name)) and not path.is_symlink() and not _is_running(int(match[1])):
                shutil.rmtree(path, ignore_errors=True)


def _is_running(process: int) -> bool:
    """Whether a process with that number runs. On Windows, where asking would end it, every one counts as running."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def refuse_other_kinds(path: Path) -> None:
    """Raise RetrostepError where a link, a folder, a pipe or a device is in the place of the file `path`. Nothing is opened."""
    with file_errors(path):
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            raise RetrostepError(f"{path} is not a regular file: move it away, then run this again.")


def acquire_lock(path: Path, wait_s: float) -> "FileLock | None":
    """Acquire the lock file `path` for this thread; None where another thread or program holds it for longer than `wait_s`.

    The operating system frees the lock when the process ends. The file stays. RetrostepError where something else is in its place: a link
    is not followed.
    """
    from filelock import FileLock, Timeout  # imports asyncio, which commands that only read need not wait for

    refuse_other_kinds(path)
    lock = FileLock(path, timeout=wait_s, poll_interval=_LOCK_POLL_S, mode=0o600)
    with file_errors(path):
        try:
            lock.acquire()
        except Timeout:
            return None
        if path.stat().st_mode & 0o777 != 0o600 and os.name != "nt":
            path.chmod(0o600)  # the umask may have taken permissions of this user
    return lock
