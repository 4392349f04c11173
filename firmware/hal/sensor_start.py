"""Sets the motion sensor up. Only a start needs this module: hal/lsm6ds.py removes it from RAM afterwards.

Adafruit's class does it once, at the first start. Its code takes 15 KB of RAM, and its names stay there until a reset. So the registers
that it sets are kept in a file, from which each later start sets them again, also that of a sensor that fails during a session.
"""

import struct
import sys
from binascii import crc32
from time import sleep

from retrostep_core.constants import const

from hal import unload
from hal.lsm6ds import SensorFault
from hal.sensors import SENSORS

# As in hal/sensors.py.
_PATTERNED = const(1)
_FIFO_CTRL1 = const(0x07)  # watermark in words; its bit 8 is bit 0 of FIFO_CTRL2
_FIFO_CTRL3 = const(0x09)  # batch rates: gyroscope in the upper half, accelerometer in the lower
_FIFO_MODE = const(0x0A)  # of FIFO_CTRL4 with tagged words, of FIFO_CTRL5 with patterned ones
_PATTERNED_CTRL1 = const(0x06)  # watermark in words of two bytes, decimation of both sensors, other data sets
_WHO_AM_I = const(0x0F)
_CTRL1_XL = const(0x10)  # the first of ten control registers
_CTRL3_C = const(0x12)
_INTERNAL_FREQ_FINE = const(0x63)

_BYPASS = const(0)
_CONTINUOUS = const(6)
_BATCH_104_HZ = const(0x44)
_PATTERNED_104_HZ = const(0x20)
_EVERY_SAMPLE = const(0x09)
_CONTROL_BYTES = const(10)
_CTRL3_AT = const(2)  # in the control registers
_SOFTWARE_RESET = const(1)
# A reset takes the chip 50 us, less than one transfer.
_RESET_READS_MOST = const(20)
# Accelerometer range, gyroscope range, and the rate of both: names of Adafruit's driver.
_SETTINGS = ("RANGE_16G", "RANGE_2000_DPS", "RATE_104_HZ")
# The two I2C addresses of the family: 0x6A and 0x6B.
_BOTH_ADDRESSES = const(0x6A + 0x6B)

# Tries of a disturbed transfer.
_TRIES = const(3)

# Reasons, see FORMATS.md.
_NOT_FOUND = const(9)
_OTHER_CHIP = const(10)
_SETUP_FAILED = const(11)


def attempt(work: object, *args: object) -> None:
    """Call `work` until it succeeds, three times at most; the last OSError is raised."""
    for _ in range(_TRIES - 1):
        try:
            work(*args)
            return
        except OSError:
            continue
    work(*args)


def start(bus: object, address: int, model: str, watermark: int, path: str) -> tuple:
    """Set the chip up and switch its FIFO on. Takes 0.1 s, and 0.8 s where `path` does not have its registers. Raises SensorFault.

    Returns INTERNAL_FREQ_FINE, and whether the FIFO has patterned words.
    """
    found = _who_am_i(bus, address)
    if found < 0:
        other = _BOTH_ADDRESSES - address
        raise SensorFault(_NOT_FOUND | (other << 8 if _who_am_i(bus, other) >= 0 else 0))
    who_am_i, words, driver = SENSORS[model]
    if found != who_am_i:
        raise SensorFault(_OTHER_CHIP | found << 8)
    try:
        if not _restore(bus, address, _kept(path, model)):
            _configure(bus, address, driver)
            _keep(path, model, _control_registers(bus, address))
        attempt(bus.writeto_mem, address, _FIFO_MODE, bytes((_BYPASS,)))
        if words == _PATTERNED:
            _start_patterned(bus, address, watermark)
            return 0, True
        return _start_tagged(bus, address, watermark), False
    except (OSError, RuntimeError, ValueError):
        raise SensorFault(_SETUP_FAILED) from None


