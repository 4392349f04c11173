"""The device's half of the link: answers, refusals, and a line that is slow, torn or hostile."""

import binascii

from retrostep_core.codes import GAP_SAMPLES
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json
from retrostep_core.link import answers, host_frames
from retrostep_core.link import messages as m
from support.link_host import LinkHost, store_with_logs
from support.ram_store import Identity, RamStore, Wearer


def crc(data):
    return binascii.crc32(data) & 0xFFFFFFFF


def test_hello_says_who_it_is():
    host = LinkHost(store_with_logs())
    host.store.confirm(1, host.store.size(1))
    hello = host.ask("HELLO")
    assert (hello.protocol, hello.core_version, hello.core_hash) == (1, (0, 1, 0), Identity.core_hash)
    assert (hello.device, hello.board, hello.boot) == ("RS-TEST", "VIRTUAL", 1)
    assert (hello.ticks_ms, hello.epoch_ms, hello.unsynced, hello.state) == (5000, 0, 2, 0)
    assert hello.free_bytes == host.store.free_bytes()


def test_list_goes_on_after_a_number():
    host = LinkHost()
    for number in range(1, 251):
        host.store.logs[number] = b"x" * number
    host.store.confirm(2, 2)
    host.store.open_number = 250
    first = host.ask("LIST", 0)
    assert first.more and len(first.sessions) == 100 and first.sessions[1] == answers.Entry(2, 2, m.CONFIRMED)
    last = host.ask("LIST", 200)
    assert not last.more and last.sessions[0] == answers.Entry(201, 201, 0) and last.sessions[-1] == answers.Entry(250, 250, m.OPEN)
    assert host.ask("LIST", 250).sessions == ()


def test_list_is_put_together_a_few_at_a_time():
    host = LinkHost()
    for number in range(1, 31):
        host.store.logs[number] = b"x" * number
    honest = host.store.size
    looked = []

    def size(number):
        looked.append(number)
        if number == 7:
            raise OSError(84)
        return honest(number)

    host.store.size = size
    host.send(host_frames.request(7, "LIST", 0))
    assert host.server.poll(0) and len(looked) == 8
    host.send(b"~junk\n")
    while not host.out.data:
        before = len(looked)
        assert host.server.poll(0)
        assert len(looked) - before <= 8
    (page, junk) = host.answers()
    assert [e.session for e in page[2].sessions] == [n for n in range(1, 31) if n != 7]
    assert [e.length for e in page[2].sessions] == [e.session for e in page[2].sessions]
    assert junk[2].code == m.MALFORMED


def test_damaged_entries_are_left_out_of_a_list_and_it_ends():
    for broken in (range(1, 17), range(1, 9), range(9, 41), range(33, 41), range(1, 41)):
        store = RamStore()
        for number in range(1, 41):
            store.logs[number] = b"data"
        honest = store.size

        def size(number, broken=broken, honest=honest):
            if number in broken:
                raise OSError(5)
            return honest(number)

        store.size = size
        page = LinkHost(store).ask("LIST", 0)
        assert [entry.session for entry in page.sessions] == [n for n in range(1, 41) if n not in broken] and not page.more


def test_read_brings_the_log_in_order():
    host = LinkHost(store_with_logs(1))
    data = host.store.logs[1]
    assert len(data) > 1024
    host.send(host_frames.request(9, "READ", 1, 0, len(data)))
    found = host.answers()
    assert [a.offset for _, _, a in found] == list(range(0, len(data), 1024))
    assert b"".join([a.data for _, _, a in found]) == data
    assert host.ask("READ", 1, 100, 50) == answers.Data(100, data[100:150])
    assert host.ask("READ", 1, len(data), 50) == answers.Data(len(data), b"")
    assert host.ask("READ", 1, len(data) + 5, 50) == answers.Data(len(data) + 5, b"")
    host.send(host_frames.request(9, "READ", 1, len(data) - 10, 50))
    assert [a for _, _, a in host.answers()] == [answers.Data(len(data) - 10, data[-10:]), answers.Data(len(data), b"")]


def test_four_reads_wait_their_turn_and_a_fifth_is_dropped():
    host = LinkHost(store_with_logs(1))
    for id in range(1, 6):
        host.send(host_frames.request(id, "READ", 1, id * 10, 5))
    found = host.answers()
    assert [id for _, id, _ in found] == [1, 2, 3, 4]
    assert [a.offset for _, _, a in found] == [10, 20, 30, 40]


def test_hello_clears_what_a_host_before_had_asked_for():
    host = LinkHost(store_with_logs(1), most=10)
    host.out.space = 10
    for id in range(1, 5):
        host.send(host_frames.request(id, "READ", 1, 0, 4000))
    host.poll()
    assert not host.server.between_frames
    host.send(host_frames.request(8, "HELLO"))
    host.out.space = 1000000
    found = host.answers()
    assert [id for _, id, _ in found] == [1, 8]


