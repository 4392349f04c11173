"""The `retrostep` command on a terminal of its own."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import time

from support.cli import RETROSTEP, Retrostep
from support.virtual_board_process import PATIENCE_S


class Terminal:
    """The command on its own terminal."""

    def __init__(self, retrostep: Retrostep, *arguments: str) -> None:
        self.fd, end = pty.openpty()
        environment = {**retrostep.environment, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
        self._process = subprocess.Popen(
            [*RETROSTEP, *arguments], stdin=end, stdout=end, stderr=end, env=environment, preexec_fn=_own_terminal
        )  # fmt: skip
        os.close(end)
        self.shown = b""

    def read_until(self, word: bytes, timeout_s: float = PATIENCE_S) -> None:
        """Read until `word` appears in new output."""
        end, start = time.monotonic() + timeout_s, len(self.shown)
        while word not in self.shown[start:]:
            assert time.monotonic() < end, self.shown
            if select.select([self.fd], [], [], 0.1)[0]:
                self.shown += os.read(self.fd, 4096)

    def type(self, line: str) -> None:
        """Type a line, with Enter."""
        os.write(self.fd, f"{line}\n".encode())

    def end(self) -> int:
        """Read until the command ends; returns its exit status."""
        with contextlib.suppress(OSError):  # EIO: the terminal's other end was closed
            while data := os.read(self.fd, 4096):
                self.shown += data
        os.close(self.fd)
        return self._process.wait(PATIENCE_S)

    def stop(self, number: int) -> None:
        """Stop it by Ctrl-C or by a signal."""
        if number == signal.SIGINT:
            os.write(self.fd, b"\x03")
        else:
            self._process.send_signal(number)


def _own_terminal() -> None:
    # A shell's background job ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    fd = os.open(os.ttyname(0), os.O_RDWR)
    os.close(fd)
