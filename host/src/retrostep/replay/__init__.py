"""Recordings through the engine: read, quantised as by the board's IMU, run on this interpreter or on MicroPython."""
