"""The open log: what waits, when it is due, loads, and what a failure of the flash leaves."""

from retrostep_core.codes import BACKWARD, FAULT_FLASH_FULL, FORWARD, UNKNOWN
from retrostep_core.log import records as r
from retrostep_core.log.decoded import decode
from retrostep_core.log.open_log import FLUSH_LATE_MS, FLUSH_MS, OpenLog, make_room
from retrostep_core.log.reader import scan
from support.ram_store import RamStore


class Load:
    """Stands in for gait/load.py: `contacts` are (contacts, clipped ones) by direction."""

    def __init__(self):
        self.contacts = {UNKNOWN: (0, 0), FORWARD: (0, 0), BACKWARD: (0, 0)}
        self.calls = []

    def settle(self, at_ms):
        self.calls.append(("settle", at_ms))

    def sums(self, direction):
        return list(self.contacts[direction]) + [8000] * 6

    def clear(self):
        self.calls.append("clear")


def opened(load=None):
    store = RamStore()
    log = OpenLog(store, load)
    assert (log.number, log.exists, log.faults, log.is_writable) == (0, False, 0, False)
    assert log.create() and (log.number, log.exists, log.is_writable) == (1, True, True)
    return store, log


def mark(log, at_ms):
    log.put(at_ms, r.MARK, r.pack(log.payload, r.MARK, at_ms, 1))


def kinds(store, number=1):
    return [kind for _, kind, _, _ in scan(store.logs[number])]


def test_a_record_is_due_after_its_time_and_flushed_without_a_tick_half_a_second_later():
    assert (FLUSH_MS, FLUSH_LATE_MS) == (4400, 4900)
    for start_ms in (0, 1, 7000):
        store, log = opened()
        assert not log.is_due(start_ms + 99000), "nothing waits"
        mark(log, start_ms)
        mark(log, start_ms + 3000)
        assert not log.is_due(start_ms + FLUSH_MS - 1) and log.is_due(start_ms + FLUSH_MS)
        mark(log, start_ms + FLUSH_LATE_MS - 1)
        assert kinds(store) == [] and log.is_due(start_ms + FLUSH_MS)
        mark(log, start_ms + FLUSH_LATE_MS)
        assert kinds(store) == [r.MARK] * 4 and not log.is_due(start_ms + 99000)
        # The next record waits as long, from its own time on.
        mark(log, start_ms + 6000)
        assert not log.is_due(start_ms + 6000 + FLUSH_MS - 1) and log.is_due(start_ms + 6000 + FLUSH_MS)
        log.flush()
        assert kinds(store) == [r.MARK] * 5 and not log.is_due(start_ms + 99000)


def test_steps_wait_as_records_do_and_no_step_is_lost_where_a_batch_is_full():
    store, log = opened()
    times = [500 * k for k in range(300)]
    for t_ms in times:
        log.put_step(1000, t_ms)
    assert not log.is_due(1000 + FLUSH_MS - 1) and log.is_due(1000 + FLUSH_MS)
    log.put_step(1000 + FLUSH_LATE_MS, 150000)
    found = [t_ms for _, kind, _, payload in scan(store.logs[1]) if kind == r.STEPS for t_ms in decode(kind, payload).times_ms]
    assert found == times + [150000]


def test_a_new_log_has_nothing_of_the_one_before():
    load = Load()
    store, log = opened(load)
    mark(log, 1000)
    log.put_step(1000, 500)
    log.faults = FAULT_FLASH_FULL
    load.calls.clear()
    log.begin()
    assert (log.number, log.exists, log.faults, load.calls) == (0, False, 0, ["clear"])
    assert not log.is_due(99000)
    mark(log, 2000)
    assert not log.is_due(99000), "without a file it is dropped"
    log.create()
    log.flush()
    assert log.number == 2 and kinds(store, 2) == []


