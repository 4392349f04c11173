"""The numbers that stand for words in the engine, the log and the link. FORMATS.md lists them under "Codes".

Their names for people are in code_names.py, except those that the board's own settings spell.
"""

# Direction of movement.
UNKNOWN = 0
FORWARD = 1
BACKWARD = 2
STILL = 3

# Where the sensor is worn. board.json and settings.json use these names.
SHANK = 0
WAIST = 1
POCKET = 2
PLACEMENT_NAMES = ("shank", "waist", "pocket")

# The leg it is worn on; 0 is not given.
LEFT = 1
RIGHT = 2

# Kind of an alert.
RAMP = 1
CEILING = 2
COLD_START = 3
SESSION_LIMIT = 4

# Severity of an alert.
WARN = 1
STOP = 2

# Reason of a gap.
GAP_SAMPLES = 1
GAP_OVERRUN = 2
GAP_SENSOR = 3
GAP_FLASH = 4
# 5 frozen, 6 stuck and 8 gravity: gait/sensor_check.py finds them, and nothing else on a board needs their names.
GAP_GYRO = 7

# What started a session.
START_STEPS = 1
START_BUTTON = 2
START_HOST = 3

# What ended a session.
END_STILLNESS = 1
END_BUTTON = 2
END_INTERRUPTED = 3
END_FLASH_FULL = 4
END_BATTERY = 5

# A mark that the wearer or the host sets.
MARK_WARM_UP = 1
MARK_STRETCH = 2
MARK_BACKWARD = 3
MARK_NOTE = 4
MARK_ACKNOWLEDGED = 5

# Where the time of a clock fact comes from.
CLOCK_FROM_HOST = 1
CLOCK_BY_HAND = 2

# Faults, one bit each.
FAULT_SENSOR = 1
FAULT_FLASH_SHORT = 2
FAULT_FLASH_FULL = 4
FAULT_LOG_DAMAGED = 8
FAULT_SETTINGS = 16
FAULT_MOUNT = 32
FAULT_RESTARTED = 64
