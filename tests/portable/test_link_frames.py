"""Frames and lines: what is sent arrives, and nothing else passes for it."""

import binascii

from retrostep_core.link import frames as f
from retrostep_core.link import host_frames


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
    decoder.feed(bytearray(data), len(data), found.append)
    return found


def test_frames_of_any_length_come_back():
    encoder = f.FrameEncoder()
    decoder = host_frames.FrameDecoder()
    for n in (0, 1, 2, 246, 247, 248, 249, 250, 251, 253, 254, 255, 256, 500, 501, 502, 508, 509, 600, 1000, 1023, 1024, 1027, 1028):
        for kind in range(4):
            payload = pattern(kind, n)
            encoder.payload[:n] = payload
            length = encoder.finish(3, n & 255, n)
            frame = bytes(encoder.view[:length])
            assert length <= host_frames.MAX_FRAME
            assert frame[0] == 0 and frame[-1] == 0 and frame[1:-1].find(b"\x00") < 0
            assert decoder.feed(frame) == [("frame", 3, n & 255, payload)]
            assert frame[1:-1] == host_frames.cobs_encode(host_frames.cobs_decode(frame[1:-1]))


def test_runs_without_a_zero_of_every_length_and_a_buffer_just_large_enough():
    decoder = host_frames.FrameDecoder()
    for run in (1, 2, 252, 253, 254, 255, 256, 507, 508, 509, 510):
        # The run begins with type and id. The second zero ends another run.
        for payload in (b"\1" * (run - 2) + b"\0\2\0", b"\0" + b"\1" * run + b"\0", b"\0" + b"\1" * run):
            encoder = f.FrameEncoder(len(payload))
            encoder.payload[:] = payload
            frame = bytes(encoder.view[: encoder.finish(3, 1, len(payload))])
            assert frame[1:-1] == host_frames.cobs_encode(host_frames.cobs_decode(frame[1:-1]))
            assert decoder.feed(frame) == [("frame", 3, 1, payload)], run
    for room in list(range(240, 260)) + list(range(494, 514)):
        encoder = f.FrameEncoder(room)
        assert len(encoder.payload) == room
        encoder.payload[:] = b"\xff" * room
        frame = bytes(encoder.view[: encoder.finish(255, 255, room)])
        assert decoder.feed(frame) == [("frame", 255, 255, b"\xff" * room)], room


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
        assert host_frames.cobs_encode(data) == coded
        assert host_frames.cobs_decode(coded) == data


def test_text_between_frames_is_reply_apart():
    encoder = f.FrameEncoder()
    encoder.payload[:3] = b"abc"
    frame = bytes(encoder.view[: encoder.finish(4, 9, 3)])
    decoder = host_frames.FrameDecoder()
    data = b"hello\r\n" + frame + b"more" + frame + frame + b"rest"
    whole = decoder.feed(data)
    reply = ("frame", 4, 9, b"abc")
    assert whole == [("text", b"hello\r\n"), reply, ("text", b"more"), reply, reply]
    assert decoder.idle() == [("text", b"rest")]
    assert decoder.idle() == []
    single = host_frames.FrameDecoder()
    found = []
    for i in range(len(data)):
        found.extend(single.feed(data[i : i + 1]))
    assert found == whole


def test_text_that_was_given_out_early_does_not_come_again():
    decoder = host_frames.FrameDecoder()
    assert decoder.feed(b"half a li") == []
    assert decoder.idle() == [("text", b"half a li")]
    assert decoder.feed(b"ne") == [("text", b"ne")]
    assert decoder.feed(b"\x00") == []


def test_a_frame_under_way_is_not_taken_for_text():
    encoder = f.FrameEncoder()
    encoder.payload[:300] = bytes(300)
    frame = bytes(encoder.view[: encoder.finish(3, 1, 300)])
    decoder = host_frames.FrameDecoder()
    assert decoder.feed(frame[:200]) == [] and decoder.idle() == []
    assert decoder.feed(frame[200:]) == [("frame", 3, 1, bytes(300))]


def test_a_damaged_frame_is_no_frame_and_the_next_one_is():
    encoder = f.FrameEncoder()
    encoder.payload[:40] = pattern(2, 40)
    valid = bytes(encoder.view[: encoder.finish(3, 7, 40)])
    for place in range(len(valid)):
        decoder = host_frames.FrameDecoder()
        found = decoder.feed(valid[:place] + bytes([valid[place] ^ 4]) + valid[place + 1 :] + valid)
        assert [x for x in found if x[0] == "frame"] == [("frame", 3, 7, pattern(2, 40))]


def test_endless_noise_is_passed_on_not_kept():
    decoder = host_frames.FrameDecoder()
    total = 0
    for _ in range(100):
        for kind, text in decoder.feed(b"x" * 999):
            assert kind == "text"
            total += len(text)
        assert len(decoder._pending) <= host_frames.MAX_FRAME
    assert total > 98000


