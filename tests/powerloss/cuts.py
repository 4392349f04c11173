"""Cut the power at operations of the flash and start the device again. Runs on MicroPython; `make powerloss` runs all of it.

    cuts SCENARIO MUTANT EVERY FIRST    every EVERY-th of all cuts, starting with number FIRST
    cuts SCENARIO MUTANT at OPERATION HOW [OPERATION HOW]    one cut, or one cut and a second one during the restart

SCENARIO  training: sessions, marks, alerts, a sync, an erase, a cut; low-flash: the same with little free flash (scenarios.py)
MUTANT    unchanged, or a deliberate fault in the firmware (mutants.py); a mutant stops at its first failure
HOW       what becomes of the interrupted operation, or of all operations since the last sync, as a string of 0, 1 and t (nor_flash.py)

A cut at operation k leaves the first k operations, and of the next one what HOW says. The flash is mounted again, the real app starts
on it, and the result is compared with every promise made before the cut (restart.py). Some restarts are cut a second time.
Prints one line per failure, with the arguments that repeat it, and a line of counts. Exit status 1 if a promise was broken.
"""

import gc
import random
import sys

from powerloss.mutants import MUTANTS
from powerloss.nor_flash import HOWS, Trace, Window, happen
from powerloss.restart import Cut, PromiseBroken
from powerloss.scenarios import SCENARIOS

# Every fourth cut is followed by five second cuts, at five places of the restart.
_DOUBLE_EVERY = 4
_SECOND_CUTS = 5
_FAILURES_SHOWN = 5


def seed(operation, how):
    random.seed(operation * 64 + (HOWS.index(how) if how in HOWS else 63))


def hows(trace, operation):
    """All possible outcomes for the interrupted operation and those not yet synced."""
    seed(operation, "")
    return list(HOWS) + Window(trace, operation).ways()


def left(image, synced, trace, operation, how):
    """The flash after a cut. `image` is the flash before the operation, `synced` at the last sync before it."""
    seed(operation, how)
    if how in HOWS:
        data = bytearray(image)
        happen(data, trace.changes[operation], how)
    else:
        data = bytearray(synced)
        Window(trace, operation).land(data, how)
    return data


def replay(before, trace, operation):
    """(flash before an operation, flash at the last sync before it)."""
    image = bytearray(before)
    for change in trace.changes[: trace.sync[operation]]:
        happen(image, change)
    synced = bytes(image)
    for change in trace.changes[trace.sync[operation] : operation]:
        happen(image, change)
    return image, synced


class Sweep:
    """Cuts one scenario and counts the results."""

    def __init__(self, scenario, mutant):
        MUTANTS[mutant][0]()
        self.name = f"{scenario} {mutant}"
        self.is_mutant = mutant != "unchanged"
        self.before, self.trace, self.promises = SCENARIOS[scenario]()
        self.cuts = self.reordered = self.double = self.broken = 0

    def every(self, every, first):
        """Make every `every`-th cut."""
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
                if n % every == first:
                    again = self.cuts % _DOUBLE_EVERY == _DOUBLE_EVERY - 1 and not self.is_mutant
                    self.cut(operation, how, left(image, synced, trace, operation, how), again)
                    if self.broken and self.is_mutant:
                        return
            happen(image, trace.changes[operation])

    def cut(self, operation, how, data, again):
        """Restart on `data`. With `again`, also cut that restart at some places."""
        self.cuts += 1
        self.reordered += how not in HOWS
        later = Trace() if again else None
        if self.held(Cut(self.promises, operation), bytearray(data), later, f"{operation} {how}") and again and len(later):
            for k in range(_SECOND_CUTS):
                second = (self.cuts * 7 + k * len(later) // _SECOND_CUTS) % len(later)
                ways = hows(later, second)
                self.cut_again(operation, how, data, later, second, ways[(self.cuts + k) % len(ways)])
        gc.collect()

    def cut_again(self, operation, how, data, later, second, how_again):
        """A second cut, during the restart."""
        self.double += 1
        image, synced = replay(data, later, second)
        left_again = left(image, synced, later, second, how_again)
        self.held(Cut(self.promises, operation, False), left_again, None, f"{operation} {how} {second} {how_again}")

    def held(self, cut, data, later, where):
        try:
            cut.start(data, later)
            return True
        except PromiseBroken as error:
            self.broken += 1
            if self.broken <= _FAILURES_SHOWN:
                print(f"BROKEN {error}; repeat: {self.name} at {where}")
            return False

    def one(self, operation, how, second=None, how_again=""):
        """Repeat one cut, by the arguments that a failure printed."""
        image, synced = replay(self.before, self.trace, operation)
        data = left(image, synced, self.trace, operation, how)
        if second is None:
            self.cut(operation, how, data, False)
        else:
            later = Trace()
            Cut(self.promises, operation).start(bytearray(data), later)
            self.cut_again(operation, how, data, later, second, how_again)

    def summary(self):
        """The line of counts."""
        erases = len([1 for _, new in self.trace.changes if new is None])
        return (
            f"{self.name}: {len(self.trace)} operations, {erases} erases, {self.cuts} cuts, {self.reordered} of them reordered, "
            f"{self.double} double cuts, {self.broken} broken"
        )


def main(scenario, mutant, *how):
    sweep = Sweep(scenario, mutant)
    if how[0] == "at":
        numbers = [int(word) if k % 2 == 0 else word for k, word in enumerate(how[1:])]
        sweep.one(*numbers)
    else:
        sweep.every(int(how[0]), int(how[1]))
    print(sweep.summary())
    return 1 if sweep.broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
