"""The table of delays and errors in firmware/GAIT.md, measured on generated motion."""

import math
import statistics
from collections.abc import Sequence

from motion import PLANS, BackwardJog, BackwardRun, BackwardWalk, Jog, Ramp, Run, Stand, Walk
from retrostep_core.codes import STOP
from retrostep_core.gait.limits import Limits

from pictures.engine_run import EngineRun, run_engine

PEOPLE = tuple((seed, side) for seed in (11, 12, 13) for side in ("left", "right"))
GAITS = (Walk, Jog, Run, BackwardWalk, BackwardJog, BackwardRun)
FROM_STAND_S = 3.0


def table() -> str:
    """The table as Markdown: steady gaits from standing, changes of direction without a pause, and rising cadence."""
    errors: dict[str, list[float]] = {"forward": [], "walking backward": [], "running backward": []}
    late: dict[bool, list[float]] = {True: [], False: []}
    first: list[float] = []
    found: list[float] = []
    cadence_pct: list[float] = []
    true_steps = credited = 0
    for seed, side in PEOPLE:
        for gait in GAITS:
            run = run_engine([Stand(FROM_STAND_S), gait(20), Stand(4)], seed, side)
            true_steps += len(run.truth_steps)
            credited += len(run.steps)
            gate_opens = run.steps[0][1]
            name = run.truth_steps[0][2]
            group = name if name == "forward" else "walking backward" if gait is BackwardWalk else "running backward"
            for t, worn, credited_t, at in run.pairs():
                errors[group].append(1000 * abs(credited_t - t))
                if at > gate_opens:
                    late[worn].append(at - credited_t)
            first.append(gate_opens - run.steps[0][0])
            found += [at - FROM_STAND_S for at, _, direction in run.directions if direction == name][:1]
            cadence_pct += _cadence_errors(run)
    rows = [_row(f"step time `t`, {name}: error", values, "ms", 0) for name, values in errors.items()]
    rows += [
        _row("step of the worn foot: delay of the report (`at` - `t`)", late[True], "s"),
        _row("step of the other foot: delay of the report", late[False], "s"),
        _row("first step of a bout: delay of the report, with the gate", first, "s"),
        _row("direction from standing: delay after the movement starts", found, "s"),
        _row("direction changed without a pause: delay after the change", _switch_delays(), "s"),
        _row("cadence: error", cadence_pct, "%", 1),
        _row("stop alert for a rise of 20 or 30 % in 10 s: delay after the limit of 15 %", _stop_delays(), "s", 1),
    ]
    head = ["| what | median | 90 % within | measured |", "|---|---|---|---|"]
    tail = f"{credited} credited steps, {true_steps} true steps; {len(PEOPLE)} legs (seeds 11 to 13, left and right)."
    return "\n".join([*head, *rows, "", tail])


def _cadence_errors(run: EngineRun) -> list[float]:
    """Per cent, of each reported cadence against the last five true steps, once the gait is steady."""
    truth = [t for t, _, _ in run.truth_steps]
    errors = []
    for at, spm in run.cadences:
        last = [t for t in truth if t <= at][-5:]
        if spm and len(last) == 5 and 8 < at < 20:
            errors.append(100 * abs(spm / (240 / (last[-1] - last[0])) - 1))
    return errors


def _switch_delays() -> list[float]:
    """Seconds from each change of direction to its report; a missed change counts until the next one."""
    delays: list[float] = []
    for seed, side in PEOPLE:
        run = run_engine(PLANS["switches"][1](), seed, side)
        moving = [d for d in run.truth_directions if d[2] != "still"]
        for from_s, to_s, name in moving[1:]:
            reports = [at - from_s for at, _, direction in run.directions if direction == name and from_s - 1 < at < to_s]
            delays.append(reports[0] if reports else to_s - from_s)
    return delays


def _stop_delays() -> list[float]:
    """Seconds from the time that cadence exceeds the stop limit to the alert."""
    start_s, over_s = 16, 10
    delays = []
    for seed, side in PEOPLE:
        for percent in (20, 30):
            plan = [Stand(FROM_STAND_S), BackwardRun(36, 140, [Ramp(start_s, percent, over_s)]), Stand(3)]
            run = run_engine(plan, seed, side)
            at = next((at for at, severity in run.ramps if severity == STOP), math.inf)
            delays.append(at - (FROM_STAND_S + start_s + over_s * Limits().ramp_stop_x10 / 10 / percent))
    return delays


def _row(what: str, values: Sequence[float], unit: str, digits: int = 2) -> str:
    values = sorted(values)
    p90 = values[min(len(values) - 1, int(0.9 * len(values)))]
    return f"| {what} | {statistics.median(values):.{digits}f} {unit} | {p90:.{digits}f} {unit} | {len(values)} |"
