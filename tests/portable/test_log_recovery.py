"""The recovery at a start reads the end of a closed log, and nothing else of it."""

from retrostep_core import codes
from retrostep_core.log import records as r
from retrostep_core.log.reader import read_log
from support.ram_store import RamStore, Wearer
from support.recovery import recover

END_SIZE = 7 + r.END_BYTES


class Watched(RamStore):
    """A store that keeps what was read."""

    def __init__(self):
        super().__init__(boot=9)
        self.read = []

    def read_into(self, session, offset, buf):
        self.read.append((session, offset, len(buf)))
        return super().read_into(session, offset, buf)


def closed_log():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(codes.FORWARD)
    wearer.run(10)
    wearer.session.stop(wearer.clock.now, codes.END_BUTTON)
    assert read_log(store.logs[1]).end.reason == codes.END_BUTTON
    return store.logs[1]


LOG = closed_log()


def test_a_closed_log_costs_one_read_of_its_end():
    store = Watched()
    store.logs[1] = LOG
    store.logs[2] = LOG
    store.confirm(2, len(LOG))
    assert recover(store, 9) == (0, 0)
    assert store.read == [(1, len(LOG) - END_SIZE, END_SIZE)], "and a confirmed one none"
    assert store.logs == {1: LOG, 2: LOG}


def test_an_end_is_valid_to_its_last_bit_or_none():
    # Each change of one bit of END, but of its number, which its CRC covers as well.
    for at in range(END_SIZE):
        place = len(LOG) - END_SIZE + at
        damaged = LOG[:place] + bytes([LOG[place] ^ 4]) + LOG[place + 1 :]
        store = Watched()
        store.logs[1] = damaged
        assert recover(store, 9).closed == 1, at
        log = read_log(store.logs[1])
        assert log.closed and log.end.reason == codes.END_INTERRUPTED and store.logs[1][:-END_SIZE] == LOG[:-END_SIZE]


def test_what_has_the_form_of_an_end_but_its_kind_or_its_length_is_none():
    end = LOG[-END_SIZE:]
    for kind, length in ((r.MARK, r.END_BYTES), (r.END, r.END_BYTES - 1), (r.END, r.END_BYTES + 1)):
        record = bytearray(end[:-4])
        record[0], record[2] = kind, length
        store = Watched()
        store.logs[1] = LOG[:-END_SIZE] + bytes(record) + r.crc32(record).to_bytes(4, "little")
        assert recover(store, 9).closed == 1 and len(store.read) > 2, (kind, length)


def test_a_log_shorter_than_an_end_is_read_as_one_without():
    for length in (END_SIZE - 1, END_SIZE, END_SIZE + 1):
        store = Watched()
        store.logs[1] = b"x" * length
        assert recover(store, 9) == (0, codes.FAULT_LOG_DAMAGED) and len(store.logs[1]) == length
        # What is long enough to hold an END is looked at first.
        assert (store.read[0] == (1, length - END_SIZE, END_SIZE)) == (length >= END_SIZE), store.read
    store = Watched()
    store.logs[1] = LOG[-END_SIZE:]
    assert recover(store, 9) == (0, 0) and len(store.read) == 1


def test_a_flash_that_reads_less_than_it_says_is_read_again():
    store = Watched()
    store.logs[1] = LOG
    honest = store.read_into
    store.read_into = lambda session, offset, buf: honest(session, offset, buf) - (1 if len(store.read) == 1 else 0)
    assert recover(store, 9) == (0, 0) and len(store.read) > 1 and store.logs[1] == LOG


def test_an_empty_log_is_erased_and_the_open_one_is_left():
    store = Watched()
    store.logs = {1: b"", 2: b"", 3: LOG[:-END_SIZE], 4: LOG}
    store.open_number = 2
    assert recover(store, 9) == (1, 0)
    assert sorted(store.logs) == [2, 3, 4]


def test_a_log_of_this_boot_stays_open():
    for boot, closed in ((1, 0), (2, 1)):
        store = Watched()
        store.logs[1] = LOG[:-END_SIZE]
        assert recover(store, boot) == (closed, 0)
    store = Watched()
    store.logs[1] = LOG[:-END_SIZE]
    assert recover(store).closed == 1, "no boot has the number 0"
