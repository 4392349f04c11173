"""A flash in memory that takes as long as an ESP32's."""

from flash_times import ERASE_US, program_us, read_us
from powerloss.nor_flash import Chip


class TimedChip(Chip):
    """A chip that adds up how long its operations take on an ESP32, in `us`."""

    us = 0
    erase_us = ERASE_US

    def readblocks(self, block, buf, offset=0):
        self.us += read_us(len(buf))
        return super().readblocks(block, buf, offset)

    def writeblocks(self, block, buf, offset=0):
        self.us += program_us(len(buf))
        return super().writeblocks(block, buf, offset)

    def ioctl(self, op, arg):
        if op == 6:
            self.us += self.erase_us
        return super().ioctl(op, arg)
