"""A log that rotted or vanished on this computer, while its board still has it; and programs that were killed or ran out of disk."""

import binascii
import errno
import itertools
import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from retrostep.archive.ingest import archive_log
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.store import Store
from retrostep.device.client import DeviceClient
from retrostep.errors import DiskFull, RetrostepError
from retrostep.sync.sync import SyncResult, sync_board
from support.fake_board import FakeBoard
from support.logs import DEVICE, session_log

LOGS = {number: session_log(number, forward_s=200 + 100 * number, backward_s=50, boot=number) for number in (1, 2, 3)}


pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/home/store.sqlite"


def plugged_in(tmp_path: Path, logs: dict[int, bytes] = LOGS) -> FakeBoard:
    board = FakeBoard(tmp_path / "flash")
    for number, log in logs.items():
        if not board.flash.holds(number):
            board.put(number, log)
    return board


def sync(board: FakeBoard, store: Store) -> SyncResult:
    return sync_board(DeviceClient(board), store)


def assert_complete(store: Store, board: FakeBoard, logs: dict[int, bytes] = LOGS) -> None:
    assert {log.session: log.path.read_bytes() for log in store.raw.all()} == logs
    assert {row.number: row.log_crc for row, _ in store.sessions()} == {number: binascii.crc32(log) for number, log in logs.items()}
    assert all(board.flash.confirmed(number) for number in logs)
    assert store.verify(lambda done, total: None).is_complete
    names = [path.name for path in store.data_dir.path.rglob("*") if path.is_file()]
    assert not [name for name in names if name.endswith((".new", ".part"))]


ROT = {
    "a flipped bit": lambda log: log[:500] + bytes([log[500] ^ 1]) + log[501:],
    "a flipped bit in the header": lambda log: log[:9] + bytes([log[9] ^ 1]) + log[10:],
    "a zeroed page": lambda log: log[:512] + bytes(512) + log[1024:],
    "zeroes": lambda log: bytes(len(log)),
    "a shorter file": lambda log: log[:-100],
    "an empty file": lambda log: b"",
    "a longer file": lambda log: log + b"\xff" * 40,
    "another session": lambda log: session_log(9, forward_s=300),
    "another log of that number": lambda log: session_log(2, forward_s=401, backward_s=50, boot=2),
    "gone": None,
}


@pytest.mark.parametrize("is_confirmed", [True, False], ids=["confirmed", "not confirmed"])
@pytest.mark.parametrize("rot", ROT)
def test_a_sync_brings_back_what_rotted_here(tmp_path: Path, url: str, rot: str, is_confirmed: bool) -> None:
    board = plugged_in(tmp_path)
    with Store(url) as store:
        sync(board, store)
        path = store.raw.path(DEVICE, 2)
    change: Callable[[bytes], bytes] | None = ROT[rot]
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(LOGS[2]))
    if not is_confirmed:
        for confirmed in (tmp_path / "flash").rglob("*.rsc"):
            confirmed.rename(confirmed.with_suffix(".rsl"))
        board = plugged_in(tmp_path)
        board.put(1, LOGS[1])
    with Store(url) as store:
        rotten = store.verify(lambda done, total: None)
        assert not rotten.is_complete
        result = sync(board, store)
        outcomes = {one.session: (one.outcome, one.restored) for one in result.sessions}
        assert outcomes == {1: ("had", False), 2: ("received", True), 3: ("had", False)} and result.exit_status == 0
        assert_complete(store, board)
        kept = [one.read_bytes() for one in store.raw.quarantined()]
        assert kept == [] or kept == [change(LOGS[2])] if change else kept == []
    with Store(url) as store:
        assert store.notices == []


