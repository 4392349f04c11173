"""Devices: their serial ports, the client of the link, live events, calibration, and mpremote for boards without a running app."""
