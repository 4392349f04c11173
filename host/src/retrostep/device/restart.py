"""Starts the program of a board again, after it was stopped for other work."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from retrostep_core.link.answers import Hello, Status

from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep.errors import RetrostepError

START_S = 20.0


def restart_program(port: str, knows_time: bool) -> tuple[Hello, Status]:
    """Start the program of the board at `port`, which is at MicroPython's prompt; what it then reports.

    `knows_time`: its clock was set; it is set again, because the restart clears it. Raises NoApp, LinkLost or Refused.
    """
    with DeviceClient(SerialPort(port)) as board:
        board.soft_reset()
        hello = board.hello(START_S)
        if knows_time:
            board.set_clock()
        return hello, board.status()


@contextmanager
def restarted_on_error(port: str) -> Iterator[None]:
    """Start the stopped program of the board at `port` again if the block fails or is interrupted."""
    try:
        yield
    except BaseException:
        with suppress(RetrostepError), DeviceClient(SerialPort(port)) as board:
            board.soft_reset()
        raise
