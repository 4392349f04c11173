"""Run the real app for an hour on a flash that counts its operations. On MicroPython: `bench.wear_board tail|log` prints a JSON object.

tail: as in the firmware; log: every flush goes into the log itself.
"""

import json
import sys

import vfs
from hal.store import LogStore
from powerloss.nor_flash import BLOCK, ERASED, Chip
from powerloss.rig import POINT, FlashHardware, mount
from support.wearable import VIRTUAL, Worn

# A flash of 2 MB, of which MicroPython takes as much on a 4 MB board.
BLOCKS = 512
# Four minutes forward, one backward.
ROUNDS = 12


class Counting(Chip):
    """A chip that counts what is done to each block; `now_ms` is the board's."""

    def __init__(self):
        super().__init__(bytearray(ERASED * BLOCKS))
        self.programmed = 0
        self.worn = [0] * BLOCKS

    def writeblocks(self, block, buf, offset=0):
        self.programmed += len(buf)
        return super().writeblocks(block, buf, offset)

    def ioctl(self, op, arg):
        if op == 6:
            self.worn[arg] += 1
        return super().ioctl(op, arg)


if sys.argv[1] == "log":
    LogStore.write_tail = lambda self, session, length, view, done: False
chip = Counting()
vfs.VfsLfs2.mkfs(chip)
mount(chip)
with open(POINT + "/board.json", "w") as file:
    json.dump(VIRTUAL, file)
worn = Worn(hardware=FlashHardware())
worn.live(2)
before = (chip.erases, chip.programs, chip.programmed)
for _ in range(ROUNDS):
    worn.live(240, 740)
    worn.live(60, 720, True)
print(
    json.dumps(
        {
            "log": worn.hardware.store.size(1),
            "erases": chip.erases - before[0],
            "programs": chip.programs - before[1],
            "programmed": chip.programmed - before[2],
            "most": max(chip.worn),
            "block": BLOCK,
        }
    )
)
worn.app.stop()
