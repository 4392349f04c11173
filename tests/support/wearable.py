"""The whole app on hardware that a test controls: time, the motion of the leg, the button, the serial line and the flash."""

from array import array
from binascii import hexlify

from app import App
from hal.battery import Battery
from hal.board import Board
from hal.button import Button
from hal.clock import Clock
from hal.console import Console
from hal.feedback import Feedback
from hal.identity import identity
from hal.lsm6ds import SensorFault
from hal.power import Power
from hal.store import LogStore
from retrostep_core.gait.units import parse_mount
from retrostep_core.link import answers, host_frames
from retrostep_core.log.reader import read_log

from support.disk import Disk

VIRTUAL = {
    "name": "VIRTUAL",
    "link": "usb",
    "i2c": {"id": 0, "scl": 22, "sda": 21, "freq_hz": 400000},
    "imu": {"model": "LSM6DSOX", "address": 106},
    "mount_left": "+y+z+x",
    "mount_right": "-y-z+x",
    "side": "left",
    "placement": "shank",
    "button": {"pin": 0, "active_low": True},
    "feedback": {"led": 2, "haptic": 4},
    "battery": {"pin": 35, "scale_x100": 200},
    "rates": {"odr_hz": 104, "watermark": 12},
    "auto_stop_s": 60,
}

# Sagittal angular velocity of a shank over one stride forward, in 0.1 degree per second: a short, deep swing and a long, shallow stance.
# A stride backward is the same with time and sign reversed.
SHAPE = (
    (798, 906, 1021, 1141, 1263, 1382, 1496, 1602, 1694, 1770, 1826, 1861, 1872, 1861, 1826, 1770)
    + (1694, 1602, 1496, 1382, 1263, 1141, 1021, 906, 798, 698, 608, 529, 459, 400, 348, 303)
    + (260, 214, 156, 71, -57, -247, -521, -893, -1364, -1919, -2516, -3095, -3583, -3911, -4026, -3911)
    + (-3585, -3097, -2519, -1924, -1372, -903, -536, -269, -88, 28, 97, 135, 155, 165, 170, 172)
)


