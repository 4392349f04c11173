"""A board that sends without end, on a clock that passes only where somebody waits."""

import random
from collections.abc import Callable

from retrostep_core.link import messages
from retrostep_core.link.frames import FrameEncoder, LineDecoder

from support.waiting_time import Clock

TICK_S = 0.02


def frame(type: int, id: int, payload: bytes) -> bytes:
    """A complete frame, with its CRC."""
    encoder = FrameEncoder()
    encoder.payload[: len(payload)] = payload
    return bytes(encoder.view[: encoder.finish(type, id, len(payload))])


def hello(device: bytes = b"aabbccddeeff", protocol: int = messages.PROTOCOL) -> bytes:
    """The payload of a HELLO."""
    head = bytes([protocol]) + bytes(11) + b"\1" + (7).to_bytes(4, "little") + (5_000).to_bytes(8, "little") + bytes(8)
    return head + bytes(7) + bytes([len(device)]) + device + b"\7VIRTUAL" + (5).to_bytes(4, "little")


class HostileBoard:
    """A Transport. `send(board, dt_s)` gives the bytes that arrive while `dt_s` pass; what the host has asked is in `asked`."""

    path = "/dev/hostile"

    def __init__(self, clock: Clock, send: Callable[["HostileBoard", float], bytes]) -> None:
        self.clock = clock
        self.chance = random.Random(0)
        self.asked: list[tuple[int, bytes, list[bytes]]] = []
        self.raw = bytearray()
        self.reads = 0
        self._send = send
        self._lines = LineDecoder()

    def read(self, timeout_s: float) -> bytes:
        """What arrives within TICK_S, which passes; longer waits are cut short by what the board sends."""
        self.reads += 1
        assert self.reads < 200_000, "the host reads for ever"
        until = self.clock.now_s + max(0.0, timeout_s)
        while True:
            self.clock.sleep(TICK_S)
            data = self._send(self, TICK_S)
            if data or self.clock.now_s >= until:
                return data

    def write(self, data: bytes) -> None:
        """A request of the host."""
        self.raw += data
        self._lines.feed(bytearray(data), len(data), self.asked.append)
        del self.asked[:-50]

    def close(self) -> None:
        """The host closes the port."""

    @property
    def last(self) -> tuple[int, bytes, list[bytes]]:
        """The last request: id, name, arguments."""
        return self.asked[-1] if self.asked else (1, b"", [])


def honest(board: HostileBoard, names: bytes) -> bytes:
    """A true answer to the last request, if its name is in `names`: so that a host comes as far as the request after it."""
    id, name, arguments = board.last
    if not board.asked or name not in names.split():
        return b""
    board.asked.clear()
    if name == b"HELLO":
        return frame(messages.HELLO, id, hello())
    if name == b"CLOCK":
        return frame(messages.OK, id, (6_000).to_bytes(8, "little"))
    if name == b"LIST":
        return frame(messages.LIST, id, b"\0\1" + (3).to_bytes(4, "little") + (20_000).to_bytes(4, "little") + b"\0")
    if name == b"CALIBRATE":
        return frame(messages.CALIBRATION, id, b"\2\0\0+y+z+x")
    assert name == b"WATCH"
    return frame(messages.OK, id, b"")


def silence(board: HostileBoard, dt_s: float) -> bytes:
    """Nothing."""
    return b""


def text(board: HostileBoard, dt_s: float) -> bytes:
    """Log text without end."""
    return b"retrostep: working ...\r\n" * 5


def endless_line(board: HostileBoard, dt_s: float) -> bytes:
    """One line of text, without an end."""
    return b"x" * 230


def noise(board: HostileBoard, dt_s: float) -> bytes:
    """Any bytes."""
    return board.chance.randbytes(230)


def zeros(board: HostileBoard, dt_s: float) -> bytes:
    """Delimiters without frames."""
    return bytes(230)


def one_byte_a_second(board: HostileBoard, dt_s: float) -> bytes:
    """A byte now and then."""
    return b"\x01" if board.chance.random() < dt_s else b""


