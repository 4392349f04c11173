"""The limits of the alerts, as the host sends them and the log's header stores them. limit_ranges.py reads them back."""

import struct

from retrostep_core.constants import const

_VERSION = const(1)

# Attributes in the order of the 24 bytes, and their defaults.
NAMES = (
    "ramp_window_s",
    "ramp_warn_x10",
    "ramp_stop_x10",
    "ceiling_warn_x10",
    "ceiling_stop_x10",
    "warm_up_s",
    "session_warn_s",
    "session_stop_s",
)
_DEFAULTS = (10, 100, 150, 2200, 2400, 300, 300, 600)


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
        for k, default in enumerate(_DEFAULTS):
            setattr(self, NAMES[k], default)

    def pack(self) -> bytes:
        """24 bytes as in FORMATS.md, "limits"."""
        return struct.pack("<BBHHHHHHH8s", _VERSION, *[getattr(self, name) for name in NAMES], b"\0" * 8)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limits) and self.pack() == other.pack()

    def __hash__(self) -> int:
        return hash(self.pack())
