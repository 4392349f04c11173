"""A store in another place: moved from a data folder to a server or back, or restored from a backup."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrostep.archive.backup_file import checked_sum, contents_in, write_backup
from retrostep.archive.contents import Sum, contents_of, fill, refuse_contents
from retrostep.archive.durable_files import file_errors, fsync_folder, temporary_folder
from retrostep.archive.place import PARTS
from retrostep.archive.store import Store
from retrostep.archive.store_url import is_server, shown_url, sqlite_path
from retrostep.archive.tables import Progress
from retrostep.errors import RetrostepError


def move_store(source_url: str, target_url: str, progress: Progress | None = None, who: str = "") -> Sum:
    """Copy a store to an empty place, compare the copy, and mark the old one as moved: it stays, and nothing is entered there any more.

    Other programs wait meanwhile. If it is interrupted, the old store is unchanged. Raises StoreNotEmpty, StoreMoved, and errors of stores.
    """
    if shown_url(source_url) == shown_url(target_url):
        raise RetrostepError("The store is there already: name another place to move it to.")
    with Store(source_url) as source, source.journal.locked():
        with _new_store(target_url) as target:
            done = fill(target, contents_of(source, progress))
        source.mark_moved(shown_url(target_url), who)
    return done


def back_up(store: Store, path: Path, progress: Progress | None = None) -> Sum:
    """Write everything of a store to one file, and read the file again. Others can use the store meanwhile.

    Raises FileExists, BadBackup.
    """
    with store.snapshot():
        return write_backup(path, contents_of(store, progress))


def restore(path: Path, url: str, progress: Progress | None = None) -> Sum:
    """Check a backup, write it to an empty store, and compare both. Raises BadBackup, StoreNotEmpty."""
    expected = checked_sum(path)
    with _new_store(url) as store:
        return fill(store, contents_in(path, progress, expected.logs), expected.sha256)


@contextmanager
def _new_store(url: str) -> Iterator[Store]:
    """An empty store to be filled in the block. It appears at `url` only when the block ends without an error."""
    if is_server(url):
        with Store(url) as store, store.journal.locked():
            refuse_contents(store)
            yield store
        return
    path = sqlite_path(url)
    _refuse_occupied(path)
    with temporary_folder(path.parent) as staging:
        with Store(f"sqlite:///{staging / path.name}") as store:
            yield store
        _refuse_occupied(path)  # another program may have made a store there meanwhile
        _put_in_place(staging, path)


def _refuse_occupied(path: Path) -> None:
    """Raise StoreNotEmpty where a data folder holds something of a store."""
    if any(os.path.lexists(path.parent / name) for name in (path.name, "logs", "quarantine", "entries.jsonl")):
        with Store(f"sqlite:///{path}") as store:
            refuse_contents(store)


def _put_in_place(staging: Path, path: Path) -> None:
    """Move what was written in `staging` into the data folder, the journal last."""
    folder = path.parent
    with file_errors(folder):
        for ending in PARTS:
            path.with_name(path.name + ending).unlink(missing_ok=True)
        for name in ("logs", "quarantine", path.name, "entries.jsonl"):
            if (folder / name).is_dir():
                _remove_empty(folder / name)
            if (staging / name).exists():
                os.replace(staging / name, folder / name)
        fsync_folder(folder)


def _remove_empty(folder: Path) -> None:
    """Remove a folder that holds empty folders only."""
    for inner in folder.iterdir():
        _remove_empty(inner)
    folder.rmdir()
