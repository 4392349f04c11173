"""Cost of one data path into the engine. On MicroPython: `cost_board.py WAY SAMPLES FOLDER` prints a JSON object.

SAMPLES is the number of samples for the time, 0 for no time.

engine   samples from a file into the engine, twelve at a time
log      the same, with the events of the engine in a session log in memory
pipeline as on a board: FIFO words from a bus, hal/lsm6ds, engine, session, log in memory
poll     acceleration and gyro from Adafruit's driver for each sample, converted to the units of the engine
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
    """machine.I2C with an LSM6DSOX: FIFO words and output registers come from files."""

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
        self._registers[0x12] &= 0xFE  # a reset is complete at once

    def writeto(self, address: int, data: object, stop: bool = True) -> None:
        if len(data) > 1:
            self.writeto_mem(address, data[0], memoryview(data)[1:])


class Silent:
    """An output that discards all events."""

    def step(self, t_ms: int, at_ms: int, direction: int) -> None:
        pass

    direction = step

    def cadence(self, at_ms: int, spm_x10: int) -> None:
        pass

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> None:
        pass

    def gap(self, from_ms: int, to_ms: int, reason: int) -> None:
        pass

    def found_mount(self, at_ms: int, since_ms: int, mount: object) -> None:
        """The mount is not needed here."""


class Clock:
    """The board's clock, set by the caller."""

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
    """Blocks from a file, and the session twice a second."""

    def __init__(self, folder: str) -> None:
        from array import array

        from retrostep_core.gait.engine import Engine
        from retrostep_core.gait.limits import Limits
        from retrostep_core.gait.totals import GaitTotals
        from retrostep_core.log.session_log import SessionLog
        from support.ram_store import Identity, RamStore

        self._file = open(folder + "/samples.i16", "rb")  # noqa: SIM115
        self._block = array("h", bytes(BURST * 12))
        self._clock = Clock()
        limits = Limits()
        totals = GaitTotals()
        self._session = SessionLog(totals, RamStore(), Identity(), self._clock, limits, 0, 1, "+x+y+z")
        self._engine = Engine(self._session, limits, totals=totals)
        self._n = 0

    def burst(self) -> None:
        self._file.readinto(self._block)
        self._engine.samples(self._block, BURST, self._n * PERIOD_US // 1000, PERIOD_US)
        self._n += BURST
        self._clock.now = self._n * PERIOD_US // 1000
        if self._n // BURST % 4 == 0:
            self._session.tick(self._clock.now)


class PipelineWay:
    """As the app: samples to the engine, and the session twice a second."""

    def __init__(self, folder: str) -> None:
        from hal.lsm6ds import Lsm6ds
        from retrostep_core.gait.engine import Engine
        from retrostep_core.gait.limits import Limits
        from retrostep_core.gait.totals import GaitTotals
        from retrostep_core.gait.units import parse_mount
        from retrostep_core.log.session_log import SessionLog
        from support.ram_store import Identity, RamStore

        self._clock = Clock()
        limits = Limits()
        totals = GaitTotals()
        self._session = SessionLog(totals, RamStore(), Identity(), self._clock, limits, 0, 1, "+x+y+z")
        self._engine = Engine(self._session, limits, totals=totals)
        self._sensor = Lsm6ds(Bus(folder), 0x6A, "LSM6DSOX", parse_mount("+x+y+z"), BURST, self._clock.ticks_ms)
        self._sensor.start()
        self._n = 0

    def burst(self) -> None:
        self._n += BURST
        self._clock.now = self._n * PERIOD_US // 1000
        sensor = self._sensor
        sensor.check_fifo()
        while True:
            n = sensor.read_block()
            if not n:
                break
            self._engine.samples(sensor.block, n, sensor.t0_ms, sensor.period_us)
        if self._n // BURST % 4 == 0:
            self._session.tick(self._clock.now)


class PollWay:
    """The driver's properties, a sample at a time."""

    def __init__(self, folder: str) -> None:
        from array import array

        from adafruit_lsm6ds import AccelRange, GyroRange
        from adafruit_lsm6ds.lsm6dsox import LSM6DSOX
        from hal.busio import I2C
        from retrostep_core.gait.engine import Engine
        from retrostep_core.gait.limits import Limits

        self._chip = LSM6DSOX(I2C(Bus(folder)), 0x6A)
        self._chip.accelerometer_range = AccelRange.RANGE_16G
        self._chip.gyro_range = GyroRange.RANGE_2000_DPS
        self._engine = Engine(Silent(), Limits())
        self._block = array("h", bytes(12))
        self._n = 0

    def burst(self) -> None:
        chip = self._chip
        for _ in range(BURST):
            ax, ay, az = chip.acceleration
            gx, gy, gz = chip.gyro
            block = self._block
            block[0] = int(ax * 101.9716)
            block[1] = int(ay * 101.9716)
            block[2] = int(az * 101.9716)
            block[3] = int(gx * 572.9578)
            block[4] = int(gy * 572.9578)
            block[5] = int(gz * 572.9578)
            self._engine.samples(block, 1, self._n * PERIOD_US // 1000, PERIOD_US)
            self._n += 1


WAYS = {
    "engine": (EngineWay, ("retrostep_core.gait.engine", "retrostep_core.gait.limits")),
    "log": (LogWay, ("support.ram_store", "retrostep_core.gait.engine", "retrostep_core.log.session_log")),
    "pipeline": (PipelineWay, ("hal.lsm6ds", "support.ram_store", "retrostep_core.gait.engine", "retrostep_core.log.session_log")),
    "poll": (PollWay, ("adafruit_lsm6ds.lsm6dsox", "hal.busio", "retrostep_core.gait.engine")),
}


def bursts(walker: object, samples: int) -> None:
    """Process `samples`, twelve at a time."""
    for _ in range(samples // BURST):
        walker.burst()


if len(sys.argv) == 4:
    # At module level: the garbage collector of the WebAssembly build does not scan local variables of C code.
    way, names = WAYS[sys.argv[1]]
    samples = int(sys.argv[2]) // BURST * BURST
    # So many samples fit in a heap of 1 MB without a collection.
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
