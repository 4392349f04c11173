"""Logs read back from bytes that something happened to."""

from retrostep_core.log import decoded
from retrostep_core.log import records as r
from retrostep_core.log.reader import Damage, LogError, direction_changes, read_log, records_in, scan, valid_length
from retrostep_core.log.totals_from_log import TotalsFromLog
from support.ram_store import RamStore, Wearer


def a_log():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(1)
    wearer.run(30)
    wearer.turn(2, wearer.clock.now - 1000)
    wearer.run(30)
    wearer.session.stop(wearer.clock.now)
    return store.logs[1]


LOG = a_log()
RECORDS = list(scan(LOG))


def end_of(record):
    return record[0] + len(record[3]) + r.OVERHEAD


def refused(data):
    try:
        read_log(data)
    except LogError:
        return True
    return False


def test_a_complete_log_has_no_damage():
    damage = []
    assert list(scan(LOG, damage)) == RECORDS and damage == []
    assert [seq for _, _, seq, _ in RECORDS] == list(range(len(RECORDS)))
    assert end_of(RECORDS[-1]) == len(LOG)


def test_a_lost_record_is_counted():
    a, b = RECORDS[3], RECORDS[6]
    damage = []
    assert list(scan(LOG[: a[0]] + LOG[b[0] :], damage))[3][2] == 6
    assert damage == [Damage(a[0], 0, 3)]


def test_a_flipped_bit_costs_one_record():
    offset, _, _, payload = RECORDS[4]
    for place in range(offset, end_of(RECORDS[4])):
        data = bytearray(LOG)
        data[place] ^= 0x20
        damage = []
        found = [record for record in scan(bytes(data), damage)]
        assert found == RECORDS[:4] + RECORDS[5:], place
        assert damage == [Damage(offset, len(payload) + r.OVERHEAD, 1)]


def test_a_damaged_magic_is_reported_and_loses_no_record():
    for data in (b"XSL\x01" + LOG[4:], LOG[1:], LOG[:3] + LOG[4:], LOG[4:], b"?" + LOG):
        damage = []
        assert len(list(scan(data, damage))) == len(RECORDS)
        assert damage == [] if data == LOG[4:] else len(damage) == 1 and damage[0].offset == 0


def test_a_torn_tail_is_damage_up_to_the_end():
    last = RECORDS[-1]
    log = read_log(LOG[:-1])
    assert not log.closed and log.end is None
    assert log.damage == [Damage(last[0], len(LOG) - 1 - last[0], 0)]
    whole = read_log(LOG)
    assert log.totals.forward_steps == whole.totals.forward_steps
    assert log.totals.backward_steps == whole.totals.backward_steps


def test_other_bytes_are_a_log_error():
    assert refused(b"") and refused(b"RSL\x01") and refused(b"RSL\x02" + LOG[4:]) and refused(bytes(1000))
    assert refused(LOG[: RECORDS[0][0]] + LOG[RECORDS[1][0] :])


def test_a_beginning_of_any_length_is_a_log_error():
    for whole in (a_log(), r.MAGIC + bytes(20), bytes(20), b"\xff" * 20):
        for length in range(13):
            assert refused(whole[:length]), length


def test_a_record_that_may_not_be_is_damage():
    buf = bytearray(300)
    n = decoded.pack_record(buf, r.DIRECTION, 2, bytes(8) + b"\x07")
    data = LOG[: RECORDS[2][0]] + bytes(buf[:n]) + LOG[RECORDS[3][0] :]
    log = read_log(data)
    assert log.damage == [Damage(RECORDS[2][0], n, 1)]


def test_valid_length_is_where_the_last_record_ends():
    def read(offset, into):
        part = data[offset : offset + len(into)]
        into[: len(part)] = part
        return len(part)

    data = LOG + b"\x02\x03"
    assert valid_length(read, len(data)) == len(LOG)
    data = b"nothing" * 100
    assert valid_length(read, len(data)) == 0 and valid_length(read, 0) == 0


def test_the_last_statement_about_a_moment_wins():
    records = [decoded.Direction(0, 0, 1), decoded.Direction(100, 50, 2), decoded.Direction(120, 20, 0), decoded.Direction(200, 150, 1)]
    assert direction_changes(records) == [(0, 1), (20, 0), (150, 1)]


def test_the_totals_of_a_damaged_log_always_fit_into_an_end():
    counted = TotalsFromLog()
    most = 0xFFFFFFFF
    counted.add(r.EPOCH, decoded.Epoch(most, decoded.Totals(most, most, most, most, most), 0, 0))
    counted.add(r.STEPS, decoded.Steps((most,)))
    totals = counted.totals()
    assert min(totals) >= 0 and max(totals) <= most and counted.end_ms() <= most
    r.pack(bytearray(r.END_BYTES), r.END, counted.end_ms(), 3, *totals)


def made(kind, seq, payload):
    """The bytes of a record."""
    data = bytes([kind, seq, len(payload)]) + bytes(payload)
    return data + r.crc32(data).to_bytes(4, "little")


def test_bytes_that_are_gone_at_the_end_of_a_crc_cost_no_other_record():
    record = made(r.BOUT, 8, b"any")
    for missing in (1, 2, 3):
        # The next record begins as the CRC ends: without these bytes it still seems valid.
        kind, seq, length = record[len(record) - missing :] + b"\x0b\x09\x05"[missing:]
        following = made(kind, seq, bytes(length))
        data = r.MAGIC + record[: len(record) - missing] + following + made(r.END, 10, bytes(25))
        second = 4 + len(record) - missing
        found = [(offset, kind, seq) for offset, kind, seq, _ in scan(data)]
        assert found == [(4, r.BOUT, 8), (second, kind, seq), (second + len(following), r.END, 10)], missing
    # Where nothing follows, the search continues to the end, and ends.
    assert [kind for _, kind, _, _ in scan(r.MAGIC + record + b"\0" * 40)] == [r.BOUT]
    assert [kind for _, kind, _, _ in scan(r.MAGIC + record + b"\0" * 300 + following)] == [r.BOUT, kind]


def test_records_of_every_length_are_found_wherever_the_buffer_ends():
    data = r.MAGIC
    lengths = [0, 1, 255, 254, 3, 255, 255, 0, 100, 255, 17, 255, 200, 255, 31, 0]
    for seq, length in enumerate(lengths):
        data += made(r.EPOCH, seq, bytes(length))
    for size in range(512, 530):

        def read(offset, view):
            part = data[offset : offset + len(view)]
            view[: len(part)] = part
            return len(part)

        assert [len(payload) for _, _, _, payload in records_in(read, len(data), bytearray(size))] == lengths, size
        # The same from any record on, and where the file is shorter than it was said to be.
        first = 4 + 7
        assert [len(payload) for _, _, _, payload in records_in(read, len(data), bytearray(size), first)] == lengths[1:]
        assert [len(payload) for _, _, _, payload in records_in(read, len(data) + 900, bytearray(size))] == lengths
        assert [len(payload) for _, _, _, payload in records_in(read, len(data) - 1, bytearray(size))] == lengths[:-1]
