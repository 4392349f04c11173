"""Where the file of a store is opened: in its data folder, or as a copy in a temporary folder where nothing can be written."""

import os
import shutil
import tempfile
from pathlib import Path

from sqlalchemy import Engine

from retrostep.archive.data_dir import DataDir
from retrostep.archive.database import open_engine
from retrostep.archive.durable_files import file_errors, make_folder, make_private, user_id
from retrostep.archive.moments import now_ms
from retrostep.archive.server import open_server
from retrostep.archive.store_url import server_url
from retrostep.errors import DamagedStore, NoStore, RetrostepError

PARTS = ("", "-wal", "-shm")
"""The files of an SQLite database, by the endings of their names."""


_SIGN = b"SQLite format 3\0"
"""The first bytes of a database in a file."""


class Place:
    """The file to open for the store at `path`.

    file         the database file
    is_frozen    the data folder cannot be written: the database is opened as a file that never changes, or is a copy
    is_scratch   `file` is a copy in a temporary folder, which `close` removes
    """

    def __init__(self, path: Path, *, is_default: bool, reading: bool) -> None:
        """Raises NoStore where there is no store to read, DamagedStore where the path is that of a folder, NoAccess, DiskFull."""
        self.path = self.file = path
        self.is_frozen = self.is_scratch = False
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        with file_errors(path):
            refuse_file_as_folder(path.parent)
            _refuse_other_kinds(path)
        if reading and not is_default:
            refuse_missing_store(path)
        if reading and not _is_there(path):
            self.is_frozen = True  # a new computer: reading commands create nothing
            self.use_copy()
        elif reading and not self._can_write():
            self.freeze()
        elif not path.exists():
            refuse_inside_store(path)
            make_folder(path.parent)
            make_private(path)

    def open(self) -> Engine:
        """An engine on the file."""
        return open_engine(self.file, is_frozen=self.is_frozen and not self.is_scratch)

    def use_copy(self) -> None:
        """Copy the store to a temporary folder, and use that file from now on."""
        with file_errors(Path(tempfile.gettempdir())):
            self._temporary = tempfile.TemporaryDirectory(prefix="retrostep-", ignore_cleanup_errors=True)
            folder = Path(self._temporary.name)
            folder.chmod(0o700)  # whatever the umask is
            self.file = folder / "store.sqlite"
            self.is_scratch = True
            make_private(self.file)
            for ending in PARTS[:2]:
                if (part := self.path.with_name(self.path.name + ending)).exists():
                    shutil.copyfile(part, self.file.with_name(self.file.name + ending))

    def freeze(self) -> None:
        """Use the store as it is from now on: its folder turned out to be impossible to write."""
        self.is_frozen = True
        with file_errors(self.path):
            if not self.path.exists() or self._has_unwritten_changes():
                self.use_copy()

    def close(self) -> None:
        """Remove the temporary folder."""
        if self._temporary is not None:
            self._temporary.cleanup()

    def _can_write(self) -> bool:
        parts = [part for ending in PARTS if (part := self.path.with_name(self.path.name + ending)).exists()]
        return all(_is_writable(place) for place in (self.path.parent, *parts))

    def _has_unwritten_changes(self) -> bool:
        """Whether the last changes are only in the write-ahead log, as after a program was killed."""
        log = self.path.with_name(self.path.name + "-wal")
        return log.exists() and log.stat().st_size > 0


class Server:
    """A database on a PostgreSQL server in the place of the file: it is never frozen and never copied."""

    is_frozen = is_scratch = False

    def __init__(self, url: str) -> None:
        self._url = server_url(url)

    def open(self) -> Engine:
        """An engine on the database."""
        return open_server(self._url)

    def close(self) -> None:
        """Nothing is left here."""


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def refuse_file_as_folder(folder: Path) -> None:
    """Raise RetrostepError where `folder` cannot exist, because it, or a folder above it, is a file."""
    there = next(part for part in (folder, *folder.parents) if part.exists())
    if not there.is_dir():
        raise RetrostepError(f"{there} is a file, not a folder: choose another folder with RETROSTEP_HOME, or another path for the store.")


