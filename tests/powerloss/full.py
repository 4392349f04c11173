"""A flash of a few blocks, filled by running on and on, and the boot after it: `micropython -X heapsize=64m full.py`."""

import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path[0:0] = [HERE]

import vfs  # noqa: E402
from life import POINT, Store, unmount  # noqa: E402
from nor import ERASED, Chip  # noqa: E402

# These need the paths that life.py sets.
from ram_store import Wearer  # noqa: E402
from retrostep_core.log import records as r  # noqa: E402
from retrostep_core.log.reader import read_log  # noqa: E402
from retrostep_core.log.recovery import recover  # noqa: E402
from start import logs  # noqa: E402

BLOCKS = 16
HOURS = 6


def main():
    chip = Chip(bytearray(ERASED * BLOCKS))
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip), POINT)
    store = Store(POINT)
    wearer = Wearer(store, reserve=20000)
    wearer.turn(1)
    for _ in range(HOURS * 12):
        wearer.run(300)
    assert wearer.session.open
    assert wearer.session.faults & (r.FAULT_FLASH_SHORT | r.FAULT_FLASH_FULL)
    steps = wearer.tally.forward_steps
    wearer.session.stop(wearer.clock.now)
    sessions = 1
    while not wearer.session.faults & r.FAULT_FLASH_FULL:
        wearer.pass_ms(20000)
        wearer.run(20)
        wearer.session.stop(wearer.clock.now)
        sessions += 1
        assert sessions < 3 * BLOCKS
    data = bytearray(chip.data)
    unmount(chip)

    again = Chip(data)
    vfs.mount(vfs.VfsLfs2(again), POINT)
    store = Store(POINT)
    recover(store, store.boot)
    numbers = store.numbers()
    assert numbers[0] == 1 and len(numbers) >= sessions - 1
    log = read_log(logs()[1])
    assert log.epochs and log.gaps[0].reason == 4
    counted = log.totals.forward_steps
    # An END that found no room any more is missing; then the last epoch speaks, and it is where the flash was full.
    assert counted == steps or log.end.reason in (r.INTERRUPTED, r.FLASH_FULL)
    assert counted > steps // 2
    unmount(again)
    print(f"{counted} of {steps} steps counted in the log of a flash that was full in session {sessions}")


main()
