"""Patterns on the motor and the LED run without waiting."""

from hal import signal


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
    player = signal.Signal(pins.set_led, pins.set_motor)
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


def test_the_urgent_one_is_not_cut_short():
    pins = Pins()
    player = signal.Signal(pins.set_led, pins.set_motor)
    assert player.play(signal.HALT, 0, 2)
    assert not player.play(signal.MARKED, 100, 0)
    assert pins.motor
    assert player.play(signal.HALT, 200, 2)


def test_alert_patterns_can_be_told_apart():
    assert sum(signal.HALT) > 2 * sum(signal.WARN)
    assert len(signal.HALT) != len(signal.WARN) != len(signal.STOP)


def test_heartbeat_lights_the_led_alone():
    pins = Pins()
    player = signal.Signal(pins.set_led, pins.set_motor)
    lit = 0
    for now in range(0, 20000, 10):
        player.poll(now)
        lit += pins.led
        assert not pins.motor
    assert 8 <= lit <= 16


def test_a_board_without_either_is_silent():
    player = signal.Signal()
    player.play(signal.WARN, 0)
    player.poll(5000)
    player.off()
    assert not player.busy
