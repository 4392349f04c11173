"""The card of signals: what each sequence of pulses of the device means. The sequences are read from the firmware."""

import runpy
from dataclasses import dataclass

from retrostep.device.boards import carried

_LONG_MS = 400
"""A pulse of at least this length is a long one."""


@dataclass(frozen=True)
class Signal:
    """A sequence of pulses. `pulses` has the length of each in ms."""

    name: str
    pulses: tuple[int, ...]
    meaning: str
    action: str

    @property
    def drawn(self) -> str:
        """`short long`, for text, and for a screen reader."""
        return " ".join("long" if ms >= _LONG_MS else "short" for ms in self.pulses)


_MEANINGS = {
    "STOP": ("stop: a limit is exceeded", "Slow down or stop. It repeats every 4 s until you do, or press once."),
    "SESSION_LIMIT": ("your backward time of this session is used up", "Go forward. It repeats every 15 s until you do, or press once."),
    "EASE_OFF": ("ease off: your backward cadence rises fast, or another limit is near", "Do not run faster."),
    "WARM_UP_REACHED": ("your warm-up is long enough", "You may run backward."),
    "STRETCH": ("stretch: you ran backward", "Stretch your lower legs. Then press once: that logs it. It comes twice."),
    "SESSION_STARTED": ("a press started a session", ""),
    "SESSION_ENDED": ("a press ended a session or a calibration", ""),
    "CONFIRMED": ("your press was logged; in a calibration, a stride was seen", ""),
    "BATTERY_LOW": ("less than 15 % of the battery is left", "Charge it. It repeats every 10 minutes."),
    "FLASH_SHORT": ("little memory is left", "Sync soon."),
    "MOUNT": ("the device is worn another way round than it was set up", "Go on: directions are corrected. Check the strap."),
    "FAULT": ("something is wrong, or this press has no meaning now", "Plug it in: `retrostep devices` says what."),
    "STAND_STILL": ("a calibration begins", "Stand still for two seconds, with the foot flat."),
    "UP_KNOWN": ("calibration: the device knows where up is", "Walk five strides straight forward."),
    "FOUND": ("calibration: the mount was found and saved", ""),
    "NOT_FOUND": ("calibration: the mount was not found, or not saved", "`retrostep calibrate --last` explains why."),
}


def signals() -> list[Signal]:
    """Every signal, the most urgent first."""
    patterns = device_patterns()
    return [Signal(name, patterns[name][::2], meaning, action) for name, (meaning, action) in _MEANINGS.items()]


def device_patterns() -> dict[str, tuple[int, ...]]:
    """{name: ms on, off, on, ...} of every pattern of the firmware."""
    hal = carried() / "firmware/hal"
    found = runpy.run_path(str(hal / "feedback.py")) | runpy.run_path(str(hal / "calibration_signals.py"))
    patterns = {name: value for name, value in found.items() if name.isupper() and isinstance(value, tuple)}
    return {"STOP": found["stop_now"](0), **patterns}


def signal_table() -> str:
    """The card as a Markdown table."""
    rows = [f"| {signal.drawn} | {signal.meaning} | {signal.action or '-'} |" for signal in signals()]
    return "\n".join(["| pulses | meaning | what to do |", "|---|---|---|", *rows])
