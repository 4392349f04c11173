"""The device's half of the link: answers, refusals, and a line that is slow, torn or hostile."""

import binascii

from ram_store import Clock, Identity, RamStore, Wearer
from retrostep_core.gait.limits import Limits
from retrostep_core.link import answers, caller, server
from retrostep_core.link import messages as m
from retrostep_core.log.records import Totals


class Wearable:
    def __init__(self):
        self.identity = Identity()
        self.clock = Clock()
        self.clock.now = 5000
        self.limits = Limits()
        self.broken = False
        self.calibrating = 0
        self.waist = False

    def set_limits(self, limits):
        if self.broken:
            raise OSError(28)
        self.limits = limits

    def calibrate(self, begin):
        if self.waist:
            raise ValueError("only a sensor worn on the shank is calibrated")
        self.calibrating = 1 if begin else 0

    def calibration(self):
        return m.Calibration(self.calibrating, 0, 0, "+y+z+x")

    def status(self):
        return m.Status(0, 0, 0, 3, 0, Totals(0, 0, 0, 0, 0), 3900, 80, 1000, 1, 0)


class Out:
    """The line to the host: takes what there is room for, `most` bytes at a time."""

    def __init__(self, most=100000):
        self.most = most
        self.space = 10000000
        self.data = b""

    def room(self):
        return min(self.most, self.space)

    def write(self, data):
        assert 0 < len(data) <= self.room()
        self.data += bytes(data)
        self.space -= len(data)
        return len(data)


class Desk:
    """A host's desk: a server over a store, and what it answers."""

    def __init__(self, store=None, most=100000):
        self.store = RamStore() if store is None else store
        self.wearable = Wearable()
        self.out = Out(most)
        self.server = server.Server(self.store, self.wearable, self.out)
        self.decoder = caller.FrameDecoder()

    def send(self, data):
        self.server.feed(data, len(data))

    def poll(self):
        n = 0
        while self.server.poll(self.wearable.clock.now):
            n += 1
            assert n < 100000
        return n

    def answers(self):
        self.poll()
        data = self.out.data
        self.out.data = b""
        found = []
        for got in self.decoder.feed(data):
            assert got[0] == "frame", got
            found.append((got[1], got[2], answers.unpack(got[1], got[3])))
        return found

    def ask(self, name, *args):
        self.send(caller.request(7, name, *args))
        found = self.answers()
        assert len(found) == 1 and found[0][1] == 7, found
        return found[0][2]


def filled(count=3):
    store = RamStore()
    for _ in range(count):
        wearer = Wearer(store)
        wearer.turn(1)
        wearer.run(120)
        wearer.session.stop(wearer.clock.now)
    return store


def crc(data):
    return binascii.crc32(data) & 0xFFFFFFFF


def test_hello_says_who_it_is():
    desk = Desk(filled())
    desk.store.confirm(1, desk.store.size(1), 0)
    hello = desk.ask("HELLO")
    assert (hello.protocol, hello.core_version, hello.core_hash) == (1, (0, 1, 0), Identity.core_hash)
    assert (hello.device, hello.board, hello.boot) == ("RS-TEST", "VIRTUAL", 1)
    assert (hello.ticks_ms, hello.epoch_ms, hello.unsynced, hello.state) == (5000, 0, 2, 0)
    assert hello.free_bytes == desk.store.free_bytes()


def test_list_goes_on_after_a_number():
    desk = Desk()
    for number in range(1, 251):
        desk.store.logs[number] = b"x" * number
    desk.store.confirm(2, 2, 0)
    desk.store.open_number = 250
    first = desk.ask("LIST", 0)
    assert first.more and len(first.sessions) == 100 and first.sessions[1] == answers.Entry(2, 2, m.CONFIRMED)
    last = desk.ask("LIST", 200)
    assert not last.more and last.sessions[0] == answers.Entry(201, 201, 0) and last.sessions[-1] == answers.Entry(250, 250, m.OPEN)
    assert desk.ask("LIST", 250).sessions == ()


