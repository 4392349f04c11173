"""Every time limit of a session, at the millisecond before it and at it."""

from retrostep_core import codes
from retrostep_core.log.reader import read_log
from support.ram_store import Packed, RamStore, Wearer

UNKNOWN, FORWARD, BACKWARD, STILL = 0, 1, 2, 3


class Begun:
    """A session that was opened by button at 1000 ms."""

    def __init__(self, store=None, battery_mv=3900, **options):
        self.store = store or RamStore()
        self.wearer = Wearer(self.store, **options)
        self.session = self.wearer.session
        self.session.tick(900, battery_mv, 80)
        self.session.start(1000)

    def tick(self, now_ms, battery_mv=3900):
        """A tick `now_ms` after the start."""
        self.wearer.clock.now = 1000 + now_ms
        self.wearer.totals.advance(1000 + now_ms)
        self.session.tick(1000 + now_ms, battery_mv, 80)

    def step(self, at_ms):
        self.wearer.clock.now = 1000 + at_ms
        self.wearer.step()

    def log(self):
        return read_log(bytes(self.store.logs[1]))

    def epochs(self):
        self.session.stop(self.wearer.clock.now)
        return [epoch.t_ms for epoch in self.log().epochs]


def test_an_epoch_lasts_ten_seconds():
    for now_ms, expected in ((9999, []), (10000, [10000])):
        begun = Begun()
        begun.step(9990)
        begun.session._log.flush()
        begun.tick(now_ms)
        assert begun.epochs() == expected


def test_an_epoch_may_come_700_ms_early_to_share_a_flush():
    for now_ms, expected in ((9299, []), (9300, [9300])):
        begun = Begun()
        begun.step(100)  # due for a flush
        begun.tick(now_ms)
        assert begun.epochs() == expected


def test_epochs_stay_on_their_grid_however_early_or_late_one_is():
    begun = Begun()
    for now_ms in (9300, 19300, 29299, 30000, 39299):
        begun.step(now_ms - 5000)
        begun.tick(now_ms)
    assert begun.epochs() == [9300, 19300, 30000]
    begun = Begun()
    for now_ms in (25000, 29999, 30000):
        begun.step(now_ms - 4000)
        begun.tick(now_ms)
    assert begun.epochs() == [25000, 30000]
    begun = Begun()
    for now_ms in range(10000, 2000001, 10000):
        begun.step(now_ms - 100)
        begun.tick(now_ms)
    assert begun.epochs() == list(range(10000, 2000001, 10000))


def test_nothing_counted_is_no_epoch():
    begun = Begun()
    begun.step(500)
    for now_ms in (10000, 20000, 30000):
        begun.tick(now_ms)
    begun.step(31000)
    begun.tick(40000)
    assert begun.epochs() == [10000, 40000]


def test_with_little_flash_an_epoch_lasts_a_minute():
    for free, expected in ((24576, [10000, 20000, 30000, 40000, 50000]), (24575, [60000])):
        store = RamStore(capacity=free)
        begun = Begun(store)
        for now_ms in range(10000, 60001, 10000):
            begun.step(now_ms - 100)
            begun.tick(now_ms)
        assert begun.epochs() == expected, free  # the check after a minute finds less than that


def test_steps_are_left_out_below_64_kb():
    for free, left_out in ((65536, False), (65535, True)):
        begun = Begun(RamStore(capacity=free))
        assert bool(begun.session.faults & codes.FAULT_FLASH_SHORT) == left_out, free
        begun.step(1000)
        begun.session.stop(5000)
        assert len(begun.log().steps) == (0 if left_out else 1)


def test_the_battery_is_recorded_every_five_minutes():
    begun = Begun(battery_mv=0)
    begun.tick(100)
    for now_ms, number in ((300099, 1), (300100, 2), (600099, 2), (600100, 3)):
        begun.step(now_ms - 50)
        begun.tick(now_ms)
        begun.session._log.flush()
        assert len(begun.log().battery) == number, now_ms
    assert [record.at_ms for record in begun.log().battery] == [100, 300100, 600100]


def test_the_battery_is_recorded_as_soon_as_it_is_measured():
    begun = Begun(battery_mv=0)
    begun.tick(100, battery_mv=0)
    assert begun.log().battery == []
    begun.tick(200)
    begun.session._log.flush()
    assert [record.at_ms for record in begun.log().battery] == [200]
    # The next session starts with the last measurement.
    begun.session.stop(5000)
    begun.session.start(6000)
    assert [record.at_ms for record in read_log(bytes(begun.store.logs[2])).battery] == [0]


