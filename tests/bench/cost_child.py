"""Runs on MicroPython: one way of feeding the engine, over and over. `cost_child.py WAY SAMPLES FOLDER` prints a JSON object; SAMPLES are
for the time, 0 for none.

engine   samples from a file straight into the engine, twelve at a time
log      the same, and the engine's events into a session's log in memory
road     the board's own road: FIFO words from a bus into hal/lsm6ds, engine, session, log in memory
poll     Adafruit's driver asked for acceleration and gyro at every sample, its floats turned into the engine's units
FOLDER holds lib/ and samples.i16, words.bin, outputs.bin (cost.py writes them).
"""

import gc
import json
import sys
from time import ticks_diff, ticks_us

PERIOD_US = 9615
BURST = 12
WARM = 120


class Bus:
    """machine.I2C with an LSM6DSOX on it that sampled beforehand: FIFO words and output registers come from files."""

    def __init__(self, folder: str) -> None:
        self._words = open(folder + "/words.bin", "rb")  # noqa: SIM115
        self._outputs = open(folder + "/outputs.bin", "rb")  # noqa: SIM115
        self._registers = bytearray(128)
        self._registers[0x0F] = 0x6C

    def readfrom_mem_into(self, address: int, register: int, buf: object) -> None:
        if register == 0x78:
            self._words.readinto(buf)
        elif register == 0x3A:
            buf[0] = 2 * BURST
            buf[1] = 0
        elif register == 0x28 or register == 0x22:
            self._outputs.readinto(buf)
        else:
            for k in range(len(buf)):
                buf[k] = self._registers[register + k]

    def writeto_mem(self, address: int, register: int, data: object) -> None:
        for k in range(len(data)):
            self._registers[register + k] = data[k]
        self._registers[0x12] &= 0xFE  # a reset is over at once

    def writeto(self, address: int, data: object, stop: bool = True) -> None:
        if len(data) > 1:
            self.writeto_mem(address, data[0], memoryview(data)[1:])


class Silent:
    """A sink that keeps nothing."""

    def step(self, t_ms: int, at_ms: int, direction: int) -> None:
        pass

    direction = step

    def cadence(self, at_ms: int, spm_x10: int) -> None:
        pass

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> None:
        pass

    def gap(self, from_ms: int, to_ms: int) -> None:
        pass


class Clock:
    """The board's clock, moved on by hand."""

    def __init__(self) -> None:
        self.now = 0

    def ticks_ms(self) -> int:
        return self.now

    def epoch_ms(self) -> int:
        return 0


