"""The engine on extreme input: the same events on both interpreters, no result beyond 31 bits, events in order."""

from __future__ import annotations

import importlib
import random
import subprocess
from array import array
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from retrostep.replay.engines import on_host, on_micropython
from retrostep.replay.events import ListSink
from retrostep.replay.recording import ImuRecording
from retrostep_core import codes
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from support import instrumented_core
from support.gait_leg import Heard, Leg

FULL = 32767


def extremes(seed: int, n: int) -> array[int]:
    """Samples over the full range of int16: steps, ramps, silence, noise, clipped sines."""
    chance = random.Random(seed)
    values = array("h")
    held = [0] * 6
    kind = 0
    left = 0
    for _ in range(n):
        if left == 0:
            kind = chance.randrange(6)
            left = chance.randrange(1, 150)
            held = [chance.choice((-FULL - 1, -20000, -1000, 0, 1000, 20000, FULL)) for _ in range(6)]
        left -= 1
        if kind == 0:
            values.extend(held)
        elif kind == 1:
            values.extend(chance.randrange(-FULL - 1, FULL + 1) for _ in range(6))
        elif kind == 2:
            values.extend(v if left % 20 < 10 else ~v for v in held)
        elif kind == 3:
            values.extend((0, 0, 1000, 0, 0, 0))
        elif kind == 4:
            values.extend(v // (1 + left) for v in held)
        else:
            values.extend(v if left % 90 < 30 else ~v // 3 for v in held)
    return values


def feed(engine: Any, values: array[int], block: int, t_ms: int = 0, period_us: int = 9615) -> int:
    for at in range(0, len(values), block * 6):
        part = values[at : at + block * 6]
        n = len(part) // 6
        engine.samples(part, n, t_ms, period_us)
        t_ms += n * period_us // 1000
    engine.finish(t_ms)
    return t_ms


@pytest.mark.parametrize("placement", [codes.SHANK, codes.WAIST])
def test_no_arithmetic_leaves_31_bits(placement: int) -> None:
    with instrumented_core.checked_engine() as (checked, limits):
        for seed in range(12):
            feed(checked(Heard(), limits(), placement), extremes(seed, 3000), 32, 10**6)
            feed(checked(Heard(), limits(), placement, 0, False), extremes(seed, 3000), 32, 10**6)
        corner = array("h", [-FULL - 1] * 6 * 400 + [FULL] * 6 * 400) * 4
        feed(checked(Heard(), limits(), placement), corner, 32)


def test_the_check_itself_can_fail() -> None:
    with instrumented_core.checked_engine():
        intmath = importlib.import_module("retrostep_core.intmath")
        assert intmath.isqrt(2**29) == 23170
        with pytest.raises(instrumented_core.TooLarge):
            intmath.checked(2**30 + 1)


@settings(max_examples=25, deadline=None)
@example(2319610, codes.WAIST, 1, 8900)  # the mean force is zero in all axes
@given(st.integers(0, 2**32), st.sampled_from([codes.SHANK, codes.WAIST]), st.integers(1, 70), st.sampled_from([8900, 9615, 10400]))
def test_any_input_gives_events_in_order(seed: int, placement: int, block: int, period_us: int) -> None:
    heard = Heard()
    engine = Engine(heard, Limits(), placement)
    feed(engine, extremes(seed, 1500), block, 0, period_us)
    for before, after in zip(heard.steps, heard.steps[1:], strict=False):
        assert before[0] < after[0]
    newest = -1
    for _, since_ms, _ in heard.directions:
        assert since_ms >= newest
        newest = since_ms
    totals = engine.totals
    assert totals.forward_steps + totals.backward_steps + totals.unknown_steps == len(heard.steps)
    assert min(totals.forward_steps, totals.backward_steps, totals.unknown_steps, totals.forward_ms, totals.backward_ms) >= 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(500, 3000), st.booleans())
def test_time_has_a_direction_only_with_steps_in_it(seed: int, samples: int, mounted: bool) -> None:
    heard = Heard()
    engine = Engine(heard, Limits(), codes.SHANK, 0, mounted)
    feed(engine, extremes(seed, samples), 32)
    totals = engine.totals
    assert totals.forward_ms == 0 or totals.forward_steps > 0
    assert totals.backward_ms == 0 or totals.backward_steps > 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["walk", "back", "stand"]), st.integers(300, 5000), st.integers(400, 2600)), max_size=8))
