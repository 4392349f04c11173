"""Frames and lines: what is sent arrives, and nothing else passes for it."""

import binascii

from retrostep_core.link import caller
from retrostep_core.link import frames as f


def pattern(kind, n):
    if kind == 0:
        return bytes(n)
    if kind == 1:
        return b"\x01" * n
    if kind == 2:
        return bytes([(i * 7 + 1) % 256 for i in range(n)])
    return b"\xff" * (n - n // 3) + bytes(n // 3)


def lines(decoder, data):
    found = []
    for byte in data:
        request = decoder.put(byte)
        if request is not None:
            found.append(request)
    return found


def test_frames_of_any_length_come_back():
    encoder = f.FrameEncoder()
    decoder = caller.FrameDecoder()
    for n in (0, 1, 2, 246, 247, 248, 249, 250, 251, 253, 254, 255, 256, 500, 501, 502, 508, 509, 600, 1000, 1023, 1024, 1027, 1028):
        for kind in range(4):
            payload = pattern(kind, n)
            encoder.payload[:n] = payload
            length = encoder.finish(3, n & 255, n)
            frame = bytes(encoder.view[:length])
            assert length <= f.MAX_FRAME
            assert frame[0] == 0 and frame[-1] == 0 and frame[1:-1].find(b"\x00") < 0
            assert decoder.feed(frame) == [("frame", 3, n & 255, payload)]
            assert frame[1:-1] == caller.cobs_encode(caller.cobs_decode(frame[1:-1]))


def test_cobs_of_known_bytes():
    # The examples of Cheshire and Baker's paper, as Wikipedia lists them.
    for data, coded in (
        (b"", b"\x01"),
        (b"\x00", b"\x01\x01"),
        (b"\x00\x00", b"\x01\x01\x01"),
        (b"\x00\x11\x00", b"\x01\x02\x11\x01"),
        (b"\x11\x22\x00\x33", b"\x03\x11\x22\x02\x33"),
        (b"\x11\x22\x33\x44", b"\x05\x11\x22\x33\x44"),
        (b"\x11\x00\x00\x00", b"\x02\x11\x01\x01\x01"),
        (bytes(range(1, 255)), b"\xff" + bytes(range(1, 255))),
        (bytes(range(0, 255)), b"\x01\xff" + bytes(range(1, 255))),
        (bytes(range(1, 256)), b"\xff" + bytes(range(1, 255)) + b"\x02\xff"),
        (bytes(range(2, 256)) + b"\x00", b"\xff" + bytes(range(2, 256)) + b"\x01\x01"),
        (bytes(range(3, 256)) + b"\x00\x01", b"\xfe" + bytes(range(3, 256)) + b"\x02\x01"),
    ):
        assert caller.cobs_encode(data) == coded
        assert caller.cobs_decode(coded) == data


def test_text_between_frames_is_told_apart():
    encoder = f.FrameEncoder()
    encoder.payload[:3] = b"abc"
    frame = bytes(encoder.view[: encoder.finish(4, 9, 3)])
    decoder = caller.FrameDecoder()
    data = b"hello\r\n" + frame + b"more" + frame + frame + b"rest"
    whole = decoder.feed(data)
    told = ("frame", 4, 9, b"abc")
    assert whole == [("text", b"hello\r\n"), told, ("text", b"more"), told, told]
    assert decoder.idle() == [("text", b"rest")]
    assert decoder.idle() == []
    single = caller.FrameDecoder()
    found = []
    for i in range(len(data)):
        found.extend(single.feed(data[i : i + 1]))
    assert found == whole


def test_text_that_was_given_out_early_does_not_come_again():
    decoder = caller.FrameDecoder()
    assert decoder.feed(b"half a li") == []
    assert decoder.idle() == [("text", b"half a li")]
    assert decoder.feed(b"ne") == [("text", b"ne")]
    assert decoder.feed(b"\x00") == []


def test_a_frame_under_way_is_not_taken_for_text():
    encoder = f.FrameEncoder()
    encoder.payload[:300] = bytes(300)
    frame = bytes(encoder.view[: encoder.finish(3, 1, 300)])
    decoder = caller.FrameDecoder()
    assert decoder.feed(frame[:200]) == [] and decoder.idle() == []
    assert decoder.feed(frame[200:]) == [("frame", 3, 1, bytes(300))]


def test_a_damaged_frame_is_no_frame_and_the_next_one_is():
    encoder = f.FrameEncoder()
    encoder.payload[:40] = pattern(2, 40)
    sound = bytes(encoder.view[: encoder.finish(3, 7, 40)])
    for place in range(len(sound)):
        decoder = caller.FrameDecoder()
        found = decoder.feed(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :] + sound)
        assert [x for x in found if x[0] == "frame"] == [("frame", 3, 7, pattern(2, 40))]


def test_endless_noise_is_passed_on_not_kept():
    decoder = caller.FrameDecoder()
    total = 0
    for _ in range(100):
        for kind, text in decoder.feed(b"x" * 999):
            assert kind == "text"
            total += len(text)
        assert len(decoder._pending) <= f.MAX_FRAME
    assert total > 98000


def test_requests_come_back():
    decoder = f.LineDecoder()
    line = caller.request(5, "READ", 12, 4096, 1024)
    assert line == b"~05 READ 12 4096 1024*" + ("%08x" % (binascii.crc32(line[1:-10]) & 0xFFFFFFFF)).encode() + b"\n"
    assert lines(decoder, line) == [(5, "READ", ("12", "4096", "1024"))]
    assert lines(decoder, caller.request(255, "HELLO")[:-1] + b"\r\n") == [(255, "HELLO", ())]


def test_what_is_no_request_is_ignored():
    decoder = f.LineDecoder()
    for junk in (b"\n\n\r\n", b"print(1)\r\n", b"\x01\x02\x03\x04\n", b" ~05 HELLO*00000000\n", b"x" * 1000 + b"\n"):
        assert lines(decoder, junk) == []
    assert lines(decoder, caller.request(1, "HELLO")) == [(1, "HELLO", ())]


def test_a_damaged_request_is_said_to_be_malformed():
    line = caller.request(5, "CLOCK", 1795000000000)
    for place in range(1, len(line) - 1):
        decoder = f.LineDecoder()
        found = lines(decoder, line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :])
        assert found == [f.LineDecoder.MALFORMED], (place, found)
        assert lines(decoder, line) == [(5, "CLOCK", ("1795000000000",))]
    decoder = f.LineDecoder()
    for bad in (b"~\n", b"~*\n", b"~0\n", b"~05*00000000\n", b"~" + b"a" * 300 + b"\n", b"~\xff\xfe*12345678\n"):
        assert lines(decoder, bad) == [f.LineDecoder.MALFORMED], bad


def test_a_sound_crc_does_not_make_an_odd_line_a_request():
    decoder = f.LineDecoder()
    for body in (b"05", b"5 HELLO", b"05  HELLO", b"05 ", b"gg HELLO", b"05 A*B", b"05 A\x7f"):
        line = b"~" + body + b"*" + ("%08x" % (binascii.crc32(body) & 0xFFFFFFFF)).encode() + b"\n"
        assert lines(decoder, line) == [f.LineDecoder.MALFORMED], body


def test_a_request_that_would_not_be_a_line_is_not_made():
    for args in (("READ", "a\nb"), ("READ", "*"), ("A" * 200,), ("READ", "\x1b")):
        try:
            caller.request(1, *args)
            made = True
        except ValueError:
            made = False
        assert not made, args
