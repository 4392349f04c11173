"""Frames and requests over a line with any fault: no exception, bounded memory, and complete frames arrive unchanged."""

import binascii
import re
import zlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from retrostep_core.link import answers, frames, host_frames, messages
from support.link_host import LinkHost, store_with_logs

PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), min_size=1, max_size=20)
NAMES = ["HELLO", "LIST", "READ", "CONFIRM", "CLOCK", "LIMITS", "STATUS", "WATCH", "ERASE_CONFIRMED"]
LOGS = store_with_logs(2).logs


def frame(type: int, id: int, payload: bytes) -> bytes:
    encoder = frames.FrameEncoder()
    encoder.payload[: len(payload)] = payload
    return bytes(encoder.view[: encoder.finish(type, id, len(payload))])


def fed(decoder: host_frames.FrameDecoder, data: bytes, sizes: list[int]) -> list[Any]:
    """What `data` decodes to if it arrives in pieces of these sizes, repeated."""
    found = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        found += decoder.feed(data[at : at + size])
        at += size
        turn += 1
    return found


def frames_of(found: list[Any]) -> list[Any]:
    return [x[1:] for x in found if x[0] == "frame"]


def joined_text(found: list[Any]) -> bytes:
    return b"".join(x[1] for x in found if x[0] == "text")


@given(st.binary(max_size=700))
def test_cobs_decodes_what_it_encoded(data: bytes) -> None:
    coded = host_frames.cobs_encode(data)
    assert 0 not in coded and len(coded) <= len(data) + len(data) // 254 + 1
    assert host_frames.cobs_decode(coded) == data


@given(st.lists(st.sampled_from([b"\x00", b"\x01", b"\x00" * 9, b"\xff" * 253, b"a" * 254, b"b" * 255]), max_size=8).map(b"".join))
def test_frames_with_long_runs_are_decoded(payload: bytes) -> None:
    payload = payload[:1028]
    assert frames_of(host_frames.FrameDecoder().feed(frame(3, 9, payload))) == [(3, 9, payload)]


@given(
    st.lists(st.one_of(st.tuples(st.integers(1, 255), st.binary(max_size=300)), st.text(min_size=1, max_size=20)), max_size=4),
    st.lists(st.integers(1, 90), min_size=1, max_size=5),
)
def test_frames_and_text_arrive_in_any_pieces(sent: list[Any], sizes: list[int]) -> None:
    data = b""
    sent: list[Any] = []
    text = b""
    for what in sent:
        if isinstance(what, str):
            line = what.replace("\x00", "").encode()
            data += line
            text += line
        else:
            data += frame(what[0], 1, what[1])
            sent.append((what[0], 1, what[1]))
    decoder = host_frames.FrameDecoder()
    found = fed(decoder, data + b"\x00", sizes)
    assert frames_of(found) == sent
    assert joined_text(found) == text


@given(st.binary(max_size=3000), st.lists(st.integers(1, 900), min_size=1, max_size=5))
@settings(max_examples=200)
def test_noise_is_text_and_is_not_kept(data: bytes, sizes: list[int]) -> None:
    decoder = host_frames.FrameDecoder()
    found = fed(decoder, data, sizes)
    assert len(decoder._pending) <= host_frames.MAX_FRAME
    found += decoder.feed(b"\x00")
    assert frames_of(found) == []
    assert joined_text(found) == data.replace(b"\x00", b"")


@given(st.binary(min_size=1, max_size=200), st.data())
@settings(max_examples=200)
def test_a_frame_that_was_changed_does_not_pass(payload: bytes, data: st.DataObject) -> None:
    valid = frame(3, 9, payload)
    place = data.draw(st.integers(1, len(valid) - 2))
    what = data.draw(st.sampled_from(["flip", "drop", "double"]))
    if what == "flip":
        changed = valid[:place] + bytes([valid[place] ^ data.draw(st.integers(1, 255))]) + valid[place + 1 :]
    elif what == "drop":
        changed = valid[:place] + valid[place + 1 :]
    else:
        changed = valid[:place] + valid[place : place + 1] + valid[place:]
    found = frames_of(host_frames.FrameDecoder().feed(changed + valid))
    assert found[-1] == (3, 9, payload)
    assert all(x == (3, 9, payload) for x in found)


@given(st.integers(0, 255), st.binary(max_size=1100))
@settings(max_examples=400)
def test_any_answer_unpacks_or_is_refused(type: int, payload: bytes) -> None:
    try:
        answers.unpack(type, payload)
    except ValueError as error:
        assert str(error)


@given(st.integers(0, 255), PRINTABLE, st.lists(st.one_of(PRINTABLE, st.integers(0, 1 << 64)), max_size=4))
def test_requests_are_decoded(id: int, name: str, args: list[Any]) -> None:
    decoder = frames.LineDecoder()
    line = host_frames.request(id, name, *args)
    found: list[Any] = []
    data = bytearray(b"noise\n" + line)
    decoder.feed(data, len(data), found.append)
    assert found == [(id, name.encode(), [str(arg).encode() for arg in args])]


@given(st.binary(max_size=1000))
@settings(max_examples=200)
def test_lines_of_noise_are_malformed_or_nothing(data: bytes) -> None:
    decoder = frames.LineDecoder()
    found: list[Any] = []
    decoder.feed(bytearray(data), len(data), found.append)
    assert all(request is frames.LineDecoder.MALFORMED for request in found)