class EngineWay:
    """Blocks from a file."""

    def __init__(self, folder: str) -> None:
        from array import array

        from retrostep_core.gait.engine import Engine
        from retrostep_core.gait.limits import Limits

        self._file = open(folder + "/samples.i16", "rb")  # noqa: SIM115
        self._block = array("h", bytes(BURST * 12))
        self._engine = Engine(Silent(), Limits())
        self._n = 0

    def burst(self) -> None:
        self._file.readinto(self._block)
        self._engine.samples(self._block, BURST, self._n * PERIOD_US // 1000, PERIOD_US)
        self._n += BURST


class LogWay:
    """Blocks from a file, and what app.py does twice a second with the session."""

    def __init__(self, folder: str) -> None:
        from array import array

        from ram_store import Identity, RamStore
        from retrostep_core.gait.engine import Engine
        from retrostep_core.gait.limits import Limits
        from retrostep_core.log.session import Session

        self._file = open(folder + "/samples.i16", "rb")  # noqa: SIM115
        self._block = array("h", bytes(BURST * 12))
        self._clock = Clock()
        limits = Limits()
        self._session = Session(None, RamStore(), Identity(), self._clock, limits, 0, 1, "+x+y+z")
        self._engine = Engine(self._session, limits)
        self._session.engine = self._engine
        self._n = 0

    def burst(self) -> None:
        self._file.readinto(self._block)
        self._engine.samples(self._block, BURST, self._n * PERIOD_US // 1000, PERIOD_US)
        self._n += BURST
        self._clock.now = self._n * PERIOD_US // 1000
        if self._n // BURST % 4 == 0:
            self._session.tick(self._clock.now)


class RoadWay:
    """What app.py does with samples, and twice a second with the session."""

    def __init__(self, folder: str) -> None:
        from hal.lsm6ds import Lsm6ds
        from ram_store import Identity, RamStore
        from retrostep_core.gait.engine import Engine
        from retrostep_core.gait.limits import Limits
        from retrostep_core.gait.units import parse_mount
        from retrostep_core.log.session import Session

        self._clock = Clock()
        limits = Limits()
        self._session = Session(None, RamStore(), Identity(), self._clock, limits, 0, 1, "+x+y+z")
        self._engine = Engine(self._session, limits)
        self._session.engine = self._engine
        self._sensor = Lsm6ds(Bus(folder), 0x6A, "LSM6DSOX", parse_mount("+x+y+z"), BURST, self._clock.ticks_ms)
        self._sensor.start()
        self._n = 0

    def burst(self) -> None:
        self._n += BURST
        self._clock.now = self._n * PERIOD_US // 1000
        sensor = self._sensor
        sensor.look()
        while True:
            n = sensor.read()
            if not n:
                break
            self._engine.samples(sensor.block, n, sensor.t0_ms, sensor.period_us)
        if self._n // BURST % 4 == 0:
            self._session.tick(self._clock.now)


class PollWay:
    """The driver's properties, a sample at a time."""

    def __init__(self, folder: str) -> None:
        from adafruit_lsm6ds import AccelRange, GyroRange
        from adafruit_lsm6ds.lsm6dsox import LSM6DSOX
        from hal.busio import I2C
        from retrostep_core.gait.engine import Engine
        from retrostep_core.gait.limits import Limits

        self._chip = LSM6DSOX(I2C(Bus(folder)), 0x6A)
        self._chip.accelerometer_range = AccelRange.RANGE_16G
        self._chip.gyro_range = GyroRange.RANGE_2000_DPS
        self._engine = Engine(Silent(), Limits())
        self._n = 0

    def burst(self) -> None:
        chip = self._chip
        for _ in range(BURST):
            ax, ay, az = chip.acceleration
            gx, gy, gz = chip.gyro
            self._engine.sample(
                self._n * PERIOD_US // 1000,
                int(ax * 101.9716),
                int(ay * 101.9716),
                int(az * 101.9716),
                int(gx * 572.9578),
                int(gy * 572.9578),
                int(gz * 572.9578),
            )
            self._n += 1


WAYS = {
    "engine": (EngineWay, ("retrostep_core.gait.engine", "retrostep_core.gait.limits")),
    "log": (LogWay, ("ram_store", "retrostep_core.gait.engine", "retrostep_core.log.session")),
    "road": (RoadWay, ("hal.lsm6ds", "ram_store", "retrostep_core.gait.engine", "retrostep_core.log.session")),
    "poll": (PollWay, ("adafruit_lsm6ds.lsm6dsox", "hal.busio", "retrostep_core.gait.engine")),
}


def bursts(walker: object, samples: int) -> None:
    """So many samples, twelve at a time."""
    for _ in range(samples // BURST):
        walker.burst()


if len(sys.argv) == 4:
    # At the module's level, where every collection finds what it must keep: the WebAssembly build's does not look into C's locals.
    way, names = WAYS[sys.argv[1]]
    samples = int(sys.argv[2]) // BURST * BURST
    # What a heap of 1 MB takes without a collection; samples = 0 never asks for one.
    few = 480
    sys.path[0:0] = [sys.argv[3] + "/lib"]
    gc.collect()
    facts = {"code": gc.mem_alloc()}
    for name in names:
        __import__(name)
    gc.collect()
    facts = {"held": gc.mem_alloc()}
    for name in names:
        __import__(name)
    walker = way(sys.argv[3])
    gc.collect()
    facts["held"] = gc.mem_alloc() - facts["held"]
    facts["us"] = 0
    bursts(walker, WARM)
    if samples:
        facts["us"] = ticks_us()
        bursts(walker, samples)
        facts["us"] = ticks_diff(ticks_us(), facts["us"]) / samples
        gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    bursts(walker, 0)
    between = gc.mem_alloc()
    bursts(walker, few)
    facts["bytes"] = (gc.mem_alloc() - 2 * between + before) / few
    print(json.dumps(facts))
