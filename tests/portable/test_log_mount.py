"""The mount that strides showed, in the log of the session and of those after it."""

from retrostep_core.codes import FORWARD, UNKNOWN
from retrostep_core.log.reader import read_log
from support.ram_store import RamStore, Wearer

TURNED = ((0, -1), (1, -1), (2, 1))


def test_a_mount_that_strides_showed_is_recorded_with_the_totals_that_it_changed():
    wearer = Wearer(RamStore())
    wearer.turn(UNKNOWN)
    wearer.run(28)
    since_ms = wearer.clock.now - 25000
    wearer.turn(FORWARD, since_ms)
    wearer.session.found_mount(wearer.clock.now, since_ms, TURNED)
    # The power fails here.
    log = read_log(wearer.store.logs[1])
    assert not log.closed and log.damage == []
    assert log.header.mount == "+y+z+x"
    start_ms = wearer.session.start_ms
    assert log.mounts == [(wearer.clock.now - start_ms, since_ms - start_ms, "-y-z+x")]
    totals = wearer.totals
    assert log.totals.forward_ms == totals.forward_ms > 24000
    assert (log.totals.forward_steps, log.totals.unknown_steps) == (totals.forward_steps, totals.unknown_steps)


def test_the_next_session_begins_with_the_mount_that_was_found():
    store = RamStore()
    wearer = Wearer(store)
    wearer.run(5)
    wearer.session.found_mount(wearer.clock.now, 1000, TURNED)
    wearer.session.stop(wearer.clock.now)
    wearer.run(5)
    wearer.session.found_mount(wearer.clock.now, wearer.clock.now - 3000, ((0, 1), (1, 1), (2, 1)))
    wearer.session.stop(wearer.clock.now)
    wearer.run(5)
    wearer.session.stop(wearer.clock.now)
    first, second, third = (read_log(store.logs[number]).mounts for number in (1, 2, 3))
    assert [mount.mount for mount in first] == ["-y-z+x"]
    assert [mount.mount for mount in second] == ["-y-z+x", "+y+z+x"] and second[0].since_ms == 0
    assert third == []


def test_a_calibrated_mount_replaces_the_one_that_was_found():
    wearer = Wearer(RamStore())
    wearer.session.found_mount(0, 0, TURNED)
    wearer.session.declare("+x+y+z")
    wearer.run(5)
    wearer.session.stop(wearer.clock.now)
    log = read_log(wearer.store.logs[1])
    assert log.header.mount == "+x+y+z" and log.mounts == []
