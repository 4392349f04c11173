"""A session from its first step to its end: the engine's events become the records of a log (FORMATS.md, "The session log")."""

from ..constants import const
from . import records as r
from .bouts import Bouts, CadenceMedian
from .open_log import OpenLog, make_room

# As in retrostep_core/codes.py. A private constant takes no memory.
_UNKNOWN = const(0)
_STILL = const(3)
_GAP_SAMPLES = const(1)
_GAP_FLASH = const(4)
_START_STEPS = const(1)
_START_BUTTON = const(2)
_START_HOST = const(3)
_END_STILLNESS = const(1)
_END_BUTTON = const(2)
_END_FLASH_FULL = const(4)
_CLOCK_FROM_HOST = const(1)
_FAULT_FLASH_SHORT = const(2)
_FAULT_FLASH_FULL = const(4)
# A session starts this long before its first step, as the step was under way already.
_LEAD_MS = const(500)
_EPOCH_MS = const(10000)
# An epoch may come this much early, to share a flush.
_EPOCH_EARLY_MS = const(700)
# Between epochs while the flash is nearly full.
_RARE_EPOCH_MS = const(60000)
_BATTERY_MS = const(300000)
_CHECK_FLASH_MS = const(60000)
# CLOCK records of a session. A host that sets the clock for ever must not fill the flash.
_CLOCKS_MOST = const(20)
# Between attempts to write again after a failure.
_RETRY_MS = const(10000)
# With less free flash steps are left out; five hours of epochs still fit.
_SHORT_BYTES = const(65536)
# With less free flash there is one epoch a minute.
_NEARLY_FULL_BYTES = const(24576)


