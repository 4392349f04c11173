"""The core that this computer carries, so that a board with another one can be told."""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import retrostep_core
from retrostep_core.fingerprint import fingerprint
from retrostep_core.link import messages


@cache
def core_hash() -> bytes:
    """The fingerprint of our own retrostep_core, 8 bytes, as a board's HELLO carries it."""
    folder = Path(retrostep_core.__file__).parent
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))
    return bytes(fingerprint(hashlib.sha256, ((path, _bytes(folder / path)) for path in paths)))


def _bytes(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()


def other_core(port: str, hello: messages.Hello) -> str:
    """The sentence, with the cure, about the board at `port` whose core isn't this computer's."""
    version = ".".join(map(str, hello.core_version))
    return (
        f"{hello.device} runs another core ({version}, {hello.core_hash.hex()}) than this computer carries ({core_hash().hex()}): "
        f"run `retrostep deploy --board {hello.board} --port {port}`. Its sessions can be synced all the same."
    )
