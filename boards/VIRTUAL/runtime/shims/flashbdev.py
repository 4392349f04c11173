"""MicroPython's flashbdev on an ESP32: the block device of the board's file system. launch.py sets it."""

bdev = None