def test_requests_come_back():
    decoder = f.LineDecoder()
    line = host_frames.request(5, "READ", 12, 4096, 1024)
    assert line == b"~05 READ 12 4096 1024*" + ("%08x" % (binascii.crc32(line[1:-10]) & 0xFFFFFFFF)).encode() + b"\n"
    assert lines(decoder, line) == [(5, b"READ", [b"12", b"4096", b"1024"])]
    assert lines(decoder, host_frames.request(255, "HELLO")[:-1] + b"\r\n") == [(255, b"HELLO", [])]


def test_requests_are_found_wherever_the_reads_divide_them():
    first, second = host_frames.request(7, "READ", 12, 0, 4096), host_frames.request(8, "LIST", 0)
    found = [(7, b"READ", [b"12", b"0", b"4096"]), f.LineDecoder.MALFORMED, (8, b"LIST", [b"0"])]
    data = b"x~y\n" + first + b"~bad\nnoise\n" + second[:-1] + b"\r\n"
    for a in range(len(data) + 1):
        decoder = f.LineDecoder()
        assert lines(decoder, data[:a]) + lines(decoder, data[a:]) == found, a
        for b in range(a, len(data) + 1, 7):
            decoder = f.LineDecoder()
            assert lines(decoder, data[:a]) + lines(decoder, data[a:b]) + lines(decoder, data[b:]) == found, (a, b)
    # What a buffer holds behind its first bytes does not count.
    decoder, got = f.LineDecoder(), []
    decoder.feed(bytearray(first + second), len(first) - 1, got.append)
    assert got == []
    decoder.feed(bytearray(b"\n" + second), 1, got.append)
    assert got == found[:1]


def test_the_shortest_and_the_longest_request():
    def line(length):
        body = b"05 " + b"A" * (length - 13)
        return b"~" + body + b"*" + ("%08x" % (binascii.crc32(body) & 0xFFFFFFFF)).encode()

    for length, valid in ((13, False), (14, True), (15, True), (199, True), (200, False), (201, False), (300, False)):
        for divide in (None, 5, length - 1):
            for ending in (b"\n", b"\r\n"):
                data = line(length) + ending
                # The limit is that of the line without its newline.
                is_valid = valid and not (length == 199 and ending == b"\r\n")
                decoder = f.LineDecoder()
                found = lines(decoder, data) if divide is None else lines(decoder, data[:divide]) + lines(decoder, data[divide:])
                expected = (5, b"A" * (length - 12 - 1), []) if is_valid else f.LineDecoder.MALFORMED
                assert found == [expected], (length, divide, ending)
                assert lines(decoder, host_frames.request(1, "HELLO")) == [(1, b"HELLO", [])]
    assert f.LineDecoder.MALFORMED == (0, b"", ())
    assert (host_frames.MAX_LINE, host_frames.MAX_FRAME, host_frames.MAX_DATA) == (200, 1200, 1024)


def test_arguments_may_have_any_printable_character_but_a_star():
    printable = bytes([code for code in range(33, 127) if code != 42])
    decoder = f.LineDecoder()

    def line(body):
        return b"~" + body + b"*" + ("%08x" % (binascii.crc32(body) & 0xFFFFFFFF)).encode() + b"\n"

    for at in range(len(printable)):
        char = printable[at : at + 1]
        assert lines(decoder, line(b"05 A " + char)) == [(5, b"A", [char])]
        assert lines(decoder, line(b"05 " + char + b" 1 2")) == [(5, char, [b"1", b"2"])]
    for code in (0, 9, 31, 42, 127, 128, 255):
        char = bytes([code])
        for body in (b"05 A " + char, b"05 " + char + b" 1", b"05 A 1 2" + char + b"3 4", b"05 A" + char + b"B"):
            assert lines(decoder, line(body)) == [f.LineDecoder.MALFORMED], body
    for body in (b"05 A ", b"05 A  1", b"05 A 1 ", b"05  A", b"05 ", b"0505 A 1", b"0 A 1", b"5 A", b"x5 A 1", b" 05 A 1"):
        assert lines(decoder, line(body)) == [f.LineDecoder.MALFORMED], body


def test_what_is_no_request_is_ignored():
    decoder = f.LineDecoder()
    for junk in (b"\n\n\r\n", b"print(1)\r\n", b"\x01\x02\x03\x04\n", b" ~05 HELLO*00000000\n", b"x" * 1000 + b"\n"):
        assert lines(decoder, junk) == []
    assert lines(decoder, host_frames.request(1, "HELLO")) == [(1, b"HELLO", [])]


def test_a_damaged_request_is_said_to_be_malformed():
    line = host_frames.request(5, "CLOCK", 1795000000000)
    for place in range(1, len(line) - 1):
        decoder = f.LineDecoder()
        found = lines(decoder, line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :])
        assert found == [f.LineDecoder.MALFORMED], (place, found)
        assert lines(decoder, line) == [(5, b"CLOCK", [b"1795000000000"])]
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
            host_frames.request(1, *args)
            made = True
        except ValueError:
            made = False
        assert not made, args
