"""Fill a flash down to its last session, restart the device, and let a host sync it. Runs on MicroPython.

`full_sync SPARE...`: for each number of bytes that another file takes, so that the flash becomes full at different places.
"""

import sys
from binascii import crc32

import vfs
from hal.store import LogStore
from retrostep_core.link import answers
from support.disk import numbers
from support.link_host import LinkHost
from support.ram_store import Wearer
from support.recovery import recover

from powerloss.nor_flash import ERASED, Chip
from powerloss.restart import logs, require
from powerloss.rig import POINT, mount, unmount

BLOCKS = 12


def fill(store):
    """Short sessions until the flash takes no more; the number of sessions that were stored."""
    wearer = Wearer(store, reserve=0)
    wearer.turn(1)
    for sessions in range(1, 200):
        wearer.run(60)
        wearer.session.stop(wearer.clock.now)
        if wearer.session.faults:
            return sessions
        wearer.pass_ms(20000)
    raise AssertionError("the flash never became full")


def sync(store):
    """Read and confirm every log, as a host does; {session: bytes}."""
    host = LinkHost(store)
    archived = {}
    after = 0
    while True:
        page = host.ask("LIST", after)
        for session, length, _flags in page.sessions:
            after = session
            data = b""
            while len(data) < length:
                part = host.ask("READ", session, len(data), min(1024, length - len(data)))
                require(isinstance(part, answers.Data) and part.data, f"session {session} ends at byte {len(data)} of {length}")
                data += part.data
            archived[session] = data
        if not page.more:
            break
    for session, data in archived.items():
        answer = host.ask("CONFIRM", session, len(data), crc32(data))
        require(isinstance(answer, answers.Ok), f"session {session} cannot be confirmed: {answer}")
    return archived


def check(spare):
    """Fill, restart, sync, erase and record again; the number of logs whose last bytes were in the tail."""
    chip = Chip(bytearray(ERASED * BLOCKS))
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip), POINT)
    with open(POINT + "/other.bin", "wb") as file:
        file.write(bytes(spare))
    stored = fill(LogStore(POINT))
    data = bytearray(chip.data)
    on_flash = logs()
    unmount(chip)

    again = Chip(data)
    mount(again)
    store = LogStore(POINT)
    in_tail = store.tail_session
    recover(store, store.boot)
    archived = sync(store)
    for number, log in on_flash.items():
        require(archived.get(number, b"")[: len(log)] == log, f"session {number} of {stored} arrives without its last bytes")
    require(store.unsynced == 0, f"{store.unsynced} logs are not confirmed")
    host = LinkHost(store)
    answer = host.ask("ERASE_CONFIRMED")
    require(isinstance(answer, answers.Ok) and numbers(store) == [], f"{answer}, {numbers(store)} remain")
    wearer = Wearer(store, reserve=0)
    wearer.turn(1)
    wearer.run(30)
    wearer.session.stop(wearer.clock.now)
    require(not wearer.session.faults and len(sync(store)) == 1, "the next session is not stored")
    unmount(again)
    return 1 if in_tail else 0


def main():
    tails = 0
    for spare in sys.argv[1:]:
        tails += check(int(spare))
    print(f"{len(sys.argv) - 1} full flashes synced, {tails} with their last bytes in the tail")


main()