class SessionLog:
    """A sink of the engine. It opens a session at the first credited step or by button, writes its log, and ends it after a stillness.

    totals       GaitTotals. The session resets them when it starts and reads them for its records; whoever feeds the sink counts
    store        where the logs are (firmware/hal/store.py); its write_failed is a fault until the first session starts
    identity     core_version (3 numbers), core_hash (8 bytes), device, board
    clock        ticks_ms() since boot; epoch_ms(), 0 while the time is unknown
    limits       the limits in force; `pack()` gives 24 bytes. The attribute may be set: it holds for the next header
    placement, side, mount   for the header: codes, and text such as "+y+z+x" or "?". `declare` sets another mount
    auto_stop_s  stillness in s that ends a session
    listener     a second sink, or None. It gets every event first, and session(start_ms, number, started) at start and end
    load         gait/load.py's Load, which every epoch records; None without one
    reserve      free bytes below which steps are left out of the log, so that the totals still fit

    auto_start   whether the first step starts a session; True at first
    gap_reason   attribute: why samples are missing, one of codes.GAP_*. Only who reads the sensor knows it, and the engine does not
    open         whether a session is under way           start_ms  its start
    raw          RawCapture while one is running: the app calls samples(); otherwise None

    Times are in ms since boot. No OSError leaves this class: `faults` reports what the flash could not take; counting continues.
    """

    def __init__(
        self,
        totals,
        store,
        identity,
        clock,
        limits,
        placement: int = 0,
        side: int = 0,
        mount: str = "?",
        auto_stop_s: int = 60,
        listener=None,
        reserve: int = _SHORT_BYTES,
        load=None,
    ):
        self.limits = limits
        self.mount = mount
        self.listener = listener
        self.auto_start = True
        self.open = False
        self.gap_reason = _GAP_SAMPLES
        self.start_ms = 0
        self._totals = totals
        self._store = store
        self._identity = identity
        self._clock = clock
        self._worn_at = placement, side
        self._auto_stop_ms = auto_stop_s * 1000
        self._reserve = reserve
        self._log = OpenLog(store, load)
        self.raw: object = None
        self._faults = _FAULT_FLASH_FULL if store.write_failed else 0
        self._bouts = Bouts(self._put_bout)
        self._cadences = CadenceMedian()
        self._direction = _UNKNOWN
        self._found_mount = ""  # found by strides; empty while the declared one holds
        self._peak_mg = 0
        self._clock_fact: tuple[int, int, int] | None = None
        self._milli_hz = self._milli_hz_logged = self._battery_mv = 0
        self._battery_percent = r.BATTERY_UNKNOWN
        self._ended_ms = self._last_step_t_ms = self._left_out_ms = -1
        self._last_moved_ms = 0
        # What begins with a session is set in _begin.

    @property
    def number(self) -> int:
        """Number of the session's log; 0 while the flash has not taken its file."""
        return self._log.number

    @property
    def faults(self) -> int:
        """codes.FAULT_FLASH_SHORT and FAULT_FLASH_FULL, as bits, of the session under way or of the last one."""
        return self._faults | self._log.faults

    # The engine's sink.

    def step(self, t_ms: int, at_ms: int, direction: int):
        """A step of either foot at `t_ms`, known at `at_ms`."""
        if not self.open:
            if t_ms <= self._ended_ms or not self.auto_start:
                return
            self._direction = direction
            self._begin(max(t_ms - _LEAD_MS, self._ended_ms, 0), at_ms, _START_STEPS)
        if self.listener is not None:
            self.listener.step(t_ms, at_ms, direction)
        self._last_step_ms = t_ms
        if t_ms > self._last_moved_ms:
            self._last_moved_ms = t_ms
        t_ms = self._since_start(t_ms)
        if t_ms <= self._last_step_t_ms:
            # It was taken before a button started the session, and credited later. It counts, in the order of steps.
            t_ms = self._last_step_t_ms + 1
        self._last_step_t_ms = t_ms
        self._bouts.step(t_ms)
        if self._left_out_ms < 0 and self._log.exists:
            self._log.put_step(at_ms, t_ms)

    def direction(self, at_ms: int, since_ms: int, direction: int):
        """From `since_ms` on everything has this direction, including steps that were reported before."""
        if self.listener is not None:
            self.listener.direction(at_ms, since_ms, direction)
        self._direction = direction
        if not self.open:
            return
        if direction in (_STILL, _UNKNOWN) and since_ms > self._last_moved_ms:
            self._last_moved_ms = since_ms
        since_ms = self._since_start(since_ms)
        self._bouts.direction(since_ms, direction)
        self._put(at_ms, r.DIRECTION, self._since_start(at_ms), since_ms, direction)

    def cadence(self, at_ms: int, cadence_x10: int):
        """The cadence of both feet in 0.1 steps a minute, 0 for none."""
        if self.listener is not None:
            self.listener.cadence(at_ms, cadence_x10)
        if self.open:
            self._bouts.cadence(cadence_x10)
            self._cadences.add(cadence_x10)

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int):
        """An alert; it is flushed at once."""
        if self.listener is not None:
            self.listener.alert(at_ms, kind, severity, measured, limit)
        if self.open:
            self._put(at_ms, r.ALERT, self._since_start(at_ms), kind, severity, measured, limit)
            self._log.flush()

    def gap(self, from_ms: int, to_ms: int, reason: int = _GAP_SAMPLES):
        """The movement in between is unknown."""
        if reason == _GAP_SAMPLES:
            reason = self.gap_reason
        if self.listener is not None:
            self.listener.gap(from_ms, to_ms, reason)
        if self.open and to_ms > self.start_ms:
            self._put(to_ms, r.GAP, self._since_start(from_ms), self._since_start(to_ms), reason)

    def found_mount(self, at_ms: int, since_ms: int, found: tuple):
        """Strides showed this mount (Engine.mount), which holds from `since_ms` on, and in the sessions after this one."""
        # Imported here: it is needed once, and the app frees it.
        from ..gait.units import mount_text, parse_mount

        text = mount_text(found, parse_mount(self.mount))
        self._found_mount = "" if text == self.mount else text
        if self.open:
            self._put_mount(at_ms, since_ms, text)
            # Directions that are older than the last epochs have changed: a log that a power cut ends here has the right totals.
            self._end_epoch(at_ms, _EPOCH_MS)
            self._log.flush()

    # What the app calls.

    def tick(self, now_ms: int, battery_mv: int = 0, battery_percent: int = r.BATTERY_UNKNOWN):
        """Call this twice a second: it writes epochs, flushes, checks the flash, and ends the session after a stillness.

        battery_mv is 0 while it is unknown.
        """
        self._battery_mv = battery_mv
        self._battery_percent = battery_percent if 0 <= battery_percent <= 100 else r.BATTERY_UNKNOWN
        if not self.open:
            return
        if self.raw is not None and (self._left_out_ms >= 0 or self.raw.is_over(now_ms)):
            self.end_capture(now_ms)
        if now_ms - self._last_step_ms >= self._auto_stop_ms and self.raw is None:
            self._finish(now_ms, _END_STILLNESS, self._last_moved_ms)
            return
        self._bouts.tick(self._since_start(now_ms))
        if now_ms - self._checked_ms >= (_CHECK_FLASH_MS if self._log.is_writable else _RETRY_MS):
            self._check_flash(now_ms)
        if now_ms - self._battery_ms >= _BATTERY_MS:
            self._put_battery(now_ms)
        is_due = self._log.is_due(now_ms)
        length_ms = _RARE_EPOCH_MS if self._is_nearly_full else _EPOCH_MS
        if now_ms - self._epoch_ms >= (length_ms - _EPOCH_EARLY_MS if is_due else length_ms):
            self._end_epoch(now_ms, length_ms)
            is_due = True
        if is_due:
            self._log.flush()

    def start(self, now_ms: int, trigger: int = _START_BUTTON) -> bool:
        """Open a session without a step; False if one is open."""
        if self.open:
            return False
        self._begin(max(now_ms, self._ended_ms), now_ms, trigger)
        return True

    def stop(self, now_ms: int, reason: int = _END_BUTTON) -> bool:
        """End the session: by button now, otherwise at the last movement. False if none is open. A later step opens the next one."""
        if not self.open:
            return False
        self._finish(now_ms, reason, now_ms if reason == _END_BUTTON else self._last_moved_ms)
        return True

    def declare(self, mount: str):
        """This mount holds for the next header, and not what strides showed."""
        self.mount = mount
        self._found_mount = ""

    def mark(self, now_ms: int, mark: int):
        """A mark by button, flushed at once. It opens a session if none is open."""
        self.start(now_ms)
        self._put(now_ms, r.MARK, self._since_start(now_ms), mark)
        self._log.flush()

    def capture(self, now_ms: int, minutes: int, label: str):
        """Record raw samples for `minutes`; opens a session if none is open. ValueError where the flash has too little room."""
        from .raw_capture import RawCapture, minutes_of  # seldom needed

        room = minutes_of(self._store.free_bytes() - 2 * self._reserve)
        if minutes > room:
            raise ValueError("the flash has room for %d minutes of samples: sync first, or capture less" % room)
        self.start(now_ms, _START_HOST)
        if not self._log.exists:
            raise ValueError("the flash does not take a log")
        self._last_step_ms = now_ms
        self.raw = self.raw or RawCapture(self._log)
        self.raw.begin(now_ms, self._since_start(now_ms), minutes, label)

    def end_capture(self, now_ms: int):
        """Record no more raw samples; the session continues."""
        if self.raw is not None:
            self._last_step_ms = max(self._last_step_ms, now_ms)
            self.raw.end(now_ms, self._since_start(now_ms))
            self.raw = None

    def samples(self, block, n: int, t0_ms: int, period_us: int):
        """A block of at most 20 raw samples, as Engine.samples takes it."""
        if self.open and t0_ms >= self.start_ms:
            self.raw.samples(block, n, t0_ms, t0_ms - self.start_ms, period_us)

    def peak(self, peak_mg: int):
        """A peak of the acceleration in mg. An epoch records the highest one."""
        if peak_mg > self._peak_mg:
            self._peak_mg = peak_mg

    def rate(self, at_ms: int, milli_hz: int):
        """The measured sample rate. It is recorded when it has changed by more than 0.2 %."""
        self._milli_hz = milli_hz
        if self.open and self._log.exists and abs(milli_hz - self._milli_hz_logged) * 500 > self._milli_hz_logged:
            self._put_rate(at_ms)

    def clock_fact(self, ticks_ms: int, epoch_ms: int, source: int = _CLOCK_FROM_HOST):
        """The clock was set: `ticks_ms` since boot is `epoch_ms` (UTC). A session records the first 20 times, the next one the last."""
        fact = (ticks_ms, epoch_ms, source)
        if fact == self._clock_fact:
            return
        self._clock_fact = fact
        if self.open and self._log.exists and self._clocks_logged < _CLOCKS_MOST:
            self._put_clock()
            self._log.flush()

    # Start and end.

    def _begin(self, start_ms: int, at_ms: int, trigger: int):
        self._totals.reset(start_ms)
        self.open = True
        self.start_ms = start_ms
        self._trigger = trigger
        self._peak_mg = self._faults = self._clocks_logged = 0
        self._last_moved_ms = start_ms
        self._last_step_ms = at_ms
        self._last_step_t_ms = -1  # the same since the session's start, made to rise
        self._left_out_ms = -1  # steps are left out, with a GAP up to here; -1: they are not
        self._epoch_ms = start_ms
        # Without a measurement yet, the battery is recorded as soon as there is one.
        self._battery_ms = at_ms if self._battery_mv else at_ms - _BATTERY_MS
        self._is_nearly_full = False
        self._totals_logged = (0, 0, 0, 0, 0)
        self._cadences.clear()
        self._bouts.begin(self._direction)
        self._log.begin()
        self._check_flash(at_ms)
        if self.listener is not None:
            self.listener.session(start_ms, self.number, True)

    def _create_log(self, at_ms: int):
        """The log's file and the records at its start. It is late where the flash could not take it at the session's start."""
        log = self._log
        if not log.create():
            return
        identity = self._identity
        core = identity.core_version, identity.core_hash
        start = log.number, self._store.boot, self.start_ms, self._trigger
        names = identity.device, identity.board, self._store.generation
        n = r.pack_header(log.payload, *core, *start, *self._worn_at, self.mount, self.limits.pack(), *names)
        log.put(at_ms, r.HEADER, n)
        epoch_ms = self._clock.epoch_ms()
        if self._clock_fact is None and epoch_ms > 0:
            self._clock_fact = (self._clock.ticks_ms(), epoch_ms, _CLOCK_FROM_HOST)
        if self._clock_fact is not None:
            self._put_clock()
        self._put(at_ms, r.DIRECTION, self._since_start(at_ms), 0, self._direction)
        if self._found_mount:
            self._put_mount(at_ms, self.start_ms, self._found_mount)
        if self._last_step_t_ms >= 0 and self._left_out_ms < 0:
            # Steps were counted before the flash took the log.
            self._put(at_ms, r.GAP, 0, self._last_step_t_ms, _GAP_FLASH)
        self._put_left_out(at_ms, at_ms + _CHECK_FLASH_MS)
        if self._milli_hz:
            self._put_rate(at_ms)
        self._put_battery(at_ms)
        log.flush()

    def _finish(self, now_ms: int, reason: int, end_ms: int):
        self.end_capture(now_ms)
        log = self._log
        totals = self._totals
        # Direction may have been credited a little past the last step. A session is never shorter than its counted time.
        counted_ms = self.start_ms + totals.forward_ms + totals.backward_ms
        end_ms = min(now_ms, max(end_ms, counted_ms, self._last_moved_ms))
        end = self._since_start(end_ms)
        self._bouts.finish(end)
        log.end_steps()
        self._put_left_out(now_ms, end_ms)
        log.put_loads(now_ms, self._since_start(now_ms))
        self._put_battery(now_ms)
        log.flush()
        if not log.is_writable:
            self._check_flash(now_ms)
        if log.exists and log.is_incomplete:
            reason = _END_FLASH_FULL
        self._put(now_ms, r.END, end, reason, *totals.counted())
        log.flush()
        log.close()
        self.open = False
        self._ended_ms = end_ms
        if self.listener is not None:
            self.listener.session(self.start_ms, self.number, False)

    def _since_start(self, at_ms: int) -> int:
        return at_ms - self.start_ms if at_ms > self.start_ms else 0

    def _put(self, at_ms: int, kind: int, *values: int):
        self._log.put(at_ms, kind, r.pack(self._log.payload, kind, *values))

    def _put_clock(self):
        self._clocks_logged += 1
        self._put(self._clock_fact[0], r.CLOCK, *self._clock_fact)

    def _put_mount(self, at_ms: int, since_ms: int, mount: str):
        self._log.put(at_ms, r.MOUNT, r.pack_mount(self._log.payload, self._since_start(at_ms), self._since_start(since_ms), mount))

    def _put_rate(self, at_ms: int):
        self._milli_hz_logged = self._milli_hz
        self._put(at_ms, r.RATE, self._since_start(at_ms), self._milli_hz)

    def _put_battery(self, at_ms: int):
        if self._battery_mv:
            self._battery_ms = at_ms
            self._put(at_ms, r.BATTERY, self._since_start(at_ms), self._battery_mv, self._battery_percent)

    def _put_bout(self, start_ms: int, end_ms: int, *values: int):
        self._put(self.start_ms + end_ms, r.BOUT, start_ms, end_ms, *values)

    def _end_epoch(self, now_ms: int, length_ms: int):
        """An EPOCH record, if anything was counted since the last one."""
        now = self._totals.counted()
        self._epoch_ms += (now_ms - self._epoch_ms + _EPOCH_EARLY_MS) // length_ms * length_ms
        if now != self._totals_logged:
            self._totals_logged = now
            # Steps that an epoch has counted stand before it.
            self._log.end_steps()
            self._put(now_ms, r.EPOCH, self._since_start(now_ms), *now, self._cadences.median(), self._peak_mg)
        self._cadences.clear()
        self._peak_mg = 0
        self._log.put_loads(now_ms, self._since_start(now_ms))

    def _check_flash(self, now_ms: int):
        """Check the free flash, and create or resume a log that could not be written."""
        was_writable = self._log.is_writable
        self._checked_ms = now_ms
        self._check_space(now_ms)
        if not was_writable:
            if self._log.exists:
                self._log.resume()
            else:
                self._create_log(now_ms)

    def _check_space(self, now_ms: int):
        """Erase confirmed logs for room. Where that is not enough, leave steps out, and make epochs rare."""
        try:
            free = make_room(self._store, self._reserve)
        except OSError:
            self._log.faults = _FAULT_FLASH_FULL
            return
        if free < self._reserve and self._store.first_confirmed():
            # One log at a time, as an erase takes a while. The next tick continues.
            self._checked_ms = now_ms - _CHECK_FLASH_MS
            return
        self._is_nearly_full = free < _NEARLY_FULL_BYTES
        if free < self._reserve:
            self._faults |= _FAULT_FLASH_SHORT
            if self._left_out_ms < 0:
                self._log.end_steps()
                self._left_out_ms = now_ms
            self._put_left_out(now_ms, now_ms + _CHECK_FLASH_MS)
        elif 0 <= self._left_out_ms <= now_ms:
            self._put_left_out(now_ms, now_ms)
            self._left_out_ms = -1
            self._faults &= ~_FAULT_FLASH_SHORT

    def _put_left_out(self, now_ms: int, until_ms: int):
        """Record that steps are left out up to `until_ms`. It is recorded ahead, for a log that a power cut ends."""
        if self._log.exists and 0 <= self._left_out_ms < until_ms:
            self._put(now_ms, r.GAP, self._since_start(self._left_out_ms), self._since_start(until_ms), _GAP_FLASH)
            self._left_out_ms = until_ms
