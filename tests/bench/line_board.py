"""Cost of the bytes that a host sends. On MicroPython: `line_board.py KIND BYTES FOLDER` reads and decodes BYTES of FOLDER/KIND.bin."""

import select
import sys

kind, count, folder = sys.argv[1:]
sys.path[0:0] = [folder + "/lib"]
from hal.console import Console  # noqa: E402 the path comes first
from retrostep_core.link.frames import LineDecoder  # noqa: E402


def ignore(request: tuple) -> None:
    """A request of the host."""


line = open(folder + "/" + kind + ".bin", "rb", buffering=0)  # noqa: SIM115
poll = select.poll()
poll.register(line, select.POLLIN)
console = Console(line, sys.stdout, poll.ipoll, lambda: True, lambda: 0, "uart")
decoder = LineDecoder()
buf = bytearray(256)
done = 0
while done < int(count):
    n = console.read_into(buf)
    decoder.feed(buf, n, ignore)
    done += n
