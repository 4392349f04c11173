"""Opening a store: it is compared with the raw logs and the journal, and what was lost is restored or reported."""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from retrostep.archive import catalogue
from retrostep.archive.raw_logs import LogFolder, RawLogs
from retrostep.archive.store import Store, rebuild_store
from retrostep.device.core_version import core_hash
from retrostep.errors import LogsMissing, NoStore
from support.cli import Retrostep, one_sentence
from support.logs import DEVICE, session_log
from support.stored import receive, remove_store, store_url

OTHER = "112233445566"
ON = ("--on", "2026-11-26")
READING = (("check", *ON), ("sessions",), ("session", f"{DEVICE}/2"), ("athletes",), ("rules",), ("store", "status"), ("store", "verify"))


def log(number: int, day: int, backward_s: float, device: str = DEVICE) -> bytes:
    return session_log(
        number, device=device, started=f"2026-11-{day} 12:00", backward_s=backward_s, boot=number, core_hash=core_hash(), forward_s=900
    )


@pytest.fixture(autouse=True)
def private_files() -> Iterator[None]:
    """What the tests write themselves is closed to other users, too."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def retrostep(home: Path) -> Retrostep:
    """The command on a store in which Ada fails session_spike."""
    with Store(store_url(home)) as store:
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
        for number, day, seconds in ((1, 20, 100), (2, 25, 200)):
            data = log(number, day, seconds)
            receive(store, number, data)
    command = Retrostep(home)
    assert command("check", *ON).status == 3
    return command


def files(home: Path) -> dict[str, bytes]:
    """Every file of the data folder, without the database: it has a new header after each write."""
    paths = [path for path in home.rglob("*") if path.is_file() and "store.sqlite" not in path.name]
    return {str(path.relative_to(home)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("loss", ["gone", "zero length", "older", "rows"])
def test_a_store_that_lacks_sessions_catches_up_with_one_line(retrostep: Retrostep, home: Path, loss: str) -> None:
    before = files(home)
    if loss == "gone":
        remove_store(home)
    elif loss == "zero length":
        remove_store(home)
        (home / "store.sqlite").touch()
    elif loss == "older":
        backup = (home / "store.sqlite").read_bytes()
        with Store(store_url(home)) as store:
            data = log(3, 26, 400)
            receive(store, 3, data)
        before = files(home)
        remove_store(home)
        (home / "store.sqlite").write_bytes(backup)
    else:
        with sqlite3.connect(home / "store.sqlite") as db:
            db.execute("DELETE FROM sessions")
        db.close()
    ran = retrostep("check", *ON)
    assert ran.status == 3 and re.search(r"^FAIL +\w+ +Ada ", ran.out, re.MULTILINE)
    (line,) = ran.err.splitlines()
    assert line == f"Note: The store lacked {'1 session' if loss == 'older' else '2 sessions'} of the raw logs. They were added."
    assert files(home) == before, "the receipts were in the journal already"
    assert retrostep("check", *ON).err == ""


def test_a_log_that_a_killed_sync_archived_is_in_the_next_answer(retrostep: Retrostep, home: Path) -> None:
    """The file is there, and neither its receipt nor its row."""
    with Store(store_url(home)) as store:
        store.raw.commit(DEVICE, 3, log(3, 26, 500))
    assert "lacked 1 session" in retrostep("sessions").err
    assert [one["session"] for one in retrostep("sessions", "--json").json["sessions"]] == [f"{DEVICE}/{n}" for n in (1, 2, 3)]
    with Store(store_url(home)) as store:
        receipts = [line.entry for line in store.journal.lines() if line.entry and line.entry["entry"] == "received"]
    assert [receipt["number"] for receipt in receipts] == [1, 2, 3]


def test_a_log_that_grew_without_a_receipt_is_taken_and_a_shorter_one_is_not(retrostep: Retrostep, home: Path) -> None:
    data = log(3, 26, 500)
    with Store(store_url(home)) as store:
        receive(store, 3, data[:-40])
        path = store.raw.commit(DEVICE, 3, data)
    assert "lacked 1 session" in retrostep("sessions").err
    assert retrostep("session", "3", "--json").json["end"] == "stillness"
    path.write_bytes(data[:-40])
    ran = retrostep("check", *ON)
    assert ran.status == 3
    assert ran.err == (
        "Warning: 1 raw log is not as received on this computer. To see which: `retrostep store verify`. "
        "A sync brings back what a board still has.\n"
    )
    assert retrostep("session", "3", "--json").json["end"] == "stillness", "the row is that of the complete log"


def test_a_missing_log_is_a_warning_while_the_store_has_its_session(retrostep: Retrostep, home: Path) -> None:
    (home / "logs" / DEVICE / "00000002.rsl").unlink()
    ran = retrostep("check", *ON)
    assert ran.status == 3 and "1 raw log is missing on this computer" in ran.err


def test_a_session_of_which_nothing_is_left_is_never_dropped_silently(retrostep: Retrostep, home: Path) -> None:
    (home / "logs" / DEVICE / "00000002.rsl").unlink()
    rebuilt = retrostep("store", "rebuild")
    assert rebuilt.status == 4 and f"Missing: session {DEVICE}/2 was received, and its log is gone." in rebuilt.err
    assert retrostep("store", "rebuild", "--json").json["lost"] == [f"{DEVICE}/2"]
    remove_store(home)
    ran = retrostep("check", *ON)
    assert ran.status == 4 and "1 raw log is missing" in ran.err
    with Store(store_url(home)) as store:
        assert store.lost_sessions == [f"{DEVICE}/2"] and isinstance(store.notices[0], LogsMissing)


def test_logs_of_a_device_that_is_gone_altogether_are_missing(retrostep: Retrostep, home: Path) -> None:
    shutil.rmtree(home / "logs")
    assert "2 raw logs are missing" in retrostep("sessions").err
    remove_store(home)
    ran = retrostep("sessions")
    assert "2 raw logs are missing" in ran.err and "No sessions" in ran.out


def test_a_large_archive_skips_folders_that_have_not_changed(retrostep: Retrostep, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "LARGE_ARCHIVE_LOGS", 1)
    monkeypatch.setattr(catalogue, "SETTLED_NS", -10_000_000_000)
    with Store(store_url(home)) as store:
        data = log(1, 21, 100, OTHER)
        receive(store, 1, data, OTHER)
    rebuild_store(store_url(home))
    compared: list[str] = []
    compare = catalogue._compare_folder

    def counted(raw: RawLogs, folder: LogFolder, *rest: Any) -> None:
        compared.append(folder.device)
        compare(raw, folder, *rest)

    monkeypatch.setattr(catalogue, "_compare_folder", counted)
    assert retrostep("sessions").err == "" and compared == []
    (home / "logs" / OTHER / "00000001.rsl").unlink()
    assert "1 raw log is missing" in retrostep("sessions").err and compared == [OTHER]
    assert "1 raw log is missing" in retrostep("sessions").err, "and every time"
    (home / "logs" / OTHER / "00000001.rsl").write_bytes(data)
    assert retrostep("sessions").err == ""
    shutil.rmtree(home / "logs" / DEVICE)
    assert "2 raw logs are missing" in retrostep("sessions").err


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_reading_commands_refuse_a_store_that_does_not_exist(retrostep: Retrostep, tmp_path: Path, command: tuple[str]) -> None:
    ran = retrostep(*command, "--store", f"sqlite:///{tmp_path}/nto/there/club.sqlite")
    assert ran.status == 1 and "There is no store at" in one_sentence(ran)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


@pytest.mark.parametrize(
    "command", [("athletes", "add", "Ben"), ("note", "1", "--pain", "3"), ("sync", "--port", "none"), ("store", "rebuild")], ids=" ".join
)
def test_a_mistyped_folder_is_refused_by_the_other_commands(retrostep: Retrostep, tmp_path: Path, command: tuple[str]) -> None:
    ran = retrostep(*command, "--store", f"sqlite:///{tmp_path}/nto/there/club.sqlite")
    assert ran.status == 1 and "There is no" in one_sentence(ran)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


@pytest.mark.parametrize("command", [("check",), ("sessions",), ("athletes",), ("rules",), ("store", "status"), ("store", "verify")])
def test_on_a_new_computer_reading_commands_create_nothing(tmp_path: Path, command: tuple[str]) -> None:
    ran = Retrostep(tmp_path / "new")(*command)
    assert (ran.status, ran.err) == (0, "") and not list(tmp_path.iterdir())


@pytest.mark.parametrize("state", ["complete", "behind", "lost", "short journal", "killed"])
def test_reading_commands_work_in_a_folder_that_cannot_be_written(
    retrostep: Retrostep, home: Path, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrostep.archive.place._is_writable", lambda path: False)
    if state == "behind":
        with sqlite3.connect(home / "store.sqlite") as db:
            db.execute("DELETE FROM sessions")
        db.close()
    elif state == "lost":
        remove_store(home)
    elif state == "short journal":
        (home / "entries.jsonl").write_bytes(b"")
    elif state == "killed":
        db = sqlite3.connect(home / "store.sqlite")
        db.execute("UPDATE athletes SET name = 'Ann'")
        db.commit()
        copies = [(path, path.read_bytes()) for path in home.glob("store.sqlite*")]
        db.close()
        for path, data in copies:
            path.write_bytes(data)
        assert (home / "store.sqlite-wal").stat().st_size
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for command in READING:
        ran = retrostep(*command)
        assert ran.status in (0, 3, 4 if command == ("store", "verify") else 0) and "Error" not in ran.err, (command, ran)
        assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before, command
    ran = retrostep("check", *ON)
    name = "Ann" if state == "killed" else "Ada"
    assert ran.status == 3 and re.search(rf"^FAIL +\w+ +{name} ", ran.out, re.MULTILINE)
    assert ("had lost" in ran.err) == (state == "short journal") and ("They still count" in ran.err) == (state == "short journal")


def test_a_store_to_read_must_be_named_or_be_the_default_one(tmp_path: Path) -> None:
    with pytest.raises(NoStore, match="There is no store at"):
        Store(f"sqlite:///{tmp_path}/x.sqlite", reading=True)
    assert not list(tmp_path.iterdir())


DAMAGE = {
    "noise": lambda data: b"noise" * 5_000,
    "no header": lambda data: b"\0" * 100 + data[100:],
    "half": lambda data: data[: len(data) // 2],
    "one page": lambda data: data[:4096],
    "short": lambda data: data[:50],
    "no schema": lambda data: data[:100] + bytes(3_996) + data[4096:],
    "renamed table": lambda data: data.replace(b"store_state", b"store_stata"),
    "renamed columns": lambda data: data.replace(b"placed_at_ms", b"placed_at_xx"),
    "no text": lambda data: data.replace(b"CREATE TABLE", b"CREATE TABEL"),
}


@pytest.mark.parametrize("damage", [*DAMAGE, "folder"])
def test_a_damaged_store_is_one_sentence_and_a_rebuild_always_works(retrostep: Retrostep, home: Path, damage: str) -> None:
    path = home / "store.sqlite"
    data = path.read_bytes()
    remove_store(home)
    if damage == "folder":
        path.mkdir()
        (path / "precious").write_text("mine")
    else:
        path.write_bytes(DAMAGE[damage](data))
    ran = retrostep("check", *ON)
    assert ran.status == 4 and "To rebuild it" in one_sentence(ran), ran
    rebuilt = retrostep("store", "rebuild")
    assert rebuilt.status == 0 and "in the place of the store is kept in" in rebuilt.err, rebuilt
    assert retrostep("check", *ON).status == 3
    kept = min(home.glob("quarantine/store.sqlite.*"))
    if damage == "folder":
        assert (kept / "precious").read_text() == "mine"


def test_any_flipped_byte_of_a_store_is_harmless_or_one_sentence_and_rebuilt(retrostep: Retrostep, home: Path) -> None:
    """A flipped byte may change a number that SQLite cannot check. `verify` finds those of sessions, and `rebuild` corrects them all."""
    path = home / "store.sqlite"
    good = path.read_bytes()
    outcomes = set()
    for place in [*range(3, 110, 13), *range(110, len(good), len(good) // 25)]:
        remove_store(home)
        path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        ran = retrostep("check", *ON)
        assert "fault of Retrostep" not in ran.err and len(ran.err.splitlines()) <= 2, (place, ran)
        outcomes.add(ran.status)
        rebuilt = retrostep("store", "rebuild")
        assert rebuilt.status == 0, (place, rebuilt)
        assert retrostep("check", *ON).status == 3, place
    assert {3, 4} <= outcomes


@pytest.mark.parametrize("below", ["", "deeper"])
@pytest.mark.parametrize("command", [*READING, ("athletes", "add", "Ada"), ("store", "rebuild")])
def test_a_file_in_place_of_the_data_folder_is_refused(tmp_path: Path, command: tuple[str, ...], below: str) -> None:
    file = tmp_path / "home"
    file.write_text("a file")
    ran = Retrostep(file / below)(*command)
    assert ran.status == 1 and ran.out == ""
    assert f"{file} is a file, not a folder" in one_sentence(ran)
    assert file.read_text() == "a file"
