"""What the device has promised by each operation of its flash.

Nothing here asks the firmware what it believes about itself. A promise is a flush that returned, an answer on the link,
an alert that the wearer felt, or a step that is older than five seconds.
"""

import sys

from hal.store import LogStore
from retrostep_core.log import decoded
from retrostep_core.log import records as r
from retrostep_core.log.reader import scan

# Ordinary records may wait this long for their flush.
LATE_MS = 5000
# An alert carries the time of the newest sample, which may be this old when the alert is raised.
_ALERT_MS = 140


class Promises:
    """Promises in order, each with the number of flash operations that were complete when it was made."""

    def __init__(self, trace):
        self.trace = trace
        self.made = []
        self.content = {}  # session: all bytes written to its log
        self.old = set()  # sessions from before the scenario
        self.began = {}  # session: ms
        self.steps_credited = []  # (ms of the credit, session)
        self.cuts = []  # ms of the cuts within the scenario
        self.due = []  # (ms, session, length): a cut after this time leaves at least this much of the log

    def add(self, what, key, value):
        self.made.append((len(self.trace), what, key, value))

    def add_old_log(self, session, data):
        """A log from before the scenario that no host has archived."""
        self.old.add(session)
        self.content[session] = data
        self.began[session] = 0
        self.add("flushed", session, len(data))

    def by(self, writes):
        """{what: {key: value}}: the latest of each kind, made before operation `writes` was complete."""
        known = {what: {} for what in ("boot", "given", "flushed", "ended", "served", "asked", "confirmed", "limits", "pushed")}
        for at, what, key, value in self.made:
            if at > writes:
                break
            known[what][key] = value
        return known

    def steps(self, session, ms):
        """(steps of the session that a cut at `ms` must leave, all steps credited before it)."""
        for cut_ms in self.cuts:
            if [1 for at, number in self.steps_credited if number == session and at <= cut_ms]:
                ms = min(ms, cut_ms)
        credited = [at for at, number in self.steps_credited if number == session and at <= ms]
        return len([1 for at in credited if at + LATE_MS < ms]), len(credited)

    def settle(self, starts):
        """Work out when each record of the logs had to be on the flash. `starts`: {boot number: ms at which it began}."""
        for number in self.began:
            data = self.content.get(number, b"")
            base = 0
            for offset, kind, _, payload in scan(data):
                record = decoded.decode(kind, payload)
                end = offset + len(payload) + r.OVERHEAD
                if kind == r.HEADER:
                    boot_ms = starts.get(record.boot, -sys.maxsize)
                    base = boot_ms + record.start_ticks_ms
                elif kind == r.ALERT:
                    self.due.append((base + record.at_ms + _ALERT_MS, number, end))
                elif kind == r.MARK:
                    self.due.append((base + record.at_ms, number, end))
                elif kind == r.CLOCK:
                    if boot_ms + record.ticks_ms > self.began[number]:
                        self.due.append((boot_ms + record.ticks_ms, number, end))
                elif kind in (r.DIRECTION, r.BATTERY, r.RATE):
                    self.due.append((base + record.at_ms + LATE_MS, number, end))
                elif kind == r.EPOCH:
                    self.due.append((base + record.t_ms + LATE_MS, number, end))
        self.due.sort()


class Witness:
    """The store's file. Every flush that returns becomes a promise."""

    def __init__(self, file, promises):
        self.file = file
        self.promises = promises
        self.number = file.number
        self.log = promises.content.get(file.number, b"")

    def write_tail(self, view, done):
        self.promises.content[self.number] = self.log + bytes(view)
        is_safe = self.file.write_tail(view, done)
        if is_safe:
            self._flushed(len(self.log) + len(view))
        return is_safe

    def write(self, data):
        self.log += bytes(data)
        self.promises.content[self.number] = self.log
        return self.file.write(data)

    def flush(self):
        self.file.flush()
        self._flushed(len(self.promises.content[self.number]))

    def close(self):
        self.file.close()

    def _flushed(self, length):
        """From now on the log has bytes, and its number is used."""
        if self.number not in self.promises.old:
            self.promises.add("given", self.number, self.number)
        self.promises.add("flushed", self.number, length)


def watched(promises):
    """The class of the real store, with a Witness around each log file."""

    class WatchedStore(LogStore):
        def create(self, session):
            return Witness(super().create(session), promises)

        def append(self, session):
            return Witness(super().append(session), promises)

    return WatchedStore
