"""A coach plugs a hub of eight devices in; some of them are in trouble."""

import contextlib
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from board import VirtualBoard, write_image
from cli import RETROSTEP, Retrostep
from flash_files import new_flash, put_sessions
from logs import session_log
from retrostep.device.client import Board
from retrostep.device.open import Line

SHOW_CURSOR, HIDE_CURSOR = b"\x1b[?25h", b"\x1b[?25l"


def flash_with_sessions(path: Path) -> tuple[str, dict[int, bytes]]:
    """A device's flash with a long and a short session; its name, and the logs."""
    device = new_flash(path)
    logs = {1: session_log(1, device=device, forward_s=3_000, backward_s=2_000), 2: session_log(2, device=device, boot=2)}
    put_sessions(path, logs)
    return device, logs


def archived(retrostep: Retrostep, device: str) -> dict[int, bytes]:
    return {int(path.stem): path.read_bytes() for path in (retrostep.home / "logs" / device).glob("*.rsl")}


@contextlib.contextmanager
def plugged_in(boards: list[VirtualBoard]) -> Iterator[list[str]]:
    """All of them, and their ports."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(board).port for board in boards]


def test_eight_boards_at_once_of_which_some_fail(retrostep: Retrostep, tmp_path: Path) -> None:
    """Number 2 is unplugged half way, 4 holds a damaged log, 6 is the twin of 5, and on 7 there is no app."""
    flashes = [tmp_path / f"{k}.bin" for k in range(8)]
    hub = [flash_with_sessions(flash) for flash in flashes[:7]]
    device, logs = hub[4]
    torn = bytearray(logs[1])
    torn[9_000] ^= 0x10
    put_sessions(flashes[4], {1: bytes(torn)})
    hub[4] = device, {**logs, 1: bytes(torn)}
    shutil.copy(flashes[5], flashes[6])
    hub[6] = hub[5]
    write_image(flashes[7], main="while True:\n    pass")
    boards = [VirtualBoard("--bps", 115_200, *(["--cut-after", 12_000] if k == 2 else []), flash=flash) for k, flash in enumerate(flashes)]
    with plugged_in(boards) as ports:
        for port in ports[:7]:
            with Board(Line(port)) as talk:
                talk.hello(30)
        retrostep.environment["RETROSTEP_PORTS"] = " ".join([*ports, ports[0]])
        ran = retrostep("sync", "--all", "--json")
        assert boards[2].wait(10) == 0
        said = ran.json["devices"]
        assert [one["port"] for one in said] == ports and ran.status == 4
        twins = [k for k in (5, 6) if "error" in said[k]]
        for k, (device, logs) in enumerate(hub):
            if k != 2 and k not in twins:
                assert (said[k]["device"], said[k]["damaged"]) == (device, int(k == 4)) and archived(retrostep, device) == logs
        assert "was its cable pulled?" in said[2]["error"]
        [twin] = twins
        assert f"calls itself {hub[5][0]}, as the one at {ports[11 - twin]} does" in said[twin]["error"]
        assert "No Retrostep board" in said[7]["error"]
        complaints = [line for line in ran.err.splitlines() if line.startswith("Error: ")]
        assert len(complaints) == 3 and len(ran.err.splitlines()) == 4, ran.err
        sessions = retrostep("sessions", "--json").json["sessions"]
        assert {one["device"] for one in sessions} >= {device for k, (device, _) in enumerate(hub) if k != 2}

    device, logs = hub[2]
    kept = sum(path.stat().st_size for path in retrostep.home.rglob("*.part")) + sum(map(len, archived(retrostep, device).values()))
    assert 8_000 < kept < 12_000
    with VirtualBoard(flash=flashes[2]) as again, VirtualBoard(flash=flashes[0]) as other:
        ran = retrostep("sync", "--port", again.port, "--port", other.port)
    assert ran.status == 0 and not ran.err
    lines = ran.out.splitlines()
    assert f"{sum(map(len, logs.values())) / 1024 - kept / 1024:.1f} KB" in "".join(line for line in lines if line.startswith(device))
    assert [line for line in lines if line.startswith(f"{hub[0][0]} (nobody's): nothing new, 2 sessions here already.")]
    assert lines[-2].startswith("2 of 2 boards synced: 2 sessions received")
    assert archived(retrostep, device) == logs and not list(retrostep.home.rglob("*.part"))


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, retrostep: Retrostep, *arguments: str) -> None:
        self.fd, end = pty.openpty()
        environment = {**retrostep.environment, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
        self._process = subprocess.Popen(
            [*RETROSTEP, *arguments], stdin=end, stdout=end, stderr=end, env=environment, preexec_fn=_own_terminal
        )  # fmt: skip
        os.close(end)
        self.shown = b""

    def read_until(self, word: bytes, timeout_s: float = 30) -> None:
        """All that is shown up to a word behind what was read before."""
        end, start = time.monotonic() + timeout_s, len(self.shown)
        while word not in self.shown[start:]:
            assert time.monotonic() < end, self.shown
            if select.select([self.fd], [], [], 0.1)[0]:
                self.shown += os.read(self.fd, 4096)

    def end(self) -> int:
        """Read all that comes until it ends; its exit status."""
        with contextlib.suppress(OSError):  # EIO: the terminal's other end was closed
            while data := os.read(self.fd, 4096):
                self.shown += data
        os.close(self.fd)
        return self._process.wait(20)

    def stop(self, number: int) -> None:
        """By the key, or by a signal from elsewhere."""
        if number == signal.SIGINT:
            os.write(self.fd, b"\x03")
        else:
            self._process.send_signal(number)


def _own_terminal() -> None:
    os.setsid()
    fd = os.open(os.ttyname(0), os.O_RDWR)
    os.close(fd)


def test_a_sync_that_is_stopped_keeps_what_came_and_leaves_the_terminal_as_it_was(retrostep: Retrostep, tmp_path: Path) -> None:
    flashes = [tmp_path / f"{k}.bin" for k in range(2)]
    (quick, quick_logs), (slow, slow_logs) = (flash_with_sessions(flash) for flash in flashes)
    with plugged_in([VirtualBoard("--bps", bps, flash=flash) for bps, flash in zip((2_000_000, 57_600), flashes, strict=True)]) as ports:
        retrostep.environment["RETROSTEP_PORTS"] = " ".join(ports)
        before = 0
        for stop in (signal.SIGINT, signal.SIGTERM):
            terminal = Terminal(retrostep, "sync")
            terminal.read_until(b"here already" if before else b" received (")  # in the place of the quick board's bar
            terminal.read_until(f"{slow}/1".encode())
            terminal.stop(stop)
            assert terminal.end() == 1
            told = terminal.shown[terminal.shown.rindex(SHOW_CURSOR) :]
            assert HIDE_CURSOR in terminal.shown and HIDE_CURSOR not in told
            assert f"{quick} (nobody's): ".encode() in told and b"1 of 2 boards synced" in told and b"Traceback" not in told
            assert told.rstrip().endswith(b"Stopped. What was received is kept; run the same command again to go on.")
            assert archived(retrostep, quick) == quick_logs
            [part] = retrostep.home.rglob("*.part")
            assert len(part.read_bytes()) > before and slow_logs[1].startswith(part.read_bytes())
            before = part.stat().st_size
