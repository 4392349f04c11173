"""A virtual board for a test: started, its tty known, and stopped again whatever happens."""

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

ROOT = Path(__file__).resolve().parents[2]
VIRTUAL_BOARD = ROOT / "boards/VIRTUAL/virtual_board.py"
_START_S = 30.0
_STOP_S = 10.0


class VirtualBoard:
    """`with VirtualBoard("--speed", "20", flash=image) as board:` runs one; `board.port` is its tty.

    Options are those of virtual_board.py. A board that does not start, or that dies with a complaint, fails the test with what it said.
    """

    def __init__(self, *options: object, flash: Path | None = None, recording: Path | None = None) -> None:
        self.command = [sys.executable, str(VIRTUAL_BOARD), *(str(option) for option in options)]
        if flash is not None:
            self.command += ["--flash", str(flash)]
        if recording is not None:
            self.command += ["--recording", str(recording)]
        self.port = ""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 closed in __exit__
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> VirtualBoard:
        self._process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self._errors)
        assert self._process.stdout is not None
        ready = select.select([self._process.stdout], [], [], _START_S)[0]
        self.port = self._process.stdout.readline().decode().strip() if ready else ""
        if not self.port:
            self.cut_power()
            raise AssertionError(f"the virtual board did not start: {self.errors()}")
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
        """Of the supervisor."""
        assert self._process is not None
        return self._process.pid

    @staticmethod
    def drive(pins: Path, pin: int, level: str) -> None:
        """Put a pin of the --pins file `pins` to "0" or "1"; "-" lets go of it."""
        with pins.open("r+b") as file:
            file.seek(pin)
            file.write(level.encode())

    def errors(self) -> str:
        """What it wrote to stderr so far."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def stop(self) -> int:
        """Unplug it in an orderly way; its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return self.wait(_STOP_S)

    def cut_power(self) -> int:
        """kill -9: only what was flushed stays in the flash."""
        assert self._process is not None
        self._process.kill()
        return self.wait(_STOP_S)

    def wait(self, timeout_s: float) -> int:
        """Until it ends by itself; its exit status."""
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


def wait_until(condition: object, timeout_s: float, what: str) -> None:
    """Poll `condition` until it is true; fails with `what` after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, f"after {timeout_s} s still not: {what}"
        time.sleep(0.02)


def write_image(path: Path, settings: dict | None = None, **programs: str) -> Path:
    """A flash image with board.json, settings.json and `programs` ("main" becomes /main.py), for tests of the board itself; `path`."""
    flash = LittleFS(block_size=4096, block_count=512)
    contents = {"board.json": (ROOT / "boards/VIRTUAL/board.json").read_text(), "settings.json": json.dumps(settings or {})}
    contents |= {f"{name}.py": text for name, text in programs.items()}
    for name, text in contents.items():
        with flash.open(name, "w") as file:
            file.write(text)
    path.write_bytes(bytes(flash.context.buffer))
    return path


def read_image(path: Path, name: str) -> bytes:
    """A file of a flash image whose board is off."""
    flash = LittleFS(block_size=4096, block_count=512, mount=False)
    flash.context.buffer = bytearray(path.read_bytes()[: 512 * 4096])
    flash.mount()
    with flash.open(name, "rb") as file:
        return bytes(file.read())
