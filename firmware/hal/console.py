"""The serial console as bytes: requests in, frames out, log text between frames, and never a wait."""

# Bytes a second each kind of link takes, and how many at once. A UART at 115200 baud carries 11520: a little more is asked for, so
# that it never idles; a write beyond what its FIFO holds makes everything wait. The chip's own USB is faster than the board can pack.
PACE = {"uart": (12000, 1200), "usb": (500000, 4096), "jtag": (200000, 1200)}
# Lines of text that wait for the end of a frame; the oldest go first.
_LINES = 8


class Console:
    """`stdin`, `stdout`: byte streams (sys.stdin.buffer); `readable()`, `writable()`: whether they are ready now.

    An output that has never said it was ready has no way to say so, and only the pace of its `link` (uart, usb, jtag) counts.
    """

    def __init__(self, stdin: object, stdout: object, readable: object, writable: object, ticks_ms: object, link: str) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._readable = readable
        self._writable = writable
        self._ticks_ms = ticks_ms
        self._per_s, self._most = PACE[link]
        self._tokens = self._most
        self._filled_ms = ticks_ms()
        self._knows = False
        self._one = bytearray(1)
        self._lines = []

    def read_into(self, buf: bytearray) -> int:
        """What has arrived, at most what `buf` holds; 0 for nothing."""
        n = 0
        one = self._one
        # A board's stdin.readinto waits until the buffer is full: byte by byte.
        while n < len(buf) and self._readable():
            if not self._stdin.readinto(one):
                break
            buf[n] = one[0]
            n += 1
        return n

    def room(self) -> int:
        """Bytes that may be written now without waiting."""
        if self._writable():
            self._knows = True
        elif self._knows:
            return 0
        now_ms = self._ticks_ms()
        passed_ms = now_ms - self._filled_ms
        if passed_ms > 0:
            self._filled_ms = now_ms
            self._tokens += (passed_ms if passed_ms < 1000 else 1000) * self._per_s // 1000
            if self._tokens > self._most:
                self._tokens = self._most
        return self._tokens if self._tokens > 0 else 0

    def write(self, data: object) -> int:
        """Write `data`, and count it against the room; how many bytes went out."""
        n = self._stdout.write(data)
        n = len(data) if n is None else n
        self._tokens -= n
        return n

    def say(self, line: str) -> None:
        """A line of text for whoever watches; goes out with the next `speak`."""
        if len(self._lines) == _LINES:
            self._lines.pop(0)
        self._lines.append(line)

    def speak(self) -> None:
        """Write the lines that wait, as room allows. To be called between frames only."""
        while self._lines and self.room() > len(self._lines[0]) + 2:
            self.write((self._lines.pop(0) + "\r\n").encode())


def readiness(poll: object, event: int) -> object:
    """A function that tells whether the one stream registered with `poll` (select.poll) is ready for `event`."""

    def ready() -> bool:
        # ipoll gives the same tuple each time where poll would make a list, and any() would make a generator.
        ready_now = False
        for _, events in poll.ipoll(0):
            ready_now = events & event != 0
        return ready_now

    return ready
