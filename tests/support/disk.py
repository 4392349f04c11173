"""A folder for stores: LittleFS in memory on MicroPython, a temporary folder on CPython."""

import os
import sys

ON_LITTLEFS = sys.implementation.name == "micropython"

if ON_LITTLEFS:
    import vfs
    from hal.flash_mount import file_system

    class Flash:
        """A block device in memory. LittleFS programs 32 bytes and erases 4096."""

        def __init__(self, blocks):
            self.data = bytearray(4096 * blocks)

        def readblocks(self, block, buf, offset=0):
            start = block * 4096 + offset
            for i in range(len(buf)):
                buf[i] = self.data[start + i]

        def writeblocks(self, block, buf, offset=None):
            start = block * 4096 + (offset or 0)
            for i in range(len(buf)):
                self.data[start + i] = buf[i]

        def ioctl(self, op, argument):
            if op == 4:
                return len(self.data) // 4096
            if op == 5:
                return 4096
            return 0


class Disk:
    """A root folder for stores. `cut` keeps only what a power cut at this moment leaves."""

    def __init__(self, blocks=64):
        if ON_LITTLEFS:
            self.flash = Flash(blocks)
            vfs.VfsLfs2.mkfs(self.flash)
            self._mount()
        else:
            import tempfile

            self.root = tempfile.mkdtemp()

    def _mount(self):
        self.root = "/store"
        try:
            vfs.umount(self.root)
        except OSError:
            self.root = "/store"  # nothing was mounted there
        vfs.mount(file_system(self.flash), self.root)

    def cut(self):
        if ON_LITTLEFS:
            bytes_left = bytearray(self.flash.data)
            self.flash = Flash(len(bytes_left) // 4096)
            self.flash.data = bytes_left
            self._mount()

    def put(self, name, data):
        with open(self.root + "/" + name, "wb") as file:
            file.write(data)

    def names(self, folder="logs/00000000"):
        return sorted(os.listdir(self.root + "/" + folder))


def numbers(store):
    """The numbers of all sessions that have a log, ascending."""
    found = []
    session = store.following(0)
    while session:
        found.append(session)
        session = store.following(session)
    return found
