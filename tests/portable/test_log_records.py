"""Every record of the log: what is packed comes back, and what is not allowed is refused."""

import binascii

from retrostep_core.log import decoded
from retrostep_core.log import records as r

PAYLOAD = bytearray(255)
VIEW = memoryview(PAYLOAD)


def back(kind, n):
    return decoded.decode(kind, VIEW[:n])


def refused(kind, payload):
    try:
        decoded.decode(kind, payload)
    except ValueError:
        return True
    return False


def test_every_record_comes_back():
    totals = decoded.Totals(1, 2, 3, 4, 4294967295)
    n = r.pack_header(PAYLOAD, (0, 1, 2), b"12345678", 7, 9, 1 << 40, 2, 1, 2, "+y+z-x", bytes(range(24)), "RS-1", "BOARD", 1 << 31)
    header = decoded.Header((0, 1, 2), b"12345678", 7, 9, 1 << 40, 2, 1, 2, "+y+z-x", bytes(range(24)), "RS-1", "BOARD", 1 << 31)
    assert back(r.HEADER, n) == header
    assert back(r.HEADER, n - 4) == header[:-1] + (0,), "a HEADER without the field is of generation 0"
    assert back(r.DIRECTION, r.pack(PAYLOAD, r.DIRECTION, 5, 4, 2)) == decoded.Direction(5, 4, 2)
    assert back(r.EPOCH, r.pack(PAYLOAD, r.EPOCH, 10000, 1, 2, 3, 4, 4294967295, 1700, 9000)) == decoded.Epoch(10000, totals, 1700, 9000)
    assert back(r.BOUT, r.pack(PAYLOAD, r.BOUT, 1, 5000, 1, 14, 1701, 1720)) == decoded.Bout(1, 5000, 1, 14, 1701, 1720)
    assert back(r.ALERT, r.pack(PAYLOAD, r.ALERT, 1, 1, 2, -150, 2000000000)) == decoded.Alert(1, 1, 2, -150, 2000000000)
    assert back(r.GAP, r.pack(PAYLOAD, r.GAP, 1, 2, 3)) == decoded.Gap(1, 2, 3)
    assert back(r.BATTERY, r.pack(PAYLOAD, r.BATTERY, 1, 3987, 88)) == decoded.Battery(1, 3987, 88)
    assert back(r.CLOCK, r.pack(PAYLOAD, r.CLOCK, 1 << 33, 1795000000000, 1)) == decoded.Clock(1 << 33, 1795000000000, 1)
    assert back(r.MARK, r.pack(PAYLOAD, r.MARK, 1, 4)) == decoded.Mark(1, 4)
    assert back(r.RATE, r.pack(PAYLOAD, r.RATE, 1, 104123)) == decoded.Rate(1, 104123)
    n = r.pack_load(PAYLOAD, 10000, 2, [4, 1, 12000, 4000, 16000, 70000, 2000, 900])
    assert back(r.LOAD, n) == decoded.Load(10000, 2, 4, 1, 24, 32, 32, 255, 13, 23)
    assert back(r.LOAD, r.pack_load(PAYLOAD, 1, 1, [0, 3, 0, 0, 0, 0, 0, 0])) == decoded.Load(0, 1, 0, 3, 0, 0, 0, 0, 0, 0)
    assert back(r.MOUNT, r.pack_mount(PAYLOAD, 9000, 500, "-y-z+x")) == decoded.Mount(9000, 500, "-y-z+x")
    assert back(r.END, r.pack(PAYLOAD, r.END, 9, 1, 1, 2, 3, 4, 4294967295)) == decoded.End(9, 1, totals)


def test_measurements_out_of_range_are_clipped_not_raised():
    n = r.pack(PAYLOAD, r.BOUT, 0, 1, 1, 70000, -1, 99999)
    assert back(r.BOUT, n) == decoded.Bout(0, 1, 1, 65535, 0, 65535)
    n = r.pack(PAYLOAD, r.ALERT, 0, 1, 1, 1 << 40, -(1 << 40))
    assert back(r.ALERT, n) == decoded.Alert(0, 1, 1, 2147483647, -2147483647)
    n = r.pack(PAYLOAD, r.BATTERY, 0, -5, 101)
    assert back(r.BATTERY, n) == decoded.Battery(0, 0, 101)


