"""How long the app leaves samples in the sensor's FIFO. On MicroPython: `bench.sampling_waits_board IMAGE LOGS`.

IMAGE   a 2 MB flash with the firmware as bytecode (bench/flash.py makes it). The app imports its modules from there
LOGS    closed logs on it, not confirmed; each fills a block

The clock advances by what the flash, an import, a sample, a byte on the line and a collection take on an ESP32, and by nothing else. So
the same run gives the same figures on any computer. Prints a JSON object. "longest": for each part of the run the longest time from one
reading of the FIFO to the next, then the longest calls of the tasks sample, serve and housekeep, all in ms.
"""

import builtins
import gc
import json
import os
import random
import sys

import vfs

from bench.timed_chip import TimedChip

POINT = "/cut"
BLOCK, BLOCKS = 4096, 512
FOLDER = 0x4000
CLOCK_MHZ = 160
CYCLES_X10 = 22
# Instructions, counted by callgrind. An import: 4.2 million for the link's server and what it imports. That is 435 a byte of bytecode, most
# of them to look up names; others need 270 to 340.
IMPORT_BYTE = 450
# With the engine, the log and the task loop, on an official build.
SAMPLE = 28_000
# Of the shortest bad requests, which cost the most.
RECEIVED_BYTE = 3_300
SENT_BYTE = 200
COLLECT_US = 9_000
# A UART at 115200 baud, with MicroPython's receive ring.
BYTES_PER_S = 11_520
RING_BYTES = 260
# The FIFO of the sensor holds so much; what comes later is lost.
FIFO_MS = 2_460
GAP_GYRO = 7
# Gaps where samples are missing: not read in time, or not at all.
GAPS_LOST = {1, 2, 3}
# What the app imports on demand: this program and its stand-ins have imported some of it.
ON_DEMAND = {
    "": "host_requests fault_text calibration_mode upkeep start_report",
    "hal.": "settings store_start store_upkeep calibration_signals migration folder",
    "retrostep_core.": "sensor_text",
    "retrostep_core.link.": "server payloads frames",
    "retrostep_core.gait.": "limit_ranges calibration waist waist_bout shank_force mount_finder hidden_directions units unmounted",
    "retrostep_core.log.": "raw_capture recovery interrupted decoded reader totals_from_log",
}


class Processor:
    """Adds up in `us` what the program computes. It is also the app's module gc."""

    def __init__(self, sizes):
        self.us = 0
        self._sizes = sizes
        self._depth = 0
        self._import = builtins.__import__
        builtins.__import__ = self._timed_import
        sys.modules["gc"] = self

    def compute(self, instructions):
        self.us += instructions * CYCLES_X10 // (10 * CLOCK_MHZ)

    def collect(self):
        gc.collect()
        self.us += COLLECT_US

    def _timed_import(self, *args):
        """Import, and charge for all modules that are new."""
        before = set(sys.modules)
        self._depth += 1
        try:
            return self._import(*args)
        finally:
            self._depth -= 1
            if not self._depth:
                for name in set(sys.modules) - before:
                    self.compute(IMPORT_BYTE * self._sizes.get(getattr(sys.modules[name], "__file__", ""), 0))


def sizes(folder, found):
    """{path: bytes} of the files in `folder`."""
    for name, kind, _, size in os.ilistdir(folder):
        if kind == FOLDER:
            sizes(folder + "/" + name, found)
        else:
            found[folder + "/" + name] = size
    return found


with open(sys.argv[1], "rb") as image:
    CHIP = TimedChip(bytearray(image.read(BLOCKS * BLOCK)))
vfs.mount(vfs.VfsLfs2(CHIP), POINT)  # as MicroPython does before boot.py
sys.path[0:0] = [POINT, POINT + "/lib"]
PROCESSOR = Processor(sizes(POINT, {}))

from hal import unload  # noqa: E402
from hal.console import Console  # noqa: E402
from hal.flash_mount import file_system  # noqa: E402

vfs.umount(POINT)
vfs.mount(file_system(CHIP), POINT)

from retrostep_core.gait.limits import Limits  # noqa: E402
from retrostep_core.gait.units import parse_mount  # noqa: E402
from retrostep_core.link import host_frames  # noqa: E402
from retrostep_core.log.reader import read_log  # noqa: E402
from support import wearable  # noqa: E402
from support.disk import numbers  # noqa: E402
from support.ram_store import RamStore, Wearer  # noqa: E402

random.seed(1)
FLOODS = {
    "one long line": b"x" * 4000,
    "empty lines": b"\n" * 4000,
    "shortest bad requests": b"~\n" * 2000,
    "bad requests": b"~05 READ 1 0 4096*00000000\n" * 150,
    "valid requests": b"".join([host_frames.request(id, "STATUS") for id in range(1, 200)]),
    "hosts that connect": host_frames.request(7, "HELLO") * 200,
    "noise": bytes([random.getrandbits(8) for _ in range(4000)]),
}
# Of each, at the full rate of the line.
FLOOD_BYTES = 2 * BYTES_PER_S


