"""The host's half of the frames: request lines out; COBS frames in, with text between them (FORMATS.md, "The link")."""

import struct

from .frames import crc32

MAX_LINE = 200
MAX_FRAME = 1200
MAX_DATA = 1024  # log bytes of one DATA frame

_STAR = 42


def request(id: int, name: str, *args) -> bytes:
    """The request line; integers in `args` become decimal. ValueError where it is not printable ASCII or has more than 200 bytes."""
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


def cobs_encode(data: bytes) -> bytes:
    """`data` in COBS, without the delimiters."""
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
    """The inverse of cobs_encode; None if `data` is not COBS."""
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


def unpack_frame(chunk: bytes):
    """(type, id, payload) of the bytes between two delimiters; None if they are no frame."""
    if not 7 <= len(chunk) <= MAX_FRAME - 2:
        return None
    body = cobs_decode(chunk)
    if body is None or len(body) < 6 or struct.unpack("<I", body[-4:])[0] != crc32(body[:-4]):
        return None
    return body[0], body[1], body[2:-4]


class FrameDecoder:
    """Splits the bytes of a device into frames and text. It never holds more bytes than one frame has.

    Bytes between two delimiters that are no frame are text. They are returned as they came: sanitize them before a terminal gets them.
    """

    def __init__(self):
        self._pending = bytearray()
        self._text = False  # everything up to the next delimiter is text

    def feed(self, data: bytes):
        """Take `data`: a list of the ("frame", type, id, payload) and ("text", bytes) that are complete now."""
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
                    frame = unpack_frame(chunk)
                    found.append(("text", chunk) if frame is None else ("frame",) + frame)
            at = stop + 1
        return found

    def idle(self):
        """Call this when nothing has come for a while: the text that waits for its delimiter, as feed() gives it, if it is plain text."""
        for code in self._pending:
            if code < 9 or code == 127:
                return []
        if not self._pending:
            return []
        text = bytes(self._pending)
        self._pending = bytearray()
        self._text = True
        return [("text", text)]