def test_steps_come_back_for_any_intervals():
    times = [0, 1, 2, 1000000, 1000001, 5000000, 5000350, 5000700, 5001049]
    batch = r.StepBatch()
    for t in times:
        assert batch.add(t)
    assert decoded.decode(r.STEPS, memoryview(batch.payload)[: batch.length]) == decoded.Steps(tuple(times))
    batch.clear()
    assert batch.add(77)
    assert decoded.decode(r.STEPS, memoryview(batch.payload)[: batch.length]) == decoded.Steps((77,))


def test_a_full_batch_takes_no_step():
    batch = r.StepBatch()
    t = 0
    while batch.add(t):
        t += 350
    assert batch.count == 60
    wide = r.StepBatch()
    times = [0]
    while wide.add(times[-1]):
        times.append(times[-1] + (200000000 if len(times) % 2 else 1))
    assert 40 < wide.count < 60 and wide.length <= 255


def test_a_regular_step_costs_one_byte():
    batch = r.StepBatch()
    for i in range(15):
        batch.add(1000 + 353 * i + (i * 31) % 60)
    assert batch.length == 4 + 1 + 2 + 13


def test_refuses_what_may_not_be():
    assert refused(r.HEADER, bytes(61))
    assert refused(r.STEPS, b"\x00\x00\x00\x00\x00")
    assert refused(r.STEPS, b"\x00\x00\x00\x00\x3d" + bytes(80))
    assert refused(r.STEPS, b"\x00\x00\x00\x00\x02\x00")  # an interval of 0
    assert refused(r.STEPS, b"\x00\x00\x00\x00\x02")  # no interval
    assert refused(r.STEPS, b"\x00\x00\x00\x00\x02\xff\xff\xff\xff\xff\x01")  # a varint without an end
    assert refused(r.STEPS, b"\xff\xff\xff\xff\x02\x01")  # beyond u32
    assert refused(r.DIRECTION, b"\x00\x00\x00\x00\x00\x00\x00\x00\x04")
    n = r.pack_header(PAYLOAD, (0, 1, 2), b"12345678", 7, 9, 1, 2, 1, 2, "?", bytes(24), "RS-1", "BOARD")
    assert back(r.HEADER, n).mount == "?"
    valid = bytes(VIEW[: n - 4])  # without the generation
    for bad in (valid[:-1], valid[:60] + b"\xff" + valid[61:], valid[:61] + b"\x1b" + valid[62:], valid[:30] + b"/" + valid[31:]):
        assert refused(r.HEADER, bad)


def test_fields_added_at_the_end_and_unknown_kinds_are_skipped():
    n = r.pack(PAYLOAD, r.MARK, 1, 4)
    assert decoded.decode(r.MARK, bytes(VIEW[:n]) + b"more") == decoded.Mark(1, 4)
    assert decoded.decode(200, b"anything") is None


def test_a_name_is_kept_printable_and_short():
    n = r.pack_name(PAYLOAD, 0, "a\x1b[2J\u00e9" + 40 * "z")
    name, end = decoded.unpack_name(VIEW[:n], 0)
    assert name == "a?[2J?" + 26 * "z" and end == n == 33


def test_a_record_carries_its_length_and_crc():
    buf = bytearray(300)
    n = decoded.pack_record(buf, r.MARK, 259, b"\x01\x00\x00\x00\x02")
    assert n == 12
    assert bytes(buf[:8]) == b"\x0a\x03\x05\x01\x00\x00\x00\x02"
    assert int.from_bytes(bytes(buf[8:12]), "little") == binascii.crc32(bytes(buf[:8]) + b"RSL\x01") & 0xFFFFFFFF


def test_the_crc_of_a_file_tells_records_of_equal_length_apart():
    files = []
    for mark in (1, 2):
        buf = bytearray(300)
        n = decoded.pack_record(buf, r.MARK, 0, bytes((1, 0, 0, 0, mark)))
        files.append(binascii.crc32(r.MAGIC + bytes(buf[:n])))
    assert files[0] != files[1]


def test_zigzag_and_varint():
    for value in (0, 1, -1, 63, -64, 64, 100000, -100000):
        assert decoded.unzigzag(r.zigzag(value)) == value
    buf = bytearray(8)
    for value in (0, 127, 128, 16383, 16384, 4294967295):
        n = r.put_varint(buf, 0, value)
        assert decoded.get_varint(bytes(buf[:n]), 0) == (value, n)
