"""The table of `devices`: what each plugged-in board holds, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from typing import Any

from retrostep.output.lines import width_of
from retrostep.plain_text import clean

TITLES = ("DEVICE", "BATTERY", "SESSIONS", "PORT", "STATE")
_WIDTHS = (15, 7, 9, 12, 0)

_REASONS = {
    "flash short": "the flash is nearly full, so steps are left out of the log: run `retrostep sync --port {port}`",
    "flash full": "no room for a log, so nothing is recorded: run `retrostep sync --port {port}`",
    "log damaged": "a log on it is damaged. Its valid records are kept: run `retrostep sync --port {port}`",
    "settings damaged": "its settings could not be read, so it has the defaults: set them with `retrostep settings --port {port}`",
    "mount": "directions are corrected. Wear it as declared, or run `retrostep calibrate --port {port}`",
    "restarted": "its program hung and was started again. If it happens again: `retrostep doctor --port {port}`",
}
"""Why a device reports a fault, and what helps. The reason of a sensor's fault comes from the device."""


def device_rows(devices: Sequence[dict[str, Any]]) -> tuple[tuple[int, ...], Iterator[tuple[str, ...]]]:
    """(widths of the columns, rows) of what `devices --json` has."""
    rows = [_cells(device) for device in devices]
    widths = [max([width, *(width_of(clean(row[n])) for row in rows)]) for n, width in enumerate(_WIDTHS[:-1])]
    return (*widths, 0), iter(rows)


def _cells(device: dict[str, Any]) -> tuple[str, ...]:
    named = f"{device['device']} ({device['nickname']})" if device["nickname"] else device["device"]
    battery = "" if device["battery_percent"] is None else f"{device['battery_percent']} %"
    waiting = f"{device['sessions_to_sync']} to sync"
    return named, battery or "-", waiting, device["port"], _state(device)


def _state(device: dict[str, Any]) -> str:
    """The STATE cell: faults first, then state, clock, free flash and version."""
    faults = [_fault(name, device) for name in device["faults"]]
    words = [f"FAULTS: {'; '.join(faults)}."] if faults else []
    hours = "" if device["battery_hours"] is None else f", about {device['battery_hours']:.0f} h awake"
    clock = "" if device["epoch_ms"] else ", clock not set"
    version = f"{device['board']}, firmware {device['core_version']}"
    return " ".join([*words, f"{device['state'].capitalize()}{clock}, {device['free_bytes'] // 1024} KB free{hours}; {version}."])


def _fault(name: str, device: dict[str, Any]) -> str:
    reason = device["sensor_fault"] if name == "sensor" else _REASONS.get(name, "").format(port=device["port"])
    return f"{name} ({reason})" if reason else name
