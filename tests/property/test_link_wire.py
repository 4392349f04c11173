"""Whatever the line does to frames and requests: nothing raises, nothing grows, and what arrives whole is what was sent."""

import binascii
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from retrostep_core.link import answers, caller, frames, messages
from test_link_server import Desk, filled

PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), min_size=1, max_size=20)
NAMES = ["HELLO", "LIST", "READ", "CONFIRM", "CLOCK", "LIMITS", "STATUS", "WATCH", "ERASE_CONFIRMED"]
LOGS = filled(2).logs


def frame(type: int, id: int, payload: bytes) -> bytes:
    encoder = frames.FrameEncoder()
    encoder.payload[: len(payload)] = payload
    return bytes(encoder.view[: encoder.finish(type, id, len(payload))])


def fed(decoder: caller.FrameDecoder, data: bytes, sizes: list[int]) -> list[Any]:
    """What `data` decodes to when it arrives in pieces of these sizes, over and over."""
    found = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        found += decoder.feed(data[at : at + size])
        at += size
        turn += 1
    return found


def told_frames(found: list[Any]) -> list[Any]:
    return [x[1:] for x in found if x[0] == "frame"]


def joined_text(found: list[Any]) -> bytes:
    return b"".join(x[1] for x in found if x[0] == "text")


@given(st.binary(max_size=700))
def test_cobs_comes_back(data: bytes) -> None:
    coded = caller.cobs_encode(data)
    assert 0 not in coded and len(coded) <= len(data) + len(data) // 254 + 1
    assert caller.cobs_decode(coded) == data


@given(st.lists(st.sampled_from([b"\x00", b"\x01", b"\x00" * 9, b"\xff" * 253, b"a" * 254, b"b" * 255]), max_size=8).map(b"".join))
def test_frames_with_long_runs_come_back(payload: bytes) -> None:
    payload = payload[:1028]
    assert told_frames(caller.FrameDecoder().feed(frame(3, 9, payload))) == [(3, 9, payload)]


@given(
    st.lists(st.one_of(st.tuples(st.integers(1, 255), st.binary(max_size=300)), st.text(min_size=1, max_size=20)), max_size=4),
    st.lists(st.integers(1, 90), min_size=1, max_size=5),
)
def test_frames_and_text_arrive_in_any_pieces(sent: list[Any], sizes: list[int]) -> None:
    data = b""
    told: list[Any] = []
    text = b""
    for what in sent:
        if isinstance(what, str):
            line = what.replace("\x00", "").encode()
            data += line
            text += line
        else:
            data += frame(what[0], 1, what[1])
            told.append((what[0], 1, what[1]))
    decoder = caller.FrameDecoder()
    found = fed(decoder, data + b"\x00", sizes)
    assert told_frames(found) == told
    assert joined_text(found) == text


@given(st.binary(max_size=3000), st.lists(st.integers(1, 900), min_size=1, max_size=5))
@settings(max_examples=200)
def test_noise_is_text_and_is_not_kept(data: bytes, sizes: list[int]) -> None:
    decoder = caller.FrameDecoder()
    found = fed(decoder, data, sizes)
    assert len(decoder._pending) <= frames.MAX_FRAME
    found += decoder.feed(b"\x00")
    assert told_frames(found) == []
    assert joined_text(found) == data.replace(b"\x00", b"")


@given(st.binary(min_size=1, max_size=200), st.data())
@settings(max_examples=200)
def test_a_frame_that_was_changed_does_not_pass(payload: bytes, data: st.DataObject) -> None:
    sound = frame(3, 9, payload)
    place = data.draw(st.integers(1, len(sound) - 2))
    what = data.draw(st.sampled_from(["flip", "drop", "double"]))
    if what == "flip":
        changed = sound[:place] + bytes([sound[place] ^ data.draw(st.integers(1, 255))]) + sound[place + 1 :]
    elif what == "drop":
        changed = sound[:place] + sound[place + 1 :]
    else:
        changed = sound[:place] + sound[place : place + 1] + sound[place:]
    found = told_frames(caller.FrameDecoder().feed(changed + sound))
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
def test_requests_come_back(id: int, name: str, args: list[Any]) -> None:
    decoder = frames.LineDecoder()
    line = caller.request(id, name, *args)
    found = [decoder.put(byte) for byte in b"noise\n" + line]
    assert found[-1] == (id, name, tuple(str(arg) for arg in args))
    assert all(x is None for x in found[:-1])


