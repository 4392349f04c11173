"""From the microvolts of the ADC to the charge of the cell."""

from hal.battery import Battery, percent_of


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


def measured(millivolts):
    """(percent, is_empty) after each measurement."""
    now = [0]
    battery = Battery(lambda: now[0] * 500, 200)
    found = []
    for millivolt in millivolts:
        now[0] = millivolt
        battery.measure()
        found.append((battery.percent, battery.is_empty))
    return found


def test_a_load_for_a_moment_hardly_changes_the_charge():
    found = [percent for percent, _ in measured([3900, 3900, 3600, 3900, 3900, 3900, 3900])]
    assert min(found) >= 50 and found == sorted(found, reverse=True), "it falls, and does not jump up again"


def test_the_charge_never_rises_but_by_charging():
    noisy = [3800 + 15 * (-1) ** k - k for k in range(100)]
    found = [percent for percent, _ in measured(noisy)]
    assert found == sorted(found, reverse=True)
    charged = [percent for percent, _ in measured([3700, 3700] + [4150] * 12)]
    assert charged[0] == 25 and charged[-1] > 90


def test_an_empty_cell_is_certain_after_three_measurements():
    assert [is_empty for _, is_empty in measured([3290, 3290, 3290, 3290])] == [False, False, True, True]
    assert not measured([3290, 3290, 3600, 3600])[-1][1]
    assert not measured([3290] * 3 + [2000])[-1][1], "no cell"


def test_a_chip_that_cannot_measure_is_asked_once():
    asked = []

    def read_uv():
        asked.append(1)
        raise OSError(-258, "ESP_ERR_INVALID_ARG")

    battery = Battery(read_uv, 200)
    assert not battery.failed
    for _ in range(3):
        battery.measure()
        assert battery.failed and battery.millivolt == 0 and battery.percent == 255
    assert len(asked) == 1


def test_no_cell_is_unknown_not_empty():
    for battery in (Battery(), Battery(lambda: 142000, 200)):
        battery.measure()
        assert battery.millivolt == 0 and battery.percent == 255
