"""What the running firmware reports about itself: its version, and the facts in HELLO and STATUS."""

from dataclasses import dataclass

from retrostep_core import codes
from retrostep_core.link import answers, messages
from retrostep_core.sensor_text import sensor_text

from retrostep.device.client import DeviceClient
from retrostep.device.core_version import core_hash, other_core
from retrostep.doctor.check import Report
from retrostep.errors import ClockNotSet, FlashFull, NotCalibrated, SessionRunning, Unhealthy
from retrostep.units import count

_UNKNOWN_PERCENT = 255
_LOW_PERCENT = 15


@dataclass(frozen=True)
class Reported:
    """Whether the firmware may be stopped (no session is in progress), its fault of the sensor ("" for none), whether it knows the time."""

    may_stop: bool
    sensor_fault: str
    knows_time: bool


def check_app(report: Report, board: DeviceClient, has_battery: bool) -> Reported:
    """Add what the firmware on `board` reports."""
    hello = board.hello()
    status = board.status()
    report.device = hello.device
    version = ".".join(map(str, hello.core_version))
    if hello.core_hash == core_hash():
        report.ok("firmware", f"version {version}, the same as on this computer")
    else:
        report.warn("firmware", f"version {version}, another than on this computer", other_core(board.path, hello))
    _check_clock(report, hello)
    _check_battery(report, status, has_battery)
    _check_faults(report, board, status)
    report.ok("sessions", f"{count(hello.unsynced, 'session')} to sync")
    if hello.state == messages.IN_SESSION:
        report.warn(
            "session",
            "in progress",
            SessionRunning("Stop the session with the button, or wait a minute, then try again to test the sensor.", port=board.path),
        )
    fault = sensor_text(status.sensor & 255, status.sensor >> 8)
    return Reported(hello.state != messages.IN_SESSION, fault, bool(hello.epoch_ms))


def _check_clock(report: Report, hello: answers.Hello) -> None:
    if hello.epoch_ms:
        report.ok("clock", "set")
    else:
        problem = ClockNotSet("Sessions are dated at the next sync, if the device is not switched off before.", port=report.port)
        report.warn("clock", "not set", problem)


def _check_battery(report: Report, status: answers.Status, has_battery: bool) -> None:
    if not has_battery:
        return
    percent = status.battery_percent
    if percent >= _UNKNOWN_PERCENT:
        cure = "Connect the cell, and check the two resistors to the battery pin. Some chips cannot measure it: then all else works."
        report.warn("battery", "no cell is measured", Unhealthy(cure))
    elif percent < _LOW_PERCENT:
        report.warn("battery", f"{percent} % ({status.battery_mv} mV)", Unhealthy("Charge the cell."))
    else:
        report.ok("battery", f"{percent} % ({status.battery_mv} mV)")


def _check_faults(report: Report, board: DeviceClient, status: answers.Status) -> None:
    """The faults that the firmware reports, apart from that of the sensor, which is tested, or named where it cannot be."""
    faults = status.faults
    if faults & codes.FAULT_FLASH_FULL:
        report.fail("flash", "full: nothing is recorded", FlashFull("The device cannot record.", port=report.port))
    elif faults & codes.FAULT_FLASH_SHORT:
        report.warn(
            "flash", f"{status.free_bytes // 1024} KB free: single steps are left out", FlashFull("It is nearly full.", port=report.port)
        )
    if faults & codes.FAULT_LOG_DAMAGED:
        report.warn("logs", "one is damaged", FlashFull("Its valid records are kept.", port=report.port))
    if faults & codes.FAULT_SETTINGS:
        report.fail("settings", "damaged", Unhealthy("A value of settings.json or board.json cannot be used: set it again."))
    else:
        report.ok("settings", "valid")
    _check_watchdog(report, faults)
    mount = board.calibration().mount
    if faults & codes.FAULT_MOUNT:
        report.warn("mount", f"worn another way than {mount}", NotCalibrated("Directions are corrected.", port=report.port))
    elif mount == "?":
        report.warn("mount", "unknown", NotCalibrated("The device finds it from the first strides.", port=report.port))
    else:
        report.ok("mount", mount)


def _check_watchdog(report: Report, faults: int) -> None:
    if faults & codes.FAULT_RESTARTED:
        cure = "The program hung. If it happens again, copy the firmware again, and report it."
        report.warn("watchdog", "has reset the board", Unhealthy(cure))
    else:
        report.ok("watchdog", "has not reset the board")