def test_list_is_put_together_a_few_at_a_time():
    desk = Desk()
    for number in range(1, 31):
        desk.store.logs[number] = b"x" * number
    honest = desk.store.size
    looked = []

    def size(number):
        looked.append(number)
        if number == 7:
            raise OSError(84)
        return honest(number)

    desk.store.size = size
    desk.send(caller.request(7, "LIST", 0))
    assert desk.server.poll(0) and len(looked) == 8
    desk.send(b"~junk\n")
    while not desk.out.data:
        before = len(looked)
        assert desk.server.poll(0)
        assert len(looked) - before <= 8
    (page, junk) = desk.answers()
    assert [e.session for e in page[2].sessions] == [n for n in range(1, 31) if n != 7]
    assert [e.length for e in page[2].sessions] == [e.session for e in page[2].sessions]
    assert junk[2].code == m.MALFORMED


def test_read_brings_the_log_in_order():
    desk = Desk(filled(1))
    data = desk.store.logs[1]
    assert len(data) > 1024
    desk.send(caller.request(9, "READ", 1, 0, len(data)))
    found = desk.answers()
    assert [a.offset for _, _, a in found] == list(range(0, len(data), 1024))
    assert b"".join([a.data for _, _, a in found]) == data
    assert desk.ask("READ", 1, 100, 50) == answers.Data(100, data[100:150])
    assert desk.ask("READ", 1, len(data), 50) == answers.Data(len(data), b"")
    assert desk.ask("READ", 1, len(data) + 5, 50) == answers.Data(len(data) + 5, b"")
    desk.send(caller.request(9, "READ", 1, len(data) - 10, 50))
    assert [a for _, _, a in desk.answers()] == [answers.Data(len(data) - 10, data[-10:]), answers.Data(len(data), b"")]


def test_four_reads_wait_their_turn_and_a_fifth_is_dropped():
    desk = Desk(filled(1))
    for id in range(1, 6):
        desk.send(caller.request(id, "READ", 1, id * 10, 5))
    found = desk.answers()
    assert [id for _, id, _ in found] == [1, 2, 3, 4]
    assert [a.offset for _, _, a in found] == [10, 20, 30, 40]


def test_hello_clears_what_a_host_before_had_asked_for():
    desk = Desk(filled(1), most=10)
    desk.out.space = 10
    for id in range(1, 5):
        desk.send(caller.request(id, "READ", 1, 0, 4000))
    desk.poll()
    assert not desk.server.between_frames
    desk.send(caller.request(8, "HELLO"))
    desk.out.space = 1000000
    found = desk.answers()
    assert [id for _, id, _ in found] == [1, 8]


def test_never_writes_more_than_there_is_room_for():
    desk = Desk(filled(1), most=7)
    data = desk.store.logs[1]
    desk.send(caller.request(9, "READ", 1, 0, len(data)))
    assert b"".join([a.data for _, _, a in desk.answers()]) == data
    desk.out.space = 0
    desk.send(caller.request(9, "STATUS"))
    assert desk.poll() == 1 and not desk.server.between_frames and desk.server.busy
    assert desk.poll() == 0
    desk.out.space = 100000
    assert len(desk.answers()) == 1 and desk.server.between_frames and not desk.server.busy


def test_an_open_session_is_read_as_far_as_it_is_flushed():
    desk = Desk()
    wearer = Wearer(desk.store)
    wearer.turn(1)
    wearer.run(60)
    size = desk.store.size(1)
    desk.send(caller.request(9, "READ", 1, 0, 100000))
    data = b"".join([a.data for _, _, a in desk.answers()])
    assert data == desk.store.logs[1] and len(data) == size
    refusal = desk.ask("CONFIRM", 1, size, crc(data))
    assert refusal.code == m.BUSY and not desk.store.oks
    assert desk.ask("HELLO").state == m.IN_SESSION


