"""The loader in an ESP32's ROM, and esptool's stub, as a host sees them over the serial line.

Modelled: SLIP, SYNC, registers with the chip's identity and its SPI controller (flash id and status), GET_SECURITY_INFO, loading a program
into RAM (which is always esptool's stub), FLASH_BEGIN, DATA and END, raw and compressed, the erase commands of the stub, the MD5 of the
flash, the change of the line's rate. The flash behaves as NOR flash: writing clears bits, erasing sets the bits of a sector.
Not modelled: encryption, secure boot, reading the flash, eFuses (they read 0), other chips' RAM.

Source: "Serial Protocol" in Espressif's esptool documentation.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

SECTOR = 4096
FLASH_BYTES = 4 << 20
ROM_BPS = 115_200
IMAGE_MAGIC = 0xE9

FLASH_BEGIN, FLASH_DATA, FLASH_END = 0x02, 0x03, 0x04
MEM_BEGIN, MEM_END, MEM_DATA, SYNC, WRITE_REG, READ_REG = 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A
SPI_SET_PARAMS, SPI_ATTACH, CHANGE_BAUDRATE = 0x0B, 0x0D, 0x0F
DEFL_BEGIN, DEFL_DATA, DEFL_END, FLASH_MD5, SECURITY_INFO = 0x10, 0x11, 0x12, 0x13, 0x14
ERASE_FLASH, ERASE_REGION = 0xD0, 0xD1
SYNC_HEAD = bytes([0xC0, 0, SYNC])
_STUB_ONLY = (ERASE_FLASH, ERASE_REGION)

# Reasons of a refused command.
_UNKNOWN_COMMAND, _BAD_CHECKSUM, _BAD_DATA = 0x05, 0x07, 0x06
_CHECKSUM_SEED = 0xEF
_SYNC_VALUE = 0x20120707
_STUB_GREETING = b"OHAI"
_PACKET_MOST = 0x8000

_MAGIC_REGISTER = 0x40001000
_SPI_USER_COMMAND = 1 << 18
_FLASH_ID, _FLASH_ID_COMMAND = 0x1640EF, 0x9F  # Winbond, 4 MiB
_CRYSTAL_HZ = 40_000_000
# With these an ESP32 finds that its crystal has 40 MHz: a slow clock counted with the crystal, and the rate of a fast one.
_CALIBRATION = {0x3FF5F06C: 1600 << 7, 0x3FF5A010: 64}


@dataclass(frozen=True)
class Chip:
    """A chip's identity, the registers that esptool uses, and where its ROM looks for a program."""

    name: str
    chip_id: int
    program_at: int
    magic: int
    has_security_info: bool
    clock_divider: int
    spi_command: int
    spi_user2: int
    spi_data: int


def _newer(name: str, chip_id: int, spi: int) -> Chip:
    return Chip(name, chip_id, 0, 0, True, 0x60000014, spi, spi + 0x20, spi + 0x58)


CHIPS = {
    "esp32": Chip("ESP32", 0, 0x1000, 0x00F01D83, False, 0x3FF40014, 0x3FF42000, 0x3FF42024, 0x3FF42080),
    "esp32s3": _newer("ESP32-S3", 9, 0x60002000),
    "esp32c3": _newer("ESP32-C3", 5, 0x60002000),
    "esp32c6": _newer("ESP32-C6", 13, 0x60003000),
}


class _RefusedError(Exception):
    """args[0] is the reason of the status."""


