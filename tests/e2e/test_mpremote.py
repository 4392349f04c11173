"""mpremote works with the virtual board: files, programs, resets, and the restarted app."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from retrostep_core.link import messages
from retrostep_core.link.host_frames import FrameDecoder, request
from support.virtual_board_process import PATIENCE_S, VirtualBoard


@pytest.fixture
def board() -> Iterator[VirtualBoard]:
    """A running board with this checkout's firmware."""
    with VirtualBoard() as running:
        assert app_answers(running.port)
        yield running


def app_answers(port: str) -> bool:
    """True if the app answers HELLO on the link."""
    decoder = FrameDecoder()
    with serial.Serial(port, 115200, timeout=0.05) as line:
        end = time.monotonic() + PATIENCE_S
        asked = 0.0
        while time.monotonic() < end:
            if time.monotonic() - asked > 1:
                asked = time.monotonic()
                line.write(request(7, "HELLO"))
            for found in decoder.feed(line.read(4096)):
                if found[0] == "frame" and found[1] == messages.HELLO:
                    return True
    return False


def mpremote(board: VirtualBoard, *command: str) -> str:
    """The output of mpremote; fails with its error."""
    arguments = [sys.executable, "-m", "mpremote", "connect", board.port, *command]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=3 * PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_files(board: VirtualBoard, tmp_path: Path) -> None:
    listing = mpremote(board, "fs", "ls", ":")
    for name in ("main.py", "boot.py", "board.json", "lib/", "hal/"):
        assert name in listing
    content = bytes(range(256)) * 30
    (tmp_path / "there.bin").write_bytes(content)
    mpremote(board, "mkdir", ":d", "+", "cp", str(tmp_path / "there.bin"), ":d/x.bin")
    mpremote(board, "cp", ":d/x.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == content
    (tmp_path / "words.txt").write_text("backward\n")
    assert "backward" in mpremote(board, "cp", str(tmp_path / "words.txt"), ":words.txt", "+", "cat", ":words.txt")
    mpremote(board, "rm", ":words.txt", "+", "rm", ":d/x.bin", "+", "rmdir", ":d")
    assert "words.txt" not in (after := mpremote(board, "ls")) and "d/" not in after.split()


def test_programs(board: VirtualBoard, tmp_path: Path) -> None:
    assert mpremote(board, "exec", "print(6 * 7)").strip() == "42"
    assert mpremote(board, "eval", "'x' * 3").strip() == "xxx"
    (tmp_path / "program.py").write_text("import machine\nprint('id', len(machine.unique_id()))\n")
    assert mpremote(board, "run", str(tmp_path / "program.py")).strip() == "id 6"
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", board.port, "exec", "1 / 0"], capture_output=True, text=True, timeout=3 * PATIENCE_S
    )
    assert done.returncode == 1 and "ZeroDivisionError" in done.stdout + done.stderr


def test_it_interrupts_the_app_and_resumes_its_session(board: VirtualBoard) -> None:
    assert not mpremote(board, "exec", "kept = 41")
    assert mpremote(board, "resume", "exec", "print(kept + 1)").strip() == "42"
    assert mpremote(board, "exec", "print('kept' in globals())").strip() == "False"


def test_a_soft_reset_from_mpremote_leaves_the_repl_as_on_a_board(board: VirtualBoard) -> None:
    mpremote(board, "soft-reset")
    assert mpremote(board, "resume", "exec", "import sys; print('app' in sys.modules)").strip() == "False"


def test_the_app_starts_again_after_a_soft_reset(board: VirtualBoard) -> None:
    mpremote(board, "fs", "ls", ":")
    with serial.Serial(board.port, 115200, timeout=PATIENCE_S) as line:
        line.write(b"\r\x04")
        assert line.read_until(b"MPY: soft reboot\r\n").endswith(b"MPY: soft reboot\r\n")
    assert app_answers(board.port)


def test_the_app_starts_again_after_a_reset(board: VirtualBoard) -> None:
    mpremote(board, "fs", "ls", ":", "+", "reset")
    assert app_answers(board.port)


def test_on_a_slow_uart(tmp_path: Path) -> None:
    with VirtualBoard("--link", "uart", "--bps", "460800") as board:
        assert app_answers(board.port)
        content = bytes(range(256)) * 8
        (tmp_path / "there.bin").write_bytes(content)
        mpremote(board, "cp", str(tmp_path / "there.bin"), ":x.bin")
        mpremote(board, "cp", ":x.bin", str(tmp_path / "back.bin"))
        assert (tmp_path / "back.bin").read_bytes() == content
