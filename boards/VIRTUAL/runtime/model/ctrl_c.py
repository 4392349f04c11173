"""Ctrl-C, as the supervisor hands it over: a byte in a pipe, which is looked for wherever a program waits.

A board raises KeyboardInterrupt between two bytecodes; the unix port raises it from within a signal's handler, in the midst of whatever
goes on there. Waits of the program are the one place where both can raise it.
"""

import uselect
from utime import sleep_us as _real_sleep_us

keys = None


class Keys:
    """The pipe's end `file`, a raw binary file."""

    def __init__(self, file: object) -> None:
        self.file = file
        poll = uselect.poll()
        poll.register(file, uselect.POLLIN)
        self._poll = poll.poll

    def take(self) -> None:
        """Raise KeyboardInterrupt for the byte that is there."""
        self.file.read(1)
        raise KeyboardInterrupt

    def pause(self, us: int) -> None:
        """Let the host's time pass, unless Ctrl-C comes in."""
        if self._poll(us // 1000):
            self.take()
        _real_sleep_us(us % 1000)
