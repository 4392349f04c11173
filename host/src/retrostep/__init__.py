"""Retrostep's host library: devices, archive and training; the CLI in `retrostep.cli` is thin over it."""

__version__ = "0.1.0"
