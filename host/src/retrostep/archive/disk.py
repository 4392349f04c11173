"""Writing that survives a power cut, and what the operating system says when it cannot write."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrostep.errors import DiskFull, NoAccess, RetrostepError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError about `path` into one sentence with the cure."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(
                f"No room left for {path}: free some space and run this again. What was archived is safe, and the device keeps the rest."
            ) from error
        if error.errno in _FORBIDDEN:
            raise NoAccess(
                f"{path} may not be accessed: give yourself access to it, or choose another folder with RETROSTEP_HOME."
            ) from error
        raise RetrostepError(f"{path}: {error.strerror or error}. Check the disk, then run this again.") from error


def make_folder(path: Path) -> Path:
    """Make `path` and what lies above it, so that their entries survive a power cut; return it."""
    if path.is_dir():
        return path
    make_folder(path.parent)
    with explained(path):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)
    return path


def sync_folder(path: Path) -> None:
    """Make the entries of folder `path` survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes) -> None:
    """Write `path` so that after a power cut it holds all of `data` or what it held before. Raises DiskFull, NoAccess."""
    make_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with explained(path):
        try:
            with open(fresh, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
