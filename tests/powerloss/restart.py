"""Start the real app on what a power cut left, and compare the result with every promise made before the cut."""

import os
import struct
from binascii import crc32
from errno import EEXIST

from retrostep_core import codes
from retrostep_core.log.reader import LogError, read_log
from support.disk import numbers
from support.wearable import Worn, hexed

from powerloss.nor_flash import Chip
from powerloss.rig import POINT, FlashHardware, mount, unmount

# The walk after each restart: the engine needs some regular steps before it counts.
_WALK_MS = 5040
_LOOK_MS = 120


# Slices of work ahead that a restart may need.
_SLICES = 200


class PromiseBroken(Exception):
    """A promise was not kept; the message names it."""


def require(condition, sentence):
    """Raise PromiseBroken with `sentence` unless `condition` is true."""
    if not condition:
        raise PromiseBroken(sentence)


def walk(worn):
    """Walk for a few seconds; the sensor is read in large blocks to save time."""
    worn.leg.stride_ms = 750
    for k in range(_WALK_MS // _LOOK_MS):
        worn.hardware.now_ms += _LOOK_MS
        worn.app.sample()
        worn.app.serve()
        if k % 4 == 0:
            worn.app.housekeep()


def idle(worn):
    """Do all the work that waits for a board without a session: the next log, the check of older logs, their move to the new layout."""
    for _ in range(_SLICES):
        if not worn.app.upkeep():
            return
    raise PromiseBroken("the work ahead never ends")


def complete_rename():
    """Complete a rename that was interrupted, as FORMATS.md says: until something is written, LittleFS hides another file."""
    if "logs" not in os.listdir(POINT):
        os.mkdir(POINT + "/logs")
        return
    try:
        os.mkdir(POINT + "/logs")
    except OSError as error:
        require(error.errno == EEXIST, f"the flash cannot be written: {error}")


def logs():
    """{session: bytes}, read as FORMATS.md describes and without the firmware."""
    found = {}
    for session, path in paths().items():
        with open(path, "rb") as file:
            found[session] = file.read()
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


def paths():
    """{session: path of its log}, in both layouts."""
    folders = []
    if "sessions" in os.listdir(POINT):
        folders.append(POINT + "/sessions")
    if "logs" in os.listdir(POINT):
        folders += [POINT + "/logs/" + name for name in os.listdir(POINT + "/logs")]
    return {int(name[:8]): folder + "/" + name for folder in folders for name in os.listdir(folder) if name[-4:] in (".rsl", ".rsc")}


def marked(found):
    """The sessions that the flash marks as confirmed. `found` are its logs."""
    sessions = set()
    for session, path in paths().items():
        if path.endswith(".rsc"):
            sessions.add(session)
        elif "/sessions/" in path and path[-12:-4] + ".ok" in os.listdir(POINT + "/sessions"):
            with open(path[:-4] + ".ok", "rb") as file:
                data = file.read()
            if (
                len(data) == 12
                and crc32(data[:8]) == struct.unpack("<I", data[8:])[0]
                and data[:4] == struct.pack("<I", len(found[session]))
            ):
                sessions.add(session)
    return sessions


class Cut:
    """One cut during operation `writes`, and what was promised before it."""

    def __init__(self, promises, writes, first=True):
        self.promises = promises
        self.known = promises.by(writes)
        self.ms = promises.trace.times[writes]
        self.first = first  # false for a second cut, during a restart
        self.least = dict(self.known["flushed"])
        for due_ms, number, length in promises.due:
            if due_ms >= self.ms:
                break
            self.least[number] = max(length, self.least.get(number, 0))

    def start(self, data, trace=None):
        """Start on `data`; PromiseBroken if a promise was not kept. `trace` records what the start writes."""
        try:
            found = self._found(Chip(bytearray(data)))
            chip = Chip(data, trace)
            mount(chip)
        except OSError as error:
            raise PromiseBroken(f"the file system does not mount: {error}") from None
        try:
            self._start(*found)
        except PromiseBroken:
            raise
        except LogError as error:
            raise PromiseBroken(f"a log cannot be read: {error}") from None
        except Exception as error:
            raise PromiseBroken(f"the device does not start or count: {type(error).__name__} {error}") from None
        finally:
            unmount(chip)

    def _found(self, chip):
        """(logs, sessions that are marked as confirmed) that the cut left, read on a copy of the flash."""
        mount(chip)
        complete_rename()
        found = logs()
        found = found, marked(found)
        unmount(chip)
        return found

    def _start(self, before, may_go):
        self._nothing_lost(before)
        worn = Worn(hardware=FlashHardware())
        idle(worn)
        store = worn.hardware.store
        known = self.known
        last = known["boot"].get("", 0)
        require(store.boot > last, f"boot {store.boot} comes after boot {last}")
        require(not store.state_damaged, "state.bin is damaged")
        faults = worn.app.faults.bits & ~(codes.FAULT_FLASH_SHORT | codes.FAULT_FLASH_FULL)
        require(faults == 0, f"the app starts with faults {faults}")
        self._limits(worn)
        after = self._recovered(before, may_go, store)
        self._continues(worn, after)

    def _nothing_lost(self, found):
        """Check the flash before the app starts."""
        known = self.known
        for number, length in self.least.items():
            if number not in found:
                # Only a log that a host has archived may be erased.
                require(number in known["asked"], f"session {number} is gone and no host has confirmed it")
                continue
            written = self.promises.content[number]
            there = found[number]
            require(there[:length] == written[:length], f"session {number} has lost what was promised: {len(there)} of {length} bytes")
            if self.first:
                require(there == written[: len(there)], f"session {number} holds what was never written")
        for number, archived in known["served"].items():
            if number in found:
                require(found[number][: len(archived)] == archived, f"session {number} has lost what a host was given")

    def _limits(self, worn):
        pushed = self.known["pushed"]
        allowed = [pushed[at] for at in sorted(pushed)]
        kept = self.known["limits"].get("")
        if kept is not None:
            allowed = allowed[allowed.index(kept) :]
            require(hexed(worn.app.limits) in allowed, "the limits that were pushed are lost")

    def _recovered(self, before, may_go, store):
        """Every log is complete and closed, and its earlier bytes are unchanged."""
        after = logs()
        known = self.known
        ours = self.promises.old | set(known["given"])
        for number in may_go:
            if number in ours:
                asked = known["asked"].get(number)
                require(
                    asked == (len(before[number]), crc32(before[number])), f"session {number} is marked as confirmed, but no host has it"
                )
        for number in before:
            if number not in after:
                require(len(before[number]) == 0 or number in may_go, f"the start erased session {number}")
        for number, data in after.items():
            if not store.holds(number):
                require(not data, f"session {number} is not in the index")
                continue
            kept = before[number]
            require(data[: len(kept)] == kept, f"the start changed session {number}")
            log = read_log(data)
            require(log.closed and log.damage == [], f"session {number} is damaged or open after the start")
            if number not in known["given"]:
                continue  # from before the scenario, or created by a restart that was cut
            partial = read_log(kept)
            if not partial.closed:
                require(log.end.reason == codes.END_INTERRUPTED, f"session {number} was not closed as interrupted")
                require(log.totals == partial.totals, f"session {number}: the totals in END differ from the log")
            least, most = self.promises.steps(number, self.ms)
            counted = sum(log.totals[:3])
            thinned = [gap for gap in log.gaps if gap.reason == 4]
            require(thinned or least <= counted, f"session {number}: {counted} of {least} steps that are older than 5 s")
            require(counted <= most, f"session {number}: {counted} steps, and only {most} were taken")
            require(thinned or len(log.steps) == counted, f"session {number} counts {counted} steps and holds {len(log.steps)}")
        for number in numbers(store):
            if number in known["confirmed"]:
                require(store.confirmed(number), f"session {number} is no longer confirmed")
            elif number in ours and store.confirmed(number):
                asked = known["asked"].get(number)
                require(asked == (len(after[number]), crc32(after[number])), f"session {number} is marked as confirmed, but no host has it")
        return after

    def _continues(self, worn, after):
        """The next session is counted and stored, under a new number."""
        given = self.known["given"]
        store = worn.hardware.store
        after = {number: data for number, data in after.items() if data}
        may_go = [older for older in after if store.confirmed(older)]
        walk(worn)
        status = worn.answer("STATUS")
        require(status.session and sum(status.totals[:3]) > 3, "the device does not count the next session")
        number = worn.app.session.number
        require(number not in given and number > max(list(given) + list(after) + [0]), f"session number {number} was given before")
        worn.app.stop()
        found = logs()
        for older, data in after.items():
            erased = older in may_go and older not in found
            require(erased or found.get(older) == data, f"session {older} was lost or changed")
        log = read_log(found[number])
        require(log.closed and log.damage == [], "the next session is damaged")
        require(sum(log.totals[:3]) >= sum(status.totals[:3]), "the next session is incomplete")
        require(log.header.boot == store.boot and log.header.session == number, "the next header is wrong")
        text = worn.hardware.line.printed()
        require("Traceback" not in text, f"the device printed: {text}")
