"""Robustness against one nuisance at a time: a table, and the same figures as curves in build/bench/robustness.png."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.detectors import OURS
from bench.inputs import BUILD, RATE_HZ, Motion, body, motion, plan_motion, recording
from bench.parallel import available_detectors, run_detectors, run_parallel
from bench.scoring import Events, Score
from bench.tables import console, figure, section, table

PEOPLE = (5, 6)
OTHERS = ("baseline, 40 lines", "Analog Devices 2010", "band-pass, find_peaks")
PICTURE = BUILD / "robustness.png"
DPS_OF_G = 200.0
"""Noise of the angular velocity for each g of noise of the acceleration."""


@dataclass(frozen=True)
class Sweep:
    """One nuisance: its values, and how to make a recording with it."""

    name: str
    unit: str
    values: tuple[float, ...]
    make: Callable[[float, int], Motion]


def plan() -> list[motion.Segment]:
    """Every gait in both directions, 10 to 12 s each."""
    gaits = (motion.Walk, motion.BackwardWalk, motion.Jog, motion.BackwardJog, motion.Run, motion.BackwardRun)
    return [s for gait in gaits for s in (motion.Stand(3), gait(11))] + [motion.Stand(3)]


def straight(seed: int, **changes: Any) -> Motion:
    """The plan with the sensor exactly in its mount, with `changes` of motion.Wear."""
    return plan_motion(plan(), seed, motion.Wear(tilt_deg=(0.0, 0.0, 0.0), bias_dps=(0.5, -0.5, 0.5), **changes))


def turned(axis: int) -> Callable[[float, int], Motion]:
    """The sensor turned about a body axis by degrees."""

    def make(degrees: float, seed: int) -> Motion:
        base = straight(seed)
        t_s, samples = body(base.recording)
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        j, k = (axis + 1) % 3, (axis + 2) % 3
        out = samples.copy()
        for half in (0, 3):
            out[:, half + j] = c * samples[:, half + j] + s * samples[:, half + k]
            out[:, half + k] = c * samples[:, half + k] - s * samples[:, half + j]
        return replace(base, recording=recording(base.recording.name, t_s, out))

    return make


def noisy(noise_g: float, seed: int) -> Motion:
    """White noise on every sample."""
    base = straight(seed)
    t_s, samples = body(base.recording)
    r = np.random.default_rng(seed)
    size = np.array([noise_g] * 3 + [noise_g * DPS_OF_G] * 3)
    return replace(base, recording=recording(base.recording.name, t_s, samples + r.normal(0, 1, samples.shape) * size))


def hit(times: float, seed: int) -> Motion:
    """Impacts multiplied by `times`."""
    return straight(seed, impact=times)


def strapped(hz: float, seed: int) -> Motion:
    """A strap that rings at this frequency."""
    return straight(seed, strap_hz=hz)


def clocked(percent: float, seed: int) -> Motion:
    """An error of the sensor's oscillator; the time stamps are exact, as those of the board."""
    wear = motion.Wear(tilt_deg=(0.0, 0.0, 0.0), bias_dps=(0.5, -0.5, 0.5))
    return plan_motion(plan(), seed, wear, RATE_HZ * (1 + percent / 100))


def dropped(percent: float, seed: int) -> Motion:
    """Single samples lost at random."""
    base = straight(seed)
    t_s, samples = body(base.recording)
    keep = np.random.default_rng(seed).random(len(t_s)) >= percent / 100
    return replace(base, recording=recording(base.recording.name, t_s[keep], samples[keep]))


def outages(per_min: float, seed: int) -> Motion:
    """Outages of 0.3 s, `per_min` a minute."""
    base = straight(seed)
    t_s, samples = body(base.recording)
    keep = np.ones(len(t_s), bool)
    length = int(0.3 * RATE_HZ)
    for start in np.random.default_rng(seed).integers(0, len(t_s) - length, round(per_min * t_s[-1] / 60)):
        keep[start : start + length] = False
    return replace(base, recording=recording(base.recording.name, t_s[keep], samples[keep]))


