"""When the device sleeps lightly, and when it stays awake."""

from hal.power import Power


class Waits:
    def __init__(self, link="uart", can_sleep=True):
        self.awake = 0
        self.asleep = 0
        self.power = Power(self.wait, self.sleep if can_sleep else None, link)

    def wait(self, ms):
        self.awake += ms

    def sleep(self, ms):
        self.asleep += ms


def test_it_sleeps_after_a_quiet_time_and_not_for_short_pauses():
    waits = Waits()
    assert not waits.power.choose(29999, True, False)
    waits.power.sleep_ms(100)
    assert waits.power.choose(30000, True, False)
    waits.power.sleep_ms(100)
    waits.power.sleep_ms(5)
    waits.power.sleep_ms(0)
    assert (waits.awake, waits.asleep) == (105, 100)


def test_a_host_or_a_press_keeps_it_awake():
    waits = Waits()
    assert waits.power.choose(50000, False, False)
    waits.power.stay_awake(50010)
    waits.power.sleep_ms(100)
    assert waits.asleep == 0 and not waits.power.choose(80009, False, False) and waits.power.choose(80010, False, False)


def test_pulses_keep_their_time():
    waits = Waits()
    assert not waits.power.choose(50000, True, True)


def test_usb_keeps_a_device_awake_outside_of_sessions():
    for link in ("usb", "jtag"):
        waits = Waits(link)
        assert not waits.power.choose(50000, False, False) and waits.power.choose(50000, True, False)


def test_a_board_that_is_not_to_sleep_waits_awake():
    waits = Waits(can_sleep=False)
    assert not waits.power.choose(50000, True, False)
    waits.power.sleep_ms(100)
    assert (waits.awake, waits.asleep) == (100, 0)
