"""MicroPython runs this file first. It mounts the flash for short waits, and decides whether the app may start.

SAFE_MODE is "button" while the button is held, "watchdog" after three resets by the watchdog in a row, and "" otherwise. The app does not
start in safe mode, so the REPL is free. Whoever asks why finds the name there.
"""

SAFE_MODE = ""


def _prepare() -> int:
    """Mount the flash; how often the watchdog has reset the board in a row."""
    try:
        from hal import unload
        from hal.flash_mount import remount
        from hal.watchdog import resets_in_a_row
    except ImportError:
        # The program is not complete. main.py says what is missing.
        return 0
    remount()
    unload("hal.flash_mount")
    return resets_in_a_row()


def _button_is_held() -> bool:
    import json

    from machine import Pin

    try:
        with open("/board.json") as file:
            button = json.load(file)["button"]
        active_low = button.get("active_low", True)
        pin = Pin(button["pin"], Pin.IN, Pin.PULL_UP if active_low else Pin.PULL_DOWN)
        return pin.value() == (0 if active_low else 1)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # No button, or a wrong description, which the app reports.
        return False


if _prepare() >= 3:
    SAFE_MODE = "watchdog"
    print("boot: the program hung three times in a row, and the watchdog reset the board: safe mode, the app does not start")
elif _button_is_held():
    SAFE_MODE = "button"
    print("boot: the button is held: safe mode, the app does not start")
del _button_is_held, _prepare
