"""The adapter offers CircuitPython's busio.I2C on top of machine.I2C."""

from hal.busio import I2C


class Bus:
    def __init__(self):
        self.calls = []

    def writeto(self, address, buf, stop=True):
        self.calls.append(("write", address, bytes(buf), stop))

    def readfrom_into(self, address, buf):
        for i in range(len(buf)):
            buf[i] = i + 1
        self.calls.append(("read", address, len(buf)))

    def readfrom_mem_into(self, address, register, buf):
        for i in range(len(buf)):
            buf[i] = register + i
        self.calls.append(("mem", address, register, len(buf)))


def test_only_one_caller_gets_the_lock():
    i2c = I2C(Bus())
    assert i2c.try_lock() and not i2c.try_lock()
    i2c.unlock()
    assert i2c.try_lock()
    i2c.unlock()
    try:
        i2c.unlock()
    except ValueError:
        assert i2c.try_lock()
    else:
        raise AssertionError("a free lock was released")


def test_parts_of_buffers():
    bus = Bus()
    i2c = I2C(bus)
    i2c.writeto(5, b"abcdef", start=1, end=4)
    i2c.writeto(5, b"abc")
    i2c.writeto(5, b"")
    buf = bytearray(5)
    i2c.readfrom_into(5, buf, start=2, end=4)
    assert bus.calls == [("write", 5, b"bcd", True), ("write", 5, b"abc", True), ("write", 5, b"", True), ("read", 5, 2)]
    assert buf == b"\0\0\1\2\0"


def test_register_reads_share_the_drivers_buffer():
    bus = Bus()
    buf = bytearray(b"\x20\0\0\0")
    I2C(bus).writeto_then_readfrom(5, buf, buf, out_end=1, in_start=1, in_end=3)
    assert bus.calls == [("mem", 5, 0x20, 2)]
    assert buf == b"\x20\x20\x21\0"


def test_longer_writes_go_before_a_repeated_start():
    bus = Bus()
    buf = bytearray(2)
    I2C(bus).writeto_then_readfrom(5, b"xyz", buf, out_start=1)
    assert bus.calls == [("write", 5, b"yz", False), ("read", 5, 2)]
