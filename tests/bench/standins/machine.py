"""Pins, a battery, and a leg that walks forward with an LSM6DS sensor on it: as much of the chip as the driver asks for."""

import time

# A shank's sagittal rate over a stride forward, in 10 degrees per second, at 32 moments.
_STRIDE = (8, 10, 13, 15, 17, 18, 19, 18, 17, 15, 13, 10, 8, 6, 5, 3, 3, 2, 0, -3, -9, -19, -31, -39, -40, -36, -25, -14, -5, -1, 1, 2)
_STRIDE_MS = 800


class Pin:
    IN = OUT = PULL_UP = PULL_DOWN = 0

    def __init__(self, number: int, *how: object, value: int = 1) -> None:
        self._level = value

    def value(self, level: int = 1) -> int:
        return level

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
        self._registers = bytearray(128)
        self._registers[0x0F] = 0x6C
        self._began_ms = -1
        self._fetched = 0

    def writeto(self, address: int, data: object) -> None:
        if len(data):  # a driver that only asks whether somebody is there sends nothing
            self.writeto_mem(address, data[0], data[1:])

    def writeto_mem(self, address: int, register: int, data: object) -> None:
        for value in data:
            self._registers[register] = value & 0xFE if register == 0x12 else value  # a software reset is over at once
            if register == 0x0A and value:
                self._began_ms = time.now_ms
                self._fetched = 0
            register += 1

    def readfrom_mem_into(self, address: int, register: int, buf: object) -> None:
        if register == 0x78:
            for word in range(len(buf) // 7):
                self._sample(buf, 7 * word)
            return
        if register == 0x3A:
            words = min(511, 2 * ((time.now_ms - self._began_ms) * 104 // 1000) - self._fetched)
            self._registers[0x3A] = words & 255
            self._registers[0x3B] = words >> 8
        for k in range(len(buf)):
            buf[k] = self._registers[register + k]

    def _sample(self, buf: object, at: int) -> None:
        n = self._fetched >> 1
        phase = n * 1000 // 104 % _STRIDE_MS * 32 // _STRIDE_MS
        for k in range(7):
            buf[at + k] = 0
        if self._fetched & 1:
            buf[at] = 2 << 3 | (n & 3) << 1
            up = 2049 + (3000 if phase < 2 else 0)  # 1 g on the sensor's x axis, and a knock at contact
            buf[at + 1] = up & 255
            buf[at + 2] = up >> 8
        else:
            buf[at] = 1 << 3 | (n & 3) << 1
            left = _STRIDE[phase] * 10000 // 70 & 0xFFFF  # on the sensor's z axis, which points to the left
            buf[at + 5] = left & 255
            buf[at + 6] = left >> 8
        self._fetched += 1


def unique_id() -> bytes:
    return b"\x02\x00\x00\x00\x00\x01"
