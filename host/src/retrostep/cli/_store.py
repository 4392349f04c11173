"""Opening the store for a command, printing what opening it found, and what Ctrl-C leaves in it.

The database is imported when a store is opened: it takes a second to load, and some commands ask a board first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from retrostep.cli._cures import sentence
from retrostep.errors import DamagedStore, DiskFull, NoAccess, NoStore, RetrostepError, SavedBefore, StoreBusy, StoreFailed, StoreLost
from retrostep.output.lines import echo

if TYPE_CHECKING:
    from retrostep.archive.store import Store


@contextmanager
def reading(store_url: str | None) -> Iterator[Store]:
    """The store for a command that only reads. It must exist, and nothing is created. Raises NoStore."""
    from retrostep.archive.store import Store

    with Store(store_url, reading=True) as store:
        print_notices(store)
        yield store


@contextmanager
def entering(store_url: str | None) -> Iterator[Store]:
    """The store for a command that enters or receives something. It is created in a folder that exists. Raises NoStore."""
    from retrostep.archive.store import Store
    from retrostep.archive.store_url import is_server, sqlite_path

    if store_url and not is_server(store_url) and not (folder := sqlite_path(store_url).parent).is_dir():
        raise NoStore(f"There is no folder {folder}: create it first, or check the path.")
    with Store(store_url) as store:
        print_notices(store)
        before, Entered.is_saved = store.journal.appended, False
        try:
            yield store
        finally:
            Entered.is_saved = store.journal.appended > before


@contextmanager
def saving(store: Store) -> Iterator[None]:
    """On Ctrl-C, say whether what the command enters was saved. Raises SavedBefore where the store fails after something was saved."""
    before = store.journal.appended
    try:
        yield
    except KeyboardInterrupt as stop:
        raise click.Abort("Nothing was changed." if store.journal.appended == before else "The change was saved.") from stop
    except RetrostepError as error:
        failed = next((what for kind, what in _FAILED.items() if isinstance(error, kind)), None)
        if failed is None or store.journal.appended == before:
            raise
        look = "What the command had entered is saved: look there before you enter it again."
        raise SavedBefore(f"{failed.format(store.name)} {look}") from error


_FAILED: dict[type[RetrostepError], str] = {
    DiskFull: "No room is left for the store {}: free some space.",
    StoreBusy: "Another program is writing to the store {}: wait for it.",
    StoreLost: "The connection to the store {} was lost: check the network.",
    StoreFailed: "The store {} failed.",
    DamagedStore: "The store {} is damaged. It can be rebuilt.",
    NoAccess: "The store {} cannot be read or written any more: check its permissions.",
}
"""The faults of a store. Each error's own message asks to run the command again, which would enter everything twice."""


class Entered:
    """Whether the command that runs has saved something. It is reported where the output cannot be."""

    is_saved = False


def print_notices(store: Store) -> None:
    """Print what opening the store found, one line each on stderr."""
    for notice in store.notices:
        label = "Warning" if notice.exit_status == 4 else "Note"
        echo(f"{label}: {sentence(notice)}", err=True)
