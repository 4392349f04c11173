"""The limits that alerts are measured against, as the host sends them and the log's header keeps them."""

import struct

_FORMAT = "<BBHHHHHHH8s"
_VERSION = 1
_SIZE = 24

# attribute, JSON name, tenths (1) or whole (0), default, least, most: in JSON units times ten where tenths
_FIELDS = (
    ("ramp_window_s", "ramp_window_s", 0, 10, 2, 60),
    ("ramp_warn_x10", "ramp_warn_pct", 1, 100, 0, 10000),
    ("ramp_stop_x10", "ramp_stop_pct", 1, 150, 0, 10000),
    ("ceiling_warn_x10", "ceiling_warn_spm", 1, 2200, 0, 4000),
    ("ceiling_stop_x10", "ceiling_stop_spm", 1, 2400, 0, 4000),
    ("warm_up_s", "warm_up_s", 0, 300, 0, 65535),
    ("session_warn_s", "session_warn_s", 0, 300, 0, 65535),
    ("session_stop_s", "session_stop_s", 0, 600, 0, 65535),
)


class Limits:
    """Limits in force; integers only. A value of 0 switches its alert off.

    ramp_window_s      2..60 s        window over which a rise of the backward cadence is measured
    ramp_warn_x10      0..10000       0.1 %; an engineering default, no published threshold was found
    ramp_stop_x10      0..10000       0.1 %; the same
    ceiling_warn_x10   0..4000        0.1 steps a minute of both feet, backward
    ceiling_stop_x10   0..4000        the same
    warm_up_s          0..65535 s     forward walking or running wanted before the first backward bout
    session_warn_s     0..65535 s     backward time of a session
    session_stop_s     0..65535 s     the same
    """

    def __init__(self) -> None:
        for attribute, _, _, default, _, _ in _FIELDS:
            setattr(self, attribute, default)

    @classmethod
    def from_dict(cls, values: dict) -> "Limits":
        """Limits from their JSON names; what is missing keeps its default. ValueError names what is unknown or out of range."""
        if not isinstance(values, dict):
            raise ValueError("limits must be a JSON object of names and numbers")
        known = {}
        for field in _FIELDS:
            known[field[1]] = field
        limits = cls()
        for name in values:
            if name not in known:
                raise ValueError("unknown limit %r; known are %s" % (name, ", ".join(field[1] for field in _FIELDS)))
            attribute, _, tenths, _, least, most = known[name]
            setattr(limits, attribute, _whole(name, values[name], 10 if tenths else 1, least, most))
        return limits

    def to_dict(self) -> dict:
        """The limits under their JSON names; tenths come out as numbers with one decimal, whole ones as integers."""
        values = {}
        for attribute, name, tenths, _, _, _ in _FIELDS:
            value = getattr(self, attribute)
            # The text's last digit is the tenth: no float arithmetic in the core, exact on every interpreter.
            values[name] = value if not tenths else value // 10 if value % 10 == 0 else float("%d.%d" % (value // 10, value % 10))
        return values

    def pack(self) -> bytes:
        """24 bytes as in FORMATS.md, "limits"."""
        return struct.pack(_FORMAT, _VERSION, *[getattr(self, field[0]) for field in _FIELDS], b"\0" * 8)

    @classmethod
    def unpack(cls, data: bytes) -> "Limits":
        """Limits from their 24 bytes; ValueError where they are of another version, another length or out of range."""
        if len(data) != _SIZE:
            raise ValueError("limits are %d bytes, not %d" % (_SIZE, len(data)))
        values = struct.unpack(_FORMAT, data)
        if values[0] != _VERSION:
            raise ValueError("limits of version %d, known is %d" % (values[0], _VERSION))
        limits = cls()
        i = 1
        for attribute, name, _, _, least, most in _FIELDS:
            if not least <= values[i] <= most:
                raise ValueError("limit %s is out of range" % name)
            setattr(limits, attribute, values[i])
            i += 1
        return limits

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limits) and self.pack() == other.pack()

    def __hash__(self) -> int:
        return hash(self.pack())


def _whole(name: str, value: object, scale: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("limit %s must be a number, not %r" % (name, value))
    try:
        whole = int(round(value * scale))
    except (ValueError, OverflowError):
        raise ValueError("limit %s must be a finite number" % name) from None
    if not least <= whole <= most:
        raise ValueError("limit %s must lie between %d and %d" % (name, least // scale, most // scale))
    return whole