def _start_tagged(bus: object, address: int, watermark: int) -> int:
    """Two words a sample (LSM6DSOX datasheet DS12814, 9.5 to 9.8); INTERNAL_FREQ_FINE."""
    fine = bytearray(1)
    attempt(bus.readfrom_mem_into, address, _INTERNAL_FREQ_FINE, fine)
    words = 2 * watermark
    attempt(bus.writeto_mem, address, _FIFO_CTRL1, bytes((words & 255, words >> 8)))
    attempt(bus.writeto_mem, address, _FIFO_CTRL3, bytes((_BATCH_104_HZ,)))
    attempt(bus.writeto_mem, address, _FIFO_MODE, bytes((_CONTINUOUS,)))
    return fine[0]


def _start_patterned(bus: object, address: int, watermark: int) -> None:
    """Six words a sample, gyroscope first (LSM6DS3TR-C datasheet, FIFO_CTRL1 to FIFO_CTRL5)."""
    words = 6 * watermark
    attempt(bus.writeto_mem, address, _PATTERNED_CTRL1, bytes((words & 255, words >> 8, _EVERY_SAMPLE, 0)))
    attempt(bus.writeto_mem, address, _FIFO_MODE, bytes((_PATTERNED_104_HZ | _CONTINUOUS,)))


def _who_am_i(bus: object, address: int) -> int:
    """The content of WHO_AM_I at `address`; -1 if nothing answers."""
    found = bytearray(1)
    try:
        attempt(bus.readfrom_mem_into, address, _WHO_AM_I, found)
    except OSError:
        return -1
    return found[0]


def _control_registers(bus: object, address: int) -> bytes:
    found = bytearray(_CONTROL_BYTES)
    attempt(bus.readfrom_mem_into, address, _CTRL1_XL, found)
    return bytes(found)


def _restore(bus: object, address: int, registers: bytes) -> bool:
    """Reset the chip, and set its control registers. False if there are none, or the chip does not hold them."""
    if not registers:
        return False
    attempt(bus.writeto_mem, address, _CTRL3_C, bytes((_SOFTWARE_RESET,)))
    for _ in range(_RESET_READS_MOST):
        if not _control_registers(bus, address)[_CTRL3_AT] & _SOFTWARE_RESET:
            break
    attempt(bus.writeto_mem, address, _CTRL1_XL, registers)
    sleep(0.1)  # the gyroscope settles within 70 ms (DS12814, table 3)
    return _control_registers(bus, address) == registers


def _kept(path: str, model: str) -> bytes:
    """The control registers of `model` in the file; b"" where it has none, or those of another model or of other settings."""
    try:
        with open(path, "rb") as file:
            data = file.read(_CONTROL_BYTES + 5)
    except OSError:
        return b""
    registers = data[:_CONTROL_BYTES]
    return registers if data == _with_check(registers, model) else b""


def _keep(path: str, model: str, registers: bytes) -> None:
    if not path:
        return
    try:
        with open(path, "wb") as file:
            file.write(_with_check(registers, model))
    except OSError:
        # The flash is full: the next start needs the driver again.
        return


def _with_check(registers: bytes, model: str) -> bytes:
    return registers + struct.pack("<I", crc32(registers + (model + "".join(_SETTINGS)).encode()))


def _configure(bus: object, address: int, name: str) -> None:
    """Set ranges and rates through Adafruit's class `name`. Its 15 KB of code are then removed from RAM."""
    from hal.busio import I2C

    package = __import__("adafruit_lsm6ds")
    module = "adafruit_lsm6ds." + name.lower()
    __import__(module)
    acc_range, gyro_range, rate = _SETTINGS
    chip = getattr(sys.modules[module], name)(I2C(bus), address)
    chip.accelerometer_range = getattr(package.AccelRange, acc_range)
    chip.gyro_range = getattr(package.GyroRange, gyro_range)
    chip.accelerometer_data_rate = getattr(package.Rate, rate)
    chip.gyro_data_rate = getattr(package.Rate, rate)
    unload("hal.busio " + " ".join([key for key in sys.modules if key.startswith("adafruit_")]))
