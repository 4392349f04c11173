"""Faults between a chip and its bus: each wraps a chip and fails some of its transfers."""

import virtual_clock

_ENODEV = 19
_ETIMEDOUT = 116


class PowerLoss:
    """A chip without supply between two times. It loses its registers."""

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
        now = virtual_clock.system.now_us()
        if self._lost_us <= now < self._back_us:
            self._reset = True
            raise OSError(_ENODEV)
        if self._reset:
            self._reset = False
            self._chip.write(b"\x12\x01")


class BadLine:
    """A chip on a line that disturbs one of `every` transfers."""

    def __init__(self, chip: object, every: int) -> None:
        self._chip = chip
        self._every = every
        self._count = 0

    def write(self, data: object) -> None:
        self._disturb()
        self._chip.write(data)

    def readinto(self, buf: object) -> None:
        self._disturb()
        self._chip.readinto(buf)

    def _disturb(self) -> None:
        self._count += 1
        if self._count % self._every == 0:
            raise OSError(_ETIMEDOUT)
