"""The core that this computer carries, so that a board with another one can be told."""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import retrostep_core
from retrostep_core.fingerprint import fingerprint


@cache
def core_hash() -> bytes:
    """The fingerprint of our own retrostep_core, 8 bytes, as a board's HELLO carries it."""
    folder = Path(retrostep_core.__file__).parent
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))
    return bytes(fingerprint(hashlib.sha256, ((path, _bytes(folder / path)) for path in paths)))


def _bytes(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
