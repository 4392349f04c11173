"""Cuts the power of a device at operations of its flash and starts it again: `micropython -X heapsize=16m cuts.py LIFE CONTROL ...`.

    cuts.py LIFE CONTROL EVERY SHARD    each EVERY-th of all cuts, beginning with number SHARD
    cuts.py LIFE CONTROL at OPERATION HOW [OPERATION HOW]    one cut, or one and another during the start after it: what a failure says

LIFE     worn: sessions, marks, alerts, a sync, a deletion, a cut; short: the same where flash is short (life.py)
CONTROL  as-it-is, or the firmware broken on purpose (controls.py); a broken one is left at its first failure
HOW      what becomes of the operation under way, or, as a string of 0, 1 and t, of all since the last sync (nor.py)

A cut at operation k is the chip with the first k operations and whatever HOW leaves of the next. It is mounted afresh, the real app is
started on it, and held against all that was promised by then (start.py); some are cut once more while they start, walk and stop.
Prints a line a failure, which says how to see it again, and a closing line of counts; exits 1 if a promise was broken.
"""

import gc
import random
import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path[0:0] = [HERE]

from life import LIVES  # noqa: E402
from nor import HOWS, Trace, Window, happen  # noqa: E402

# controls.py and start.py need the paths that life.py sets.
from controls import CONTROLS  # noqa: E402 isort: skip
from start import Broken, Cut  # noqa: E402 isort: skip

# Every so many cuts are cut again, each at so many places of its start.
_AGAIN = 4
_SECONDS = 5
_SHOWN = 5


def seed(operation, how):
    random.seed(operation * 64 + (HOWS.index(how) if how in HOWS else 63))


def hows(trace, operation):
    """All that may become of the operation under way and of those not yet synced."""
    seed(operation, "")
    return list(HOWS) + Window(trace, operation).ways()


def left(image, synced, trace, operation, how):
    """What a cut leaves. `image` is the chip before the operation, `synced` at the last sync before it."""
    seed(operation, how)
    if how in HOWS:
        data = bytearray(image)
        happen(data, trace.changes[operation], how)
    else:
        data = bytearray(synced)
        Window(trace, operation).land(data, how)
    return data


def replay(before, trace, operation):
    """The chip before an operation, and at the last sync before that."""
    image = bytearray(before)
    for change in trace.changes[: trace.sync[operation]]:
        happen(image, change)
    synced = bytes(image)
    for change in trace.changes[trace.sync[operation] : operation]:
        happen(image, change)
    return image, synced


class Sweep:
    """Cuts one life, and counts."""

    def __init__(self, life, control):
        CONTROLS[control][0]()
        self.name = f"{life} {control}"
        self.broken_on_purpose = control != "as-it-is"
        self.before, self.trace, self.promises = LIVES[life]()
        self.cuts = self.reordered = self.double = self.broken = 0

    def every(self, every, shard):
        """Each `every`-th cut."""
        n = 0
        trace = self.trace
        image = bytearray(self.before)
        synced = bytes(image)
        at = 0
        for operation in range(len(trace)):
            if trace.sync[operation] != at:
                at = trace.sync[operation]
                synced = bytes(image)
            for how in hows(trace, operation):
                n += 1
                if n % every == shard:
                    again = self.cuts % _AGAIN == _AGAIN - 1 and not self.broken_on_purpose
                    self.cut(operation, how, left(image, synced, trace, operation, how), again)
                    if self.broken and self.broken_on_purpose:
                        return
            happen(image, trace.changes[operation])

    def cut(self, operation, how, data, again):
        """Start on `data`; if `again`, cut that start at some places."""
        self.cuts += 1
        self.reordered += how not in HOWS
        later = Trace() if again else None
        if self.held(Cut(self.promises, operation), bytearray(data), later, f"{operation} {how}") and again and len(later):
            for k in range(_SECONDS):
                second = (self.cuts * 7 + k * len(later) // _SECONDS) % len(later)
                ways = hows(later, second)
                self.cut_again(operation, how, data, later, second, ways[(self.cuts + k) % len(ways)])
        gc.collect()

    def cut_again(self, operation, how, data, later, second, how_again):
        """A cut in the start that followed a cut."""
        self.double += 1
        image, synced = replay(data, later, second)
        left_again = left(image, synced, later, second, how_again)
        self.held(Cut(self.promises, operation, False), left_again, None, f"{operation} {how} {second} {how_again}")

    def held(self, cut, data, later, where):
        try:
            cut.start(data, later)
            return True
        except Broken as error:
            self.broken += 1
            if self.broken <= _SHOWN:
                print(f"BROKEN {error}; again: cuts.py {self.name} at {where}")
            return False

    def one(self, operation, how, second=None, how_again=""):
        """The cut that a failure told of."""
        image, synced = replay(self.before, self.trace, operation)
        data = left(image, synced, self.trace, operation, how)
        if second is None:
            self.cut(operation, how, data, False)
        else:
            later = Trace()
            Cut(self.promises, operation).start(bytearray(data), later)
            self.cut_again(operation, how, data, later, second, how_again)

    def told(self):
        """The closing line."""
        erases = len([1 for _, new in self.trace.changes if new is None])
        return (
            f"{self.name}: {len(self.trace)} operations, {erases} erases, {self.cuts} cuts, {self.reordered} of them reordered, "
            f"{self.double} double cuts, {self.broken} broken"
        )


def main(life, control, *how):
    sweep = Sweep(life, control)
    if how[0] == "at":
        numbers = [int(word) if k % 2 == 0 else word for k, word in enumerate(how[1:])]
        sweep.one(*numbers)
    else:
        sweep.every(int(how[0]), int(how[1]))
    print(sweep.told())
    return 1 if sweep.broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
