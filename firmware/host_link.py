"""The link to a host. Its server is imported when a host speaks, and freed after a silence: its code and buffers take 14 KB of RAM."""

from hal import unload
from retrostep_core.constants import const

_TILDE = const(126)
_LF = const(10)
# A host that has asked something probably asks again within this time: the link is served more often.
_CONVERSATION_MS = const(250)
# Most bytes in one read, and on average in each ms: more than the fastest sync sends, and half of what a UART carries. Others stay
# in the receive ring, so that a flood cannot take the time of the other tasks.
_READ_MOST = const(256)
_READ_BYTES_PER_MS = const(6)
# The server works at most this long before the other tasks get their turn.
_WORK_MOST_MS = const(10)
# The server is freed after this silence. It is longer than a server sends events to a silent host.
_KEEP_MS = const(90000)


class HostLink:
    """Reads `console` and passes requests about `app`, the App, to link/server.py's Server.

    server   None while no host speaks
    """

    def __init__(self, console: object, app: object) -> None:
        self.server: object = None
        self._console = console
        self._app = app
        self._input = bytearray(_READ_MOST)
        self._at_line_start = True
        # Bytes that may be read at the time of the last read.
        self._readable = _READ_MOST
        self._read_ms = 0
        self._asked_ms = -_CONVERSATION_MS

    @property
    def busy(self) -> bool:
        """Whether a request waits, or a frame is half sent."""
        return self.server is not None and self.server.busy

    def is_asked(self, now_ms: int) -> bool:
        """Whether the link has, or will soon have, more work."""
        return now_ms - self._asked_ms < _CONVERSATION_MS

    def poll(self, now_ms: int) -> int:
        """Read what has arrived, answer, and write text between frames. Returns the number of bytes read."""
        console = self._console
        # A server that this call imports answers in the next one: the samples have their turn before.
        server = self.server
        readable = min(_READ_MOST, self._readable + (now_ms - self._read_ms) * _READ_BYTES_PER_MS)
        self._read_ms = now_ms
        n = console.read_into(self._input, readable)
        self._readable = readable - n
        if n:
            self._asked_ms = now_ms
            self._take(self._input, n)
        if server is not None:
            while server.poll(now_ms) and self._app.clock.ticks_ms() - now_ms < _WORK_MOST_MS:
                pass
            if server.busy:
                self._asked_ms = now_ms
            elif now_ms - self._asked_ms > _KEEP_MS:
                self._free()
        self.send_text()
        return n

    def send_text(self) -> None:
        """Write lines of text, unless a frame is half sent."""
        if self.server is None or self.server.between_frames:
            self._console.send_text()

    def _take(self, buf: bytearray, n: int) -> None:
        """Take the first `n` bytes of `buf`. The server is imported if one of their lines begins with ~; others need no answer."""
        if self.server is None:
            # The index of the ~, or -1.
            at = 0
            if buf[0] != _TILDE or not self._at_line_start:
                at = buf.find(b"\n~", 0, n)
                if at >= 0:
                    at += 1
            self._at_line_start = buf[n - 1] == _LF
            if at < 0:
                return
            try:
                from host_requests import HostRequests
                from retrostep_core.link.server import Server

                self.server = Server(self._app.store, HostRequests(self._app), self._console)
            except MemoryError:
                self._free()
                self._console.queue_text("retrostep: not enough memory to answer: end the session, or reset the board")
                return
            self._app.connect(self.server)
            buf = buf[at:n]
            n -= at
        self.server.feed(buf, n)

    def _free(self) -> None:
        self.server = None
        self._at_line_start = True
        self._app.connect(None)
        unload("host_requests")
        unload("link.server link.payloads link.frames gait.limit_ranges", "retrostep_core.")