@pytest.mark.parametrize("position", [0, 9, 500, len(LOGS[2]) - 1])
def test_a_log_that_rotted_before_its_receipt_was_lost_comes_back(tmp_path: Path, url: str, position: int) -> None:
    """Without journal and store, the receipt is made from the rotten log. Its board is asked nevertheless."""
    board = plugged_in(tmp_path)
    with Store(url) as store:
        sync(board, store)
        path = store.raw.path(DEVICE, 2)
        journal = store.journal.path
    path.write_bytes(LOGS[2][:position] + bytes([LOGS[2][position] ^ 1]) + LOGS[2][position + 1 :])
    for lost in (journal, *journal.parent.glob("store.sqlite*")):
        lost.unlink()
    with Store(url) as store:
        result = sync(board, store)
        assert {one.session: one.outcome for one in result.sessions} == {1: "had", 2: "received", 3: "had"}
        assert_complete(store, board)


OTHER_THINGS: dict[str, Callable[[Path], object]] = {
    "pipe": lambda path: os.mkfifo(path),
    "folder": lambda path: (path.mkdir(), (path / "mine").write_text("precious")),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
}


@pytest.fixture
def bounded() -> Iterator[None]:
    """Fail instead of waiting forever."""

    def give_up(*_: Any) -> None:
        raise TimeoutError("the call waits forever")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize("place", ["logs", "incoming"])
@pytest.mark.parametrize("thing", OTHER_THINGS)
def test_another_thing_in_the_place_of_a_log_is_set_aside(tmp_path: Path, url: str, thing: str, place: str, bounded: None) -> None:
    board = plugged_in(tmp_path)
    with Store(url) as store:
        sync(board, store)
        path = store.raw.path(DEVICE, 2)
        path.unlink()
        if place == "incoming":
            path = store.data_dir.incoming / DEVICE / "00000002.part"
            path.parent.mkdir(exist_ok=True)
        OTHER_THINGS[thing](path)
    with Store(url) as store:
        result = sync(board, store)
        assert {one.session: one.outcome for one in result.sessions} == {1: "had", 2: "received", 3: "had"} and result.exit_status == 0
        assert_complete(store, board)
        (aside,) = [one for one in store.data_dir.quarantine.iterdir() if one.name.startswith(path.name)]
        assert not aside.is_dir() or (aside / "mine").read_text() == "precious"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize("name", ["entries.jsonl", "entries.jsonl.lock", f"incoming/{DEVICE}.lock"])
@pytest.mark.parametrize("thing", OTHER_THINGS)
def test_another_thing_in_the_place_of_journal_or_lock_is_named(tmp_path: Path, url: str, thing: str, name: str, bounded: None) -> None:
    board = plugged_in(tmp_path)
    with Store(url) as store:
        sync(board, store)
        path = store.data_dir.path / name
    path.unlink()
    OTHER_THINGS[thing](path)
    with pytest.raises(RetrostepError, match=f"{re.escape(str(path))} is not a regular file: move it away"), Store(url) as store:
        sync(board, store)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_verify_waits_for_no_pipe(tmp_path: Path, url: str, bounded: None) -> None:
    with Store(url) as store:
        sync(plugged_in(tmp_path), store)
        pipes = [store.raw.path(DEVICE, 7), store.raw.quarantine_path(DEVICE, 2, 99), store.data_dir.incoming / DEVICE / "00000002.part"]
        for pipe in pipes:
            pipe.parent.mkdir(parents=True, exist_ok=True)
            os.mkfifo(pipe)
        done = store.verify(lambda done, total: None)
    assert {finding.path for _, finding in done.findings()} == set(pipes[:2])


