"""MicroPython's time module in virtual time. As on an ESP32, ticks wrap at 2**30 and the epoch is 2000."""

import virtual_clock as _clock
from utime import gmtime as _gmtime
from utime import mktime as _mktime

_system = _clock.system
_PERIOD = 1 << 30
_HALF = 1 << 29
_Y2000_S = 946684800
_PART_US = 500000


def ticks_us() -> int:
    """Microseconds, wrapping."""
    return _system.now_us() & (_PERIOD - 1)


def ticks_ms() -> int:
    """Milliseconds, wrapping."""
    return _system.now_us() // 1000 & (_PERIOD - 1)


ticks_cpu = ticks_us


def ticks_add(ticks: int, delta: int) -> int:
    """`ticks` + `delta`, wrapping."""
    return ticks + delta & (_PERIOD - 1)


def ticks_diff(end: int, start: int) -> int:
    """`end` - `start`, signed."""
    return ((end - start + _HALF) & (_PERIOD - 1)) - _HALF


def sleep_us(us: int) -> None:
    """Sleep, in parts: the watchdog may end it."""
    while us > _PART_US:
        _system.sleep_us(_PART_US)
        us -= _PART_US
    _system.sleep_us(us if us > 0 else 0)


def sleep_ms(ms: int) -> None:
    """Sleep."""
    sleep_us(ms * 1000)


def sleep(seconds: float) -> None:
    """Sleep."""
    sleep_us(int(seconds * 1000000))


def time_ns() -> int:
    """Nanoseconds since 2000 by the real-time clock, which is at 2000-01-01 after power-on."""
    return (_system.now_us() + _system.rtc_us) * 1000


def time() -> int:
    """Seconds since 2000 by the real-time clock."""
    return time_ns() // 1000000000


def gmtime(seconds: int | None = None) -> tuple:
    """(year, month, day, hour, minute, second, weekday, yearday)."""
    return _gmtime(_Y2000_S + (time() if seconds is None else seconds))[:8]


# A board has no time zone.
localtime = gmtime


def mktime(date: tuple) -> int:
    """Seconds since 2000 of an 8-tuple as from gmtime."""
    return int(_mktime(date)) - _Y2000_S
