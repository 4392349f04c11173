"""Patterns of the motor and the LED."""

from hal import feedback

# As in hal/feedback.py.
URGENT = 1
MOST_URGENT = 2


class Pins:
    def __init__(self):
        self.led = False
        self.motor = False

    def set_led(self, on):
        self.led = on

    def set_motor(self, on):
        self.motor = on


def play(pattern, until_ms, **more):
    """[(ms, motor)] of every change of the motor."""
    pins = Pins()
    player = feedback.Feedback(pins.set_led, pins.set_motor)
    player.play(pattern, 0)
    changes = [(0, pins.motor)]
    for now in range(0, until_ms, 10):
        player.poll(now)
        if pins.motor != changes[-1][1]:
            changes.append((now, pins.motor))
    return changes, player, pins


def test_a_pattern_is_on_off_on_and_ends_off():
    changes, player, pins = play((120, 100, 120), 1000)
    assert changes == [(0, True), (120, False), (220, True), (340, False)]
    assert not player.busy and not pins.led


def test_an_urgent_pattern_is_not_interrupted():
    pins = Pins()
    player = feedback.Feedback(pins.set_led, pins.set_motor)
    assert player.play(feedback.stop_now(0), 0, MOST_URGENT)
    assert not player.play(feedback.CONFIRMED, 100)
    assert pins.motor
    assert not player.play(feedback.FAULT, 150, URGENT)
    assert player.play(feedback.stop_now(3), 200, MOST_URGENT)
    player.poll(20000)
    for now in range(20000, 30000, 10):
        player.poll(now)
    assert player.play(feedback.CONFIRMED, 30000), "a finished pattern does not hold its urgency"


def test_a_stop_grows_with_the_excess():
    assert feedback.stop_now(0) == (600, 150, 600, 150, 600)
    assert feedback.stop_now(5)[0] == 800 and feedback.stop_now(20)[0] == feedback.stop_now(500)[0] == 1400


def test_heartbeat_lights_the_led_alone():
    pins = Pins()
    player = feedback.Feedback(pins.set_led, pins.set_motor)
    lit = 0
    for now in range(0, 20000, 10):
        player.poll(now)
        lit += pins.led
        assert not pins.motor
    assert 8 <= lit <= 16


def test_a_board_without_motor_and_led_does_nothing():
    player = feedback.Feedback()
    player.play(feedback.EASE_OFF, 0)
    player.poll(5000)
    player.off()
    assert not player.busy
