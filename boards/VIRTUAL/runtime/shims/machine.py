"""MicroPython's machine module on the virtual board: the parts of an ESP32's that a wearable uses.

Pins are read from and written to the --pins file, so that a test can press the button and see the LED.
"""

import json as _json
import sys as _sys

import chip_faults as _chip_faults
import uselect as _uselect
import virtual_clock as _clock
from chip_models import CHIPS as _CHIPS
from umachine import PinBase as _PinBase
from umachine import Signal, idle  # noqa: F401 part of this module
from utime import sleep_ms as _real_sleep_ms

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5

_ENODEV = 19
# ESP-IDF's error 0x102, as MicroPython raises it.
_INVALID_ARGUMENT = -0x102
# Clocks per byte, also for the address.
_CLOCKS_A_BYTE = 9
# Half of the cell's voltage, after a divider of two equal resistors.
_BATTERY_PIN_UV = 1950000
_PINS = 64
_RTC_MEMORY_BYTES = 2048
# The file that virtual_board.py reads: how often the watchdog was fed and its timeout, u64 each, then the memory of the real-time clock
# with its length as u16.
_WATCHDOG_BYTES = 16
# The --pins file: levels driven from outside ("0", "1", other: not driven), levels driven by the board, then the number of rising edges
# of each pin, as u32.
_DRIVEN, _LEVELS, _RISES = 0, _PINS, 2 * _PINS
# Behind them, the duty of each pin's PWM in percent, as a byte.
_DUTIES = 6 * _PINS
# And behind these, a byte for each pin: how often the outside changed its level.
_EDGES = 7 * _PINS
# From the end of a light sleep until an ESP32's program reads its ring, which hears again meanwhile.
_WAKE_US = 1000

_system = _clock.system
_board = {}


def plug(config: dict, leg: object, control: object) -> None:
    """Build the board. launch.py calls it once."""
    imu = config["imu"]
    chip = None
    if imu is not None:
        chip = _CHIPS[imu["model"]](leg, _system.now_us, imu["oscillator_ppm"], imu["who_am_i"], True)
        if imu["fault"] == "imu-lost":
            chip = _chip_faults.PowerLoss(chip, *imu["fault_values"])
        elif imu["fault"] == "imu-flaky":
            chip = _chip_faults.BadLine(chip, *imu["fault_values"])
        elif imu["fault"]:
            chip.break_samples(imu["fault"], *imu["fault_values"])
    _board["bus"] = {} if chip is None else {imu["address"]: chip}
    _board["leg"] = leg
    _board["control"] = control
    _board["id"] = bytes(config["id"])
    _board["has_vref"] = config["has_vref"]
    _board["watchdog"] = open(config["watchdog"], "r+b", buffering=0)
    _board["memory"] = bytes(config["rtc_memory"])
    if config["watchdog_us"]:
        # It continues across a soft reset.
        WDT(timeout=config["watchdog_us"] // 1000)
    _system.on_time = _on_time
    _board["reset_cause"] = config["reset_cause"]
    _board["interrupts"] = []
    _board["pins"] = None if config["pins"] is None else open(config["pins"], "r+b")
    # Called when the interpreter exits: a soft reset by Ctrl-D, sys.exit() or soft_reset().
    _sys.atexit(_leave)


def _on_time(now_us: int) -> None:
    WDT.check(now_us)
    for pin in _board["interrupts"]:
        pin.interrupt()


class I2C:
    """The bus with the modelled chip. Other addresses raise OSError(ENODEV), as on an ESP32."""

    def __init__(self, id: int = -1, *, scl: object = None, sda: object = None, freq: int = 400000, timeout: int = 50000) -> None:
        self._chips = _board["bus"]
        self._freq = freq

    def scan(self) -> list:
        """The addresses that acknowledge."""
        return [address for address in range(8, 120) if self._answers(address)]

    def writeto(self, addr: int, buf: object, stop: bool = True) -> int:
        """Write; returns the number of acknowledged bytes."""
        self._transfer(addr, len(buf), buf)
        return len(buf)

    def writevto(self, addr: int, vector: object, stop: bool = True) -> int:
        """Write several buffers as one transaction."""
        return self.writeto(addr, b"".join([bytes(part) for part in vector]), stop)

    def readfrom_into(self, addr: int, buf: object, stop: bool = True) -> None:
        """Read."""
        self._transfer(addr, len(buf), None, buf)

    def readfrom(self, addr: int, nbytes: int, stop: bool = True) -> bytes:
        """Read."""
        buf = bytearray(nbytes)
        self.readfrom_into(addr, buf, stop)
        return bytes(buf)

    def writeto_mem(self, addr: int, memaddr: int, buf: object, *, addrsize: int = 8) -> None:
        """Write to a register and the following ones."""
        self._transfer(addr, 1 + len(buf), bytes([memaddr]) + bytes(buf))

    def readfrom_mem_into(self, addr: int, memaddr: int, buf: object, *, addrsize: int = 8) -> None:
        """Read a register and the following ones."""
        self._transfer(addr, 2 + len(buf), _ADDRESSES[memaddr], buf)

    def readfrom_mem(self, addr: int, memaddr: int, nbytes: int, *, addrsize: int = 8) -> bytes:
        """Read a register and the following ones."""
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf)
        return bytes(buf)

    def _answers(self, address: int) -> bool:
        try:
            self._transfer(address, 0, b"")
        except OSError:
            return False
        return True

    def _transfer(self, address: int, size: int, sent: object, received: object = None) -> None:
        """Send `sent`, then fill `received`; None for neither. `size` bytes are on the bus."""
        chip = self._chip(address, size)
        if sent is not None:
            chip.write(sent)
        if received is not None:
            chip.readinto(received)

    def _chip(self, address: int, size: int) -> object:
        """The chip at `address`. Adds the time of `size` bytes on the bus."""
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
        """Set the mode."""
        if mode != -1:
            self._output = mode == self.OUT or mode == self.OPEN_DRAIN
        if value is not None:
            self.value(value)

    def value(self, level: int | None = None) -> int | None:
        """Return the level, or set it."""
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

    def irq(self, handler: object, trigger: int) -> None:
        """Call `handler(pin)` after one or more such edges: whenever the program looks at the clock, or has slept."""
        self._handler = handler
        self._trigger = trigger
        self._seen_level = self.value()
        self._seen_edges = self._edges()
        if _board["pins"] is not None:
            _board["interrupts"].append(self)

    def interrupt(self) -> None:
        """Call the handler if there was such an edge since the last look."""
        edges = self._edges()
        changes = (edges - self._seen_edges) & 255
        if changes:
            self._seen_edges = edges
            level = self.value()
            is_rising = level == 1 and self._seen_level == 0
            is_falling = level == 0 and self._seen_level == 1
            self._seen_level = level
            # Two changes are an edge of either kind.
            if changes > 1 or (is_rising and self._trigger & self.IRQ_RISING) or (is_falling and self._trigger & self.IRQ_FALLING):
                self._handler(self)

    def _edges(self) -> int:
        file = _board["pins"]
        if file is None:
            return 0
        file.seek(_EDGES + self.id)
        return file.read(1)[0]

    def on(self) -> None:
        """High."""
        self.value(1)

    def off(self) -> None:
        """Low."""
        self.value(0)


