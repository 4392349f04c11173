"""The engine's memory is fixed: on MicroPython, samples allocate nothing."""

import gc
from array import array

from retrostep_core.codes import SHANK, WAIST
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from support.gait_leg import Leg

BLOCK = 32
BLOCKS = 120


class Deaf:
    """A sink that keeps nothing."""

    def step(self, t_ms, at_ms, direction):
        pass

    def direction(self, at_ms, since_ms, direction):
        pass

    def cadence(self, at_ms, spm_x10):
        pass

    def alert(self, at_ms, kind, severity, measured, limit):
        pass

    def gap(self, from_ms, to_ms, reason):
        pass

    def found_mount(self, at_ms, since_ms, mount):
        pass


class Taken:
    """Stands in for an engine, keeps the blocks."""

    def __init__(self):
        self.blocks = []

    def samples(self, block, n, t0_ms, period_us):
        self.blocks.append(array("h", block))


def motion(sideways):
    taken = Taken()
    leg = Leg(taken, size=BLOCK)
    leg.sideways = sideways
    leg.stand(2000)
    if sideways:
        leg.walk(30000, 1000)
    else:
        leg.walk(15000, 1500)
        leg.walk(15000, 1600, True, to_x10=2000)
    leg.stand(5000)
    return taken.blocks


def play(engine, blocks, t_ms):
    for block in blocks:
        engine.samples(block, BLOCK, t_ms, 9615)
        t_ms += 307
    return t_ms


def fed(placement, mounted=True, sideways=False):
    engine = Engine(Deaf(), Limits(), placement, 0, mounted)
    blocks = motion(sideways)
    t_ms = play(engine, blocks, 0)
    assert (engine.finder is not None) == sideways
    if not hasattr(gc, "mem_alloc"):
        # CPython counts no bytes; what it can show is that the state does not grow.
        before = [len(value) for value in vars(engine).values() if isinstance(value, list)]
        play(engine, blocks, t_ms)
        assert before == [len(value) for value in vars(engine).values() if isinstance(value, list)]
        return
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    play(engine, blocks, t_ms)
    after = gc.mem_alloc()
    gc.enable()
    # Walking, running, turning, alerts and standing: not even steps allocate.
    assert after == before, after - before


def test_a_shank_allocates_nothing():
    fed(SHANK)


def test_a_waist_allocates_nothing():
    fed(WAIST)


def test_a_shank_in_unknown_axes_allocates_nothing():
    fed(SHANK, False)


def test_a_shank_whose_mount_is_not_found_allocates_nothing():
    fed(SHANK, True, sideways=True)
