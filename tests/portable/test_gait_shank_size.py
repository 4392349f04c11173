"""The size of the force has three axes, in blocks of any size: a leg that is pushed sideways, with exact sums of its half-cycles."""

from array import array

from retrostep_core.gait.shank import ShankSteps

PERIOD_MS = 10


class Output:
    next_tick_ms = 1 << 29

    def __getattr__(self, name):
        return lambda *values: None


def samples(lateral):
    """Half-cycles of 0.4 s with a force that changes on each axis, from sample to sample too."""
    found = []
    for k in range(400):
        speed = 2000 if k // 40 % 2 else -2000
        push = lateral * (k * 7 % 11 - 3)
        found.append((k % 5 * 20, push, 1000 + k % 3 * 10, 0, speed + k % 40 * 10, 0))
    return found


def half_cycles(recorded, size):
    """(sign, end, sums) of each half-cycle, with blocks of `size` samples."""
    shank = ShankSteps(Output())
    found = []
    phases = shank._phases
    honest = phases.end_half_cycle

    def end_half_cycle(sign, is_frontal, end_ms, at_ms):
        found.append((sign, end_ms, at_ms, list(phases.newer)))
        honest(sign, is_frontal, end_ms, at_ms)

    phases.end_half_cycle = end_half_cycle
    for first in range(0, len(recorded), size):
        part = recorded[first : first + size]
        block = array("h", [value for sample in part for value in sample])
        shank.samples(block, len(part), 1000 + first * PERIOD_MS, PERIOD_MS * 1000)
    return found


def test_blocks_of_any_size_have_the_same_sums_with_a_lateral_force():
    for lateral in (0, 100, -250):
        recorded = samples(lateral)
        expected = half_cycles(recorded, 26)
        assert len(expected) >= 8
        for size in (1, 2, 3, 7, 25, 400):
            assert half_cycles(recorded, size) == expected, (lateral, size)


def test_the_size_of_the_force_has_all_three_axes():
    # What is pushed sideways varies more in size (6), and changes faster (10, 11), and nothing else differs.
    plain, pushed = half_cycles(samples(0), 26), half_cycles(samples(200), 26)
    assert len(plain) == len(pushed)
    for a, b in zip(plain[2:], pushed[2:]):
        assert a[:3] == b[:3] and [a[3][place] for place in (0, 1, 2, 3, 5, 7, 8)] == [b[3][place] for place in (0, 1, 2, 3, 5, 7, 8)]
        assert b[3][6] > 3 * a[3][6] and b[3][10] > 3 * a[3][10] and b[3][11] > 2 * a[3][11]
    # A force to the left is as large as one to the right.
    assert half_cycles([(x, -y, z, a, b, c) for x, y, z, a, b, c in samples(200)], 3) == half_cycles(samples(200), 3)


def test_a_steady_force_has_the_same_size_on_any_axis():
    # 600, 0, 800 and 0, 600, 800 and 0, 0, 1000: the same sums of size. The angular velocity does not change.
    found = []
    for x, y, z in ((600, 0, 800), (0, 600, 800), (0, 0, 1000), (0, -1000, 0)):
        recorded = [(x, y, z) + sample[3:] for sample in samples(0)]
        found.append([(sign, end_ms, sums[4], sums[6], sums[10], sums[11]) for sign, end_ms, _, sums in half_cycles(recorded, 5)])
    assert found[0] == found[1] == found[2] == found[3] and len(found[0]) >= 8
