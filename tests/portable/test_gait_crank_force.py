"""A crank carries the foot round evenly: both forces are one sine a turn; a stride has more."""

from retrostep_core.gait.crank_force import CrankForce

# sin(2 pi k / 24) in 1/256.
SINE = (0, 66, 128, 181, 222, 247, 256, 247, 222, 181, 128, 66)


def sine(samples, turns=1, amplitude=256):
    """`samples` forces of so many sines; samples are a multiple of 24."""
    out = []
    for k in range(samples):
        at = k * turns * 24 // samples % 24
        out.append(500 + ((SINE[at] if at < 12 else -SINE[at - 12]) * amplitude >> 8))
    return out


def added(*forces):
    """Forces that act together."""
    return [sum(at) for at in zip(*forces)]


def is_crank(ups, sizes, skipped=0):
    """Whether three turns with these forces, in 2 mg, end with a turn of a crank."""
    crank = CrankForce()
    for k in range(3 * len(ups) - skipped):
        crank.ups[crank.place] = ups[k % len(ups)]
        crank.sizes[crank.place] = sizes[k % len(ups)]
        crank.place = (crank.place + 1) % 128
    return crank.is_crank(len(ups))


def test_one_sine_in_both_forces_is_a_crank():
    for samples in (24, 48, 96):
        for skipped in (0, 5, 17):
            assert is_crank(sine(samples), sine(samples), skipped), (samples, skipped)


def test_a_second_wave_in_either_force_is_a_stride():
    one, two = sine(48), added(sine(48), sine(48, 2))
    assert is_crank(one, one)
    assert not is_crank(two, two)
    # A strike, as sharp as a sample.
    struck = list(one)
    struck[7] += 2500
    assert not is_crank(two, struck)


def test_the_size_is_enough_if_it_is_nearly_a_sine():
    # The sensor may sit in another mount than the declared one: then its z is not along the leg.
    one, two = sine(48), added(sine(48), sine(48, 2))
    for second, found in ((140, True), (180, False)):
        nearly = added(one, sine(48, 2, second))
        assert is_crank(two, nearly) == found, second
        assert not is_crank(nearly, two), "a runner with a tipped sensor"


def test_a_rough_road_is_averaged_out():
    shaken = added(sine(96), [200, -200] * 48)
    assert is_crank(shaken, shaken)


def test_a_force_that_hardly_changes_is_no_crank():
    assert not is_crank(sine(48, 1, 120), sine(48, 1, 120))  # 0.24 g
    assert is_crank(sine(48, 1, 180), sine(48, 1, 180))  # 0.36 g


def test_strides_that_are_not_kept_are_not_judged():
    crank = CrankForce()
    for samples in (0, 15, 129):
        assert not crank.is_crank(samples)
    assert not is_crank(sine(144), sine(144))


def test_the_largest_forces_stay_in_range():
    # A square wave is a sine and a quarter of its energy.
    largest = [32767] * 24 + [-32768] * 24
    assert is_crank(largest, largest)
