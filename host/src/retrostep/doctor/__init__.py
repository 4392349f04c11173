"""Examine a board: port, MicroPython, firmware, sensor, and what the wearer feels."""
