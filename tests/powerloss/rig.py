"""The real app on a simulated flash and a simulated leg, with a host that syncs it. Runs on MicroPython."""

import json

import app
import hal.store
import hal.store_upkeep
import host_link
import vfs
from hal import settings
from hal.flash_mount import file_system
from hal.store import LogStore
from retrostep_core.link import answers
from retrostep_core.log import records as r
from support.wearable import VIRTUAL, Hardware, Line, Worn

from powerloss.nor_flash import ERASED, Chip, Trace
from powerloss.promises import Promises, watched

POINT = "/cut"
# The app drops some modules after each start. Here they are compiled once and not thousands of times, and a mutant stays as it is.
for module in (app, hal.store, hal.store_upkeep, host_link):
    module.unload = lambda *names: None


class Place:
    """The folder of the app's files; stands in for support.disk.Disk."""

    root = POINT


class FlashHardware(Hardware):
    """The hardware, with board.json and settings.json on the same flash as the logs."""

    def __init__(self, store=LogStore):
        problems = []
        board = settings.read(POINT + "/board.json", problems, True)
        super().__init__(Place, settings.read(POINT + "/settings.json", problems, False), board, store)
        self.board.problems = problems + self.board.problems

    def save_limits(self, limits):
        settings.save_limits(limits, POINT)

    def save_mount(self, mount):
        settings.save_mount(mount, POINT)


class StepListener:
    """Wraps the session's listener and notes each step first."""

    def __init__(self, listener, rig, session):
        self._rig = rig
        self._session = session
        self._listener = listener
        self.direction = listener.direction
        self.cadence = listener.cadence
        self.alert = listener.alert
        self.gap = listener.gap

    def step(self, t_ms, at_ms, direction):
        self._rig.promises.steps_credited.append((self._rig.now_ms(), self._session.number))
        self._listener.step(t_ms, at_ms, direction)

    def session(self, start_ms, number, started):
        if started:
            self._rig.promises.began[number] = self._rig.now_ms()
        else:
            self._rig.promises.add("ended", number, True)
        self._listener.session(start_ms, number, started)


class Host(Line):
    """The serial line with a host that archives what it reads. Each answer to it becomes a promise."""

    def __init__(self, promises, archive):
        super().__init__()
        self.promises = promises
        self.archive = archive
        self.asked = {}

    def ask(self, name, *args):
        id = super().ask(name, *args)
        self.asked[id] = (name, args)
        if name == "CONFIRM":
            self.promises.add("asked", args[0], args[1:])
        elif name == "LIMITS" and args:
            self.promises.add("pushed", len(self.promises.made), args[0])
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
                    self.promises.add("served", args[0], self.archive[args[0]])
            elif isinstance(answer, answers.Ok) and name == "CONFIRM":
                self.promises.add("confirmed", args[0], True)
            elif isinstance(answer, answers.Ok) and name == "LIMITS":
                self.promises.add("limits", "", args[0])
        return n


class Rig:
    """A flash chip, the app that runs on it, and a clock that continues across restarts."""

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
        """Mount the flash and start the app."""
        mount(self.chip)
        hardware = FlashHardware(watched(self.promises))
        hardware.connect(Host(self.promises, self.archive))
        self.starts[hardware.store.boot] = self._base_ms
        self.promises.add("boot", "", hardware.store.boot)
        self.worn = Worn(hardware=hardware)
        session = self.worn.app.session
        session.listener = StepListener(session.listener, self, session)

    def cut(self):
        """Cut the power and restore it."""
        self.promises.cuts.append(self.now_ms())
        self._base_ms = self.now_ms() + 1
        # Keep the old app: the finaliser of an open file would write.
        self._past.append(self.worn)
        self.worn = None
        data = self.chip.data
        unmount(self.chip)
        self.chip = Chip(bytearray(data), self.trace)
        self.start()

    def pull(self, session, most=100000):
        """Continue to read a session; true once the host has all of it."""
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
        """End the scenario: (flash content before it, trace, promises)."""
        self.promises.settle(self.starts)
        unmount(self.chip)
        return self.before, self.trace, self.promises


def mount(chip):
    """Mount as MicroPython does at its start, and again as boot.py does."""
    vfs.mount(vfs.VfsLfs2(chip), POINT)
    vfs.umount(POINT)
    vfs.mount(file_system(chip), POINT)


def unmount(chip):
    """Unmount without another write. The chip stops first, since the finaliser of an open file would write."""
    chip.dead = True
    vfs.umount(POINT)
