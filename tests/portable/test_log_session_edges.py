"""What a session answers, and what belongs to it, at both sides of its start and its end."""

from retrostep_core import codes
from retrostep_core.codes import FORWARD
from retrostep_core.log.reader import read_log
from support.ram_store import RamStore, Wearer


class Listener:
    def __init__(self):
        self.gaps = []
        self.sessions = []

    def gap(self, *values):
        self.gaps.append(values)

    def session(self, *values):
        self.sessions.append(values)

    def step(self, *values):
        pass

    direction = step


def test_start_and_stop_work_once():
    store = RamStore()
    session = Wearer(store, now_ms=5000).session
    assert session.stop(5000) is False and store.numbers() == []
    assert session.start(5000) is True and session.start(5100) is False
    assert session.stop(7000) is True and session.stop(7100) is False
    assert store.numbers() == [1]
    assert read_log(store.logs[1]).duration_ms == 2000


def test_a_step_up_to_the_end_of_a_session_opens_no_other():
    for t_ms, opens in ((6999, False), (7000, False), (7001, True)):
        store = RamStore()
        wearer = Wearer(store, now_ms=5000)
        wearer.turn(FORWARD)
        wearer.session.start(5000)
        wearer.session.stop(7000)
        wearer.clock.now = 7300
        wearer.step(7300 - t_ms)
        assert wearer.session.open == opens == (store.numbers() == [1, 2]), t_ms
        if opens:
            wearer.session.stop(7400)
            log = read_log(store.logs[2])
            assert log.header.start_ticks_ms == 7000 and log.steps == [(1, FORWARD)], "not before the end of the other"


def test_a_gap_up_to_the_start_is_none_of_the_session():
    store = RamStore()
    session = Wearer(store, now_ms=5000).session
    session.listener = Listener()
    session.gap(3000, 4000, codes.GAP_SAMPLES)
    session.start(5000)
    session.gap(4000, 5000, codes.GAP_SAMPLES)
    session.gap(4000, 5001, codes.GAP_SAMPLES)
    session.gap(5500, 5600, codes.GAP_SAMPLES)
    session.stop(6000)
    session.gap(6500, 6600, codes.GAP_SAMPLES)
    assert [(gap.from_ms, gap.to_ms) for gap in read_log(store.logs[1]).gaps] == [(0, 1), (500, 600)]
    assert len(session.listener.gaps) == 5, "who watches gets all of them"


def test_the_battery_is_recorded_with_its_percentage():
    for percent, recorded in ((80, 80), (0, 0), (255, 255)):
        store = RamStore()
        wearer = Wearer(store)
        wearer.battery_percent = percent
        wearer.turn(FORWARD)
        wearer.run(10)
        wearer.session.stop(wearer.clock.now)
        assert [(one.millivolt, one.percent) for one in read_log(store.logs[1]).battery][-1] == (3900, recorded)