def _refuse_other_kinds(path: Path) -> None:
    """Raise DamagedStore where something else than a file is in the place of a store. Nothing is opened: a pipe would wait forever."""
    for part in (path.with_name(path.name + ending) for ending in PARTS):
        if not os.path.lexists(part):
            continue
        if part.is_dir():
            what = "a folder"
        elif not part.exists():
            what = "a link to a file that does not exist"
        elif not part.is_file():
            what = "not a regular file"
        else:
            continue
        raise DamagedStore(f"The store {part} is {what}. It can be rebuilt from the raw logs and the event journal.")


def refuse_missing_store(path: Path) -> None:
    """Raise NoStore where there is neither a store at `path`, nor logs or a journal beside it from which it can be derived."""
    if not _is_there(path):
        raise NoStore(f"There is no store at {path}: check the path.")


def refuse_inside_store(path: Path) -> None:
    """Raise RetrostepError where `path` is among the logs of a data folder, or in its quarantine: nothing else is written there."""
    with file_errors(path):
        for folder in path.parent.resolve().joinpath(path.name).parents:
            data_dir = DataDir(folder.parent)
            if folder in (data_dir.logs, data_dir.incoming, data_dir.quarantine) and data_dir.journal.exists():
                raise RetrostepError(f"{path} is inside the store in {folder.parent}: choose another folder.")


def _is_there(path: Path) -> bool:
    with file_errors(path):
        return os.path.lexists(path) or has_sources(path)


def refuse_special_journal(path: Path) -> None:
    """Raise RetrostepError where something else than a file is in the place of the journal: it is neither read nor followed."""
    with file_errors(path):
        if os.path.lexists(path) and not path.is_file():
            raise RetrostepError(f"{path} is not a regular file: move it away, then run this again.")


def has_sources(path: Path) -> bool:
    """Whether logs or a journal are beside the store at `path`, from which it can be derived."""
    data_dir = DataDir(path.parent)
    return data_dir.logs.is_dir() or data_dir.journal.exists()


def set_store_aside(path: Path) -> Path:
    """Move the store at `path`, whatever it is, to the quarantine beside it. Return where it is then."""
    aside = make_folder(DataDir(path.parent).quarantine) / f"{path.name}.{now_ms()}"
    with file_errors(path):
        for ending in PARTS:
            if os.path.lexists(part := path.with_name(path.name + ending)):
                part.rename(aside.with_name(aside.name + ending))
    return aside


def is_private_folder(path: Path) -> bool:
    """Whether the folder may be closed to other users: it belongs to this user, and is not the user's home or a folder for everyone."""
    facts = path.stat()
    if facts.st_uid != user_id() or facts.st_mode & 0o1000:
        return False
    try:
        home = Path.home()
    except RuntimeError:  # this user has none, as in some containers
        return True
    return path not in (home, *home.parents)


def close_to_others(data_dir: DataDir, store: Path) -> list[RetrostepError]:
    """Take the permissions of other users from an existing data folder and its files. Return a notice if there were any.

    Only this user's own files are changed. Windows keeps user folders private by itself.
    """
    if user_id() is None or not (_is_database(store) or has_sources(store)):
        return []
    parts = [store.with_name(store.name + ending) for ending in PARTS]
    folders = [data_dir.logs, data_dir.incoming, data_dir.quarantine]
    watched = [*parts, data_dir.journal, *folders]
    with file_errors(data_dir.path):
        if data_dir.path.is_dir() and is_private_folder(data_dir.path):
            watched.append(data_dir.path)
        if not any(_is_open_to_others(path) for path in watched):
            return []
        inside = [path for folder in folders for path in folder.rglob("*")]
        for path in (*watched, *inside, *data_dir.path.glob("entries.jsonl*")):
            if _is_open_to_others(path):
                path.chmod(0o700 if path.is_dir() else 0o600)
    return [RetrostepError(f"Other users of this computer could read {data_dir.path}. Its permissions were corrected: only you can now.")]


def _is_database(path: Path) -> bool:
    """Whether the file is a database, or will become one: another file, and its folder, are not closed to anybody."""
    with file_errors(path):
        if not path.is_file():
            return not os.path.lexists(path)
        with open(path, "rb") as file:
            return file.read(len(_SIGN)) in (b"", _SIGN)


def _is_open_to_others(path: Path) -> bool:
    if path.is_symlink() or not path.exists():
        return False
    facts = path.stat()
    return facts.st_uid == user_id() and bool(facts.st_mode & 0o077)
