"""Recordings through the engine: read, quantised as the board's IMU would, run on this interpreter or on MicroPython."""
