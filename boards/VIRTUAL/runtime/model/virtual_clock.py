"""Virtual time: the host's monotonic clock, sped up, and stalled where the host cannot follow.

A board at 20-fold speed on a busy computer must not find that seconds passed between two lines of its program: its FIFO would overrun
as no real one does. So time that was not slept passes by at most LOOK_US from one look to the next, and by at most LOOK_US
altogether until the program sleeps again; from then on by CRAWL_US a look, so that a loop that only looks at the clock ends as well.
Time slept passes in full.
"""

LOOK_US = 50000
CRAWL_US = 1000

system = None


class Clock:
    """Microseconds since power-on at `speed_milli` / 1000 times the host's pace, beginning at `now_us`.

    `real_us()` tells the host's time and `real_pause(us)` lets it pass. `rtc_us` more is the wall clock (since 2000, as the ESP32's).
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

    def now_us(self) -> int:
        """A look at the clock."""
        ahead = self._due() - self._now
        if ahead > 0:
            allowed = self._budget if self._budget > CRAWL_US else CRAWL_US
            if ahead > allowed:
                self._base -= ahead - allowed
                ahead = allowed
            self._budget -= ahead
            self._now += ahead
        return self._now

    def spend(self, us: int) -> None:
        """Hardware was busy for `us` while the program waited for it. Neither allocates nor branches: flash.py needs that."""
        self._now += us

    def sleep_us(self, us: int) -> None:
        """Wait `us` of virtual time."""
        end = self.now_us() + us
        wait = self.real_us(end - self._due())
        if wait > 0:
            self._real_pause(wait)
        self.woke(end, end)

    def real_us(self, us: int) -> int:
        """How long `us` of virtual time take on the host."""
        return us * 1000 // self.speed_milli

    def woke(self, earliest_us: int, latest_us: int) -> None:
        """A wait is over that should have lasted until `latest_us` and certainly lasted until `earliest_us`."""
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

    def _due(self) -> int:
        return self._base + (self._real_us() - self._anchor) * self.speed_milli // 1000

