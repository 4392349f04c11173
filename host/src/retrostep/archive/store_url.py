"""The URL of a store: a file beside its raw logs, or a database on a PostgreSQL server. No message shows a password."""

from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from retrostep.errors import UnsupportedStore

_POSTGRESQL = ("postgresql", "postgres")
_HOW = "write sqlite:///PATH, as in sqlite:////home/you/club/store.sqlite, or postgresql://USER@HOST/DATABASE"


def is_server(url: str) -> bool:
    """Whether the URL names a database on a server, and not a file. UnsupportedStore where it is no store's URL."""
    return _parsed(url).drivername in _POSTGRESQL


def server_url(url: str) -> URL:
    """The parts of a `postgresql://` URL. UnsupportedStore where it is not one, or where a part of the password would be taken for more."""
    parsed = _parsed(url)
    if parsed.drivername not in _POSTGRESQL:
        raise UnsupportedStore(f"A store at {parsed.drivername}:// is not supported: {_HOW}.")
    if not parsed.database:
        raise UnsupportedStore("The URL of the store names no database: write postgresql://USER@HOST/DATABASE.")
    host = "" if "[" in url and _is_address(parsed.host or "") else parsed.host or ""
    if any(sign in f"{host}{parsed.database}" for sign in "@/:"):
        raise UnsupportedStore(
            "The URL of the store cannot be read: write @, / and : in a password as %40, %2F and %3A, or keep the password in ~/.pgpass."
        )
    return parsed.set(drivername="postgresql+psycopg")


def shown_url(url: str) -> str:
    """The URL as messages show it: without the password, and without options."""
    if not is_server(url):
        return url
    parsed = server_url(url)
    host = parsed.host or _first(parsed.query.get("host"))
    shown = URL.create("postgresql", parsed.username, None, host, parsed.port, parsed.database)
    return shown.render_as_string()


def kept_url(url: str) -> str:
    """The URL as the journal keeps it: without passwords, and with the options that opening it needs, such as a socket's folder."""
    if not is_server(url):
        return url
    parsed = server_url(url).set(drivername="postgresql")
    open_to_all = URL.create("postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database)
    options = {name: value for name, value in parsed.query.items() if "password" not in name.lower()}
    return open_to_all.update_query_dict(options).render_as_string()


def file_url(path: Path) -> str:
    """The URL of the store in a file. In a URL, `%` begins the code of a character, and `?` the options."""
    return f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}"


def sqlite_path(url: str) -> Path:
    """The file that a `sqlite:///PATH` URL names. UnsupportedStore for every other URL."""
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        raise UnsupportedStore(f"A store at {parsed.get_backend_name()}:// is not supported: {_HOW}.")
    if not parsed.database or parsed.database == ":memory:" or "\0" in parsed.database or parsed.host:
        raise UnsupportedStore("The store is a file beside its raw logs: write sqlite:///PATH.")
    if "?" in url:  # also without a value, which the parser drops, so that the file would be another one
        raise UnsupportedStore("Write sqlite:///PATH without options, with ? and % in the path as %3F and %25.")
    try:
        return Path(parsed.database).expanduser().absolute()
    except RuntimeError as error:  # ~name of a user that does not exist
        raise UnsupportedStore(f"There is no such user's folder as {ascii(parsed.database[:80])}: write sqlite:///PATH in full.") from error


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # ValueError: the port is not a number
        shown = f"{ascii(url.partition(':')[0][:20])}:..." if "@" in url else ascii(url[:80])  # a password may be in it
        raise UnsupportedStore(f"{shown} is no store's URL: {_HOW}.") from None


def _is_address(host: str) -> bool:
    """Whether it is the numeric address of a computer."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _first(value: tuple[str, ...] | str | None) -> str | None:
    return value[0] if isinstance(value, tuple) else value