def test_never_writes_more_than_there_is_room_for():
    host = LinkHost(store_with_logs(1), most=7)
    data = host.store.logs[1]
    host.send(host_frames.request(9, "READ", 1, 0, len(data)))
    assert b"".join([a.data for _, _, a in host.answers()]) == data
    host.out.space = 0
    host.send(host_frames.request(9, "STATUS"))
    assert host.poll() == 1 and not host.server.between_frames and host.server.busy
    assert host.poll() == 0
    host.out.space = 100000
    assert len(host.answers()) == 1 and host.server.between_frames and not host.server.busy


def test_an_open_session_is_read_as_far_as_it_is_flushed():
    host = LinkHost()
    wearer = Wearer(host.store)
    wearer.turn(1)
    wearer.run(60)
    size = host.store.size(1)
    host.send(host_frames.request(9, "READ", 1, 0, 100000))
    data = b"".join([a.data for _, _, a in host.answers()])
    assert data == host.store.logs[1] and len(data) == size
    refusal = host.ask("CONFIRM", 1, size, crc(data))
    assert refusal.code == m.BUSY and not host.store.oks
    assert host.ask("HELLO").state == m.IN_SESSION


def test_confirm_checks_its_own_log_a_slice_at_a_time():
    host = LinkHost(store_with_logs(1))
    data = host.store.logs[1]
    host.send(host_frames.request(3, "CONFIRM", 1, len(data), crc(data)))
    slices = 0
    while not host.out.data:
        assert host.server.poll(0)
        slices += 1
    assert slices == len(data) // 1024 + 2
    assert host.answers() == [(m.OK, 3, answers.Ok(b""))]
    assert host.store.oks[1] == len(data)
    assert host.ask("CONFIRM", 1, len(data), crc(data)) == answers.Ok(b"")
    assert host.ask("CONFIRM", 1, len(data), crc(data) ^ 1).code == m.MISMATCH
    assert host.ask("CONFIRM", 1, len(data) - 1, crc(data[:-1])).code == m.MISMATCH
    assert host.ask("CONFIRM", 2, 0, 0).code == m.NO_SUCH_SESSION


def test_blink_takes_no_argument():
    host = LinkHost()
    assert host.ask("BLINK") == answers.Ok(b"") and host.wearable.blinks == 1
    assert host.ask("BLINK", 1).code == m.MALFORMED and host.wearable.blinks == 1


def test_only_confirmed_logs_are_erased():
    host = LinkHost(store_with_logs(3))
    host.store.confirm(1, host.store.size(1))
    host.store.confirm(3, host.store.size(3))
    assert answers.ok_count(host.ask("ERASE_CONFIRMED")) == 2
    assert host.store.numbers() == [2]
    assert answers.ok_count(host.ask("ERASE_CONFIRMED")) == 0


def test_the_clock_is_set_within_reason():
    host = LinkHost()
    assert answers.ok_ticks(host.ask("CLOCK", 1795000000000)) == 5000
    assert host.ask("HELLO").epoch_ms == 1795000000000
    for bad in (0, 1577836799999, 4102444800001, 10**30):
        assert host.ask("CLOCK", bad).code == m.REFUSED
    assert host.ask("CLOCK", "-5").code == m.MALFORMED
    assert host.ask("CLOCK").code == m.MALFORMED
    assert host.wearable.clock.epoch_ms() == 1795000000000


def test_a_calibration_is_begun_told_and_left_off():
    host = LinkHost()
    assert host.ask("CALIBRATE") == answers.Calibration(0, 0, 0, "+y+z+x")
    assert host.ask("CALIBRATE", 1) == answers.Calibration(1, 0, 0, "+y+z+x")
    assert host.ask("CALIBRATE").state == 1
    assert host.ask("CALIBRATE", 0).state == 0
    for wrong in ((2,), ("on",), (1, 1)):
        assert host.ask("CALIBRATE", *wrong).code == m.MALFORMED
    assert host.wearable.calibrating == 0
    host.wearable.waist = True
    refusal = host.ask("CALIBRATE", 1)
    assert refusal.code == m.REFUSED and "shank" in refusal.text
    assert host.wearable.calibrating == 0


def test_limits_are_told_and_set():
    host = LinkHost()
    assert host.ask("LIMITS").limits == Limits().pack()
    other = limits_from_json({"session_stop_s": 123})
    assert host.ask("LIMITS", binascii.hexlify(other.pack()).decode()) == answers.Ok(b"")
    assert host.wearable.limits.session_stop_s == 123
    assert host.ask("LIMITS").limits == other.pack()
    assert host.ask("LIMITS", "00").code == m.MALFORMED
    assert host.ask("LIMITS", "zz" * 24).code == m.REFUSED
    assert host.ask("LIMITS", "ff" * 24).code == m.REFUSED
    host.wearable.broken = True
    assert host.ask("LIMITS", binascii.hexlify(other.pack()).decode()).code == m.FLASH


