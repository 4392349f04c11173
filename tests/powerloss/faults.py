"""What is wrong with a flash before the device starts on it: `micropython -X heapsize=16m faults.py EVERY [CASE...]`.

Each case of `CASES` prepares a flash that holds a session no host has, starts the real app on it and walks. Held against it: the device
starts, counts and answers; what it cannot do stands in STATUS, is felt and is said; the session is kept, unless the fault says that none
can be; and no byte that another program could read before is lost. Prints a line a failure and a closing count; exits 1 if there was one.
Without CASE all are played, and each EVERY-th block of the flash fails in each way.
"""

import os
import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path[0:0] = [HERE]

import json  # noqa: E402

import vfs  # noqa: E402
from life import POINT, Kept, Store, Wearer, Worn, unmount  # noqa: E402
from nor import BLOCK, ERASED, Chip  # noqa: E402
from test_hal_board import VIRTUAL  # noqa: E402

# These need the paths that life.py sets.
from retrostep_core.log import records as r  # noqa: E402 isort: skip
from retrostep_core.log.reader import LogError, read_log  # noqa: E402 isort: skip

BLOCKS = 44
SESSIONS = POINT + "/sessions/"
FULL = r.FAULT_FLASH_FULL
SHORT = r.FAULT_FLASH_SHORT
DAMAGED = r.FAULT_LOG_DAMAGED
TROUBLE = [60] * 5


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def find(chip, data):
    """The block of the chip that holds `data`."""
    return bytes(chip.data).find(data) // BLOCK


def nothing(chip):
    return


def full(chip):
    for k in range(99):
        try:
            put(POINT + "/other%d.bin" % k, bytes(BLOCK if k < 30 else 200))
        except OSError:
            continue


def foreign(chip):
    for name in ("notes.txt", "1.rsl", "0000000x.rsl", "00000000.rsl", "-0000007.rsl", "00000002.tmp", "00000009.ok"):
        put(SESSIONS + name, b"theirs")


def foreign_folders(chip):
    for name in ("notes", "00000007.rsl", "00000008.rsl"):
        os.mkdir(SESSIONS + name)
    put(SESSIONS + "00000008.rsl/inside", b"theirs")


def high_number(chip):
    put(SESSIONS + "99999999.rsl", b"theirs")


def no_log(chip):
    put(SESSIONS + "00000002.rsl", bytes(range(256)) * 20)


def other_version(chip):
    put(SESSIONS + "00000002.rsl", b"RSL\x09" + bytes(range(200)))


def unreadable_log(chip, count=1000):
    """The last block of a log is noise: LittleFS finds the earlier ones through it."""
    put(SESSIONS + "00000002.rsl", b"unreadable" * count + b"the end")
    where = bytes(chip.data).find(b"the end") // BLOCK
    for k in range(BLOCK):
        chip.data[where * BLOCK + k] = 0xA5


def unreadable_long_log(chip):
    """In a longer one it cannot find which blocks are free either."""
    unreadable_log(chip, 2500)


def sessions_damaged(chip):
    """Both blocks of the folder's entries are noise."""
    for block in range(2, BLOCKS):
        if b"00000001.rsl" in bytes(chip.data[block * BLOCK : (block + 1) * BLOCK]):
            for k in range(BLOCK):
                chip.data[block * BLOCK + k] = 0xA5


def sessions_is_a_file(chip):
    os.rename(POINT + "/sessions", POINT + "/elsewhere")
    put(POINT + "/sessions", b"theirs")


def state_damaged(chip):
    put(POINT + "/state.bin", b"\xff" * 12)


def state_is_a_folder(chip):
    os.remove(POINT + "/state.bin")
    os.mkdir(POINT + "/state.bin")


def new_state_is_a_folder(chip):
    os.mkdir(POINT + "/state.bin.new")


def first_blocks_damaged(chip):
    for block in (0, 1):
        chip.view[block * BLOCK : (block + 1) * BLOCK] = b"\xa5" * BLOCK


# Name: (what is done to the flash, faults in STATUS, whether the session walked is kept, a word of what is said).
CASES = {
    "nothing": (nothing, 0, True, ""),
    "full": (full, FULL | SHORT, False, "flash is full"),
    "foreign": (foreign, 0, True, ""),
    "foreign-folders": (foreign_folders, 0, True, ""),
    "high-number": (high_number, DAMAGED, True, "damaged"),
    "no-log": (no_log, DAMAGED, True, "damaged"),
    "other-version": (other_version, DAMAGED, True, "damaged"),
    "unreadable-log": (unreadable_log, DAMAGED, True, "damaged"),
    "unreadable-long-log": (unreadable_long_log, DAMAGED | FULL | SHORT, False, "rescue"),
    "sessions-damaged": (sessions_damaged, DAMAGED | FULL | SHORT, False, "rescue"),
    "sessions-is-a-file": (sessions_is_a_file, DAMAGED | FULL, False, "rescue"),
    "state-damaged": (state_damaged, DAMAGED, True, "state.bin was damaged"),
    "state-is-a-folder": (state_is_a_folder, DAMAGED | FULL, False, "flash is full"),
    "new-state-is-a-folder": (new_state_is_a_folder, FULL, False, "flash is full"),
    "first-blocks-damaged": (first_blocks_damaged, DAMAGED | FULL | SHORT, False, "rescue"),
}
# LittleFS refuses these whole.
NOT_MOUNTED = ("sessions-damaged", "first-blocks-damaged")


