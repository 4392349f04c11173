"""The entries of a folder, one after the other. Imported only at the start, and while old logs move."""

import os

from retrostep_core.constants import const

FOLDER = const(0x4000)


def entries(path: str) -> object:
    """(name, kind, inode, bytes) of each entry of the folder `path`; OSError where it cannot be read."""
    if hasattr(os, "ilistdir"):
        return os.ilistdir(path)
    # CPython, for the host's tests.
    return [(e.name, FOLDER if e.is_dir() else 0, 0, e.stat().st_size) for e in sorted(os.scandir(path), key=lambda e: e.name)]
