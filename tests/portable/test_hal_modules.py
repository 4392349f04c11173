"""Code that only the start needs can be let go."""

import sys

from hal.modules import forget, forget_since


def test_a_module_goes_and_its_package_forgets_it():
    import hal.battery

    forget("hal.battery")
    assert "hal.battery" not in sys.modules and not hasattr(sys.modules["hal"], "battery")
    import hal.battery as again

    assert again.percent_of(3800) == 50 and hal.battery is again


def test_names_that_only_begin_alike_stay():
    import hal.clock
    import hal.console

    before = sys.modules["hal.clock"]
    forget("hal.c")
    forget("hal.nothing")
    assert sys.modules["hal.clock"] is before is hal.clock and hal.console.PACE


def test_what_was_loaded_since_goes():
    import hal.button

    forget("hal.battery")
    known = set(sys.modules)
    import hal.battery

    forget_since(known)
    assert "hal.battery" not in sys.modules and hal.button is sys.modules["hal.button"] and set(sys.modules) == known