class PWM:
    """A pin that is high while its duty is above 0."""

    def __init__(self, pin: Pin, *, freq: int = 1000, duty: int = 0, duty_u16: int = 0, duty_ns: int = 0) -> None:
        self._pin = pin
        self._freq = freq
        self.duty_u16(duty << 6 | duty_u16)

    def freq(self, freq: int | None = None) -> int | None:
        """Return the frequency, or set it."""
        if freq is None:
            return self._freq
        self._freq = freq
        return None

    def duty_u16(self, duty: int | None = None) -> int | None:
        """Return the duty, 0 to 65535, or set it."""
        if duty is None:
            return self._duty
        self._duty = duty
        self._pin.value(duty > 0)
        file = _board["pins"]
        if file is not None:
            file.seek(_DUTIES + self._pin.id)
            file.write(bytes([(duty * 100 + 32767) // 65535]))
        return None

    def duty(self, duty: int | None = None) -> int | None:
        """Return the duty, 0 to 65535, or set it, 0 to 1023."""
        return self.duty_u16(None if duty is None else duty << 6)

    def deinit(self) -> None:
        """Off."""
        self.duty_u16(0)


class ADC:
    """Every analogue pin has 1.95 V, half of a charged cell."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    WIDTH_9BIT, WIDTH_10BIT, WIDTH_11BIT, WIDTH_12BIT = 9, 10, 11, 12

    def __init__(self, pin: object, *, atten: int = 0) -> None:
        self._full_uv = 950000
        self.atten(atten)

    def atten(self, atten: int) -> None:
        """Set the full scale to 0.95, 1.25, 1.75 or 2.45 V."""
        self._full_uv = (950000, 1250000, 1750000, 2450000)[atten]

    def width(self, bits: int) -> None:
        """Accepted without effect; read() returns 12 bits."""

    def read_u16(self) -> int:
        """0 to 65535 at full scale."""
        return min(65535, _BATTERY_PIN_UV * 65535 // self._full_uv)

    def read(self) -> int:
        """0 to 4095 at full scale."""
        return self.read_u16() >> 4

    def read_uv(self) -> int:
        """Microvolts. A chip without a reference voltage in its eFuse cannot convert."""
        if not _board["has_vref"]:
            raise OSError(_INVALID_ARGUMENT, "ESP_ERR_INVALID_ARG")
        return min(self._full_uv, _BATTERY_PIN_UV)


class RTC:
    """The real-time clock. It continues across a soft reset, and its memory across every reset."""

    def memory(self, data: object = None) -> bytes | None:
        """The bytes in its memory, at most 2048; or set them."""
        if data is None:
            return _board["memory"]
        if len(data) > _RTC_MEMORY_BYTES:
            raise ValueError("buffer too long")
        _board["memory"] = bytes(data)
        file = _board["watchdog"]
        file.seek(_WATCHDOG_BYTES)
        file.write(len(data).to_bytes(2, "little") + bytes(data))
        return None

    def datetime(self, date: tuple | None = None) -> tuple | None:
        """(year, month, day, weekday, hour, minute, second, microsecond); or set it."""
        import time

        if date is None:
            us = _system.now_us() + _system.rtc_us
            y, mo, d, h, mi, s, wd = time.gmtime(us // 1000000)[:7]
            return y, mo, d, wd, h, mi, s, us % 1000000
        y, mo, d, _, h, mi, s, us = date
        _system.rtc_us = time.mktime((y, mo, d, h, mi, s, 0, 0)) * 1000000 + us - _system.now_us()
        return None


class WDT:
    """The watchdog. It counts on the board's clock, and takes another timeout, as on an ESP32, but never stops.

    virtual_board.py sees each feed in a file. So it also resets a program that hangs without a look at the clock.
    """

    _fed_us = 0
    _timeout_us = 0
    _count = 0

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        WDT._timeout_us = 0
        WDT._fed_us = _system.now_us()
        WDT._timeout_us = timeout * 1000
        self.feed()

    def feed(self) -> None:
        """Start to count again."""
        WDT._fed_us = _system.now_us()
        WDT._count += 1
        _board["watchdog"].seek(0)
        _board["watchdog"].write(WDT._count.to_bytes(8, "little") + WDT._timeout_us.to_bytes(8, "little"))

    @staticmethod
    def check(now_us: int) -> None:
        """Reset the board if the time is over."""
        if WDT._timeout_us and now_us - WDT._fed_us > WDT._timeout_us:
            WDT._timeout_us = 0
            _end("watchdog")


def unique_id() -> bytes:
    """The six bytes of this flash image."""
    return _board["id"]


def reset_cause() -> int:
    """The cause of the last reset."""
    return _board["reset_cause"]


def freq(hz: int | None = None) -> int | None:
    """160 MHz, as on an ESP32; setting it has no effect."""
    return 160000000 if hz is None else None


def soft_reset() -> None:
    """Restart the program. The sensor keeps its supply and time continues."""
    raise SystemExit


def reset() -> None:
    """Restart as from power-on. Data that was not flushed is lost."""
    _end("hard")


def _end(how: str) -> None:
    _report(how)
    while True:  # until interpreter_process.py kills this process
        _real_sleep_ms(1000)


def lightsleep(ms: int = 0) -> None:
    """Sleep. Bytes that arrive meanwhile are lost, as on a UART without a clock; the ring keeps what it held before."""
    # Not through the board's own select, which waits in virtual time.
    poll = _uselect.poll()
    poll.register(_sys.stdin, _uselect.POLLIN)
    held = poll.poll(0)
    _system.sleep_us(ms * 1000)
    while not held and poll.poll(0):
        _sys.stdin.buffer.read(1)
    _system.sleep_us(_WAKE_US)


def deepsleep(ms: int = 0) -> None:
    """Sleep, then restart as from power-on."""
    _system.sleep_us(ms * 1000)
    reset()


def disable_irq() -> int:
    """Nothing to disable: no interrupt runs program code here."""
    return 0


def enable_irq(state: int) -> None:
    """Nothing to enable."""


def _leave() -> None:
    _report("soft")


def _report(how: str) -> None:
    """Report how to restart, and the state of the clock and the leg."""
    now = _system.now_us()
    state = {"reset": how, "now_us": now, "leg_start_us": _board["leg"].start_us, "rtc_us": _system.rtc_us}
    state["watchdog_us"] = WDT._timeout_us
    _board["control"].write(_json.dumps(state) + "\n")
