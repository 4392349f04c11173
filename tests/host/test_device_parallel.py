"""Work with several boards at the same time: one store, errors of one board, Ctrl-C."""

import os
import pty
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from retrostep.archive.store import Store
from retrostep.device.client import DeviceClient
from retrostep.device.parallel import run_parallel
from retrostep.device.ports import select_ports
from retrostep.device.serial_port import SerialPort
from retrostep.errors import LinkLost, RetrostepError, Stopped
from retrostep.sync.sync import SyncResult, sync_board
from support.fake_board import FakeBoard
from support.logs import session_log
from support.virtual_board_process import PATIENCE_S

PATHS = [f"/dev/fake{k}" for k in range(8)]


@pytest.fixture
def ttys() -> Iterator[list[str]]:
    """Two ports at which nothing ever answers."""
    pairs = [pty.openpty() for _ in range(2)]
    yield [os.ttyname(end) for _, end in pairs]
    for pair in pairs:
        for fd in pair:
            os.close(fd)


def test_eight_boards_are_synced_into_one_store_while_one_is_lost(tmp_path: Path) -> None:
    logs = {path: {n: session_log(n, device=f"RS-{k}", forward_s=600 * n) for n in (1, 2, 3)} for k, path in enumerate(PATHS)}
    boards = {}
    for k, path in enumerate(PATHS):
        boards[path] = FakeBoard(tmp_path / f"flash{k}", device=f"RS-{k}", cut_after=3_000 if k == 3 else None)
        for number, log in logs[path].items():
            boards[path].put(number, log)
    ended: dict[str, SyncResult | RetrostepError] = {}
    all_there = threading.Barrier(len(PATHS), timeout=PATIENCE_S)
    with Store(f"sqlite:///{tmp_path / 'home' / 'store.sqlite'}") as store:

        def work(path: str, stop: threading.Event) -> SyncResult:
            all_there.wait()
            return sync_board(DeviceClient(boards[path]), store)

        run_parallel(PATHS, work, ended.__setitem__)
        assert isinstance(ended.pop(PATHS[3]), LinkLost)
        assert all(isinstance(outcome, SyncResult) and len(outcome.of("received")) == 3 for outcome in ended.values()) and len(ended) == 7
        for k, path in enumerate(PATHS):
            kept = {log.session: log.path.read_bytes() for log in store.raw.of(f"RS-{k}")}
            assert kept == logs[path] or (k == 3 and kept.items() < logs[path].items())
            assert all(boards[path].flash.confirmed(number) for number in kept) or k == 3
        assert {row.device for row in store.devices()} >= {f"RS-{k}" for k in range(8)}, "every device was noted"
        counted = store.counts()
        assert counted["damaged_entries"] == 0 and 21 <= counted["sessions"] < 24


def test_an_unexpected_error_is_raised_when_the_others_have_ended() -> None:
    ended: list[str] = []

    def work(path: str, stop: threading.Event) -> str:
        if path == "b":
            raise ZeroDivisionError
        time.sleep(0.1)
        return path

    with pytest.raises(ZeroDivisionError):
        run_parallel(["a", "b", "c"], work, lambda path, outcome: ended.append(path))
    assert sorted(ended) == ["a", "c"]


def test_ctrl_c_ends_waiting_ports_but_not_what_is_being_written(ttys: list[str]) -> None:
    ended: dict[str, object] = {}
    reading, kept = threading.Event(), threading.Event()

    def work(path: str, stop: threading.Event) -> str:
        if path == "quick":
            reading.wait(PATIENCE_S)
            return path
        with SerialPort(path, stop=stop) as line:
            if path == ttys[1]:
                reading.set()
            try:
                line.read(10 * PATIENCE_S)
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
        run_parallel([*ttys, "quick"], work, end)
    assert time.monotonic() - begun < 5 * PATIENCE_S and kept.is_set()
    assert ended.pop("quick") == "quick" and [type(outcome) for outcome in ended.values()] == [Stopped, Stopped]


def test_ports_of_the_environment_are_added_and_each_counts_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    (tmp_path / "link").symlink_to("/dev/pts/98")
    monkeypatch.setenv("RETROSTEP_PORTS", f"/dev/pts/98 /dev/pts/99  {tmp_path / 'link'}")
    assert [port.path for port in select_ports(())] == ["/dev/pts/98", "/dev/pts/99"]
    assert [port.path for port in select_ports(("/dev/pts/7", "/dev/pts/7"))] == ["/dev/pts/7"]
    assert [port.path for port in select_ports(("/dev/pts/7", "/dev/pts/99"), and_all=True)] == ["/dev/pts/7", "/dev/pts/99", "/dev/pts/98"]
