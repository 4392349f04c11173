"""Safe mode: with the button held at the start the app does not begin, and the REPL is free for rescue."""


def _held() -> bool:
    import json

    from machine import Pin

    try:
        with open("/board.json") as file:
            button = json.load(file)["button"]
        low = button.get("active_low", True)
        return Pin(button["pin"], Pin.IN, Pin.PULL_UP if low else Pin.PULL_DOWN).value() == (0 if low else 1)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # No button, or a description that the app will complain about: nothing to hold.
        return False


SAFE_MODE = _held()
del _held
if SAFE_MODE:
    print("boot: the button is held: safe mode, the app does not start")
