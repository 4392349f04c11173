"""Real legs, whole road: labelled recordings -> chip -> FIFO -> engine -> log -> link -> archive, compared with their truth."""

import csv
import importlib.util
import json
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from board import VirtualBoard
from cli import Retrostep
from places import SCORER
from retrostep_core.log.reader import read_log

SPEED = 50
PAUSE_S = 1.0
"""Between two people's recordings the leg stands still for so long."""


@pytest.fixture(scope="module")
def scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", SCORER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def join(scorer: ModuleType, data: Path, rows: list[dict], out: Path) -> np.ndarray:
    """Write the recordings of `rows` behind one another, as if one leg had walked them all; the times of all true steps."""
    truth: list[float] = []
    end = 0.0
    with open(out, "w") as file:
        file.write(f"# retrostep-recording: 1\n# placement: shank\n# side: {rows[0]['side']}\n# mount: {rows[0]['mount']}\n")
        file.write("t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n")
        for row in rows:
            recording = scorer.load(data, row)
            pause = int(PAUSE_S * scorer.FS)
            acc = np.concatenate([recording["acc"], np.repeat(recording["acc"][-1:], pause, 0)])
            gyr = np.concatenate([recording["gyr"], np.zeros((pause, 3))])
            for k, (a, g) in enumerate(zip(acc, gyr, strict=True)):
                file.write(f"{end + k / scorer.FS:.4f}," + ",".join(f"{x:.4f}" for x in (*a, *g)) + "\n")
            truth += [end + float(t) for t in np.sort(recording["steps"])]
            end += len(acc) / scorer.FS
    return np.array(truth)


def stored_steps(recording: Path, home: Path) -> list[tuple[float, int]]:
    """Play `recording` on a board of its own, sync it into `home`, and read every step (s, direction) of its archived sessions."""
    retrostep = Retrostep(home)
    rows = sum(1 for line in open(recording) if not line.startswith(("#", "t_s")))  # noqa: SIM115
    with VirtualBoard("--speed", SPEED, recording=recording, flash=home.with_suffix(".flash")) as board:
        time.sleep(rows / 104 / SPEED)
        end = time.monotonic() + 60
        while True:
            ran = retrostep("sync", "--json", "--port", board.port)
            assert ran.status == 0, ran.err
            sessions = ran.json["devices"][0]["sessions"]
            if sessions and all(s["confirmed"] for s in sessions):
                break
            assert time.monotonic() < end, f"the session was not over after the recording's end: {sessions}"
            time.sleep(1)
    steps = []
    for path in sorted((home / "logs").rglob("*.rsl")):
        log = read_log(path.read_bytes())
        assert not log.damage and not log.gaps, f"{path.name}: {log.damage} {log.gaps}"
        steps += [((log.header.start_ticks_ms + t) / 1000, direction) for t, direction in log.steps]
    return steps


def agreement(scorer: ModuleType, truth: np.ndarray, steps: np.ndarray, tolerance_s: float) -> float:
    """F1 of steps on another clock: the best over all shifts that make some step meet one of the first true ones."""
    best = 0.0
    for shift in {float(t - s) for t in truth[:6] for s in steps[:6]}:
        pairs, offsets = scorer.match(truth, steps + shift, tolerance_s)
        if offsets:
            pairs, _ = scorer.match(truth, steps + shift - float(np.median(offsets)), tolerance_s)
        best = max(best, 2 * len(pairs) / (len(truth) + len(steps)))
    return best


def replayed(recording: Path) -> np.ndarray:
    ran = Retrostep(recording.parent)("replay", "--json", recording)
    return np.array([e["t"] for e in map(json.loads, ran.out.splitlines()) if e["event"] == "step"])


@pytest.mark.parametrize("side", ["left", "right"])
def test_real_walks_reach_the_archive(side: str, labelled_motion: Path, scorer: ModuleType, tmp_path: Path) -> None:
    walks = [r for r in csv.DictReader(open(labelled_motion / "index.csv")) if r["dataset"] == "marpino_legs"]  # noqa: SIM115
    walks = [r for r in walks if r["side"] == side and r["steps_kind"] == "both_feet"]
    truth = join(scorer, labelled_motion, walks, tmp_path / "walks.csv")
    steps = stored_steps(tmp_path / "walks.csv", tmp_path / "home")
    times = np.array([t for t, _ in steps])
    assert agreement(scorer, replayed(tmp_path / "walks.csv"), times, 0.03) > 0.98
    assert agreement(scorer, truth, times, 0.25) > 0.85
    assert sum(d == 2 for _, d in steps) < 0.03 * len(steps)


@pytest.mark.parametrize("side", ["left", "right"])
def test_motion_captured_backward_run_reaches_the_archive(side: str, labelled_motion: Path, scorer: ModuleType, tmp_path: Path) -> None:
    runs = [r for r in csv.DictReader(open(labelled_motion / "index.csv")) if r["dataset"] == "vimu_100style"]  # noqa: SIM115
    runs = [r for r in runs if r["placement"] == "shank" and r["side"] == side]
    truth = join(scorer, labelled_motion, runs, tmp_path / "run.csv")
    steps = stored_steps(tmp_path / "run.csv", tmp_path / "home")
    times = np.array([t for t, _ in steps])
    assert agreement(scorer, replayed(tmp_path / "run.csv"), times, 0.03) > 0.98
    assert agreement(scorer, truth, times, 0.2) > 0.95
    assert sum(d == 2 for _, d in steps) > 0.9 * len(steps)
