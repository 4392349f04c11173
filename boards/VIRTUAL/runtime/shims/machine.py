"""MicroPython's machine module for the virtual board: as much of an ESP32's as a wearable asks for.

Pins read what the supervisor's --pins file says and write their level there, so that a test can press the button and see the LED.
"""

import json as _json
import sys as _sys

import virtual_clock as _clock
from lsm6dsox_model import LSM6DSOX as _LSM6DSOX
from umachine import PinBase as _PinBase
from umachine import Signal, idle  # noqa: F401 part of what this module gives
from utime import sleep_ms as _real_sleep_ms

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5

_ENODEV = 19
# 9 clocks a byte, the address included.
_CLOCKS_A_BYTE = 9
# The cell's voltage halved, as a divider of two equal resistors brings it to the pin.
_BATTERY_PIN_UV = 1950000
_PINS = 64
# The --pins file: levels that the world drives ("0", "1", anything else: nothing does), levels that the board drives, then how often
# each pin rose, as u32.
_DRIVEN, _LEVELS, _RISES = 0, _PINS, 2 * _PINS

_system = _clock.system
_board = {}


def plug(config: dict, leg: object, control: object) -> None:
    """Build the board: called once, by launch.py."""
    imu = config["imu"]
    chip = None
    if imu is not None:
        chip = _LSM6DSOX(leg, _system.now_us, imu["oscillator_ppm"], imu["who_am_i"])
        if imu["lost_us"] is not None:
            chip = _Loose(chip, imu["lost_us"], imu["back_us"])
    _board["bus"] = {} if chip is None else {imu["address"]: chip}
    _board["leg"] = leg
    _board["control"] = control
    _board["id"] = bytes(config["id"])
    _board["reset_cause"] = config["reset_cause"]
    _board["pins"] = None if config["pins"] is None else open(config["pins"], "r+b")
    # The interpreter's own way out: a soft reset by Ctrl-D, sys.exit() or soft_reset().
    _sys.atexit(_leave)


class _Loose:
    """A chip without supply from one moment to another; its registers are lost."""

    def __init__(self, chip: object, lost_us: int, back_us: int) -> None:
        self._chip = chip
        self._lost_us = lost_us
        self._back_us = back_us
        self._reset = False

    def write(self, data: object) -> None:
        self._check()
        self._chip.write(data)

    def readinto(self, buf: object) -> None:
        self._check()
        self._chip.readinto(buf)

    def _check(self) -> None:
        now = _system.now_us()
        if self._lost_us <= now < self._back_us:
            self._reset = True
            raise OSError(_ENODEV)
        if self._reset:
            self._reset = False
            self._chip.write(b"\x12\x01")


