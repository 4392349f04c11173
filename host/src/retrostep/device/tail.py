"""The last bytes of a log as they stand in `/tail` of a board's flash, for whoever reads that without the board (FORMATS.md)."""

import struct
import zlib
from collections.abc import Iterable

FOLDER = "/tail"
PIECES = 5
PIECE_MOST_BYTES = 128


def tail_of(pieces: Iterable[bytes], session: int, length: int) -> bytes:
    """What the files 0, 1, ... of /tail add to the log file of `session`, which is `length` bytes long; often nothing."""
    whole = b""
    for piece in pieces:
        if not 12 < len(piece) <= PIECE_MOST_BYTES or zlib.crc32(piece[:-4]) != struct.unpack("<I", piece[-4:])[0]:
            break
        if struct.unpack_from("<II", piece) != (session, length + len(whole)):
            break
        whole += piece[8:-4]
    return whole