@dataclass
class Loader:
    """The loader of `chip` with `flash`. `feed` takes what the host sends at the rate `bps` and returns the answer.

    `is_used`: a command other than SYNC has come. `is_stub`: esptool's stub runs.
    """

    chip: Chip
    flash: bytearray
    bps: int = ROM_BPS
    is_stub: bool = False
    is_used: bool = False
    _packet: bytearray | None = None
    _is_escaped: bool = False
    _registers: dict[int, int] = field(default_factory=dict)
    _at: int = 0
    _left: int = 0
    _inflate: zlib._Decompress | None = None

    def feed(self, data: bytes) -> bytes:
        """The answers to the packets that `data` completes. Bytes outside of packets are ignored."""
        answers = b""
        for byte in data:
            if byte == 0xC0:
                if self._packet:
                    answers += self._answer(bytes(self._packet))
                    self._packet = None
                else:
                    self._packet = bytearray()
                self._is_escaped = False
            elif self._packet is not None:
                if self._is_escaped:
                    byte = {0xDC: 0xC0, 0xDD: 0xDB}.get(byte, byte)
                    self._is_escaped = False
                elif byte == 0xDB:
                    self._is_escaped = True
                    continue
                self._packet.append(byte)
                if len(self._packet) > _PACKET_MOST:
                    self._packet = None
        return answers

    def _answer(self, packet: bytes) -> bytes:
        if len(packet) < 8 or packet[0]:
            return b""
        _, command, size, checksum = struct.unpack_from("<BBHI", packet)
        data = packet[8:]
        if len(data) != size:
            return b""
        if command == SYNC:
            value = 0 if self.is_stub else _SYNC_VALUE
            return 8 * self._frame(command, value, b"", b"\0\0")
        self.is_used = True
        value, payload, status, after = 0, b"", b"\0\0", b""
        try:
            handle = _COMMANDS.get(command)
            if handle is None or (command in _STUB_ONLY and not self.is_stub):
                raise _RefusedError(_UNKNOWN_COMMAND)
            if command == SECURITY_INFO and not self.chip.has_security_info:
                raise _RefusedError(_UNKNOWN_COMMAND)
            answered = handle(self, data, checksum)
            if isinstance(answered, int):
                value = answered
            elif isinstance(answered, bytes):
                payload = answered
        except _RefusedError as refused:
            status = bytes([1, refused.args[0]])
        except struct.error:
            status = bytes([1, _BAD_DATA])
        answer = self._frame(command, value, payload, status)
        if command == MEM_END and status == b"\0\0" and struct.unpack_from("<II", data)[1]:
            self.is_stub = True
            after = b"\xc0" + _STUB_GREETING + b"\xc0"
        return answer + after

    def _frame(self, command: int, value: int, payload: bytes, status: bytes) -> bytes:
        # The ROM of these chips sends two bytes more than the stub.
        body = payload + status + (b"" if self.is_stub else b"\0\0")
        raw = struct.pack("<BBHI", 1, command, len(body), value) + body
        return b"\xc0" + raw.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"

    # Commands. Each returns the answer's value, its payload, or None.

    def _read_register(self, data: bytes, checksum: int) -> int:
        register = struct.unpack("<I", data)[0]
        if register == _MAGIC_REGISTER:
            return self.chip.magic
        if register == self.chip.clock_divider:
            return _CRYSTAL_HZ // self.bps
        return self._registers.get(register, _CALIBRATION.get(register, 0))

    def _write_register(self, data: bytes, checksum: int) -> None:
        for at in range(0, len(data), 16):
            register, value, mask, _ = struct.unpack_from("<IIII", data, at)
            if register == self.chip.spi_command and value & _SPI_USER_COMMAND:
                command = self._registers.get(self.chip.spi_user2, 0) & 0xFF
                self._registers[self.chip.spi_data] = _FLASH_ID if command == _FLASH_ID_COMMAND else 0
            else:
                self._registers[register] = self._registers.get(register, 0) & ~mask | value & mask

    def _security_info(self, data: bytes, checksum: int) -> bytes:
        return struct.pack("<IB7sII", 0, 0, bytes(7), self.chip.chip_id, 0)

    def _accept(self, data: bytes, checksum: int) -> None:
        """Settings without an effect here."""

    def _ram_data(self, data: bytes, checksum: int) -> None:
        self._checked(data, checksum)

    def _change_rate(self, data: bytes, checksum: int) -> None:
        self.bps = struct.unpack("<II", data)[0]

    def _begin(self, data: bytes, checksum: int) -> None:
        erased, _, _, offset = struct.unpack_from("<IIII", data)
        self._erase(offset, erased)
        self._at, self._left, self._inflate = offset, erased, None

    def _begin_compressed(self, data: bytes, checksum: int) -> None:
        self._begin(data, checksum)
        self._inflate = zlib.decompressobj()

    def _data(self, data: bytes, checksum: int) -> None:
        block = self._checked(data, checksum)
        if self._inflate is not None:
            try:
                block = self._inflate.decompress(block)
            except zlib.error:
                raise _RefusedError(_BAD_DATA) from None
        end = self._at + len(block)
        if end > len(self.flash):
            raise _RefusedError(_BAD_DATA)
        old = int.from_bytes(self.flash[self._at : end], "little")
        self.flash[self._at : end] = (old & int.from_bytes(block, "little")).to_bytes(len(block), "little")
        self._at = end

    def _md5(self, data: bytes, checksum: int) -> bytes:
        address, size = struct.unpack_from("<II", data)
        found = hashlib.md5(self.flash[address : address + size])
        return found.digest() if self.is_stub else found.hexdigest().encode()

    def _erase_all(self, data: bytes, checksum: int) -> None:
        self._erase(0, len(self.flash))

    def _erase_region(self, data: bytes, checksum: int) -> None:
        self._erase(*struct.unpack("<II", data))

    def _erase(self, offset: int, size: int) -> None:
        if offset % SECTOR or offset + size > len(self.flash):
            raise _RefusedError(_BAD_DATA)
        size = (size + SECTOR - 1) // SECTOR * SECTOR
        self.flash[offset : offset + size] = b"\xff" * size

    def _checked(self, data: bytes, checksum: int) -> bytes:
        size = struct.unpack_from("<I", data)[0]
        block = data[16:]
        found = _CHECKSUM_SEED
        for byte in block:
            found ^= byte
        if len(block) != size or found != checksum & 0xFF:
            raise _RefusedError(_BAD_CHECKSUM)
        return block


_COMMANDS: dict[int, Callable[[Loader, bytes, int], int | bytes | None]] = {
    READ_REG: Loader._read_register,
    WRITE_REG: Loader._write_register,
    SECURITY_INFO: Loader._security_info,
    SPI_SET_PARAMS: Loader._accept,
    SPI_ATTACH: Loader._accept,
    MEM_BEGIN: Loader._accept,
    MEM_DATA: Loader._ram_data,
    MEM_END: Loader._accept,
    CHANGE_BAUDRATE: Loader._change_rate,
    FLASH_BEGIN: Loader._begin,
    FLASH_DATA: Loader._data,
    FLASH_END: Loader._accept,
    DEFL_BEGIN: Loader._begin_compressed,
    DEFL_DATA: Loader._data,
    DEFL_END: Loader._accept,
    FLASH_MD5: Loader._md5,
    ERASE_FLASH: Loader._erase_all,
    ERASE_REGION: Loader._erase_region,
}