def test_confirm_checks_its_own_log_a_slice_at_a_time():
    desk = Desk(filled(1))
    data = desk.store.logs[1]
    desk.send(caller.request(3, "CONFIRM", 1, len(data), crc(data)))
    slices = 0
    while not desk.out.data:
        assert desk.server.poll(0)
        slices += 1
    assert slices == len(data) // 1024 + 2
    assert desk.answers() == [(m.OK, 3, answers.Ok(b""))]
    assert desk.store.oks[1] == (len(data), crc(data))
    assert desk.ask("CONFIRM", 1, len(data), crc(data)) == answers.Ok(b"")
    assert desk.ask("CONFIRM", 1, len(data), crc(data) ^ 1).code == m.MISMATCH
    assert desk.ask("CONFIRM", 1, len(data) - 1, crc(data[:-1])).code == m.MISMATCH
    assert desk.ask("CONFIRM", 2, 0, 0).code == m.NO_SUCH_SESSION


def test_only_confirmed_logs_are_erased():
    desk = Desk(filled(3))
    desk.store.confirm(1, desk.store.size(1), 0)
    desk.store.confirm(3, desk.store.size(3), 0)
    assert answers.ok_count(desk.ask("ERASE_CONFIRMED")) == 2
    assert desk.store.numbers() == [2]
    assert answers.ok_count(desk.ask("ERASE_CONFIRMED")) == 0


def test_the_clock_is_set_within_reason():
    desk = Desk()
    assert answers.ok_ticks(desk.ask("CLOCK", 1795000000000)) == 5000
    assert desk.ask("HELLO").epoch_ms == 1795000000000
    for bad in (0, 1577836799999, 4102444800001, 10**30):
        assert desk.ask("CLOCK", bad).code == m.REFUSED
    assert desk.ask("CLOCK", "-5").code == m.MALFORMED
    assert desk.ask("CLOCK").code == m.MALFORMED
    assert desk.wearable.clock.epoch_ms() == 1795000000000


def test_a_calibration_is_begun_told_and_left_off():
    desk = Desk()
    assert desk.ask("CALIBRATE") == m.Calibration(0, 0, 0, "+y+z+x")
    assert desk.ask("CALIBRATE", 1) == m.Calibration(1, 0, 0, "+y+z+x")
    assert desk.ask("CALIBRATE").state == 1
    assert desk.ask("CALIBRATE", 0).state == 0
    for wrong in ((2,), ("on",), (1, 1)):
        assert desk.ask("CALIBRATE", *wrong).code == m.MALFORMED
    assert desk.wearable.calibrating == 0
    desk.wearable.waist = True
    refusal = desk.ask("CALIBRATE", 1)
    assert refusal.code == m.REFUSED and "shank" in refusal.text
    assert desk.wearable.calibrating == 0


def test_limits_are_told_and_set():
    desk = Desk()
    assert desk.ask("LIMITS").limits == Limits().pack()
    other = Limits.from_dict({"session_stop_s": 123})
    assert desk.ask("LIMITS", binascii.hexlify(other.pack()).decode()) == answers.Ok(b"")
    assert desk.wearable.limits.session_stop_s == 123
    assert desk.ask("LIMITS").limits == other.pack()
    assert desk.ask("LIMITS", "00").code == m.MALFORMED
    assert desk.ask("LIMITS", "zz" * 24).code == m.REFUSED
    assert desk.ask("LIMITS", "ff" * 24).code == m.REFUSED
    desk.wearable.broken = True
    assert desk.ask("LIMITS", binascii.hexlify(other.pack()).decode()).code == m.FLASH


def test_refusals_have_codes():
    desk = Desk(filled(1))
    assert desk.ask("NONSENSE").code == m.UNKNOWN_REQUEST
    assert desk.ask("READ", 1).code == m.MALFORMED
    assert desk.ask("READ", 2, 0, 10).code == m.NO_SUCH_SESSION
    assert desk.ask("READ", "1e3", 0, 10).code == m.MALFORMED
    assert desk.ask("READ", 1, 1 << 32, 10).code == m.REFUSED
    assert desk.ask("WATCH", 2).code == m.MALFORMED
    assert desk.ask("STATUS").battery_mv == 3900
    desk.send(b"~05 STATUS*00000000\n")
    assert [(t, id, a.code) for t, id, a in desk.answers()] == [(m.ERROR, 0, m.MALFORMED)]


