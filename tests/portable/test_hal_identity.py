"""The device's name and the hash of its core."""

import hashlib
import os
import sys

import retrostep_core
from hal.identity import core_hash, identity
from retrostep_core.core_hash import fingerprint
from support.disk import Disk


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def test_the_device_is_named_by_its_chip():
    found = identity(b"\x24\x0a\xc4\x00\x01\x10", "VIRTUAL", bytes(8))
    assert found.device == "RS-240AC4000110" and found.board == "VIRTUAL"
    assert found.core_version == retrostep_core.VERSION
    assert len(identity(bytes(16), "B", bytes(8)).device) <= 32


def test_the_hash_equals_the_hosts_hash_of_the_same_files():
    disk = Disk()
    root = disk.root + "/core"
    for folder in ("", "/gait", "/log"):
        os.mkdir(root + folder)
    files = {"__init__.py": b"VERSION = 1\n", "gait/a.py": b"x" * 1000, "gait/__init__.py": b"", "log/z.py": b"y" * 256}
    for path in files:
        write(root + "/" + path, files[path])
    write(root + "/notes.txt", b"not code")
    wanted = fingerprint(hashlib.sha256, [(path, [files[path]]) for path in sorted(files)])
    assert core_hash(hashlib.sha256, root) == wanted
    write(root + "/log/z.py", b"y" * 255 + b"z")
    assert core_hash(hashlib.sha256, root) != wanted


def test_the_core_that_runs_has_a_hash():
    assert len(core_hash(hashlib.sha256)) == 8


def test_a_frozen_core_has_its_hash_in_a_module():
    class Frozen:
        CORE_HASH = b"12345678"

    sys.modules["frozen_core_hash"] = Frozen
    try:
        assert core_hash(hashlib.sha256) == b"12345678"
    finally:
        del sys.modules["frozen_core_hash"]


def test_bytecode_has_the_hash_of_its_sources_in_a_file():
    disk = Disk()
    root = disk.root + "/core"
    for folder in ("", "/gait"):
        os.mkdir(root + folder)
    write(root + "/__init__.mpy", b"M")
    write(root + "/gait/engine.mpy", b"M")
    assert core_hash(hashlib.sha256, root) == bytes(8)
    for content, expected in ((b"12345678", b"12345678"), (b"1234567", bytes(8)), (b"123456789", bytes(8))):
        write(root + "/core.hash", content)
        assert core_hash(hashlib.sha256, root) == expected
    write(root + "/gait/engine.py", b"x")
    assert core_hash(hashlib.sha256, root) == fingerprint(hashlib.sha256, [("gait/engine.py", [b"x"])])
