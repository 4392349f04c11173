"""What can be in the place of the store, where it cannot be written, and what its files are open to."""

import errno
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from retrostep.archive.durable_files import disk_full
from retrostep.archive.store import Store
from retrostep.archive.tables import Tables
from sqlalchemy import Engine, event
from support.cli import Retrostep, one_sentence
from support.logs import DEVICE
from support.stored import store_url, with_adas_session

READING = (("check",), ("sessions",), ("session", "1"), ("athletes",), ("rules",), ("store", "status"), ("store", "verify"))
needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files or modes")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def retrostep(home: Path) -> Retrostep:
    """The command on a store with Ada and her session."""
    return with_adas_session(home)


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE precious (x)")
    db.close()


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "mine").write_text("precious")


OTHER_THINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (lambda path: os.mkfifo(path), "is not a regular file"),
    "folder": (make_folder, "is a folder"),
    "dangling link": (lambda path: path.symlink_to(path.parent.parent / "elsewhere.sqlite"), "is a link to a file that does not exist"),
    "another database": (other_database, "is another program's database"),
    "link to another database": (
        lambda path: (other_database(path.parent.parent / "elsewhere.sqlite"), path.symlink_to(path.parent.parent / "elsewhere.sqlite")),
        "is another program's database",
    ),
}


@needs_posix
@pytest.mark.timeout(120)
@pytest.mark.parametrize("part", ["", "-wal"])
@pytest.mark.parametrize("thing", OTHER_THINGS)
def test_another_thing_in_the_place_of_the_store_is_named_and_moved_aside_by_rebuild(
    retrostep: Retrostep, home: Path, tmp_path: Path, thing: str, part: str
) -> None:
    make, what = OTHER_THINGS[thing]
    if part and "database" in thing:
        pytest.skip("SQLite replaces the contents of a write-ahead log that is not its own")
    for path in home.glob("store.sqlite*"):
        if not part or path.name.endswith(part):
            path.unlink()
    make(home / f"store.sqlite{part}")
    elsewhere = tmp_path / "elsewhere.sqlite"
    before = elsewhere.read_bytes() if elsewhere.exists() else None
    for command in (("sessions",), ("athletes", "add", "Ben")):
        ran = retrostep(*command)
        assert ran.status in (1, 4) and what in one_sentence(ran), ran
    rebuilt = retrostep("store", "rebuild")
    assert rebuilt.status == 0 and "in the place of the store is kept in" in rebuilt.err, rebuilt
    assert retrostep("sessions", "--json").json["sessions"][0]["athlete"] == "Ada"
    assert (elsewhere.read_bytes() if elsewhere.exists() else None) == before, "a link is not followed"
    (aside,) = (path for path in home.glob("quarantine/store.sqlite*") if path.name.endswith(part))
    if thing == "folder":
        assert (aside / "mine").read_text() == "precious"
    elif thing == "another database":
        with sqlite3.connect(aside) as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",), "it was not changed"
        db.close()


@pytest.mark.parametrize("by_url", [True, False])
def test_another_database_with_nothing_beside_it_is_moved_aside_only_with_a_word(home: Path, by_url: bool) -> None:
    home.mkdir()
    other_database(home / "store.sqlite")
    before = (home / "store.sqlite").read_bytes()
    command = ("store", "rebuild", *(("--store", store_url(home)) if by_url else ()))
    refused = Retrostep(home)(*command)
    assert refused.status != 0 and "another program's database" in one_sentence(refused) and "--yes" in refused.err
    assert (home / "store.sqlite").read_bytes() == before and [path.name for path in home.iterdir()] == ["store.sqlite"]
    done = Retrostep(home)(*command, "--yes")
    assert done.status == 0 and "The store has 0 sessions." in done.out and "is kept in" in done.err
    (aside,) = home.glob("quarantine/store.sqlite*")
    assert aside.read_bytes() == before
    assert Retrostep(home)("sessions").status == 0


@needs_posix
@pytest.mark.timeout(120)
@pytest.mark.parametrize("thing", ["pipe", "folder", "dangling link"])
def test_another_thing_in_the_place_of_the_journal_is_refused(retrostep: Retrostep, home: Path, tmp_path: Path, thing: str) -> None:
    (home / "entries.jsonl").unlink()
    OTHER_THINGS[thing][0](home / "entries.jsonl")
    for command in (("sessions",), ("athletes", "add", "Ben"), ("store", "rebuild")):
        ran = retrostep(*command)
        assert ran.status == 1 and "entries.jsonl is not a regular file" in one_sentence(ran)
    assert not (tmp_path / "elsewhere.sqlite").exists()