def test_nothing_is_confirmed_before_it_is_whole_again(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up while the log comes back: the board keeps it."""
    board = plugged_in(tmp_path)
    with Store(url) as store:
        sync(board, store)
        path = store.raw.path(DEVICE, 2)
        path.write_bytes(LOGS[2][:-100])
        for confirmed in (tmp_path / "flash").rglob("*.rsc"):
            confirmed.rename(confirmed.with_suffix(".rsl"))
        board = plugged_in(tmp_path)
        board.put(1, LOGS[1])

        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "full")

        with monkeypatch.context() as broken:
            broken.setattr(os, "replace", full)
            with pytest.raises(DiskFull):
                sync(board, store)
        assert not board.flash.confirmed(2)
        sync(board, store)
        assert_complete(store, board)


def test_what_is_here_already_is_on_the_disk_before_it_is_confirmed(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may have been killed between writing the log and syncing it."""
    board = plugged_in(tmp_path)
    order: list[str] = []
    fsync, write = os.fsync, FakeBoard.write

    def noted(handle: int) -> None:
        order.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    def asked(fake: FakeBoard, data: bytes | memoryview) -> int:
        if isinstance(data, bytes) and b" CONFIRM " in data:
            order.append(f"confirm {data.split()[3].decode()}")
        return write(fake, data)

    with Store(url) as store:
        for number, log in LOGS.items():
            store.raw.commit(DEVICE, number, log)
        monkeypatch.setattr(os, "fsync", noted)
        monkeypatch.setattr(FakeBoard, "write", asked)
        assert [one.outcome for one in sync(board, store).sessions] == ["had"] * 3
    confirmed = [step for step in order if step.startswith("confirm")]
    assert len(confirmed) == 3
    for number, step in zip(LOGS, confirmed, strict=True):
        before = order[: order.index(step)]
        assert f"{number:08d}.rsl" in before and DEVICE in before[before.index(f"{number:08d}.rsl") :]


def test_a_beginning_of_a_log_never_replaces_a_damaged_but_longer_copy(tmp_path: Path, url: str) -> None:
    log = LOGS[1]
    damaged = log[:300] + bytes([log[300] ^ 1]) + log[301:]
    beginning = next(log[:end] for end in range(len(log) // 2, len(log)) if not summarize_log(log[:end]).is_damaged)
    with Store(url) as store:
        archive_log(store, summarize_log(damaged), damaged)
        with pytest.raises(RetrostepError, match="both are kept"):
            archive_log(store, summarize_log(beginning), beginning)
        assert store.raw.read(DEVICE, 1) == damaged
        store.add_log(archive_log(store, summarize_log(log), log))
        assert store.raw.read(DEVICE, 1) == log and store.verify(lambda done, total: None).is_complete


def test_a_log_that_came_while_the_clock_was_wrong_gets_a_receipt_later(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    board = plugged_in(tmp_path)
    with Store(url) as store:
        with monkeypatch.context() as early:
            early.setattr("retrostep.archive.store.now_ms", lambda: 90_000)
            sync(board, store)
        assert {store.receipt((DEVICE, number, 0)).received_at_ms for number in LOGS} == {None}  # type: ignore[union-attr]
        lines = store.journal.size()
        sync(board, store)
        received = [store.receipt((DEVICE, number, 0)).received_at_ms for number in LOGS]  # type: ignore[union-attr]
        assert all(received) and store.journal.size() > lines
        rows = [(row.dated, row.received_at_ms) for row, _ in store.sessions()]
        store.rebuild()
        assert [(row.dated, row.received_at_ms) for row, _ in store.sessions()] == rows


def test_leftovers_of_killed_programs_are_removed(tmp_path: Path, url: str) -> None:
    board = plugged_in(tmp_path)
    dead = os.fork()
    if not dead:
        os._exit(0)
    os.waitpid(dead, 0)
    with Store(url) as store:
        sync(board, store)
        folder = store.raw.path(DEVICE, 1).parent
        (folder / f".00000001.rsl.{dead}.new").write_bytes(b"half")
        running = folder / f".00000002.rsl.{os.getppid()}.new"
        running.write_bytes(b"another program writes it now")
        with store.raw.partial(DEVICE, 1) as part:
            part.append(LOGS[1][:100])
        with store.raw.partial(DEVICE, 8) as part:
            part.append(b"the beginning of another log")
        found = store.verify(lambda done, total: None)
        assert sorted(path.name for path in found.unreferenced) == [f".00000001.rsl.{dead}.new", "00000001.part"]
        sync(board, store)
        left = [path.name for path in store.data_dir.path.rglob("*") if path.name.endswith((".new", ".part"))]
        assert sorted(left) == [running.name, "00000008.part"]


def test_an_older_store_knows_what_was_received_before_there_were_receipts(tmp_path: Path, url: str) -> None:
    """Its rows have length, CRC and time of receipt. So rot from before is found, and file times are not needed."""
    with Store(url) as store:
        for number, log in LOGS.items():
            path = store.raw.commit(DEVICE, number, log)
            store.ingest(DEVICE, number, log)
            os.utime(path, (315_532_800, 315_532_800))  # 1980-01-01
        before = [(row.number, row.received_at_ms) for row, _ in store.sessions()]
        lines = [line.raw for line in store.journal.lines() if line.entry and line.entry["entry"] != "received"]
    store.journal.path.write_bytes(b"".join(lines))
    with sqlite3.connect(store.path) as db:
        db.execute("DROP TABLE receipts")
        db.execute("UPDATE store_state SET layout = 4, entries_applied = 0")
    db.close()
    store.raw.path(DEVICE, 2).write_bytes(bytes(len(LOGS[2])))
    with Store(url) as store:
        assert [(row.number, row.received_at_ms) for row, _ in store.sessions() if row.number != 2] == [before[0], before[2]]
        assert [finding.session for finding in store.verify(lambda done, total: None).rotten] == [f"{DEVICE}/2"]
        board = plugged_in(tmp_path)
        sync(board, store)
        assert_complete(store, board)
        assert [(row.number, row.received_at_ms) for row, _ in store.sessions()] == before


def stations(monkeypatch: pytest.MonkeyPatch, at: Callable[[int], None]) -> None:
    """Call `at` with its number before every call with which a program changes the disk."""
    passed = 0

    def counted(owner: Any, name: str) -> None:
        true = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal passed
            passed += 1
            at(passed)
            return true(*arguments, **options)

        monkeypatch.setattr(owner, name, call)

    for owner, name in ((os, "fsync"), (os, "replace"), (Path, "mkdir"), (Path, "unlink"), (Path, "chmod")):
        counted(owner, name)


def spoil(url: str) -> None:
    """A state that a sync has much to do with: one log rotten, one gone, one shortened."""
    with Store(url) as store:
        paths = [store.raw.path(DEVICE, number) for number in LOGS]
    paths[0].write_bytes(bytes(len(LOGS[1])))
    paths[1].unlink()
    paths[2].write_bytes(LOGS[3][:1_000])


# `make powerloss` stops the program at every change of the disk, the tests at every third, and at others in each of their states and ways.
EVERY = 1 if os.environ.get("RETROSTEP_EVERY_CUT") else 3


@pytest.mark.parametrize(
    ("state", "way", "first"), [("new", "killed", 1), ("new", "full", 2), ("rotten", "killed", 3), ("rotten", "full", 1)]
)
def test_a_program_that_is_stopped_at_any_change_of_the_disk_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, way: str, first: int
) -> None:
    """Killed before such a change, or with a full disk from it on. The next sync completes all."""
    before = tmp_path / "before"
    before.mkdir()
    if state == "rotten":
        url = f"sqlite:///{before}/home/store.sqlite"
        with Store(url) as store:
            sync(plugged_in(before), store)
        spoil(url)
        for confirmed in (before / "flash").rglob("*.rsc"):
            confirmed.rename(confirmed.with_suffix(".rsl"))
    for station in itertools.count(min(first, EVERY), EVERY):
        folder = tmp_path / f"{station}"
        shutil.copytree(before, folder)
        url = f"sqlite:///{folder}/home/store.sqlite"
        board = plugged_in(folder)
        child = os.fork()
        if not child:

            def stop(passed: int, at: int = station) -> None:
                if passed >= at and way == "killed":
                    os._exit(99)
                if passed >= at:
                    raise OSError(errno.ENOSPC, "full")

            status = 0
            try:
                stations(monkeypatch, stop)
                with Store(url) as store:
                    sync(board, store)
            except RetrostepError:
                status = 98
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        board = plugged_in(folder)  # what the child confirmed is on its flash
        with Store(url) as store:
            for number in LOGS:
                assert not board.flash.confirmed(number) or store.raw.read(DEVICE, number) == LOGS[number], (station, number)
            result = sync(board, store)
            assert result.exit_status == 0, (station, result)
            assert_complete(store, board)
        if status == 0:
            break
        assert status == (99 if way == "killed" else 98), station
    assert station > 15, "so many changes of the disk were tried"
