"""Virtual time: the host's monotonic clock times the speed, slowed down where the host cannot keep up.

On a busy computer at 20 times real time, seconds could pass between two lines of the program, and the sensor's FIFO would overrun as no
real one does. So, between two sleeps of the program, time advances by at most LOOK_US in total. After that it advances by CRAWL_US per
reading, so that a loop that only reads the clock ends too. Time that the program sleeps passes in full.

A RunningClock (--cpu) also runs while the program computes, as the clock of a real board does.
"""

LOOK_US = 50000
CRAWL_US = 1000
# An ESP32 takes so many cycles for an instruction that this interpreter takes on x86-64.
_CYCLES = 2.2
# Instructions of one turn of the loop in _loop, counted by callgrind.
_LOOP_INSTRUCTIONS = 272
_LOOP_TURNS = 20000
_LOOP_ROUNDS = 5
# Virtual time may be so far ahead of the host's while the program computes.
_AHEAD_US = 1000
# The processor time of a process is known in such steps.
_CPU_STEP_US = 1000

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

    def begin_model(self) -> None:
        """A model of the hardware begins to compute. What it takes is not the program's."""

    def end_model(self, us: int = 0) -> None:
        """The model is done; on a board the program would have computed for `us` on its behalf."""

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


class RunningClock(Clock):
    """A clock that also runs while the program computes, as on an ESP32 at `mhz`.

    `cpu_s()` returns the processor time of this process, in steps of a millisecond: while another process has the processor, no time
    passes. The host waits where virtual time is ahead of its own, so that bytes on the serial line arrive at their real rate.
    What the program computes before its first wait does not count: most of it is MicroPython's compiler, which a board with bytecode does
    not need.
    """

    def __init__(
        self, speed_milli: int, now_us: int, rtc_us: int, real_us: object, real_pause: object, mhz: int, cpu_s: object
    ) -> None:
        super().__init__(speed_milli, now_us, rtc_us, real_us, real_pause)
        self._cpu_s = cpu_s
        self._has_waited = self._in_model = False
        self._times = _LOOP_INSTRUCTIONS * _LOOP_TURNS * _CYCLES / mhz / _loop_us(real_us)
        self._see()

    def now_us(self) -> int:
        """Read the clock."""
        if self._has_waited and not self._in_model:
            computed = self._real_us() - self._seen_us
            if computed > _CPU_STEP_US:
                cpu_us = int((self._cpu_s() - self._seen_cpu_s) * 1000000)
                if cpu_us < computed - _CPU_STEP_US:
                    # Another process had the processor. The time of this one was at least a step shorter than it seems to be.
                    computed = max(0, cpu_us - _CPU_STEP_US)
            self._now += int(computed * self._times)
            self._see()
        self.on_time(self._now)
        return self._now

    def begin_model(self) -> None:
        """A model of the hardware begins to compute. The host waits for what has arrived by now on the board's clock."""
        ahead = self.real_us(self.now_us() - self._due())
        self._in_model = True
        if ahead > _AHEAD_US and self._has_waited:
            self._real_pause(ahead)

    def end_model(self, us: int = 0) -> None:
        """The model is done; the program would have computed for `us`."""
        self._in_model = False
        self._now += us
        self._see()

    def sleep_us(self, us: int) -> None:
        """Sleep `us` of virtual time."""
        end = self.now_us() + us
        wait = self.real_us(end - self._due())
        if wait > 0:
            self._real_pause(wait)
        self._has_waited = True
        self._see()
        self.woke(end, end)

    def woke(self, earliest_us: int, latest_us: int) -> None:
        """A wait has ended. Where the host was late, its own time is set back."""
        due = self._due()
        if due > latest_us:
            self._base -= due - latest_us
            due = latest_us
        self._now = max(self.now_us(), due, earliest_us)

    def _see(self) -> None:
        """The program computes from now on."""
        self._seen_us = self._real_us()
        self._seen_cpu_s = self._cpu_s()


def _loop_us(real_us: object) -> int:
    """The host's time for the fastest round of a loop with a known number of instructions."""
    fastest = 1000000
    for _ in range(_LOOP_ROUNDS):
        begin = real_us()
        _loop(_LOOP_TURNS)
        fastest = min(fastest, real_us() - begin)
    return max(fastest, 1)


def _loop(turns: int) -> None:
    turn = 0
    while turn < turns:
        turn += 1
