"""The log of an hour of running, for the benchmark of the link."""

import itertools
import struct
from array import array

from motion import BackwardRun, Jog, Run, Stand, Walk
from retrostep.replay.imu import blocks
from retrostep_core import codes
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.load import Load
from retrostep_core.gait.totals import GaitTotals
from retrostep_core.log import decoded, records
from retrostep_core.log.session_log import SessionLog
from support import ram_store

from bench.inputs import plan_motion

# A jog to warm up, then backward bouts with forward running between them.
PLAN = [Stand(3), Walk(60), Jog(837), *[BackwardRun(60, 165), Walk(15), Run(150, 172)] * 12]
TICK_MS = 500
NUMBER_AT = 11
"""Offset of the session number in the payload of HEADER."""


ANY_DEVICE = "RS-000000000000"


def impact(samples: "array[int]") -> tuple[int, int, int, int]:
    """As hal/fifo.py: the peak along z, the resultant and the rise of samples in body axes, without gravity."""
    forces = [(samples[k], samples[k + 1], samples[k + 2] - 1000) for k in range(0, len(samples), 6)]
    rise = max((b[2] - a[2] for a, b in itertools.pairwise(forces)), default=0)
    return max(0, *(z for _, _, z in forces)), max(x * x + y * y + z * z for x, y, z in forces), max(0, rise), 0


def hour_log() -> bytes:
    """The log of session 1 of ANY_DEVICE, 3600 s long, written by the core's own engine and session."""
    store = ram_store.RamStore()
    identity = ram_store.Identity()
    identity.device = ANY_DEVICE
    clock = ram_store.Clock()
    totals = GaitTotals()
    load = Load(totals)
    session = SessionLog(totals, store, identity, clock, Limits(), codes.SHANK, 1, "+x+y+z", load=load)
    engine = Engine(session, Limits(), totals=totals)
    engine.measure_load(load)
    ticked_ms = 0
    for block in blocks(plan_motion(PLAN, seed=1).recording):
        for k in range(0, block.n, 12):
            part = block.samples[6 * k : 6 * k + 72]
            start_ms = block.t0_ms + k * block.period_us // 1000
            load.block(start_ms, start_ms + len(part) // 6 * block.period_us // 1000, impact(part))
        engine.samples(block.samples, block.n, block.t0_ms, block.period_us)
        clock.now = block.t0_ms + block.n * block.period_us // 1000
        if clock.now - ticked_ms >= TICK_MS:
            ticked_ms = clock.now
            session.tick(clock.now, 3900, 80)
    engine.finish(clock.now)
    session.stop(clock.now, codes.END_STILLNESS)
    return bytes(store.logs[1])


def as_of(log: bytes, device: str, number: int) -> bytes:
    """The same log with another device and session number in its header."""
    head = len(records.MAGIC)
    end = head + 3 + log[head + 2]
    payload = bytearray(log[head + 3 : end].replace(ANY_DEVICE.encode(), device.encode()))
    assert len(payload) == end - head - 3
    struct.pack_into("<I", payload, NUMBER_AT, number)
    packed = bytearray(records.MAX_RECORD)
    length = decoded.pack_record(packed, log[head], log[head + 1], payload)
    return log[:head] + bytes(packed[:length]) + log[head + length :]
