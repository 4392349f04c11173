"""A session's log does not depend on the sessions before it: nothing of them is left in memory."""

from retrostep_core import codes
from retrostep_core.log.reader import read_log
from support.ram_store import RamStore, Wearer

UNKNOWN, FORWARD, BACKWARD, STILL = 0, 1, 2, 3


def ordinary(wearer):
    wearer.turn(FORWARD)
    wearer.run(40)
    wearer.session.peak(3000)
    wearer.turn(BACKWARD)
    wearer.run(20, 150)
    wearer.session.alert(wearer.clock.now, 1, 2, 170, 150)
    wearer.session.mark(wearer.clock.now, codes.MARK_STRETCH)
    wearer.turn(STILL)
    wearer.pass_ms(5000)
    wearer.session.stop(wearer.clock.now)


def empty(wearer):
    wearer.session.start(wearer.clock.now)
    wearer.session.stop(wearer.clock.now)


def restless(wearer):
    """Many short stretches, high peaks and cadences, and an end in the middle of all of it."""
    for k in range(9):
        wearer.turn((FORWARD, BACKWARD, UNKNOWN)[k % 3])
        wearer.pass_ms(300)
        wearer.step()
        wearer.session.cadence(wearer.clock.now, 2300)
        wearer.session.peak(9999)
    wearer.session.gap(wearer.clock.now - 100, wearer.clock.now)
    wearer.session.stop(wearer.clock.now, codes.END_BUTTON)


def without_room(wearer):
    """A flash that is nearly full: steps are left out, and epochs are rare."""
    store = wearer.store
    capacity = store.capacity
    store.capacity = capacity - store.free_bytes() + 20000
    wearer.turn(BACKWARD)
    wearer.run(130)
    assert wearer.session.faults & codes.FAULT_FLASH_SHORT
    wearer.session.stop(wearer.clock.now)
    store.capacity = capacity


def on_a_failing_flash(wearer):
    wearer.turn(FORWARD)
    wearer.run(10)
    wearer.store.failing = True
    wearer.run(30)
    wearer.session.stop(wearer.clock.now)
    assert wearer.session.faults & codes.FAULT_FLASH_FULL
    wearer.store.failing = False


def without_a_log(wearer):
    """The flash takes nothing, from the first step to the last."""
    wearer.store.failing = True
    wearer.turn(FORWARD)
    wearer.run(30)
    wearer.session.stop(wearer.clock.now)
    wearer.store.failing = False


def until_it_stands(wearer):
    wearer.turn(BACKWARD)
    wearer.run(15)
    wearer.turn(STILL)
    wearer.pass_ms(70000)
    assert not wearer.session.open


ALL = (ordinary, empty, restless, without_room, on_a_failing_flash, without_a_log, until_it_stands)


def log_of(session, *before):
    """What is in the log of `session` after the sessions `before`, apart from what is known about clock, battery and sample rate."""
    store = RamStore()
    wearer = Wearer(store, now_ms=100000)
    wearer.turn(STILL)
    for each in before:
        each(wearer)
        wearer.turn(STILL)
        wearer.pass_ms(3000)
    # The same place in the wearer's ticks of half a second.
    wearer.pass_ms(500 - (wearer.clock.now - wearer.looked_ms))
    numbers = store.numbers()
    session(wearer)
    new = [number for number in store.numbers() if number not in numbers]
    if not new:
        return wearer.session.faults
    log = read_log(store.logs[new[-1]])
    found = [log.steps, log.directions, log.epochs, log.bouts, log.alerts, log.gaps, log.loads, log.marks, log.end, log.damage]
    header = log.header
    return found + [header.trigger, header.mount, header.limits, wearer.session.faults]


def test_every_session_is_the_same_after_any_other():
    for session in ALL:
        alone = log_of(session)
        for before in ALL:
            assert log_of(session, before) == alone, (session.__name__, before.__name__)


def test_a_session_is_the_same_after_all_others():
    for session in ALL:
        assert log_of(session, *ALL) == log_of(session), session.__name__
