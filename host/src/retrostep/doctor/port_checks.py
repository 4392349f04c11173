"""The serial port, before anything is asked: does it exist, may this user open it, and which other programs want it."""

import sys
from pathlib import Path

from retrostep.device.serial_port import SerialPort
from retrostep.doctor.check import Report
from retrostep.errors import BoardNotFound, NoPermission, PortBusy, Unhealthy

_RIVALS = {
    "ModemManager": "It opens new serial ports for some seconds, and sends to them. If a board is busy after it was plugged in: "
    "run `sudo systemctl disable --now ModemManager`.",
    "brltty": "It takes CH340 and CP210x bridges away, so that their port vanishes: run `sudo apt remove brltty`, or stop its service.",
}


def check_port(report: Report) -> bool:
    """Whether the port can be opened; the checks are added to `report`."""
    try:
        SerialPort(report.port).close()
    except (BoardNotFound, NoPermission, PortBusy) as error:
        what = "missing" if isinstance(error, BoardNotFound) else "in use" if isinstance(error, PortBusy) else "no permission"
        report.fail("port", what, error)
    else:
        report.ok("port", f"{report.port} can be opened")
    running = _rivals()
    for name in running:
        report.warn("other programs", f"{name} runs", Unhealthy(_RIVALS[name]))
    if not running:
        report.ok("other programs", "none that takes serial ports")
    return report.checks[0].verdict == "ok"


def _rivals() -> list[str]:
    """Running programs that are known to take serial ports; only Linux has them."""
    if sys.platform != "linux":
        return []
    names = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            names.add((folder / "comm").read_text(encoding="utf-8", errors="replace").strip())
        except OSError:
            continue  # it has just ended
    return sorted(names & set(_RIVALS))