def test_loads_are_settled_recorded_by_direction_and_cleared():
    for contacts, recorded in (((0, 0), False), ((1, 0), True), ((0, 1), True), ((2, 3), True)):
        load = Load()
        store, log = opened(load)
        load.contacts[BACKWARD] = contacts
        load.contacts[FORWARD] = (4, 1)
        load.calls.clear()
        log.put_loads(7000, 6000)
        assert load.calls == [("settle", 7000), "clear"]
        assert log.is_due(7000 + FLUSH_MS) and not log.is_due(7000 + FLUSH_MS - 1)
        log.flush()
        found = [decode(kind, payload) for _, kind, _, payload in scan(store.logs[1])]
        assert [load.direction for load in found] == [FORWARD] + ([BACKWARD] if recorded else [])
        assert found[0][:4] == (6000, FORWARD, 4, 1)
    store, log = opened()
    log.put_loads(7000, 6000)
    assert not log.is_due(99000), "a device without that measure has none"


def test_a_failed_write_is_a_fault_until_the_log_continues():
    store, log = opened()
    mark(log, 1000)
    store.failing = True
    log.flush()
    assert (log.faults, log.is_writable, log.is_incomplete) == (FAULT_FLASH_FULL, False, True)
    assert not log.is_due(99000)
    log.faults = 0
    log.resume()
    assert (log.faults, log.is_writable, log.is_incomplete) == (FAULT_FLASH_FULL, False, True), "the flash still fails"
    store.failing = False
    log.resume()
    assert (log.faults, log.is_writable, log.is_incomplete) == (0, True, False) and kinds(store) == [r.MARK]
    # One record that found no room makes the log incomplete, for good.
    store.failing = True
    log.flush()
    mark(log, 2000)
    log.flush()
    while log._writer.lost == 0:
        mark(log, 2000)
    store.failing = False
    log.resume()
    assert log.is_writable and log.is_incomplete and log._writer.lost == 1 and log.faults == 0


def test_a_log_is_closed_with_what_waits_also_after_a_failed_write():
    store, log = opened()
    mark(log, 1000)
    log.close()
    assert kinds(store) == [r.MARK] and store.open_number == 0 and (log.exists, log.faults, log.number) == (False, 0, 1)
    store, log = opened()
    mark(log, 1000)
    store.failing = True
    log.flush()
    store.failing = False
    log.close()
    assert kinds(store) == [r.MARK] and (log.exists, log.faults) == (False, 0)
    store, log = opened()
    mark(log, 1000)
    store.failing = True
    log.close()
    assert (log.exists, log.faults, kinds(store)) == (False, FAULT_FLASH_FULL, [])
    log.close()
    assert (log.exists, log.faults) == (False, FAULT_FLASH_FULL)


def test_a_log_that_gets_no_file_is_a_fault():
    store = RamStore()
    log = OpenLog(store)
    store.failing = True
    assert not log.create() and (log.number, log.exists, log.faults) == (0, False, FAULT_FLASH_FULL)
    log.flush()
    log.close()
    store.failing = False
    assert log.create() and log.number == 1 and log.faults == FAULT_FLASH_FULL, "the caller withdraws it"


def test_room_is_made_of_confirmed_logs_the_oldest_first_one_at_a_time_and_of_no_more_than_it_takes():
    for wanted, erased in ((699, ()), (700, ()), (701, (2,)), (800, (2,)), (801, (2, 4)), (900, (2, 4)), (5000, (2, 4))):
        store = RamStore(capacity=1200)
        for number in range(1, 6):
            store.logs[number] = bytes(100)
        for number in (2, 3, 4):
            store.confirm(number, 100)
        store.open_number = 3
        for freed in (100, 200, 200):
            free = make_room(store, wanted)
            assert free == 700 + min(freed, 100 * len(erased)), "one log at a time"
        assert free == 700 + 100 * len(erased) == store.free_bytes(), wanted
        assert store.numbers() == [number for number in range(1, 6) if number not in erased], wanted
