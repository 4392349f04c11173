"""A PostgreSQL server for the tests of this computer's run: a cluster in a temporary folder, and an empty schema for each test."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import quote

from retrostep.archive.store import Store

_SEARCHED = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/opt/homebrew/bin"), Path("/usr/local/bin")]
_SETTINGS = ("listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=32MB")


class NoServer(Exception):
    """PostgreSQL is not installed here, or does not start."""


@cache
def server() -> str:
    """The URL of a database on the server, which the first caller starts. Raises NoServer."""
    tools = next((folder for folder in _SEARCHED if (folder / "initdb").exists() and (folder / "postgres").exists()), None)
    if tools is None or sys.platform == "win32":
        raise NoServer("PostgreSQL is not installed here (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="retrostep-pg-", dir="/tmp"))  # short: a socket's path has at most 107 characters
    user = _server_user(folder)
    data = folder / "data"
    create = [tools / "initdb", "-D", data, "-U", "coach", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
    options = " ".join(f"-c {each}" for each in (*_SETTINGS, f"unix_socket_directories={folder}"))
    start = [tools / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options]
    for command in (create, [*start, "start"]):
        # To a file: the server keeps what pg_ctl was given.
        with open(folder / "started", "w") as output:
            ran = subprocess.run(command, stdout=output, stderr=output, user=user, cwd=folder)
        if ran.returncode:
            said = (folder / "started").read_text().strip().splitlines()[-1:]
            shutil.rmtree(folder, ignore_errors=True)
            raise NoServer(f"PostgreSQL does not start here: {' '.join(said)}")
    atexit.register(_stop, [tools / "pg_ctl", "-D", data, "-m", "immediate", "stop"], folder, user, os.getpid())
    return f"postgresql://coach:s3cret@/postgres?host={quote(str(folder), safe='')}"


_numbers = count(1)


def empty_schema() -> str:
    """The URL of an empty schema on the server. Raises NoServer."""
    import psycopg

    url, name = server(), f"test_{next(_numbers)}"
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{url}&options=-csearch_path%3D{name}"


@cache
def _store_schema() -> tuple[str, str]:
    """The URL of a schema with a store in it, and the statements that empty the store: that is faster than making another one."""
    import psycopg

    url = empty_schema()
    Store(url).close()
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()").fetchall()
    names = ", ".join(sorted({name for (name,) in rows} - {"store_state", "alembic_version"}))
    state = "UPDATE store_state SET entries_applied = 0, entries_damaged = 0, moved_to = NULL"
    return url, f"TRUNCATE {names} RESTART IDENTITY; {state}"


def empty_store() -> str:
    """The URL of an empty store on the server; tests of one process have it one after the other."""
    import psycopg

    url, empty = _store_schema()
    with psycopg.connect(url) as connection:
        connection.execute(empty)
    return url


def _server_user(folder: Path) -> str | None:
    """The user who runs the server where this one is root, who may not."""
    if os.geteuid() != 0:
        return None
    shutil.chown(folder, "nobody")
    return "nobody"


def _stop(command: list[object], folder: Path, user: str | None, started_by: int) -> None:
    if os.getpid() == started_by:
        subprocess.run([str(each) for each in command], check=False, stdout=subprocess.DEVNULL, user=user, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)