SWEEPS = (
    Sweep("turned about the leg", "degrees", (0, 5, 10, 15, 20, 25, 30), turned(2)),
    Sweep("tipped forward", "degrees", (0, 5, 10, 15, 20, 25, 30), turned(1)),
    Sweep("noise, and 200 dps a g", "g rms", (0, 0.02, 0.05, 0.1, 0.2, 0.3), noisy),
    Sweep("impacts", "x usual", (0.25, 0.5, 1, 2, 3, 4), hit),
    Sweep("strap resonance", "Hz", (5, 7.5, 10, 15, 20, 30), strapped),
    Sweep("oscillator off", "%", (-7, -4, -2, 0, 2, 4, 7), clocked),
    Sweep("single samples lost", "%", (0, 1, 2, 5, 10, 20), dropped),
    Sweep("0.3 s lost", "times a minute", (0, 2, 5, 10, 20), outages),
)


def run() -> None:
    """All sweeps, the table, the picture."""
    detectors, _ = available_detectors()
    names = [d.name for d in detectors if d.name in (OURS, *OTHERS)]
    section(
        "Robustness",
        f"Generated motion, {len(PEOPLE)} people, every gait in both directions; one nuisance at a time. F1 of steps; the engine's "
        "direction in per cent of labelled time.",
    )
    tasks = [(k, value, seed) for k, sweep in enumerate(SWEEPS) for value in sweep.values for seed in PEOPLE]
    results = dict(zip(tasks, run_parallel(_measure, [(*task, names) for task in tasks]), strict=True))
    curves: list[dict[str, list[dict[str, float]]]] = []
    for k, sweep in enumerate(SWEEPS):
        curve: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for value in sweep.values:
            for name in names:
                score = Score()
                for seed in PEOPLE:
                    truth, events = results[k, value, seed]
                    score.add(truth, events[name])
                curve[name].append(score.row())
        curves.append(curve)
        rows: list[list[object]] = [[name, *(figure(row["F1"], 3) for row in curve[name])] for name in names]
        rows.insert(1, [f"{OURS}, direction %", *(figure(row["dir_ok_pct"], 1) for row in curve[OURS])])
        console.print()
        table("", (f"{sweep.name} ({sweep.unit})", *(f"{value:g}" for value in sweep.values)), rows, bold=[0, 1])
    _draw(curves)


def _measure(k: int, value: float, seed: int, names: list[str]) -> tuple[Any, dict[str, Events]]:
    made = SWEEPS[k].make(value, seed)
    return made.truth, run_detectors(made.recording, names)


def _draw(curves: list[dict[str, list[dict[str, float]]]]) -> None:
    try:
        import matplotlib
    except ImportError:
        console.print("matplotlib is not installed, so the curves are not drawn (`make bench` installs it, with the network).")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    colours = {OURS: "#0b6e4f", OTHERS[0]: "#5b8fd6", OTHERS[1]: "#c98a2b", OTHERS[2]: "#9a9a9a"}
    figure_, axes = pyplot.subplots(2, 4, figsize=(16, 7.6), sharey=True)
    for axis, sweep, curve in zip(axes.flat, SWEEPS, curves, strict=True):
        for name in reversed(list(curve)):
            ours = name == OURS
            f1 = [100 * row["F1"] for row in curve[name]]
            width, size = (2.6, 5) if ours else (1.4, 3)
            axis.plot(sweep.values, f1, color=colours[name], lw=width, marker="o", ms=size, label=f"{name}: steps, F1")
        direction = [row["dir_ok_pct"] for row in curve[OURS]]
        axis.plot(sweep.values, direction, color="#c0392b", lw=2, ls="--", marker="s", ms=4, label=f"{OURS}: direction")
        axis.set_title(sweep.name, fontsize=12)
        axis.set_xlabel(sweep.unit)
        axis.set_ylim(40, 103)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("per cent")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure_.legend(handles[::-1], labels[::-1], loc="lower center", ncols=5, frameon=False, fontsize=11)
    figure_.suptitle("Robustness of steps and direction, on generated motion", fontsize=14)
    figure_.tight_layout(rect=(0, 0.05, 1, 1))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure_.savefig(PICTURE, dpi=110)
    pyplot.close(figure_)
    console.print("The curves are drawn in build/bench/robustness.png.")
