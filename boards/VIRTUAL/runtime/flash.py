"""The board's flash: 512 blocks of 4096 bytes in a file of the host, as LittleFS wants a block device.

Every write is in the host's file before it returns, so killing the process is a power cut. No method branches or allocates: a pending
Ctrl-C is only raised at a branch, and must not be raised in the midst of LittleFS, which a real board's C code never lets happen; and
finalisers write files while the heap is locked.
"""

BLOCK = 4096
BLOCKS = 512
# A 4 MB flash chip as DevKits carry it (W25Q32JV datasheet, 9.6): typical time to erase a 4 kB sector, to program a 256 byte page.
_ERASE_US = 45000
_PROGRAM_US = 400
_ERASED = b"\xff" * BLOCK


class Flash:
    """Extended block device over `file`, open for reading and writing; the time it takes goes to `clock.spend`."""

    def __init__(self, file: object, clock: object) -> None:
        self._file = file
        self._clock = clock
        # ioctl: 1 initialise, 2 shut down, 3 sync, 4 number of blocks, 5 size of a block, 6 erase
        self._answers = (_nothing, _nothing, _nothing, _nothing, _blocks, _block_size, _erase)

    def readblocks(self, n: int, buf: object, offset: int = 0) -> None:
        """Fill `buf` from block `n` on."""
        self._file.seek(n * BLOCK + offset)
        self._file.readinto(buf)

    def writeblocks(self, n: int, buf: object, offset: int = 0) -> None:
        """Write `buf` to block `n`, which was erased before."""
        self._file.seek(n * BLOCK + offset)
        self._file.write(buf)
        self._clock.spend(_PROGRAM_US * (len(buf) + 255 >> 8))

    def ioctl(self, op: int, arg: int) -> int:
        """What LittleFS asks for."""
        return self._answers[op](self, arg)


def _nothing(flash: Flash, arg: int) -> int:
    return 0


def _blocks(flash: Flash, arg: int) -> int:
    return BLOCKS


def _block_size(flash: Flash, arg: int) -> int:
    return BLOCK


def _erase(flash: Flash, n: int) -> int:
    flash._file.seek(n * BLOCK)
    flash._file.write(_ERASED)
    flash._clock.spend(_ERASE_US)
    return 0
