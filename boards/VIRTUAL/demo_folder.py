#!/usr/bin/env python3
"""The demo's folder. It is emptied only while it holds nothing that somebody added.

    demo_folder.py --remove FOLDER    what `make clean` does; needs no packages
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

LOCK = "demo.lock"
CONTENTS = "demo.json"
"""Lists the files that the demo made, with the SHA-256 of those in its archive."""
ARCHIVE = "data"


class FolderError(Exception):
    """The folder cannot be used; the message is one sentence that says why and what to do."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two demos never share it. Raises FolderError while another demo runs there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FolderError(f"The demo already runs in {folder}: wait until it ends, or stop it with Ctrl-C.") from None
        yield


def added(folder: Path) -> list[Path]:
    """Files in the folder that the demo did not make, and files of its archive that changed since."""
    try:
        known = json.loads((folder / CONTENTS).read_text())
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    return [folder / name for name, digest in _files(folder).items() if name not in known or known[name] != digest]


def note_contents(folder: Path) -> None:
    """Record every file in the folder as made by the demo."""
    (folder / CONTENTS).write_text(json.dumps(_files(folder), indent=1))


def empty(folder: Path) -> None:
    """Delete everything but the lock. Raises FolderError, and deletes nothing, if somebody added a file."""
    if found := added(folder):
        raise FolderError(f"{found[0]} was not made by the demo: move {folder} away, or name another folder with --home.")
    for path in folder.iterdir():
        if path.name != LOCK:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _files(folder: Path) -> dict[str, str]:
    """{path within the folder: SHA-256 of an archived file, empty for others}, without locks and the database, which is derived."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_dir() and not path.is_symlink() or path.name == CONTENTS or path.suffix == ".lock" or ".sqlite" in path.name:
            continue
        archived = name.parts[0] == ARCHIVE and path.is_file()
        found[str(name)] = hashlib.sha256(path.read_bytes()).hexdigest() if archived else ""
    return found


def main(arguments: list[str]) -> int:
    """Remove a demo's folder. Keep it, and report why, if somebody added to it or the demo runs. Exit status 2: wrong arguments."""
    if len(arguments) != 2 or arguments[0] != "--remove":
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[1]).resolve()
    if folder.is_dir():
        try:
            with locked(folder):
                empty(folder)
            shutil.rmtree(folder)
        except FolderError as reason:
            print(f"Kept {folder}. {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
