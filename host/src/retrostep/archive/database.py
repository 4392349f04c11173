"""The database behind a store's URL: opening it, and its errors as errors of Retrostep."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from retrostep.archive.data_dir import DataDir
from retrostep.archive.durable_files import disk_full, make_folder, make_private
from retrostep.archive.moments import now_ms
from retrostep.archive.schema import Base, StoreState
from retrostep.archive.server import is_server_error, server_error
from retrostep.errors import DamagedStore, ForeignStore, NoAccess, RetrostepError, StoreBusy, StoreFailed, StoreNotEmpty

_DAMAGE = ("not a database", "malformed", "could not decode", "no such table", "no such column", "has no column")
"""What SQLite reports of a file that is no database, or not the one that this program wrote."""

_OBJECTS = "SELECT type, name, tbl_name, sql LIKE 'CREATE UNIQUE%' FROM sqlite_master"

BUSY_S = 30
"""How long to wait for another program's write."""


def open_engine(path: Path, is_frozen: bool = False) -> Engine:
    """An engine on the SQLite file at `path`, with a write-ahead log and foreign keys. Transactions cover table definitions too.

    `is_frozen` opens a file that nobody writes to, without a lock and without a file beside it.

    A connection with the execution option `writes` takes the write lock when it begins, so that it cannot fail half way for lack of it.
    """
    database, query = (f"file:{quote(str(path))}", {"immutable": "1", "mode": "ro", "uri": "true"}) if is_frozen else (str(path), {})
    engine = create_engine(URL.create("sqlite", database=database, query=query), connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        refuse_foreign_database(connection, path)
        for pragma in (
            ("foreign_keys=ON",) if is_frozen else ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON")
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


@contextmanager
def database_errors(name: str) -> Iterator[None]:
    """Turn an error of the database of the store `name` into StoreBusy, DiskFull, DamagedStore, NoAccess, NoStore or StoreFailed."""
    try:
        yield
    except UnicodeDecodeError as error:
        # SQLite's message names a damaged table, or a column's text is damaged.
        raise damaged_store(name) from error
    except Exception as error:
        # The driver's own error where rows are read straight from its cursor.
        cause = error.orig if isinstance(error, DBAPIError) else error
        if is_server_error(cause):
            raise server_error(name, cause) from error
        if not isinstance(cause, sqlite3.Error):
            raise
        raise _file_error(name, _before_savepoint(error, cause)) from error


def _before_savepoint(error: BaseException, cause: sqlite3.Error) -> sqlite3.Error:
    """The error after which SQLite ended the transaction by itself, as on a full disk, where only its lost savepoint is reported."""
    before = error.__context__
    while before is not None and "no such savepoint" in str(cause):
        if isinstance(before, DBAPIError) and isinstance(before.orig, sqlite3.Error):
            cause = before.orig
        before = before.__context__
    return cause


def _file_error(name: str, cause: sqlite3.Error) -> RetrostepError:
    reported = str(cause).lower()
    if "locked" in reported or "busy" in reported:
        return StoreBusy(f"Another program is writing to {name}: wait for it, then run this again.")
    if "full" in reported or "disk i/o" in reported:
        return disk_full(Path(name))
    if any(sign in reported for sign in _DAMAGE):
        return damaged_store(name)
    if "readonly" in reported or "unable to open" in reported or "authorization" in reported:
        return NoAccess(f"The store {name} cannot be opened or written: change its permissions, or use another store.")
    return StoreFailed(f"The store {name} failed: {cause}.")


def refuse_foreign_database(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ForeignStore where the database at `path` belongs to another program. Nothing in it is changed."""
    tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and StoreState.__tablename__ not in tables:
        if len(tables & set(Base.metadata.tables)) > len(tables) // 2:
            raise damaged_store(str(path))
        raise ForeignStore(f"{path} is another program's database: use another file, sqlite:///PATH, for the store.")


def refuse_foreign_tables(session: Session, name: str) -> None:
    """Raise StoreNotEmpty where a database on a server has tables, and they are another program's."""
    if inspect(session.connection()).get_table_names():
        raise StoreNotEmpty(f"{name} is another program's database: create an empty one on the server for the store (createdb).")


def wipe_deleted(connection: Connection) -> None:
    """Remove what was deleted or changed from the database's files as well."""
    if connection.dialect.name != "sqlite":
        with suppress(ProgrammingError):  # a server without this command, as CockroachDB, removes old rows by itself
            names = ", ".join(table.name for table in Base.metadata.sorted_tables)
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"VACUUM FULL {names}")
        return
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("VACUUM")
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def missing_tables(session: Session) -> list[str]:
    """The names of tables that a store has and this one lacks."""
    return sorted(set(Base.metadata.tables) - set(inspect(session.connection()).get_table_names()))


def layout_of(session: Session) -> int | None:
    """The layout of the store's tables; None where there are none."""
    if StoreState.__tablename__ not in inspect(session.connection()).get_table_names():
        return None
    return session.scalar(select(StoreState.layout))


def keep_copy(data_dir: DataDir, session: Session) -> Path:
    """Copy the database as it was before this transaction to quarantine. Return the copy's file."""
    source = session.connection().engine.url.database or ""
    copy = make_folder(data_dir.quarantine) / f"{Path(source).name}.{now_ms()}"
    make_private(copy)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    return copy


def is_as_defined(session: Session) -> bool:
    """Whether the tables and indexes of the file are as this version defines them, however they came to be so."""
    new = create_engine("sqlite://")
    Base.metadata.create_all(new)
    with new.connect() as connection:
        expected = _definitions(connection)
    new.dispose()
    return expected == _definitions(session.connection())


_ASKED = {"table": ("table_xinfo", "foreign_key_list"), "index": ("index_xinfo",)}


def _definitions(connection: Connection) -> set[tuple[Any, ...]]:
    """Every object in a file, with the columns of tables and indexes, and the references of tables.

    Indexes that SQLite makes by itself are named by their order, which means nothing.
    """
    found: set[tuple[Any, ...]] = set()
    for kind, name, table, is_unique in connection.exec_driver_sql(_OBJECTS).all():
        shown = table if name.startswith("sqlite_autoindex_") else name
        rows = [connection.exec_driver_sql(f"SELECT * FROM pragma_{asked}(?)", (name,)).all() for asked in _ASKED.get(kind, ())]
        found.add((kind, shown, table, is_unique, *(tuple(map(tuple, each)) for each in rows)))
    return found


def damaged_store(name: str) -> DamagedStore:
    """The error for a store that cannot be used any more."""
    return DamagedStore(f"The store {name} is damaged. It can be rebuilt from the raw logs and the event journal.")
