"""Draws the pictures of firmware/GAIT.md as SVG. The same engine gives the same bytes."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import matplotlib
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from retrostep_core.code_names import SEVERITY_NAMES
from retrostep_core.codes import STOP, WARN
from retrostep_core.gait import direction as evidence

from pictures import facts
from pictures.engine_run import SEED

INK, SOFT, GRID = "#1f2328", "#57606a", "#d8dee4"
# Blue and orange differ for every kind of colour vision. Shapes and words carry the same information.
BLUE, ORANGE, GREY, WHITE = "#0072b2", "#c85200", "#6e7781", "#ffffff"
COLOURS = {"forward": BLUE, "backward": ORANGE, "still": GREY, "unknown": WHITE}
SOURCE = f"Synthetic: generated motion (boards/VIRTUAL/motion.py, seed {SEED}) and the events of the engine."
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "retrostep",
    "path.simplify_threshold": 0.5,
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "text.color": INK,
    "figure.facecolor": "#fdfdfc",
    "axes.facecolor": "#fdfdfc",
    "legend.frameon": False,
}


def strides() -> Figure:
    """Four panels: walking and running, forward and backward."""
    figure, axes = pyplot.subplots(2, 2, figsize=(11.5, 8))
    for axis, stride in zip(axes.flat, facts.strides(), strict=True):
        colour = COLOURS[stride.direction]
        most = 450 if stride.gait == "Walking" else 700
        axis.plot(*zip(*stride.curve, strict=True), color=INK)
        for swing in stride.swings:
            t, gyro = zip(*swing, strict=True)
            axis.fill_between(t, gyro, color=colour, alpha=0.45, linewidth=0)
        for t, own in stride.contacts:
            axis.axvline(t, color=GREY, linewidth=0.6, linestyle=":")
            _mark(axis, t, -0.84 * most, "v", INK, own)
        for t, own in stride.credited:
            _mark(axis, t, -0.96 * most, "o", colour, own)
        axis.set_title(f"{stride.gait} {stride.direction}: skew {stride.skew:+.1f}".replace("-", "−"), loc="left", color=colour)
        axis.set(xlim=(stride.from_s, stride.to_s), ylim=(-1.04 * most, most))
        axis.set_ylabel("degrees per second")
        axis.set_xticks([])
        axis.plot([stride.to_s - 0.5, stride.to_s], [0.93 * most] * 2, color=INK, linewidth=2)
        axis.annotate("0.5 s", (stride.to_s - 0.25, 0.86 * most), ha="center", va="top", color=SOFT)
    _legend(figure, ("swing", "worn foot lands", "other foot lands", "step of the worn foot", "step of the other foot"), INK)
    return figure


def directions() -> Figure:
    """True direction, evidence, and the direction as reported and as logged."""
    shown = facts.directions()
    rows = {"height_ratios": (1, 6, 1.2, 1)}
    figure, (true, plot, reported, logged) = pyplot.subplots(4, 1, figsize=(11.5, 6.4), sharex=True, gridspec_kw=rows)
    rows_of_spans = ((true, shown.run.truth_directions, "true"), (reported, shown.reported, "reported"), (logged, shown.logged, "logged"))
    for axis, spans, label in rows_of_spans:
        for from_s, to_s, name in spans:
            axis.barh(0, to_s - from_s, left=from_s, height=1, color=COLOURS[name], edgecolor=GREY if name == "unknown" else WHITE)
            if to_s - from_s > 2:
                axis.annotate(name, ((from_s + to_s) / 2, 0), ha="center", va="center", color=INK if name == "unknown" else WHITE)
        axis.set(yticks=[0], yticklabels=[label], ylim=(-0.5, 0.5))
        axis.grid(False)
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
    course = list(zip(shown.run.t_s, shown.run.evidence, strict=True))
    changes = [course[0], *(b for a, b in pairwise(course) if a[1] != b[1]), (shown.end_s, course[-1][1])]
    plot.step(*zip(*changes, strict=True), where="post", color=INK)
    for limit, text, va in ((evidence._TURN_LEAST, "above: forward", "bottom"), (-evidence._TURN_LEAST, "below: backward", "top")):
        plot.axhline(limit, color=SOFT, linestyle="--", linewidth=0.8)
        plot.annotate(text, (0.3, limit), va=va, color=SOFT)
    for at, name, delay_s in shown.decisions:
        plot.axvline(at, color=INK if name == "unknown" else COLOURS[name], linewidth=1.4)
        if delay_s is not None:
            plot.annotate(f" {delay_s:.1f} s late", (at, -180), va="bottom", color=SOFT)
    plot.set(ylabel="evidence", ylim=(-180, 180), yticks=[-160, -80, 0, 80, 160], xlim=(0, shown.end_s))
    logged.set_xlabel("s")
    return figure


def feet() -> Figure:
    """Angular velocity, landings, and lines from the time of each step to the time of its report."""
    shown = facts.feet()
    figure, (plot, steps) = pyplot.subplots(2, 1, figsize=(11.5, 6.2), sharex=True, gridspec_kw={"height_ratios": (3, 2)})
    plot.plot(*zip(*shown.run.between(shown.from_s, shown.to_s), strict=True), color=INK)
    for swing in shown.swings:
        t, gyro = zip(*swing, strict=True)
        plot.fill_between(t, gyro, color=ORANGE, alpha=0.45, linewidth=0)
    plot.set(ylabel="degrees per second", ylim=(-250, 400), yticks=[-200, 0, 200, 400], xlim=(shown.from_s, shown.to_s))
    for t, own, _ in shown.run.truth_steps:
        if t <= shown.to_s:
            plot.axvline(t, color=GREY, linewidth=0.6, linestyle=":")
            _mark(steps, t, 2, "v", INK, own)
    for t, at, own in shown.steps:
        steps.plot([t, at], [1, 0], color=ORANGE, linewidth=1)
        _mark(steps, t, 1, "o", ORANGE, own)
    for at in sorted({at for _, at, _ in shown.steps}):
        steps.plot([at], [0], marker="s", markersize=6, color=ORANGE)
        count = sum(1 for _, other, _ in shown.steps if other == at)
        steps.annotate(f"{count} step{'s' if count > 1 else ''}", (at, -0.25), ha="center", va="top", color=SOFT)
    opens = shown.steps[0][1]
    steps.annotate(f"The gate opens: the first step is reported {shown.gate_s:.1f} s late.", (opens, -0.75), ha="center", va="top")
    steps.set(yticks=[2, 1, 0], yticklabels=["foot lands", "step t", "reported at"], ylim=(-1.3, 2.5), xlabel="s")
    _legend(figure, ("swing", "worn foot lands", "other foot lands", "step of the worn foot", "step of the other foot"), ORANGE)
    return figure


def ramp() -> Figure:
    """Planned and reported cadence, the two limits, and the two alerts."""
    shown = facts.rising_cadence()
    figure, axis = pyplot.subplots(figsize=(11.5, 5.6))
    axis.plot(*zip(*shown.planned, strict=True), color=BLUE, linewidth=3, alpha=0.55, label="cadence as generated")
    axis.step(*zip(*shown.reported, strict=True), where="post", color=ORANGE, label="cadence as reported")
    for severity, style in ((WARN, "--"), (STOP, ":")):
        line = shown.limits[severity]
        axis.plot(*zip(*line, strict=True), color=SOFT, linestyle=style, linewidth=1)
        axis.annotate(f"{SEVERITY_NAMES[severity]} limit", line[2], va="bottom", color=SOFT)
    for severity, marker, y in ((WARN, "v", 144), (STOP, "s", 150)):
        at, delay_s = shown.alerts[severity]
        reported = [spm for t, spm in shown.reported if t <= at][-1]
        axis.plot([at, at], [y, reported], color=ORANGE, linewidth=1)
        axis.plot([at], [y], marker=marker, markersize=10, color=ORANGE)
        axis.annotate(f"   {SEVERITY_NAMES[severity]}, {delay_s:.1f} s after the limit", (at, y), va="center")
    axis.set(xlim=(shown.from_s, shown.to_s), ylim=(135, 200), xlabel="s", ylabel="steps a minute, both feet")
    axis.legend(loc="lower left", ncols=2)
    return figure


def trunk() -> Figure:
    """Four panels: the shapes of steps at the waist, their mean, and what the engine makes of them."""
    figure, axes = pyplot.subplots(1, 4, figsize=(11.5, 4.2))
    for axis, shown in zip(axes.flat, facts.trunk(), strict=True):
        parts = [100 * (k + 0.5) / 8 for k in range(8)]
        for shape in shown.shapes:
            axis.plot(parts, shape, color=GREY, linewidth=0.7, alpha=0.8)
        means = [sum(values) / len(values) for values in zip(*shown.shapes, strict=True)]
        axis.plot(parts, means, color=BLUE if shown.counted else ORANGE, linewidth=2.4)
        axis.set_title(f"{shown.name}: {shown.counted} steps", loc="left", color=BLUE if shown.counted else ORANGE)
        axis.set(xlim=(0, 100), xlabel=f"% of a step\nrepeated {shown.repeated:.2f}, across {shown.across:.1f}")
    axes[0].set_ylabel("vertical force without gravity, g")
    return figure


def mount() -> Figure:
    """What shows front and back over the first strides, for a device worn as declared and one turned by half a turn."""
    figure, axis = pyplot.subplots(figsize=(11.5, 5))
    for shown in facts.fronts():
        colour = COLOURS[shown.direction]
        axis.plot(*zip(*shown.course, strict=True), color=colour, linestyle="--" if shown.is_turned else "-")
        axis.plot(*shown.course[-1], marker="s" if shown.is_turned else "o", markersize=9, color=colour)
        worn = "turned by half a turn" if shown.is_turned else "as declared"
        text = f"   walking {shown.direction}, {worn}: found at {shown.found_s:.1f} s"
        is_above = shown.is_turned == (shown.direction == "forward")
        axis.annotate(text, shown.course[-1], va="bottom" if is_above else "top", color=colour)
    for limit, text, va in ((0.25, "above: front is in front", "bottom"), (-0.25, "below: front is behind", "top")):
        axis.axhline(limit, color=SOFT, linestyle="--", linewidth=0.8)
        axis.annotate(text, (2.05, limit), va=va, color=SOFT)
    axis.set(xlim=(2, 11), ylim=(-3.2, 3.2), xlabel="s; the walk begins at 2 s", ylabel="front: sum of four measures")
    return figure


def _mark(axis: Axes, x: float, y: float, marker: str, colour: str, filled: bool) -> None:
    """A marker of one foot: filled for the worn foot, open for the other."""
    axis.plot([x], [y], marker=marker, markersize=7, color=colour, markerfacecolor=colour if filled else WHITE, clip_on=False)


def _legend(figure: Figure, labels: tuple[str, ...], colour: str) -> None:
    """Explain swings, landings and steps below the plots."""
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=GREY if colour == INK else colour, alpha=0.45, linewidth=0)]
    for marker, of_mark, filled in (("v", INK, True), ("v", INK, False), ("o", colour, True), ("o", colour, False)):
        face = of_mark if filled else WHITE
        handles.append(pyplot.Line2D([], [], marker=marker, color=of_mark, markerfacecolor=face, linestyle="", markersize=7))
    figure.legend(handles, labels, loc="lower center", ncols=5, bbox_to_anchor=(0.5, 0.03))


# File name, title for readers of the SVG, drawing, and whether a legend stands below the plots.
PICTURES: dict[str, tuple[str, Callable[[], Figure], bool]] = {
    "strides": ("Sagittal angular velocity of the worn shank over one stride: walking and running, both directions", strides, True),
    "direction": ("Evidence for the direction and the decisions of the engine: a walk, a walk backward, a run backward", directions, False),
    "feet": ("Steps of both feet from one shank, at the start of a backward walk", feet, True),
    "mount": ("Which way a device is worn: four measures of the first strides, worn as declared and turned by half a turn", mount, False),
    "trunk": ("Vertical force of steps at the waist, and of an elliptical trainer and a bus", trunk, False),
    "ramp": ("Backward cadence that rises by 20 % in 10 s, the two limits, and the alerts", ramp, False),
}


def draw(folder: Path) -> list[Path]:
    """Draw all pictures into `folder`; returns their paths."""
    matplotlib.use("Agg")
    paths = []
    with pyplot.rc_context(STYLE):
        for name, (title, picture, has_legend) in PICTURES.items():
            figure = picture()
            figure.tight_layout(rect=(0, 0.09 if has_legend else 0.04, 1, 1))
            figure.text(0.012, 0.012, SOURCE, color=SOFT, size=9)
            paths.append(folder / f"{name}.svg")
            figure.savefig(paths[-1], metadata={"Title": title, "Date": None, "Creator": None})
            pyplot.close(figure)
    return paths
