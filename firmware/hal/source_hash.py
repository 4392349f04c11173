"""The hash of the core's sources on a board that has them. Imported only there."""

import os

from retrostep_core.constants import const
from retrostep_core.core_hash import fingerprint

_CHUNK_BYTES = const(256)


def source_hash(sha256: object, folder: str) -> bytes:
    """8 bytes: the hash of every source below `folder`."""
    return fingerprint(sha256, _sources(folder, sorted(_python_files(folder, ""))))


def _sources(folder: str, paths: list) -> object:
    for path in paths:
        yield path, _chunks(folder + "/" + path)


def _python_files(folder: str, below: str) -> list:
    found = []
    for name in os.listdir(folder + "/" + below if below else folder):
        path = below + "/" + name if below else name
        if name.endswith(".py"):
            found.append(path)
        elif "." not in name and name != "__pycache__":
            found += _python_files(folder, path)
    return found


def _chunks(path: str) -> object:
    buf = bytearray(_CHUNK_BYTES)
    view = memoryview(buf)
    with open(path, "rb") as file:
        n = file.readinto(buf)
        while n:
            yield view[:n]
            n = file.readinto(buf)