def prepared():
    """A chip with board.json, state.bin and a closed session that no host has."""
    chip = Chip(bytearray(ERASED * BLOCKS))
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip), POINT)
    with open(POINT + "/board.json", "w") as file:
        json.dump(VIRTUAL, file)
    wearer = Wearer(Store(POINT), reserve=0)
    wearer.turn(1)
    wearer.run(400)
    wearer.session.stop(wearer.clock.now)
    return chip


def everything(folder=POINT):
    """{path: bytes} of what can be read."""
    found = {}
    try:
        entries = list(os.ilistdir(folder))
    except OSError:
        return found
    for entry in entries:
        path = folder + "/" + entry[0]
        if entry[1] == 0x4000:
            found[path] = None
            found.update(everything(path))
        else:
            try:
                with open(path, "rb") as file:
                    found[path] = file.read()
            except OSError:
                continue
    return found


class Wrong(Exception):
    """What a device did that it should not."""


def hold(condition, sentence):
    if not condition:
        raise Wrong(sentence)


class BoardKept(Kept):
    """The pieces, with the board known even where its file cannot be read: else there would be no sensor to count with."""

    def __init__(self, store=Store):
        from life import Place
        from test_app_wearable import Hardware

        Hardware.__init__(self, Place, {}, VIRTUAL, store)


def start(chip, before):
    """Start on what is mounted, walk, press and stop: (the worn app, STATUS in mid-session, the session's number)."""
    worn = Worn(hardware=BoardKept())
    worn.live(1)
    worn.live(12, 750)
    status = worn.answer("STATUS")
    hold(sum(status.totals[:3]) > 12, f"counted {sum(status.totals[:3])} steps")
    worn.answer("HELLO")
    entries = [entry.session for entry in worn.answer("LIST", 0).sessions]
    worn.live(3)
    worn.press(150)
    after = everything()
    for path, data in before.items():
        if path.endswith("state.bin") or "/tail/" in path:
            continue
        hold(path in after, f"{path} is gone")
        hold(after[path] == data, f"{path} was changed")
    return worn, status, entries


def kept(number):
    """Whether the session's log is there and whole."""
    try:
        with open(SESSIONS + "%08d.rsl" % number, "rb") as file:
            log = read_log(file.read())
    except (OSError, LogError):
        return False
    return log.closed and log.damage == [] and log.totals.forward_steps > 12


def case(name):
    """Play one case; Wrong if something isn't as it should be."""
    change, faults, stays, word = CASES[name]
    chip = prepared()
    change(chip)
    unmount(chip)
    chip = Chip(chip.data)
    try:
        vfs.mount(vfs.VfsLfs2(chip), POINT)
        mounted = True
    except OSError:
        mounted = False
    hold(mounted == (name not in NOT_MOUNTED), "mounted: " + str(mounted))
    before = everything() if mounted else {}
    image = bytes(chip.data)
    try:
        worn, status, entries = start(chip, before)
        found = worn.answer("STATUS").faults
        hold(found == faults, f"STATUS says faults {found}")
        said = worn.hardware.line.said()
        hold("Traceback" not in said and word in said, f"it says: {said}")
        hold((worn.hardware.pulses()[:5] == TROUBLE) == (faults != 0), f"felt {worn.hardware.pulses()}")
        hold(kept(status.session) == stays, f"session {status.session} kept: {not stays}")
        hold(not stays or status.session in entries, f"LIST holds {entries}")
        hold(mounted or bytes(chip.data) == image, "a flash that did not mount was written to")
        if name == "full":
            for path in before:
                if "/other" in path:
                    os.remove(path)
            Store(POINT)
            hold(kept(status.session), "what the tail held is lost when there is room again")
    finally:
        if mounted:
            unmount(chip)


def unmounted(chip):
    """Start where nothing could be mounted."""
    image = bytes(chip.data)
    start(chip, {})
    hold(bytes(chip.data) == image, "a flash that did not mount was written to")


def block(number, how):
    """One block of the chip fails: nothing is lost, and either the session is kept or STATUS says that it isn't."""
    chip = prepared()
    before = everything()
    unmount(chip)
    chip = Chip(chip.data)
    chip.bad[number] = how
    try:
        vfs.mount(vfs.VfsLfs2(chip), POINT)
    except OSError:
        # LittleFS reads all folders when it mounts.
        hold(how == "read", "the flash does not mount")
        unmounted(chip)
        return
    try:
        readable = everything()
        worn, status, _ = start(chip, readable)
        said = worn.hardware.line.said()
        hold("Traceback" not in said, f"it says: {said}")
        hold(kept(status.session) or worn.answer("STATUS").faults & (FULL | DAMAGED), f"session {status.session} is lost without a word")
    finally:
        unmount(chip)
    whole = Chip(chip.data)
    vfs.mount(vfs.VfsLfs2(whole), POINT)
    after = everything()
    unmount(whole)
    log = SESSIONS + "00000001.rsl"
    hold(after.get(log) == before[log], "the session from before is lost")


def main(every, *names):
    jobs = [(name, case, (name,)) for name in names or sorted(CASES)]
    if not names:
        for n, how in enumerate(("erase", "program", "silent", "read")):
            jobs += [(f"block {k}: {how}", block, (k, how)) for k in range(n % int(every), BLOCKS, int(every))]
    failed = 0
    for name, play, args in jobs:
        try:
            play(*args)
        except Wrong as error:
            failed += 1
            print(f"WRONG {name}: {error}")
        except Exception as error:
            failed += 1
            print(f"WRONG {name}: the device does not start or count")
            sys.print_exception(error)
            try:
                vfs.umount(POINT)
            except OSError:
                continue
    print(f"{len(jobs)} cases, {failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
