"""Effect of the main constants of the engine: each is changed alone, and a subset is scored again. Not part of the full run."""

import importlib
import json
from pathlib import Path
from typing import Any

from retrostep.replay.recording import ImuRecording

from bench.detectors import OURS
from bench.inputs import BUILD, DATA, exported, generated, labelled, rows, scorer
from bench.parallel import run_detectors, run_parallel
from bench.scoring import Events, Score
from bench.tables import console, figure, section, table

# (module of retrostep_core.gait, constant): the values to try, smaller ones first.
SHANK = {
    ("shank", "_CROSSED_SHIFT"): (1, 3),
    ("shank", "_CROSSED_LEAST_DPS_X20"): (200, 1200),
    ("shank", "_QUIET_DPS_X20"): (150, 600),
    ("stride", "_ANGLE_LEAST"): (2600, 10400),
    ("stride", "_GATE_ANGLE"): (5200, 20800),
    ("stride", "_GATE_SWINGS_MOST"): (3, 8),
    ("stride", "_STRIDE_LEAST_MS"): (300, 460),
    ("stride", "_CLOSING_ANGLE"): (5200, 1 << 28),
    ("stride_cadence", "_QUICK_STRIDE_MS"): (0, 1100),
    ("shank_phases", "_SLOWER_ANGLE"): (5200, 1 << 28),
    ("direction", "_TURN_LEAST"): (30, 100),
    ("direction", "_SETTLED_LEAST"): (0, 120),
    ("direction", "_FIRST_LEAST_SAMPLES"): (0, 12),
    ("direction", "_SUM_MOST"): (120, 240),
    ("direction", "_BALANCE_LEAST"): (0, 160),
    ("direction", "_WALKING_LEAST_MG"): (0, 150),
}
WAIST = {
    ("waist", "_LEAK_SHIFT"): (3, 5),
    ("waist", "_TURN_X16"): (4, 8),
    ("waist", "_TURN_LEAST"): (100, 400),
    ("waist_bout", "_NEW_LIFT"): (200000, 800000),
    ("waist_bout", "_STEP_LEAST_MS"): (150, 260),
    ("waist_bout", "_RESUME_MS"): (0, 10000),
}
# Data set, figure, digits.
SHANK_FIGURES = (
    ("marpino_legs", "F1", 3),
    ("vimu_bandai", "F1", 3),
    ("vimu_100style", "F1", 3),
    ("vimu_running", "F1", 4),
    ("vimu_bandai", "dir_ok_pct", 1),
    ("reversed_running", "dir_ok_pct", 1),
)
WAIST_FIGURES = (("ipol_voisard", "F1", 3), ("vimu_bandai", "F1", 3), ("vimu_running", "F1", 4), ("sisfall_waist", "false_per_min", 2))
EVERY = {"vimu_running": 8, "reversed_running": 3, "ipol_voisard": 2}
PLANS = ("switches", "errands", "no_steps")


def run() -> None:
    """One table per placement; the first row is the engine unchanged."""
    section("The engine's constants", "One constant is changed at a time. F1 of steps; dir: per cent of labelled time. Subsets.")
    _table("shank", SHANK, SHANK_FIGURES)
    if labelled():
        _table("waist", WAIST, WAIST_FIGURES)


def _table(placement: str, constants: dict[tuple[str, str], tuple[int, ...]], figures: tuple[tuple[str, str, int], ...]) -> None:
    variants: list[tuple[str, str, int]] = [("", "", 0)]
    for (module, name), values in constants.items():
        if hasattr(_module(module), name):
            variants += [(module, name, value) for value in values]
    paths = _subset(placement) if labelled() else {}
    made = [generated(plan, 1, "left") for plan in PLANS] if placement == "shank" else []
    sources: list[Path | ImuRecording] = [*paths.values(), *(m.recording for m in made)]
    results = run_parallel(_variant, [(*variant, sources) for variant in variants])
    lines = []
    for (module, name, value), events in zip(variants, results, strict=True):
        line: list[object] = [f"{module}.{name.lstrip('_')} {value} (for {getattr(_module(module), name)})" if name else "unchanged"]
        if paths:
            scored = _scored(dict(zip(paths, events, strict=False)))
            line += [figure(scored.get((data, placement), {}).get(what), digits) for data, what, digits in figures]
        if made:
            score = Score()
            for motion, found in zip(made, events[len(paths) :], strict=True):
                score.add(motion.truth, found)
            row = score.row()
            line += [figure(row["F1"], 3), figure(row["dir_ok_pct"], 1), figure(row["switch_s"], 2), figure(row["false_per_min"], 2)]
        lines.append(line)
    short = {"F1": "", "dir_ok_pct": "dir ", "false_per_min": "false "}
    names = [short[what] + data.split("_")[1 if data.startswith("vimu") else 0] for data, what, _ in figures]
    console.print()
    table(placement, ("", *(names if paths else ()), *(("made", "dir made", "switch s", "false/min") if made else ())), lines, bold=[0])


def _module(name: str) -> Any:
    return importlib.import_module(f"retrostep_core.gait.{name}")


def _subset(placement: str) -> dict[str, Path]:
    paths = exported()
    seen: dict[str, int] = {}
    chosen = {}
    wanted = {data for data, _, _ in (SHANK_FIGURES if placement == "shank" else WAIST_FIGURES)}
    for row in rows():
        if row["placement"] == placement and row["dataset"] in wanted:
            seen[row["dataset"]] = seen.get(row["dataset"], -1) + 1
            if seen[row["dataset"]] % EVERY.get(row["dataset"], 1) == 0:
                chosen[scorer().stem(row)] = paths[scorer().stem(row)]
    return chosen


def _variant(module: str, name: str, value: int, sources: list[Path | ImuRecording]) -> list[Events]:
    """Run the engine with one constant changed, also in the modules that import it."""
    names = ("shank", "shank_phases", "foot_strike", "stride", "stride_cadence", "direction", "waist", "waist_bout", "alerts")
    changed = [_module(m) for m in names] if name else []
    changed = [m for m in changed if hasattr(m, name) and (m is _module(module) or not name.startswith("_"))]
    before = [getattr(m, name) for m in changed]
    for m in changed:
        setattr(m, name, value)
    try:
        return [run_detectors(source, [OURS])[OURS] or [] for source in sources]
    finally:
        for m, old in zip(changed, before, strict=True):
            setattr(m, name, old)


def _scored(events: dict[str, Events]) -> dict[tuple[str, str], dict[str, Any]]:
    path = BUILD / "constants.jsonl"
    with path.open("w") as file:
        for stem, found in events.items():
            file.writelines(json.dumps({**event, "recording": stem}) + "\n" for event in [*found, {"event": "end"}])
    groups, _ = scorer().score(str(DATA), str(path))
    return {(r["dataset"], r["placement"]): r for r in scorer().table(groups) if r["activity"] == "~ all"}
