"""Open a board's port without resetting the board, and name the cure where that fails."""

import errno
import grp
import os
import select
import termios
from pathlib import Path
from types import TracebackType

import serial

from retrostep.errors import BoardNotFound, LinkLost, NoPermission, PortBusy, RetrostepError, Stopped

LINE_BPS = 115_200
WRITE_TIMEOUT_S = 5.0


class Stop:
    """Ends the reading and writing of every Line that was opened with it, whichever threads they are in."""

    def __init__(self) -> None:
        self.fd, self._set_end = os.pipe()
        self.is_set = False

    def set(self) -> None:
        """From here on those lines raise Stopped."""
        self.is_set = True
        os.write(self._set_end, b"!")  # and is never read: it wakes all who wait

    def close(self) -> None:
        """Let go of it, once no line can wait for it any more."""
        os.close(self.fd)
        os.close(self._set_end)


class Line:
    """An open port that is ours alone. read and write raise LinkLost once the board is gone, and Stopped once `stop` is set.

    DTR and RTS stay asserted together: RTS alone resets an ESP32, DTR alone sends it to its bootloader, and a board on native USB sends
    nothing while DTR is clear. On close RTS is cleared before DTR (micropython/micropython #9659, #18001, #17960).
    """

    def __init__(self, path: str, bps: int = LINE_BPS, stop: Stop | None = None) -> None:
        """Open the port at `path`. Raises BoardNotFound, NoPermission or PortBusy; each names its cure."""
        self.path = path
        self._stop = stop
        try:
            self._serial = serial.Serial(path, bps, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
        except (OSError, termios.error, ValueError) as error:  # serial.SerialException is an OSError
            raise _explained(path, error) from error

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting up to `timeout_s` for the first byte; b"" where nothing came."""
        try:
            waking = [] if self._stop is None else [self._stop.fd]
            ready, _, _ = select.select([self._serial.fileno(), *waking], [], [], max(0.0, timeout_s))
            self._check()
            return bytes(self._serial.read(max(1, self._serial.in_waiting))) if ready else b""
        except (OSError, termios.error, TypeError) as error:  # pyserial raises TypeError when its descriptor vanishes beneath it
            raise _lost(self.path) from error

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        self._check()
        try:
            self._serial.write(data)
        except (OSError, termios.error, TypeError) as error:
            raise _lost(self.path) from error

    def _check(self) -> None:
        if self._stop is not None and self._stop.is_set:
            raise Stopped(f"The sync of the board at {self.path} was stopped: run the same command again, it resumes.")

    def close(self) -> None:
        """Let the port go; closing twice is fine."""
        if not self._serial.is_open:
            return
        try:
            self._serial.rts = False
            self._serial.dtr = False
        except (OSError, termios.error) as error:
            # A pty has no such lines (ENOTTY, EINVAL), and a board that was unplugged has none any more: there is nothing to clear.
            if error.args and error.args[0] not in (errno.ENOTTY, errno.EINVAL, errno.EIO, errno.ENODEV, errno.ENXIO):
                raise
        finally:
            self._serial.close()

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _lost(path: str) -> LinkLost:
    return LinkLost(f"The board at {path} is gone (was its cable pulled?). Plug it in and run the same command again: it resumes.")


def _explained(path: str, error: BaseException) -> RetrostepError:
    """What opening `path` failed of, with the cure."""
    number = getattr(error, "errno", None) or (error.args[0] if error.args else None)
    if number in (errno.EAGAIN, errno.EBUSY):
        return PortBusy(f"The port {path} is in use{_by_whom(path)}. Close that program, then run the same command again.")
    if number in (errno.EACCES, errno.EPERM):
        return NoPermission(
            f"You may not open {path}. Run `sudo usermod -aG {_group(path)} $USER`, log out and in again, then run the same command again."
        )
    if not os.path.exists(path) or number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return BoardNotFound(f"There is nothing at {path}. Plug the board in; `retrostep devices` then shows its port.")
    return BoardNotFound(f"{path} is not a serial port. `retrostep devices` shows the ports of the boards that are plugged in.")


def _group(path: str) -> str:
    """The group whose members may open `path`: dialout on most systems, uucp on some."""
    try:
        name = grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"
    return name if name not in ("root", "tty") else "dialout"


def _by_whom(path: str) -> str:
    """ " by minicom (process 4711)" where /proc can tell, else ""."""
    target = os.path.realpath(path)
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        try:
            held = any(os.readlink(link) == target for link in (folder / "fd").iterdir())
            if held:
                name = "".join(c for c in (folder / "comm").read_text(errors="replace").strip() if c.isprintable())
                return f" by {name} (process {folder.name})"
        except OSError:
            continue  # another user's process, or one that has just ended
    return ""