def test_a_failed_flash_is_tried_again_after_ten_seconds():
    begun = Begun()
    begun.store.failing = True
    begun.step(100)
    begun.session.mark(1200, codes.MARK_STRETCH)
    assert begun.session.faults & codes.FAULT_FLASH_FULL
    begun.tick(60000)
    begun.store.failing = False
    begun.step(60100)
    begun.tick(69999)
    assert begun.session.faults & codes.FAULT_FLASH_FULL
    begun.tick(70000)
    assert not begun.session.faults & codes.FAULT_FLASH_FULL
    begun.session.stop(1000 + 70000)
    assert len(begun.log().steps) == 2 and begun.log().marks[0].at_ms == 200


def test_the_flash_is_checked_once_a_minute():
    begun = Begun(RamStore(capacity=70000))
    begun.store.capacity = 60000
    begun.step(59000)
    begun.tick(59999)
    assert not begun.session.faults & codes.FAULT_FLASH_SHORT
    begun.tick(60000)
    assert begun.session.faults & codes.FAULT_FLASH_SHORT
    begun.store.capacity = 90000
    begun.step(119000)
    begun.tick(119999)
    assert begun.session.faults & codes.FAULT_FLASH_SHORT
    begun.tick(120000)
    assert not begun.session.faults & codes.FAULT_FLASH_SHORT
    begun.session.stop(1000 + 121000)
    gaps = [(gap.from_ms, gap.to_ms, gap.reason) for gap in begun.log().gaps]
    assert gaps == [(60000, 120000, codes.GAP_FLASH)]


def test_a_record_is_flushed_with_the_tick_4400_ms_after_it_came():
    for now_ms, flushes in ((4499, 0), (4500, 1)):
        begun = Begun()
        before = begun.store.flushes
        begun.step(100)
        begun.tick(now_ms)
        assert begun.store.flushes - before == flushes, now_ms


def test_a_record_is_flushed_by_the_next_one_4900_ms_after_it_came():
    for at_ms, flushes in ((4999, 0), (5000, 1)):
        begun = Begun()
        before = begun.store.flushes
        begun.step(100)
        begun.step(at_ms)
        assert begun.store.flushes - before == flushes, at_ms


def test_a_session_ends_after_its_stillness():
    for seconds in (60, 5):
        for now_ms, is_open in ((seconds * 1000 + 1999, True), (seconds * 1000 + 2000, False)):
            begun = Begun(auto_stop_s=seconds)
            begun.step(2000)
            begun.tick(now_ms)
            assert begun.session.open == is_open, (seconds, now_ms)


def test_a_changed_rate_is_recorded_beyond_two_in_a_thousand():
    for changed, number in ((104208, 1), (104209, 2), (103792, 1), (103791, 2)):
        begun = Begun()
        begun.session.rate(1100, 104000)
        begun.session.rate(1200, changed)
        begun.session.stop(3000)
        assert len(begun.log().rates) == number, changed


def test_a_session_starts_half_a_second_before_its_first_step_and_never_before_the_boot():
    for step_ms, start_ms in ((5000, 4500), (500, 0), (499, 0), (501, 1)):
        wearer = Wearer(RamStore(), now_ms=step_ms)
        wearer.step()
        assert wearer.session.start_ms == start_ms


def test_limits_of_the_next_header_are_those_set_before_it():
    begun = Begun()
    other = Packed()
    other.pack = lambda: bytes(24)
    begun.session.limits = other
    begun.session.stop(2000)
    begun.session.start(3000)
    assert begun.log().header.limits == bytes(range(24)) and read_log(bytes(begun.store.logs[2])).header.limits == bytes(24)


class Loads:
    """Sums of contacts as gait/load.py has them: one contact forward for each call of contact(), and the settled time."""

    def __init__(self):
        self.settled = []
        self.clear()

    def contact(self, direction, clipped=False):
        self._sums[direction][1 if clipped else 0] += 1

    def settle(self, at_ms):
        self.settled.append(at_ms)

    def sums(self, direction):
        return self._sums[direction]

    def clear(self):
        self._sums = [[0, 0, 0, 0, 0, 0, 0, 0] for _ in range(3)]


def test_every_epoch_records_the_loads_since_the_one_before_and_the_end_the_rest():
    loads = Loads()
    begun = Begun(load=loads)
    begun.step(500)
    loads.contact(FORWARD)
    loads.contact(FORWARD)
    loads.contact(BACKWARD)
    begun.tick(10000)
    begun.step(10500)
    loads.contact(UNKNOWN, clipped=True)
    begun.tick(20000)
    begun.step(20500)
    begun.tick(30000)
    loads.contact(BACKWARD)
    begun.session.stop(1000 + 33000)
    found = [(load.t_ms, load.direction, load.count, load.clipped) for load in begun.log().loads]
    assert found == [(10000, FORWARD, 2, 0), (10000, BACKWARD, 1, 0), (20000, UNKNOWN, 0, 1), (33000, BACKWARD, 1, 0)]
    assert loads.settled == [11000, 21000, 31000, 34000]
