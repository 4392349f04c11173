"""Memory of a recorded step and of a sync, in bytes. On MicroPython, `memory` prints `a step, the server, the largest frame, a session`."""

import gc

from retrostep_core.gait.totals import GaitTotals
from retrostep_core.link import host_frames, server
from retrostep_core.log.session_log import SessionLog
from support.link_host import Wearable
from support.ram_store import Clock, Identity, Packed, RamStore, Wearer

LENGTH = 40960
STEPS = 10


class Shelf(RamStore):
    """A store with one log; reading it allocates nothing."""

    data = memoryview(bytes([i % 251 if i % 7 else 0 for i in range(LENGTH)]))

    def numbers(self):
        return [1]

    def size(self, session):
        return LENGTH

    def read_into(self, session, offset, buf):
        buf[:] = self.data[offset : offset + len(buf)]
        return len(buf)


class Line:
    def room(self):
        return 2000

    def write(self, data):
        return len(data)


def allocated_since(before):
    gc.collect()
    return gc.mem_alloc() - before


def main():
    gc.collect()
    totals = GaitTotals()
    before = gc.mem_alloc()
    session = SessionLog(totals, RamStore(), Identity(), Clock(), Packed())
    session_bytes = allocated_since(before)

    store = Shelf()
    wearable = Wearable()
    line = Line()
    gc.collect()
    before = gc.mem_alloc()
    link_server = server.Server(store, wearable, line)
    server_bytes = allocated_since(before)

    wearer = Wearer(RamStore())
    wearer.turn(1)
    wearer.run(20)
    session = wearer.session
    now = wearer.clock.now
    session.step(now + 300, now + 300, 1)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for i in range(STEPS):
        session.step(now + 350 * (i + 2), now + 350 * (i + 2), 1)
    step_bytes = (gc.mem_alloc() - before) // STEPS

    request = host_frames.request(1, "READ", 1, 0, LENGTH)
    link_server.feed(request, len(request))
    most = 0
    while True:
        before = gc.mem_alloc()
        worked = link_server.poll(0)
        most = max(most, gc.mem_alloc() - before)
        if not worked:
            break
        gc.collect()
    print(step_bytes, server_bytes, most, session_bytes)


main()
