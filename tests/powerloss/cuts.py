"""Cuts the power at block writes of the log's whole life and boots again: `micropython -X heapsize=64m cuts.py MODE SAMPLE [WRITE HOW]`.

MODE    store: the firmware as it is; early: a control that says a record is safe one flush before it is, and must be caught
SAMPLE  every SAMPLE-th write is cut (1: all of them); each dropped, torn in the middle, torn near its end, and trashed
WRITE HOW   only this cut: what the line of a failure says

The life: a session, its sync (read, confirm), a second session with an alert and a mark during which the first is erased, and a third that
is still open at the end. It is played once on MicroPython's LittleFS over a traced RAM device; a cut at write k is the device with
the first k writes and whatever became of the next. Each is mounted afresh, booted with the real store and recovery, and held against
what had been promised by then; some are cut once more while they recover. Prints a line a failure and a closing line of counts.
"""

import binascii
import gc
import random
import sys

import vfs

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
ROOT = HERE + "/../.."
sys.path[0:0] = [ROOT + "/tests/portable", ROOT + "/firmware/lib", ROOT + "/firmware"]

from hal.store import Store  # noqa: E402
from ram_store import Identity, Wearer  # noqa: E402
from retrostep_core.link import (  # noqa: E402
    caller,
    server,
)
from retrostep_core.log import records as r  # noqa: E402
from retrostep_core.log.journal import Journal  # noqa: E402
from retrostep_core.log.reader import LogError, read_log  # noqa: E402
from retrostep_core.log.recovery import recover  # noqa: E402
from test_link_server import Out, Wearable  # noqa: E402

BLOCK = 4096
BLOCKS = 48
HOWS = ("dropped", "torn-half", "torn-end", "trashed")
POINT = "/cut"


class Device:
    """A block device in memory. With a trace, every write and erase is kept: (place, bytes), or (place, None) for an erase."""

    def __init__(self, data, trace=None):
        self.data = data
        self.view = memoryview(data)
        self.trace = trace
        self.dead = False

    def readblocks(self, block, buf, offset=0):
        if self.dead:
            return -5
        place = block * BLOCK + offset
        buf[:] = self.view[place : place + len(buf)]
        return 0

    def writeblocks(self, block, buf, offset=0):
        if self.dead:
            return -5
        place = block * BLOCK + offset
        if self.trace is not None:
            self.trace.append((place, bytes(buf)))
        self.view[place : place + len(buf)] = buf
        return 0

    def ioctl(self, op, arg):
        if op == 4:
            return BLOCKS
        if op == 5:
            return BLOCK
        if op == 6 and not self.dead:
            if self.trace is not None:
                self.trace.append((arg * BLOCK, None))
            self.view[arg * BLOCK : (arg + 1) * BLOCK] = ERASED
        return 0


ERASED = b"\xff" * BLOCK


def apply(data, change, how="done"):
    """What one write or erase leaves in `data` if the power goes: `done` if it does not."""
    place, new = change
    if new is None:
        new = ERASED
    count = len(new)
    if how == "torn-half":
        count //= 2
    elif how == "torn-end":
        count -= 1
    elif how == "trashed":
        new = bytes([random.getrandbits(8) for _ in range(count)])
    elif how == "dropped":
        count = 0
    data[place : place + count] = new[:count]


class Promise:
    """What the firmware had said by a given write. Kept in order; `at` is the number of writes done by then."""

    def __init__(self, trace):
        self.trace = trace
        self.said = []
        self.content = {}

    def say(self, what, number, value):
        self.said.append((len(self.trace), what, number, value))

    def by(self, writes):
        """({number: flushed length}, confirmed, erase begun, boot) as promised when that many writes were done."""
        flushed, confirmed, erasing, boot = {}, set(), set(), 0
        for at, what, number, value in self.said:
            if at > writes:
                break
            if what == "flushed":
                flushed[number] = value
            elif what == "confirmed":
                confirmed.add(number)
            elif what == "erasing":
                erasing.add(number)
            else:
                boot = value
        return flushed, confirmed, erasing, boot


class Witness:
    """The store's file, with a note of every flush that came back; `early` flushes one time later than it says."""

    def __init__(self, file, number, promise, early):
        self.file = file
        self.number = number
        self.promise = promise
        self.early = early
        self.waiting = b""

    def write(self, data):
        self.promise.content[self.number] = self.promise.content.get(self.number, b"") + bytes(data)
        if self.early:
            self.waiting += bytes(data)
            return len(data)
        return self.file.write(data)

    def flush(self):
        self.file.flush()
        if self.early:
            self.file.write(self.waiting)
            self.waiting = b""
        self.promise.say("flushed", self.number, len(self.promise.content[self.number]))

    def close(self):
        if self.waiting:
            self.file.write(self.waiting)
        self.file.close()


class Watched:
    """The real store; everything it promises is noted."""

    def __init__(self, store, promise, early):
        self._store = store
        self._promise = promise
        self._early = early

    def __getattr__(self, name):
        return getattr(self._store, name)

    def create(self, number):
        return Witness(self._store.create(number), number, self._promise, self._early)

    def append(self, number):
        return Witness(self._store.append(number), number, self._promise, self._early)

    def confirm(self, number, length, crc):
        self._store.confirm(number, length, crc)
        self._promise.say("confirmed", number, length)

    def erase(self, number):
        self._promise.say("erasing", number, 0)
        self._store.erase(number)


def mount(device):
    vfs.mount(vfs.VfsLfs2(device), POINT)


def unmount(device):
    # Before anything is collected: the finaliser of a file left open would write.
    device.dead = True
    vfs.umount(POINT)


