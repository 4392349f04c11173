"""Inputs of the benchmark: the labelled recordings, if there are any, and generated motion with its truth."""

import csv
import hashlib
import importlib.util
import json
from array import array
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import motion
import numpy as np
from retrostep.replay.recording import ImuRecording, read_recording
from retrostep_core import codes
from retrostep_core.gait import units
from support.places import DATA, ROOT, SCORER

from bench.scoring import RATE_HZ, Truth

BUILD = ROOT / "build" / "bench"



@dataclass
class Motion:
    """A generated recording and its truth."""

    recording: ImuRecording
    truth: Truth


def labelled() -> bool:
    """Whether the labelled recordings and their scorer are there."""
    return SCORER.is_file() and (DATA / "index.csv").is_file()


@cache
def scorer() -> ModuleType:
    """The labelled recordings' own scorer; each recording is loaded once."""
    spec = importlib.util.spec_from_file_location("score", SCORER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    load, loaded = module.load, {}

    def load_once(data: str, row: dict[str, str]) -> dict[str, object]:
        if row["file"] not in loaded:
            loaded[row["file"]] = load(data, row)
        return dict(loaded[row["file"]])

    module.load = load_once  # type: ignore[attr-defined]
    return module


def rows() -> list[dict[str, str]]:
    """The labelled recordings with a truth to score: steps, no steps, or direction."""
    with (DATA / "index.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    return [r for r in table if r["steps_kind"] != "none" or float(r["forward_s"] or 0) + float(r["backward_s"] or 0) > 0]


def exported() -> dict[str, Path]:
    """stem -> CSV of every labelled recording that can be scored; exported once by the scorer itself."""
    folder = BUILD / "csv"
    stamp = folder / ".index"
    now = hashlib.sha256((DATA / "index.csv").read_bytes() + SCORER.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != now:
        scorer().export(str(DATA), str(folder), "")
        stamp.write_text(now)
    return {scorer().stem(row): folder / (scorer().stem(row) + ".csv") for row in rows()}


def generated(plan: str, seed: int, side: str) -> Motion:
    """The motion of a named plan, generated once and cached."""
    path = BUILD / "motion" / f"{plan}-{seed}-{side}-{_made_by()[:8]}.csv"
    if not path.with_suffix(".truth.json").is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        mount = "+y+z+x" if side == "left" else "-y-z+x"
        motion.generate(motion.PLANS[plan][1](), seed, motion.Wear(side=side, mount=mount), name=plan).write(path)
    stored = json.loads(path.with_suffix(".truth.json").read_text())
    truth = Truth(
        stored["duration_s"],
        np.array([step["t"] for step in stored["steps"]]),
        [(d["from"], d["to"], d["direction"]) for d in stored["directions"]],
    )
    return Motion(read_recording(path), truth)


def plan_motion(plan: list[motion.Segment], seed: int, wear: motion.Wear | None = None, rate_hz: float = RATE_HZ) -> Motion:
    """The motion of any plan, in body axes, generated once and cached."""
    key = hashlib.sha256((_made_by() + repr((plan, seed, wear, rate_hz))).encode()).hexdigest()[:20]
    path = BUILD / "motion" / f"{key}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = motion.generate(plan, seed, wear, rate_hz)
        steps = [step["t"] for step in made.truth.steps]
        stretches = [(d["from"], d["to"], d["direction"]) for d in made.truth.directions]
        with path.open("wb") as file:
            np.savez(file, samples=np.array(made.samples), steps=np.array(steps, float), stretches=json.dumps(stretches))
    kept = np.load(path)
    samples = kept["samples"]
    truth = Truth(len(samples) / rate_hz, kept["steps"], [tuple(s) for s in json.loads(str(kept["stretches"]))])
    placement = codes.WAIST if wear is not None and wear.place == "waist" else codes.SHANK
    return Motion(recording(f"made-{key}", np.arange(len(samples)) / rate_hz, samples, placement), truth)


@cache
def _made_by() -> str:
    """A hash of the source files of the motion generator."""
    files = sorted([ROOT / "boards/VIRTUAL/motion.py", *(ROOT / "boards/VIRTUAL/synthetic").glob("*.py")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def recording(name: str, t_s: np.ndarray, samples: np.ndarray, placement: int = codes.SHANK) -> ImuRecording:
    """A recording from times and n x 6 samples (g, degrees per second) in body axes."""
    return ImuRecording(name, placement, t_s=array("d", t_s.tolist()), values=[array("d", column.tolist()) for column in samples.T])


def body(rec: ImuRecording) -> tuple[np.ndarray, np.ndarray]:
    """Times, and n x 6 samples in body axes; without a mount the sensor's axes."""
    columns = [np.asarray(column) for column in rec.values]
    mount = units.parse_mount(rec.mount) or ((0, 1), (1, 1), (2, 1))
    turned = [sign * columns[half + index] for half in (0, 3) for index, sign in mount]
    return np.asarray(rec.t_s), np.stack(turned, 1)
