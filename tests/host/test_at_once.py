"""Several boards are worked with at the same time: into one store, and to the end whatever becomes of one."""

import os
import pty
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_board import FakeBoard
from logs import session_log
from retrostep.archive.store import Store
from retrostep.device.at_once import at_once
from retrostep.device.client import Board
from retrostep.device.open import Line, Stop
from retrostep.device.ports import ports
from retrostep.errors import LinkLost, RetrostepError, Stopped
from retrostep.sync import SyncResult, sync_board

PATHS = [f"/dev/fake{k}" for k in range(8)]


@pytest.fixture
def ttys() -> Iterator[list[str]]:
    """Two ports at which nothing ever answers."""
    pairs = [pty.openpty() for _ in range(2)]
    yield [os.ttyname(end) for _, end in pairs]
    for pair in pairs:
        for fd in pair:
            os.close(fd)


def test_eight_boards_come_into_one_store_whole_but_for_the_one_that_is_lost(tmp_path: Path) -> None:
    logs = {path: {n: session_log(n, device=f"RS-{k}", forward_s=600 * n) for n in (1, 2, 3)} for k, path in enumerate(PATHS)}
    boards = {}
    for k, path in enumerate(PATHS):
        boards[path] = FakeBoard(tmp_path / f"flash{k}", device=f"RS-{k}", cut_after=3_000 if k == 3 else None)
        for number, log in logs[path].items():
            boards[path].put(number, log)
    ended: dict[str, SyncResult | RetrostepError] = {}
    all_there = threading.Barrier(len(PATHS), timeout=30)
    with Store(f"sqlite:///{tmp_path / 'home' / 'store.sqlite'}") as store:

        def work(path: str, stop: Stop) -> SyncResult:
            all_there.wait()
            return sync_board(Board(boards[path]), store.raw, store)

        at_once(PATHS, work, ended.__setitem__)
        assert isinstance(ended.pop(PATHS[3]), LinkLost)
        assert all(isinstance(outcome, SyncResult) and len(outcome.of("received")) == 3 for outcome in ended.values()) and len(ended) == 7
        for k, path in enumerate(PATHS):
            kept = {log.session: log.path.read_bytes() for log in store.raw.of(f"RS-{k}")}
            assert kept == logs[path] or (k == 3 and kept.items() < logs[path].items())
            assert all(boards[path].flash.confirmed(number) for number in kept) or k == 3
        assert {row.device for row in store.devices()} >= {f"RS-{k}" for k in range(8)}, "every device was noted"
        counted = store.counts()
        assert counted["damaged_entries"] == 0 and 21 <= counted["sessions"] < 24


def test_an_error_that_nobody_foresaw_is_raised_when_the_others_have_ended() -> None:
    ended: list[str] = []

    def work(path: str, stop: Stop) -> str:
        if path == "b":
            raise ZeroDivisionError
        time.sleep(0.1)
        return path

    with pytest.raises(ZeroDivisionError):
        at_once(["a", "b", "c"], work, lambda path, outcome: ended.append(path))
    assert sorted(ended) == ["a", "c"]


def test_ctrl_c_ends_lines_that_wait_but_not_what_is_being_kept(ttys: list[str]) -> None:
    ended: dict[str, object] = {}
    reading, kept = threading.Event(), threading.Event()

    def work(path: str, stop: Stop) -> str:
        if path == "quick":
            reading.wait(30)
            return path
        with Line(path, stop=stop) as line:
            if path == ttys[1]:
                reading.set()
            try:
                line.read(60)
            finally:
                time.sleep(0.1)
                kept.set()
        return path

    def end(path: str, outcome: object) -> None:
        ended[path] = outcome
        if path == "quick":
            raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        at_once([*ttys, "quick"], work, end)
    assert time.monotonic() - begun < 30 and kept.is_set()
    assert ended.pop("quick") == "quick" and [type(outcome) for outcome in ended.values()] == [Stopped, Stopped]


def test_ports_of_the_environment_stand_beside_those_found_and_each_counts_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    (tmp_path / "link").symlink_to("/dev/pts/98")
    monkeypatch.setenv("RETROSTEP_PORTS", f"/dev/pts/98 /dev/pts/99  {tmp_path / 'link'}")
    assert [port.path for port in ports(())] == ["/dev/pts/98", "/dev/pts/99"]
    assert [port.path for port in ports(("/dev/pts/7", "/dev/pts/7"))] == ["/dev/pts/7"]
    assert [port.path for port in ports(("/dev/pts/7", "/dev/pts/99"), and_all=True)] == ["/dev/pts/7", "/dev/pts/99", "/dev/pts/98"]
