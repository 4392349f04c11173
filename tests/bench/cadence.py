"""Cadence from 40 to 260 steps a minute, forward and backward, on generated motion."""

import numpy as np

from bench.detectors import OURS
from bench.inputs import Motion, motion, plan_motion
from bench.parallel import available_detectors, run_detectors, run_parallel
from bench.scoring import CADENCE_STEPS, Events, Score
from bench.tables import figure, section, table

CADENCES = tuple(range(40, 261, 20))
PEOPLE = (3, 4)
# People jog above the first cadence and run above the second.
JOG_SPM, RUN_SPM = 130, 165
GAITS = {
    "forward": (motion.Walk, motion.Jog, motion.Run),
    "backward": (motion.BackwardWalk, motion.BackwardJog, motion.BackwardRun),
}
SLOW = ("mobgap Ionescu",)


def run() -> None:
    """One table per direction: error of the reported cadence and of the count, beside the count of the other detectors."""
    detectors, sentences = available_detectors()
    names = [d.name for d in detectors if d.name not in SLOW]
    section(
        "Cadence from 40 to 260",
        f"Generated motion, {len(PEOPLE)} people, 24 to 40 s each between two stands. Median and p95: error of each cadence against "
        "the last six true steps. Count, and the other detectors by their first word: count error in per cent of the true steps.",
        *sentences,
    )
    for direction in GAITS:
        made = run_parallel(_walk, [(direction, spm, seed) for spm in CADENCES for seed in PEOPLE])
        found: list[dict[str, Events]] = run_parallel(run_detectors, [(m.recording, names) for m in made])
        rows = []
        for k, spm in enumerate(CADENCES):
            scores = {name: Score() for name in names}
            mine = list(zip(made, found, strict=True))[k * len(PEOPLE) : (k + 1) * len(PEOPLE)]
            for motion_, events in mine:
                for name in names:
                    scores[name].add(motion_.truth, events[name] or [])
            errors = [e for motion_, events in mine for e in _errors(motion_.truth.steps_s, events[OURS] or [])]
            ours = scores[OURS].row()
            rows.append(
                [
                    f"{direction} {spm}",
                    int(ours["steps"]),
                    figure(float(np.median(errors)), 2, None, 1.0),
                    figure(float(np.percentile(errors, 95)), 1),
                    figure(ours["F1"], 3, 0.98),
                    *(figure(scores[name].row()["count_pct"], 1, None, 1.0 if name == OURS else None) for name in names),
                ]
            )
        table("", ("steps a minute", "steps", "median %", "p95 %", "F1", *(f"{_short(name)} %" for name in names)), rows)


def _short(name: str) -> str:
    return "count" if name == OURS else name.split(",")[0].split()[0]


def _walk(direction: str, spm: int, seed: int) -> Motion:
    walk, jog, run_ = GAITS[direction]
    gait = walk if spm < JOG_SPM else jog if spm < RUN_SPM else run_
    return plan_motion([motion.Stand(3), gait(float(np.clip(2400 / spm, 24, 40)), float(spm)), motion.Stand(3)], seed)


def _errors(true: np.ndarray, events: Events) -> list[float]:
    """Per cent, for every cadence reported while walking: there were six steps, and the next is not overdue."""
    errors = []
    for event in events:
        if event["event"] != "cadence":
            continue
        before = true[true <= event["at"]][-CADENCE_STEPS:]
        if len(before) < CADENCE_STEPS:
            continue
        interval = (before[-1] - before[0]) / (CADENCE_STEPS - 1)
        if event["at"] - before[-1] < 1.2 * interval:
            errors.append(abs(event["spm"] * interval / 60 - 1) * 100)
    return errors
