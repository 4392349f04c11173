"""From the ADC's microvolts to what is left of the cell."""

from hal.battery import UNKNOWN_PERCENT, Battery, percent_of


def test_voltage_is_scaled_back_up_and_outliers_do_not_count():
    readings = [1900000, 1900000, 3000000, 100000, 1900000]
    battery = Battery(lambda: readings.pop(), 200)
    battery.measure()
    assert battery.millivolt == 3800 and battery.percent == 50


def test_percent_follows_the_curve():
    assert percent_of(3000) == percent_of(3300) == 0
    assert percent_of(4180) == percent_of(4300) == 100
    last = -1
    for millivolt in range(3250, 4250, 10):
        assert percent_of(millivolt) >= last
        last = percent_of(millivolt)
    assert percent_of(3850) == 57


def test_no_cell_is_unknown_not_empty():
    for battery in (Battery(), Battery(lambda: 142000, 200)):
        battery.measure()
        assert battery.millivolt == 0 and battery.percent == UNKNOWN_PERCENT
