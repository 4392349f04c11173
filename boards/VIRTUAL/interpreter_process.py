"""One run of the MicroPython interpreter, from a reset to the next."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

START_SCRIPT = Path(__file__).resolve().with_name("runtime") / "start.py"
CTRL_C = b"\x03"
_HEAP = "4m"
_PR_SET_PDEATHSIG = 1
# How long a Ctrl-C waits until the program reaches one of its waits. Then: blocked elsewhere, computing without end, or given up.
_BLOCKED_S = 0.1
_COMPUTING_S = 0.3
_GIVE_UP_S = 10.0
_CHECK_AGAIN_S = 0.02


class InterpreterProcess:
    """Runs the interpreter on the tty `fd`, with `config` for runtime/launch.py and the open files that it names.

    `up` turns true when boot.py may run, `ended` when the process ends. `broken` is why the flash cannot be mounted, if it cannot.
    `report` is how to reset, with the time and the state of the leg.
    """

    def __init__(self, fd: int, config: dict, files: tuple[int, ...]) -> None:
        self.control, control_end = os.pipe()
        os.set_blocking(self.control, False)
        self._keys, self._keys_end = os.pipe()
        os.set_blocking(self._keys, False)
        settings, settings_end = os.pipe()
        os.write(settings_end, json.dumps({**config, "control": control_end, "keys": self._keys}).encode())
        os.close(settings_end)
        self.up = False
        self.ended = False
        self.broken = ""
        self.report: dict = {}
        self._unread = b""
        interpreter = [sys.executable, "-I", "-c", "import sys, micropython_unix as m; sys.exit(m.main())"]
        self._process = subprocess.Popen(
            [*interpreter, "-X", f"heapsize={_HEAP}", str(START_SCRIPT), str(settings)],
            stdin=fd,
            stdout=fd,
            stderr=fd,
            pass_fds=(*files, control_end, self._keys, settings),
            env={},
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        os.close(control_end)
        os.close(settings)

    def listen(self) -> None:
        """Read what the interpreter reports beside its tty. It closes `control` when it ends."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.control, 4096):
                self._unread += data
            self.ended = True
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.up = self.up or "up" in message
            self.broken = message.get("broken", self.broken)
            if "reset" in message:
                self.report = message
                if message["reset"] != "soft":
                    self._process.kill()

    def interrupt(self) -> None:
        """Send Ctrl-C: the program raises KeyboardInterrupt at its next wait (runtime/model/ctrl_c.py).

        The unix port raises it inside a signal handler, which can corrupt an allocation or a LittleFS write. A board raises it only
        between two bytecodes. So a signal is sent only to a program that reaches no wait; see `retry_interrupt`.
        """
        if not self._is_interrupt_pending():
            os.write(self._keys_end, CTRL_C)
            self._interrupted_at = time.monotonic()
            self._computed_before_s = self._computed_s()

    def retry_interrupt(self, is_at_prompt: bool) -> float | None:
        """Follow up a Ctrl-C. Returns the seconds until the next call, or None if none is pending."""
        if not self._is_interrupt_pending():
            return None
        if is_at_prompt:
            # The program has ended by itself.
            self._drop_interrupt()
            return None
        since_s = time.monotonic() - self._interrupted_at
        blocked = since_s > _BLOCKED_S and self._stat()[0] == "S"
        if blocked or self._computed_s() > self._computed_before_s + _COMPUTING_S or since_s > _GIVE_UP_S:
            self._drop_interrupt()
            self._process.send_signal(signal.SIGINT)
            return None
        return _CHECK_AGAIN_S

    def _is_interrupt_pending(self) -> bool:
        return bool(struct.unpack("i", fcntl.ioctl(self._keys, termios.FIONREAD, b"\0\0\0\0"))[0])

    def _drop_interrupt(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._keys, 16)

    def _computed_s(self) -> float:
        """Processor time of the interpreter."""
        return sum(map(int, self._stat()[11:13])) / os.sysconf("SC_CLK_TCK")

    def _stat(self) -> list[str]:
        """/proc/PID/stat from the state on; without /proc, that of a sleeping process."""
        try:
            return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ["S", *"0" * 12]

    def bite(self) -> None:
        """Reset the board: its watchdog was not fed. The leg starts again, as nothing is known of it."""
        self.report = {"reset": "watchdog", "now_us": 0, "leg_start_us": None}
        self._process.kill()
        self.ended = True

    def close(self) -> None:
        """Kill the process, as a power cut does. May be called again."""
        if self.control >= 0:
            self._process.kill()
            self._process.wait()
            for fd in (self.control, self._keys, self._keys_end):
                os.close(fd)
            self.control = -1


def _die_with_parent() -> None:
    # The interpreter must survive a Ctrl-C that comes before it handles one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
