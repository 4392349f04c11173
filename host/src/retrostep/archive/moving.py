"""A store in another place: moved from a data folder to a server or back, or restored from a backup."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from retrostep.archive.backup_file import checked_sum, contents_in, refuse_place, write_backup
from retrostep.archive.contents import Sum, contents_of, fill, is_empty, refuse_contents
from retrostep.archive.durable_files import file_errors, fsync_folder, temporary_folder
from retrostep.archive.place import PARTS, refuse_inside_store
from retrostep.archive.projection import MOVED
from retrostep.archive.store import Store
from retrostep.archive.store_url import file_url, is_server, kept_url, shown_url, sqlite_path
from retrostep.archive.tables import Progress
from retrostep.archive.verify import Verification
from retrostep.errors import NoAccess, RetrostepError


def move_store(source_url: str, target_url: str, progress: Progress | None = None, who: str = "") -> Sum:
    """Copy a store to an empty place, compare the copy, and mark the old one as moved: it stays, and nothing is entered there any more.

    Other programs wait meanwhile. If it is interrupted, the old store is unchanged. Raises NoStore, StoreNotEmpty, StoreMoved, and errors
    of stores.
    """
    if shown_url(source_url) == shown_url(target_url):
        raise RetrostepError("The store is there already: name another place to move it to.")
    _refuse_nested(source_url, target_url)
    Store(source_url, reading=True).close()  # it must exist: a wrong path is not to become an empty store
    with Store(source_url) as source, source.journal.locked():
        with _new_store(target_url) as target:
            done = fill(target, contents_of(source, progress))
        source.mark_moved(kept_url(target_url), who)
    return done


def back_up(store: Store, path: Path, progress: Progress | None = None) -> tuple[Sum, Verification]:
    """Write everything of a store to one file, and read the file again. Others can use the store meanwhile.

    Each log is read once, and verified as it is read. Those that cannot be read are left out. Raises FileExists, BadBackup.
    """
    refuse_place(path)
    refuse_inside_store(path)
    with store.snapshot(), store.checking() as check:
        contents = replace(contents_of(store), logs=check.logs(progress))
        return write_backup(path, contents), check.result()


def restore(path: Path, url: str, progress: Progress | None = None) -> Sum:
    """Check a backup, write it to an empty store, and compare both. Raises BadBackup, StoreNotEmpty."""
    expected = checked_sum(path)
    with _new_store(url) as store:
        return fill(store, contents_in(path, progress, expected.logs), expected.sha256)


@dataclass(frozen=True)
class Remains:
    """What is left of a store that was moved: until when it was used, how much it holds, and why the other place cannot be used."""

    moved_to: str
    moved_at_ms: int
    sessions: int
    entries: int
    why_lost: str


def remains_of(url: str | None) -> Remains:
    """What is in a store that was moved, for someone who lost the place to which it was moved.

    Raises RetrostepError where the store was not moved, or where that place can still be used.
    """
    with Store(url, reading=True) as store:
        moved_to = store.moved_to()
        if moved_to is None:
            raise RetrostepError(f"The store {store.name} was not moved: use it as it is.")
        entries, moved_at_ms = 0, 0
        for line in store.journal.lines():
            if line.entry is not None:
                entries += 1
                moved_at_ms = line.entry["at_ms"] if line.entry["entry"] == MOVED else moved_at_ms
        why_lost = _why_lost(moved_to, {store.shown_url})
        return Remains(moved_to, moved_at_ms, store.counts()["sessions"], entries, why_lost)


def _why_lost(url: str, seen: set[str]) -> str:
    """Why the store at `url`, or the one to which it was moved on, cannot be used. Raises RetrostepError where it can."""
    while url not in seen:
        seen.add(url)
        try:
            with Store(url, reading=True) as store:
                moved_on, is_used = store.moved_to(), not is_empty(store)
        except NoAccess:
            raise  # the server is there and refuses access: it is not lost
        except RetrostepError as error:
            return str(error)
        if moved_on is None and is_used:
            raise RetrostepError(f"The store is at {url}, and can be opened there: use that one, or move it to an empty folder.")
        if moved_on is None:
            return f"The store {url} is empty."
        url = moved_on
    return "It was moved back, and that copy is gone."


def reopen(url: str | None, who: str) -> None:
    """Use a moved store again, because the other place is lost. It lacks what was entered and received there."""
    with Store(url, reading=True) as store:
        store.mark_reopened(who)


@contextmanager
def _new_store(url: str) -> Iterator[Store]:
    """An empty store to be filled in the block. It appears at `url` only when the block ends without an error."""
    if is_server(url):
        with Store(url) as store, store.journal.locked():
            refuse_contents(store)
            yield store
        return
    path = sqlite_path(url)
    refuse_inside_store(path)
    _refuse_occupied(path)
    with temporary_folder(path.parent) as staging:
        with Store(file_url(staging / path.name)) as store:
            yield store
        _refuse_occupied(path)  # another program may have made a store there meanwhile
        _put_in_place(staging, path)


def _refuse_nested(source_url: str, target_url: str) -> None:
    """Raise RetrostepError where one data folder is the other one, or is inside it."""
    if is_server(source_url) or is_server(target_url):
        return
    source, target = (sqlite_path(url).parent.resolve() for url in (source_url, target_url))
    if source == target or source in target.parents or target in source.parents:
        raise RetrostepError(f"{target} and {source} are one folder, or one is inside the other: name a folder outside the store.")


def _refuse_occupied(path: Path) -> None:
    """Raise StoreNotEmpty where a data folder holds something of a store."""
    if any(os.path.lexists(path.parent / name) for name in (path.name, "logs", "quarantine", "entries.jsonl")):
        with Store(file_url(path)) as store:
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
