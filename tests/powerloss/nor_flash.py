"""A NOR flash in memory, a record of its operations, and what a power cut leaves of them.

What a cut does to the interrupted operation, which is a program of some bytes or the erase of a block:

    dropped      nothing of it happened
    torn-quarter, torn-half, torn-end   only the first quarter, the first half, or all but the last byte
    faint        over its whole range, only some of the bits have changed
    trashed      its whole range holds noise

A device with a write buffer may reorder the operations since the last sync (`Window`). A string then has one letter for each of them,
the interrupted one last: 1 it happened, 0 it did not, t its first half did. Within a block, no program happens before the erase that came
before it; otherwise the order is free. Blocks are independent of each other. An ESP32 writes its own flash in order, one operation at a
time, so a cut there is one of the six above. LittleFS relies on syncs only, and the reordered cuts test that it and the firmware do, as
on a card or a chip with a cache. Programming only clears bits, as in NOR flash: bytes that were not erased first come out wrong, and
LittleFS notices, since it reads back what it programs.
"""

import random

import micropython

BLOCK = 4096
ERASED = b"\xff" * BLOCK
HOWS = ("dropped", "torn-quarter", "torn-half", "torn-end", "faint", "trashed")
# Every outcome is tried for up to 3 operations; a random choice of 12 for more.
_ALL = 3
_CHOSEN = 12


@micropython.viper
def _program(data: ptr8, at: int, new: ptr8, n: int):  # noqa: F821 viper's type
    for i in range(n):
        data[at + i] = data[at + i] & new[i]


class Chip:
    """An extended block device over `data`, a bytearray of whole blocks. `trace`, if given, records every change.

    `bad` is {block: "read", "erase", "program" or "silent"}: that operation fails with EIO, or (silent) a program has no effect.
    `erases` and `programs` count the operations.
    """

    def __init__(self, data, trace=None):
        self.data = data
        self.view = memoryview(data)
        self.trace = trace
        self.bad = {}
        self.dead = False
        self.erases = 0
        self.programs = 0

    def readblocks(self, block, buf, offset=0):
        if self.dead or self.bad.get(block) == "read":
            return -5
        place = block * BLOCK + offset
        buf[:] = self.view[place : place + len(buf)]
        return 0

    def writeblocks(self, block, buf, offset=0):
        fault = self.bad.get(block)
        if self.dead or fault == "program":
            return -5
        place = block * BLOCK + offset
        self.programs += 1
        if self.trace is not None:
            self.trace.add(place, bytes(buf))
        if fault != "silent":
            _program(self.data, place, buf, len(buf))
        return 0

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // BLOCK
        if op == 5:
            return BLOCK
        if op == 6:
            if self.dead or self.bad.get(arg) == "erase":
                return -5
            self.erases += 1
            if self.trace is not None:
                self.trace.add(arg * BLOCK, None)
            self.view[arg * BLOCK : (arg + 1) * BLOCK] = ERASED
        if op == 3 and self.trace is not None and not self.dead:
            self.trace.synced()
        return 0


class Trace:
    """All changes to a chip: (place, bytes), or (place, None) for an erase. `now()` is the time stored with each."""

    def __init__(self, now=None):
        self.changes = []
        self.times = []
        self.sync = []  # for each change, how many had been done at the last sync before it
        self._now = now
        self._synced = 0

    def __len__(self):
        return len(self.changes)

    def add(self, place, new):
        self.changes.append((place, new))
        self.times.append(0 if self._now is None else self._now())
        self.sync.append(self._synced)

    def synced(self):
        self._synced = len(self.changes)


def happen(data, change, how="done"):
    """Apply an operation to `data`, as far as a power cut lets it; `done` is the complete operation."""
    place, new = change
    erase = new is None
    count = BLOCK if erase else len(new)
    if how == "dropped":
        return
    if how == "faint" or how == "trashed":
        noise = bytes([random.getrandbits(8) for _ in range(count)])
        if how == "trashed":
            data[place : place + count] = noise
        elif erase:
            for i in range(count):
                data[place + i] |= noise[i]
        else:
            for i in range(count):
                data[place + i] &= new[i] | noise[i]
        return
    if how == "torn-quarter":
        count //= 4
    elif how == "torn-half":
        count //= 2
    elif how == "torn-end":
        count -= 1
    if erase:
        data[place : place + count] = ERASED[:count]
    else:
        _program(data, place, new, count)


class Window:
    """The operations since the last sync, up to number `last`, which is interrupted."""

    def __init__(self, trace, last):
        self.changes = trace.changes[trace.sync[last] : last + 1]

    def land(self, data, outcome):
        """Apply `outcome` to `data`, the flash at the sync; returns the letters that the rules of a block allow."""
        waiting = set()
        allowed = ""
        for change, letter in zip(self.changes, outcome):
            block = change[0] // BLOCK
            if block in waiting:
                letter = "0"
            if change[1] is None and letter != "1":
                waiting.add(block)
            happen(data, change, {"0": "dropped", "1": "done", "t": "torn-half"}[letter])
            allowed += letter
        return allowed

    def ways(self):
        """Possible outcomes, without those that cuts in order already leave."""
        n = len(self.changes)
        in_order = ["1" * k + "0" * (n - k) for k in range(n + 1)] + ["1" * (n - 1) + "t"]
        if n <= _ALL:
            ways = [""]
            for _ in range(n):
                ways = [way + letter for way in ways for letter in "01t"]
        else:
            ways = ["0" * (n - 1) + "1", "01" * (n // 2) + "0" * (n % 2)]
            for _ in range(_CHOSEN):
                ways.append("".join(["001t1"[random.getrandbits(8) % 5] for _ in range(n)]))
        return [way for way in ways if way not in in_order]
