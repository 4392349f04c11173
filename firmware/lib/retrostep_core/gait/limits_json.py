"""The limits of the alerts under their JSON names, as a host reads and shows them. No board needs this module."""

from retrostep_core.gait.limit_ranges import RANGES
from retrostep_core.gait.limits import NAMES, Limits

# Attributes whose JSON name has a unit. An attribute in tenths ends with _x10; its JSON value is a number with one decimal.
_JSON_NAMES = {
    "ramp_warn_x10": "ramp_warn_pct",
    "ramp_stop_x10": "ramp_stop_pct",
    "ceiling_warn_x10": "ceiling_warn_spm",
    "ceiling_stop_x10": "ceiling_stop_spm",
}


def limits_from_json(values: dict) -> Limits:
    """Limits from their JSON names; a missing one has its default. ValueError names what is unknown or out of range."""
    if not isinstance(values, dict):
        raise ValueError("limits must be a JSON object of names and numbers")
    limits = Limits()
    known = []
    for k, attribute in enumerate(NAMES):
        least, most = RANGES[k]
        name = _JSON_NAMES.get(attribute, attribute)
        known.append(name)
        if name in values:
            setattr(limits, attribute, _to_int(name, values[name], 10 if attribute.endswith("_x10") else 1, least, most))
    for name in values:
        if name not in known:
            raise ValueError("unknown limit %r; known are %s" % (name, ", ".join(known)))
    return limits


def limits_to_json(limits: Limits) -> dict:
    """The limits under their JSON names; tenths as numbers with one decimal, others as integers."""
    values = {}
    for attribute in NAMES:
        value = getattr(limits, attribute)
        if attribute.endswith("_x10"):
            # Made from text: no float arithmetic in the core, the same on every interpreter.
            value = value // 10 if value % 10 == 0 else float("%d.%d" % (value // 10, value % 10))
        values[_JSON_NAMES.get(attribute, attribute)] = value
    return values


def _to_int(name: str, value: object, scale: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("limit %s must be a number, not %r" % (name, value))
    try:
        number = int(round(value * scale))
    except (ValueError, OverflowError):
        raise ValueError("limit %s must be a finite number" % name) from None
    if not least <= number <= most:
        raise ValueError("limit %s must lie between %d and %d" % (name, least // scale, most // scale))
    return number
