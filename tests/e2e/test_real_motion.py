"""Labelled recordings through the whole product: chip, FIFO, engine, log, link and archive, compared with their truth."""

import csv
import importlib.util
import json
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from retrostep_core.log.reader import read_log
from support.cli import Retrostep
from support.places import SCORER
from support.virtual_board_process import PATIENCE_S, VirtualBoard

SPEED = 50
CHIP_HZ = 6667 / 64
"""What the chip's nominal 104 Hz are. At 104 Hz, the moments of sampling would shift by a whole period in 6 s."""
PAUSE_S = 1.0
"""The leg stands still this long between two recordings: gravity along the last acceleration, and the sensor's noise."""


@pytest.fixture(scope="module")
def scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", SCORER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def join(scorer: ModuleType, data: Path, rows: list[dict], out: Path) -> np.ndarray:
    """Write the recordings of `rows` one after another, as of one leg; returns the times of all true steps."""
    truth: list[float] = []
    end = 0.0
    with open(out, "w") as file:
        file.write(f"# retrostep-recording: 1\n# placement: shank\n# side: {rows[0]['side']}\n# mount: {rows[0]['mount']}\n")
        file.write("t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n")
        for row in rows:
            recording = scorer.load(data, row)
            pause = int(PAUSE_S * scorer.FS)
            last = recording["acc"][-1:]
            noise = np.random.default_rng(1).normal(size=(pause, 6))
            acc = np.concatenate([recording["acc"], last / np.linalg.norm(last) + 0.001 * noise[:, :3]])
            gyr = np.concatenate([recording["gyr"], 0.1 * noise[:, 3:]])
            for k, (a, g) in enumerate(zip(acc, gyr, strict=True)):
                file.write(f"{end + k / scorer.FS:.4f}," + ",".join(f"{x:.4f}" for x in (*a, *g)) + "\n")
            truth += [end + float(t) for t in np.sort(recording["steps"])]
            end += len(acc) / scorer.FS
    return np.array(truth)


def stored_steps(recording: Path, home: Path) -> list[tuple[float, int]]:
    """Play `recording` on a board, sync it into `home`, and return every step (s, direction) of the archived sessions."""
    retrostep = Retrostep(home)
    rows = sum(1 for line in open(recording) if not line.startswith(("#", "t_s")))  # noqa: SIM115
    with VirtualBoard("--speed", SPEED, recording=recording, flash=home.with_suffix(".flash"), ready=True) as board:
        time.sleep(rows / 104 / SPEED)
        end = time.monotonic() + 3 * PATIENCE_S
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
    """F1 of steps with an unknown offset: the best over all offsets that match one of the first steps to one of the first true steps."""
    best = 0.0
    for shift in {float(t - s) for t in truth[:6] for s in steps[:6]}:
        pairs, offsets = scorer.match(truth, steps + shift, tolerance_s)
        if offsets:
            pairs, _ = scorer.match(truth, steps + shift - float(np.median(offsets)), tolerance_s)
        best = max(best, 2 * len(pairs) / (len(truth) + len(steps)))
    return best


def replayed(recording: Path, skipped: int = 0) -> np.ndarray:
    """Times of steps of the recording as the chip samples it, without the first `skipped` samples."""
    lines = recording.read_text().splitlines()
    head = [line for line in lines if line.startswith(("#", "t_s"))]
    rows = np.array([[float(x) for x in line.split(",")] for line in lines[len(head) :]])
    t_s = np.arange(skipped / CHIP_HZ, rows[-1, 0], 1 / CHIP_HZ)
    columns = [np.interp(t_s, rows[:, 0], column) for column in rows.T[1:]]
    samples = [f"{t:.6f}," + ",".join(f"{x:.5f}" for x in row) for t, *row in zip(t_s, *columns, strict=True)]
    sampled = recording.with_name("sampled.csv")
    sampled.write_text("\n".join(head + samples) + "\n")
    ran = Retrostep(recording.parent)("replay", "--json", sampled)
    return np.array([e["t"] for e in map(json.loads, ran.out.splitlines()) if e["event"] == "step"])


def best_replay(scorer: ModuleType, recording: Path, times: np.ndarray) -> float:
    """F1 of the board's steps against the best of four replays: the engine looks for a new plane every 250 ms, from its own start on."""
    return max(agreement(scorer, replayed(recording, skipped), times, 0.03) for skipped in (0, 6, 12, 18))


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
    assert best_replay(scorer, tmp_path / "run.csv", times) > 0.98
    # The moments of sampling, and of the looks for a new plane, decide about ten steps: a few weak foot strikes at the start of a bout,
    # and sharp turns in which the leg may change its plane, where steps have no direction.
    assert agreement(scorer, truth, times, 0.2) > 0.94
    assert sum(d == 2 for _, d in steps) > 0.89 * len(steps)
