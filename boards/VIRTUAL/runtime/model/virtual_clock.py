"""Virtual time: the host's monotonic clock times the speed, slowed down where the host cannot keep up.

On a busy computer at 20 times real time, seconds could pass between two lines of the program, and the sensor's FIFO would overrun as no
real one does. So, between two sleeps of the program, time advances by at most LOOK_US in total. After that it advances by CRAWL_US per
reading, so that a loop that only reads the clock ends too. Time that the program sleeps passes in full.
"""

LOOK_US = 50000
CRAWL_US = 1000

system = None


def _nothing(now_us: int) -> None:
    """Nobody waits for a time."""


class Clock:
    """Microseconds since power-on, at `speed_milli` / 1000 times the host's speed, starting at `now_us`.

    `real_us()` returns the host's time; `real_pause(us)` sleeps on the host. `rtc_us` is added for the wall clock (since 2000).
    """

    def __init__(self, speed_milli: int, now_us: int, rtc_us: int, real_us: object, real_pause: object) -> None:
        self.speed_milli = speed_milli
        self.rtc_us = rtc_us
        self._real_us = real_us
        self._real_pause = real_pause
        self._now = now_us
        self._base = now_us
        self._anchor = self._real_us()
        self._budget = LOOK_US
        # Called with the time whenever the program reads the clock or has slept.
        self.on_time = _nothing

    def now_us(self) -> int:
        """Read the clock."""
        ahead = self._due() - self._now
        if ahead > 0:
            allowed = self._budget if self._budget > CRAWL_US else CRAWL_US
            if ahead > allowed:
                self._base -= ahead - allowed
                ahead = allowed
            self._budget -= ahead
            self._now += ahead
        self.on_time(self._now)
        return self._now

    def spend(self, us: int) -> None:
        """Add the time that hardware took. This neither allocates nor branches, as flash.py requires."""
        self._now += us

    def sleep_us(self, us: int) -> None:
        """Sleep `us` of virtual time."""
        end = self.now_us() + us
        wait = self.real_us(end - self._due())
        if wait > 0:
            self._real_pause(wait)
        self.woke(end, end)

    def real_us(self, us: int) -> int:
        """The host's time for `us` of virtual time."""
        return us * 1000 // self.speed_milli

    def woke(self, earliest_us: int, latest_us: int) -> None:
        """A wait has ended: not before `earliest_us`, and at `latest_us` if the host was on time."""
        due = self._due()
        now = due if due < latest_us else latest_us
        if due > latest_us:
            late = due - latest_us
            if late > LOOK_US:
                self._base -= late - LOOK_US
                late = LOOK_US
            now = latest_us + late
        if now < earliest_us:
            now = earliest_us
        if now > self._now:
            self._now = now
        self._budget = LOOK_US
        self.on_time(self._now)

    def _due(self) -> int:
        return self._base + (self._real_us() - self._anchor) * self.speed_milli // 1000
