"""Which device this is, and which core it runs."""

import os
from binascii import hexlify
from collections import namedtuple

import retrostep_core

# What HELLO and the header of a log carry. device: "RS-" and the chip's id in hexadecimal digits. board: its name in boards/.
# core_version: three numbers. core_hash: 8 bytes.
Identity = namedtuple("Identity", ("device", "board", "core_version", "core_hash"))


def identity(unique_id: bytes, board: str, core_hash: bytes) -> Identity:
    """The identity of the board with this chip's id (machine.unique_id)."""
    return Identity("RS-" + hexlify(unique_id).decode()[:24].upper(), board, retrostep_core.VERSION, core_hash)


def core_hash(sha256: object, folder: str | None = None) -> bytes:
    """8 bytes: the hash of the core's sources in `folder`, or of the core that was imported.

    A core without sources has it in a file or, where it is frozen into MicroPython, in a module. Eight zeros if that is missing.
    """
    if folder is None:
        try:
            from frozen_core_hash import CORE_HASH  # written by manifest.py

            return CORE_HASH
        except ImportError:
            folder = retrostep_core.__file__.rsplit("/", 1)[0]
    if _has_sources(folder):
        # Imported here: a board with bytecode does not need it.
        from hal.source_hash import source_hash

        return source_hash(sha256, folder)
    try:
        # A deploy of bytecode, which has no sources to hash, writes this file beside it.
        with open(folder + "/core.hash", "rb") as file:
            found = file.read(9)
    except OSError:
        return bytes(8)
    return found if len(found) == 8 else bytes(8)


def _has_sources(folder: str) -> bool:
    names = os.listdir(folder)
    return any([name.endswith(".py") or ("." not in name and _has_sources(folder + "/" + name)) for name in names])
