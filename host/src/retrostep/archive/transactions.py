"""Transactions on the database of a store: many read at a time, one writes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, Select
from sqlalchemy.orm import Session, sessionmaker

from retrostep.archive.database import database_errors
from retrostep.archive.server import RIGHT_TO_WRITE

_ROWS_AT_ONCE = 1_000
_numbers = count(1)


class Transactions:
    """Reading and writing transactions on `engine`; `name` is the store in messages.

    A reading transaction sees the store as it was at its first query. A writing one within another of the same thread joins it.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.name = name
        self._is_server = engine.dialect.name != "sqlite"
        reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) if self._is_server else engine
        self._reading = sessionmaker(reading, expire_on_commit=False)
        self._writing = sessionmaker(engine.execution_options(writes=True), expire_on_commit=False)
        # A database has one writer. A thread that waits here does not time out, as one that waits inside the database does after BUSY_S.
        self._one_writer = threading.RLock()
        self._own = threading.local()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads; this thread's snapshot where it has one."""
        snapshot = getattr(self._own, "snapshot", None)
        if snapshot is not None:
            yield snapshot
            return
        with database_errors(self.name), self._reading.begin() as session:
            yield session

    @contextmanager
    def write(self, *, is_new: bool = False) -> Iterator[Session]:
        """A transaction that writes. It is durable when it ends without an error. `is_new`: there are no tables yet."""
        outer = getattr(self._own, "session", None)
        if outer is not None:
            yield outer
            return
        with self._one_writer, database_errors(self.name), self._writing.begin() as session:
            if self._is_server and not is_new:
                session.connection().exec_driver_sql(RIGHT_TO_WRITE, execution_options={"no_parameters": True})
            self._own.session = session
            try:
                yield session
            finally:
                self._own.session = None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """In the block, this thread reads the store as it was when the block began, in one transaction."""
        with self.read() as session:
            before = getattr(self._own, "snapshot", None)
            self._own.snapshot = session
            try:
                yield
            finally:
                self._own.snapshot = before

    @contextmanager
    def joined(self) -> Iterator[Session]:
        """This thread's writing transaction or snapshot; a new reading transaction where it has neither."""
        outer = getattr(self._own, "session", None) or getattr(self._own, "snapshot", None)
        if outer is not None:
            yield outer
            return
        with self.read() as session:
            yield session


def driver_sql(connection: Connection, sql: str) -> str:
    """A statement with `?` for its values, as the database's driver takes it. Rows of tuples save most of the time of large archives."""
    return sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s")


def rows_of(session: Session, query: Select[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of a query straight from the driver, some at a time: the memory used does not depend on how many there are."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        cursor: Any = connection.execute(query).cursor
        yield from cursor
        return
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    driver: Any = connection.connection.driver_connection
    # A named cursor: the server keeps the rows and sends some at a time.
    with driver.cursor(name=f"rows_of_{next(_numbers)}") as cursor:
        cursor.execute(str(compiled), compiled.params)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield from rows
