"""A store moves to a server and back, and into one file and out of it. Nothing is lost, and nothing is overwritten."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from retrostep.archive.contents import contents_of, sum_of
from retrostep.archive.moving import back_up, move_store, restore
from retrostep.archive.store import Store
from retrostep.errors import BadBackup, StoreMoved, StoreNotEmpty
from support.cli import Retrostep, one_sentence
from support.club import fill_club
from support.logs import DEVICE

FIRST = "RS-000000000000"
ON = ("--on", "2026-11-26")


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a club of three, with notes, a log in quarantine and an old line without a number in the journal."""
    folder = tmp_path_factory.mktemp("club")
    folder.joinpath("entries.jsonl").write_text('{"entry":"athlete","at_ms":1,"name":"Zo\\u0000e"}\n')
    with Store(f"sqlite:///{folder}/store.sqlite") as store:
        fill_club(store, ["Ada", "Ben", "Cem"], days=14, end=datetime(2026, 11, 26, tzinfo=UTC))
        store.raw.quarantine(DEVICE, 7, b"noise", "It cannot be read.")
    return folder


@pytest.fixture
def folder(club: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(club, tmp_path / "from"))


def sum_at(url: str) -> str:
    with Store(url, reading=True) as store:
        assert store.verify(lambda done, total: None).is_complete
        return sum_of(contents_of(store)).sha256


def answers(home: Path, url: str) -> list[object]:
    """What the commands of a coach say about a store."""
    commands = (("check", "--json", *ON), ("sessions", "--json"), ("rules", "--json"), ("athletes",), ("session", f"{FIRST}/1"))
    ran = [Retrostep(home)(*command, "--store", url) for command in commands]
    assert [one.err for one in ran] == [""] * len(ran)
    return [one.out for one in ran]


def test_a_club_moves_to_a_server_and_back(folder: Path, postgresql_url: str, tmp_path: Path) -> None:
    old, back = f"sqlite:///{folder}/store.sqlite", tmp_path / "back"
    before, told = sum_at(old), answers(tmp_path, old)
    moved = Retrostep(tmp_path)("store", "move", folder, postgresql_url)
    assert moved.status == 0 and "now; use it with --store" in moved.out and "s3cret" not in moved.out
    assert sum_at(postgresql_url) == before and answers(tmp_path, postgresql_url) == told
    (tmp_path / "runs.csv").write_text("date,duration\n2026-11-22 07:00,30\n2026-11-23 07:00,30\n")
    imported = Retrostep(tmp_path)("import", "Athlete 1", tmp_path / "runs.csv", "--store", postgresql_url)
    assert imported.status == 0, imported.err
    before = sum_at(postgresql_url)
    refused = one_sentence(Retrostep(tmp_path)("athletes", "add", "Dan", "--store", old))
    assert "was moved to postgresql://coach@" in refused and "s3cret" not in refused
    reopened = one_sentence(Retrostep(tmp_path)("store", "reopen", "--yes", "--store", old))
    assert "can be opened there" in reopened, "its address has what opening it needs"
    assert Retrostep(tmp_path)("store", "move", postgresql_url, back).status == 0
    assert sum_at(f"sqlite:///{back}/store.sqlite") == before
    assert sorted(path.name for path in back.iterdir() if path.suffix != ".lock") == ["entries.jsonl", "logs", "quarantine", "store.sqlite"]


def test_a_server_that_refuses_access_is_not_lost(folder: Path, postgresql_url: str) -> None:
    with Store(f"sqlite:///{folder}/store.sqlite") as store:
        store.mark_moved(postgresql_url.replace("coach:s3cret", "stranger"), "kim")
    assert "refuses access" in one_sentence(Retrostep(folder)("store", "reopen", "--yes"))


