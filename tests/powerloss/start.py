"""A start of the real app on what a power cut left, held against everything that was promised before it."""

import os
import struct
from binascii import crc32

import vfs
from life import POINT, Kept, unmount
from nor import Chip
from retrostep_core.log import records as r
from retrostep_core.log.reader import LogError, read_log
from test_app_wearable import Worn, hexed

# Walked after each start: the gate asks for some regular steps before it counts.
_WALK_MS = 5040
_LOOK_MS = 120


class Broken(Exception):
    """A promise was not kept; its argument says which."""


def hold(condition, sentence):
    if not condition:
        raise Broken(sentence)


def walk(worn):
    """Walk for a while, with no more looks than steps need."""
    worn.leg.stride_ms = 750
    for k in range(_WALK_MS // _LOOK_MS):
        worn.hardware.now_ms += _LOOK_MS
        worn.app.sample()
        worn.app.attend()
        if k % 4 == 0:
            worn.app.keep_house()


def logs():
    """{session: bytes} as any program reads them that knows FORMATS.md, without the firmware."""
    found = {}
    if "sessions" in os.listdir(POINT):
        for name in os.listdir(POINT + "/sessions"):
            if name.endswith(".rsl"):
                with open(POINT + "/sessions/" + name, "rb") as file:
                    found[int(name[:8])] = file.read()
    if "tail" in os.listdir(POINT):
        owner = 0
        for name in sorted(os.listdir(POINT + "/tail")):
            with open(POINT + "/tail/" + name, "rb") as file:
                piece = file.read()
            if len(piece) <= 12 or crc32(piece[:-4]) != struct.unpack("<I", piece[-4:])[0]:
                break
            session, offset = struct.unpack_from("<II", piece)
            owner = owner or session
            if session != owner or len(found.get(session, b"")) != offset:
                break
            found[session] = found.get(session, b"") + piece[8:-4]
    return found


class Cut:
    """One cut: of `promises`, while operation `writes` was under way."""

    def __init__(self, promises, writes, first=True):
        self.promises = promises
        self.known = promises.by(writes)
        self.ms = promises.trace.times[writes]
        self.first = first  # no start was cut before this one
        self.least = dict(self.known["flushed"])
        for due_ms, number, length in promises.due:
            if due_ms >= self.ms:
                break
            self.least[number] = max(length, self.least.get(number, 0))

    def start(self, data, trace=None):
        """Boot on `data`; Broken if a promise was not kept. `trace` takes what the start writes."""
        chip = Chip(data, trace)
        try:
            vfs.mount(vfs.VfsLfs2(chip), POINT)
        except OSError as error:
            raise Broken(f"the file system does not mount: {error}") from None
        try:
            self._start()
        except Broken:
            raise
        except LogError as error:
            raise Broken(f"a log cannot be read: {error}") from None
        except Exception as error:
            raise Broken(f"the device does not start or count: {type(error).__name__} {error}") from None
        finally:
            unmount(chip)

    def _start(self):
        before = logs()
        self._nothing_lost(before)
        worn = Worn(hardware=Kept())
        store = worn.hardware.store
        known = self.known
        last = known["boot"].get("", 0)
        hold(store.boot > last, f"boot {store.boot} comes after boot {last}")
        hold(not store.damaged, "state.bin is damaged")
        hold(worn.app.faults & ~(r.FAULT_FLASH_SHORT | r.FAULT_FLASH_FULL) == 0, f"the app starts with faults {worn.app.faults}")
        self._limits(worn)
        after = self._recovered(before, store)
        self._goes_on(worn, after)

    def _nothing_lost(self, found):
        """What lies on the flash before anything starts."""
        known = self.known
        for number, length in self.least.items():
            if number not in found:
                # Only what a host has archived may go.
                hold(number in known["asked"], f"session {number} is gone and no host has confirmed it")
                continue
            written = self.promises.content[number]
            there = found[number]
            hold(there[:length] == written[:length], f"session {number} has lost what was promised: {len(there)} of {length} bytes")
            if self.first:
                hold(there == written[: len(there)], f"session {number} holds what was never written")
        for number, archived in known["served"].items():
            if number in found:
                hold(found[number][: len(archived)] == archived, f"session {number} has lost what a host was given")

    def _limits(self, worn):
        pushed = self.known["pushed"]
        allowed = [pushed[at] for at in sorted(pushed)]
        kept = self.known["limits"].get("")
        if kept is not None:
            allowed = allowed[allowed.index(kept) :]
            hold(hexed(worn.app.limits) in allowed, "the limits that were pushed are lost")

    def _recovered(self, before, store):
        """Every log is whole and closed, and nothing in it was touched."""
        after = logs()
        known = self.known
        for number in before:
            if number not in after:
                hold(len(before[number]) == 0 or number in known["asked"], f"the start erased session {number}")
        for number, data in after.items():
            kept = before[number]
            hold(data[: len(kept)] == kept, f"the start changed session {number}")
            log = read_log(data)
            hold(log.closed and log.damage == [], f"session {number} is not whole after the start")
            if number not in known["given"]:
                continue  # older than this life, or begun by a start that was cut
            partial = read_log(kept)
            if not partial.closed:
                hold(log.end.reason == r.INTERRUPTED, f"session {number} was not closed as interrupted")
                hold(log.totals == partial.totals, f"session {number}: END counts otherwise than the log")
            least, most = self.promises.steps(number, self.ms)
            counted = sum(log.totals[:3])
            thinned = [gap for gap in log.gaps if gap.reason == 4]
            hold(thinned or least <= counted, f"session {number}: {counted} of {least} steps that are older than 5 s")
            hold(counted <= most, f"session {number}: {counted} steps, and only {most} were taken")
            hold(thinned or len(log.steps) == counted, f"session {number} counts {counted} steps and holds {len(log.steps)}")
        for number in store.numbers():
            if number in known["confirmed"]:
                hold(store.confirmed(number), f"session {number} is no longer confirmed")
            elif number in known["given"] and store.confirmed(number):
                asked = known["asked"].get(number)
                hold(asked == (len(after[number]), crc32(after[number])), f"session {number} counts as confirmed, and no host has it")
        return after

    def _goes_on(self, worn, after):
        """The next session is counted and kept, under a number of its own."""
        given = self.known["given"]
        store = worn.hardware.store
        may_go = [older for older in after if store.confirmed(older)]
        walk(worn)
        status = worn.answer("STATUS")
        hold(status.session and sum(status.totals[:3]) > 3, "the device does not count on")
        number = worn.app.session.number
        hold(number not in given and number > max(list(given) + list(after) + [0]), f"session number {number} was given before")
        worn.app.stop()
        found = logs()
        for older, data in after.items():
            hold(older in may_go and older not in found or found.get(older) == data, f"session {older} did not outlast the next one")
        log = read_log(found[number])
        hold(log.closed and log.damage == [] and sum(log.totals[:3]) >= sum(status.totals[:3]), "the next session is not kept")
        hold(log.header.boot == store.boot and log.header.session == number, "the next session's header is not its own")
        said = worn.hardware.line.said()
        hold("Traceback" not in said, f"the device says: {said}")
