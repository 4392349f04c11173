"""Pins, a battery, and an LSM6DS sensor on a leg that walks forward: the part of the chip that the driver uses.

Its names are names that the firmware has too, so that this module adds hardly any to the interpreter's table of names.
"""

import time

# Sagittal angular velocity of a shank over one stride forward, in 10 degrees per second, at 32 moments.
shank = (8, 10, 13, 15, 17, 18, 19, 18, 17, 15, 13, 10, 8, 6, 5, 3, 3, 2, 0, -3, -9, -19, -31, -39, -40, -36, -25, -14, -5, -1, 1, 2)


def lightsleep(timeout_ms: int) -> None:
    time.now_ms += timeout_ms


class Pin:
    IN = OUT = PULL_UP = PULL_DOWN = IRQ_RISING = IRQ_FALLING = 0

    def __init__(self, number: int, *args: object, value: int = 1) -> None:
        self._value = value

    def value(self, level: int = 1) -> int:
        return level

    def irq(self, handler: object, trigger: int) -> None:
        pass

    __call__ = value


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin: Pin, atten: int = 0) -> None:
        pass

    def read_uv(self) -> int:
        return 1950000


class I2C:
    """A bus with the sensor on it, which samples from the moment its FIFO is switched on."""

    def __init__(self, number: int, scl: Pin, sda: Pin, freq: int) -> None:
        self.block = bytearray(128)
        self.block[0x0F] = 0x6C
        self.start_ms = -1
        self.count = 0

    def writeto(self, address: int, data: object) -> None:
        if len(data):  # a driver that only checks for an answer sends nothing
            self.writeto_mem(address, data[0], data[1:])

    def writeto_mem(self, address: int, register: int, data: object) -> None:
        for value in data:
            self.block[register] = value & 0xFE if register == 0x12 else value  # a software reset ends at once
            if register == 0x0A and value:
                self.start_ms = time.now_ms
                self.count = 0
            register += 1

    def readfrom_mem_into(self, address: int, register: int, buf: object) -> None:
        if register == 0x78:
            for n in range(len(buf) // 7):
                self.sample(buf, 7 * n)
            return
        if register == 0x3A:
            words = min(511, 2 * ((time.now_ms - self.start_ms) * 104 // 1000) - self.count)
            self.block[0x3A] = words & 255
            self.block[0x3B] = words >> 8
        for k in range(len(buf)):
            buf[k] = self.block[register + k]

    def sample(self, buf: object, at: int) -> None:
        n = self.count >> 1
        phase = n * 1000 // 104 % 800 * 32 // 800
        for k in range(7):
            buf[at + k] = 0
        if self.count & 1:
            buf[at] = 2 << 3 | (n & 3) << 1
            # 1 g on the sensor's x axis, an impact at contact, and noise; the swing accelerates y.
            x = 2049 + (3000 if phase < 2 else 0) + (n * 7919 >> 5 & 3)
            y = shank[phase] * 20 & 0xFFFF
            buf[at + 3] = y & 255
            buf[at + 4] = y >> 8
            buf[at + 1] = x & 255
            buf[at + 2] = x >> 8
        else:
            buf[at] = 1 << 3 | (n & 3) << 1
            y = shank[phase] * 10000 // 70 & 0xFFFF  # on the sensor's z axis, which points to the left
            buf[at + 5] = y & 255
            buf[at + 6] = y >> 8
        self.count += 1


class RTC:
    def memory(self, data: object = None) -> bytes:
        return b""


class WDT:
    def __init__(self, timeout: int) -> None:
        pass

    def feed(self) -> None:
        """Do nothing."""


def unique_id() -> bytes:
    return b"\x02\x00\x00\x00\x00\x01"
