"""Running that is not a straight line: shuttle runs, cuts, back-pedalling, shuffles, stumbles and pushes, generated."""

from typing import Any

from synthetic.field import PLANS

from bench.detectors import OURS
from bench.inputs import Motion, generated
from bench.parallel import run_detectors, run_parallel
from bench.scoring import Events, Score
from bench.tables import figure, section, table

PEOPLE = ((1, "left"), (2, "right"), (3, "left"))
LEAST_F1, MOST_COUNT_PCT, LEAST_DIRECTION_PCT = 0.95, 3.0, 99.0


def run() -> None:
    """A row a plan."""
    tasks = [(plan, seed, side) for plan in PLANS for seed, side in PEOPLE]
    made: list[Motion] = run_parallel(generated, tasks)
    reported: list[dict[str, Events]] = run_parallel(run_detectors, [(motion.recording, [OURS]) for motion in made])
    section(
        "Running that turns, shuffles and is pushed",
        "Generated. Every step counts, sideways ones too; direction is judged where it is forward or backward, from 1.5 s after a change.",
    )
    rows: list[list[Any]] = []
    for plan, (what, _) in PLANS.items():
        score = Score()
        for task, motion, events in zip(tasks, made, reported, strict=True):
            if task[0] == plan:
                score.add(motion.truth, events[OURS])
        row = score.row()
        rows.append(
            [
                what,
                row["steps"],
                figure(row["F1"], 3, LEAST_F1),
                figure(row["count_pct"], 1, None, MOST_COUNT_PCT),
                figure(row["bias_pct"], 1),
                figure(row.get("dir_ok_pct"), 1, LEAST_DIRECTION_PCT),
                figure(row.get("wrong_forward_pct"), 1, None, 0.0),
                figure(row.get("wrong_backward_pct"), 1),
                figure(row.get("switch_s"), 2),
                figure(row.get("cadence_pct"), 1),
            ]
        )
    table("", ("", "steps", "F1", "count %", "bias %", "dir %", "f→b %", "b→f %", "switch s", "cadence %"), rows)
