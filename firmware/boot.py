"""Safe mode: with the button held at the start the app does not begin, and the REPL is free for rescue."""

import json

SAFE_MODE = False
try:
    with open("/board.json") as file:
        button = json.load(file).get("button")
    if button:
        from machine import Pin

        low = button.get("active_low", True)
        SAFE_MODE = Pin(button["pin"], Pin.IN, Pin.PULL_UP if low else Pin.PULL_DOWN).value() == (0 if low else 1)
except (OSError, ValueError, AttributeError, KeyError) as error:
    # The app says what is wrong with the description; here it only means that there is no button to look at.
    print("boot: no button to ask (%s)" % error)
if SAFE_MODE:
    print("boot: the button is held: safe mode, the app does not start")
