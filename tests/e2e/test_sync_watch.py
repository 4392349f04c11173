"""A coach plugs a bag of devices in, one after the other, while `sync --watch` runs; and says who wears a new one."""

import signal
from pathlib import Path

from support.cli import Retrostep
from support.flash_files import new_flash, put_sessions
from support.logs import session_log
from support.terminal import Terminal
from support.virtual_board_process import PATIENCE_S, VirtualBoard


def flash(path: Path, sessions: int) -> str:
    device = new_flash(path)
    put_sessions(path, {n: session_log(n, device=device, boot=n, forward_s=60) for n in range(1, sessions + 1)})
    return device


class Socket:
    """A USB socket: a path that exists while a board is plugged in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def plug(self, board: VirtualBoard) -> None:
        self.path.symlink_to(board.port)

    def unplug(self) -> None:
        self.path.unlink()


def test_boards_come_and_go(retrostep: Retrostep, tmp_path: Path) -> None:
    images = [tmp_path / "a.bin", tmp_path / "b.bin"]
    first, second = (flash(image, n) for image, n in zip(images, (1, 2), strict=True))
    sockets = [Socket(tmp_path / "socket0"), Socket(tmp_path / "socket1")]
    retrostep.environment["RETROSTEP_PORTS"] = " ".join(str(socket.path) for socket in sockets)
    watching = retrostep.start("sync", "--watch")
    try:
        assert watching.stdout is not None and watching.stderr is not None
        lines: list[str] = []

        def read_until(words: str) -> None:
            while True:
                lines.append(watching.stdout.readline())
                assert lines[-1], (lines, watching.stderr.read())
                if words in lines[-1]:
                    return

        with VirtualBoard(flash=images[0], ready=True) as a, VirtualBoard(flash=images[1], ready=True) as b:
            for socket, board in zip(sockets, (a, b), strict=True):
                socket.plug(board)
            for _ in range(2):
                read_until("athletes assign")
            assert sum(f"{first} (not assigned): 1 session received" in line for line in lines) == 1
            assert sum(f"{second} (not assigned): 2 sessions received" in line for line in lines) == 1
            sockets[0].unplug()
        put_sessions(images[0], {2: session_log(2, device=first, boot=2, forward_s=60)})
        with VirtualBoard(flash=images[0], ready=True) as again:
            sockets[0].plug(again)
            read_until("received before")
            assert lines[-1].startswith(f"{first} (not assigned): 1 session received") and len(lines) == 5
            watching.send_signal(signal.SIGINT)
            out, err = watching.communicate(timeout=PATIENCE_S)
    finally:
        watching.kill()
        watching.communicate()
    assert watching.returncode in (0, 1) and not out
    assert err.rstrip().endswith("Stopped. 2 boards synced, 4 sessions received. Everything received is kept.")
    assert len(list(retrostep.home.rglob("*.rsl"))) == 4


def test_it_asks_who_wears_a_new_device(retrostep: Retrostep, tmp_path: Path) -> None:
    for name in ("Ada", "Ben"):
        retrostep("athletes", "add", name)
    device = flash(tmp_path / "flash.bin", 1)
    with VirtualBoard(flash=tmp_path / "flash.bin", ready=True) as board:
        terminal = Terminal(retrostep, "sync", "--port", board.port)
        terminal.read_until(b"Athlete [later]:")
        terminal.type("Bem")
        terminal.read_until(b"[y/N]:")
        terminal.type("n")
        terminal.read_until(b"Athlete [later]:")
        terminal.type("ben")
        assert terminal.end() == 0
        assert f"{device} is assigned to Ben, all its sessions included.".encode() in terminal.shown
        assert b"Perhaps Ada, Ben." in terminal.shown and b"did you mean Ben?" in terminal.shown
        assert b"athletes assign" not in terminal.shown
    assert retrostep("sessions", "--json").json["sessions"][0]["athlete"] == "Ben"
