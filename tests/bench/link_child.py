"""Runs on MicroPython: what a sync takes of a board's memory. `link_child.py FOLDER LENGTH` prints a JSON object.

The server of the link answers HELLO, LIST, CLOCK, READ of a log of LENGTH bytes in pieces of 4096, four under way as a host asks, and
CONFIRM. FOLDER holds lib/ (cost.py writes it). All of it is at the module's level, where every collection finds what it must keep: the
WebAssembly build's does not look into C's locals.
"""

import binascii
import gc
import json
import sys

READ_BYTES = 4096
UNDER_WAY = 4

sys.path[0:0] = [sys.argv[1] + "/lib"]
length = int(sys.argv[2])

from ram_store import Clock, Identity, RamStore  # noqa: E402
from retrostep_core.gait.limits import Limits  # noqa: E402
from retrostep_core.link import caller  # noqa: E402

gc.collect()
before = gc.mem_alloc()
from retrostep_core.link import server  # noqa: E402

gc.collect()
facts = {"code": gc.mem_alloc() - before}


class Line:
    """An output that takes all."""

    def room(self) -> int:
        return 2000

    def write(self, data: object) -> int:
        return len(data)


class Wearable:
    """What the server asks of the app."""

    identity = Identity()
    clock = Clock()
    limits = Limits()


class Shelf(RamStore):
    """Reading takes no memory, as on a board's flash, whose file system reads into what it is given."""

    def read_into(self, session: int, offset: int, buf: object) -> int:
        part = memoryview(self.logs[session])[offset : offset + len(buf)]
        buf[: len(part)] = part
        return len(part)


store = Shelf()
data = bytearray(length)
for i in range(length):
    data[i] = i % 251 if i % 7 else 0
store.logs[1] = bytes(data)
crc = binascii.crc32(data) & 0xFFFFFFFF
asked = [caller.request(1, "HELLO"), caller.request(2, "LIST", 0), caller.request(3, "CLOCK", 1795000000000)]
asked += [caller.request(4, "READ", 1, offset, min(READ_BYTES, length - offset)) for offset in range(0, length, READ_BYTES)]
asked += [caller.request(5, "CONFIRM", 1, length, crc)]
wearable = Wearable()
line = Line()

gc.collect()
before = gc.mem_alloc()
desk = server.Server(store, wearable, line)
gc.collect()
facts["held"] = gc.mem_alloc() - before

# Live bytes behind every step of the server, and what each step takes until a collection; the host's lines were made beforehand.
gc.disable()
idle = gc.mem_alloc()
live = most = left = start = sent = 0
line_of_host = b""
worked = True
while sent < len(asked) or worked:
    gc.collect()
    start = gc.mem_alloc()
    if sent < len(asked) and len(desk._queue) < UNDER_WAY:
        line_of_host = asked[sent]
        sent += 1
        desk.feed(line_of_host, len(line_of_host))
    worked = desk.poll(0)
    left = gc.mem_alloc() - start
    most = max(most, left)
    gc.collect()
    live = max(live, gc.mem_alloc() - idle)
facts["live"] = live
facts["most"] = most
facts["confirmed"] = store.confirmed(1)
print(json.dumps(facts))
