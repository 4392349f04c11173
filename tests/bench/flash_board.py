"""The real app on a flash that takes time, on a clock that the flash advances. On MicroPython: `bench.flash_board IMAGE LOGS LAYOUT`.

IMAGE   a 2 MB flash with the firmware (bench/flash.py makes it), written with MicroPython's own sizes
LOGS    closed logs on it, not confirmed; each fills a block
LAYOUT  logs: as the firmware stores them; sessions: as older firmware did, in one folder

Prints a JSON object. Times are in ms and only those of the flash: a computation takes none. So the same run gives the same figures.
"""

import json
import sys
from binascii import crc32

import vfs
from hal.flash_mount import file_system
from hal.store import LogStore
from powerloss.nor_flash import BLOCK
from powerloss.rig import POINT, FlashHardware
from support.disk import numbers
from support.ram_store import RamStore, Wearer
from support.wearable import Worn

from bench.timed_chip import TimedChip

# The FIFO of the sensor holds so much; what comes later is lost.
FIFO_MS = 2460
LOG_S = 420
SESSIONS = 12
SESSION_S = 30


class TimedHardware(FlashHardware):
    """Hardware whose clock also advances while the flash works."""

    def __init__(self, chip):
        self._chip = chip
        self._set_ms = 0
        super().__init__()

    @property
    def now_ms(self):
        return self._set_ms + self._chip.us // 1000

    @now_ms.setter
    def now_ms(self, now_ms):
        self._set_ms = now_ms - self._chip.us // 1000


class Turns:
    """Runs the app's task loop, and notes the longest call of each task and the samples that the FIFO lost meanwhile."""

    def __init__(self, worn):
        self.worn = worn
        self.longest = {}
        self.create_ms = 0
        self.lost = 0
        self._read_ms = worn.hardware.now_ms
        self._time_create(worn.hardware.store)
        sample, serve, _, housekeep = worn.app._tasks.tasks
        for name, task in (("sample", sample), ("serve", serve), ("housekeep", housekeep)):
            task[0] = self._timed(task[0], name)

    def _time_create(self, store):
        """Note the longest start of a log: its number and its file."""
        next_session, create = store.next_session, store.create
        begun = [0]

        def number():
            begun[0] = self.worn.hardware.now_ms
            return next_session()

        def timed(session):
            file = create(session)
            self.create_ms = max(self.create_ms, self.worn.hardware.now_ms - begun[0])
            return file

        store.next_session, store.create = number, timed

    def _timed(self, work, name):
        hardware = self.worn.hardware
        self.longest[name] = 0

        def timed():
            begun = hardware.now_ms
            if name == "sample":
                self.lost += max(0, begun - self._read_ms - FIFO_MS) * 104 // 1000
                self._read_ms = begun
            done = work()
            self.longest[name] = max(self.longest[name], hardware.now_ms - begun)
            return done

        return timed

    def take(self):
        """The longest calls since the last time, by task."""
        longest = dict(self.longest)
        for name in longest:
            self.longest[name] = 0
        return longest

    def run(self, seconds, stride_ms=0):
        self.worn.leg.stride_ms = stride_ms
        self.until(seconds, lambda: False)

    def until(self, seconds, is_done):
        """Run until `is_done`, at most so long; the time it took in ms."""
        hardware = self.worn.hardware
        begun = hardware.now_ms
        while hardware.now_ms < begun + seconds * 1000 and not is_done():
            hardware.sleep_ms(max(1, self.worn.app._tasks.run_due()))
        return hardware.now_ms - begun

    def ask(self, name, *args):
        """(the answer, how long it took in ms)."""
        line = self.worn.hardware.line
        asked = line.ask(name, *args)
        took = self.until(60, lambda: any(id == asked for id, _ in line.frames))
        return [answer for id, answer in line.frames if id == asked][-1], took


def log_bytes():
    """A closed log that fills a block."""
    wearer = Wearer(RamStore(), reserve=0)
    wearer.turn(1)
    wearer.run(LOG_S)
    wearer.session.stop(wearer.clock.now)
    data = wearer.store.logs[1]
    assert BLOCK - 400 < len(data) < BLOCK - 8, len(data)
    return data


def fill(chip, logs, layout):
    """Put the logs onto the flash, without counting the time."""
    import os

    vfs.mount(file_system(chip), POINT)
    data = log_bytes()
    store = LogStore(POINT)
    for _ in range(logs):
        file = store.create(store.next_session())
        file.write(data)
        file.close()
    if layout == "sessions":
        os.mkdir(POINT + "/sessions")
        for session in numbers(store):
            os.rename(store.path(session), f"{POINT}/sessions/{session:08d}.rsl")
            if session % 2:
                body = len(data).to_bytes(4, "little") + crc32(data).to_bytes(4, "little")
                with open(f"{POINT}/sessions/{session:08d}.ok", "wb") as file:
                    file.write(body + crc32(body).to_bytes(4, "little"))
        for name in os.listdir(POINT + "/logs"):
            os.rmdir(POINT + "/logs/" + name)
        os.rmdir(POINT + "/logs")
    vfs.umount(POINT)


def main(image, logs, layout):
    with open(image, "rb") as file:
        chip = TimedChip(bytearray(file.read(512 * BLOCK)))
    fill(chip, int(logs), layout)
    facts = {}

    chip.us = 0
    vfs.mount(vfs.VfsLfs2(chip), POINT)  # as MicroPython does before boot.py
    vfs.umount(POINT)
    vfs.mount(file_system(chip), POINT)
    facts["mount"] = chip.us // 1000
    hardware = TimedHardware(chip)
    facts["store"] = chip.us // 1000 - facts["mount"]
    worn = Worn(hardware=hardware)
    facts["start"] = chip.us // 1000
    turns = Turns(worn)
    facts["free"] = hardware.store.free_bytes()
    facts["list"] = 0
    answer, facts["hello"] = turns.ask("HELLO")
    after = listed = 0
    more = True
    while more:
        page, took = turns.ask("LIST", after)
        facts["list"] += took
        listed += len(page.sessions)
        after = page.sessions[-1].session if page.sessions else 0
        more = page.more
    facts["listed"] = listed
    turns.run(3, 0)
    for _ in range(SESSIONS):
        turns.run(SESSION_S, 750)
        hardware.pressed = True
        turns.run(0.15)
        hardware.pressed = False
        turns.run(4)
    facts["sessions"] = len(numbers(hardware.store)) - int(logs)
    steps = worn.answer("STATUS")
    assert steps.faults == 0, steps
    # Idle long enough to check every log, and to move those of the old layout.
    facts["walked"] = turns.take()
    turns.run(int(logs) + 60)
    facts["idle"] = turns.take()
    for session in numbers(hardware.store):
        size = hardware.store.size(session)
        data = bytearray(size)
        hardware.store.read_into(session, 0, data)
        turns.ask("CONFIRM", session, size, crc32(data))
    facts["confirmed"] = turns.take()
    facts["unsynced"] = hardware.store.unsynced
    turns.ask("ERASE_CONFIRMED")
    turns.run(60)
    facts["erased"] = turns.take()
    facts["left"] = len(numbers(hardware.store))
    facts["lost"] = turns.lost
    facts["create"] = turns.create_ms
    text = hardware.line.printed()
    assert "Traceback" not in text, text
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
