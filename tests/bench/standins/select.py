"""A serial line on which nobody speaks, and which takes all that is said."""

POLLIN = 1
POLLOUT = 4


class _Poll:
    def register(self, stream: object, event: int) -> None:
        self._event = event

    def ipoll(self, timeout_ms: int = 0, flags: int = 0) -> list:
        return [(None, POLLOUT)] if self._event == POLLOUT else []

    poll = ipoll


def poll() -> _Poll:
    return _Poll()
