"""What every test has: the MicroPython interpreter, the labelled recordings, stores on each kind of database, and files in memory."""

import gc
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.interpreter import MICROPYTHON
from support.places import DATA
from support.postgresql import NoServer, empty_schema, empty_store
from support.waiting_time import Clock, time_of_waits

_MEMORY = Path("/dev/shm")
_MEMORY_LEAST_BYTES = 2 << 30
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _MEMORY_LEAST_BYTES:
    # Here pytest makes the folders of the tests: thousands of stores are written, each change with an fsync.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
# Compiled files are kept, whatever the environment says: each worker would compile every test again, and each process every module.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers() -> int:
    """More tests at once than the computer has cores: many of them wait for a virtual board, whose serial line keeps real time."""
    return (os.cpu_count() or 1) + 2


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> None:
    """Take what was imported so far out of the garbage collector: the app collects twice a second, and then only what its tests made."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def micropython() -> list[str]:
    """The command that starts the MicroPython interpreter."""
    return MICROPYTHON


@pytest.fixture(scope="session")
def labelled_motion() -> Path:
    """The folder of labelled recordings, which is not part of the repository; the test is skipped without it."""
    if not (DATA / "index.csv").is_file():
        pytest.skip("the labelled recordings are not at ../shared/data")
    return DATA


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new store: a file, then a database on a server, where the test is skipped if there is none."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    monkeypatch.setenv("RETROSTEP_HOME", str(tmp_path / "home"))
    return _or_skip(empty_store)


@pytest.fixture
def postgresql_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty schema on a server."""
    monkeypatch.setenv("RETROSTEP_HOME", str(tmp_path / "home"))
    return _or_skip(empty_schema)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the host and of a fake board, which passes only while the host waits."""
    return time_of_waits(monkeypatch)


def _or_skip(store: Callable[[], str]) -> str:
    """The URL of a store on a server; the test is skipped where there is none."""
    try:
        return store()
    except NoServer as why:
        pytest.skip(str(why))
