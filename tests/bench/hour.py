"""An hour of running as a device would log it: the log that is brought over the link."""

import struct
import sys

from inputs import ROOT, moved
from motion import BackwardRun, Jog, Run, Stand, Walk
from retrostep.replay.imu import blocks
from retrostep_core.gait import codes
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from retrostep_core.log import records
from retrostep_core.log.session import Session

sys.path.append(str(ROOT / "tests" / "portable"))

import ram_store

# Jogging to warm up, then backward bouts with forward running between them: nobody stands still for long.
PLAN = [Stand(3), Walk(60), Jog(837), *[BackwardRun(60, 165), Walk(15), Run(150, 172)] * 12]
TICK_MS = 500
NUMBER_AT = 11
"""Of the session's number, in HEADER's payload."""


SOMEBODY = "RS-000000000000"


def hour_log() -> bytes:
    """The log of session 1 of SOMEBODY, 3600 s long, written by the core's own engine and session."""
    store = ram_store.RamStore()
    identity = ram_store.Identity()
    identity.device = SOMEBODY
    clock = ram_store.Clock()
    session = Session(None, store, identity, clock, Limits(), codes.SHANK, 1, "+x+y+z")
    engine = Engine(session, Limits())
    session.engine = engine
    ticked_ms = 0
    for block in blocks(moved(PLAN, seed=1).recording):
        engine.samples(block.samples, block.n, block.t0_ms, block.period_us)
        clock.now = block.t0_ms + block.n * block.period_us // 1000
        if clock.now - ticked_ms >= TICK_MS:
            ticked_ms = clock.now
            session.tick(clock.now, 3900, 80)
    engine.finish(clock.now)
    session.stop(clock.now, records.BY_ITSELF)
    return bytes(store.logs[1])


def as_of(log: bytes, device: str, number: int) -> bytes:
    """The same log as that of another device's session."""
    head = len(records.MAGIC)
    end = head + 3 + log[head + 2]
    payload = bytearray(log[head + 3 : end].replace(SOMEBODY.encode(), device.encode()))
    assert len(payload) == end - head - 3
    struct.pack_into("<I", payload, NUMBER_AT, number)
    packed = bytearray(records.MAX_RECORD)
    length = records.pack_record(packed, log[head], log[head + 1], payload)
    return log[:head] + bytes(packed[:length]) + log[head + length :]
