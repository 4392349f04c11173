"""The fingerprint of the core as it lies on the flash."""

import os

import retrostep_core
from retrostep_core.fingerprint import fingerprint

_CHUNK = 256


def core_hash(sha256_new: object, folder: str | None = None) -> bytes:
    """Fingerprint of the core's files as they lie in `folder`; None: where it was imported from. 8 bytes."""
    if folder is None:
        folder = retrostep_core.__file__.rsplit("/", 1)[0]
    return fingerprint(sha256_new, _sources(folder))


def _sources(folder: str) -> object:
    for path in sorted(_python_files(folder, "")):
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
    buf = bytearray(_CHUNK)
    view = memoryview(buf)
    with open(path, "rb") as file:
        n = file.readinto(buf)
        while n:
            yield view[:n]
            n = file.readinto(buf)
