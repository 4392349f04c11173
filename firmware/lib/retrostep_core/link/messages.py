"""The numbers of the link, as a host and FORMATS.md name them ("The link"). server.py has its own constants, which take no memory."""

PROTOCOL = 1

# Type of an answer.
HELLO = 1
LIST = 2
DATA = 3
OK = 4
LIMITS = 5
STATUS = 6
EVENT = 7
CALIBRATION = 8
ERROR = 255

# Code of an ERROR.
MALFORMED = 1
UNKNOWN_REQUEST = 2
NO_SUCH_SESSION = 3
MISMATCH = 4
BUSY = 5
FLASH = 6
REFUSED = 7

# Flags of a LIST entry.
OPEN = 1
CONFIRMED = 2

# State of HELLO and STATUS.
IDLE = 0
IN_SESSION = 1

# Event of an EVENT.
EVENT_STEP = 1
EVENT_DIRECTION = 2
EVENT_CADENCE = 3
EVENT_ALERT = 4
EVENT_GAP = 5
EVENT_SESSION = 6

# A host's clock later than 2100-01-01 is wrong.
EPOCH_MOST_MS = 4102444800000
# Entries of one LIST.
LIST_MOST = 100
