"""MicroPython's select module, with waits in virtual time."""

import ctrl_c as _ctrl_c
import uselect as _uselect
import virtual_clock as _clock
from uselect import POLLERR, POLLHUP, POLLIN, POLLOUT  # noqa: F401 part of this module
from utime import sleep_us as _real_sleep_us

_system = _clock.system
_keys = _ctrl_c.keys
_NEVER_US = 1 << 60


def poll() -> "Poll":
    """A new poll object."""
    return Poll()


class Poll:
    """The interpreter's poll object, with waits in virtual time."""

    def __init__(self) -> None:
        poll = _uselect.poll()
        poll.register(_keys.file, POLLIN)
        self._look = poll.poll
        self.register = poll.register
        self.unregister = poll.unregister
        self.modify = poll.modify

    def _poll(self, timeout: int) -> list:
        ready = self._look(timeout)
        for entry in ready:
            if entry[0] is _keys.file:
                _keys.take()
        return ready

    def poll(self, timeout: int = -1) -> list:
        """[(object, events)] of the ready objects, after at most `timeout` ms; a negative timeout has no limit."""
        if timeout == 0:
            return self._poll(0)
        start = _system.now_us()
        if timeout is None or timeout < 0:
            ready = self._poll(-1)
            _system.woke(start, _NEVER_US)
            return ready
        end = start + timeout * 1000
        wait_us = _system.real_us(timeout * 1000)
        ready = self._poll(wait_us // 1000)
        if not ready and wait_us % 1000:
            _real_sleep_us(wait_us % 1000)
            ready = self._poll(0)
        _system.woke(start if ready else end, end)
        return ready

    def ipoll(self, timeout: int = -1, flags: int = 0) -> object:
        """The same as an iterator; one-shot `flags` unregisters what it reports, as on a board."""
        ready = self.poll(timeout)
        if flags & 1:
            for entry in ready:
                self.modify(entry[0], 0)
        return iter(ready)