@given(st.binary(max_size=1000))
@settings(max_examples=200)
def test_lines_of_noise_are_malformed_or_nothing(data: bytes) -> None:
    decoder = frames.LineDecoder()
    for byte in data:
        assert decoder.put(byte) in (None, frames.LineDecoder.MALFORMED)


NUMBERS = st.one_of(st.integers(0, 4), st.integers(0, 6000), st.integers(0, 1 << 40))
ARGUMENTS = st.lists(st.one_of(NUMBERS.map(str), PRINTABLE), max_size=4)


@given(st.lists(st.tuples(st.sampled_from([*NAMES, "NOTHING"]), ARGUMENTS), max_size=5))
@settings(max_examples=300, deadline=None)
def test_any_request_gets_an_answer_of_its_own(asked: list[tuple[str, list[str]]]) -> None:
    desk = Desk()
    desk.store.logs = dict(LOGS)
    for id, (name, args) in enumerate(asked, 1):
        desk.send(caller.request(id, name, *args))
        found = desk.answers()
        assert found and {x[1] for x in found} == {id}
        kinds = [x[0] for x in found]
        assert kinds == [messages.DATA] * len(kinds) or len(kinds) == 1


@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([caller.request(5, name, 1, 0, 9) for name in NAMES])), max_size=20))
@settings(max_examples=200, deadline=None)
def test_nothing_a_host_sends_raises(pieces: list[bytes]) -> None:
    desk = Desk()
    desk.store.logs = dict(LOGS)
    for piece in pieces:
        desk.send(piece)
        desk.poll()
        assert len(desk.server._queue) <= 4
    assert desk.store.logs == LOGS


class Conversation(RuleBasedStateMachine):
    """A host that reads a log over a line which loses requests, cuts answers and takes a few bytes at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(most=50)
        self.desk.store.logs = dict(LOGS)
        self.desk.out.space = 0
        self.log = LOGS[1]
        self.have = bytearray()
        self.id = 0

    @rule(length=st.integers(1, 3000))
    def ask(self, length: int) -> None:
        self.id = self.id % 200 + 1
        self.desk.send(caller.request(self.id, "READ", 1, len(self.have), length))

    @rule(noise=st.binary(max_size=30))
    def disturb(self, noise: bytes) -> None:
        self.desk.send(noise + b"\n")

    @rule(room=st.integers(1, 2000))
    def drain(self, room: int) -> None:
        self.desk.out.space += room
        self.desk.poll()

    @rule(keep=st.integers(0, 3000))
    def receive(self, keep: int) -> None:
        data = self.desk.out.data[:keep]
        self.desk.out.data = b""
        for found in self.desk.decoder.feed(data):
            if found[0] == "frame" and found[1] == messages.DATA:
                answer = answers.unpack(found[1], found[3])
                if answer.offset == len(self.have):
                    self.have += answer.data

    @rule()
    def another_host(self) -> None:
        self.desk.send(caller.request(250, "HELLO"))
        assert len(self.desk.server._queue) <= 1

    @invariant()
    def what_arrived_is_the_log(self) -> None:
        assert self.log.startswith(bytes(self.have))

    def teardown(self) -> None:
        self.desk.out.space = 10_000_000
        self.desk.out.data = b""
        self.desk.decoder = caller.FrameDecoder()
        self.desk.send(b"\n" + caller.request(249, "HELLO"))
        self.desk.poll()
        self.desk.send(caller.request(251, "CONFIRM", 1, len(self.log), binascii.crc32(self.log)))
        self.desk.poll()
        assert self.desk.store.oks == {1: (len(self.log), binascii.crc32(self.log))}


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
