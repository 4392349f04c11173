"""Generated running that turns, shuffles and reverses: every step counts, with its time, and no direction is wrong."""

from functools import cache

import numpy as np
import pytest
from bench.detectors import retrostep
from bench.inputs import recording
from bench.not_gait import directed
from bench.scoring import Events, Score, Truth
from motion import BackwardRun, BackwardWalk, Jog, Run, Sidestep, Stand, Walk, Wear, generate
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


@pytest.mark.parametrize("seed", [1, 3, 6])
def test_a_slow_sidestep_is_counted(seed: int) -> None:
    """The leg turns so slowly in stance that the foot strike comes long before the end of the swing is sure."""
    truth, events = replayed([Stand(3), Walk(5), Stand(2), Sidestep(12), Stand(3)], seed)
    start = next(d[0] for d in truth.directions if d[2] == "lateral")
    found, made = (sum(1 for t in times if t > start) for times in ([e["t"] for e in events if e["event"] == "step"], truth.steps_s))
    assert made - 3 <= found <= made, (found, made)


@pytest.mark.parametrize(
    ("rpm", "backward", "seed"), [(60, True, 1), (90, False, 3), (90, True, 3)], ids=["60 backward", "90 forward", "90 backward"]
)
def test_pedals_that_stop_now_and_then_are_no_gait(rpm: float, backward: bool, seed: int) -> None:
    """A turn with a pause in it has a short swing, a loaded stance and a jolt, as a stride has."""
    _, events = replayed([Stand(3), Cycle(30, rpm, backward, pauses=True), Stand(3)], seed)
    assert not [e for e in events if e["event"] in ("step", "alert")]
    assert directed(events, 36.0) == {"forward": 0.0, "backward": 0.0}


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
