"""Examine a board from its port to its motor. Its program is stopped for some seconds, and started again."""

import contextlib

from retrostep.device.boards import board_names, read_board
from retrostep.device.client import DeviceClient
from retrostep.device.mpremote import stop_program
from retrostep.device.progress import Progress, no_progress
from retrostep.device.restart import restart_program
from retrostep.device.serial_port import SerialPort
from retrostep.doctor.app_checks import Reported, check_app
from retrostep.doctor.board_checks import SENSOR_CHECKS, Person, check_stopped
from retrostep.doctor.check import FAIL, Report
from retrostep.doctor.port_checks import check_port
from retrostep.errors import AppNotStarted, LinkLost, NoApp, NoRepl, NotStarting, OtherProtocol, Refused, RetrostepError, Unhealthy


def examine(port: str, person: Person | None = None, progress: Progress = no_progress) -> Report:
    """Every check of the board at `port`. `person` answers what only a person can feel; without one these checks are left out.

    A session in progress is not disturbed: the checks that would end it are left out, with a warning.
    """
    report = Report(port)
    progress("port", 0, 0)
    if not check_port(report):
        return report
    progress("firmware", 0, 0)
    try:
        with DeviceClient(SerialPort(port)) as board:
            board_name = board.hello().board
            reported = check_app(report, board, _has_battery(board_name))
    except NotStarting as error:
        report.fail("program", "none starts", error)
        return report
    except (NoApp, OtherProtocol, LinkLost, Refused) as error:
        report.fail("firmware", "does not answer", error)
        reported = Reported(True, "", False)
    if not reported.may_stop:
        _add_reported_fault(report, reported)
        return report
    progress("MicroPython and sensor", 0, 0)
    try:
        tool = stop_program(port)
    except (NoRepl, NotStarting, LinkLost) as error:
        report.fail("MicroPython", "does not answer", error)
        return report
    try:
        check_stopped(report, tool, person)
    except (NoRepl, LinkLost) as error:
        report.fail("MicroPython", "has stopped answering", error)
    except BaseException:
        # Stopped by the person: the program must not stay stopped.
        with contextlib.suppress(RetrostepError), DeviceClient(SerialPort(port)) as board:
            board.soft_reset()
        raise
    _add_reported_fault(report, reported)
    progress("restart", 0, 0)
    _restart(report, reported.knows_time)
    return report


def _add_reported_fault(report: Report, reported: Reported) -> None:
    """A fault of the sensor that only the firmware has seen, such as one that comes and goes."""
    if reported.sensor_fault and not any(check.verdict == FAIL for check in report.checks if check.name in SENSOR_CHECKS):
        report.warn("sensor", "the firmware had a fault", Unhealthy(f"The sensor: {reported.sensor_fault}."))


def _has_battery(name: str) -> bool:
    return name in board_names() and "battery" in read_board(name)


def _restart(report: Report, knows_time: bool) -> None:
    """Start the firmware again, and check that it answers. A clock that was set is set again: the restart has cleared it."""
    try:
        hello, _ = restart_program(report.port, knows_time)
    except (NoApp, LinkLost, Refused) as error:
        report.fail("restart", "the firmware does not answer", AppNotStarted(str(error), port=report.port))
        return
    report.device = hello.device
    report.ok("restart", f"{hello.device} answers again")