class Uart(wearable.Line):
    """A line whose bytes take time to arrive, into a receive ring: what arrives while it is full is lost."""

    def __init__(self, now_us):
        super().__init__()
        self._now_us = now_us
        self._wire = b""
        self._begun_us = 0
        self._arrived = 0

    def flood(self, data):
        """The host sends `data` from now on."""
        self._wire = data
        self._begun_us = self._now_us()
        self._arrived = 0

    @property
    def is_flooded(self):
        return self._arrived < len(self._wire)

    def ipoll(self, timeout):
        if self.is_flooded:
            arrived = min(len(self._wire), (self._now_us() - self._begun_us) * BYTES_PER_S // 1_000_000)
            room = RING_BYTES - len(self._to_device)
            self._to_device += self._wire[self._arrived : min(arrived, self._arrived + room)]
            self._arrived = arrived
        return super().ipoll(timeout)

    def readinto(self, buf):
        PROCESSOR.compute(RECEIVED_BYTE)
        return super().readinto(buf)

    def write(self, data):
        PROCESSOR.compute(SENT_BYTE * len(data))
        return super().write(data)


class BusyLeg(wearable.Leg):
    """A leg whose sensor keeps only its newest samples."""

    is_gyro_dead = False
    longest_ms = lost_ms = 0
    _read_ms = 0

    def start(self):
        super().start()
        self._read_ms = self._made_ms

    def check_fifo(self):
        now_ms = self._clock.ticks_ms()
        self.longest_ms = max(self.longest_ms, now_ms - self._read_ms)
        self._read_ms = now_ms
        lost_ms = now_ms - self._made_ms - FIFO_MS
        self.overrun = lost_ms > 0
        self.lost_ms += max(0, lost_ms)
        return super().check_fifo()

    def read_block(self):
        n = super().read_block()
        PROCESSOR.compute(SAMPLE * n)
        return n

    def _feel(self, at):
        super()._feel(at)
        if self.is_gyro_dead:
            self.block[at + 3] = self.block[at + 4] = self.block[at + 5] = 0


class Root:
    root = POINT


class BusyHardware(wearable.Hardware):
    """Hardware whose clock also advances while the program works."""

    _set_us = 0

    def __init__(self):
        super().__init__(Root, {}, wearable.VIRTUAL | {"link": "uart"})
        self.imu = BusyLeg(self.clock)
        self.line = Uart(self.now_us)
        self.console = Console(self.line, self.line, self.line.ipoll, self.line.writable, self.clock.ticks_ms, "uart")

    def now_us(self):
        return self._set_us + CHIP.us + PROCESSOR.us

    @property
    def now_ms(self):
        return self.now_us() // 1000

    @now_ms.setter
    def now_ms(self, now_ms):
        self._set_us += now_ms * 1000 - self.now_us()

    def save_limits(self, limits):
        self._settings().save_limits(limits, POINT)

    def save_mount(self, mount):
        self._settings().save_mount(mount, POINT)

    def _settings(self):
        """hal/settings.py, imported for each use as in hal/__init__.py."""
        unload("hal.settings")
        from hal import settings

        return settings


class Rig:
    """Runs the app and measures it; `longest` is what the program prints."""

    def __init__(self):
        self.hardware = BusyHardware()
        self.worn = wearable.Worn(hardware=self.hardware)
        self.app, self.leg, self.line = self.worn.app, self.hardware.imu, self.hardware.line
        self.longest = {}
        self._calls = [0, 0, 0]
        sample, serve, _, housekeep = self.app._tasks.tasks
        for k, task in enumerate((sample, serve, housekeep)):
            task[0] = self._timed(task[0], k)

    def _timed(self, work, k):
        def timed():
            begun_ms = self.hardware.now_ms
            done = work()
            self._calls[k] = max(self._calls[k], self.hardware.now_ms - begun_ms)
            return done

        return timed

    def run(self, part, seconds, stride_ms=750, until=None):
        """So long, or until `until()`; then up to the next reading of the FIFO."""
        self.leg.stride_ms = stride_ms
        end_ms = self.hardware.now_ms + int(seconds * 1000)
        while self.hardware.now_ms < end_ms and not (until is not None and until()):
            self._turn()
        read_ms = self.leg._read_ms
        while self.leg._read_ms == read_ms:
            self._turn()
        before = self.longest.setdefault(part, [0] * 4)
        for k, ms in enumerate([self.leg.longest_ms] + self._calls):
            before[k] = max(before[k], ms)
        self.leg.longest_ms = 0
        self._calls[:] = (0, 0, 0)

    def _turn(self):
        self.hardware.sleep_ms(max(1, self.app._tasks.run_due()))

    def ask(self, part, name, *args):
        asked = self.line.ask(name, *args)
        self.run(part, 60, until=lambda: any(id == asked for id, _ in self.line.frames))
        self.run(part, 0.5)

    def press(self, part, stride_ms=750):
        self.hardware.pressed = True
        self.run(part, 0.15, stride_ms)
        self.hardware.pressed = False
        self.run(part, 5, stride_ms)

    def fill_flash(self):
        """Fill the flash in no time."""
        us = CHIP.us
        try:
            with open(POINT + "/other", "wb") as file:
                while file.write(bytes(BLOCK)):
                    file.flush()
        except OSError:
            pass
        self.hardware.store.count_free()
        CHIP.us = us


def put_logs(count):
    wearer = Wearer(RamStore(), reserve=0)
    wearer.turn(1)
    wearer.run(420)
    wearer.session.stop(wearer.clock.now)
    store = wearable.LogStore(POINT)
    for _ in range(count):
        file = store.create(store.next_session())
        file.write(wearer.store.logs[1])
        file.close()


def gaps(store, first):
    """The reasons of all gaps in the logs from `first` on, each of which must be valid."""
    found = set()
    for session in numbers(store):
        if session >= first:
            data = bytearray(store.size(session))
            store.read_into(session, 0, data)
            log = read_log(bytes(data))
            assert not log.damage
            found |= {gap.reason for gap in log.gaps}
    return found


def main(logs):
    put_logs(logs)
    for folder, names in ON_DEMAND.items():
        unload(names, folder)
    rig = Rig()
    app, line, leg, store = rig.app, rig.line, rig.leg, rig.hardware.store
    # As in main.py.
    unload("hardware board settings link_speeds identity source_hash", "hal.")
    unload("core_hash gait.limit_ranges", "retrostep_core.")
    rig.run("rest before the first session", 20, 0)
    rig.run("first session", 30)
    first = app.session.number
    assert first and app.link.server is None
    line.ask("STATUS")
    rig.run("first request of a host", 2)
    assert app.link.server is not None
    for name, flood in FLOODS.items():
        rig.run("silence of the host", 100)
        assert app.link.server is None
        line.flood((flood * (FLOOD_BYTES // len(flood) + 1))[:FLOOD_BYTES])
        rig.run("flood: " + name, 30, until=lambda: not line.is_flooded)
        line.ask("STATUS")
        rig.run("flood: " + name, 2)
    assert app.session.number == first, "one session all the time"
    for request in ("HELLO", "CLOCK 1795807955000", "LIST 0", "LIST 100", "WATCH 1", f"READ {first} 0 1048576", "LIMITS"):
        rig.ask("sync in a session", *request.split())
    if logs:
        data = bytearray(store.size(1))
        store.read_into(1, 0, data)
        rig.ask("sync in a session", "READ", 1, 0, len(data))
        rig.ask("sync in a session", "CONFIRM", 1, len(data), host_frames.crc32(data))
        rig.ask("sync in a session", "ERASE_CONFIRMED")
        assert not store.holds(1)
    limits = Limits()
    limits.ramp_warn_x10 = 90
    rig.ask("other limits", "LIMITS", wearable.hexed(limits))
    rig.run("other limits", 5)
    assert app.limits == limits and app.session.number > first
    rig.ask("capture", "CAPTURE", 1, "72756e")
    rig.run("capture", 10)
    rig.ask("capture", "CAPTURE", 0, "-")
    rig.ask("calibration", "CALIBRATE", 1)
    rig.run("calibration", 10, 0)
    rig.run("calibration", 15)
    assert not app.is_calibrating and app.session.mount == "+y+z+x"
    rig.run("calibration", 10)
    leg.is_gyro_dead = True
    rig.run("gyroscope dead", 40)
    assert app.sampling.reason == GAP_GYRO
    leg.is_gyro_dead = False
    rig.run("gyroscope works again", 20)
    assert app.sampling.reason == 0
    rig.press("a press ends the session", 0)
    assert not app.session.open
    leg.mount = parse_mount("-y-z+x")
    rig.press("a press starts a session", 0)
    rig.run("another mount than the declared one", 30)
    assert app.engine.is_turned
    rig.run("stillness ends the session", 90, 0)
    assert not gaps(store, first) & GAPS_LOST
    rig.ask("flash full", "CAPTURE", 1, "72756e")
    rig.fill_flash()
    rig.run("flash full", 90)
    text = line.printed()
    assert "little flash is left" in text and "Traceback" not in text, text
    print(json.dumps({"longest": rig.longest, "lost_ms": leg.lost_ms}))


main(int(sys.argv[2]))
