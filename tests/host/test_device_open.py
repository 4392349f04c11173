"""A port that cannot be opened says why and what to do; one that can is opened and closed without resetting its board."""

import fcntl
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from retrostep.device.open import Line
from retrostep.device.ports import find_ports, ports
from retrostep.errors import BoardNotFound, LinkLost, NoPermission, PortBusy, RetrostepError
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo


class Pty:
    """Both ends of a pty: `far` is the board's, `path` the host's port."""

    def __init__(self) -> None:
        self.far, near = os.openpty()
        self.path = os.ttyname(near)
        os.close(near)

    def pull(self) -> None:
        if self.far >= 0:
            os.close(self.far)
            self.far = -1


@pytest.fixture
def pty() -> Iterator[Pty]:
    pair = Pty()
    yield pair
    pair.pull()


def test_bytes_go_both_ways(pty: Pty) -> None:
    with Line(pty.path) as line:
        line.write(b"~01 HELLO\x00\x03\n")
        assert os.read(pty.far, 100) == b"~01 HELLO\x00\x03\n"
        os.write(pty.far, bytes(range(256)))
        assert line.read(1) == bytes(range(256))
        began = time.monotonic()
        assert line.read(0.05) == b"" and time.monotonic() - began >= 0.05


def test_a_pulled_cable_is_told_with_the_cure(pty: Pty) -> None:
    with Line(pty.path) as line:
        pty.pull()
        with pytest.raises(LinkLost, match="cable pulled.*run the same command again: it resumes"):
            line.read(1)
        with pytest.raises(LinkLost):
            line.write(b"x")


def test_closing_twice_is_fine(pty: Pty) -> None:
    line = Line(pty.path)
    line.close()
    line.close()


def test_both_lines_are_asserted_and_rts_is_cleared_before_dtr(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, bool]] = []
    monkeypatch.setattr(serial.Serial, "_update_rts_state", lambda self: told.append(("rts", self._rts_state)))
    monkeypatch.setattr(serial.Serial, "_update_dtr_state", lambda self: told.append(("dtr", self._dtr_state)))
    with Line(pty.path):
        assert sorted(told) == [("dtr", True), ("rts", True)]
        told.clear()
    assert told == [("rts", False), ("dtr", False)]


def test_a_port_in_use_names_who_uses_it(pty: Pty) -> None:
    with Line(pty.path), pytest.raises(PortBusy, match=f"{pty.path} is in use. Close that program"):
        Line(pty.path)
    script = "import fcntl, sys; f = open(sys.argv[1], 'rb+', 0); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", script, pty.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(PortBusy, match=rf"is in use by python[\d.]* \(process {other.pid}\)"):
            Line(pty.path)
    finally:
        other.communicate(b"\n")
    Line(pty.path).close()


def test_two_lines_never_hold_one_port(pty: Pty) -> None:
    with Line(pty.path):
        handle = os.open(pty.path, os.O_RDWR | os.O_NOCTTY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(handle)


def test_a_port_that_may_not_be_opened_names_the_group_to_join(pty: Pty) -> None:
    """In a child that is nobody where we are root (root may open all), and with the port's mode at zero where we are not."""
    reader, writer = os.pipe()
    os.chmod(pty.path, 0)
    child = os.fork()
    if not child:
        try:
            if not os.getuid():
                os.setgroups([])
                os.setuid(pwd.getpwnam("nobody").pw_uid)
            Line(pty.path)
            os.write(writer, b"it was opened")
        except RetrostepError as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read().decode()
    assert said.startswith(f"{NoPermission.__name__}: You may not open {pty.path}. Run `sudo usermod -aG dialout $USER`")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(BoardNotFound, match="There is nothing at /dev/ttyNONE7. Plug the board in; `retrostep devices`"):
        Line("/dev/ttyNONE7")
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path):
        with pytest.raises(BoardNotFound, match="is not a serial port"):
            Line(str(path))


def plugged(path: str, vid: int | None, pid: int | None) -> ListPortInfo:
    info = ListPortInfo(path)
    info.vid, info.pid = vid, pid
    return info


def test_only_ports_with_a_boards_usb_ids_are_found_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [
        plugged("/dev/ttyUSB10", 0x10C4, 0xEA60),
        plugged("/dev/ttyUSB2", 0x1A86, 0x7523),
        plugged("/dev/ttyACM0", 0x2341, 0x0043),
        plugged("/dev/ttyS0", None, None),
    ]
    monkeypatch.setattr(list_ports, "comports", lambda: there)
    found = find_ports()
    assert [port.path for port in found] == ["/dev/ttyUSB2", "/dev/ttyUSB10"]
    assert all("ESP32_DEVKIT_LSM6DSOX" in port.boards for port in found)
    assert [port.path for port in ports(())] == ["/dev/ttyUSB2", "/dev/ttyUSB10"]
    assert [port.path for port in ports(("/dev/pts/9",))] == ["/dev/pts/9"]


def test_no_board_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: [plugged("/dev/ttyS0", None, None)])
    with pytest.raises(BoardNotFound, match="No board was found. Plug one in.*--port"):
        ports(())
