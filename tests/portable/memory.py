"""What steps and a sync cost in memory: `micropython memory.py` prints `bytes a step, server, most a frame, session`."""

import gc
import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path[0:0] = [HERE, HERE + "/../../firmware/lib"]

from ram_store import Clock, Identity, Packed, RamStore, Wearer  # noqa: E402
from retrostep_core.link import (  # noqa: E402
    caller,
    server,
)
from retrostep_core.log.session import Session  # noqa: E402
from test_link_server import Wearable  # noqa: E402

LENGTH = 40960
STEPS = 10


class Shelf(RamStore):
    """A store with one log that costs nothing to read."""

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


def taken(before):
    gc.collect()
    return gc.mem_alloc() - before


def main():
    gc.collect()
    before = gc.mem_alloc()
    session = Session(None, RamStore(), Identity(), Clock(), Packed())
    session_bytes = taken(before)

    store = Shelf()
    wearable = Wearable()
    line = Line()
    gc.collect()
    before = gc.mem_alloc()
    desk = server.Server(store, wearable, line)
    server_bytes = taken(before)

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

    asked = caller.request(1, "READ", 1, 0, LENGTH)
    desk.feed(asked, len(asked))
    most = 0
    while True:
        before = gc.mem_alloc()
        worked = desk.poll(0)
        most = max(most, gc.mem_alloc() - before)
        if not worked:
            break
        gc.collect()
    print(step_bytes, server_bytes, most, session_bytes)


main()