class Leg:
    """Stands in for the driver of the sensor, on a leg: a sample every 10 ms. With `stride_ms` 0 the leg stands still."""

    def __init__(self, clock):
        self._clock = clock
        self.block = array("h", bytes(2 * 6 * 16))
        self.impact = [0, 0, 0, 0]
        self.clips = False
        self.t0_ms = 0
        self.period_us = 10000
        self.milli_hz = 104166
        self.overrun = False
        self.rate_changed = False
        self.stride_ms = 0
        self.backward = False
        self.missing = False
        self.starts = 0
        self.weight_mg = 1000
        self.mount = parse_mount("+y+z+x")  # how it sits
        self.turned = self.mount  # how the app has it turned
        self._made_ms = 0
        self._until_ms = 0
        self._phase = 0
        self._noise = 1

    def set_mount(self, mount):
        self.turned = mount or ((0, 1), (1, 1), (2, 1))

    def start(self):
        self.starts += 1
        if self.missing:
            raise SensorFault(9)
        self._made_ms = self._clock.ticks_ms()

    def check_fifo(self):
        if self.missing:
            raise SensorFault(3)
        self._until_ms = self._clock.ticks_ms()
        if self.overrun:
            self._made_ms = self._until_ms - 2500
        return 0

    def read_block(self):
        n = 0
        self.t0_ms = self._made_ms + 10
        self.impact[:] = (0, 0, 0, 0)
        while n < 16 and self._made_ms + 10 <= self._until_ms:
            self._made_ms += 10
            self._feel(6 * n)
            n += 1
        return n

    def take_peak_mg(self):
        return 3000 if self.stride_ms else 1000

    def _feel(self, at):
        rate, hit = 0, 0
        if self.stride_ms:
            self._phase += 64 * 10 * 1000 // self.stride_ms
            phase = self._phase // 1000 % 64
            rate = -SHAPE[63 - phase] if self.backward else SHAPE[phase]
            # The foot strikes at the end of the swing.
            hit = 2000 if (phase - 27 if self.backward else phase) % 64 < 3 else 0
        # A sensor that works has noise.
        self._noise = self._noise * 1103 + 12345 & 0xFFFF
        noise = self._noise >> 15
        body = (-rate // 12 if self.backward else rate // 12, noise, self.weight_mg + hit + noise, 0, rate, 0)
        if hit:
            self.impact[:] = (hit, hit * hit + body[0] * body[0], hit, 1 if self.clips else 0)
        sensor = [0] * 6
        for k, (index, sign) in enumerate(self.mount):
            sensor[index] = sign * body[k]
            sensor[3 + index] = sign * body[3 + k]
        for k, (index, sign) in enumerate(self.turned):
            self.block[at + k] = sign * sensor[index]
            self.block[at + 3 + k] = sign * sensor[3 + index]


class Line:
    """The serial line with a host at its other end."""

    def __init__(self):
        self._to_device = bytearray()
        self._decoder = host_frames.FrameDecoder()
        self.frames = []
        self.text = b""
        self.is_ready = True
        self._id = 0

    def ipoll(self, timeout):
        return [(self, 1)] if self._to_device else []

    def writable(self):
        return self.is_ready

    def readinto(self, buf):
        buf[0] = self._to_device[0]
        self._to_device = self._to_device[1:]
        return 1

    def write(self, data):
        for what in self._decoder.feed(bytes(data)):
            if what[0] == "text":
                self.text += what[1]
            else:
                self.frames.append((what[2], answers.unpack(what[1], what[3])))
        return len(data)

    def ask(self, name, *args):
        self._id += 1
        self._to_device += host_frames.request(self._id, name, *args)
        return self._id

    def flood(self, data):
        """The host sends `data` at once."""
        self._to_device += data

    @property
    def waiting(self):
        """Bytes that the device has not read."""
        return len(self._to_device)

    def printed(self):
        for what in self._decoder.idle():
            self.text += what[1]
        return self.text.decode()


class Watchdog:
    """Stands in for hal/watchdog.py: `calls` are the names of its calls, each once in a row."""

    def __init__(self):
        self.resets = 0
        self.calls = []
        self.fed_ms = 0

    def run(self):
        self.calls.append("run")

    def rest(self):
        self.calls.append("rest")

    def feed(self, now_ms):
        self.fed_ms = now_ms


class Hardware:
    """Stands in for hal/hardware.py."""

    def __init__(self, disk, settings, board, store=LogStore):
        self.now_ms = 0
        self._pressed = False
        self.motor = []
        self.kept = []
        self.board = Board(board, settings)
        self.store = store(disk.root)
        self.clock = Clock(lambda: self.now_ms, lambda new, old: new - old, self.store.boot)
        self.identity = identity(b"\1\2\3\4\5\6", self.board.name, bytes(8))
        self.connect(Line())
        self.button = Button(lambda: 0 if self.pressed else 1, True)
        self.feedback = Feedback(None, self.feel)
        self.battery = Battery(lambda: 1950000, 200)
        self.imu = Leg(self.clock) if self.board.imu else None
        self.flash_full = False
        self.ble = None
        self.power = Power(self.sleep_ms, None, "usb")
        self.watchdog = Watchdog()

    @property
    def pressed(self):
        return self._pressed

    @pressed.setter
    def pressed(self, pressed):
        if pressed and not self._pressed:
            # The interrupt comes at once, also during a call.
            self.button.edge(None)
        self._pressed = pressed

    def connect(self, line):
        """Connect the board to another line, before the app starts."""
        self.line = line
        self.console = Console(line, line, line.ipoll, line.writable, self.clock.ticks_ms, "usb")

    def sleep_ms(self, ms):
        self.now_ms += ms

    def save_limits(self, limits):
        if self.flash_full:
            raise OSError(28)
        self.kept.append(limits)

    def save_mount(self, mount):
        if self.flash_full:
            raise OSError(28)
        self.kept.append(mount)

    def feel(self, on):
        if on and (not self.motor or self.motor[-1][1]):
            self.motor.append([self.now_ms, 0])
        if not on and self.motor and not self.motor[-1][1]:
            self.motor[-1][1] = self.now_ms

    def pulses(self, since_ms=0):
        """Lengths of the motor's pulses, ms."""
        return [end - start for start, end in self.motor if start >= since_ms]

    def felt(self, since_ms=0):
        """The motor's pulses: S for a short one, L for a long one."""
        return "".join(["S" if ms < 300 else "L" for ms in self.pulses(since_ms) if ms > 0])


class Worn:
    """The app on a leg. The test moves the time, in steps of 20 ms."""

    def __init__(self, disk=None, settings=None, board=None, start=True, missing=False, hardware=None):
        self.disk = disk or (None if hardware else Disk())
        self.hardware = hardware or Hardware(self.disk, settings or {}, VIRTUAL if board is None else board)
        if missing:
            self.hardware.imu.missing = True
        self.app = App(self.hardware)
        self.leg = self.hardware.imu
        if start:
            self.app.start()

    def live(self, seconds, stride_ms=0, backward=False, sampling=True):
        if self.leg is not None:
            self.leg.stride_ms = stride_ms
            self.leg.backward = backward
        hardware = self.hardware
        end = hardware.now_ms + int(seconds * 1000)
        while hardware.now_ms < end:
            hardware.now_ms += 20
            if sampling and hardware.now_ms % 120 == 0:
                self.app.sample()
            if hardware.now_ms % 500 == 0:
                self.app.housekeep()
            self.app.serve()

    def press(self, *lengths_ms):
        for length in lengths_ms:
            self.hardware.pressed = True
            self.live(length / 1000, self.leg.stride_ms, self.leg.backward)
            self.hardware.pressed = False
            self.live(0.14, self.leg.stride_ms, self.leg.backward)
        self.live(1.2, self.leg.stride_ms, self.leg.backward)

    def data(self, session):
        """The bytes of a log."""
        store = self.hardware.store
        buf = bytearray(store.size(session))
        assert store.read_into(session, 0, buf) == len(buf)
        return bytes(buf)

    def log(self, session):
        log = read_log(self.data(session))
        assert log.damage == []
        return log

    def answer(self, name, *args):
        asked = self.hardware.line.ask(name, *args)
        self.live(0.1, self.leg.stride_ms if self.leg else 0)
        got = [answer for id, answer in self.hardware.line.frames if id == asked]
        assert got, "no answer to " + name
        return got[-1]


def hexed(limits):
    """Limits as the LIMITS request and settings.json carry them."""
    return hexlify(limits.pack()).decode()