def test_the_totals_agree_with_the_events_that_a_log_keeps(acts: list[tuple[str, int, int]]) -> None:
    leg = Leg()
    for kind, ms, spm_x10 in acts:
        if kind == "stand":
            leg.stand(ms)
        else:
            leg.walk(ms, spm_x10, kind == "back")
    heard = leg.finish()
    labels = []
    for t_ms, _, _ in heard.steps:
        changes = [direction for _, since_ms, direction in heard.directions if since_ms <= t_ms]
        labels.append(changes[-1] if changes else codes.UNKNOWN)
    totals = leg.engine.totals
    assert (totals.forward_steps, totals.backward_steps) == (labels.count(codes.FORWARD), labels.count(codes.BACKWARD))


def recording(seed: int, placement: int, mount: str) -> ImuRecording:
    """`extremes` as a recording within the range of the chip, with a gap in the middle."""
    made = ImuRecording(name=f"extremes_{seed}", placement=placement, mount=mount)
    values = extremes(seed, 2500)
    for k in range(len(values) // 6):
        made.t_s.append(k / 104 + (3.0 if k > 1500 else 0.0))
        for axis in range(6):
            made.values[axis].append(values[k * 6 + axis] * (0.000488 if axis < 3 else 0.070))
    return made


def test_both_interpreters_give_the_same_events(micropython: list[str]) -> None:
    worn = ((codes.SHANK, "+x+y+z"), (codes.SHANK, "-y-z+x"), (codes.SHANK, "?"), (codes.WAIST, "?"), (codes.POCKET, "?"))
    made = [recording(seed, placement, mount) for seed, (placement, mount) in enumerate(worn)]
    host = list(on_host(made, Limits()))
    board = list(on_micropython(made, Limits()))
    assert [(r.name, r.events, r.totals) for r in host] == [(r.name, r.events, r.totals) for r in board]
    assert all(any(what == "gap" for what, _ in r.events) for r in host)


def test_walking_and_running_give_the_same_events_on_both_interpreters(micropython: list[str], tmp_path: Path) -> None:
    script = tmp_path / "walk.py"
    script.write_text(
        "import sys\n"
        "sys.path[0:0] = sys.argv[1:]\n"
        "from support.gait_leg import Leg\n"
        "leg = Leg(noise=60)\n"
        "leg.stand(2000)\n"
        "for k in range(6):\n"
        "    leg.walk(7000, 900 + 250 * k, k % 2 == 1)\n"
        "h = leg.finish()\n"
        "print(h.steps, h.directions, h.cadences, h.alerts, h.gaps)\n"
    )
    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "firmware/lib")]
    printed = subprocess.run(
        [*micropython, "-X", "heapsize=8m", str(script), *paths], capture_output=True, text=True, timeout=99, check=True
    )
    leg = Leg(noise=60)
    leg.stand(2000)
    for k in range(6):
        leg.walk(7000, 900 + 250 * k, k % 2 == 1)
    h = leg.finish()
    assert printed.stdout.strip() == f"{h.steps} {h.directions} {h.cadences} {h.alerts} {h.gaps}"
    assert len(h.steps) > 80


def test_a_sink_gets_integers_only() -> None:
    sink = ListSink()
    feed(Engine(sink, Limits()), extremes(9, 2000), 32)
    assert sink.events
    assert all(type(value) is int for _, values in sink.events for value in values)
