"""The core that this computer carries, so that a board with another one can be told."""

import hashlib
import shlex
from pathlib import Path

import retrostep_core
from retrostep_core.fingerprint import fingerprint
from retrostep_core.link import messages


def core_files() -> dict[str, bytes]:
    """Our own retrostep_core, by path in it. It exists once: this is what the host imports and what a board gets."""
    folder = Path(retrostep_core.__file__).parent
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.py")}


def core_hash() -> bytes:
    """The fingerprint of our own retrostep_core, 8 bytes, as a board's HELLO carries it."""
    return core_hash_of(core_files())


def core_hash_of(files: dict[str, bytes]) -> bytes:
    """The fingerprint of a core that consists of `files`, by their path in it."""
    return bytes(fingerprint(hashlib.sha256, ((path, iter([files[path]])) for path in sorted(files))))


def other_core(port: str, hello: messages.Hello) -> str:
    """The sentence, with the cure, about the board at `port` whose core isn't this computer's."""
    version = ".".join(map(str, hello.core_version))
    return (
        f"{hello.device} runs another core ({version}, {hello.core_hash.hex()}) than this computer carries ({core_hash().hex()}): "
        f"run `retrostep deploy --board {shlex.quote(hello.board)} --port {shlex.quote(port)}`. Its sessions can be synced all the same."
    )