def test_an_entry_that_is_saved_when_the_disk_is_full_is_not_asked_for_again(
    retrostep: Retrostep, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(Tables, "apply_journal", mock.Mock(side_effect=disk_full(home / "store.sqlite")))
        ran = retrostep("note", "Ada", "sore")
    assert ran.status == 1 and "is saved: look there before you enter it again." in one_sentence(ran) and "run this again" not in ran.err
    assert [note["text"] for note in retrostep("session", "Ada", "--json").json["notes"]] == ["sore"]


def test_a_disk_that_fills_up_within_a_rebuild_is_called_full(retrostep: Retrostep, home: Path) -> None:
    with Store(store_url(home)) as store:
        for number in range(40):
            store.note(DEVICE, 1, text=f"{number}" * 1_000)
    (home / "store.sqlite").unlink()

    pages = 0

    def small(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", small)
    try:
        for pages in range(84, 120, 2):
            rebuilt = retrostep("store", "rebuild")
            assert rebuilt.status == 1 and "No room left" in one_sentence(rebuilt), (pages, rebuilt)
    finally:
        event.remove(Engine, "connect", small)
    assert retrostep("store", "rebuild").status == 0


@pytest.mark.parametrize("name", ["50% off", "p%41c", "what?", "a?b=c", "#1"])
def test_a_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    retrostep = Retrostep(tmp_path / "outer" / name)
    retrostep.home.mkdir(parents=True)
    assert retrostep("athletes", "add", "Ada").status == 0
    moved = tmp_path / "outer" / f"new {name}"
    assert retrostep("store", "move", retrostep.home, moved).status == 0
    assert [path.name for path in (tmp_path / "outer").iterdir() if path not in (retrostep.home, moved)] == []
    assert {"store.sqlite", "entries.jsonl"} <= {path.name for path in moved.iterdir()}
    status = Retrostep(moved)("store", "status", "--json").json
    assert status["folder"] == str(moved) and retrostep("athletes", "--json", "--store", status["store"]).json["athletes"]
    if "?" in name:
        assert "with ? and % in the path as %3F and %25" in one_sentence(retrostep("check", "--store", f"sqlite:///{moved}/store.sqlite"))


@needs_posix
@pytest.mark.parametrize("home", ["~no-such-user/club", None])
def test_a_user_without_a_home_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str | None) -> None:
    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", mock.Mock(side_effect=KeyError))
    monkeypatch.setattr("platformdirs.user_data_dir", mock.Mock(side_effect=RuntimeError))
    retrostep = Retrostep(Path(home or "."))
    retrostep.environment["RETROSTEP_HOME"] = home or ""
    for command in (("check",), ("athletes", "add", "Ada"), ("store", "move", home or "~/club", tmp_path / "new")):
        ran = retrostep(*command)
        assert ran.status == 1 and one_sentence(ran).endswith("with RETROSTEP_HOME.")
    assert retrostep("athletes", "add", "Ada", "--store", f"sqlite:///{tmp_path}/store.sqlite").status == 0


def test_reading_commands_answer_on_a_full_disk(retrostep: Retrostep, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write in the data folder fails, that of the database's own files too."""
    real_open, real_connect = os.open, sqlite3.dbapi2.connect

    def full(path: object, flags: int, *rest: int, **more: int) -> int:
        if str(path).startswith(str(home)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_open(path, flags, *rest, **more)  # type: ignore[arg-type]

    def connect(database: str, *rest: object, **more: object) -> sqlite3.Connection:
        if str(database).startswith(str(home)):
            raise sqlite3.OperationalError("database or disk is full")
        return real_connect(database, *rest, **more)  # type: ignore[call-overload,no-any-return]

    expected = {command: retrostep(*command) for command in READING}
    monkeypatch.setattr(os, "open", full)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", connect)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for command in READING:
        ran = retrostep(*command)
        assert (ran.status, ran.out, ran.err) == (expected[command].status, expected[command].out, ""), (command, ran)
    ran = retrostep("athletes", "add", "Ben")
    assert ran.status == 1 and "No room left" in one_sentence(ran)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become another user")
def test_reading_commands_answer_another_user_in_a_folder_that_only_root_can_write(retrostep: Retrostep, home: Path) -> None:
    expected = {command: retrostep(*command) for command in READING}  # which imports what that user may not read
    os.chmod(home, 0o755)
    for path in home.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for path in (home, *home.parents):
        if path.stat().st_uid == 0 and path != Path("/") and path.stat().st_mode & 0o055 != 0o055:
            path.chmod(path.stat().st_mode | 0o055)
    before = {path: (path.stat().st_mode, path.is_file() and path.read_bytes()) for path in home.rglob("*")}
    os.seteuid(65_534)
    try:
        found = {command: retrostep(*command) for command in READING}
        entered = retrostep("athletes", "add", "Ben")
    finally:
        os.seteuid(0)
    for command in READING:
        assert (found[command].status, found[command].out) == (0, expected[command].out), (command, found[command])
        assert found[command].err == "", (command, found[command])
    assert entered.status == 1 and "cannot be" in one_sentence(entered)
    assert {path: (path.stat().st_mode, path.is_file() and path.read_bytes()) for path in home.rglob("*")} == before


@needs_posix
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o277, 0o777])
def test_files_are_for_this_user_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    script = (
        "import os, sys; os.umask(int(sys.argv[1])); sys.path.insert(0, sys.argv[2])\n"
        "from retrostep.archive.store import Store\nfrom support.logs import session_log\n"
        "store = Store(f'sqlite:///{sys.argv[3]}/store.sqlite')\n"
        "for number in (1, 2):\n"
        "    store.raw.partial('a1', number).append(b'x')\n"
        "    store.raw.commit('a1', number, session_log(number, device='a1'))\n"
        "    store.ingest('a1', number, session_log(number, device='a1'))\n"
        "store.raw.quarantine('a1', 3, b'x', 'a test')\n"
        "modes = [(path, os.lstat(path).st_mode & 0o777, path.is_dir()) for path in store.data_dir.path.rglob('*')]\n"
        "assert len(modes) > 12, modes\n"
        "assert all(mode == (0o700 if folder else 0o600) for _, mode, folder in modes), modes\n"
    )
    home = tmp_path / "home"
    tests = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-c", script, str(umask), str(tests), str(home)], check=True)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@needs_posix
def test_a_path_that_is_no_store_is_not_closed_to_others(retrostep: Retrostep, home: Path) -> None:
    """As root, a mistyped path may be a file that every program reads."""
    shared = home.parent / "shared"
    shared.mkdir()
    (shared / "passwd").write_text("root:x:0:0\n")
    for path in (shared, shared / "passwd"):
        path.chmod(0o755)
    ran = retrostep("check", "--store", f"sqlite:///{shared}/passwd")
    assert ran.status == 4 and "is damaged" in one_sentence(ran)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (shared, shared / "passwd")} == {0o755}
