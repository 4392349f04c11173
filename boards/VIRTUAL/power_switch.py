"""The virtual board's power switch: a signal to its process turns it off."""

from __future__ import annotations

import contextlib
import os
import signal


class PowerOff(Exception):
    """The board ends. A message, if there is one, is an error: it goes to stderr and the exit status is 1."""


class PowerSwitch:
    """Turned off by SIGTERM, SIGINT or SIGHUP. `fd` becomes readable then, so that a poll wakes up."""

    def __init__(self) -> None:
        self._off = False
        self.fd, wake_end = os.pipe()
        for fd in (self.fd, wake_end):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._turn_off)

    def check(self) -> None:
        """Raise PowerOff once it is off. The signal handler must not raise: it may interrupt code that holds a lock."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 512)
        if self._off:
            raise PowerOff

    def _turn_off(self, number: int, frame: object) -> None:
        self._off = True
