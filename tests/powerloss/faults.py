"""Start the device on a damaged or full flash. Runs on MicroPython: `powerloss.faults EVERY [CASE...]`.

Each case prepares a flash with one unsynced session, starts the real app on it and walks. The device must start, count and answer.
What it cannot do must be in STATUS, on the motor and in its text. The new session must be stored, unless the case says that none can be.
No byte that was readable before may be lost. Prints one line per failure and a line of counts; exit status 1 if a case failed.
Without CASE, all cases run, and every EVERY-th block of the flash fails in each way.
"""

import json
import os
import sys

import vfs
from hal.store import LogStore
from retrostep_core import codes
from retrostep_core.log.reader import LogError, read_log
from support.ram_store import Wearer
from support.wearable import VIRTUAL, Hardware, Worn

from powerloss.nor_flash import BLOCK, ERASED, Chip
from powerloss.rig import POINT, FlashHardware, Place, mount, unmount

BLOCKS = 48
LOGS = POINT + "/logs/00000000/"
FULL = codes.FAULT_FLASH_FULL
SHORT = codes.FAULT_FLASH_SHORT
DAMAGED = codes.FAULT_LOG_DAMAGED
# A fault, or little flash before it.
FAULT_PULSES = ("SSSSS", "LLS")


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def find(chip, data):
    """Number of the block that holds `data`."""
    return bytes(chip.data).find(data) // BLOCK


def nothing(chip):
    return


def full(chip):
    n = 0
    for folder, sizes in ((POINT + "/", (BLOCK, 200)), (LOGS, (200, 40, 0))):
        for size in sizes:
            for _ in range(40):
                n += 1
                try:
                    put("%sother%d.bin" % (folder, n), bytes(size))
                except OSError:
                    continue


def foreign(chip):
    os.mkdir(POINT + "/sessions")
    for name in ("notes.txt", "1.rsl", "0000000x.rsl", "00000000.rsl", "-0000007.rsl", "00000002.tmp", "00000009.ok"):
        put(LOGS + name, b"foreign")
        put(POINT + "/sessions/" + name, b"foreign")


def foreign_folders(chip):
    for name in ("notes", "00000007.rsl", "00000008.rsl"):
        os.mkdir(LOGS + name)
    put(LOGS + "00000008.rsl/inside", b"foreign")


def high_number(chip):
    os.mkdir(POINT + "/logs/99999992")
    put(POINT + "/logs/99999992/99999999.rsl", b"foreign")


def no_log(chip):
    put(LOGS + "00000002.rsl", bytes(range(256)) * 20)


def other_version(chip):
    put(LOGS + "00000002.rsl", b"RSL\x09" + bytes(range(200)))


def unreadable_log(chip, count=1000):
    """The last block of a log is noise. LittleFS needs it to find the earlier blocks."""
    put(LOGS + "00000002.rsl", b"unreadable" * count + b"the end")
    where = bytes(chip.data).find(b"the end") // BLOCK
    for k in range(BLOCK):
        chip.data[where * BLOCK + k] = 0xA5


def unreadable_long_log(chip):
    """With a longer log, LittleFS cannot find the free blocks either."""
    unreadable_log(chip, 2500)


def folder_damaged(chip):
    """Both blocks of the folder's entries are noise."""
    for block in range(2, BLOCKS):
        if b"00000001.rsl" in bytes(chip.data[block * BLOCK : (block + 1) * BLOCK]):
            for k in range(BLOCK):
                chip.data[block * BLOCK + k] = 0xA5


def logs_is_a_file(chip):
    os.rename(POINT + "/logs", POINT + "/elsewhere")
    put(POINT + "/logs", b"foreign")


def state_damaged(chip):
    put(POINT + "/state.bin", b"\xff" * 12)


def state_is_a_folder(chip):
    os.remove(POINT + "/state.bin")
    os.mkdir(POINT + "/state.bin")


def first_blocks_damaged(chip):
    for block in (0, 1):
        chip.view[block * BLOCK : (block + 1) * BLOCK] = b"\xa5" * BLOCK


# Name: (change to the flash, faults in STATUS, whether the new session is stored, a word of the text).
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
    "folder-damaged": (folder_damaged, DAMAGED | FULL | SHORT, False, "rescue"),
    "logs-is-a-file": (logs_is_a_file, DAMAGED | FULL, False, "rescue"),
    "state-damaged": (state_damaged, DAMAGED, True, "state.bin was damaged"),
    "state-is-a-folder": (state_is_a_folder, DAMAGED | FULL, False, "flash is full"),
    "first-blocks-damaged": (first_blocks_damaged, DAMAGED | FULL | SHORT, False, "rescue"),
}
# LittleFS does not mount these at all.
NOT_MOUNTED = ("folder-damaged", "first-blocks-damaged")


def prepared():
    """A chip with board.json, state.bin and one closed, unsynced session."""
    chip = Chip(bytearray(ERASED * BLOCKS))
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip), POINT)
    with open(POINT + "/board.json", "w") as file:
        json.dump(VIRTUAL, file)
    wearer = Wearer(LogStore(POINT), reserve=0)
    wearer.turn(1)
    wearer.run(400)
    wearer.session.stop(wearer.clock.now)
    return chip


