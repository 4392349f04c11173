"""The log that is being written: records go in, and reach the flash within 5 s. It continues after a failure of the flash."""

from ..constants import const
from . import records as r
from .record_writer import RecordWriter

# As in retrostep_core/codes.py. A private constant takes no memory.
_UNKNOWN = const(0)
_FORWARD = const(1)
_BACKWARD = const(2)
_FAULT_FLASH_FULL = const(4)
# A record that has waited this long is due at the next tick. Ticks are at most 0.5 s apart, so at most 5 s are lost.
FLUSH_MS = 4400
# A record that has waited this long is flushed without a tick.
FLUSH_LATE_MS = 4900


class OpenLog:
    """One log at a time, in memory that is allocated once. No OSError leaves this class.

    payload  where the caller packs a record before it calls put()
    number   number of the log, 0 while the flash has not taken its file
    exists   whether the log's file has been created
    faults   FAULT_FLASH_FULL while the flash does not take what it should, otherwise 0

    `at_ms` is the time now, in ms since boot.
    """

    def __init__(self, store, load=None):
        self._store = store
        self._load = load  # gait/load.py's Load
        self._writer = RecordWriter()
        self.payload = bytearray(r.MAX_PAYLOAD)
        self._view = memoryview(self.payload)
        self._steps = r.StepBatch()
        self.faults = 0
        self.begin()

    @property
    def is_writable(self) -> bool:
        """Whether the log exists and its last write succeeded."""
        return self.exists and not self._writer.failed

    @property
    def is_incomplete(self) -> bool:
        """Whether records were lost, or the last write failed."""
        return self._writer.lost > 0 or self._writer.failed

    def begin(self):
        """Start on another log; create() makes its file."""
        self.number = 0
        self.exists = False
        self.faults = 0
        self._waiting_since_ms = -1
        self._steps.clear()
        if self._load is not None:
            self._load.clear()

    def create(self) -> bool:
        """Give the log a number and a file; False if the flash does not take it."""
        try:
            number = self._store.next_session()
            file = self._store.create(number)
        except OSError:
            self.faults = _FAULT_FLASH_FULL
            return False
        self.number = number
        self.exists = True
        self._writer.begin(file)
        return True

    def put(self, at_ms: int, kind: int, n: int):
        """Append the first `n` bytes of `payload` as a record; without a file it is dropped."""
        if self.exists:
            self._writer.add(kind, self._view, n)
            self._wait(at_ms)

    def set_bulk(self, is_bulk: bool):
        """Much data follows, or no more: see RecordWriter."""
        self._writer.is_bulk = is_bulk

    def put_step(self, at_ms: int, t_ms: int):
        """Append a step at `t_ms` since the session's start, later than the one before it."""
        if not self._steps.add(t_ms):
            self.end_steps()
            self._steps.add(t_ms)
        self._wait(at_ms)

    def put_loads(self, at_ms: int, t_ms: int):
        """Append a LOAD record for each direction that has contacts since the last call."""
        load = self._load
        if load is None:
            return
        load.settle(at_ms)
        for direction in (_UNKNOWN, _FORWARD, _BACKWARD):
            sums = load.sums(direction)
            if sums[0] or sums[1]:
                self.put(at_ms, r.LOAD, r.pack_load(self.payload, t_ms, direction, sums))
        load.clear()

    def end_steps(self):
        """Close the STEPS record, so that the next record follows all steps so far."""
        if self._steps.count:
            self._writer.add(r.STEPS, self._steps.view, self._steps.length)
            self._steps.clear()

    def is_due(self, at_ms: int) -> bool:
        """Whether something has waited long enough to be flushed."""
        return 0 <= self._waiting_since_ms <= at_ms - FLUSH_MS

    def flush(self):
        """Bring everything onto the flash."""
        self._waiting_since_ms = -1
        if self.exists:
            self.end_steps()
            if not self._writer.flush():
                self.faults = _FAULT_FLASH_FULL

    def resume(self):
        """Continue after a failed write."""
        writer = self._writer
        # The file may fail to close as well. What it flushed before counts.
        writer.release()
        try:
            file = self._store.append(self.number)
            writer.resume(file, self._store.size(self.number))
        except OSError:
            self.faults = _FAULT_FLASH_FULL
            return
        if writer.flush():
            self.faults = 0

    def close(self):
        """Write everything and close the file."""
        if self.exists and self._writer.failed:
            self.resume()
        if self.exists and not self._writer.close():
            self.faults = _FAULT_FLASH_FULL
        self.exists = False

    def _wait(self, at_ms: int):
        """Something waits for a flush from `at_ms` on."""
        if self._waiting_since_ms < 0:
            self._waiting_since_ms = at_ms
        elif at_ms - self._waiting_since_ms >= FLUSH_LATE_MS:
            self.flush()


def make_room(store, least: int) -> int:
    """Erase the oldest confirmed log if fewer than `least` bytes are free. Unconfirmed logs stay. The free bytes are returned."""
    free = store.free_bytes()
    if free < least:
        number = store.first_confirmed()
        if number:
            store.erase(number)
            free = store.free_bytes()
    return free
