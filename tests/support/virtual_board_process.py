"""A virtual board in a process of its own, for a test: started, its tty known, and stopped at the end."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from littlefs import LittleFS
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort

from support.places import ROOT

VIRTUAL_BOARD = ROOT / "boards/VIRTUAL/virtual_board.py"
# Deadlines only end a test that hangs. They are long enough for a very busy computer.
PATIENCE_S = 120.0
# Where the --pins file counts the changes of each pin from outside (board.md).
PINS_EDGES = 448


class VirtualBoard:
    """`with VirtualBoard("--speed", "20", flash=image) as board:` runs one; `board.port` is its tty.

    Options are those of virtual_board.py. With `ready`, the block starts once the app answers; a busy computer may need longer for that
    than a command waits. A board that does not start, or that ends with an error, fails the test with its output.
    """

    def __init__(self, *options: object, flash: Path | None = None, recording: Path | None = None, ready: bool = False) -> None:
        self.command = [sys.executable, str(VIRTUAL_BOARD), *(str(option) for option in options)]
        if flash is not None:
            self.command += ["--flash", str(flash)]
        if recording is not None:
            self.command += ["--recording", str(recording)]
        self.port = ""
        self._ready = ready
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 closed in __exit__
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> VirtualBoard:
        self._process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self._errors)
        assert self._process.stdout is not None
        ready = select.select([self._process.stdout], [], [], PATIENCE_S)[0]
        self.port = self._process.stdout.readline().decode().strip() if ready else ""
        if not self.port:
            self.cut_power()
            raise AssertionError(f"the virtual board did not start: {self.errors()}")
        if self._ready:
            with DeviceClient(SerialPort(self.port)) as client:
                client.hello(PATIENCE_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        status = self.stop()
        complaint = self.errors()
        self._errors.close()
        if kind is None:
            assert status in (0, -signal.SIGKILL), f"the virtual board ended with {status}: {complaint}"
            assert "Traceback" not in complaint, complaint

    @property
    def pid(self) -> int:
        """The process id of virtual_board.py."""
        assert self._process is not None
        return self._process.pid

    @staticmethod
    def drive(pins: Path, pin: int, level: str) -> None:
        """Put a pin of the --pins file `pins` to "0" or "1"; "-" stops driving it. Counts the change, as an edge."""
        with pins.open("r+b") as file:
            file.seek(PINS_EDGES + pin)
            edges = file.read(1)[0]
            file.seek(pin)
            file.write(level.encode())
            file.seek(PINS_EDGES + pin)
            file.write(bytes([(edges + 1) % 256]))

    def errors(self) -> str:
        """Its stderr so far."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def stop(self) -> int:
        """Terminate it; returns its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return self.wait(PATIENCE_S)

    def cut_power(self) -> int:
        """Kill it: only what was flushed stays on the flash. Returns its exit status."""
        assert self._process is not None
        self._process.kill()
        return self.wait(PATIENCE_S)

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait until it ends by itself; returns its exit status."""
        assert self._process is not None
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"the virtual board did not end within {timeout_s} s: {self.errors()}") from None
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status


def wait_until(condition: object, what: str, timeout_s: float = 2 * PATIENCE_S) -> None:
    """Poll `condition` until it is true; fails with `what` after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, f"after {timeout_s} s still not: {what}"
        time.sleep(0.02)


def write_image(path: Path, settings: dict | None = None, **programs: str) -> Path:
    """Write an image with board.json, settings.json and `programs` ("main" becomes /main.py); returns `path`."""
    flash = LittleFS(block_size=4096, block_count=512)
    contents = {"board.json": (ROOT / "boards/VIRTUAL/board.json").read_text(), "settings.json": json.dumps(settings or {})}
    contents |= {f"{name}.py": text for name, text in programs.items()}
    for name, text in contents.items():
        with flash.open(name, "w") as file:
            file.write(text)
    path.write_bytes(bytes(flash.context.buffer))
    return path


def read_image(path: Path, name: str) -> bytes:
    """The content of a file on the image of a board that is off."""
    flash = LittleFS(block_size=4096, block_count=512, mount=False)
    flash.context.buffer = bytearray(path.read_bytes()[: 512 * 4096])
    flash.mount()
    with flash.open(name, "rb") as file:
        return bytes(file.read())
