"""Every supported sensor: our FIFO reading and Adafruit's driver, both on the register model of the chip."""

import importlib
import math
import random
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import adafruit_lsm6ds
import pytest
from hal import sensors as table
from hal.busio import I2C
from hal.lsm6ds import Lsm6ds
from support.places import ROOT

sys.path.append(str(ROOT / "boards/VIRTUAL/runtime/model"))

from chip_models import CHIPS

ADDRESS = 0x6A
PERIOD_US = 64 * 10**6 / 6667


class Leg:
    """Motion in the chip's units, micro-g and 1/8 milli-degree per second, by time."""

    def __init__(self, motion: Any) -> None:
        self._motion = motion

    def begin(self, at_us: int) -> None:
        """Nothing to begin: the motion follows the clock."""

    def motion_at(self, at_us: int, out: Any) -> None:
        out[:] = type(out)("i", self._motion(at_us))


class Bus:
    """machine.I2C with one chip; some transfers fail, before or in the middle of the data."""

    def __init__(self, chip: Any) -> None:
        self._chip = chip
        self.fail: Any = lambda: ""

    def registers(self) -> bytes:
        """Those that control the chip and its FIFO."""
        found = bytearray(0x20)
        self._chip.write(bytes((0x00,)))
        self._chip.readinto(found)
        return bytes(found[0x06:0x0B] + found[0x10:0x1A])

    def writeto(self, address: int, data: Any, stop: bool = True) -> None:
        assert address == ADDRESS
        self._chip.write(bytes(data))

    def readfrom_into(self, address: int, buf: Any) -> None:
        self._chip.readinto(buf)

    def writeto_mem(self, address: int, register: int, data: Any) -> None:
        self.writeto(address, bytes((register,)) + bytes(data))

    def readfrom_mem_into(self, address: int, register: int, buf: Any) -> None:
        if address != ADDRESS:
            raise OSError(19)
        how = self.fail()
        if how == "at once":
            raise OSError(116)
        self._chip.write(bytes((register,)))
        if how == "within":
            self._chip.readinto(memoryview(buf)[: len(buf) // 2])
            raise OSError(116)
        self._chip.readinto(buf)


class Rig:
    """The chip `model` on a leg, with a clock that the test moves, and our reader of its FIFO."""

    def __init__(self, model: str, motion: Any, setup_file: Path | None = None) -> None:
        self.us = 0
        self.chip = CHIPS[model](Leg(motion), lambda: self.us)
        self.bus = Bus(self.chip)
        self.sensor = Lsm6ds(self.bus, ADDRESS, model, None, 12, lambda: self.us // 1000, str(setup_file or ""))

    def take(self) -> list[tuple[int, list[int]]]:
        """(t_ms, six values) of every sample in the FIFO."""
        self.sensor.check_fifo()
        taken = []
        while n := self.sensor.read_block():
            for k in range(n):
                taken.append((self.sensor.t0_ms + k * self.sensor.period_us // 1000, list(self.sensor.block[6 * k : 6 * k + 6])))
        return taken


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adafruit's driver waits for the chip to settle; the model needs no time."""
    for name in [name for name in sys.modules if name.startswith("adafruit_lsm6ds")]:
        if hasattr(sys.modules[name], "sleep"):
            monkeypatch.setattr(sys.modules[name], "sleep", lambda s: None)
    monkeypatch.setattr("hal.lsm6ds.unload", lambda *names: None)
    monkeypatch.setattr("hal.sensor_start.unload", lambda *names: None)
    monkeypatch.setattr("hal.sensor_start.sleep", lambda s: None)


def turning(at_us: int) -> list[int]:
    """A leg that swings at 1.4 Hz, up to 8 g and 1200 dps."""
    phase = 2 * math.pi * 1.4 * at_us / 1e6
    acc = [round(8e6 * math.sin(phase)), round(1e6 * math.cos(2 * phase)), round(-3e6 * math.sin(3 * phase))]
    return acc + [round(8000 * 1200 * math.sin(phase + k)) for k in range(3)]


MODELS = list(table.SENSORS)


@pytest.mark.parametrize("model", MODELS)
def test_our_samples_are_those_of_adafruits_driver(model: str) -> None:
    who_am_i, _, driver = table.SENSORS[model]
    module = importlib.import_module(f"adafruit_lsm6ds.{driver.lower()}")
    still = [250_000, -500_000, 3_000_000, 8000 * 90, 8000 * -180, 8000 * 700]
    rig = Rig(model, lambda at_us: still)
    assert who_am_i == rig.chip.WHO_AM_I
    rig.sensor.start()
    rig.us += 200_000
    [*_, (_, sample)] = rig.take()
    peer = getattr(module, driver)(I2C(rig.bus), ADDRESS)
    peer.accelerometer_range = adafruit_lsm6ds.AccelRange.RANGE_16G
    peer.gyro_range = adafruit_lsm6ds.GyroRange.RANGE_2000_DPS
    rig.us += 100_000
    assert [mg * 9.80665e-3 for mg in sample[:3]] == pytest.approx(list(peer.acceleration), abs=0.02)
    assert [math.radians(d / 10) for d in sample[3:]] == pytest.approx(list(peer.gyro), abs=0.004)
    assert sample == pytest.approx([value / 1000 for value in still[:3]] + [value / 800 for value in still[3:]], abs=1)


@pytest.mark.parametrize("model", MODELS)
def test_a_later_start_sets_the_registers_of_the_first_without_the_driver(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup_file = tmp_path / "sensor.bin"
    first = Rig(model, turning, setup_file)
    first.sensor.start()
    # The one that a start imports: other tests may have unloaded an earlier one.
    start = importlib.import_module("hal.sensor_start")
    driver = MagicMock(side_effect=start._configure)
    monkeypatch.setattr(start, "_configure", driver)
    later = Rig(model, turning, setup_file)
    later.bus.writeto_mem(ADDRESS, 0x10, bytes(10 * [0xA4]))  # whatever an earlier program has left there
    later.sensor.start()
    assert later.bus.registers() == first.bus.registers()
    assert not driver.called
    kept = setup_file.read_bytes()
    for damage in (kept[:-1], kept + b"x", bytes([kept[0] ^ 1]) + kept[1:], b""):
        setup_file.write_bytes(damage)
        driver.reset_mock()
        later.sensor.start()
        assert driver.called and setup_file.read_bytes() == kept


def test_the_registers_of_another_model_are_not_used(tmp_path: Path) -> None:
    setup_file = tmp_path / "sensor.bin"
    Rig("LSM6DSOX", turning, setup_file).sensor.start()
    wide = Rig("LSM6DSO32", turning, setup_file)  # the same WHO_AM_I, and other codes of the ranges
    wide.sensor.start()
    peer = Rig("LSM6DSO32", turning)
    peer.sensor.start()
    assert wide.bus.registers() == peer.bus.registers()


@pytest.mark.parametrize("model", MODELS)
def test_every_sample_comes_once_with_its_time(model: str) -> None:
    rig = Rig(model, turning)
    rig.sensor.start()
    start_us = rig.us
    taken = []
    for wait_ms in (100, 130, 7, 3, 400, 115, 90, 2000, 1, 60, 1200):
        rig.us += wait_ms * 1000
        taken += rig.take()
    assert len(taken) == int((rig.us - start_us) / PERIOD_US)
    for k, (t_ms, sample) in enumerate(taken):
        at_us = start_us + (k + 1) * PERIOD_US
        assert abs(t_ms - at_us / 1000) < 12
        # The model takes a sample on a whole microsecond.
        assert sample[:3] == pytest.approx([value / 1000 for value in turning(int(at_us))[:3]], abs=2)


@pytest.mark.parametrize("model", ["LSM6DS3TRC", "LSM6DS33"])
def test_after_an_overrun_the_samples_are_complete(model: str) -> None:
    def counted(at_us: int) -> list[int]:
        return [at_us // 1000 % 8000 * 1000, 0, 0, at_us // 1000 % 8000 * 800, 0, 0]

    rig = Rig(model, counted)
    rig.sensor.start()
    rig.us += 100_000
    rig.take()
    rig.us += 30_000_000
    taken = rig.take()
    assert rig.sensor.overrun and len(taken) > 300
    assert abs(taken[-1][0] - rig.us // 1000) < 12
    assert all(abs(sample[0] - sample[3]) <= 1 for _, sample in taken), "accelerometer and gyroscope of one sample"
    rig.us += 100_000
    assert len(rig.take()) in (10, 11) and not rig.sensor.overrun


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("how", ["at once", "within"])
def test_failed_transfers_never_mix_samples(model: str, how: str) -> None:
    def counted(at_us: int) -> list[int]:
        return [at_us // 1000 % 8000 * 1000, 0, 0, at_us // 1000 % 8000 * 800, 0, 0]

    chance = random.Random(1)
    rig = Rig(model, counted)
    rig.sensor.start()
    start_us, taken = rig.us, []
    rig.bus.fail = lambda: how if chance.random() < 0.1 else ""
    for _ in range(400):
        rig.us += 96_000
        taken += rig.take()
    rig.bus.fail = lambda: ""
    rig.us += 96_000
    taken += rig.take()
    made = int((rig.us - start_us) / PERIOD_US)
    assert all(abs(sample[0] - sample[3]) <= 1 for _, sample in taken), "accelerometer and gyroscope of one sample"
    times = [t_ms for t_ms, _ in taken]
    assert times == sorted(times)
    assert all(abs((t_ms - sample[0] + 4000) % 8000 - 4000) < 25 for t_ms, sample in taken), "each sample has its time"
    assert len(taken) == made if how == "at once" else made * 0.7 < len(taken) <= made
