"""Logs read back from bytes that something happened to."""

from ram_store import RamStore, Wearer
from retrostep_core.log import decoded
from retrostep_core.log import records as r
from retrostep_core.log.reader import Damage, LogError, read_log, scan, sound_length, timeline


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


def test_a_whole_log_has_no_damage():
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


def test_a_damaged_magic_costs_nothing_but_is_told():
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


def test_what_is_no_log_says_so():
    assert refused(b"") and refused(b"RSL\x01") and refused(b"RSL\x02" + LOG[4:]) and refused(bytes(1000))
    assert refused(LOG[: RECORDS[0][0]] + LOG[RECORDS[1][0] :])


def test_a_record_that_may_not_be_is_damage():
    buf = bytearray(300)
    n = r.pack_record(buf, r.DIRECTION, 2, bytes(8) + b"\x07")
    data = LOG[: RECORDS[2][0]] + bytes(buf[:n]) + LOG[RECORDS[3][0] :]
    log = read_log(data)
    assert log.damage == [Damage(RECORDS[2][0], n, 1)]


def test_sound_length_is_where_the_last_record_ends():
    def read(offset, into):
        part = data[offset : offset + len(into)]
        into[: len(part)] = part
        return len(part)

    data = LOG + b"\x02\x03"
    assert sound_length(read, len(data)) == len(LOG)
    data = b"nothing" * 100
    assert sound_length(read, len(data)) == 0 and sound_length(read, 0) == 0


def test_the_last_statement_about_a_moment_wins():
    said = [decoded.Direction(0, 0, 1), decoded.Direction(100, 50, 2), decoded.Direction(120, 20, 0), decoded.Direction(200, 150, 1)]
    assert timeline(said) == [(0, 1), (20, 0), (150, 1)]
