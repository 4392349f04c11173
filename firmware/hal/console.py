"""The serial console as bytes: requests in, frames out, lines of text between frames. It never waits."""

from retrostep_core.constants import const

from hal import micropython, ptr8

# Lines of text that wait for the end of a frame. The oldest is dropped first.
_LINES_MOST = const(8)


class Console:
    """`stdin` and `stdout` are byte streams (sys.stdin.buffer).

    `ipoll(0)` yields something if a byte has arrived, as select.poll's ipoll does; `is_ready()` reports if the output is ready.
    `link` is a key of link_speeds.py's LINK_SPEEDS. Some ports cannot report that their output is ready. Until one does so, only the
    link's speed limits it.
    """

    def __init__(self, stdin: object, stdout: object, ipoll: object, is_ready: object, ticks_ms: object, link: str) -> None:
        from hal.link_speeds import LINK_SPEEDS

        self._stdin = stdin
        # A function of the class costs less to call than a bound method.
        self._readinto = type(stdin).readinto
        self._stdout = stdout
        self._ipoll = ipoll
        self._writable = is_ready
        self._ticks_ms = ticks_ms
        self._bytes_per_s, self._bytes_at_once = LINK_SPEEDS[link]
        # A token bucket: bytes that may be written now.
        self._tokens = self._bytes_at_once
        self._last_ms = ticks_ms()
        self._reports_writable = False
        self._one_byte = bytearray(1)
        self._lines: list[str] = []

    def read_into(self, buf: bytearray, most: int | None = None) -> int:
        """Fill `buf`, or its first `most` bytes, with what has arrived; the number of bytes, 0 for none."""
        size = len(buf) if most is None else most
        return _read_arrived(self._ipoll, self._stdin, self._readinto, self._one_byte, self._one_byte, buf, size)

    def room(self) -> int:
        """Bytes that can be written now without waiting."""
        if self._writable():
            self._reports_writable = True
        elif self._reports_writable:
            return 0
        now_ms = self._ticks_ms()
        passed_ms = now_ms - self._last_ms
        if passed_ms > 0:
            self._last_ms = now_ms
            self._tokens += (passed_ms if passed_ms < 1000 else 1000) * self._bytes_per_s // 1000
            if self._tokens > self._bytes_at_once:
                self._tokens = self._bytes_at_once
        return self._tokens if self._tokens > 0 else 0

    def write(self, data: object) -> int:
        """Write `data`; the number of bytes that were written."""
        n = self._stdout.write(data)
        n = len(data) if n is None else n
        self._tokens -= n
        return n

    def queue_text(self, line: str) -> None:
        """Add a line of text, which the next `send_text` writes."""
        if len(self._lines) == _LINES_MOST:
            self._lines.pop(0)
        self._lines.append(line)

    def send_text(self) -> None:
        """Write the queued lines, as room allows. Call it only between frames."""
        while self._lines and self.room() > len(self._lines[0]) + 2:
            self.write((self._lines.pop(0) + "\r\n").encode())


@micropython.viper
def _read_arrived(ipoll: object, stdin: object, readinto: object, one_byte: object, value: ptr8, buf: ptr8, size: int) -> int:
    """Read into `buf` until it holds `size` bytes or no more have arrived; the number of bytes. `value` is `one_byte`, for viper.

    One byte at a time: a board's stdin.readinto waits until the whole buffer is full. This loop costs most of what an incoming byte
    costs, so it is machine code, and it calls only built-in functions.
    """
    n = 0
    while n < size:
        for _ in ipoll(0):
            if not readinto(stdin, one_byte):
                return n
            break
        else:
            break
        buf[n] = value[0]
        n += 1
    return n


def readiness(poll: object, event: int) -> object:
    """A function that reports if the only stream of `poll` (select.poll) is ready for `event`."""

    def is_ready() -> bool:
        # ipoll returns the same tuple each time; poll would allocate a list, and any() a generator.
        ready = False
        for _, events in poll.ipoll(0):
            ready = events & event != 0
        return ready

    return is_ready
