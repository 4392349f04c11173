"""The limits of the alerts, as the host sends them and the log's header stores them. limits_json.py has them as JSON for a host."""

import struct

from retrostep_core.constants import const

_VERSION = const(1)
_SIZE = const(24)

# attribute, default, least, most
FIELDS = (
    ("ramp_window_s", 10, 2, 60),
    ("ramp_warn_x10", 100, 0, 10000),
    ("ramp_stop_x10", 150, 0, 10000),
    ("ceiling_warn_x10", 2200, 0, 4000),
    ("ceiling_stop_x10", 2400, 0, 4000),
    ("warm_up_s", 300, 0, 65535),
    ("session_warn_s", 300, 0, 65535),
    ("session_stop_s", 600, 0, 65535),
)


class Limits:
    """Limits in force; integers only. A value of 0 switches its alert off.

    ramp_window_s      2..60 s        window over which a rise of the backward cadence is measured
    ramp_warn_x10      0..10000       0.1 %; an engineering default, no published threshold was found
    ramp_stop_x10      0..10000       0.1 %; the same
    ceiling_warn_x10   0..4000        0.1 steps a minute of both feet, backward
    ceiling_stop_x10   0..4000        the same
    warm_up_s          0..65535 s     forward walking or running before the first backward bout
    session_warn_s     0..65535 s     backward time of a session
    session_stop_s     0..65535 s     the same
    """

    def __init__(self) -> None:
        for attribute, default, _, _ in FIELDS:
            setattr(self, attribute, default)

    def pack(self) -> bytes:
        """24 bytes as in FORMATS.md, "limits"."""
        return struct.pack("<BBHHHHHHH8s", _VERSION, *[getattr(self, field[0]) for field in FIELDS], b"\0" * 8)

    @classmethod
    def unpack(cls, data: bytes) -> "Limits":
        """Limits from their 24 bytes. ValueError for another version, another length or a value out of range."""
        if len(data) != _SIZE:
            raise ValueError("limits are %d bytes, not %d" % (_SIZE, len(data)))
        values = struct.unpack("<BBHHHHHHH8s", data)
        if values[0] != _VERSION:
            raise ValueError("limits of version %d, known is %d" % (values[0], _VERSION))
        limits = cls()
        i = 1
        for attribute, _, least, most in FIELDS:
            if not least <= values[i] <= most:
                raise ValueError("limit %s is out of range" % attribute)
            setattr(limits, attribute, values[i])
            i += 1
        return limits

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limits) and self.pack() == other.pack()

    def __hash__(self) -> int:
        return hash(self.pack())
