"""Payloads at the limits of what is allowed, and what a reader reports about a log with known damage."""

from retrostep_core.log import decoded
from retrostep_core.log import records as r
from retrostep_core.log.reader import Damage, read_log, records_in, scan

LENGTHS = {
    r.HEADER: 62,
    r.STEPS: 5,
    r.DIRECTION: 9,
    r.EPOCH: 28,
    r.BOUT: 15,
    r.ALERT: 14,
    r.GAP: 9,
    r.BATTERY: 7,
    r.CLOCK: 17,
    r.MARK: 5,
    r.RATE: 8,
    r.END: 25,
    r.LOAD: 11,
    r.MOUNT: 14,
}


def refused(call, *arguments):
    try:
        call(*arguments)
    except ValueError:
        return True
    return False


def valid(kind, length):
    """A payload of `length` zeros that is valid for `kind`, apart from its length."""
    payload = bytearray(length)
    if kind == r.STEPS:
        payload[4] = 1
    return bytes(payload)


def test_every_kind_has_a_shortest_payload():
    assert sorted(decoded.LEAST) == sorted(LENGTHS)
    for kind, length in LENGTHS.items():
        assert decoded.decode(kind, valid(kind, length)) is not None, kind
        assert refused(decoded.decode, kind, valid(kind, length)[:-1]), kind
        assert decoded.decode(kind, valid(kind, length) + b"more"), kind
    assert decoded.decode(0, b"") is None and decoded.decode(15, b"") is None


def test_what_is_packed_is_as_long_as_the_shortest_payload():
    buf = bytearray(r.MAX_PAYLOAD)
    packed = {
        r.HEADER: r.pack_header(buf, (0, 1, 2), bytes(8), 1, 2, 3, 1, 0, 1, "?", bytes(24), "", "") - 4,
        r.DIRECTION: r.pack(buf, r.DIRECTION, 1, 2, 3),
        r.EPOCH: r.pack(buf, r.EPOCH, 1, 2, 3, 4, 5, 6, 7, 8),
        r.BOUT: r.pack(buf, r.BOUT, 1, 2, 1, 3, 4, 5),
        r.ALERT: r.pack(buf, r.ALERT, 1, 2, 3, 4, 5),
        r.GAP: r.pack(buf, r.GAP, 1, 2, 3),
        r.BATTERY: r.pack(buf, r.BATTERY, 1, 2, 3),
        r.CLOCK: r.pack(buf, r.CLOCK, 1, 2, 1),
        r.MARK: r.pack(buf, r.MARK, 1, 2),
        r.RATE: r.pack(buf, r.RATE, 1, 2),
        r.END: r.pack(buf, r.END, 1, 2, 3, 4, 5, 6, 7),
        r.LOAD: r.pack_load(buf, 1, 2, [1] * 8),
        r.MOUNT: r.pack_mount(buf, 1, 2, "+x+y+z"),
    }
    for kind, length in packed.items():
        assert length == LENGTHS[kind], kind


def test_a_name_has_up_to_32_printable_characters():
    for code, is_allowed in ((31, False), (32, True), (126, True), (127, False), (128, False), (255, False)):
        assert refused(decoded.unpack_name, bytes([1, code]), 0) != is_allowed, code
    for count, is_allowed in ((0, True), (1, True), (32, True), (33, False)):
        assert refused(decoded.unpack_name, bytes([count]) + b"x" * 40, 0) != is_allowed, count
    assert decoded.unpack_name(b"\x02abc", 0) == ("ab", 3)
    assert decoded.unpack_name(b"??\x03abc", 2) == ("abc", 6)
    assert refused(decoded.unpack_name, b"\x03ab", 0) and refused(decoded.unpack_name, b"", 0) and refused(decoded.unpack_name, b"\x00", 1)


def test_a_mount_consists_of_signs_axes_and_question_marks():
    def header(mount):
        payload = bytearray(62)
        payload[30 : 30 + len(mount)] = mount
        return bytes(payload)

    for mount in (b"", b"?", b"+x", b"+y+z-x", b"-z-y-x"):
        assert decoded.decode(r.HEADER, header(mount)).mount == mount.decode()
    for mount in (b"+w", b"X", b"+y+z+1", b"\x00+y", b" "):
        assert refused(decoded.decode, r.HEADER, header(mount)), mount


