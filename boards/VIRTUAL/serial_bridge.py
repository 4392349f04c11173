"""The board's serial bridge: two pseudo-terminals, `host side` for the computer and `device side` for the interpreter."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import select
import struct
import termios
import time
import tty

from interpreter_process import CTRL_C, InterpreterProcess
from line_rate import LineRate
from power_switch import PowerOff
from rom_protocol import SYNC_HEAD

# An ESP32's receive ring of 260 bytes holds one byte less.
RING_BYTES = 259
# An ESP32's USB-Serial-JTAG loses this much at once when the host reads late, and the program's write succeeds all the same.
PACKET_BYTES = 64
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
FRIENDLY_BANNER = b'Type "help()" for more information.\r\n'
# Longer than either banner.
_TAIL_BYTES = 200
_CHUNK_BYTES = 4096
# Polling interval while no host has the tty open.
_NO_HOST_S = 0.01
_RING_FULL_S = 0.002
_KERNEL_COPY_S = 0.0002

# esptool repeats its request to a loader and sends nothing else. A host that only looks for one ends its line after each.
_SYNCS_LEAST = 3
_SYNC_LINE_BYTES = 400

WAIT_FOR_HOST = -1.0
"""Returned by `to_host`: the host must read first."""


class LoaderWanted(Exception):
    """esptool resets the chip into its loader. On a real board DTR and RTS do that, which a pty has not; here its SYNC requests do."""


class SerialBridge:
    """Relays bytes between the host and the interpreter.

    `link`: "usb" holds bytes back while the other end is full, "uart" loses them. `bps`: bits per second each way, None for no limit.
    `cut_after`: pull the cable after this many bytes to the host. `swallow`: after every `swallow` bytes, lose a packet.
    """

    def __init__(self, link: str, bps: int | None, cut_after: int | None, swallow: int | None) -> None:
        self._is_uart = link == "uart"
        self._cut_after = cut_after
        self._swallow = swallow
        self._written = 0
        self._up_rate, self._down_rate = LineRate(bps), LineRate(bps)
        self.outer, host_side = pty.openpty()
        self.inner, self.device_side = pty.openpty()
        self.path = os.ttyname(host_side)
        for fd in (host_side, self.device_side):
            tty.setraw(fd)
        # ISIG only serves as a flag: the interpreter clears it while the REPL reads. No character of this tty sends a signal.
        mode = termios.tcgetattr(self.device_side)
        mode[3] |= termios.ISIG
        mode[6] = [bytes([os.fpathconf(self.device_side, "PC_VDISABLE")])] * len(mode[6])
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.device_side, termios.TCSANOW, mode)
        # From here on, a hang-up on `outer` means that no host has the tty open.
        os.close(host_side)
        self._has_host = False
        self._hang_up = select.poll()
        self._hang_up.register(self.outer, 0)
        self._waiting_for_device = bytearray()
        self._waiting_for_host = bytearray()
        self.is_raw_repl = False
        self.tail = b""
        for fd in (self.outer, self.inner):
            os.set_blocking(fd, False)
        self._interpreter: InterpreterProcess | None = None
        self._sync_line = b""

    def close(self) -> None:
        """Unplug."""
        for fd in (self.outer, self.inner, self.device_side):
            os.close(fd)

    def connect(self, interpreter: InterpreterProcess) -> None:
        """Relay to this run of the interpreter from now on."""
        self._interpreter = interpreter
        self.tail = b""
        if self.is_raw_repl:
            # The REPL keeps its mode across a soft reset; a new process does not know it.
            os.write(self.inner, b"\x01")

    def disconnect(self) -> None:
        """The interpreter has ended, and none follows: what was on its way is lost."""
        self._interpreter = None
        self._waiting_for_device.clear()
        self._waiting_for_host.clear()
        self._sync_line = b""
        self.is_raw_repl = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self.inner, _CHUNK_BYTES):
                continue
        termios.tcflush(self.device_side, termios.TCIFLUSH)

    def look_for_host(self) -> None:
        """Notice a host that opens or closes the tty. When it closes it, discard what it left unread."""
        had_host, self._has_host = self._has_host, not self._hang_up.poll(0)
        if had_host and not self._has_host:
            fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            termios.tcflush(fd, termios.TCIFLUSH)
            os.close(fd)

    def is_program_running(self) -> bool:
        """Whether a program runs, and not the REPL."""
        return bool(termios.tcgetattr(self.inner)[3] & termios.ISIG)

    def print(self, text: bytes) -> None:
        """Send the host text that does not come from the interpreter."""
        self._waiting_for_host += text

    # Host to device

    def to_device(self, now: float) -> float | None:
        """Relay what may pass. Returns the seconds until the next call, or None to wait until the host sends."""
        if self._waiting_for_device:
            self._fill_ring()
            if self._waiting_for_device and not self._is_uart:
                return _RING_FULL_S
        room = self._up_rate.room(now)
        if not room:
            return self._up_rate.wait(now)
        try:
            data = os.read(self.outer, min(room, _CHUNK_BYTES))
        except BlockingIOError:
            self._up_rate.idle(now)
            return _RING_FULL_S if self._waiting_for_device else None
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._up_rate.idle(now)
            return _NO_HOST_S
        self._up_rate.passed(len(data))
        self._look_for_syncs(data)
        for k, part in enumerate(data.split(CTRL_C)):
            if k and self._is_up():
                self._interrupt()
            elif k:
                part = CTRL_C + part
            self._receive(part)
        return 0.0

    def _look_for_syncs(self, data: bytes) -> None:
        """Raise LoaderWanted where the host asks for the loader _SYNCS_LEAST times within one line."""
        self._sync_line = (self._sync_line + data).rpartition(b"\n")[2][-_SYNC_LINE_BYTES:]
        if self._sync_line.count(SYNC_HEAD) >= _SYNCS_LEAST:
            raise LoaderWanted

    def _is_up(self) -> bool:
        return self._interpreter is not None and self._interpreter.up

    def _receive(self, data: bytes) -> None:
        """Take bytes from the line. A UART loses those that find the ring full."""
        self._waiting_for_device += data
        self._fill_ring()
        if self._is_uart:
            del self._waiting_for_device[RING_BYTES - self._bytes_in_ring() :]

    def _fill_ring(self) -> None:
        """Give waiting bytes to the program while the ring has room; none before the program has started."""
        room = RING_BYTES - self._bytes_in_ring() if self._is_up() else 0
        while room > 0 and self._waiting_for_device:
            head = bytes(self._waiting_for_device[:room]).split(CTRL_C)[0]
            if head:
                filled = self._bytes_in_ring()
                sent = os.write(self.inner, head)
                room -= sent
                self._await_copy(filled + sent)
            else:
                sent = len(CTRL_C)
                self._interrupt()
            del self._waiting_for_device[:sent]

    def _await_copy(self, filled: int) -> None:
        """Wait until the kernel has copied the bytes to the other end; only then do they count as in the ring.

        A program that reads at the same time may hide the copy, so the wait is long only where the ring may overflow.
        """
        for _ in range(0 if not self._is_uart else 10 if filled < RING_BYTES // 2 else 250):
            if self._bytes_in_ring() >= filled:
                break
            time.sleep(_KERNEL_COPY_S)

    def _bytes_in_ring(self) -> int:
        return _readable_bytes(self.device_side)

    def _interrupt(self) -> None:
        """Ctrl-C interrupts a running program and never enters the ring. The REPL gets it as a character."""
        if self._interpreter is not None and self.is_program_running():
            self._interpreter.interrupt()
        else:
            os.write(self.inner, CTRL_C)

    # Device to host

    def to_host(self, now: float) -> float | None:
        """Relay what may pass. Returns the seconds until the next call, None to wait for the device, or WAIT_FOR_HOST."""
        if self._waiting_for_host and not self._deliver():
            return WAIT_FOR_HOST
        room = self._down_rate.room(now)
        if not room:
            return self._down_rate.wait(now)
        try:
            data = os.read(self.inner, min(room, _CHUNK_BYTES))
        except BlockingIOError:
            self._down_rate.idle(now)
            return None
        self._down_rate.passed(len(data))
        self._follow_repl(data)
        self._waiting_for_host += self._without_swallowed(data)
        self._deliver()
        return 0.0

    def _without_swallowed(self, data: bytes) -> bytes:
        """`data` without the packets that `swallow` loses."""
        before = self._written
        self._written += len(data)
        if self._swallow is None:
            return data
        period = self._swallow + PACKET_BYTES
        return bytes(byte for place, byte in enumerate(data, before) if place % period < self._swallow)

    def _deliver(self) -> bool:
        """Send what waits. Without a host it is lost. If the host does not read, a UART loses it and USB keeps it (returns False)."""
        if self._has_host:
            data = bytes(self._waiting_for_host)
            if self._cut_after is not None:
                data = data[: self._cut_after]
            try:
                sent = os.write(self.outer, data)
            except BlockingIOError:
                sent = 0
            del self._waiting_for_host[:sent]
            if self._cut_after is not None:
                self._cut_after -= sent
                if not self._cut_after:
                    self._pull_cable()
            if self._waiting_for_host and not self._is_uart:
                return False
        self._waiting_for_host.clear()
        return True

    def _pull_cable(self) -> None:
        """Wait until the host has read what was sent, and end."""
        fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        for _ in range(20):
            if not _readable_bytes(fd):
                break
            time.sleep(_NO_HOST_S)
        os.close(fd)
        raise PowerOff

    def _follow_repl(self, data: bytes) -> None:
        """Note which REPL a soft reset returns to, by the banner printed last."""
        seen = self.tail + data
        raw, friendly = seen.rfind(RAW_BANNER), seen.rfind(FRIENDLY_BANNER)
        if raw != friendly:
            self.is_raw_repl = raw > friendly
        self.tail = seen[-_TAIL_BYTES:]


def _readable_bytes(fd: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0])