def everything(folder=POINT):
    """{path: bytes} of all readable files; None for a folder."""
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


class CaseFailed(Exception):
    """The device did something wrong; the message says what."""


def require(condition, sentence):
    """Raise CaseFailed with `sentence` unless `condition` is true."""
    if not condition:
        raise CaseFailed(sentence)


class KnownHardware(FlashHardware):
    """The hardware with a known board, even if board.json cannot be read: without it there would be no sensor."""

    def __init__(self, store=LogStore):
        Hardware.__init__(self, Place, {}, VIRTUAL, store)


def start(chip, before):
    """Start, walk and stop by the button: (the worn app, STATUS during the session, session numbers in LIST)."""
    worn = Worn(hardware=KnownHardware())
    worn.live(1)
    worn.live(12, 750)
    status = worn.answer("STATUS")
    require(sum(status.totals[:3]) > 12, f"counted {sum(status.totals[:3])} steps")
    worn.answer("HELLO")
    entries = [entry.session for entry in worn.answer("LIST", 0).sessions]
    worn.live(3)
    worn.press(150)
    after = everything()
    for path, data in before.items():
        if path.endswith("state.bin") or "/tail/" in path:
            continue
        require(path in after, f"{path} is gone")
        require(after[path] == data, f"{path} was changed")
    return worn, status, entries


def stored(number):
    """Whether the session's log is there and complete."""
    try:
        with open(POINT + "/logs/%08d/%08d.rsl" % (number // 8 * 8, number), "rb") as file:
            log = read_log(file.read())
    except (OSError, LogError):
        return False
    return log.closed and log.damage == [] and log.totals.forward_steps > 12


def case(name):
    """Run one case; CaseFailed if the device does something wrong."""
    change, faults, stays, word = CASES[name]
    chip = prepared()
    change(chip)
    unmount(chip)
    chip = Chip(chip.data)
    try:
        mount(chip)
        mounted = True
    except OSError:
        mounted = False
    require(mounted == (name not in NOT_MOUNTED), "mounted: " + str(mounted))
    before = everything() if mounted else {}
    image = bytes(chip.data)
    try:
        worn, status, entries = start(chip, before)
        found = worn.answer("STATUS").faults
        require(found == faults, f"STATUS says faults {found}")
        text = worn.hardware.line.printed()
        require("Traceback" not in text and word in text, f"it printed: {text}")
        require(worn.hardware.felt().startswith(FAULT_PULSES) == (faults != 0), f"motor pulses: {worn.hardware.felt()}")
        require(stored(status.session) == stays, f"session {status.session} stored: {not stays}")
        require(not stays or status.session in entries, f"LIST holds {entries}")
        require(mounted or bytes(chip.data) == image, "a flash that did not mount was written to")
        if name == "full":
            for path in before:
                if "/other" in path:
                    os.remove(path)
            worn.live(15, 750)
            number = worn.app.session.number
            worn.press(150)
            require(stored(number), "no session is stored when there is room again")
    finally:
        if mounted:
            unmount(chip)


def unmounted(chip):
    """Start on a flash that does not mount."""
    image = bytes(chip.data)
    start(chip, {})
    require(bytes(chip.data) == image, "a flash that did not mount was written to")


def block(number, how):
    """One block fails: nothing is lost, and the new session is stored or STATUS reports a fault."""
    chip = prepared()
    before = everything()
    unmount(chip)
    chip = Chip(chip.data)
    chip.bad[number] = how
    try:
        mount(chip)
    except OSError:
        # LittleFS reads all folders when it mounts.
        require(how == "read", "the flash does not mount")
        unmounted(chip)
        return
    try:
        readable = everything()
        worn, status, _ = start(chip, readable)
        text = worn.hardware.line.printed()
        require("Traceback" not in text, f"it printed: {text}")
        reported = worn.answer("STATUS").faults & (FULL | DAMAGED)
        require(stored(status.session) or reported, f"session {status.session} is lost and STATUS reports no fault")
    finally:
        unmount(chip)
    repaired = Chip(chip.data)
    mount(repaired)
    after = everything()
    unmount(repaired)
    log = LOGS + "00000001.rsl"
    require(after.get(log) == before[log], "the earlier session is lost")


def main(every, *names):
    jobs = [(name, case, (name,)) for name in names or sorted(CASES)]
    if not names:
        for n, how in enumerate(("erase", "program", "silent", "read")):
            jobs += [(f"block {k}: {how}", block, (k, how)) for k in range(n % int(every), BLOCKS, int(every))]
    failed = 0
    for name, play, args in jobs:
        try:
            play(*args)
        except CaseFailed as error:
            failed += 1
            print(f"FAILED {name}: {error}")
        except Exception as error:
            failed += 1
            print(f"FAILED {name}: the device does not start or count")
            sys.print_exception(error)
            try:
                vfs.umount(POINT)
            except OSError:
                continue
    print(f"{len(jobs)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