def test_a_generation_is_there_or_0():
    assert [decoded.unpack_generation(b"\x01\x02\x03\x04\x05", at) for at in (0, 1, 2, 5, 9)] == [0x04030201, 0x05040302, 0, 0, 0]


def test_a_direction_is_0_to_3():
    for code in range(5):
        assert refused(decoded.decode, r.DIRECTION, bytes(8) + bytes([code])) == (code > 3)
        assert refused(decoded.decode, r.BOUT, bytes(8) + bytes([code]) + bytes(6)) == (code > 3)


def test_a_varint_has_up_to_five_bytes():
    for data, value, end in (
        (b"\x00", 0, 1),
        (b"\x7f", 127, 1),
        (b"\x80\x01", 128, 2),
        (b"\xff\xff\xff\xff\x0f", 0xFFFFFFFF, 5),
        (b"\x81\x80\x80\x80\x00", 1, 5),
    ):
        assert decoded.get_varint(data, 0) == (value, end)
        assert decoded.get_varint(b"?" + data, 1) == (value, end + 1)
        assert refused(decoded.get_varint, data[:-1], 0)
    assert refused(decoded.get_varint, b"\x80\x80\x80\x80\x80\x01", 0)
    assert [decoded.unzigzag(value) for value in (0, 1, 2, 3, 4)] == [0, -1, 1, -2, 2]


def test_a_varint_is_as_short_as_possible():
    buf = bytearray(8)
    for value, length in ((0, 1), (127, 1), (128, 2), (16383, 2), (16384, 3), (0xFFFFFFFF, 5)):
        assert r.put_varint(buf, 1, value) == 1 + length and decoded.get_varint(buf, 1) == (value, 1 + length)


def test_measurements_are_limited_to_what_their_field_holds():
    for value, top, clipped in ((-1, 9, 0), (0, 9, 0), (9, 9, 9), (10, 9, 9)):
        assert r.clip(value, top) == clipped
    for value, clipped in ((-0x80000000, -0x7FFFFFFF), (-0x7FFFFFFF, -0x7FFFFFFF), (0x7FFFFFFF, 0x7FFFFFFF), (0x80000000, 0x7FFFFFFF)):
        assert r.clip_i32(value) == clipped


def test_steps_are_1_to_60_at_rising_times():
    assert refused(decoded.decode, r.STEPS, b"\x05\x00\x00\x00\x00")
    assert decoded.decode(r.STEPS, b"\x05\x00\x00\x00\x01") == decoded.Steps((5,))
    assert len(decoded.decode(r.STEPS, b"\x05\x00\x00\x00\x3c\x02" + bytes(58)).times_ms) == 60
    assert refused(decoded.decode, r.STEPS, b"\x05\x00\x00\x00\x3d\x02" + bytes(59))
    assert decoded.decode(r.STEPS, b"\x05\x00\x00\x00\x03\x02\x01") == decoded.Steps((5, 7, 8)), "2, then 1 less"
    assert refused(decoded.decode, r.STEPS, b"\x05\x00\x00\x00\x03\x02\x03"), "2, then 2 less"
    assert decoded.decode(r.STEPS, b"\xfe\xff\xff\xff\x02\x01") == decoded.Steps((0xFFFFFFFE, 0xFFFFFFFF))
    assert refused(decoded.decode, r.STEPS, b"\xfe\xff\xff\xff\x02\x02")


# What a reader reports. A log of a HEADER and marks, each of 12 bytes.


def record(kind, seq, payload):
    buf = bytearray(r.MAX_RECORD)
    return bytes(buf[: decoded.pack_record(buf, kind, seq, payload)])


def mark(seq):
    return record(r.MARK, seq, bytes([seq & 255, 0, 0, 0, 1]))


HEAD = r.MAGIC + record(r.HEADER, 0, bytes(62))
MARK = len(mark(1))


