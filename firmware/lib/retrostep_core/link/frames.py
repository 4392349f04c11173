"""The device's half of the frames: request lines in, COBS frames out (FORMATS.md, "The link"). The host's half is host_frames.py."""

import binascii
import struct

from ..constants import const

# As in link/host_frames.py.
_MAX_LINE = const(200)
_MAX_DATA = const(1024)
_TILDE = const(126)
_STAR = const(42)
_LF = const(10)
_CR = const(13)
# No request is shorter: ~, id, space, a name of one letter, *, CRC.
_SHORTEST = const(14)
_CRC_CHARS = const(8)
# The characters of a request between ~ and its last *.
_PRINTABLE = bytes([code for code in range(32, 127) if code != _STAR])


def crc32(data) -> int:
    """CRC-32 of `data`, as in zlib."""
    return binascii.crc32(data) & 0xFFFFFFFF


class LineDecoder:
    """Finds requests in the bytes of a host, in a fixed buffer. Built-in functions search and copy: a loop over bytes is too slow."""

    MALFORMED = (0, b"", ())

    def __init__(self):
        # A request of which only a part has arrived. One that is too long is cut off.
        self._line = bytearray(_MAX_LINE)
        self._view = memoryview(self._line)
        self._length = 0
        self._at_line_start = True

    def feed(self, buf, n: int, report):
        """Take the first `n` bytes of `buf`. Calls report((id, name, args)) for every valid request that ends in them.

        The name and the arguments are bytes, printable ASCII. Every other line that begins with ~ gives MALFORMED; other lines are ignored.
        """
        view = memoryview(buf)
        at = 0
        length = self._length
        while at < n:
            if length == 0:
                if buf[at] != _TILDE or not self._at_line_start:
                    at = buf.find(b"\n~", at, n) + 1
                    if at == 0:
                        self._at_line_start = buf[n - 1] == _LF
                        return
                self._at_line_start = False
            end = buf.find(b"\n", at, n)
            if end < 0 or length:
                count = (n if end < 0 else end) - at
                if count > _MAX_LINE - length:
                    count = _MAX_LINE - length
                self._view[length : length + count] = view[at : at + count]
                length += count
                if end < 0:
                    self._length = length
                    return
                report(_parse(self._view, 0, length))
                self._length = length = 0
            elif end - at < _SHORTEST:
                report(self.MALFORMED)
            else:
                report(_parse(view, at, end))
            self._at_line_start = True
            at = end + 1


def _parse(view, start: int, end: int):
    """The request in view[start:end], a line that begins with ~ and has no line end; LineDecoder.MALFORMED if it is none."""
    if not _SHORTEST <= end - start < _MAX_LINE:
        return LineDecoder.MALFORMED
    if view[end - 1] == _CR:
        end -= 1
    star = end - 1 - _CRC_CHARS
    if view[star] != _STAR:
        return LineDecoder.MALFORMED
    body = bytes(view[start + 1 : star])
    try:
        if int.from_bytes(binascii.unhexlify(view[star + 1 : end]), "big") != crc32(body):
            return LineDecoder.MALFORMED
        words = body.split(b" ")
        id = binascii.unhexlify(words.pop(0))
        name = words.pop(0)
    except (ValueError, IndexError):
        return LineDecoder.MALFORMED
    simple = name.isalpha()
    for word in words:
        simple = simple and word.isdigit()
    # What is left after strip() is no printable ASCII, or a second *.
    if len(id) != 1 or not simple and (not name or b"" in words or body.strip(_PRINTABLE)):
        return LineDecoder.MALFORMED
    return id[0], name, words


class FrameEncoder:
    """Makes one frame at a time in one buffer: write into `.payload`, call finish(), send `.view[:length]`."""

    def __init__(self, room: int = _MAX_DATA + 4):
        # Delimiter, code byte, type and id; after the payload its CRC, a byte for every 254 without a zero, delimiter.
        self._buf = bytearray(4 + room + 4 + (room + 6) // 254 + 1)
        self.view = memoryview(self._buf)
        self.payload = self.view[4 : 4 + room]

    def finish(self, type: int, id: int, count: int) -> int:
        """Make a frame of the first `count` bytes of the payload; its length is returned. The payload is overwritten."""
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
