"""Frames of the link, the device's half: ASCII lines in, COBS frames out (FORMATS.md, "The link"). The host's half is caller.py."""

import binascii
import struct

MAX_LINE = 200
MAX_FRAME = 1200
MAX_DATA = 1024  # log bytes of one DATA frame
_TILDE = 126
_STAR = 42
_LF = 10
_CR = 13


def crc32(data) -> int:
    return binascii.crc32(data) & 0xFFFFFFFF


class LineDecoder:
    """Requests out of the bytes that a host sends, one byte at a time, in a fixed buffer."""

    MALFORMED = (0, "", ())

    def __init__(self):
        self._line = bytearray(MAX_LINE)
        self._length = 0
        self._skip = False  # this line is not for us, up to its end

    def put(self, byte: int):
        """(id, name, args) when `byte` ends a sound line, MALFORMED when it ends a line that began with ~ and is not, otherwise None."""
        if byte == _LF:
            length = self._length
            skipped = self._skip
            self._length = 0
            self._skip = False
            if skipped and length:
                return self.MALFORMED
            return self._parse(length) if length else None
        if self._skip:
            return None
        if self._length == MAX_LINE - 1 or (self._length == 0 and byte != _TILDE):
            self._skip = True
        else:
            self._line[self._length] = byte
            self._length += 1
        return None

    def _parse(self, length: int):
        line = bytes(memoryview(self._line)[:length])
        if line[-1] == _CR:
            line = line[:-1]
        star = len(line) - 9
        if star < 4 or line[star] != _STAR:
            return self.MALFORMED
        body = line[1:star]
        for code in body:
            if not 32 <= code < 127 or code == _STAR:
                return self.MALFORMED
        try:
            crc = binascii.unhexlify(line[star + 1 :])
            id = binascii.unhexlify(body[:2])
        except ValueError:
            return self.MALFORMED
        if struct.unpack(">I", crc)[0] != crc32(body):
            return self.MALFORMED
        words = body.decode().split(" ")
        if len(words) < 2 or len(words[0]) != 2 or "" in words:
            return self.MALFORMED
        return id[0], words[1], tuple(words[2:])


class FrameEncoder:
    """One frame at a time in one buffer: write the payload into `.payload`, call finish(), send `.view[:length]`."""

    def __init__(self, room: int = MAX_DATA + 4):
        # Delimiter, code byte, type and id; after the payload its CRC, a byte for every 254 without a zero, delimiter.
        self._buf = bytearray(4 + room + 4 + (room + 6) // 254 + 1)
        self.view = memoryview(self._buf)
        self.payload = self.view[4 : 4 + room]

    def finish(self, type: int, id: int, count: int) -> int:
        """Frame the first `count` bytes of the payload; the frame's length is returned. The payload is scrambled by it."""
        buf = self._buf
        view = self.view
        buf[2] = type
        buf[3] = id
        n = 2 + count
        struct.pack_into("<I", buf, 2 + n, crc32(view[2 : 2 + n]))
        n += 4
        # COBS in place: every zero becomes the distance to the next one. Only a run of 254 bytes without a zero moves what follows.
        raw = bytes(view[2 : 2 + n])
        shift = 2  # raw[i] lies at buf[i + shift]
        code = 1
        i = 0
        while True:
            zero = raw.find(b"\x00", i)
            stop = n if zero < 0 else zero
            while stop - i > 254 or (stop - i == 254 and zero >= 0):
                buf[code] = 255
                i += 254
                code = i + shift
                shift += 1
                view[i + shift : n + shift] = raw[i:]
            buf[code] = stop - i + 1
            if zero < 0:
                break
            code = zero + shift
            i = zero + 1
        buf[0] = 0
        buf[n + shift] = 0
        return n + shift + 1
