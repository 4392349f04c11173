"""Names of the codes, for hosts. They would take 2 KB of a board's heap, and a board prints none of them.

Each tuple is indexed by its code in codes.py, or in link/messages.py for EVENT_NAMES and ERROR_NAMES. FAULT_NAMES is indexed by the bit.
"""

DIRECTION_NAMES = ("unknown", "forward", "backward", "still")
SIDE_NAMES = ("", "left", "right")
ALERT_NAMES = ("", "cadence_ramp", "cadence_ceiling", "cold_start", "session_limit")
SEVERITY_NAMES = ("", "warn", "stop")
GAP_NAMES = (
    "",
    "samples missing",
    "FIFO overrun",
    "sensor fault",
    "flash short",
    "sensor frozen",
    "sensor axis stuck",
    "gyroscope dead",
    "gravity wrong",
)
START_NAMES = ("", "itself", "button", "host")
END_NAMES = ("", "stillness", "button", "interrupted", "flash full", "battery empty")
MARK_NAMES = ("", "warm-up done", "stretch done", "backward bout declared", "note", "stop acknowledged")
FAULT_NAMES = ("sensor", "flash short", "flash full", "log damaged", "settings damaged", "mount", "restarted")
EVENT_NAMES = ("", "step", "direction", "cadence", "alert", "gap", "session")
ERROR_NAMES = ("", "malformed", "unknown request", "no such session", "mismatch", "busy", "flash", "refused")
