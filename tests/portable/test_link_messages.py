"""What requests and answers carry comes back as it was packed."""

from retrostep_core.link import answers, payloads
from retrostep_core.link import messages as m
from retrostep_core.log.decoded import Totals

BUF = bytearray(1028)
VIEW = memoryview(BUF)


def refused(kind, payload):
    try:
        answers.unpack(kind, payload)
    except ValueError:
        return True
    return False


def test_answers_come_back():
    hello = answers.Hello(1, (0, 1, 0), b"12345678", 1, 7, 1 << 33, 1795000000000, 1900000, 3, 1, "RS-A1", "VIRTUAL", 1 << 31, "Ada left")
    assert answers.unpack(m.HELLO, VIEW[: payloads.pack_hello(VIEW, hello)]) == hello
    status = answers.Status(1, 7, 60000, 2, 1703, Totals(1, 2, 3, 4, 5), 3900, 80, 1900000, 3, 5, 9 | 0x6B << 8)
    assert answers.unpack(m.STATUS, VIEW[: payloads.pack_status(VIEW, status)]) == status
    n = payloads.pack_event(VIEW, m.EVENT_ALERT, 60000, 0, 1, 2, -163, 150)
    assert answers.unpack(m.EVENT, VIEW[:n]) == answers.Event(m.EVENT_ALERT, 60000, 0, 1, 2, -163, 150)
    assert answers.unpack(m.ERROR, VIEW[: payloads.pack_error(VIEW, m.BUSY, "the session is open")]) == answers.Error(
        m.BUSY, "the session is open"
    )
    assert answers.unpack(m.DATA, b"\x00\x01\x00\x00log") == answers.Data(256, b"log")
    assert answers.unpack(m.LIMITS, bytes(range(24))) == answers.LimitsInForce(bytes(range(24)))
    for i in range(m.LIST_MOST):
        payloads.pack_entry(VIEW, i, 1000 + i, 40000 + i, i % 4)
    n = payloads.pack_list(VIEW, m.LIST_MOST, True)
    page = answers.unpack(m.LIST, VIEW[:n])
    assert n <= 1028 and page.more and page.sessions[99] == answers.Entry(1099, 40099, 3)
    for mount in ("+y+z+x", "-y-z+x", "?"):
        calibration = answers.Calibration(3, 5, 0, mount)
        assert answers.unpack(m.CALIBRATION, VIEW[: payloads.pack_calibration(VIEW, calibration)]) == calibration
    assert answers.ok_ticks(answers.unpack(m.OK, b"\x01\x02\x00\x00\x00\x00\x00\x00")) == 513
    assert answers.ok_count(answers.unpack(m.OK, b"\x01\x02")) == 513


def test_measurements_out_of_range_are_clipped():
    status = answers.Status(1, 7, 1 << 40, 2, 1 << 20, Totals(0, 0, 0, 0, 0), -5, 300, -1, 1 << 20, 0, 0)
    back = answers.unpack(m.STATUS, VIEW[: payloads.pack_status(VIEW, status)])
    assert back == answers.Status(1, 7, 4294967295, 2, 65535, Totals(0, 0, 0, 0, 0), 0, 255, 0, 65535, 0, 0)


def test_what_is_too_short_or_not_allowed_is_refused():
    hello = answers.Hello(1, (0, 1, 0), b"12345678", 1, 7, 1, 0, 1900000, 3, 1, "RS-A1B2", "VIRTUAL", 1 << 31, "Ada left")
    n = payloads.pack_hello(VIEW, hello)
    valid = bytes(VIEW[:n])
    old = n - 1 - len(hello.nickname)
    for length in range(old - 4):
        assert refused(m.HELLO, valid[:length])
    for length in range(old - 4, old):
        assert answers.unpack(m.HELLO, valid[:length]).generation == 0, "a HELLO without the field is of generation 0"
    assert answers.unpack(m.HELLO, valid[:old]).nickname == "", "nor has older firmware a nickname"
    for length in range(old + 1, n):
        assert refused(m.HELLO, valid[:length])
    assert refused(m.HELLO, valid[:41] + b"\x1b" + valid[42:])
    assert refused(m.LIST, b"\x00\x01abc") and refused(m.LIST, b"\x00\xff" + bytes(2300))
    assert refused(m.STATUS, bytes(41)) and refused(m.STATUS, b"\x04" * 42)
    assert refused(m.EVENT, bytes(18)) and refused(m.LIMITS, bytes(23)) and refused(m.DATA, bytes(3)) and refused(m.ERROR, b"")
    assert refused(m.CALIBRATION, b"\x03\x05\x00+y+z+") and refused(m.CALIBRATION, b"\x03\x05\x00+y+z\x1b[")
    assert refused(m.CALIBRATION, b"\x03\x05\x00+y+z-x"), "a mirrored mount"
    assert refused(99, b"")
    for read in (answers.ok_ticks, answers.ok_count):
        try:
            read(answers.Ok(b"\x01"))
            raised = False
        except ValueError:
            raised = True
        assert raised


def test_an_error_text_cannot_carry_control_characters():
    assert answers.unpack(m.ERROR, b"\x01a\x1b[2J\xff") == answers.Error(1, "a?[2J?")
