"""The console never waits, keeps the speed of the link, and writes text only between frames."""

from hal.console import Console


class Wire:
    def __init__(self):
        self.incoming = bytearray()
        self.out = bytearray()
        self.now_ms = 0
        self.ready = True

    def ipoll(self, timeout):
        assert timeout == 0, "this would wait"
        return [(self, 1)] if self.incoming else []

    def writable(self):
        return self.ready

    def readinto(self, buf):
        assert len(buf) == 1, "more than one byte would wait"
        assert self.incoming, "nothing there: this would wait"
        buf[0] = self.incoming[0]
        self.incoming = self.incoming[1:]
        return 1

    def write(self, data):
        self.out += bytes(data)
        return len(data)

    def console(self, link="uart"):
        return Console(self, self, self.ipoll, self.writable, lambda: self.now_ms, link)


def test_reads_what_is_there_and_no_more():
    wire = Wire()
    console = wire.console()
    buf = bytearray(8)
    assert console.read_into(buf) == 0
    wire.incoming += b"0123456789"
    assert console.read_into(buf) == 8 and buf == b"01234567"
    assert console.read_into(buf) == 2 and buf[:2] == b"89"
    wire.incoming += b"abcde"
    assert console.read_into(buf, 0) == 0
    assert console.read_into(buf, 3) == 3 and buf == b"abc34567"
    assert console.read_into(buf, 3) == 2 and buf == b"dec34567"


def test_a_uart_is_not_given_more_than_it_carries():
    wire = Wire()
    console = wire.console("uart")
    sent = 0
    for now in range(0, 10000, 5):
        wire.now_ms = now
        room = console.room()
        if room >= 1100:
            sent += console.write(bytes(1100))
    assert 0.9 * 115200 <= sent <= 1.05 * 115200 + 1200, sent


def test_no_room_while_the_output_is_not_ready():
    wire = Wire()
    console = wire.console("usb")
    assert console.room() > 1200
    wire.ready = False
    assert console.room() == 0
    wire.ready = True
    assert console.room() > 1200


def test_an_output_that_never_reports_is_limited_by_the_speed():
    wire = Wire()
    wire.ready = False
    console = wire.console("usb")
    assert console.room() > 1200


def test_text_goes_out_when_asked_and_the_oldest_is_dropped():
    wire = Wire()
    console = wire.console("usb")
    for i in range(10):
        console.queue_text("line %d" % i)
    assert wire.out == b""
    console.send_text()
    lines = bytes(wire.out).split(b"\r\n")
    assert lines[0] == b"line 2" and lines[-2] == b"line 9" and lines[-1] == b""


def test_text_waits_for_room():
    wire = Wire()
    console = wire.console("usb")
    console.room()
    wire.ready = False
    console.queue_text("later")
    console.send_text()
    assert wire.out == b""
    wire.ready = True
    console.send_text()
    assert wire.out == b"later\r\n"
