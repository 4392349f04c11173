"""A host waits for a board that starts, and says what it waits for; it names the reason of safe mode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from retrostep.device import starting
from retrostep.device.client import DeviceClient
from retrostep.errors import NoApp
from support.fake_board import FakeBoard
from support.waiting_time import Clock

STARTING = b"retrostep: starting: the program is loaded\r\n"
READ = b"retrostep: starting: the flash is read\r\n"


class StartingBoard(FakeBoard):
    """A board that prints `lines`, one at each read, and answers after the last one."""

    def __init__(self, root: Path, lines: list[bytes], pause_s: float = 0.1) -> None:
        super().__init__(root)
        self.deaf = True
        self._lines, self._pause_s = lines, pause_s

    def read(self, timeout_s: float) -> bytes:
        if not self.deaf:
            return super().read(timeout_s)
        starting.time.sleep(min(self._pause_s, max(timeout_s, 0)))
        if self._lines:
            return self._lines.pop(0)
        self.deaf = False
        return b""


class Prompt:
    """MicroPython's prompt, at which boot.py has set SAFE_MODE."""

    path = "/dev/fake"

    def __init__(self, safe_mode: str) -> None:
        self._answers: list[bytes] = [b"ValueError: worn out\r\n>>> "]
        self._safe_mode = safe_mode

    def write(self, data: bytes) -> None:
        if data == starting.ASK_SAFE_MODE:
            self._answers.append(b"SAFE_MODE\r\n" + self._safe_mode.encode() + b"\r\n>>> ")

    def read(self, timeout_s: float) -> bytes:
        return self._answers.pop(0) if self._answers else b""

    def close(self) -> None: ...


pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def waits() -> Iterator[list[str]]:
    yield []


def test_a_board_that_starts_gets_the_time_that_it_needs(tmp_path: Path, waits: list[str]) -> None:
    board = StartingBoard(tmp_path / "flash", [STARTING, READ, b"", b"", READ])
    with DeviceClient(board, on_wait=waits.append) as client:
        assert client.hello(0.3).device == "aabbccddeeff"
    assert waits == [
        "The board at /dev/fake is starting (the program is loaded). Waiting for it.",
        "The board at /dev/fake is starting (the flash is read). Waiting for it.",
    ]


def test_a_start_without_end_is_an_error_that_names_it(tmp_path: Path, clock: Clock) -> None:
    board = StartingBoard(tmp_path / "flash", [READ] * 100_000, 0.05)
    begun = clock.monotonic()
    with DeviceClient(board) as client, pytest.raises(NoApp) as error:
        client.hello(0.2)
    assert "is still starting (the flash is read)" in str(error.value)
    assert starting.START_S <= clock.monotonic() - begun < starting.START_S + 3


@pytest.mark.parametrize(
    ("line", "is_start"),
    [(STARTING, True), (b"starting: x\r\n", False), (b"retrostep: starting: \x1b]0;evil\x07\r\n", False), (READ[:-2] + b"x" * 80, False)],
)
def test_only_the_line_of_a_start_is_one(line: bytes, is_start: bool) -> None:
    heard: list[str] = []
    found = starting.Starting("/dev/fake", heard.append)
    for byte in b"\x00\x07 torn\n\x00" + line:
        found.feed(bytes([byte]))
    assert bool(found.part) == is_start == (found.until > 0) == bool(heard)
    found.feed(b"retrostep: RS-1 on VIRTUAL, boot 1, core 0.1.0\r\n")
    assert not found.part and found.until == 0


@pytest.mark.parametrize(
    ("safe_mode", "words"),
    [
        ("'watchdog'", "in safe mode: its program hung three times in a row, and the watchdog reset it"),
        ("'button'", "in safe mode: its button was held at the start"),
        ("''", "at MicroPython's prompt after ValueError: worn out"),
        ("NameError: name 'SAFE_MODE' isn't defined", "at MicroPython's prompt after ValueError: worn out"),
    ],
)
def test_a_prompt_is_asked_for_the_reason_of_safe_mode(safe_mode: str, words: str) -> None:
    with DeviceClient(Prompt(safe_mode)) as client, pytest.raises(NoApp) as error:
        client.hello(1.0)
    assert words in str(error.value)
