"""The serial port: opened and closed without a reset of the board, and an error that states why it cannot be opened."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from retrostep.device import serial_port
from retrostep.device.ports import find_ports, select_ports
from retrostep.device.serial_port import SerialPort
from retrostep.errors import BoardNotFound, LinkLost, NoBoardFound, NoPermission, PortBusy, RetrostepError
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
    with SerialPort(pty.path) as line:
        line.write(b"~01 HELLO\x00\x03\n")
        assert os.read(pty.far, 100) == b"~01 HELLO\x00\x03\n"
        os.write(pty.far, bytes(range(256)))
        assert line.read(1) == bytes(range(256))
        began = time.monotonic()
        assert line.read(0.05) == b"" and time.monotonic() - began >= 0.05


def test_a_pulled_cable_is_reported(pty: Pty) -> None:
    with SerialPort(pty.path) as line:
        pty.pull()
        with pytest.raises(LinkLost, match="is gone. Check its cable and try again: a sync resumes where it stopped"):
            line.read(1)
        with pytest.raises(LinkLost):
            line.write(b"x")


def test_closing_twice_is_fine(pty: Pty) -> None:
    line = SerialPort(pty.path)
    line.close()
    line.close()


def test_both_lines_are_asserted_and_rts_is_cleared_before_dtr(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    changes: list[tuple[str, bool]] = []
    monkeypatch.setattr(serial.Serial, "_update_rts_state", lambda self: changes.append(("rts", self._rts_state)))
    monkeypatch.setattr(serial.Serial, "_update_dtr_state", lambda self: changes.append(("dtr", self._dtr_state)))
    with SerialPort(pty.path):
        assert sorted(changes) == [("dtr", True), ("rts", True)]
        changes.clear()
    assert changes == [("rts", False), ("dtr", False)]


def test_a_port_in_use_names_who_uses_it(pty: Pty) -> None:
    with SerialPort(pty.path), pytest.raises(PortBusy, match=f"{pty.path} is in use. Close that program"):
        SerialPort(pty.path)
    script = "import fcntl, sys; f = open(sys.argv[1], 'rb+', 0); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", script, pty.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(PortBusy, match=rf"is in use by python[\d.]* \(process {other.pid}\)"):
            SerialPort(pty.path)
    finally:
        other.communicate(b"\n")
    SerialPort(pty.path).close()


def test_an_open_port_is_locked(pty: Pty) -> None:
    with SerialPort(pty.path):
        handle = os.open(pty.path, os.O_RDWR | os.O_NOCTTY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(handle)


def error_of_open(monkeypatch: pytest.MonkeyPatch, path: str, error: Exception) -> RetrostepError:
    """What SerialPort raises where pyserial raises `error`."""

    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(serial, "Serial", fail)
    with pytest.raises(RetrostepError) as raised:
        SerialPort(path)
    assert raised.value.facts == {"port": path} and isinstance(raised.value.__cause__, type(error))
    return raised.value


@pytest.mark.parametrize(("group", "named"), [("uucp", "uucp"), ("root", "dialout"), (None, "dialout")])
def test_a_port_without_permission_names_the_group_to_join(
    pty: Pty, monkeypatch: pytest.MonkeyPatch, group: str | None, named: str
) -> None:
    def group_of(path: Path) -> str:
        if group is None:
            raise ImportError("no module named grp")
        return group

    monkeypatch.setattr(Path, "group", group_of)
    error = error_of_open(monkeypatch, pty.path, serial.SerialException(errno.EACCES, "could not open port: Permission denied"))
    assert type(error) is NoPermission
    assert str(error).startswith(f"You have no permission to open {pty.path}. On Linux, run `sudo usermod -aG {named} $USER`")


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        ("PermissionError(13, 'Access is denied.', None, 5)", PortBusy, "The port COM3 is in use. Close that program"),
        ("FileNotFoundError(2, 'The system cannot find the file specified.', None, 2)", BoardNotFound, "There is no port COM3."),
        ("OSError(22, 'The parameter is incorrect.', None, 87)", BoardNotFound, "There is no port COM3."),
    ],
)
def test_windows_tells_only_in_words_why_a_port_cannot_be_opened(
    monkeypatch: pytest.MonkeyPatch, cause: str, kind: type[RetrostepError], words: str
) -> None:
    monkeypatch.setattr(serial_port, "_ON_WINDOWS", True)
    error = error_of_open(monkeypatch, "COM3", serial.SerialException(f"could not open port 'COM3': {cause}"))
    assert type(error) is kind and words in str(error)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(BoardNotFound, match="There is no port /dev/ttyNONE7. Plug the board in."):
        SerialPort("/dev/ttyNONE7")
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path):
        with pytest.raises(BoardNotFound, match="is not a serial port"):
            SerialPort(str(path))


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
    assert [port.path for port in select_ports(())] == ["/dev/ttyUSB2", "/dev/ttyUSB10"]
    assert [port.path for port in select_ports(("/dev/pts/9",))] == ["/dev/pts/9"]


def test_no_board_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: [plugged("/dev/ttyS0", None, None)])
    with pytest.raises(NoBoardFound, match="No board was found. Plug one in with a cable that carries data"):
        select_ports(())
