"""Runs on MicroPython: reads recordings on stdin and prints their events, until stdin ends.

In: header (placement, side, flags: 1 mounted, 2 gyroscope; limits: 24 bytes), then blocks (n, t0_ms, period_us, n * 6 int16); a block of
n = 0 ends the recording. Out: one line for each event (name and integers), then `totals`. The argument is the folder of retrostep_core.
"""

import sys

sys.path.insert(0, sys.argv[1])

import struct
from array import array

from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limit_ranges import unpack_limits

_HEADER = "<BBB24s"
_BLOCK = "<Hii"


class PrintingSink:
    """The engine's sink: prints each event as one line, its name and its integers."""

    def step(self, t_ms: int, at_ms: int, direction: int) -> None:
        """A step: its time, the time of its report, its direction."""
        print("step", t_ms, at_ms, direction)

    def direction(self, at_ms: int, since_ms: int, direction: int) -> None:
        """A change of direction: the time of its report, its start, the direction."""
        print("direction", at_ms, since_ms, direction)

    def cadence(self, at_ms: int, spm_x10: int) -> None:
        """The cadence in 0.1 steps a minute, 0 for none."""
        print("cadence", at_ms, spm_x10)

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> None:
        """An alert, in the units of FORMATS.md, record ALERT."""
        print("alert", at_ms, kind, severity, measured, limit)

    def gap(self, from_ms: int, to_ms: int, reason: int) -> None:
        """The movement in between is unknown, for one of the reasons in FORMATS.md."""
        print("gap", from_ms, to_ms, reason)

    def found_mount(self, at_ms: int, since_ms: int, found: tuple[tuple[int, int], ...]) -> None:
        """The sensor is worn in another way than declared: which axes point forward, left and up, with their signs."""
        print("mount", at_ms, since_ms, *[number for axis in found for number in axis])


def main() -> None:
    """Replay one recording after another; read(n) waits for all n bytes."""
    stdin = sys.stdin.buffer
    while True:
        header = stdin.read(struct.calcsize(_HEADER))
        if not header:
            return
        placement, side, flags, limits = struct.unpack(_HEADER, header)
        engine = Engine(PrintingSink(), unpack_limits(limits), placement, side, bool(flags & 1))
        engine.has_gyro = bool(flags & 2)
        at_ms = 0
        while True:
            n, t0_ms, period_us = struct.unpack(_BLOCK, stdin.read(struct.calcsize(_BLOCK)))
            if n == 0:
                break
            engine.samples(array("h", stdin.read(n * 12)), n, t0_ms, period_us)
            at_ms = t0_ms + (n - 1) * period_us // 1000
        engine.finish(at_ms)
        totals = engine.totals
        print("totals", *totals.counted())


main()
