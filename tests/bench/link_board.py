"""Memory of a sync on a board. On MicroPython: `link_board.py FOLDER LENGTH` prints a JSON object.

The server of the link answers HELLO, LIST, CLOCK, READ of a log of LENGTH bytes (in pieces of 4096, four requests at a time) and CONFIRM.
FOLDER holds lib/ (interpreters.py writes it). Everything is at module level: the garbage collector of the WebAssembly build does not scan
local variables of C code.
"""

import binascii
import gc
import json
import sys

READ_BYTES = 4096
UNDER_WAY = 4

sys.path[0:0] = [sys.argv[1] + "/lib"]
length = int(sys.argv[2])

from retrostep_core.gait.limits import Limits  # noqa: E402
from retrostep_core.link import host_frames  # noqa: E402
from support.ram_store import Clock, Identity, RamStore  # noqa: E402

gc.collect()
before = gc.mem_alloc()
from retrostep_core.link import server  # noqa: E402

gc.collect()
facts = {"code": gc.mem_alloc() - before}


class Line:
    """An output without limit."""

    def room(self) -> int:
        return 2000

    def write(self, data: object) -> int:
        return len(data)


class Wearable:
    """The parts of the app that the server uses."""

    identity = Identity()
    clock = Clock()
    limits = Limits()
    nickname = ""


class Shelf(RamStore):
    """A store that reads without allocating, as LittleFS does on a board."""

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
asked = [host_frames.request(1, "HELLO"), host_frames.request(2, "LIST", 0), host_frames.request(3, "CLOCK", 1795000000000)]
asked += [host_frames.request(4, "READ", 1, offset, min(READ_BYTES, length - offset)) for offset in range(0, length, READ_BYTES)]
asked += [host_frames.request(5, "CONFIRM", 1, length, crc)]
wearable = Wearable()
line = Line()

gc.collect()
before = gc.mem_alloc()
link_server = server.Server(store, wearable, line)
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
    if sent < len(asked) and len(link_server._queue) < UNDER_WAY:
        line_of_host = asked[sent]
        sent += 1
        link_server.feed(line_of_host, len(line_of_host))
    worked = link_server.poll(0)
    left = gc.mem_alloc() - start
    most = max(most, left)
    gc.collect()
    live = max(live, gc.mem_alloc() - idle)
facts["live"] = live
facts["most"] = most
facts["confirmed"] = store.confirmed(1)
print(json.dumps(facts))