def test_refusals_have_codes():
    host = LinkHost(store_with_logs(1))
    assert host.ask("NONSENSE").code == m.UNKNOWN_REQUEST
    assert host.ask("READ", 1).code == m.MALFORMED
    assert host.ask("READ", 2, 0, 10).code == m.NO_SUCH_SESSION
    assert host.ask("READ", "1e3", 0, 10).code == m.MALFORMED
    assert host.ask("READ", 1, 1 << 32, 10).code == m.REFUSED
    assert host.ask("WATCH", 2).code == m.MALFORMED
    assert host.ask("STATUS").battery_mv == 3900
    host.send(b"~05 STATUS*00000000\n")
    assert [(t, id, a.code) for t, id, a in host.answers()] == [(m.ERROR, 0, m.MALFORMED)]


def test_a_flash_that_cannot_be_read_is_reported():
    host = LinkHost(store_with_logs(1))

    def read_into(number, offset, buf):
        raise OSError(5)

    host.store.read_into = read_into
    assert host.ask("READ", 1, 0, 10).code == m.FLASH
    assert host.ask("CONFIRM", 1, host.store.size(1), 0).code == m.FLASH


def test_noise_gets_an_error_or_silence():
    host = LinkHost(store_with_logs(1))
    value = 12345
    for _ in range(300):
        noise = bytearray(40)
        for i in range(40):
            value = (value * 1103515245 + 12345) & 0x7FFFFFFF
            noise[i] = (126, 10, 32, 42)[value >> 8 & 3] if value >> 16 & 1 else value >> 20 & 255
        host.send(bytes(noise))
        for kind, id, answer in host.answers():
            assert kind == m.ERROR and id == 0 and answer.code == m.MALFORMED
    host.send(b"\n")
    host.answers()
    assert host.ask("HELLO").device == "RS-TEST"


def test_a_flood_of_bad_lines_is_answered_once():
    host = LinkHost()
    host.send(b"~bad\n" * 50)
    assert len(host.answers()) == 1


def test_a_watching_host_hears_a_session():
    host = LinkHost()
    wearer = Wearer(host.store, listener=host.server)
    host.wearable.clock = wearer.clock
    wearer.turn(2)
    wearer.run(3)
    assert host.answers() == []
    assert host.ask("WATCH", 1) == answers.Ok(b"")
    wearer.pass_ms(350)
    wearer.step(100)
    wearer.session.alert(wearer.clock.now, 1, 2, -163, 150)
    wearer.session.gap(wearer.clock.now - 40, wearer.clock.now)
    wearer.session.cadence(wearer.clock.now, 1700)
    now = wearer.clock.now - wearer.session.start_ms
    wearer.session.stop(wearer.clock.now)
    found = [answer for kind, id, answer in host.answers() if kind == m.EVENT and id == 0]
    assert found == [
        answers.Event(m.EVENT_STEP, now, now - 100, 2, 0, 0, 0),
        answers.Event(m.EVENT_ALERT, now, 0, 1, 2, -163, 150),
        answers.Event(m.EVENT_GAP, now, now - 40, GAP_SAMPLES, 0, 0, 0),
        answers.Event(m.EVENT_CADENCE, now, 1700, 0, 0, 0, 0),
        answers.Event(m.EVENT_SESSION, 0, 1, 0, 0, 0, 0),
    ]


def test_watching_ends_by_request_or_after_a_minute_of_silence():
    host = LinkHost()
    host.ask("WATCH", 1)
    host.server.cadence(host.wearable.clock.now, 1700)
    assert len(host.answers()) == 1
    host.ask("WATCH", 0)
    host.server.cadence(host.wearable.clock.now, 1700)
    assert host.answers() == []
    host.ask("WATCH", 1)
    host.wearable.clock.now += 59000
    host.ask("STATUS")
    host.wearable.clock.now += 59000
    host.server.cadence(host.wearable.clock.now, 1700)
    assert len(host.answers()) == 1
    host.wearable.clock.now += 60001
    host.poll()
    host.server.cadence(host.wearable.clock.now, 1700)
    assert host.answers() == []


def test_events_that_find_no_room_are_dropped_not_kept():
    host = LinkHost()
    host.ask("WATCH", 1)
    host.out.space = 0
    for i in range(1000):
        host.server.step(i, i, 1)
    host.out.space = 100000
    assert len(host.answers()) == 16


def test_events_do_not_split_an_answer():
    host = LinkHost(store_with_logs(1), most=13)
    host.ask("WATCH", 1)
    size = host.store.size(1)
    host.send(host_frames.request(9, "READ", 1, 0, size))
    data = b""
    for i in range(40):
        host.server.step(i, i, 1)
        host.server.poll(host.wearable.clock.now)
    for kind, _, answer in host.answers():
        if kind == m.DATA:
            data += answer.data
        else:
            assert kind == m.EVENT
    assert data == host.store.logs[1]
