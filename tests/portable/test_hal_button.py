"""The button: bouncing contacts, and the kinds of presses."""

from hal.button import Button

# As in hal/button.py.
NONE = 0
SHORT = 1
DOUBLE = 2
LONG = 3
TRIPLE = 4


def run(presses, until_ms, active_low=True, every_ms=10, busy=(0, 0)):
    """Poll a button that is pressed during each (from, to) of `presses`, but not while the app is `busy`: [(when, what)]."""
    now = [0]

    def value():
        down = any([start <= now[0] < end for start, end in presses])
        return 0 if down == active_low else 1

    button = Button(value, active_low)
    reported = []
    while now[0] < until_ms:
        if not busy[0] < now[0] < busy[1]:
            what = button.poll(now[0])
            if what != NONE:
                reported.append((now[0], what))
        if any([now[0] <= start < now[0] + every_ms for start, _ in presses]):
            button.edge(None)
        now[0] += every_ms
    return reported


def kinds(reported):
    return [what for _, what in reported]


def test_one_press_is_short_when_no_second_one_follows():
    reported = run([(100, 250)], 2000)
    assert kinds(reported) == [SHORT]
    assert 650 <= reported[0][0] <= 720


def test_two_presses_are_one_double():
    reported = run([(100, 200), (350, 450)], 3000)
    assert kinds(reported) == [DOUBLE]
    assert 850 <= reported[0][0] <= 920


def test_three_or_more_presses_are_one_triple():
    assert kinds(run([(100, 200), (350, 450), (600, 700)], 3000)) == [TRIPLE]
    assert kinds(run([(100, 200), (350, 450), (600, 700), (850, 950)], 3000)) == [TRIPLE]


def test_two_slow_presses_are_two_short_ones():
    assert kinds(run([(100, 200), (900, 1000)], 3000)) == [SHORT, SHORT]


def test_long_is_reported_once_while_held():
    reported = run([(100, 3000)], 5000)
    assert kinds(reported) == [LONG]
    assert reported[0][0] < 1000


def test_bouncing_contacts_are_one_press():
    bounces = [(100, 104), (108, 113), (117, 260), (264, 268), (272, 275)]
    assert kinds(run(bounces, 2000, every_ms=2)) == [SHORT]


def test_a_spike_is_not_a_press():
    assert run([(100, 120)], 2000, every_ms=5) == []


def test_either_polarity():
    assert kinds(run([(100, 250)], 2000, active_low=False)) == [SHORT]


def test_held_at_the_start_is_long_and_nothing_after_it():
    assert kinds(run([(0, 1500)], 4000)) == [LONG]


def test_a_press_during_a_call_to_the_flash_is_not_lost():
    call = (200, 430)
    assert kinds(run([(250, 350)], 2000, busy=call)) == [SHORT]
    assert kinds(run([(190, 350)], 2000, busy=call)) == [SHORT]
    assert kinds(run([(250, 500)], 2000, busy=call)) == [SHORT]
    assert kinds(run([(100, 300)], 2000, busy=call)) == [SHORT]
    assert kinds(run([(250, 1700)], 3000, busy=call)) == [LONG]


def test_presses_around_a_call_to_the_flash_belong_together():
    call = (200, 430)
    assert kinds(run([(100, 150), (250, 350)], 2000, busy=call)) == [DOUBLE]
    assert kinds(run([(100, 250), (380, 500)], 2000, busy=call)) == [DOUBLE]
    assert kinds(run([(250, 350), (480, 580), (700, 800)], 2000, busy=call)) == [TRIPLE]


def test_a_release_that_bounces_during_a_call_is_no_second_press():
    assert kinds(run([(100, 300), (306, 310), (314, 316)], 2000, busy=(200, 430), every_ms=2)) == [SHORT]


def test_after_a_call_without_a_press_there_is_none():
    assert run([], 2000, busy=(200, 430)) == []
    assert kinds(run([(600, 700)], 2000, busy=(200, 430))) == [SHORT]
