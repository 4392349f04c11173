"""A PostgreSQL server that holds a store: connecting to it, and its errors as errors of Retrostep."""

import logging
import re
import sys
import time
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError

from retrostep.errors import DamagedStore, DiskFull, NoAccess, NoStore, RetrostepError, StoreBusy, StoreFailed, StoreLost, UnsupportedStore

BUSY_S = 30
"""Seconds to wait for another program's write."""

IDLE_S = 120
"""Seconds after which the server ends the connection of a program that holds the right to write and sends nothing."""

TEST_AFTER_IDLE_S = 20
"""Seconds after which an idle connection is tested before it is used: it may have been cut, as between two syncs."""

RIGHT_TO_WRITE = f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_S}s'; SELECT id FROM store_state FOR UPDATE"
"""SQL at the start of a writing transaction. It waits until no other transaction writes."""

_CONNECTING = {
    "application_name": "retrostep",
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Options of libpq, which the URL may override. With them, a lost network is an error after at most 30 s."""

_REFUSED = ("authentication failed", "no password supplied", "pg_hba.conf", 'FATAL: role "')
"""Texts of libpq where the server refuses the user. Such errors have no SQLSTATE."""

_NEVER_CONNECTED = ("connection failed", "failed to resolve", "connection timeout expired")
"""Texts of libpq and its driver where there was no connection yet."""

_BAD_OPTION = ("invalid connection option", "bad value for")
"""Texts of libpq and its driver where an option of the URL is unknown or has no valid value."""

_NOT_CONFIRMED = "What was confirmed before is safe; what was being written is not in the store"


def open_server(url: URL) -> Engine:
    """An engine on the database. Nothing is connected yet. UnsupportedStore where its driver is not installed."""
    logging.getLogger("psycopg").addHandler(logging.NullHandler())  # its warnings about a lost connection are in our error
    options = {name: value for name, value in _CONNECTING.items() if name not in url.query}
    try:
        engine = create_engine(url, connect_args=options)
    except ImportError as error:
        raise UnsupportedStore("A store on a PostgreSQL server needs psycopg: pip install 'psycopg[binary]'.") from error

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # A commit that returns is on the server's disk, whatever its default is.
        connection.execute(
            f"SET lock_timeout = '{BUSY_S}s'; "
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.commit()

    @event.listens_for(engine, "checkin")
    def begin_idle(_connection: Any, record: Any) -> None:
        record.info["idle_since_s"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def test_idle(connection: Any, record: Any, _proxy: Any) -> None:
        """Replace a connection that was cut while it was idle."""
        if time.monotonic() - record.info.get("idle_since_s", time.monotonic()) < TEST_AFTER_IDLE_S:
            return
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except connection.OperationalError as error:
            raise DisconnectionError from error

    return engine


def is_server_error(error: BaseException | None) -> bool:
    """Whether the driver of the server raised the error. It is imported only where a server is used."""
    driver = sys.modules.get("psycopg")
    return driver is not None and isinstance(error, driver.Error)


def server_error(name: str, error: Any) -> RetrostepError:
    """The Retrostep error for an error of the server's driver. `name` is the store as messages show it."""
    state, reported = str(error.sqlstate or ""), " ".join(str(error).split())
    is_connected = getattr(error, "pgconn", None) is None or bool(state)
    if state == "3D000" or ("database" in reported and "does not exist" in reported):
        return NoStore(f"There is no database {name}: create it on the server first (createdb), or check the URL.")
    if state[:2] == "28" or state in ("42501", "25006") or any(sign in reported for sign in _REFUSED):
        return NoAccess(f"The store {name} refuses access: check the user and the password, and what the user may do there.")
    if state[:2] == "08" or state[:3] == "57P" or state in ("25P03", "25P02") or (not state and _is_connection_error(error)):
        if is_connected and state != "57P03" and not any(sign in reported for sign in _NEVER_CONNECTED):
            return StoreLost(f"The connection to the store {name} was lost. {_NOT_CONFIRMED}: check the network, then run this again.")
        cure = "check the network, the address and the options of the URL, then run this again"
        return StoreLost(f"The store {name} cannot be reached ({_reason(reported)}): {cure}.")
    if state in ("55P03", "40001", "40P01", "57014"):
        return StoreBusy(f"Another program is writing to {name}: wait for it, then run this again.")
    if state[:2] == "53":
        return DiskFull(f"The server of {name} has no room or no connection left: free some, then run this again. {_NOT_CONFIRMED}.")
    if not state and any(sign in reported for sign in _BAD_OPTION):
        return UnsupportedStore(f"The URL of the store {name} has an option that does not work: {_reason(reported)}.")
    if state in ("42P01", "42703"):
        return DamagedStore(f"The store {name} lacks a table or a column. If a rebuild does not help, restore it from a backup.")
    return StoreFailed(f"The store {name} failed: {reported[:300]}.")


def _reason(reported: str) -> str:
    """What libpq reports, without its preface, the address, which is in the store's name, and its question."""
    reason = re.sub(r'connection (failed|is bad): |connection to server (at|on socket) "[^"]*"(, port [0-9]+)? failed: ', "", reported)
    return re.split(r" (?:Is the server running|This probably means)", reason)[0].rstrip(".")[:200]


def _is_connection_error(error: Any) -> bool:
    driver = sys.modules["psycopg"]
    return isinstance(error, driver.OperationalError | driver.InterfaceError)
