"""In place of os.py: a flash whose files are kept, in the interpreter's memory outside its heap."""

from uos import ilistdir as entries
from uos import listdir, mkdir, remove, rename, rmdir, stat  # noqa: F401  the firmware calls them


def ilistdir(path: str) -> list:
    return [(entry[0], entry[1], 0, stat(path + "/" + entry[0])[6]) for entry in entries(path)]


def statvfs(path: str) -> tuple:
    return (4096, 4096, 512, 400, 400, 0, 0, 0, 0, 255)


def urandom(count: int) -> bytes:
    return bytes(count)
