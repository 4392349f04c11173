"""Runs on MicroPython: recordings in on stdin, events out on stdout, until stdin ends.

In: header (placement, side, flags: 1 mounted, 2 gyroscope; limits: 24 bytes), then blocks (n, t0_ms, period_us, n * 6 int16), a block of
n = 0 ends the recording. Out: one line an event, name and integers, then `totals`. The argument is the folder that holds retrostep_core.
"""

import sys

sys.path.insert(0, sys.argv[1])

import struct
from array import array

from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits

_HEADER = "<BBB24s"
_BLOCK = "<Hii"


class PrintingSink:
    """Prints every event as it comes."""

    def step(self, t_ms: int, at_ms: int, direction: int) -> None:
        print("step", t_ms, at_ms, direction)

    def direction(self, at_ms: int, since_ms: int, direction: int) -> None:
        print("direction", at_ms, since_ms, direction)

    def cadence(self, at_ms: int, spm_x10: int) -> None:
        print("cadence", at_ms, spm_x10)

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> None:
        print("alert", at_ms, kind, severity, measured, limit)

    def gap(self, from_ms: int, to_ms: int) -> None:
        print("gap", from_ms, to_ms)


def main() -> None:
    """Recording after recording; read(n) waits for all n bytes."""
    stdin = sys.stdin.buffer
    while True:
        header = stdin.read(struct.calcsize(_HEADER))
        if not header:
            return
        placement, side, flags, limits = struct.unpack(_HEADER, header)
        engine = Engine(PrintingSink(), Limits.unpack(limits), placement, side, bool(flags & 1))
        engine.has_gyro = bool(flags & 2)
        at_ms = 0
        while True:
            n, t0_ms, period_us = struct.unpack(_BLOCK, stdin.read(struct.calcsize(_BLOCK)))
            if n == 0:
                break
            engine.samples(array("h", stdin.read(n * 12)), n, t0_ms, period_us)
            at_ms = t0_ms + (n - 1) * period_us // 1000
        engine.finish(at_ms)
        tally = engine.tally
        print("totals", tally.forward_steps, tally.backward_steps, tally.unknown_steps, tally.forward_ms, tally.backward_ms)


main()
