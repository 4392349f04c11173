"""Scores of the engine and of other step counters on the same recordings, labelled and generated."""

import json
from functools import cache
from typing import Any

from bench.detectors import DETECTORS, OURS
from bench.inputs import BUILD, DATA, Motion, exported, generated, labelled, scorer
from bench.parallel import available_detectors, run_detectors, run_parallel
from bench.scoring import Events, Score
from bench.tables import console, figure, section, table

# (data set, placement): least F1, most count error in %. Generated motion has the bar of the labelled shanks.
BARS = {
    ("vimu_running", "shank"): (0.998, 0.2),
    ("vimu_100style", "shank"): (0.98, 1.0),
    ("vimu_bandai", "shank"): (0.98, None),
    ("marpino_legs", "shank"): (0.95, None),
    ("ipol_voisard", "waist"): (0.95, None),
    ("vimu_running", "waist"): (0.998, 1.0),
    ("generated", "shank"): (0.98, 1.0),
}
COLUMNS = ("F1", "count %", "bias %", "cadence %", "p95", "late s", "dir %", "f→b %", "b→f %", "switch s", "p90", "false/min")
PLANS = ("session", "walk", "run", "steady_backward", "switches", "cadences", "sideways", "errands", "no_steps")
KIND = {detector.name: "causal" if detector.causal else "offline" for detector in DETECTORS}
PEOPLE = ((1, "left"), (2, "right"))


def run() -> None:
    """Tables for the labelled recordings, if there are any, and for generated motion."""
    detectors, sentences = available_detectors()
    names = [d.name for d in detectors]
    section(
        "Steps, cadence, direction",
        "Causal: needs no future samples, as on a device. Offline: uses the whole recording. ✓ ✗: against the bar. Cadence: error of "
        "the reported cadence against the last six true steps, median and p95. Late: from a step to its report. Dir: "
        "per cent of labelled time; f→b: forward reported as backward. Switch: from a change of direction to its report, median and p90.",
        *sentences,
    )
    if labelled():
        _labelled(names)
    else:
        console.print("The labelled recordings are not at ../shared, so only generated motion is scored.")
    _generated(names)


def _labelled(names: list[str]) -> None:
    recordings = exported()
    results = run_parallel(run_detectors, [(path, names) for path in recordings.values()])
    by_name: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    details: list[dict[str, Any]] = []
    for name in names:
        path = BUILD / "events.jsonl"
        with path.open("w") as file:
            for stem, events in zip(recordings, results, strict=True):
                if (found := events[name]) is not None:
                    named = ({**event, "recording": stem} for event in [*found, {"event": "end"}])
                    file.writelines(json.dumps(event) + "\n" for event in named)
        groups, _ = scorer().score(str(DATA), str(path))
        rows = scorer().table(groups)
        by_name[name] = {(r["dataset"], r["placement"]): r for r in rows if r["activity"] == "~ all"}
        if name == OURS:
            details = [r for r in rows if r["activity"] != "~ all"]
    for key, ours in by_name[OURS].items():
        what = f"{key[0]}, {key[1]}: {ours['recordings']} recordings" + (f", {ours['steps']} steps" if "steps" in ours else "")
        _table(what, key, {name: scored[key] for name, scored in by_name.items() if key in scored})
    worst = sorted((r for r in details if r.get("steps", 0) >= 30), key=lambda r: r["F1"])[:8]
    fields = {"F1": ".3f", "count_pct": ".1f", "bias_pct": "+.1f"}
    table(
        "Weakest activities of Retrostep (30 steps and more)",
        ("data set, activity", "steps", "F1", "count %", "bias %"),
        [
            [f"{r['dataset']}, {r['placement']}: {r['activity']}", r["steps"], *(f"{r[k]:{f}}" for k, f in fields.items())]
            for r in worst
        ],
    )


def _generated(names: list[str]) -> None:
    tasks = [(plan, seed, side) for plan in PLANS for seed, side in PEOPLE]
    made: list[Motion] = run_parallel(generated, tasks)
    results: list[dict[str, Events]] = run_parallel(run_detectors, [(motion.recording, names) for motion in made])
    rows = {}
    plans = {}
    for name in names:
        score = Score()
        for motion, events in zip(made, results, strict=True):
            score.add(motion.truth, events[name])
        rows[name] = score.row()
    for plan in PLANS:
        score = Score()
        for task, motion, events in zip(tasks, made, results, strict=True):
            if task[0] == plan:
                score.add(motion.truth, events[OURS])
        plans[plan] = score.row()
    _table(f"generated, shank: {len(tasks)} recordings, {rows[OURS]['steps']} steps", ("generated", "shank"), rows)
    _table("Retrostep on generated motion, by plan", ("", ""), plans)


@cache
def present_names() -> list[str]:
    """The detectors that run here."""
    return [detector.name for detector in available_detectors()[0]]


def _table(title: str, key: tuple[str, str], rows: dict[str, dict[str, Any]]) -> None:
    console.print()
    lines = [_row(name, key, row) for name, row in rows.items()]
    if OURS in rows:
        lines += [[name, "not installed", *[""] * len(COLUMNS)] for name in KIND if name not in present_names()]
    table(title, ("", "", *COLUMNS), lines, bold=[0] if OURS in rows else [])


def _row(name: str, key: tuple[str, str], row: dict[str, Any]) -> list[object]:
    ours = name == OURS
    least, most = BARS.get(key, (None, None)) if ours else (None, None)
    cadence = 1.0 if ours and key in BARS else None
    knows = name not in KIND or row.get("dir_ok_pct", 0) > 0
    direction = row if knows else {}
    return [
        name,
        KIND.get(name, ""),
        figure(row.get("F1"), 3 if least is None or least < 0.99 else 4, least),
        figure(row.get("count_pct"), 1 if most is None else 2, None, most),
        figure(row.get("bias_pct"), 1),
        figure(row.get("cadence_pct"), 2, None, cadence),
        figure(row.get("cadence_p95"), 1),
        figure(row.get("latency_s") if KIND.get(name) != "offline" else None, 2),
        figure(direction.get("dir_ok_pct"), 1, 99.0 if ours else None),
        figure(direction.get("wrong_forward_pct"), 1, None, 0.5 if ours else None),
        figure(direction.get("wrong_backward_pct"), 1),
        figure(direction.get("switch_s"), 2, None, 1.0 if ours else None),
        figure(direction.get("switch_p90"), 2, None, 1.5 if ours else None),
        figure(row.get("false_per_min"), 2, None, 0.5 if ours else None),
    ]