def test_a_move_that_fails_leaves_both_as_they_were(
    folder: Path, postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = f"sqlite:///{folder}/store.sqlite"
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("retrostep.archive.contents.sum_of", lambda contents: (_ for _ in ()).throw(KeyboardInterrupt))
        move_store(old, postgresql_url)
    with Store(postgresql_url) as store:
        assert not store.journal.size() and not store.raw.count() and not list(store.sessions())
    move_store(old, postgresql_url)
    with pytest.raises(StoreMoved):
        move_store(old, f"sqlite:///{tmp_path}/elsewhere/store.sqlite")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_is_one_file_from_which_everything_comes_back(
    kind: str, folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{folder}/store.sqlite"
    if kind == "postgresql":
        move_store(url, url := request.getfixturevalue("postgresql_url"))
    backup, before = tmp_path / "club.zip", sum_at(url)
    retrostep = Retrostep(tmp_path / "restored")
    made = retrostep("store", "backup", backup, "--store", url)
    assert (made.status, made.err) == (0, "") and "Checked: all is there." in made.out
    assert "exists already" in one_sentence(retrostep("store", "backup", backup, "--store", url))
    assert "is not empty" in one_sentence(retrostep("store", "restore", backup, "--store", url))
    assert f"{backup} is not a folder" in one_sentence(retrostep("store", "backup", backup / "inside.zip", "--store", url))
    missing = one_sentence(retrostep("store", "backup", tmp_path / "usb" / "deep" / "club.zip", "--store", url))
    assert f"There is no folder {tmp_path / 'usb'}:" in missing
    assert sum_at(url) == before
    assert retrostep("store", "restore", backup).status == 0
    assert sum_at(f"sqlite:///{retrostep.home}/store.sqlite") == before


def test_a_backup_reads_each_log_once_and_none_where_it_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, read, retrostep = tmp_path / "club.zip", [], Retrostep(folder)
    read_bytes = Path.read_bytes

    def counted(path: Path) -> bytes:
        read.extend([path.name] * (path.suffix == ".rsl" and "logs" in path.parts))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", counted)
    assert retrostep("store", "backup", backup).status == 0
    assert len(read) == len(list((folder / "logs").rglob("*.rsl"))) > 0
    read.clear()
    assert one_sentence(retrostep("store", "backup", backup)) and not read
    log = next((folder / "logs").rglob("*.rsl"))
    log.write_bytes(log.read_bytes()[:-1])
    made = retrostep("store", "backup", tmp_path / "damaged.zip")
    assert made.status == 4 and "damaged or missing" in made.err


def test_the_next_backup_removes_what_a_killed_one_left(folder: Path, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, running = (tmp_path / f".retrostep-backup.club.zip.{process}.new" for process in (ended.pid, os.getppid()))
    other = tmp_path / f".letter.odt.{ended.pid}.new"
    for path in (left, running, other):
        path.touch()
    with Store(f"sqlite:///{folder}/store.sqlite") as store:
        back_up(store, tmp_path / "today.zip")
    assert not left.exists() and running.exists() and other.exists()


def test_a_store_that_does_not_exist_is_not_moved(postgresql_url: str, tmp_path: Path) -> None:
    for source, target in ((tmp_path / "typo", tmp_path / "new"), (postgresql_url, tmp_path / "new"), (tmp_path / "typo", postgresql_url)):
        ran = Retrostep(tmp_path / "home")("store", "move", source, target)
        assert ran.status == 1 and "There is no store at " in one_sentence(ran)
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_not_put_inside_another(folder: Path, tmp_path: Path) -> None:
    retrostep = Retrostep(tmp_path / "home")
    link = tmp_path / "link"
    link.symlink_to(folder / "logs")
    before = sorted(folder.rglob("*"))
    for source, target in ((folder, folder / "new"), (folder, folder / "logs"), (folder, link), (folder / "logs", folder)):
        assert "inside the other" in one_sentence(retrostep("store", "move", source, target))
    backup, store = tmp_path / "club.zip", f"sqlite:///{folder}/store.sqlite"
    assert retrostep("store", "backup", backup, "--store", store).status == 0
    inside = f"sqlite:///{folder}/quarantine/store.sqlite"
    for command in (("restore", backup, "--store", inside), ("backup", folder / "logs" / "club.zip", "--store", store)):
        assert f"is inside the store in {folder}" in one_sentence(retrostep("store", *command))
    assert f"is inside the store in {folder}" in one_sentence(retrostep("athletes", "add", "Dan", "--store", inside))
    assert [path for path in sorted(folder.rglob("*")) if path.suffix != ".lock"] == [path for path in before if path.suffix != ".lock"]


@pytest.mark.parametrize("lost", ["server", "folder"])
def test_a_store_that_was_moved_is_used_again_when_the_other_one_is_lost(lost: str, folder: Path, tmp_path: Path) -> None:
    old, elsewhere, retrostep = f"sqlite:///{folder}/store.sqlite", tmp_path / "elsewhere", Retrostep(folder)
    if lost == "folder":
        assert retrostep("store", "move", folder, elsewhere).status == 0
        assert "can be opened there" in one_sentence(retrostep("store", "reopen", "--yes"))
        elsewhere.rename(tmp_path / "lost")
    else:
        with Store(old) as store:
            store.mark_moved("postgresql://coach@127.0.0.1:1/club", "kim")
    refused = one_sentence(retrostep("athletes", "add", "Dan"))
    assert refused.endswith(f"If that one is lost for good: `retrostep store reopen --store {old}`.")
    asked = one_sentence(retrostep("store", "reopen"))
    sessions = len(list((folder / "logs").rglob("*.rsl")))
    assert f"Here are {sessions} sessions" in asked and ("cannot be reached" if lost == "server" else "There is no store at") in asked
    assert retrostep("store", "reopen", "--yes").status == 0
    added = retrostep("athletes", "add", "Dan")
    assert (added.status, added.err) == (0, "")
    assert retrostep("store", "rebuild").status == 0 and retrostep("athletes", "add", "Eve").status == 0
    assert "was not moved" in one_sentence(retrostep("store", "reopen", "--yes"))


@pytest.mark.parametrize("way", ["restore", "move"])
def test_a_store_with_damage_comes_over_with_all_that_is_left(way: str, folder: Path, tmp_path: Path) -> None:
    url, new = f"sqlite:///{folder}/store.sqlite", tmp_path / "new"
    next((folder / "logs").rglob("*.rsl")).write_bytes(b"rotten")
    journal = folder / "entries.jsonl"
    journal.write_bytes(journal.read_bytes() + journal.read_bytes().splitlines(keepends=True)[-1])
    if way == "move":
        move_store(url, f"sqlite:///{new}/store.sqlite")
    else:
        with Store(url) as store:
            back_up(store, tmp_path / "club.zip")
        restore(tmp_path / "club.zip", f"sqlite:///{new}/store.sqlite")
    with Store(f"sqlite:///{new}/store.sqlite") as store:
        assert [row.name for row in store.athletes()] and store.raw.count() == len(list((folder / "logs").rglob("*.rsl")))
        assert b"rotten" in [path.read_bytes() for path in store.raw.quarantined()]


def test_a_restore_touches_nothing_beside_the_store(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, home, own = tmp_path / "club.zip", tmp_path / "home", tmp_path / "home" / "restoring" / "own.txt"
    with Store(f"sqlite:///{folder}/store.sqlite") as store:
        back_up(store, backup)
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    killed = home / ".restoring.999999999.new"
    killed.mkdir()
    rebuild = Store.rebuild

    def rebuilt_while_another_makes_a_store(store: Store) -> object:
        with Store(f"sqlite:///{home}/store.sqlite") as other:
            other.add_athlete("Eve")
        return rebuild(store)

    with monkeypatch.context() as patched, pytest.raises(StoreNotEmpty):
        patched.setattr(Store, "rebuild", rebuilt_while_another_makes_a_store)
        restore(backup, f"sqlite:///{home}/store.sqlite")
    with Store(f"sqlite:///{home}/store.sqlite") as store:
        assert [row.name for row in store.athletes()] == ["Eve"]
    assert own.read_text() == "mine" and not killed.exists() and not list(home.glob(".restoring*"))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    at = data.index(b"logs/") + 60
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def rewritten(change: Callable[[str, bytes], bytes | None]) -> Callable[[Path], None]:
    def rewrite(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members:
                if (new := change(name, data)) is not None:
                    archive.writestr(name, new)

    return rewrite


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts:
            archive.writestr(name, data, zipfile.ZIP_BZIP2)


def raised(name: str, data: bytes) -> bytes:
    return json.dumps({**json.loads(data), "retrostep_backup": 2}).encode() if name == "backup.json" else data


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.write_bytes(cut(path.read_bytes())), "is not a complete backup"),
        (lambda path: path.write_bytes(flipped(path.read_bytes())), "is not a complete backup"),
        (lambda path: path.write_bytes(b"no archive"), "is not a complete backup"),
        (lambda path: path.unlink(), "There is no file"),
        (rewritten(lambda name, data: None if name.endswith("1.rsl") else data), "is not a complete backup"),
        (rewritten(lambda name, data: data + b"\n" if name == "entries.jsonl" else data), "is not a complete backup"),
        (rewritten(lambda name, data: b"[]" if name == "backup.json" else data), "is not a complete backup"),
        (bomb, "is not a complete backup"),
        (rewritten(raised), "A newer version of Retrostep wrote the backup"),
    ],
)
def test_a_damaged_backup_is_one_sentence_and_restores_nothing(
    damage: Callable[[Path], object], sentence: str, folder: Path, tmp_path: Path
) -> None:
    backup, retrostep = tmp_path / "club.zip", Retrostep(tmp_path / "restored")
    assert retrostep("store", "backup", backup, "--store", f"sqlite:///{folder}/store.sqlite").status == 0
    damage(backup)
    ran = retrostep("store", "restore", backup)
    assert sentence in one_sentence(ran) and ran.status == (BadBackup.exit_status if backup.exists() else 1)
    assert not retrostep.home.exists()
