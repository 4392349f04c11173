"""The bench's own scores: known misses, shifts and switches give known figures, and the labelled recordings' scorer agrees."""

import importlib.util
import random
from typing import Any

import numpy as np
import pytest
from bench import scoring
from support.places import SCORER

TRUE = np.arange(1.0, 31.0, 0.5)


def score(events: list[dict[str, Any]], truth: scoring.Truth | None = None) -> dict[str, float]:
    sums = scoring.Score()
    sums.add(truth or scoring.Truth(32.0, TRUE), events)
    return sums.row()


def steps(times: np.ndarray, late_s: float = 0.1) -> list[dict[str, Any]]:
    return [{"event": "step", "t": float(t), "at": float(t) + late_s} for t in times]


def test_all_steps_found() -> None:
    row = score(steps(TRUE))
    assert (row["F1"], row["count_pct"], row["steps"]) == (1.0, 0.0, 60)
    assert row["latency_s"] == pytest.approx(0.1)


def test_a_constant_shift_is_not_held_against_anyone() -> None:
    assert score(steps(TRUE + 0.15))["F1"] == 1.0


def test_missed_and_extra_steps_count_on_either_side() -> None:
    missed = score(steps(np.delete(TRUE, [10, 20, 30])))
    assert missed["F1"] == pytest.approx(2 * 57 / (2 * 57 + 3))
    assert missed["bias_pct"] == pytest.approx(-5.0)
    extra = score(steps(np.sort(np.append(TRUE, [10.25, 20.25]))))
    assert extra["F1"] == pytest.approx(2 * 60 / (2 * 60 + 2))
    assert extra["bias_pct"] == pytest.approx(100 * 2 / 60)


def test_strides_are_half_the_steps() -> None:
    assert score(steps(TRUE[::2]))["bias_pct"] == pytest.approx(-50.0, abs=2)


def test_the_ends_are_not_judged() -> None:
    assert score(steps(np.append(TRUE, 31.8)))["F1"] == 1.0


def test_cadence_is_held_against_the_last_six_steps() -> None:
    found = [{"event": "cadence", "at": float(t), "spm": 126.0} for t in np.arange(5, 30, 0.5)]
    row = score(steps(TRUE) + found)
    assert row["cadence_pct"] == pytest.approx(5.0)


def test_direction_by_the_sample_and_switches_by_the_second() -> None:
    truth = scoring.Truth(40.0, np.array([]), [(0.0, 20.0, "forward"), (20.0, 40.0, "backward")])
    found = [{"event": "direction", "at": at, "direction": name} for at, name in ((0.5, "forward"), (20.8, "backward"), (30.0, "forward"))]
    row = score(found, truth)
    assert row["switch_s"] == pytest.approx(0.8, abs=0.02)
    assert row["wrong_forward_pct"] == 0.0
    assert row["wrong_backward_pct"] == pytest.approx(100 * 10 / 18.5, abs=0.2)
    assert row["dir_ok_pct"] == pytest.approx(100 * (18.5 + 8.5) / 37, abs=0.2)


def test_steps_where_there_are_none() -> None:
    row = score(steps(np.array([10.0, 50.0])), scoring.Truth(120.0, np.array([]), [(0.0, 120.0, "still")]))
    assert row["false_per_min"] == pytest.approx(1.0)


def test_both_scorers_pair_alike() -> None:
    if not SCORER.is_file():
        pytest.skip("the labelled recordings' scorer is not at ../shared/bench, so nothing is compared with it")
    spec = importlib.util.spec_from_file_location("score", SCORER)
    assert spec is not None and spec.loader is not None
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    for seed in range(50):
        r = random.Random(seed)
        true = np.cumsum([r.uniform(0.2, 0.8) for _ in range(40)])
        found = np.sort([t + r.gauss(0, 0.15) for t in true if r.random() > 0.1] + [r.uniform(0, 20) for _ in range(4)])
        assert scoring.match(true, found, 0.2) == theirs.match(true, found, 0.2)[0], f"seed {seed}"
