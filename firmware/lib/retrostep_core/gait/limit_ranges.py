"""The ranges of the limits, and the limits read back from their 24 bytes. Imported only at the start and when limits are pushed."""

import struct

from retrostep_core.constants import const
from retrostep_core.gait.limits import NAMES, Limits

_VERSION = const(1)
_SIZE = const(24)

# Least and most of each limit, in the order of limits.NAMES.
RANGES = ((2, 60), (0, 10000), (0, 10000), (0, 4000), (0, 4000), (0, 65535), (0, 65535), (0, 65535))


def unpack_limits(data: bytes) -> Limits:
    """Limits from their 24 bytes. ValueError for another version, another length or a value out of range."""
    if len(data) != _SIZE:
        raise ValueError("limits are %d bytes, not %d" % (_SIZE, len(data)))
    values = struct.unpack("<BBHHHHHHH8s", data)
    if values[0] != _VERSION:
        raise ValueError("limits of version %d, known is %d" % (values[0], _VERSION))
    limits = Limits()
    for k, name in enumerate(NAMES):
        least, most = RANGES[k]
        if not least <= values[k + 1] <= most:
            raise ValueError("limit %s is out of range" % name)
        setattr(limits, name, values[k + 1])
    return limits
