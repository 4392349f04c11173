"""Fill a flash of a few blocks by hours of running, then start the device on it. Runs on MicroPython."""

import vfs
from hal.store import LogStore
from retrostep_core import codes
from retrostep_core.log.reader import read_log
from support.disk import numbers
from support.ram_store import Wearer
from support.recovery import recover

from powerloss.nor_flash import ERASED, Chip
from powerloss.restart import logs
from powerloss.rig import POINT, mount, unmount

BLOCKS = 16
HOURS = 6


def main():
    chip = Chip(bytearray(ERASED * BLOCKS))
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip), POINT)
    store = LogStore(POINT)
    wearer = Wearer(store, reserve=20000)
    wearer.turn(1)
    for _ in range(HOURS * 12):
        wearer.run(300)
    assert wearer.session.open
    assert wearer.session.faults & (codes.FAULT_FLASH_SHORT | codes.FAULT_FLASH_FULL)
    steps = wearer.totals.forward_steps
    wearer.session.stop(wearer.clock.now)
    sessions = 1
    while not wearer.session.faults & codes.FAULT_FLASH_FULL:
        wearer.pass_ms(20000)
        wearer.run(20)
        wearer.session.stop(wearer.clock.now)
        sessions += 1
        assert sessions < 3 * BLOCKS
    data = bytearray(chip.data)
    unmount(chip)

    again = Chip(data)
    mount(again)
    store = LogStore(POINT)
    recover(store, store.boot)
    stored = numbers(store)
    assert stored[0] == 1 and len(stored) >= sessions - 1
    log = read_log(logs()[1])
    assert log.epochs and log.gaps[0].reason == 4
    counted = log.totals.forward_steps
    # END may have found no room. The totals then come from the last epoch record, written when the flash became full.
    assert counted == steps or log.end.reason in (codes.END_INTERRUPTED, codes.END_FLASH_FULL)
    assert counted > steps // 2
    unmount(again)
    print(f"{counted} of {steps} steps counted in the log of a flash that was full in session {sessions}")


main()
