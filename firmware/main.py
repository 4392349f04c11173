"""Retrostep: the wearable. A board's MicroPython runs this after boot.py."""

from app import App
from hal.wiring import Hardware

# boot.py says so when the button was held: the REPL then has the board to itself.
if not globals().get("SAFE_MODE"):
    App(Hardware()).run()