def requests_in(data: bytes) -> list[Any]:
    """What a LineDecoder must find, as FORMATS.md defines it: a line that begins with ~ is a request, or it is malformed."""
    found: list[Any] = []
    for line in data.split(b"\n")[:-1]:
        if not line.startswith(b"~"):
            continue
        match = re.fullmatch(rb"~((?:[0-9a-fA-F]{2})(?: [!-)+-~]+)+)\*([0-9a-fA-F]{8})\r?", line)
        if match is None or len(line) > 199 or int(match[2], 16) != zlib.crc32(match[1]):
            found.append(frames.LineDecoder.MALFORMED)
        else:
            id, name, *args = match[1].split(b" ")
            found.append((int(id, 16), name, args))
    return found


ANY_LINE = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b"\n", b"~", b"\r", b"*", b"~\n", b"x" * 198, b"~" + b"x" * 198 + b"\n", b"~" + b"x" * 199 + b"\n"]),
    st.builds(host_frames.request, st.integers(0, 255), PRINTABLE, PRINTABLE),
    st.builds(lambda line: line[:-1] + b"\r\n", st.builds(host_frames.request, st.integers(0, 255), PRINTABLE)),
    st.builds(
        lambda body: b"~" + body + b"*%08X\n" % zlib.crc32(body),
        st.sampled_from([b"05", b"5 HELLO", b"05  HELLO", b"05 ", b"gg HELLO", b"05 A*B", b"05 A\x7f", b"Af A", b"+5 A", b"05 \xe9"]),
    ),
)


@given(st.lists(ANY_LINE, max_size=12).map(b"".join), st.lists(st.integers(1, 80), min_size=1, max_size=9))
@settings(max_examples=500)
def test_requests_are_found_in_any_bytes_however_they_arrive(data: bytes, sizes: list[int]) -> None:
    decoder = frames.LineDecoder()
    found: list[Any] = []
    buf = bytearray(80)
    at = turn = 0
    while at < len(data):
        piece = data[at : at + sizes[turn % len(sizes)]]
        buf[: len(piece)] = piece
        decoder.feed(buf, len(piece), found.append)
        at += len(piece)
        turn += 1
    assert found == requests_in(data)


NUMBERS = st.one_of(st.integers(0, 4), st.integers(0, 6000), st.integers(0, 1 << 40))
ARGUMENTS = st.lists(st.one_of(NUMBERS.map(str), PRINTABLE), max_size=4)


@given(st.lists(st.tuples(st.sampled_from([*NAMES, "NOTHING"]), ARGUMENTS), max_size=5))
@settings(max_examples=300, deadline=None)
def test_every_request_gets_its_own_answer(asked: list[tuple[str, list[str]]]) -> None:
    host = LinkHost()
    host.store.logs = dict(LOGS)
    for id, (name, args) in enumerate(asked, 1):
        host.send(host_frames.request(id, name, *args))
        found = host.answers()
        assert found and {x[1] for x in found} == {id}
        kinds = [x[0] for x in found]
        assert kinds == [messages.DATA] * len(kinds) or len(kinds) == 1


@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([host_frames.request(5, name, 1, 0, 9) for name in NAMES])), max_size=20))
@settings(max_examples=200, deadline=None)
def test_nothing_a_host_sends_raises(pieces: list[bytes]) -> None:
    host = LinkHost()
    host.store.logs = dict(LOGS)
    for piece in pieces:
        host.send(piece)
        host.poll()
        assert len(host.server._queue) <= 4
    assert host.store.logs == LOGS


class Conversation(RuleBasedStateMachine):
    """A host that reads a log over a line that loses requests, cuts answers and accepts a few bytes at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.host = LinkHost(most=50)
        self.host.store.logs = dict(LOGS)
        self.host.out.space = 0
        self.log = LOGS[1]
        self.have = bytearray()
        self.id = 0

    @rule(length=st.integers(1, 3000))
    def ask(self, length: int) -> None:
        self.id = self.id % 200 + 1
        self.host.send(host_frames.request(self.id, "READ", 1, len(self.have), length))

    @rule(noise=st.binary(max_size=30))
    def disturb(self, noise: bytes) -> None:
        self.host.send(noise + b"\n")

    @rule(room=st.integers(1, 2000))
    def drain(self, room: int) -> None:
        self.host.out.space += room
        self.host.poll()

    @rule(keep=st.integers(0, 3000))
    def receive(self, keep: int) -> None:
        data = self.host.out.data[:keep]
        self.host.out.data = b""
        for found in self.host.decoder.feed(data):
            if found[0] == "frame" and found[1] == messages.DATA:
                answer = answers.unpack(found[1], found[3])
                if answer.offset == len(self.have):
                    self.have += answer.data

    @rule()
    def another_host(self) -> None:
        self.host.send(host_frames.request(250, "HELLO"))
        assert len(self.host.server._queue) <= 1

    @invariant()
    def what_arrived_is_the_log(self) -> None:
        assert self.log.startswith(bytes(self.have))

    def teardown(self) -> None:
        self.host.out.space = 10_000_000
        self.host.out.data = b""
        self.host.decoder = host_frames.FrameDecoder()
        self.host.send(b"\n" + host_frames.request(249, "HELLO"))
        self.host.poll()
        self.host.send(host_frames.request(251, "CONFIRM", 1, len(self.log), binascii.crc32(self.log)))
        self.host.poll()
        assert self.host.store.oks == {1: len(self.log)}


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