def test_a_flash_that_does_not_read_is_said():
    desk = Desk(filled(1))

    def read_into(number, offset, buf):
        raise OSError(5)

    desk.store.read_into = read_into
    assert desk.ask("READ", 1, 0, 10).code == m.FLASH
    assert desk.ask("CONFIRM", 1, desk.store.size(1), 0).code == m.FLASH


def test_noise_gets_an_error_or_silence():
    desk = Desk(filled(1))
    value = 12345
    for _ in range(300):
        noise = bytearray(40)
        for i in range(40):
            value = (value * 1103515245 + 12345) & 0x7FFFFFFF
            noise[i] = (126, 10, 32, 42)[value >> 8 & 3] if value >> 16 & 1 else value >> 20 & 255
        desk.send(bytes(noise))
        for kind, id, answer in desk.answers():
            assert kind == m.ERROR and id == 0 and answer.code == m.MALFORMED
    desk.send(b"\n")
    desk.answers()
    assert desk.ask("HELLO").device == "RS-TEST"


def test_a_flood_of_bad_lines_is_answered_once():
    desk = Desk()
    desk.send(b"~bad\n" * 50)
    assert len(desk.answers()) == 1


def test_a_watching_host_hears_a_session():
    desk = Desk()
    wearer = Wearer(desk.store, watcher=desk.server)
    desk.wearable.clock = wearer.clock
    wearer.turn(2)
    wearer.run(3)
    assert desk.answers() == []
    assert desk.ask("WATCH", 1) == answers.Ok(b"")
    wearer.pass_ms(350)
    wearer.step(100)
    wearer.session.alert(wearer.clock.now, 1, 2, -163, 150)
    wearer.session.gap(wearer.clock.now - 40, wearer.clock.now)
    wearer.session.cadence(wearer.clock.now, 1700)
    now = wearer.clock.now - wearer.session.start_ms
    wearer.session.stop(wearer.clock.now)
    found = [answer for kind, id, answer in desk.answers() if kind == m.EVENT and id == 0]
    assert found == [
        answers.Event(m.EVENT_STEP, now, now - 100, 2, 0, 0, 0),
        answers.Event(m.EVENT_ALERT, now, 0, 1, 2, -163, 150),
        answers.Event(m.EVENT_GAP, now, now - 40, 0, 0, 0, 0),
        answers.Event(m.EVENT_CADENCE, now, 1700, 0, 0, 0, 0),
        answers.Event(m.EVENT_SESSION, 0, 1, 0, 0, 0, 0),
    ]


def test_watching_ends_by_request_or_after_a_minute_of_silence():
    desk = Desk()
    desk.ask("WATCH", 1)
    desk.server.cadence(desk.wearable.clock.now, 1700)
    assert len(desk.answers()) == 1
    desk.ask("WATCH", 0)
    desk.server.cadence(desk.wearable.clock.now, 1700)
    assert desk.answers() == []
    desk.ask("WATCH", 1)
    desk.wearable.clock.now += 59000
    desk.ask("STATUS")
    desk.wearable.clock.now += 59000
    desk.server.cadence(desk.wearable.clock.now, 1700)
    assert len(desk.answers()) == 1
    desk.wearable.clock.now += 60001
    desk.poll()
    desk.server.cadence(desk.wearable.clock.now, 1700)
    assert desk.answers() == []


def test_events_that_find_no_room_are_dropped_not_kept():
    desk = Desk()
    desk.ask("WATCH", 1)
    desk.out.space = 0
    for i in range(1000):
        desk.server.step(i, i, 1)
    desk.out.space = 100000
    assert len(desk.answers()) == server.EVENTS


def test_events_do_not_split_an_answer():
    desk = Desk(filled(1), most=13)
    desk.ask("WATCH", 1)
    size = desk.store.size(1)
    desk.send(caller.request(9, "READ", 1, 0, size))
    data = b""
    for i in range(40):
        desk.server.step(i, i, 1)
        desk.server.poll(desk.wearable.clock.now)
    for kind, _, answer in desk.answers():
        if kind == m.DATA:
            data += answer.data
        else:
            assert kind == m.EVENT
    assert data == desk.store.logs[1]
