"""Generated running that turns, shuffles and reverses: every step counts, with its time, and no direction is wrong."""

from functools import cache

import numpy as np
import pytest
from bench.detectors import retrostep
from bench.inputs import recording
from bench.scoring import Events, Score, Truth
from motion import BackwardRun, BackwardWalk, Jog, Run, Stand, Walk, Wear, generate
from retrostep_core.codes import SHANK, WAIST
from synthetic import field
from synthetic.not_gait import Cycle, Elliptical, LegCurl, Ride, Squat
from synthetic.plan import SideShuffle

RATE_HZ = 104.0


def replayed(plan: list, seed: int, placement: int = SHANK) -> tuple[Truth, Events]:
    place = "waist" if placement == WAIST else "shank"
    made = generate(plan, seed, Wear(side="left" if seed % 2 else "right", place=place))
    steps = np.array([step["t"] for step in made.truth.steps])
    directions = [(d["from"], d["to"], d["direction"]) for d in made.truth.directions]
    samples = np.array(made.samples)
    events = retrostep(recording("made", np.arange(len(samples)) / RATE_HZ, samples, placement))
    return Truth(made.duration_s, steps, directions), events


@cache
def field_score(plan: str) -> dict[str, float]:
    score = Score()
    score.add(*replayed(field.PLANS[plan][1](), 1))
    return score.row()


@pytest.mark.parametrize("plan", field.PLANS)
def test_running_as_in_sports_is_counted_and_goes_the_right_way(plan: str) -> None:
    row = field_score(plan)
    assert row["F1"] >= 0.95 and row["count_pct"] <= 3.0, row
    assert row["dir_ok_pct"] >= 99.0 and row["wrong_forward_pct"] == 0.0, row


@pytest.mark.parametrize("gait", [BackwardWalk(14), BackwardRun(14)])
def test_a_backward_step_has_the_time_of_the_landing(gait) -> None:
    """The swing ends 50 to 150 ms before."""
    truth, events = replayed([Stand(3), gait, Stand(3)], 2)
    found = [e for e in events if e["event"] == "step"]
    early = [float(min(truth.steps_s - e["t"], key=abs)) for e in found]
    assert len(early) > 20 and abs(float(np.median(early))) < 0.03, early
    assert all(e["t"] <= e["at"] < e["t"] + 2 for e in found)


@pytest.mark.parametrize("towards", ["left", "right"])
def test_a_shuffle_to_either_side_has_steps_and_no_direction(towards: str) -> None:
    truth, events = replayed([Stand(3), Jog(4), SideShuffle(12, towards=towards), Run(5), Stand(3)], 1)
    steps = [e for e in events if e["event"] == "step"]
    assert abs(len(steps) - len(truth.steps_s)) <= 2
    start, end, _ = next(d for d in truth.directions if d[2] == "lateral")
    assert {e["direction"] for e in steps if start + 1.5 < e["t"] < end - 1} == {"unknown"}
    assert not [e for e in events if e["event"] == "direction" and e["direction"] == "backward"]


@pytest.mark.parametrize("exercise", [Cycle(30, 61, road_g=0.25), Elliptical(30, 46, True), LegCurl(30, 40, "standing"), Squat(30, 44)])
def test_no_direction_is_shown_where_no_step_follows(exercise) -> None:
    for seed in (1, 2):
        _, events = replayed([Stand(3), exercise, Stand(3)], seed)
        assert not [e for e in events if e["event"] == "step"]
        assert {e["direction"] for e in events if e["event"] == "direction"} <= {"still", "unknown"}


@pytest.mark.parametrize(("exercise", "seed"), [(Elliptical(60, 40), 7), (Ride(60, 0.3, 25, 1.6, 2.6), 3)])
def test_a_regular_bounce_at_the_waist_is_no_steps(exercise, seed) -> None:
    _, events = replayed([Stand(3), exercise, Stand(3)], seed, WAIST)
    assert not [e for e in events if e["event"] == "step"]


def test_a_short_walk_at_the_waist_is_counted() -> None:
    """Four steps with clear strikes are enough."""
    truth, events = replayed([Stand(3), Walk(3.2), Stand(3)], 1, WAIST)
    assert len([e for e in events if e["event"] == "step"]) >= len(truth.steps_s) - 1 >= 3
