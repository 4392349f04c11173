"""Session logs in memory, with the guarantees and faults of a board's flash, and a wearer who drives a session."""

from retrostep_core.gait.totals import GaitTotals
from retrostep_core.log.session_log import SessionLog


class RamFile:
    """An open log: written bytes are stored once they are flushed."""

    def __init__(self, store, number):
        self.store = store
        self.number = number
        self.waiting = b""

    def write(self, data):
        if self.store.failing:
            raise OSError(28)
        self.waiting += bytes(data)
        return len(data)

    def write_tail(self, view, done):
        return False

    def flush(self):
        if self.store.failing or len(self.waiting) > self.store.free_bytes():
            raise OSError(28)
        self.store.logs[self.number] += self.waiting
        self.store.flushes += 1
        self.waiting = b""

    def close(self):
        self.store.open_number = 0
        self.flush()


class RamStore:
    """A store in memory. `failing`: every write raises OSError; `file`: the newest log file; cut(): the store after a power cut."""

    def __init__(self, capacity=2000000, boot=1, generation=0):
        self.capacity = capacity
        self.boot = boot
        self.generation = generation
        self.logs = {}
        self.oks = {}
        self.open_number = 0
        self.failing = False
        self.write_failed = False
        self.file = None
        self.flushes = 0
        self.next = 1

    def cut(self):
        after = RamStore(self.capacity, self.boot + 1, self.generation)
        after.logs = dict(self.logs)
        after.oks = dict(self.oks)
        after.next = self.next
        return after

    def next_session(self):
        if self.failing:
            raise OSError(28)
        self.next += 1
        return self.next - 1

    def create(self, session):
        if session in self.logs:
            raise OSError(17)
        self.logs[session] = b""
        return self.append(session)

    def append(self, session):
        if self.failing:
            raise OSError(5)
        self.open_number = session
        self.file = RamFile(self, session)
        return self.file

    def numbers(self):
        return sorted(self.logs)

    def following(self, session):
        return min([number for number in self.logs if number > session], default=0)

    def holds(self, session):
        return session in self.logs

    def first_confirmed(self):
        return min([number for number in self.logs if number != self.open_number and self.confirmed(number)], default=0)

    @property
    def unsynced(self):
        return len([number for number in self.logs if number != self.open_number and not self.confirmed(number)])

    def size(self, session):
        if session not in self.logs:
            raise OSError(2)
        return len(self.logs[session])

    def read_into(self, session, offset, buf):
        part = self.logs[session][offset : offset + len(buf)]
        buf[: len(part)] = part
        return len(part)

    def truncate(self, session, length):
        self.logs[session] = self.logs[session][:length]
        return True

    def confirm(self, session, length):
        self.oks[session] = length

    def confirmed(self, session):
        return self.oks.get(session) == len(self.logs[session])

    def erase(self, session):
        if self.logs[session] and not self.confirmed(session):
            raise ValueError("an unconfirmed log stays")
        del self.logs[session]
        self.oks.pop(session, None)

    def free_bytes(self):
        free = self.capacity
        for data in self.logs.values():
            free -= len(data)
        return max(0, free)


class Identity:
    core_version = (0, 1, 0)
    core_hash = b"\x01\x23\x45\x67\x89\xab\xcd\xef"
    device = "RS-TEST"
    board = "VIRTUAL"


class Clock:
    def __init__(self):
        self.now = 0
        self.offset = 0

    def ticks_ms(self):
        return self.now

    def epoch_ms(self):
        return self.now + self.offset if self.offset else 0

    def set_epoch_ms(self, epoch_ms, source):
        self.offset = epoch_ms - self.now
        return self.now


class Packed:
    """Limits as the session uses them: 24 bytes."""

    def pack(self):
        return bytes(range(24))


class Wearer:
    """Drives a session instead of the engine: moves time, takes steps, turns. Calls the session's tick twice a second, as the app does.

    The calls are those of gait/output.py, in the same order: the sink gets a step before the totals count it.
    """

    def __init__(self, store, now_ms=1000, **options):
        self.totals = GaitTotals()
        self.clock = Clock()
        self.clock.now = now_ms
        self.store = store
        self.session = SessionLog(self.totals, store, Identity(), self.clock, Packed(), 0, 1, "+y+z+x", **options)
        self.looked_ms = now_ms
        self.direction = 3
        self.battery_mv = 3900
        self.battery_percent = 80

    def pass_ms(self, ms):
        until = self.clock.now + ms
        while self.looked_ms + 500 <= until:
            self.looked_ms += 500
            self.clock.now = self.looked_ms
            self.totals.advance(self.looked_ms)
            self.session.tick(self.looked_ms, self.battery_mv, self.battery_percent)
        self.clock.now = until
        self.totals.advance(until)

    def turn(self, direction, since_ms=None):
        since_ms = self.clock.now if since_ms is None else since_ms
        self.direction = direction
        self.session.direction(self.clock.now, since_ms, direction)
        self.totals.set_direction(since_ms, direction)

    def step(self, ago_ms=0):
        t_ms = self.clock.now - ago_ms
        direction = self.totals.direction_at(t_ms)
        self.session.step(t_ms, self.clock.now, direction)
        self.totals.add_step(t_ms, direction)

    def run(self, seconds, spm=170, cadence=True):
        """Take steps for `seconds`, with the small variation of real legs."""
        end = self.clock.now + seconds * 1000
        interval = 60000 // spm
        n = 0
        while self.clock.now + interval + 20 <= end:
            self.pass_ms(interval + (n * 7919) % 37 - 18)
            self.step()
            n += 1
            if cadence and n % 3 == 0:
                self.session.cadence(self.clock.now, spm * 10)
        self.pass_ms(end - self.clock.now)
