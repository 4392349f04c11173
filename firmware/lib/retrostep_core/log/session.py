"""A session from its first step to its end: what the engine says, kept as records of a log (FORMATS.md, "The session log")."""

from array import array

from . import records as r
from .bouts import Bouts
from .journal import Journal

_LEAD_MS = 500  # a session starts this long before its first step, which was under way already
_FLUSH_MS = 4400  # what has waited so long at a look is flushed; looks are at most 0.5 s apart, so at most 5 s are lost
_LATE_MS = 4900  # what has waited so long is flushed without waiting for a look
_EPOCH_MS = 10000
_EARLY_MS = 700  # an epoch may come so much early to share a flush
_SLOW_EPOCH_MS = 60000  # between epochs when flash is nearly full
_BATTERY_MS = 300000
_CARE_MS = 60000  # between looks at the free flash
_RETRY_MS = 10000  # between attempts to write again after a failure
_SHORT_BYTES = 65536  # less free flash than this: steps are left out, five hours of epochs still fit
_TIGHT_BYTES = 24576  # less than this: an epoch a minute

_UNKNOWN = 0
_STILL = 3
_GAP_SAMPLES = 1
_GAP_FLASH = 4
_CADENCES = 64


class Session:
    """The engine's sink: opens a session at the first credited step (or by button), writes its log, ends it after a stillness.

    engine       start_session(at_ms) and tally; may be set after construction (`session.engine = ...`), as the engine needs its sink first
    store        where logs go (firmware/hal/store.py)
    identity     core_version (3 numbers), core_hash (8 bytes), device, board
    clock        ticks_ms() since boot; epoch_ms(), 0 while the time is not known
    limits       what is in force; `pack()` gives 24 bytes. Setting `session.limits` holds for the next header
    placement, side, mount   for the header (codes of FORMATS.md; mount such as "+y+z+x" or "?")
    auto_stop_s  stillness that ends a session
    watcher      a second sink that hears everything first (haptics, live events); its session(start_ms, number, started) is called as well
                 if it has one
    reserve      free bytes below which steps are left out of the log so that totals still fit

    Times are milliseconds since boot. Nothing here raises OSError: `faults` (records.FAULT_*) says what flash could not take, and counting
    goes on. `peak_mg` may be raised by whoever sees samples; each epoch records it and sets it back.
    """

    def __init__(
        self,
        engine,
        store,
        identity,
        clock,
        limits,
        placement: int = 0,
        side: int = 0,
        mount: str = "?",
        auto_stop_s: int = 60,
        watcher=None,
        reserve: int = _SHORT_BYTES,
    ):
        self.engine = engine
        self.store = store
        self.identity = identity
        self.clock = clock
        self.limits = limits
        self.placement = placement
        self.side = side
        self.mount = mount
        self.auto_stop_ms = auto_stop_s * 1000
        self.watcher = watcher
        self.reserve = reserve
        self.open = False
        self.number = 0
        self.start_ms = 0
        self.direction_now = _UNKNOWN
        self.cadence_x10 = 0
        self.peak_mg = 0
        self.faults = 0
        self._ended_ms = -1
        self._journal = Journal()
        self._logged = False  # the log's header has been written
        self._payload = bytearray(r.MAX_PAYLOAD)
        self._view = memoryview(self._payload)
        self._batch = r.StepBatch()
        self._batch_view = memoryview(self._batch.payload)
        self._bouts = Bouts(self._bout)
        self._cadences = array("H", bytes(2 * _CADENCES))
        self._cadence_count = 0
        self._fact = None
        self._milli_hz = 0
        self._milli_hz_logged = 0
        self._battery_mv = 0
        self._battery_percent = r.BATTERY_UNKNOWN
        self._trigger = r.BY_ITSELF
        self._moved_ms = 0
        self._last_step_ms = 0
        self._stepped_ms = -1  # the newest step, since the session's start
        self._oldest_ms = -1
        self._epoch_ms = 0
        self._battery_ms = 0
        self._care_ms = 0
        self._thin_ms = -1  # steps are left out, which the log says up to then; -1: they are not
        self._tight = False
        self._counted = r.ZERO

    def step(self, t_ms: int, at_ms: int, direction: int):
        """A step of either foot at `t_ms`, known at `at_ms`."""
        if not self.open:
            if t_ms <= self._ended_ms:
                return
            self.direction_now = direction
            self._begin(max(t_ms - _LEAD_MS, self._ended_ms, 0), at_ms, r.BY_ITSELF)
        if self.watcher is not None:
            self.watcher.step(t_ms, at_ms, direction)
        self._last_step_ms = t_ms
        if t_ms > self._moved_ms:
            self._moved_ms = t_ms
        t_ms = self._since_start(t_ms)
        if t_ms <= self._stepped_ms:
            t_ms = self._stepped_ms + 1  # credited after a button's start, taken before it: counted, in its place
        self._stepped_ms = t_ms
        self._bouts.step(t_ms)
        if self._thin_ms < 0 and self._logged:
            if not self._batch.add(t_ms):
                self._seal()
                self._batch.add(t_ms)
            self._wait(at_ms)

    def direction(self, at_ms: int, since_ms: int, direction: int):
        """From `since_ms` on, everything has this direction, steps already told included."""
        if self.watcher is not None:
            self.watcher.direction(at_ms, since_ms, direction)
        self.direction_now = direction
        if not self.open:
            return
        if direction in (_STILL, _UNKNOWN) and since_ms > self._moved_ms:
            self._moved_ms = since_ms
        since_ms = self._since_start(since_ms)
        self._bouts.say(since_ms, direction)
        self._put(at_ms, r.DIRECTION, r.pack_direction(self._payload, self._since_start(at_ms), since_ms, direction))

    def cadence(self, at_ms: int, spm_x10: int):
        """Steps of both feet in 0.1 a minute, 0 for none."""
        if self.watcher is not None:
            self.watcher.cadence(at_ms, spm_x10)
        self.cadence_x10 = spm_x10
        if self.open:
            self._bouts.cadence(spm_x10)
            if spm_x10 > 0:
                self._cadences[self._cadence_count % _CADENCES] = r.clip(spm_x10, r.U16)
                self._cadence_count += 1

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int):
        """An alert: on flash at once."""
        if self.watcher is not None:
            self.watcher.alert(at_ms, kind, severity, measured, limit)
        if self.open:
            n = r.pack_alert(self._payload, self._since_start(at_ms), kind, severity, measured, limit)
            self._put(at_ms, r.ALERT, n)
            self._flush()

    def gap(self, from_ms: int, to_ms: int, reason: int = _GAP_SAMPLES):
        """Nothing is known of the time between; it is recorded, never papered over."""
        if self.watcher is not None:
            self.watcher.gap(from_ms, to_ms)
        if self.open and to_ms > self.start_ms:
            n = r.pack_gap(self._payload, self._since_start(from_ms), self._since_start(to_ms), reason)
            self._put(to_ms, r.GAP, n)

    def tick(self, now_ms: int, battery_mv: int = 0, battery_percent: int = r.BATTERY_UNKNOWN):
        """To be called about twice a second: epochs, flushes, the session's end by stillness, care for the flash."""
        self._battery_mv = battery_mv
        self._battery_percent = battery_percent
        if not self.open:
            return
        if now_ms - self._last_step_ms >= self.auto_stop_ms:
            self._finish(now_ms, r.BY_ITSELF, self._moved_ms)
            return
        self._bouts.tick(self._since_start(now_ms))
        well = self._logged and not self._journal.failed
        if now_ms - self._care_ms >= (_CARE_MS if well else _RETRY_MS):
            self._care(now_ms)
        if now_ms - self._battery_ms >= _BATTERY_MS:
            self._battery(now_ms)
        flush = self._oldest_ms >= 0 and now_ms - self._oldest_ms >= _FLUSH_MS
        length_ms = _SLOW_EPOCH_MS if self._tight else _EPOCH_MS
        if now_ms - self._epoch_ms >= (length_ms - _EARLY_MS if flush else length_ms):
            self._epoch(now_ms, length_ms)
            flush = True
        if flush:
            self._flush()

    def start(self, now_ms: int, trigger: int = r.BY_BUTTON) -> bool:
        """Open a session without waiting for a step; False if one is open."""
        if self.open:
            return False
        self._begin(max(now_ms, self._ended_ms), now_ms, trigger)
        return True

    def stop(self, now_ms: int, reason: int = r.BY_BUTTON) -> bool:
        """End the session: by button now, otherwise at the last movement; False if none is open. Steps after it open the next one."""
        if not self.open:
            return False
        self._finish(now_ms, reason, now_ms if reason == r.BY_BUTTON else self._moved_ms)
        return True

    def mark(self, now_ms: int, mark: int):
        """A button mark, on flash at once; opens a session where none is open, so that it is not lost."""
        self.start(now_ms)
        self._put(now_ms, r.MARK, r.pack_mark(self._payload, self._since_start(now_ms), mark))
        self._flush()

    def rate(self, at_ms: int, milli_hz: int):
        """The sensor's measured sample rate; recorded when it changed by more than 0.2 %."""
        self._milli_hz = milli_hz
        if self.open and self._logged and abs(milli_hz - self._milli_hz_logged) * 500 > self._milli_hz_logged:
            self._rate(at_ms)

    def clock_fact(self, ticks_ms: int, epoch_ms: int, source: int = r.FROM_HOST):
        """The clock was set: it was `epoch_ms` (UTC) at `ticks_ms` since boot."""
        fact = (ticks_ms, epoch_ms, source)
        if fact == self._fact:
            return
        self._fact = fact
        if self.open and self._logged:
            self._clock()
            self._flush()

    def elapsed_ms(self, now_ms: int) -> int:
        """How long the session has lasted, 0 if none is open."""
        return self._since_start(now_ms) if self.open else 0

    def _begin(self, start_ms: int, at_ms: int, trigger: int):
        self.engine.start_session(start_ms)
        self.open = True
        self.number = 0
        self.start_ms = start_ms
        self.peak_mg = 0
        self.faults &= ~(r.FAULT_FLASH_SHORT | r.FAULT_FLASH_FULL)
        self._logged = False
        self._trigger = trigger
        self._moved_ms = start_ms
        self._last_step_ms = at_ms
        self._stepped_ms = -1
        self._oldest_ms = -1
        self._epoch_ms = start_ms
        self._battery_ms = at_ms if self._battery_mv else at_ms - _BATTERY_MS  # unknown yet: as soon as it is
        self._thin_ms = -1
        self._tight = False
        self._counted = r.ZERO
        self._cadence_count = 0
        self._batch.clear()
        self._bouts.begin(self.direction_now)
        self._care(at_ms)
        self._tell(True)

    def _create(self, at_ms: int):
        """The log's file and everything that stands at its start; late, if flash could not take it before."""
        try:
            number = self.store.next_session()
            file = self.store.create(number)
        except OSError:
            self.faults |= r.FAULT_FLASH_FULL
            return
        self.number = number
        self._logged = True
        self._journal.begin(file)
        who = self.identity
        n = r.pack_header(
            self._payload,
            who.core_version,
            who.core_hash,
            number,
            self.store.boot,
            self.start_ms,
            self._trigger,
            self.placement,
            self.side,
            self.mount,
            self.limits.pack(),
            who.device,
            who.board,
            self.store.life,
        )
        self._put(at_ms, r.HEADER, n)
        epoch_ms = self.clock.epoch_ms()
        if self._fact is None and epoch_ms > 0:
            self._fact = (self.clock.ticks_ms(), epoch_ms, r.FROM_HOST)
        if self._fact is not None:
            self._clock()
        late_ms = self._since_start(at_ms)
        self._put(at_ms, r.DIRECTION, r.pack_direction(self._payload, late_ms, 0, self.direction_now))
        if self._stepped_ms >= 0 and self._thin_ms < 0:
            # Counted before the flash could take a log.
            self._put(at_ms, r.GAP, r.pack_gap(self._payload, 0, self._stepped_ms, _GAP_FLASH))
        self._leave_out(at_ms, at_ms + _CARE_MS)
        if self._milli_hz:
            self._rate(at_ms)
        self._battery(at_ms)
        self._flush()

    def _finish(self, now_ms: int, reason: int, end_ms: int):
        tally = self.engine.tally
        # Direction may have been credited a little past the last step; a session is never shorter than what it counted.
        counted_ms = self.start_ms + tally.forward_ms + tally.backward_ms
        end_ms = min(now_ms, max(end_ms, counted_ms, self._moved_ms))
        end = self._since_start(end_ms)
        self._bouts.finish(end)
        self._seal()
        self._leave_out(now_ms, end_ms)
        self._battery(now_ms)
        self._flush()
        if not self._logged or self._journal.failed:
            self._mend(now_ms)
        if self._logged and (self._journal.lost or self._journal.failed):
            reason = r.FLASH_FULL
        n = r.pack_end(
            self._payload,
            end,
            reason,
            tally.forward_steps,
            tally.backward_steps,
            tally.unknown_steps,
            tally.forward_ms,
            tally.backward_ms,
        )
        self._put(now_ms, r.END, n)
        self._flush()
        if self._logged and self._journal.failed:
            self._reopen()
        if self._logged and not self._journal.close():
            self.faults |= r.FAULT_FLASH_FULL
        self.open = False
        self._logged = False
        self._ended_ms = end_ms
        self.cadence_x10 = 0
        self._tell(False)

    def _tell(self, started: bool):
        hear = getattr(self.watcher, "session", None)
        if hear is not None:
            hear(self.start_ms, self.number, started)

    def _since_start(self, at_ms: int) -> int:
        return at_ms - self.start_ms if at_ms > self.start_ms else 0

    def _put(self, at_ms: int, kind: int, n: int):
        if self._logged:
            self._journal.add(kind, self._view, n)
            self._wait(at_ms)

    def _wait(self, at_ms: int):
        """Something is waiting for a flush since `at_ms`."""
        if self._oldest_ms < 0:
            self._oldest_ms = at_ms
        elif at_ms - self._oldest_ms >= _LATE_MS:
            self._flush()

    def _flush(self):
        self._oldest_ms = -1
        if self._logged:
            self._seal()
            if not self._journal.flush():
                self.faults |= r.FAULT_FLASH_FULL

    def _seal(self):
        """The steps so far become a record."""
        if self._batch.count:
            self._journal.add(r.STEPS, self._batch_view, self._batch.length)
            self._batch.clear()

    def _clock(self):
        ticks_ms, epoch_ms, source = self._fact
        self._put(ticks_ms, r.CLOCK, r.pack_clock(self._payload, ticks_ms, epoch_ms, source))

    def _rate(self, at_ms: int):
        self._milli_hz_logged = self._milli_hz
        self._put(at_ms, r.RATE, r.pack_rate(self._payload, self._since_start(at_ms), self._milli_hz))

    def _battery(self, at_ms: int):
        if self._battery_mv:
            self._battery_ms = at_ms
            n = r.pack_battery(self._payload, self._since_start(at_ms), self._battery_mv, self._battery_percent)
            self._put(at_ms, r.BATTERY, n)

    def _bout(self, start_ms: int, end_ms: int, direction: int, steps: int, mean_x10: int, max_x10: int):
        n = r.pack_bout(self._payload, start_ms, end_ms, direction, steps, mean_x10, max_x10)
        self._put(self.start_ms + end_ms, r.BOUT, n)

    def _epoch(self, now_ms: int, length_ms: int):
        tally = self.engine.tally
        forward, backward, unknown = tally.forward_steps, tally.backward_steps, tally.unknown_steps
        forward_ms, backward_ms = tally.forward_ms, tally.backward_ms
        now = r.Totals(forward, backward, unknown, forward_ms, backward_ms)
        self._epoch_ms += (now_ms - self._epoch_ms + _EARLY_MS) // length_ms * length_ms
        if now != self._counted:
            self._counted = now
            if self._logged:
                self._seal()  # what an epoch has counted stands before it
            n = r.pack_epoch(
                self._payload,
                self._since_start(now_ms),
                forward,
                backward,
                unknown,
                forward_ms,
                backward_ms,
                self._median_cadence(),
                self.peak_mg,
            )
            self._put(now_ms, r.EPOCH, n)
        self._cadence_count = 0
        self.peak_mg = 0

    def _median_cadence(self) -> int:
        count = min(self._cadence_count, _CADENCES)
        if count == 0:
            return 0
        values = self._cadences
        for i in range(1, count):  # insertion sort in place: a few dozen values every 10 s
            value = values[i]
            k = i
            while k and values[k - 1] > value:
                values[k] = values[k - 1]
                k -= 1
            values[k] = value
        return values[count // 2]

    def _care(self, now_ms: int):
        """Look after the flash: room, and a log that could not be written."""
        self._care_ms = now_ms
        if not self._logged or self._journal.failed:
            self._mend(now_ms)
        else:
            self._look(now_ms)

    def _mend(self, now_ms: int):
        self._look(now_ms)
        if self._logged:
            self._reopen()
        else:
            self._create(now_ms)

    def _reopen(self):
        """Go on with a log that could not be written."""
        journal = self._journal
        try:
            if journal.file is not None:
                file = journal.file
                journal.file = None
                _let_go(file)
            file = self.store.append(self.number)
            journal.mend(file, self.store.size(self.number))
        except OSError:
            self.faults |= r.FAULT_FLASH_FULL
            return
        if journal.flush():
            self.faults &= ~r.FAULT_FLASH_FULL

    def _look(self, now_ms: int):
        """How much flash is left; steps are left out, epochs made rarer, confirmed logs erased as that asks for."""
        try:
            free = make_room(self.store, self.reserve)
        except OSError:
            self.faults |= r.FAULT_FLASH_FULL
            return
        self._tight = free < _TIGHT_BYTES
        if free < self.reserve:
            self.faults |= r.FAULT_FLASH_SHORT
            if self._thin_ms < 0:
                if self._logged:
                    self._seal()
                self._thin_ms = now_ms
            self._leave_out(now_ms, now_ms + _CARE_MS)
        elif 0 <= self._thin_ms <= now_ms:
            self._leave_out(now_ms, now_ms)
            self._thin_ms = -1
            self.faults &= ~r.FAULT_FLASH_SHORT

    def _leave_out(self, now_ms: int, until_ms: int):
        """Say that up to `until_ms` no steps stand in the log for want of flash: ahead, so that a power cut leaves it said."""
        if self._logged and 0 <= self._thin_ms < until_ms:
            n = r.pack_gap(self._payload, self._since_start(self._thin_ms), self._since_start(until_ms), _GAP_FLASH)
            self._thin_ms = until_ms
            self._put(now_ms, r.GAP, n)


def make_room(store, wanted: int) -> int:
    """Erase confirmed logs, oldest first, until `wanted` bytes are free; the free bytes are returned. Unconfirmed logs always stay."""
    free = store.free_bytes()
    if free < wanted:
        for number in store.numbers():
            if number != store.open_number and store.confirmed(number):
                store.erase(number)
                free = store.free_bytes()
                if free >= wanted:
                    break
    return free


def _let_go(file):
    try:
        file.close()
    except OSError:
        # A file that failed may fail to close as well; what it last flushed is all that counts.
        return
