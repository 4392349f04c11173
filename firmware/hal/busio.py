"""CircuitPython's busio.I2C on top of machine.I2C: the part of it that adafruit_bus_device uses."""

from hal.sensor_start import attempt


class I2C:
    """`bus` is a machine.I2C. Only one program uses the bus; the lock finds a caller that forgot to unlock."""

    def __init__(self, bus: object) -> None:
        self._bus = bus
        self._locked = False

    def try_lock(self) -> bool:
        """True if the lock was free and is now taken."""
        if self._locked:
            return False
        self._locked = True
        return True

    def unlock(self) -> None:
        """Release the lock; ValueError if it is not taken."""
        if not self._locked:
            raise ValueError("The I2C bus is not locked.")
        self._locked = False

    def writeto(self, address: int, buf: object, start: int = 0, end: int | None = None) -> None:
        """Write buf[start:end]; OSError if nothing answers at `address`."""
        attempt(self._bus.writeto, address, _part(buf, start, end))

    def readfrom_into(self, address: int, buf: object, start: int = 0, end: int | None = None) -> None:
        """Fill buf[start:end]; OSError if nothing answers."""
        attempt(self._bus.readfrom_into, address, _part(buf, start, end))

    def writeto_then_readfrom(
        self,
        address: int,
        out_buffer: object,
        in_buffer: object,
        out_start: int = 0,
        out_end: int | None = None,
        in_start: int = 0,
        in_end: int | None = None,
    ) -> None:
        """Write, then read after a repeated start; OSError if nothing answers. One byte written is a register's address."""
        out = _part(out_buffer, out_start, out_end)
        into = _part(in_buffer, in_start, in_end)
        if len(out) == 1:
            attempt(self._bus.readfrom_mem_into, address, out[0], into)
        else:
            self._bus.writeto(address, out, False)
            self._bus.readfrom_into(address, into)


def _part(buf: object, start: int, end: int | None) -> object:
    if start == 0 and (end is None or end == len(buf)):
        return buf
    return memoryview(buf)[start : len(buf) if end is None else end]
