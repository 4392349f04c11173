"""Opening the database behind a store URL, and what its errors mean for people."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from retrostep.archive.disk import make_folder
from retrostep.errors import DamagedStore, DiskFull, NoAccess, RetrostepError, StoreBusy, UnsupportedStore

BUSY_S = 30
"""How long to wait for another program's write."""


def sqlite_path(url: str) -> Path:
    """The file that a `sqlite:///PATH` URL names. UnsupportedStore for everything else."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number is the latter
        raise UnsupportedStore(
            f"{ascii(url[:80])} is no store's URL: write sqlite:///PATH, as in sqlite:////home/you/club/store.sqlite."
        ) from None
    if parsed.get_backend_name() != "sqlite":
        raise UnsupportedStore(f"A store at {parsed.get_backend_name()}:// is not supported yet, only sqlite: write sqlite:///PATH.")
    if not parsed.database or parsed.database == ":memory:" or "\0" in parsed.database or parsed.host or parsed.query:
        raise UnsupportedStore("The store is a file beside its raw logs: write sqlite:///PATH.")
    try:
        return Path(parsed.database).expanduser().absolute()
    except RuntimeError as error:  # ~somebody who has no home here
        raise UnsupportedStore(f"Nobody's home is {ascii(parsed.database[:80])}: write the whole path, sqlite:////home/...") from error


def open_engine(path: Path) -> Engine:
    """An engine on the SQLite file at `path`: WAL, foreign keys, transactions that hold for table definitions too.

    A connection with the execution option `writes` takes the write lock when it begins, so it never finds it taken half way.
    """
    make_folder(path.parent)
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the database says about the store at `path` into one sentence with the cure."""
    try:
        yield
    except DatabaseError as error:
        said = str(error.orig).lower()
        if "locked" in said or "busy" in said:
            raise StoreBusy(f"Another program is writing to {path}: wait for it, then run this again.") from error
        if "full" in said or "disk i/o" in said:
            raise DiskFull(
                f"No room left for {path}: free some space and run this again. What was archived is safe, and the device keeps the rest."
            ) from error
        if "not a database" in said or "malformed" in said:
            raise DamagedStore(f"The store {path} is damaged: run `retrostep store rebuild` to make it anew from the raw logs.") from error
        if "readonly" in said or "unable to open" in said or "authorization" in said:
            raise NoAccess(
                f"The store {path} may not be opened or written: give yourself access to it, or name another with --store."
            ) from error
        raise RetrostepError(f"The store {path} failed: {error.orig}. Run `retrostep store rebuild` if this happens again.") from error
