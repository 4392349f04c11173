"""Lives of a device: the real app on a leg, a host that syncs it, and a note of all that it promised meanwhile.

A life is played once, without a cut, on a chip that keeps a trace; `LIVES` says which there are. What it promised by a given operation of
the flash is asked of `Promises`. Nothing here asks the firmware what it believes of itself: a promise is what its file said was flushed,
what its link answered, what the wearer felt, and what time has passed since the engine spoke.
"""

import json
import sys

import vfs

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
ROOT = HERE + "/../.."
sys.path[0:0] = [HERE, ROOT + "/tests/portable", ROOT + "/firmware/lib", ROOT + "/firmware"]

from hal import settings  # noqa: E402
from hal.store import Store  # noqa: E402
from nor import ERASED, Chip, Trace  # noqa: E402
from ram_store import Wearer  # noqa: E402
from retrostep_core.gait.limits import Limits  # noqa: E402
from retrostep_core.link import answers  # noqa: E402

# The app lets go of what it imports at a start; compiling those again at each of thousands is no part of the proof.
from retrostep_core.log import (  # noqa: E402, F401
    decoded,
    interrupted,
    recovery,
)
from retrostep_core.log import records as r  # noqa: E402
from retrostep_core.log.reader import scan  # noqa: E402
from test_app_wearable import Hardware, Line, Worn, hexed  # noqa: E402
from test_hal_board import VIRTUAL  # noqa: E402

POINT = "/cut"
# What is not urgent may be lost for so long; an alert's own time is the newest sample's, which lies so far behind.
LATE_MS = 5000
_ALERT_MS = 140


class Place:
    """Where the app's files are: the stand-in for a whole disk."""

    root = POINT


class Promises:
    """What was said, in order, each with the number of the flash's operations done by then."""

    def __init__(self, trace):
        self.trace = trace
        self.said = []
        self.content = {}  # session: all bytes that its log was given
        self.began = {}  # session: ms
        self.heard = []  # (ms, session) of every step, when it was credited
        self.cuts = []  # ms of the cuts within the life
        self.due = []  # (ms, session, length): from then on a cut leaves so much of the log

    def say(self, what, key, value):
        self.said.append((len(self.trace), what, key, value))

    def keep(self, session, data):
        """A log from before the life, which no host has."""
        self.content[session] = data
        self.began[session] = 0
        self.say("flushed", session, len(data))

    def by(self, writes):
        """{what: {key: value}}, the latest of each."""
        known = {what: {} for what in ("boot", "given", "flushed", "ended", "served", "asked", "confirmed", "limits", "pushed")}
        for at, what, key, value in self.said:
            if at > writes:
                break
            known[what][key] = value
        return known

    def steps(self, session, ms):
        """Of a session's steps those that a cut at `ms` must leave, and all that were credited before it."""
        for cut_ms in self.cuts:
            if [1 for at, number in self.heard if number == session and at <= cut_ms]:
                ms = min(ms, cut_ms)
        told = [at for at, number in self.heard if number == session and at <= ms]
        return len([1 for at in told if at + LATE_MS < ms]), len(told)

    def settle(self, starts):
        """When which byte of the logs was due. `starts`: {boot number: ms at which it began}."""
        for number in self.began:
            data = self.content.get(number, b"")
            base = 0
            for offset, kind, _, payload in scan(data):
                record = decoded.decode(kind, payload)
                end = offset + len(payload) + r.OVERHEAD
                if kind == r.HEADER:
                    boot_ms = starts.get(record.boot, -sys.maxsize)
                    base = boot_ms + record.start_ticks_ms
                elif kind == r.ALERT:
                    self.due.append((base + record.at_ms + _ALERT_MS, number, end))
                elif kind == r.MARK:
                    self.due.append((base + record.at_ms, number, end))
                elif kind == r.CLOCK:
                    if boot_ms + record.ticks_ms > self.began[number]:
                        self.due.append((boot_ms + record.ticks_ms, number, end))
                elif kind in (r.DIRECTION, r.BATTERY, r.RATE):
                    self.due.append((base + record.at_ms + LATE_MS, number, end))
                elif kind == r.EPOCH:
                    self.due.append((base + record.t_ms + LATE_MS, number, end))
        self.due.sort()


