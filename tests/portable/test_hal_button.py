"""The button: contacts bounce, presses are told apart."""

from hal.button import DOUBLE, LONG, NONE, SHORT, TRIPLE, Button


def run(presses, until_ms, active_low=True, every_ms=10):
    """Poll a button that is pressed during each (from, to) of `presses`: [(when, what)]."""
    now = [0]

    def value():
        down = any([start <= now[0] < end for start, end in presses])
        return 0 if down == active_low else 1

    button = Button(value, active_low)
    told = []
    while now[0] < until_ms:
        what = button.poll(now[0])
        if what != NONE:
            told.append((now[0], what))
        now[0] += every_ms
    return told


def kinds(told):
    return [what for _, what in told]


def test_one_press_is_short_once_no_second_one_followed():
    told = run([(100, 250)], 2000)
    assert kinds(told) == [SHORT]
    assert 650 <= told[0][0] <= 720


def test_two_presses_are_one_double():
    told = run([(100, 200), (350, 450)], 3000)
    assert kinds(told) == [DOUBLE]
    assert 850 <= told[0][0] <= 920


def test_three_presses_are_one_triple_and_so_are_more():
    assert kinds(run([(100, 200), (350, 450), (600, 700)], 3000)) == [TRIPLE]
    assert kinds(run([(100, 200), (350, 450), (600, 700), (850, 950)], 3000)) == [TRIPLE]


def test_two_slow_presses_are_two_short_ones():
    assert kinds(run([(100, 200), (900, 1000)], 3000)) == [SHORT, SHORT]


def test_long_is_told_while_held_and_once():
    told = run([(100, 3000)], 5000)
    assert kinds(told) == [LONG]
    assert told[0][0] < 1000


def test_bouncing_contacts_are_one_press():
    bounces = [(100, 104), (108, 113), (117, 260), (264, 268), (272, 275)]
    assert kinds(run(bounces, 2000, every_ms=2)) == [SHORT]


def test_a_spike_is_no_press():
    assert run([(100, 120)], 2000, every_ms=5) == []


def test_either_polarity():
    assert kinds(run([(100, 250)], 2000, active_low=False)) == [SHORT]


def test_held_at_the_start_is_long_and_nothing_after_it():
    assert kinds(run([(0, 1500)], 4000)) == [LONG]
