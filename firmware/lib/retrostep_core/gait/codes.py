"""Numbers that stand for words wherever the engine, the log and the link speak (FORMATS.md, "Codes")."""

UNKNOWN = 0
FORWARD = 1
BACKWARD = 2
STILL = 3
DIRECTION_NAMES = ("unknown", "forward", "backward", "still")

SHANK = 0
WAIST = 1
POCKET = 2
PLACEMENT_NAMES = ("shank", "waist", "pocket")

LEFT = 1
RIGHT = 2
SIDE_NAMES = ("", "left", "right")

RAMP = 1
CEILING = 2
COLD_START = 3
SESSION_LIMIT = 4
ALERT_NAMES = ("", "cadence_ramp", "cadence_ceiling", "cold_start", "session_limit")

WARN = 1
STOP = 2
SEVERITY_NAMES = ("", "warn", "stop")

GAP_SAMPLES = 1
GAP_OVERRUN = 2
GAP_SENSOR = 3
GAP_FLASH = 4
GAP_NAMES = ("", "samples missing", "FIFO overrun", "sensor fault", "flash short")
