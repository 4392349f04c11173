"""The core that this computer carries, and how a board with another core is recognised."""

import hashlib
from pathlib import Path

import retrostep_core
from retrostep_core.core_hash import fingerprint
from retrostep_core.link import answers

from retrostep.errors import OtherCore


def core_files() -> dict[str, bytes]:
    """{path in the package: source} of our retrostep_core. It exists once: the host imports it, and a deploy copies it."""
    folder = Path(retrostep_core.__file__).parent
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.py")}


def core_hash() -> bytes:
    """The hash of our retrostep_core, 8 bytes, as a board reports it in HELLO."""
    return core_hash_of(core_files())


def core_hash_of(files: dict[str, bytes]) -> bytes:
    """The hash, 8 bytes, of a core that consists of `files` ({path in the package: source})."""
    return bytes(fingerprint(hashlib.sha256, ((path, iter([files[path]])) for path in sorted(files))))


def other_core(port: str, hello: answers.Hello) -> OtherCore:
    """The warning about the board at `port` whose core is not this computer's. The sync continues."""
    version = ".".join(map(str, hello.core_version))
    return OtherCore(
        f"{hello.device} runs another firmware version ({version}, {hello.core_hash.hex()}) than this computer has ({core_hash().hex()}). "
        "Its sessions are synced all the same.",
        board=hello.board,
        port=port,
    )