def echo(board: HostileBoard, dt_s: float) -> bytes:
    """What the host sends, again and again."""
    return bytes(board.raw[-230:])


def late_frames(board: HostileBoard, dt_s: float) -> bytes:
    """Valid answers to requests that nobody waits for."""
    id = (board.last[0] + 100) % 255 + 1
    return b"".join(frame(kind, id, bytes(60)) for kind in (messages.DATA, messages.OK, messages.STATUS))


def torn_requests(board: HostileBoard, dt_s: float) -> bytes:
    """Errors without an id: the board reports that it could not read the request."""
    return frame(messages.ERROR, 0, bytes([messages.MALFORMED]) + b"not a valid request")


def events(board: HostileBoard, dt_s: float) -> bytes:
    """Live events that nobody asked for."""
    return frame(messages.EVENT, 0, bytes([messages.EVENT_STEP]) + bytes(18)) * 6


def status(board: HostileBoard, dt_s: float) -> bytes:
    """STATUS, whatever was asked."""
    return frame(messages.STATUS, board.last[0], bytes(42)) * 4


def wrong_offsets(board: HostileBoard, dt_s: float) -> bytes:
    """DATA with the right id and another offset."""
    return frame(messages.DATA, board.last[0], (0x7FFFFFFF).to_bytes(4, "little") + bytes(200))


def one_byte_frames(board: HostileBoard, dt_s: float) -> bytes:
    """The log that was asked for, one byte a second, each in a frame of its own."""
    id, name, arguments = board.last
    if name != b"READ" or board.chance.random() > dt_s:
        return b""
    return frame(messages.DATA, id, int(arguments[1]).to_bytes(4, "little") + b"R")


def empty_data(board: HostileBoard, dt_s: float) -> bytes:
    """DATA without bytes: the log ends here. Then the same again."""
    id, name, arguments = board.last
    return frame(messages.DATA, id, int(arguments[1]).to_bytes(4, "little")) if name == b"READ" else b""


def endless_list(board: HostileBoard, dt_s: float) -> bytes:
    """Every LIST has more sessions after it."""
    id, name, arguments = board.last
    if name != b"LIST" or not board.asked:
        return b""
    board.asked.clear()
    after = int(arguments[0])
    entries = b"".join((after + k).to_bytes(4, "little") + (500).to_bytes(4, "little") + b"\0" for k in range(1, 3))
    return frame(messages.LIST, id, b"\1\2" + entries)


def full_lists(board: HostileBoard, dt_s: float) -> bytes:
    """Every LIST has a hundred sessions of the largest length, and more after them."""
    id, name, arguments = board.last
    if name != b"LIST" or not board.asked:
        return b""
    board.asked.clear()
    after = int(arguments[0])
    entries = b"".join((after + k).to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\0" for k in range(1, 101))
    return frame(messages.LIST, id, b"\1\x64" + entries)


def list_of_nothing(board: HostileBoard, dt_s: float) -> bytes:
    """Every LIST has a hundred entries of session 0, and more after them."""
    id, name, _ = board.last
    if name != b"LIST" or not board.asked:
        return b""
    board.asked.clear()
    return frame(messages.LIST, id, b"\1\x64" + bytes(900))


def refusals(board: HostileBoard, dt_s: float) -> bytes:
    """Every request is refused, after nine seconds."""
    if board.chance.random() > dt_s / 9:
        return b""
    return frame(messages.ERROR, board.last[0], bytes([messages.BUSY]) + b"later")


def prompts(board: HostileBoard, dt_s: float) -> bytes:
    """MicroPython's prompt, and then text that hides it."""
    return b"\r\n>>> " + b"y" * 200


BEHAVIOURS = (
    silence,
    text,
    endless_line,
    noise,
    zeros,
    one_byte_a_second,
    echo,
    late_frames,
    torn_requests,
    events,
    status,
    wrong_offsets,
    one_byte_frames,
    empty_data,
    endless_list,
    full_lists,
    list_of_nothing,
    refusals,
    prompts,
)