class I2C:
    """The bus, with the modelled chips on it; other addresses do not acknowledge: OSError(ENODEV), as on an ESP32."""

    def __init__(self, id: int = -1, *, scl: object = None, sda: object = None, freq: int = 400000, timeout: int = 50000) -> None:
        self._chips = _board["bus"]
        self._freq = freq

    def scan(self) -> list:
        """Addresses that answer."""
        return [address for address in range(8, 120) if self._answers(address)]

    def writeto(self, addr: int, buf: object, stop: bool = True) -> int:
        """Write; the number of bytes acknowledged."""
        self._chip(addr, len(buf)).write(buf)
        return len(buf)

    def writevto(self, addr: int, vector: object, stop: bool = True) -> int:
        """Write several buffers as one transaction."""
        return self.writeto(addr, b"".join([bytes(part) for part in vector]), stop)

    def readfrom_into(self, addr: int, buf: object, stop: bool = True) -> None:
        """Read."""
        self._chip(addr, len(buf)).readinto(buf)

    def readfrom(self, addr: int, nbytes: int, stop: bool = True) -> bytes:
        """Read."""
        buf = bytearray(nbytes)
        self.readfrom_into(addr, buf, stop)
        return bytes(buf)

    def writeto_mem(self, addr: int, memaddr: int, buf: object, *, addrsize: int = 8) -> None:
        """Write to a register and those that follow."""
        self._chip(addr, 1 + len(buf)).write(bytes([memaddr]) + bytes(buf))

    def readfrom_mem_into(self, addr: int, memaddr: int, buf: object, *, addrsize: int = 8) -> None:
        """Read from a register on."""
        chip = self._chip(addr, 2 + len(buf))
        chip.write(_ADDRESSES[memaddr])
        chip.readinto(buf)

    def readfrom_mem(self, addr: int, memaddr: int, nbytes: int, *, addrsize: int = 8) -> bytes:
        """Read from a register on."""
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf)
        return bytes(buf)

    def _answers(self, address: int) -> bool:
        try:
            self._chip(address, 0).write(b"")
        except OSError:
            return False
        return True

    def _chip(self, address: int, size: int) -> object:
        """The chip at `address`, after the time that so many bytes take on the bus."""
        _system.spend((1 + size) * _CLOCKS_A_BYTE * 1000000 // self._freq)
        chip = self._chips.get(address)
        if chip is None:
            raise OSError(_ENODEV)
        return chip


SoftI2C = I2C
_ADDRESSES = [bytes([k]) for k in range(128)]


class Pin(_PinBase):
    """A GPIO."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_UP, PULL_DOWN = 2, 1
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, id: int, mode: int = -1, pull: int = -1, *, value: int | None = None, **unused: object) -> None:
        self.id = id
        self._level = 1 if pull == self.PULL_UP else 0
        self._output = False
        self.init(mode, pull, value=value)

    def init(self, mode: int = -1, pull: int = -1, *, value: int | None = None, **unused: object) -> None:
        """Set the mode up anew."""
        if mode != -1:
            self._output = mode == self.OUT or mode == self.OPEN_DRAIN
        if value is not None:
            self.value(value)

    def value(self, level: int | None = None) -> int | None:
        """The level, or set it."""
        file = _board["pins"]
        if level is None:
            if file is None or self._output:
                return self._level
            file.seek(_DRIVEN + self.id)
            driven = file.read(1)
            return 1 if driven == b"1" else 0 if driven == b"0" else self._level
        level = 1 if level else 0
        if file is not None:
            file.seek(_LEVELS + self.id)
            file.write(b"1" if level else b"0")
            if level > self._level:
                file.seek(_RISES + 4 * self.id)
                rises = int.from_bytes(file.read(4), "little") + 1
                file.seek(_RISES + 4 * self.id)
                file.write(rises.to_bytes(4, "little"))
        self._level = level
        return None

    __call__ = value

    def on(self) -> None:
        """High."""
        self.value(1)

    def off(self) -> None:
        """Low."""
        self.value(0)


class PWM:
    """A pin that is high while its duty is not 0."""

    def __init__(self, pin: Pin, *, freq: int = 1000, duty: int = 0, duty_u16: int = 0, duty_ns: int = 0) -> None:
        self._pin = pin
        self._freq = freq
        self.duty_u16(duty << 6 | duty_u16)

    def freq(self, freq: int | None = None) -> int | None:
        """The frequency, or set it."""
        if freq is None:
            return self._freq
        self._freq = freq
        return None

    def duty_u16(self, duty: int | None = None) -> int | None:
        """The duty of 65535, or set it."""
        if duty is None:
            return self._duty
        self._duty = duty
        self._pin.value(duty > 0)
        return None

    def duty(self, duty: int | None = None) -> int | None:
        """The duty of 1023, or set it."""
        return self.duty_u16(None if duty is None else duty << 6)

    def deinit(self) -> None:
        """Off."""
        self.duty_u16(0)


class ADC:
    """Every analogue pin carries half a charged cell's voltage, 1.95 V."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    WIDTH_9BIT, WIDTH_10BIT, WIDTH_11BIT, WIDTH_12BIT = 9, 10, 11, 12

    def __init__(self, pin: object, *, atten: int = 0) -> None:
        self._full_uv = 950000
        self.atten(atten)

    def atten(self, atten: int) -> None:
        """Full scale: 0.95, 1.25, 1.75 or 2.45 V."""
        self._full_uv = (950000, 1250000, 1750000, 2450000)[atten]

    def width(self, bits: int) -> None:
        """Accepted; read() gives 12 bits."""

    def read_u16(self) -> int:
        """0 to 65535 at full scale."""
        return min(65535, _BATTERY_PIN_UV * 65535 // self._full_uv)

    def read(self) -> int:
        """0 to 4095 at full scale."""
        return self.read_u16() >> 4

    def read_uv(self) -> int:
        """Microvolts."""
        return min(self._full_uv, _BATTERY_PIN_UV)


class RTC:
    """The real-time clock; it outlives a soft reset."""

    def datetime(self, date: tuple | None = None) -> tuple | None:
        """(year, month, day, weekday, hour, minute, second, microsecond), or set it."""
        import time

        if date is None:
            us = _system.now_us() + _system.rtc_us
            y, mo, d, h, mi, s, wd = time.gmtime(us // 1000000)[:7]
            return y, mo, d, wd, h, mi, s, us % 1000000
        y, mo, d, _, h, mi, s, us = date
        _system.rtc_us = time.mktime((y, mo, d, h, mi, s, 0, 0)) * 1000000 + us - _system.now_us()
        return None


class WDT:
    """Takes its feed and never bites: virtual time does not pass in a program that hangs."""

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:
        self.timeout = timeout

    def feed(self) -> None:
        """Nothing to do."""


def unique_id() -> bytes:
    """Six bytes, of this flash image."""
    return _board["id"]


def reset_cause() -> int:
    """Why the board started."""
    return _board["reset_cause"]


def freq(hz: int | None = None) -> int | None:
    """A 160 MHz ESP32; setting it changes nothing."""
    return 160000000 if hz is None else None


def soft_reset() -> None:
    """Start the program anew; the sensor keeps its supply, time goes on."""
    raise SystemExit


def reset() -> None:
    """As if the power had come on: whatever was not flushed is lost."""
    _report("hard")
    while True:  # until the supervisor ends the process
        _real_sleep_ms(1000)


def lightsleep(ms: int = 0) -> None:
    """Sleep, and go on."""
    _system.sleep_us(ms * 1000)


def deepsleep(ms: int = 0) -> None:
    """Sleep, then start as from power-on."""
    _system.sleep_us(ms * 1000)
    reset()


def disable_irq() -> int:
    """No interrupts run program code here."""
    return 0


def enable_irq(state: int) -> None:
    """The counterpart."""


def _leave() -> None:
    _report("soft")


def _report(how: str) -> None:
    """Tell the supervisor how to start again, and from when time and leg go on."""
    now = _system.now_us()
    state = {"reset": how, "now_us": now, "leg_start_us": _board["leg"].start_us, "rtc_us": _system.rtc_us}
    _board["control"].write(_json.dumps(state) + "\n")
