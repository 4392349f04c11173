"""Retrostep: the wearable. A board's MicroPython runs this after boot.py."""

# boot.py says so when the button was held: the REPL then has the board to itself.
if not globals().get("SAFE_MODE"):
    from app import App
    from hal.modules import forget
    from hal.wiring import Hardware

    app = App(Hardware())
    # 15 KB of code that only the start needs.
    del Hardware
    for name in ("hal.wiring", "hal.board", "hal.sources", "retrostep_core.fingerprint"):
        forget(name)
    app.run()