class Witness:
    """The store's file, with a note of every flush that came back."""

    def __init__(self, file, promises):
        self.file = file
        self.promises = promises
        self.number = file.number
        self.log = promises.content.get(file.number, b"")

    def keep(self, view, kept):
        self.promises.content[self.number] = self.log + bytes(view)
        done = self.file.keep(view, kept)
        if done:
            self.promises.say("flushed", self.number, len(self.log) + len(view))
        return done

    def write(self, data):
        self.log += bytes(data)
        self.promises.content[self.number] = self.log
        return self.file.write(data)

    def flush(self):
        self.file.flush()
        self.promises.say("flushed", self.number, len(self.promises.content[self.number]))

    def close(self):
        self.file.close()


def watched(promises):
    """The class of the real store, its files witnessed."""

    class Watched(Store):
        def create(self, session):
            return Witness(super().create(session), promises)

        def append(self, session):
            return Witness(super().append(session), promises)

        def next_session(self):
            number = super().next_session()
            promises.say("given", number, number)
            return number

    return Watched


class Kept(Hardware):
    """The board's pieces, with settings on the same flash as the logs."""

    def __init__(self, store=Store):
        trouble = []
        board = settings.read(POINT + "/board.json", trouble, True)
        super().__init__(Place, settings.read(POINT + "/settings.json", trouble, False), board, store)
        self.trouble = trouble + self.board.trouble

    def save_limits(self, limits):
        settings.save_limits(limits, POINT)

    def save_mount(self, mount):
        settings.save_mount(mount, POINT)


class Ear:
    """The session's watcher, and before it a note of each step."""

    def __init__(self, watcher, bench, session):
        self._bench = bench
        self._session = session
        self._watcher = watcher
        self.direction = watcher.direction
        self.cadence = watcher.cadence
        self.alert = watcher.alert
        self.gap = watcher.gap

    def step(self, t_ms, at_ms, direction):
        self._bench.promises.heard.append((self._bench.now_ms(), self._session.number))
        self._watcher.step(t_ms, at_ms, direction)

    def session(self, start_ms, number, started):
        if started:
            self._bench.promises.began[number] = self._bench.now_ms()
        else:
            self._bench.promises.say("ended", number, True)
        self._watcher.session(start_ms, number, started)


class Host(Line):
    """The line with a host that keeps what it reads; what it was answered is a promise."""

    def __init__(self, promises, archive):
        super().__init__()
        self.promises = promises
        self.archive = archive
        self.asked = {}

    def ask(self, name, *args):
        id = super().ask(name, *args)
        self.asked[id] = (name, args)
        if name == "CONFIRM":
            self.promises.say("asked", args[0], args[1:])
        elif name == "LIMITS" and args:
            self.promises.say("pushed", len(self.promises.said), args[0])
        return id

    def write(self, data):
        known = len(self.frames)
        n = super().write(data)
        for id, answer in self.frames[known:]:
            name, args = self.asked.get(id, ("", ()))
            if isinstance(answer, answers.Data):
                had = self.archive.get(args[0], b"")
                if answer.offset == len(had):
                    self.archive[args[0]] = had + bytes(answer.data)
                    self.promises.say("served", args[0], self.archive[args[0]])
            elif isinstance(answer, answers.Ok) and name == "CONFIRM":
                self.promises.say("confirmed", args[0], True)
            elif isinstance(answer, answers.Ok) and name == "LIMITS":
                self.promises.say("limits", "", args[0])
        return n


