"""A board's serial port: opened without a reset of the board, on Linux, macOS and Windows."""

import errno
import os
import re
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

import serial

from retrostep.errors import BoardNotFound, LinkLost, NoPermission, PortBusy, RetrostepError, Stopped
from retrostep.plain_text import clean

BITS_PER_SECOND = 115_200
WRITE_TIMEOUT_S = 5.0
SETTLE_S = 4.0
_POLL_S = 0.05
"""A read checks its deadline and `stop` at this interval."""
_ON_WINDOWS = sys.platform == "win32"
# On POSIX pyserial lets termios.error through, which is no OSError. Windows has no such module.
_TermiosError: type[Exception] = getattr(sys.modules.get("termios"), "error", OSError)
# pyserial raises TypeError when another thread closes its descriptor.
_LOST = (OSError, _TermiosError, TypeError)
_NO_MODEM_LINES = (errno.ENOTTY, errno.EINVAL, errno.EIO, errno.ENODEV, errno.ENXIO)


class SerialPort:
    """An open port that no other program can open. It is the transport of a DeviceClient.

    DTR and RTS stay asserted together: RTS alone resets an ESP32, DTR alone starts its bootloader, and a board on native USB sends
    nothing while DTR is clear. On close RTS is cleared before DTR (micropython/micropython #9659, #18001, #17960).
    """

    def __init__(self, path: str, stop: threading.Event | None = None) -> None:
        """Open the port at `path`, such as /dev/ttyUSB0 or COM3. Once `stop` is set, read and write raise Stopped.

        Raises BoardNotFound, NoPermission or PortBusy.
        """
        self.path = path
        self._stop = stop
        try:
            self._serial = serial.Serial(path, BITS_PER_SECOND, timeout=_POLL_S, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
        except (OSError, _TermiosError, ValueError) as error:  # serial.SerialException is an OSError
            raise _open_error(path, error) from error

    def read(self, timeout_s: float) -> bytes:
        """The bytes that have arrived; b"" if none arrives within `timeout_s`. Raises LinkLost, Stopped."""
        until = time.monotonic() + timeout_s
        try:
            while True:
                self._check_stop()
                waiting = self._serial.in_waiting
                if waiting or time.monotonic() < until:
                    data = bytes(self._serial.read(max(1, waiting)))
                    if data:
                        return data + bytes(self._serial.read(self._serial.in_waiting))
                if time.monotonic() >= until:
                    return b""
        except _LOST as error:
            raise _lost(self.path) from error

    def write(self, data: bytes) -> None:
        """Send all of `data`. Raises LinkLost, Stopped."""
        self._check_stop()
        try:
            self._serial.write(data)
        except _LOST as error:
            raise _lost(self.path) from error

    def close(self) -> None:
        """Close the port without a reset of the board. A second call does nothing."""
        if not self._serial.is_open:
            return
        try:
            self._serial.rts = False
            self._serial.dtr = False
        except (OSError, _TermiosError) as error:
            # A pty and a board that was unplugged have no such lines to clear.
            if error.args and error.args[0] not in _NO_MODEM_LINES:
                raise
        finally:
            self._serial.close()

    def _check_stop(self) -> None:
        if self._stop is not None and self._stop.is_set():
            raise Stopped(f"The work with the board at {self.path} was stopped.", port=self.path)

    def __enter__(self) -> "SerialPort":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def opened_when_ready(path: str, stop: threading.Event) -> SerialPort:
    """As `SerialPort`, for a board that was just plugged in.

    For SETTLE_S the system may still set the port's permissions, and other programs (such as ModemManager) try it. Raises as SerialPort.
    """
    until = time.monotonic() + SETTLE_S
    while True:
        try:
            return SerialPort(path, stop=stop)
        except (BoardNotFound, NoPermission, PortBusy):
            if time.monotonic() >= until or stop.wait(_POLL_S):
                raise


def _lost(path: str) -> LinkLost:
    return LinkLost(f"The board at {path} is gone. Check its cable and try again: a sync resumes where it stopped.", port=path)


def _open_error(path: str, error: BaseException) -> RetrostepError:
    """The error to raise for `error`, with which pyserial could not open `path`."""
    number = _error_number(error)
    in_use = (errno.EAGAIN, errno.EBUSY, errno.EACCES) if _ON_WINDOWS else (errno.EAGAIN, errno.EBUSY)
    if number in in_use:
        return PortBusy(f"The port {path} is in use{_holder(path)}. Close that program and try again.", port=path)
    if number in (errno.EACCES, errno.EPERM):
        join = f"run `sudo usermod -aG {_group(path)} $USER`, log out and in again"
        return NoPermission(f"You have no permission to open {path}. On Linux, {join}.", port=path)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or not os.path.exists(path):
        return BoardNotFound(f"There is no port {path}. Plug the board in.", port=path)
    return BoardNotFound(f"{path} is not a serial port.", port=path)


def _error_number(error: BaseException) -> int | None:
    """The errno of a failed open. On Windows pyserial has it only in its message: `PermissionError(13, ...)`."""
    number = getattr(error, "errno", None) or (error.args[0] if error.args else None)
    if isinstance(number, int):
        return number
    match = re.search(r"\w+Error\((\d+),", str(error))
    return int(match[1]) if match else None


def _group(path: str) -> str:
    """The group that may open `path`: dialout on most Linux systems, uucp on some."""
    if sys.platform == "win32":
        return ""
    try:
        name = Path(path).group()
    except (OSError, KeyError, ImportError):
        return "dialout"
    return name if name not in ("root", "tty") else "dialout"


def _holder(path: str) -> str:
    """The process that has opened `path`, as ` by minicom (process 4711)`; empty if it is not found, as on systems without /proc."""
    target = os.path.realpath(path)
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        try:
            if any(os.readlink(link) == target for link in (folder / "fd").iterdir()):
                name = clean((folder / "comm").read_text(encoding="utf-8", errors="replace").strip())
                return f" by {name} (process {folder.name})"
        except OSError:
            continue  # another user's process, or one that has just ended
    return ""
