"""The tail: the last flushed bytes of a log, in small files until the log's own file takes them (FORMATS.md, "The tail of a log").

Board and host use the same functions. They work on the bytes of the files and open none themselves.
"""

import binascii
import struct

from ..constants import const

FOLDER = "/tail"
PIECES = 5
PIECE_BYTES = 116  # log bytes in one piece
PIECE_FILE_BYTES = 128  # the same with session, offset and CRC

_HEAD_BYTES = const(8)
_CRC_BYTES = const(4)


def pack_piece(session: int, offset: int, data) -> bytes:
    """The file of one piece: `data` (1 to 116 bytes) stands at `offset` in the log of `session`."""
    body = struct.pack("<II", session, offset) + bytes(data)
    return body + struct.pack("<I", binascii.crc32(body))


def unpack_piece(file: bytes):
    """(session, offset, data) of one piece's file; (0, 0, b"") where it is damaged or missing."""
    end = len(file) - _CRC_BYTES
    if not _HEAD_BYTES < end <= _HEAD_BYTES + PIECE_BYTES or binascii.crc32(file[:end]) != struct.unpack_from("<I", file, end)[0]:
        return 0, 0, b""
    session, offset = struct.unpack_from("<II", file, 0)
    return session, offset, file[_HEAD_BYTES:end]


def tail_of(files, session: int, length: int) -> bytes:
    """The bytes that the pieces add to the log of `session`; its own file has `length` bytes. b"" if they add none.

    `files` gives the bytes of /tail/0, /tail/1, ... in that order, b"" for a missing one. A piece that does not continue the log is old:
    it ends the tail.
    """
    tail = b""
    for file in files:
        number, offset, data = unpack_piece(file)
        if number != session or offset != length + len(tail):
            break
        tail += data
    return tail
