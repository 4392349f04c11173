"""Runs on MicroPython: the real app runs for an hour on a flash that counts. `wear_child.py tail|log` prints a JSON object.

tail: as it is; log: each flush goes into the log itself.
"""

import json
import sys

HERE = __file__.rsplit("/", 1)[0]
sys.path[0:0] = [HERE + "/../powerloss"]

import vfs  # noqa: E402
from life import POINT, VIRTUAL, Kept, Store, Worn  # noqa: E402
from nor import BLOCK, ERASED, Chip  # noqa: E402

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
    Store.keep = lambda self, session, length, view, kept: False
chip = Counting()
vfs.VfsLfs2.mkfs(chip)
vfs.mount(vfs.VfsLfs2(chip), POINT)
with open(POINT + "/board.json", "w") as file:
    json.dump(VIRTUAL, file)
worn = Worn(hardware=Kept())
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
