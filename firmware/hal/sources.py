"""The fingerprint of the core as it lies on the flash."""

import os

import retrostep_core
from retrostep_core.fingerprint import fingerprint

# Left by `retrostep deploy` where the core came as bytecode, which has no sources to hash.
_HASH = "core.hash"
_CHUNK = 256


def core_hash(sha256_new: object, folder: str | None = None) -> bytes:
    """Fingerprint of the core's sources as they lie in `folder`; None: where it was imported from. 8 bytes.

    Without sources it is what the deploy left there; eight zeros, no core's fingerprint, where that is missing.
    """
    if folder is None:
        folder = retrostep_core.__file__.rsplit("/", 1)[0]
    paths = sorted(_python_files(folder, ""))
    return fingerprint(sha256_new, _sources(folder, paths)) if paths else _left(folder)


def _sources(folder: str, paths: list) -> object:
    for path in paths:
        yield path, _chunks(folder + "/" + path)


def _left(folder: str) -> bytes:
    try:
        with open(folder + "/" + _HASH, "rb") as file:
            found = file.read(9)
    except OSError:
        return bytes(8)
    return found if len(found) == 8 else bytes(8)


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