def ask(desk, *words):
    line = caller.request(7, *words)
    desk.feed(line, len(line))
    while desk.poll(0):
        continue


def live(trace, early):
    """The life that is cut: (device before its first write, promises)."""
    data = bytearray(ERASED * BLOCKS)
    vfs.VfsLfs2.mkfs(Device(data))
    before = bytes(data)
    device = Device(data, trace)
    promise = Promise(trace)
    mount(device)
    real = Store(POINT)
    promise.say("boot", 0, real.boot)
    store = Watched(real, promise, early)
    desk = server.Server(store, Wearable(), Out())

    wearer = Wearer(store)
    wearer.session.clock_fact(400, 1795354200000, r.FROM_HOST)
    wearer.turn(1)
    wearer.run(45)
    wearer.session.stop(wearer.clock.now)
    length = real.size(1)
    ask(desk, "READ", 1, 0, length)
    ask(desk, "CONFIRM", 1, length, binascii.crc32(promise.content[1]))

    wearer.turn(1)
    wearer.run(12)
    ask(desk, "ERASE_CONFIRMED")
    wearer.turn(2, wearer.clock.now - 900)
    wearer.run(18)
    wearer.session.alert(wearer.clock.now, 1, 2, 163, 150)
    wearer.run(3)
    wearer.session.mark(wearer.clock.now, r.MARK_STRETCH)
    wearer.session.stop(wearer.clock.now)

    wearer.turn(1)
    wearer.run(22)
    unmount(device)
    return before, promise


class Broken(Exception):
    """A promise was not kept; its argument says which."""


def content(store, number):
    data = bytearray(store.size(number))
    if store.read_into(number, 0, memoryview(data)) != len(data):
        raise Broken(f"session {number} cannot be read to its end")
    return bytes(data)


def hold(condition, sentence):
    if not condition:
        raise Broken(sentence)


def boot(data, promise, writes, first=True, trace=None):
    """Start on what a cut left, and hold it against the promises. `first`: no start was cut before. `trace` takes this start's writes."""
    flushed, confirmed, erasing, boot_before = promise.by(writes)
    device = Device(data, trace)
    mount(device)
    try:
        store = Store(POINT)
        hold(store.boot > boot_before, f"boot {store.boot} comes after boot {boot_before}")
        for number in flushed:
            if number not in store.numbers():
                hold(number in erasing and number in confirmed, f"session {number} is gone")
        kept = {}
        for number in store.numbers():
            promised = promise.content.get(number, b"")[: flushed.get(number, 0)]
            kept[number] = content(store, number)
            hold(kept[number][: len(promised)] == promised, f"session {number} has lost what was flushed")
            if first:
                written = promise.content.get(number, b"")
                hold(kept[number] == written[: len(kept[number])], f"session {number} holds what was never written")
            if number in confirmed:
                hold(store.confirmed(number), f"session {number} is no longer confirmed")
        result = recover(store, store.boot)
        hold(result.faults == 0, f"recovery found faults {result.faults}")
        for number in store.numbers():
            after = content(store, number)
            hold(after[: len(kept[number])] == kept[number], f"recovery changed session {number}")
            log = read_log(after)
            hold(log.closed and log.damage == [], f"session {number} is not whole after recovery")
        hold(recover(store, store.boot).closed == 0, "recovery does not come to an end")
        number = store.next_session()
        hold(not flushed or number > max(flushed), f"session number {number} was given before")
        journal = Journal(store.create(number))
        payload = bytearray(r.MAX_PAYLOAD)
        who = Identity()
        n = r.pack_header(payload, who.core_version, who.core_hash, number, store.boot, 0, 1, 0, 1, "?", bytes(24), who.device, who.board)
        journal.add(r.HEADER, memoryview(payload), n)
        hold(journal.close(), "a new session cannot be kept")
    except LogError as error:
        raise Broken(f"a log cannot be read: {error}") from None
    except OSError as error:
        raise Broken(f"the flash cannot be used: {error}") from None
    finally:
        unmount(device)


def recovery_writes(data, promise, writes):
    """The writes that a start on `data` makes."""
    trace = []
    boot(bytearray(data), promise, writes, True, trace)
    return trace


def main(mode, sample, only=-1, only_how=""):
    trace = []
    before, promise = live(trace, mode == "early")
    # Before its first session has been opened the device has promised nothing but its boot number.
    image = bytearray(before)
    cuts = failures = double = 0
    for writes in range(len(trace)):
        chosen = writes == only if only >= 0 else writes % sample == 0
        if chosen:
            for how in HOWS:
                if only_how not in ("", how):
                    continue
                random.seed(writes)
                data = bytearray(image)
                apply(data, trace[writes], how)
                cuts += 1
                try:
                    boot(bytearray(data), promise, writes)
                    if how == "torn-half" and cuts % 5 == 0:
                        again = recovery_writes(data, promise, writes)
                        for k in range(0, len(again), 3):
                            second = bytearray(data)
                            for change in again[:k]:
                                apply(second, change)
                            apply(second, again[k], how)
                            double += 1
                            boot(second, promise, writes, False)
                except Broken as error:
                    failures += 1
                    if failures <= 5:
                        print(f"BROKEN {error}; again: cuts.py {mode} 1 {writes} {how}")
            gc.collect()
        apply(image, trace[writes])
    erases = len([1 for _, new in trace if new is None])
    print(f"{len(trace)} writes, {erases} erases, {cuts} cuts, {double} double cuts, {failures} broken")


if __name__ == "__main__":
    if len(sys.argv) > 3:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    else:
        main(sys.argv[1], int(sys.argv[2]))
