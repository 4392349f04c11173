"""Retrostep: MicroPython runs this file after boot.py."""

# boot.py sets SAFE_MODE where the REPL must stay free.
if not globals().get("SAFE_MODE"):
    print("retrostep: starting: the program is loaded")
    from app import App
    from hal import unload
    from hal.hardware import Hardware

    print("retrostep: starting: the flash is read")
    app = App(Hardware())
    del Hardware
    unload("hardware board settings link_speeds identity source_hash", "hal.")
    unload("core_hash gait.limit_ranges", "retrostep_core.")
    app.run()
