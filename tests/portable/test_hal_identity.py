"""The device's name and the fingerprint of the core it runs."""

import hashlib
import os

import retrostep_core
from disk import Disk
from hal.identity import Identity
from hal.sources import core_hash
from retrostep_core.fingerprint import fingerprint


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def test_the_device_is_named_by_its_chip():
    identity = Identity(b"\x24\x0a\xc4\x00\x01\x10", "VIRTUAL", bytes(8))
    assert identity.device == "RS-240AC4000110" and identity.board == "VIRTUAL"
    assert identity.core_version == retrostep_core.VERSION
    assert len(Identity(bytes(16), "B", bytes(8)).device) <= 32


def test_the_hash_is_the_hosts_over_the_same_files():
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


def test_bytecode_has_no_sources_to_hash_and_brings_their_hash_along():
    disk = Disk()
    root = disk.root + "/core"
    for folder in ("", "/gait"):
        os.mkdir(root + folder)
    write(root + "/__init__.mpy", b"M")
    write(root + "/gait/engine.mpy", b"M")
    assert core_hash(hashlib.sha256, root) == bytes(8)
    for found, told in ((b"12345678", b"12345678"), (b"1234567", bytes(8)), (b"123456789", bytes(8))):
        write(root + "/core.hash", found)
        assert core_hash(hashlib.sha256, root) == told
    write(root + "/gait/engine.py", b"x")
    assert core_hash(hashlib.sha256, root) == fingerprint(hashlib.sha256, [("gait/engine.py", [b"x"])])
