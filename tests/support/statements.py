"""Counts what programs send to the database of a store. On a distant server each of these waits for an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements of every store in the block, in order. Many rows that are inserted at once are one statement."""
    sent: list[str] = []
    hooks: dict[str, Any] = {
        "before_cursor_execute": lambda _connection, _cursor, statement, *_: sent.append(statement),
        "begin": lambda connection: sent.append("BEGIN") if connection.dialect.name != "sqlite" else None,  # SQLite's is a statement
        "commit": lambda _: sent.append("COMMIT"),
        "rollback": lambda _: sent.append("ROLLBACK"),
    }
    for name, hook in hooks.items():
        event.listen(Engine, name, hook)
    try:
        yield sent
    finally:
        for name, hook in hooks.items():
            event.remove(Engine, name, hook)
