"""Impacts of the worn leg: found at its contacts, summed by direction, clipped ones apart."""

from retrostep_core.codes import BACKWARD, FORWARD, UNKNOWN
from retrostep_core.gait.load import Load
from retrostep_core.gait.totals import GaitTotals


def run(load, totals, from_ms, strides, axial=3000, clipped_every=0, late_ms=0):
    """A contact every 700 ms with an impact 40 ms after it; blocks of 120 ms. The time after it."""
    impacts = [from_ms + 700 * k + 40 for k in range(strides)]
    contacts = [at - 40 for at in impacts]
    now = from_ms - 500
    nth = 0
    while contacts:
        end = now + 115
        impact = [300, 400 * 400, 150, 0]
        if impacts and now <= impacts[0] <= end:
            impacts.pop(0)
            nth += 1
            clipped = 1 if clipped_every and nth % clipped_every == 0 else 0
            impact = [axial, axial * axial + 500 * 500, 2000, clipped]
        load.block(now, end, impact)
        now += 120
        totals.advance(now)
        while contacts and contacts[0] + 60 + late_ms < now:
            load.contact(contacts.pop(0))
    return now


def test_each_contact_gets_the_impact_near_it():
    totals = GaitTotals()
    load = Load(totals)
    totals.set_direction(0, FORWARD)
    now = run(load, totals, 1000, 20)
    load.settle(now + 5000)
    count, clipped, axial, axial_max, resultant, resultant_max, rise, rise_max = load.sums(FORWARD)
    assert (count, clipped) == (20, 0)
    assert axial == 20 * 3000 and axial_max == 3000
    assert resultant_max == 3041 and resultant == 20 * 3041
    assert (rise, rise_max) == (20 * 2000, 2000)
    assert load.sums(BACKWARD)[0] == load.sums(UNKNOWN)[0] == 0
    load.clear()
    assert load.sums(FORWARD) == [0] * 8


def test_late_credit_finds_its_impact_for_four_seconds():
    totals = GaitTotals()
    totals.set_direction(0, BACKWARD)
    load = Load(totals)
    now = run(load, totals, 1000, 12, late_ms=2000)
    load.settle(now + 5000)
    assert load.sums(BACKWARD)[0] == 12 and load.sums(BACKWARD)[3] == 3000


def test_a_clipped_impact_is_counted_and_not_averaged():
    totals = GaitTotals()
    totals.set_direction(0, FORWARD)
    load = Load(totals)
    now = run(load, totals, 1000, 20, axial=14900, clipped_every=4)
    load.settle(now + 5000)
    sums = load.sums(FORWARD)
    assert (sums[0], sums[1]) == (15, 5)
    assert sums[2] == 15 * 14900


def test_the_direction_is_the_one_at_the_contact_even_if_it_is_known_late():
    totals = GaitTotals()
    totals.set_direction(0, FORWARD)
    load = Load(totals)
    now = run(load, totals, 1000, 10)
    # The last two contacts were the first ones backward, as it turns out now.
    totals.set_direction(1000 + 8 * 700 - 100, BACKWARD)
    load.settle(now + 5000)
    assert load.sums(FORWARD)[0] == 8 and load.sums(BACKWARD)[0] == 2


def test_a_contact_without_samples_has_no_impact():
    totals = GaitTotals()
    load = Load(totals)
    for t_ms in (10000, 11000, 12000, 13000):
        load.contact(t_ms)
    load.settle(20000)
    assert load.sums(UNKNOWN) == [0] * 8


def test_nothing_is_allocated():
    import sys

    if sys.implementation.name != "micropython":
        return
    import micropython

    totals = GaitTotals()
    load = Load(totals)
    impact = [3000, 9000000, 900, 0]

    def steps(times):
        for k in range(times):
            load.block(1000 + 120 * k, 1115 + 120 * k, impact)
            if k % 6 == 5:
                load.contact(1060 + 120 * k)

    steps(60)
    micropython.heap_lock()
    try:
        steps(600)
        load.settle(100000)
    finally:
        micropython.heap_unlock()
    assert load.sums(UNKNOWN)[0] > 80
