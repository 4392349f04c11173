"""What a chip does before MicroPython runs: its ROM's boot, the boot loop without a program, and the loader (rom_protocol.py).

A pty has no DTR and RTS, with which esptool resets a chip. Other events take their place. A SYNC request during the boot
loop enters the loader, once the host has received the text of the loop. Several SYNC requests while MicroPython runs do so too
(serial_bridge.py). When the host closes the tty after it has used the loader, the chip is reset.

Run as a program, it writes a stand-in for an official image of MicroPython: `rom.py FILE [--chip esp32s3]`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import select
import struct
import sys
import termios
import time
from pathlib import Path

from power_switch import PowerSwitch
from rom_protocol import CHIPS, FLASH_BYTES, IMAGE_MAGIC, ROM_BPS, SYNC_HEAD, Chip, Loader

FILES_AT, FILES_BYTES = 0x200000, 0x200000
"""The partition with the file system, as on an ESP32_GENERIC with 4 MiB."""
_PARTITIONS_AT, _APP_AT = 0x8000, 0x10000
_PARTITION_MAGIC = b"\xaa\x50"
_VERSION_TEXT = b"MicroPython v"
_HEADER = "<BBBBIB3sHBHH4sB"
_BOOT_EVERY_S = 0.3
_BOOTS_BEFORE_LOADER = 2
_POLL_MS = 20
_NO_HOST_S = 0.01
_CHUNK_BYTES = 4096


class Rom:
    """The chip at the pty `outer`, whose tty is `path`. `flash` is all of its flash; `run` returns once a program starts."""

    def __init__(self, switch: PowerSwitch, outer: int, path: str, chip: Chip, flash: bytearray, waits: bool) -> None:
        """`waits`: it begins in the loader, as after a reset with BOOT held, and stays there until a host has used it."""
        self._switch = switch
        self._outer, self._path = outer, path
        self._chip, self._flash = chip, flash
        self._loader: Loader | None = Loader(chip, flash) if waits else None
        self._has_host = False
        self._boot_due = 0.0
        self._boots = 0  # of which this host received the text

    def run(self) -> None:
        """Answer the host until a reset finds a program. Raises PowerOff."""
        poller = select.poll()
        poller.register(self._outer, select.POLLIN)
        while True:
            self._switch.check()
            events = dict(poller.poll(_POLL_MS)).get(self._outer, 0)
            had_host, self._has_host = self._has_host, not events & select.POLLHUP
            if not self._has_host:
                self._boots = 0
            if self._has_host:
                self._serve()
            elif had_host and self._loader is not None and self._loader.is_used:
                self._flush()
                self._loader = None
            if self._loader is None:
                if self._has_program():
                    return
                if time.monotonic() >= self._boot_due:
                    self._boot_due = time.monotonic() + _BOOT_EVERY_S
                    self._send(self._boot_text())
                    self._boots += self._has_host
            if not self._has_host:
                time.sleep(_NO_HOST_S)

    def _serve(self) -> None:
        try:
            data = os.read(self._outer, _CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return
        if self._loader is None:
            if SYNC_HEAD not in data or self._boots < _BOOTS_BEFORE_LOADER:
                return
            self._loader = Loader(self._chip, self._flash)
        # At another rate the chip receives noise. The ROM measures the rate of the first SYNC.
        if self._loader.is_used and self._host_bps() != self._loader.bps:
            return
        self._send(self._loader.feed(data))

    def _host_bps(self) -> int:
        speed = termios.tcgetattr(self._outer)[5]
        return next((bps for bps in (ROM_BPS, 230400, 460800, 921600) if getattr(termios, f"B{bps}") == speed), 0)

    def _send(self, data: bytes) -> None:
        """To the host, as a UART: what the host does not read in time is lost."""
        while data and self._has_host:
            try:
                data = data[os.write(self._outer, data) :]
            except BlockingIOError:
                if self._loader is None:
                    return
                time.sleep(_NO_HOST_S)
                self._switch.check()

    def _flush(self) -> None:
        with contextlib.suppress(OSError):
            fd = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            termios.tcflush(fd, termios.TCIOFLUSH)
            os.close(fd)

    def _has_program(self) -> bool:
        at = self._chip.program_at
        header = self._flash[at : at + 24]
        return (
            header[0] == IMAGE_MAGIC
            and struct.unpack_from("<H", header, 12)[0] == self._chip.chip_id
            and self._flash[_PARTITIONS_AT : _PARTITIONS_AT + 2] == _PARTITION_MAGIC
            and _VERSION_TEXT in self._flash[_APP_AT:FILES_AT]
        )

    def _boot_text(self) -> bytes:
        """What the ROM prints in each turn of the boot loop."""
        word = struct.unpack_from("<I", self._flash, self._chip.program_at)[0]
        text = b"\r\nrst:0x10 (RTCWDT_RTC_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
        if word & 0xFF == IMAGE_MAGIC:
            return text + b"E (38) boot: No bootable app partitions in the partition table\r\n"
        return text + 3 * (b"invalid header: 0x%08x\r\n" % word) + b"ets Jul 29 2019 12:21:46\r\n"


def stand_in(chip: Chip, version: str = "1.28.0") -> bytes:
    """An image that has all that a host checks in an official one, to be written at the chip's place for programs. It holds no program."""
    files = {
        chip.program_at: _program(chip, b"a stand-in for the second-stage bootloader"),
        _PARTITIONS_AT: _PARTITION_MAGIC + b"a stand-in for the partition table".ljust(30, b"\xff"),
        _APP_AT: _program(chip, f"MicroPython v{version} on 2026-01-01; a stand-in for MicroPython".encode() + os.urandom(60_000)),
    }
    image = bytearray()
    for at, content in files.items():
        image += b"\xff" * (at - chip.program_at - len(image)) + content
    return bytes(image)


def _program(chip: Chip, data: bytes) -> bytes:
    """One program image with a single segment, and its checksum (Espressif's "Firmware Image Format")."""
    data += bytes(-len(data) % 4)
    header = struct.pack(_HEADER, IMAGE_MAGIC, 1, 2, 0x20, 0x40080000, 0xEE, bytes(3), chip.chip_id, 0, 0, 0xFFFF, bytes(4), 0)
    checksum = 0xEF
    for byte in data:
        checksum ^= byte
    image = header + struct.pack("<II", 0x3FFF0000, len(data)) + data
    return image + bytes(15 - len(image) % 16) + bytes([checksum])


def blank_flash(program: bytes, at: int, files: bytes) -> bytearray:
    """A chip's flash with `program` at `at`, and `files` in the file system's partition; the rest is erased."""
    flash = bytearray(b"\xff" * FLASH_BYTES)
    flash[at : at + len(program)] = program
    flash[FILES_AT : FILES_AT + len(files)] = files
    return flash


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a stand-in for an official MicroPython image, for the virtual board.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--chip", choices=CHIPS, default="esp32")
    parser.add_argument("--version", default="1.28.0")
    options = parser.parse_args(sys.argv[1:])
    try:
        options.file.parent.mkdir(parents=True, exist_ok=True)
        options.file.write_bytes(stand_in(CHIPS[options.chip], options.version))
    except OSError as problem:
        parser.exit(1, f"{options.file}: cannot be written: {problem.strerror}.\n")
    print(f"{options.file}: a stand-in for MicroPython {options.version} on an {CHIPS[options.chip].name}.")
