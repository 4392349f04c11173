"""Frames of the link: ASCII lines up, COBS frames down, with log text between them (FORMATS.md, "The link")."""

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


def request(id: int, name: str, *args) -> bytes:
    """The line that asks for `name`; integers among `args` are written in decimal. ValueError if it would not be a sound line."""
    words = ["%02x" % (id & 255), name]
    words.extend([str(arg) for arg in args])
    body = " ".join(words).encode()
    for code in body:
        if not 32 <= code < 127 or code == _STAR:
            raise ValueError("a request is printable ASCII without *")
    line = b"~" + body + b"*" + ("%08x" % crc32(body)).encode() + b"\n"
    if len(line) > MAX_LINE:
        raise ValueError("a request is at most 200 bytes")
    return line


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


def cobs_encode(data: bytes) -> bytes:
    """COBS of any bytes, without delimiters."""
    out = bytearray()
    at = 0
    while True:
        zero = data.find(b"\x00", at)
        stop = len(data) if zero < 0 else zero
        while stop - at >= 254:
            out.append(255)
            out.extend(data[at : at + 254])
            at += 254
            if at == len(data):
                return bytes(out)
        out.append(stop - at + 1)
        out.extend(data[at:stop])
        if zero < 0:
            return bytes(out)
        at = zero + 1


def cobs_decode(data: bytes):
    """The bytes that `data` stands for, or None if it is not COBS."""
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        end = at + code
        if code == 0 or end > len(data) or data.find(b"\x00", at, end) >= 0:
            return None
        out.extend(data[at + 1 : end])
        if code < 255 and end < len(data):
            out.append(0)
        at = end
    return bytes(out)


def open_frame(chunk: bytes):
    """(type, id, payload) of what stood between two delimiters, or None if it is no frame."""
    if not 7 <= len(chunk) <= MAX_FRAME - 2:
        return None
    body = cobs_decode(chunk)
    if body is None or len(body) < 6 or struct.unpack("<I", body[-4:])[0] != crc32(body[:-4]):
        return None
    return body[0], body[1], body[2:-4]


class FrameDecoder:
    """Frames and text out of what a device sends; never holds more than one frame's bytes, whatever arrives.

    Text is what stands between delimiters and is no frame: bytes as they came, to be sanitized before they reach a terminal.
    """

    def __init__(self):
        self._pending = bytearray()
        self._text = False  # too long for a frame: text up to the next delimiter

    def feed(self, data: bytes):
        """A list of ("frame", type, id, payload) and ("text", bytes) that `data` completes."""
        found = []
        at = 0
        data = bytes(data)
        while at < len(data):
            zero = data.find(b"\x00", at)
            stop = len(data) if zero < 0 else zero
            if self._text:
                if stop > at:
                    found.append(("text", data[at:stop]))
            elif len(self._pending) + stop - at > MAX_FRAME:
                found.append(("text", bytes(self._pending) + data[at:stop]))
                self._pending = bytearray()
                self._text = True
            else:
                self._pending.extend(data[at:stop])
            if zero >= 0:
                self._text = False
                if self._pending:
                    chunk = bytes(self._pending)
                    self._pending = bytearray()
                    frame = open_frame(chunk)
                    found.append(("text", chunk) if frame is None else ("frame",) + frame)
            at = stop + 1
        return found

    def idle(self):
        """To be called when nothing has come for a while: a list with the text that waits for its delimiter, if it is plain text."""
        for code in self._pending:
            if code < 9 or code == 127:
                return []
        if not self._pending:
            return []
        text = bytes(self._pending)
        self._pending = bytearray()
        self._text = True
        return [("text", text)]
