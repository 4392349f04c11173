"""Mounts the flash with other sizes than MicroPython's own start. boot.py calls it before anything is written."""

import os

import vfs
from retrostep_core.constants import const

# A read of 32 bytes takes an ESP32 about 85 us, hardly less than one of 128, and LittleFS reads the same folder many times. Programs stay
# short: each change of a folder is padded to their size, and a full folder is erased.
_READ_BYTES = const(128)
_PROGRAM_BYTES = const(32)
# While logs of older firmware wait in one folder: LittleFS then reads long folders again and again. It takes 3 KB of heap.
_READ_BYTES_MOVING = const(512)
# One bit for each block. With all 512 blocks of a 2 MB file system in it, LittleFS seldom looks for free ones.
_LOOK_AHEAD_BYTES = const(64)


def file_system(device: object) -> object:
    """The LittleFS on a block device. Times of files are not stored: they would make each folder longer. OSError if it has none."""
    files = _mounted(device, _READ_BYTES)
    try:
        has_old_logs = any(entry[0].endswith(".rsl") for entry in files.ilistdir("/sessions"))
    except OSError:
        # There is no such folder.
        has_old_logs = False
    return _mounted(device, _READ_BYTES_MOVING) if has_old_logs else files


def _mounted(device: object, read_bytes: int) -> object:
    # The stubs take a file system for an abstract block device.
    return vfs.VfsLfs2(  # type: ignore[abstract]
        device, readsize=read_bytes, progsize=_PROGRAM_BYTES, lookahead=_LOOK_AHEAD_BYTES, mtime=False
    )


def remount() -> None:
    """Mount the board's own flash again. It writes nothing, and any sizes read what any others wrote."""
    from flashbdev import bdev

    vfs.umount("/")
    try:
        vfs.mount(file_system(bdev), "/")
    except OSError:
        # It has another kind of file system. MicroPython mounts that.
        vfs.mount(bdev, "/")
    os.chdir("/")