def damage_of(data):
    damage = []
    found = [(kind, seq) for _, kind, seq, _ in scan(data, damage)]
    return damage, [seq for kind, seq in found if kind == r.MARK]


def test_damage_has_a_place_a_length_and_missing_records():
    end = len(HEAD)
    marks = [mark(seq) for seq in (1, 2, 3)]
    cases = (
        (HEAD + marks[0] + marks[1], [], [1, 2]),
        (HEAD + marks[1], [Damage(end, 0, 1)], [2]),
        (HEAD + marks[2], [Damage(end, 0, 2)], [3]),
        (HEAD + b"???" + marks[0], [Damage(end, 3, 0)], [1]),
        (HEAD + marks[0] + b"?", [Damage(end + MARK, 1, 0)], [1]),
        (HEAD + marks[0][:-1], [Damage(end, MARK - 1, 0)], []),
        (HEAD + marks[0] + marks[1][:5] + marks[2], [Damage(end + MARK, 5, 1)], [1, 3]),
        (b"?" + HEAD[1:], [Damage(0, 4, 0)], []),
        (HEAD[4:], [], []),
        (HEAD[2:], [Damage(0, 2, 0)], []),
    )
    for data, damage, seqs in cases:
        assert damage_of(data) == (damage, seqs), data[len(HEAD) :]


def test_sequence_numbers_start_again_after_255():
    data = HEAD
    for seq in range(1, 300):
        data += mark(seq)
    assert damage_of(data)[0] == []
    without = HEAD + b"".join([mark(seq) for seq in range(1, 300) if seq != 256])
    assert damage_of(without)[0] == [Damage(len(HEAD) + 255 * MARK, 0, 1)]


def test_a_second_header_is_damage_and_the_first_one_counts():
    other = record(r.HEADER, 1, bytes(14) + b"\x07" + bytes(47))
    log = read_log(HEAD + other)
    assert log.header.boot == 0 and log.damage == [Damage(len(HEAD), len(other), 0)]
    invalid = record(r.DIRECTION, 1, bytes(8) + b"\x09")
    log = read_log(HEAD + invalid + mark(2))
    assert log.damage == [Damage(len(HEAD), len(invalid), 1)] and len(log.marks) == 1


def test_records_are_found_with_any_buffer_and_any_place_to_start():
    data = HEAD + b"".join([mark(seq) for seq in range(1, 80)])

    def read(offset, into):
        part = data[offset : offset + len(into)]
        into[: len(part)] = part
        return len(part)

    for size in (512, 513, 700, 4096):
        found = [(offset, seq) for offset, kind, seq, _ in records_in(read, len(data), bytearray(size)) if kind == r.MARK]
        assert found == [(len(HEAD) + MARK * k, k + 1) for k in range(79)], size
    later = [seq for _, _, seq, _ in records_in(read, len(data), bytearray(512), len(HEAD) + MARK)]
    assert later == list(range(2, 80))
    assert len(list(records_in(read, len(HEAD) + MARK, bytearray(512)))) == 2
    assert len(list(records_in(read, len(HEAD) + MARK - 1, bytearray(512)))) == 1


def test_a_record_without_a_payload_is_found_at_the_end_too():
    empty = record(200, 1, b"")
    assert len(empty) == r.OVERHEAD
    data = HEAD + empty
    damage = []
    assert [kind for _, kind, _, _ in scan(data, damage)] == [r.HEADER, 200] and damage == []

    def read(offset, into):
        part = data[offset : offset + len(into)]
        into[: len(part)] = part
        return len(part)

    assert [kind for _, kind, _, _ in records_in(read, len(data), bytearray(512), len(HEAD))] == [200]


def test_a_file_that_ends_earlier_than_it_says_is_read_up_to_there():
    data = HEAD + mark(1) + mark(2)

    def read(offset, into):
        part = data[offset : offset + len(into)]
        into[: len(part)] = part
        return len(part)

    assert [seq for _, _, seq, _ in records_in(read, len(data) + 5000, bytearray(512))] == [0, 1, 2]
