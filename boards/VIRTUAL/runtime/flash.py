"""The board's flash: a block device for LittleFS, 512 blocks of 4096 bytes in a file of the host.

Every write is in the host's file when it returns, so killing the process is a power cut. No method branches, because a pending
Ctrl-C is raised at a branch, and on a real board it never is inside LittleFS. No method allocates, because finalisers write files while
the heap is locked.
"""

from flash_times import ERASE_US, program_us, read_us

BLOCK = 4096
BLOCKS = 512
_ERASED = b"\xff" * BLOCK


class Flash:
    """Extended block device over `file`, open for reading and writing; its times are added by `clock.spend`."""

    def __init__(self, file: object, clock: object) -> None:
        self._file = file
        self._clock = clock
        # ioctl: 1 initialise, 2 shut down, 3 sync, 4 number of blocks, 5 block size, 6 erase
        self._answers = (_nothing, _nothing, _nothing, _nothing, _blocks, _block_size, _erase)

    def readblocks(self, n: int, buf: object, offset: int = 0) -> None:
        """Read from block `n` into `buf`."""
        self._file.seek(n * BLOCK + offset)
        self._file.readinto(buf)
        self._clock.spend(read_us(len(buf)))

    def writeblocks(self, n: int, buf: object, offset: int = 0) -> None:
        """Write `buf` to block `n`, which must be erased."""
        self._file.seek(n * BLOCK + offset)
        self._file.write(buf)
        self._clock.spend(program_us(len(buf)))

    def ioctl(self, op: int, arg: int) -> int:
        """Answer a request of LittleFS."""
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
    flash._clock.spend(ERASE_US)
    return 0