class Bench:
    """A chip, the app that runs on it, and time that goes on over all its starts."""

    def __init__(self, blocks, prepare=None):
        self.trace = Trace(self.now_ms)
        self.promises = Promises(self.trace)
        self.archive = {}
        self.starts = {}
        self.worn = None
        self._base_ms = 0
        self._past = []
        data = bytearray(ERASED * blocks)
        self.chip = Chip(data)
        vfs.VfsLfs2.mkfs(self.chip)
        vfs.mount(vfs.VfsLfs2(self.chip), POINT)
        with open(POINT + "/board.json", "w") as file:
            json.dump(VIRTUAL, file)
        if prepare is not None:
            prepare(self.promises)
        vfs.umount(POINT)
        self.before = bytes(data)
        self.chip = Chip(data, self.trace)
        self.start()

    def now_ms(self):
        return self._base_ms + (0 if self.worn is None else self.worn.hardware.now_ms)

    def start(self):
        """Mount, and start the app on it."""
        vfs.mount(vfs.VfsLfs2(self.chip), POINT)
        hardware = Kept(watched(self.promises))
        hardware.line = Host(self.promises, self.archive)
        hardware.console._stdin = hardware.console._stdout = hardware.line
        hardware.console._readable, hardware.console._writable = hardware.line.readable, hardware.line.writable
        self.starts[hardware.store.boot] = self._base_ms
        self.promises.say("boot", "", hardware.store.boot)
        self.worn = Worn(hardware=hardware)
        session = self.worn.app.session
        session.watcher = Ear(session.watcher, self, session)

    def cut(self):
        """Take the power away, and give it again."""
        self.promises.cuts.append(self.now_ms())
        self._base_ms = self.now_ms() + 1
        # Kept, so that nothing is finalised: an open file would write.
        self._past.append(self.worn)
        self.worn = None
        data = self.chip.data
        unmount(self.chip)
        self.chip = Chip(bytearray(data), self.trace)
        self.start()

    def pull(self, session, most=100000):
        """Read on in a session; true once the host has as much as there is."""
        entry = [e for e in self.worn.answer("LIST", session - 1).sessions if e.session == session][0]
        had = len(self.archive.get(session, b""))
        count = min(most, entry.length - had)
        if count > 0:
            self.worn.hardware.line.ask("READ", session, had, count)
            self.worn.live(0.4, self.worn.leg.stride_ms, self.worn.leg.backward)
        return len(self.archive[session]) == entry.length

    def sync(self, session):
        """Read the rest of a session and confirm it."""
        assert self.pull(session)
        data = self.archive[session]
        answer = self.worn.answer("CONFIRM", session, len(data), r.binascii.crc32(data) & r.U32)
        assert isinstance(answer, answers.Ok), answer

    def end(self):
        """The life as it was: (bytes before it, trace, promises)."""
        self.promises.settle(self.starts)
        unmount(self.chip)
        return self.before, self.trace, self.promises


def unmount(chip):
    # Before anything is collected: the finaliser of a file left open would write.
    chip.dead = True
    vfs.umount(POINT)


def worn():
    """Four sessions over two starts: alerts, marks, limits pushed, a sync while the next one is run, a deletion, a cut, one left open."""
    bench = Bench(48)
    worn = bench.worn
    worn.live(0.5)
    worn.answer("CLOCK", 1795354200000)
    worn.answer("LIMITS", hexed(Limits.from_dict({"warm_up_s": 60})))
    worn.live(12, 750)
    bench.pull(1, 150)
    worn.press(150, 150)
    worn.live(11, 800, True)
    worn.press(1200)
    worn.answer("CLOCK", 1795354300000)
    worn.live(2, 800, True)
    worn.live(20, 740)
    worn.press(150)
    worn.live(7, 750)
    bench.pull(1, 300)
    worn.live(2, 750)
    bench.sync(1)
    worn.live(5, 700)
    worn.answer("ERASE_CONFIRMED")
    worn.live(7, 750)
    bench.cut()
    worn = bench.worn
    worn.live(8, 750)
    bench.sync(2)
    worn.live(10, 760, True)
    worn.answer("LIMITS", hexed(Limits.from_dict({"warm_up_s": 90})))
    worn.live(35, 750)
    worn.live(3)
    worn.press(150)
    bench.sync(3)
    # No later session stands for the numbers of those that go now.
    worn.answer("ERASE_CONFIRMED")
    worn.live(65, 750)
    return bench.end()


def short():
    """A flash with little room and three logs, two of them confirmed: the device erases those itself, and leaves out steps."""

    def past(promises):
        store = Store(POINT)
        for seconds in (900, 60, 700):
            wearer = Wearer(store, reserve=0)
            wearer.turn(1)
            wearer.run(seconds)
            wearer.session.stop(wearer.clock.now)
            number = wearer.session.number
            data = bytearray(store.size(number))
            store.read_into(number, 0, data)
            if number == 2:
                promises.keep(number, bytes(data))
            else:
                store.confirm(number, len(data), r.binascii.crc32(data))
        with open(POINT + "/other.bin", "wb") as file:
            file.write(bytes(44000))

    bench = Bench(28, past)
    worn = bench.worn
    worn.live(8, 750)
    worn.press(150, 150)
    worn.live(20, 800, True)
    bench.pull(4)
    worn.press(150)
    bench.sync(4)
    worn.live(8, 750)
    bench.cut()
    bench.worn.live(14, 750)
    return bench.end()


LIVES = {"worn": worn, "short": short}
