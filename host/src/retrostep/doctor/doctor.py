"""Examine a board from its port to its motor. Its program is stopped for some seconds, and started again."""

import contextlib

from retrostep.device.boards import board_names, read_board
from retrostep.device.boot_text import PROMPT_SILENCE_S
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

_AFTER_SILENCE_S = 3.0
"""A board that did not answer the firmware's request for 7 s is asked for MicroPython's prompt for so long: 10 s of silence in all."""


def examine(report: Report, person: Person | None = None, progress: Progress = no_progress) -> None:
    """Add every check of the board at the report's port. `person` answers what only a person can feel; without one these are left out.

    A session in progress is not disturbed: the checks that would end it are left out, with a warning. What was found is in the report
    also where the person stops it.
    """
    port, silence_s = report.port, PROMPT_SILENCE_S
    progress("port", 0, 0)
    if not check_port(report):
        return
    progress("firmware", 0, 0)
    try:
        with DeviceClient(SerialPort(port)) as board:
            board_name = board.hello().board
            reported = check_app(report, board, _has_battery(board_name))
    except NotStarting as error:
        report.fail("program", "none starts", error)
        return
    except (NoApp, OtherProtocol, LinkLost, Refused) as error:
        report.fail("firmware", "does not answer", error)
        silence_s = _AFTER_SILENCE_S
        reported = Reported(True, "", False)
    if not reported.may_stop:
        _add_reported_fault(report, reported)
        return
    progress("MicroPython and sensor", 0, 0)
    try:
        tool = stop_program(port, silence_s)
    except (NoRepl, NotStarting, LinkLost) as error:
        report.fail("MicroPython", "does not answer", error)
        return
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
