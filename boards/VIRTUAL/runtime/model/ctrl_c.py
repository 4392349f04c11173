"""Ctrl-C: a byte in a pipe from interpreter_process.py, which every wait of a program checks.

A board raises KeyboardInterrupt between two bytecodes. The unix port raises it inside a signal handler, in the middle of any operation.
The waits of a program are the only places where raising it is safe on both.
"""

import uselect
from utime import sleep_us as _real_sleep_us

keys = None


class Keys:
    """Reads the pipe `file`, a raw binary file."""

    def __init__(self, file: object) -> None:
        self.file = file
        poll = uselect.poll()
        poll.register(file, uselect.POLLIN)
        self._poll = poll.poll

    def take(self) -> None:
        """Read the byte and raise KeyboardInterrupt."""
        self.file.read(1)
        raise KeyboardInterrupt

    def pause(self, us: int) -> None:
        """Sleep `us` of the host's time, or until Ctrl-C."""
        if self._poll(us // 1000):
            self.take()
        _real_sleep_us(us % 1000)
