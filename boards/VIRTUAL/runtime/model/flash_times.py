"""What the flash of an ESP32 costs, in microseconds.

Reads: an official MicroPython 1.27 build on an emulated ESP32 takes 80 to 90 us for 32 bytes, and hardly more for 128. Erases: 45 to 60 ms
there. Programs: typical of a 4 MB chip as on DevKits (W25Q32JV datasheet, 9.6), which takes up to 256 bytes at once. LittleFS reads back
what it programs, so its writes cost reads as well.
"""

READ_US = 85
READ_BYTES_PER_US = 20
PROGRAM_US = 400
ERASE_US = 50000


def read_us(count: int) -> int:
    """One read of `count` bytes."""
    return READ_US + count // READ_BYTES_PER_US


def program_us(count: int) -> int:
    """One program of `count` bytes."""
    return PROGRAM_US * (count + 255 >> 8)
