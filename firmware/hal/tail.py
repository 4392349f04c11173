"""The last bytes of a log in small files, found again (FORMATS.md, "Beside the logs"). Seldom needed: the store lets go of it."""

import struct
from binascii import crc32

# Bytes of a log in one piece: with session, offset and CRC it has 128.
ROOM = 116
PIECES = 5


def owner(folder: str) -> int:
    """The session that the pieces in `folder` were last written for; 0 for none."""
    return _piece(folder, 0)[0]


def rest(folder: str, session: int, length: int) -> bytes:
    """What the pieces have to add to a log of `length` bytes; a piece of another session, or of what the log holds by now, has nothing."""
    whole = b""
    for piece in range(PIECES):
        number, offset, data = _piece(folder, piece)
        if number != session or offset != length + len(whole):
            break
        whole += data
    return whole


def _piece(folder: str, piece: int) -> tuple:
    """(session, offset in its log, bytes); session 0 where there is no sound piece."""
    try:
        with open("%s/%d" % (folder, piece), "rb") as file:
            data = file.read(ROOM + 13)
    except OSError:
        return 0, 0, b""
    if not 12 < len(data) <= ROOM + 12 or crc32(data[:-4]) != struct.unpack_from("<I", data, len(data) - 4)[0]:
        return 0, 0, b""
    return struct.unpack_from("<II", data) + (data[8:-4],)
