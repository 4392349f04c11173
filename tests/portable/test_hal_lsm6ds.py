"""The sensor: setup by Adafruit's driver, FIFO bursts, and every fault."""

import struct
import sys

from hal.lsm6ds import Lsm6ds, SensorFault
from retrostep_core.gait.units import parse_mount

MOUNT = parse_mount("+x+y+z")


class Bus:
    """machine.I2C with one chip on it: registers, and a FIFO of 512 tagged words in continuous mode."""

    def __init__(self, who=0x6C, address=0x6A):
        self.address = address
        self.registers = bytearray(256)
        self.registers[0x0F] = who
        self.words = []
        self.slot = 0
        self.made = 0
        self.overrun = False
        self.dead = False
        self.bursts = []
        self.transfers = 0
        self.fail_at = ()
        self.failed = 0
        self.drops = 0  # words that a failed transfer has taken from the FIFO

    def sample(self):
        """One time slot of both sensors; the accelerometer's x counts the samples made."""
        if self.registers[0x0A] & 7 != 6 or self.registers[0x09] != 0x44:
            return
        for kind, x in ((1, 0), (2, self.made)):
            self.words.append(bytes([kind << 3 | self.slot << 1]) + struct.pack("<hhh", x, 0, 0))
        self.slot = (self.slot + 1) & 3
        self.made += 1
        while len(self.words) > 512:
            self.words.pop(0)
            self.overrun = True

    def _reach(self, address):
        if self.dead or address != self.address:
            raise OSError(19)
        self.transfers += 1
        if self.transfers - 1 in self.fail_at:
            self.failed += 1
            raise OSError(116)

    def readfrom_mem_into(self, address, register, buf):
        try:
            self._reach(address)
        except OSError:
            del self.words[: self.drops if register == 0x78 else 0]
            raise
        if register == 0x78:
            assert len(buf) % 7 == 0 and (self.drops or len(buf) <= 7 * len(self.words)), "a burst reads what is there"
            self.bursts.append(len(buf) // 7)
            for i in range(len(buf) // 7):
                buf[7 * i : 7 * i + 7] = self.words.pop(0) if self.words else bytes(7)
            return
        if register == 0x3A:
            level = len(self.words)
            self.registers[0x3A] = level & 255
            self.registers[0x3B] = level >> 8 | (0x48 if self.overrun else 0)
            self.overrun = False
        buf[:] = self.registers[register : register + len(buf)]

    def writeto_mem(self, address, register, data):
        self._reach(address)
        for i in range(len(data)):
            self.registers[register + i] = data[i]
        if register <= 0x0A < register + len(data) and self.registers[0x0A] & 7 == 0:
            self.words = []


class Driver:
    """In place of Adafruit's package, which the board's interpreter does not have in tests. It records the calls."""

    def __init__(self):
        self.set = {}

    def __enter__(self):
        asked = self.set

        class Names:
            RANGE_16G = 1
            RANGE_2000_DPS = 3
            RATE_104_HZ = 4

        class Chip:
            def __init__(self, bus, address):
                asked["address"] = address

            def __setattr__(self, name, value):
                asked[name] = value

        class Package:
            AccelRange = GyroRange = Rate = Names

        class Module:
            LSM6DSOX = Chip

        Package.lsm6dsox = Module
        self._before = {name: sys.modules[name] for name in sys.modules if name.startswith("adafruit_lsm6ds")}
        sys.modules["adafruit_lsm6ds"] = Package
        sys.modules["adafruit_lsm6ds.lsm6dsox"] = Module
        return self

    def __exit__(self, *_):
        for name in ("adafruit_lsm6ds", "adafruit_lsm6ds.lsm6dsox"):
            if name in sys.modules:
                del sys.modules[name]
        sys.modules.update(self._before)


class Rig:
    """A sensor that samples every 9.6 ms of a clock that the test moves."""

    def __init__(self, bus=None, watermark=12):
        self.bus = bus or Bus()
        self.now_ms = 5000
        self._made_us = 5000000
        self.sensor = Lsm6ds(self.bus, 0x6A, "LSM6DSOX", MOUNT, watermark, lambda: self.now_ms)

    def start(self):
        with Driver() as driver:
            self.sensor.start()
        return driver.set

    def wait(self, ms):
        self.now_ms += ms
        while self._made_us + 9600 <= self.now_ms * 1000:
            self._made_us += 9600
            self.bus.sample()

    def take(self):
        """[(t_ms, ax)] of all samples in the FIFO."""
        self.sensor.check_fifo()
        taken = []
        while True:
            n = self.sensor.read_block()
            if not n:
                return taken
            for i in range(n):
                taken.append((self.sensor.t0_ms + i * self.sensor.period_us // 1000, self.sensor.block[6 * i]))


def refused(what):
    try:
        what()
    except SensorFault as fault:
        return fault.args[0]
    raise AssertionError("no SensorFault")


def test_set_up_through_the_driver_and_the_fifo_by_register():
    rig = Rig()
    asked = rig.start()
    assert asked["accelerometer_range"] == 1 and asked["gyro_range"] == 3 and asked["address"] == 0x6A
    assert asked["accelerometer_data_rate"] == asked["gyro_data_rate"] == 4
    registers = rig.bus.registers
    assert registers[0x07] == 24 and registers[0x08] == 0, "watermark in words"
    assert registers[0x09] == 0x44, "both sensors batched at 104 Hz"
    assert registers[0x0A] == 6, "continuous mode"


def test_a_large_watermark_reaches_its_ninth_bit():
    rig = Rig(watermark=200)
    rig.start()
    assert rig.bus.registers[0x07] == 400 & 255 and rig.bus.registers[0x08] == 1


def test_the_driver_is_unloaded_after_the_setup():
    rig = Rig()
    with Driver():
        for name in ("adafruit_lsm6ds", "adafruit_lsm6ds.lsm6dsox"):
            assert name in sys.modules
        rig.sensor.start()
    assert not [name for name in sys.modules if name.startswith("adafruit_register")] or sys.implementation.name == "cpython"


def test_every_sample_comes_once_in_order_with_rising_times():
    rig = Rig()
    rig.start()
    taken = []
    for wait_ms in (100, 130, 7, 3, 400, 115, 90, 2000, 1, 60):
        rig.wait(wait_ms)
        taken += rig.take()
    assert len(taken) == rig.bus.made == 302
    assert [ax for _, ax in taken] == [(i * 15991) >> 15 for i in range(302)]
    times = [t for t, _ in taken]
    assert all([a < b for a, b in zip(times, times[1:])])
    assert all([abs(t - (5009 + i * 9.6)) < 12 for i, t in enumerate(times)])


def test_bursts_are_bounded():
    rig = Rig()
    rig.start()
    rig.wait(1500)
    rig.take()
    assert max(rig.bus.bursts) == 32, "16 samples of two words"


def test_an_overrun_is_reported_and_time_jumps():
    rig = Rig()
    rig.start()
    rig.wait(1000)
    last_ms = rig.take()[-1][0]
    rig.wait(10000)
    taken = rig.take()
    assert rig.sensor.overrun
    assert len(taken) == 256, "the newest 256 samples are kept"
    assert taken[0][0] - last_ms > 7000
    assert abs(taken[-1][0] - rig.now_ms) <= 10
    rig.wait(100)
    rig.take()
    assert not rig.sensor.overrun


def test_an_odd_word_in_the_fifo_costs_one_slot():
    rig = Rig()
    rig.start()
    rig.wait(200)
    count = rig.bus.made
    del rig.bus.words[7]
    taken = rig.take()
    rig.wait(100)
    taken += rig.take()
    assert len(taken) == rig.bus.made - 1
    times = [t for t, _ in taken]
    assert max([b - a for a, b in zip(times, times[1:])]) in (19, 20), "the lost slot keeps its time"
    assert count < rig.bus.made


def test_fine_frequency_gives_the_first_rate():
    rig = Rig()
    rig.bus.registers[0x63] = 20
    rig.start()
    assert rig.sensor.milli_hz // 100 == 1072
    rig.bus.registers[0x63] = 256 - 20
    rig.start()
    assert rig.sensor.milli_hz // 100 == 1010


def test_the_peak_is_the_largest_since_the_last_call():
    rig = Rig()
    rig.start()
    assert rig.sensor.take_peak_mg() == 0
    rig.bus.made = 6000
    rig.wait(100)
    rig.take()
    made = rig.bus.made - 1
    assert rig.sensor.take_peak_mg() == (made * 15991) >> 15
    assert rig.sensor.take_peak_mg() == 0


def test_a_missing_sensor_is_searched_at_the_other_address():
    rig = Rig()
    rig.bus.dead = True
    assert refused(rig.sensor.start) == 9
    assert refused(Rig(Bus(address=0x6B)).sensor.start) == 9 | 0x6B << 8


def test_another_chip_is_named_by_its_identity():
    assert refused(Rig(Bus(who=0x69)).sensor.start) == 10 | 0x69 << 8


def test_a_failed_transfer_is_repeated_at_once_and_loses_no_sample():
    rig = Rig()
    rig.start()
    taken = []
    for k in range(200):
        # Two failures in a row at every place of the sequence.
        rig.bus.fail_at = (rig.bus.transfers + k % 5, rig.bus.transfers + k % 5 + 1)
        rig.wait(96)
        taken += rig.take()
    rig.wait(96)
    taken += rig.take()
    assert rig.bus.failed > 100
    assert [ax for _, ax in taken] == [(i * 15991) >> 15 for i in range(len(taken))] and len(taken) == rig.bus.made


def test_a_chip_that_is_silent_for_a_moment_keeps_its_samples():
    rig = Rig()
    rig.start()
    rig.wait(300)
    taken = rig.take()
    rig.bus.dead = True
    for _ in range(4):
        rig.wait(100)
        assert rig.take() == []
    rig.bus.dead = False
    rig.wait(100)
    taken += rig.take()
    assert len(taken) == rig.bus.made
    times = [t for t, _ in taken]
    assert max([b - a for a, b in zip(times, times[1:])]) <= 10


def test_a_failure_within_the_fifo_costs_only_what_the_chip_has_dropped():
    rig = Rig()
    rig.start()
    rig.wait(300)
    rig.bus.fail_at = (rig.bus.transfers + 1,)
    rig.bus.drops = 4
    assert rig.take() == []
    rig.wait(300)
    taken = rig.take()
    assert [ax for _, ax in taken] == [(i * 15991) >> 15 for i in range(2, rig.bus.made)]
    assert abs(taken[-1][0] - rig.now_ms) <= 10


def test_a_sensor_that_fails_and_works_again():
    rig = Rig()
    rig.start()
    rig.wait(500)
    before = rig.take()
    rig.bus.dead = True
    for _ in range(4):
        assert rig.sensor.check_fifo() == 0
    assert refused(rig.sensor.check_fifo) == 3
    rig.wait(3000)
    rig.bus.dead = False
    rig.start()
    rig.wait(300)
    after = rig.take()
    assert after and after[0][0] - before[-1][0] > 3000


def test_a_chip_that_was_reset_is_noticed():
    rig = Rig()
    rig.start()
    rig.wait(100)
    rig.take()
    rig.bus.registers[0x09] = 0
    for _ in range(2):
        rig.wait(400)
        rig.take()
    rig.wait(200)
    assert refused(rig.sensor.check_fifo) == 12


def test_a_chip_that_delivers_words_of_no_sensor_has_stopped():
    rig = Rig()
    rig.start()
    rig.wait(100)
    rig.take()
    for _ in range(6):
        rig.wait(100)
        rig.bus.words = [b"\xff" * 7] * len(rig.bus.words)
        rig.take()
    rig.wait(100)
    assert refused(rig.sensor.check_fifo) == 12


def test_reading_allocates_nothing():
    if sys.implementation.name != "micropython":
        return
    import gc

    import micropython

    class Silent:
        """A chip that always has the same ten samples and allocates nothing."""

        def __init__(self):
            self.fifo = bytearray(20 * 7)
            for i in range(20):
                self.fifo[7 * i] = (1 + (i & 1)) << 3 | (i // 2 & 3) << 1
            self.registers = bytearray(256)
            self.registers[0x0F] = 0x6C
            self.registers[0x3A] = 20

        def readfrom_mem_into(self, address, register, buf):
            source = self.fifo if register == 0x78 else self.registers
            base = 0 if register == 0x78 else register
            i = 0
            for i in range(len(buf)):
                buf[i] = source[base + i]

        def writeto_mem(self, address, register, data):
            self.registers[register] = data[0]

    now = [0]
    sensor = Lsm6ds(Silent(), 0x6A, "LSM6DSOX", MOUNT, 12, lambda: now[0])
    with Driver():
        sensor.start()

    def spin(times):
        for _ in range(times):
            now[0] += 96
            sensor.check_fifo()
            while sensor.read_block():
                pass

    spin(10)
    gc.collect()
    micropython.heap_lock()
    try:
        spin(200)
    finally:
        micropython.heap_unlock()
