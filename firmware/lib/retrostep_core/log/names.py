"""Words for the numbers in a log, for people (FORMATS.md, "Codes"); faults by bit."""

KIND_NAMES = ("", "header", "steps", "direction", "epoch", "bout", "alert", "gap", "battery", "clock", "mark", "rate", "end")
TRIGGER_NAMES = ("", "itself", "button")
END_NAMES = ("", "stillness", "button", "interrupted", "flash full")
MARK_NAMES = ("", "warm-up done", "stretch done", "backward bout declared", "note")
SOURCE_NAMES = ("", "host", "hand")
FAULT_NAMES = ("sensor", "flash short", "flash full", "log damaged", "settings damaged")  # by bit
