#!/usr/bin/env python3
"""The pictures of firmware/GAIT.md, from generated motion (synthetic) and what the engine says about it, and the page's figures.

    pictures.py [FOLDER]      draw them (default firmware/pictures); the same engine gives the same bytes
    pictures.py --figures     print the page's table, measured on generated motion
"""

import argparse
import math
import statistics
import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from chart import BLUE, GREY, INK, ORANGE, SOFT, Plot, Sheet
from retrostep.replay.imu import blocks
from retrostep.replay.recording import Recording
from retrostep_core.gait import direction as evidence
from retrostep_core.gait.codes import DIRECTION_NAMES, RAMP, SEVERITY_NAMES, STOP, WARN
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "boards" / "VIRTUAL"))

from motion import PLANS, BackwardJog, BackwardRun, BackwardWalk, Jog, Ramp, Run, Segment, Stand, Walk, Wear, generate  # noqa: E402

SEED = 5
COLOURS = {"forward": BLUE, "backward": ORANGE, "still": GREY, "unknown": "#fff"}
SOURCE = f"Generated motion (synthetic: boards/VIRTUAL/motion.py, seed {SEED}), and what the engine said about it."
NEAR_S = 0.25
"""A credited step belongs to a true one no farther away than this."""


@dataclass
class Seen:
    """Generated motion and what the engine says about it; seconds."""

    t_s: list[float] = field(default_factory=list)
    rate_dps: list[float] = field(default_factory=list)
    evidence: list[float] = field(default_factory=list)
    truth_steps: list[tuple[float, bool, str]] = field(default_factory=list)
    """(t, of the worn foot, direction)"""
    truth_directions: list[tuple[float, float, str]] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    """(t, at)"""
    directions: list[tuple[float, float, str]] = field(default_factory=list)
    """(at, since, direction)"""
    cadences: list[tuple[float, float]] = field(default_factory=list)
    """(at, steps a minute)"""
    ramps: list[tuple[float, int]] = field(default_factory=list)
    """(at, severity)"""

    def step(self, t_ms: int, at_ms: int, direction: int) -> None:
        self.steps.append((t_ms / 1000, at_ms / 1000))

    def direction(self, at_ms: int, since_ms: int, direction: int) -> None:
        self.directions.append((at_ms / 1000, since_ms / 1000, DIRECTION_NAMES[direction]))

    def cadence(self, at_ms: int, spm_x10: int) -> None:
        self.cadences.append((at_ms / 1000, spm_x10 / 10))

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> None:
        if kind == RAMP:
            self.ramps.append((at_ms / 1000, severity))

    def gap(self, from_ms: int, to_ms: int) -> None:
        raise ValueError("generated motion has no gaps")

    def pairs(self) -> list[tuple[float, bool, float, float]]:
        """(true t, of the worn foot, credited t, at) of every step that was found."""
        found = []
        for t, worn, _ in self.truth_steps:
            best = min(self.steps, key=lambda step: abs(step[0] - t), default=(math.inf, 0.0))
            if abs(best[0] - t) <= NEAR_S:
                found.append((t, worn, *best))
        return found

    def between(self, from_s: float, to_s: float) -> list[tuple[float, float]]:
        """The sagittal rate's curve."""
        return [(t, rate) for t, rate in zip(self.t_s, self.rate_dps, strict=True) if from_s <= t <= to_s]

    def swing(self, end_s: float, backward: bool) -> list[tuple[float, float]]:
        """The lobe of the rate that ends with the worn foot's step: negative forward, positive backward."""
        sign = 1 if backward else -1
        rate = self.rate_dps
        smooth = [sum(rate[max(0, k - 2) : k + 3]) * sign for k in range(len(rate))]
        last = min(bisect_right(self.t_s, end_s + 0.03), len(rate)) - 1
        while smooth[last] <= 0:
            last -= 1
        first = last
        while smooth[first - 1] > 0:
            first -= 1
        return [(self.t_s[k], rate[k]) for k in range(first, last + 1)]


def watch(plan: Sequence[Segment], seed: int = SEED, side: str = "left") -> Seen:
    """Generate the plan's motion and let the engine see it, as the board's sensor would measure it."""
    made = generate(plan, seed, Wear(side=side))
    columns = [array("d", column) for column in zip(*made.samples, strict=True)]
    recording = Recording("generated", t_s=array("d", [k / made.rate_hz for k in range(len(made.samples))]), values=columns)
    seen = Seen()
    names = [(float(d["from"]), float(d["to"]), str(d["direction"])) for d in made.truth.directions]  # type: ignore[arg-type]
    seen.truth_directions = names
    seen.truth_steps = [(float(s["t"]), s["foot"] == side, str(s["direction"])) for s in made.truth.steps]  # type: ignore[arg-type]
    engine = Engine(seen, Limits())
    at_ms = 0
    for block in blocks(recording):
        for i in range(block.n):
            at_ms = block.t0_ms + i * block.period_us // 1000
            engine.samples(block.samples[6 * i : 6 * i + 6], 1, at_ms, block.period_us)
            seen.t_s.append(at_ms / 1000)
            seen.rate_dps.append(block.samples[6 * i + 4] / 10)
            seen.evidence.append(engine._steps._direction.evidence)
    engine.finish(at_ms)
    return seen


def skewness(values: Sequence[float]) -> float:
    """Third moment over the standard deviation's cube."""
    mean, deviation = statistics.fmean(values), statistics.pstdev(values)
    return statistics.fmean(((v - mean) / deviation) ** 3 for v in values)


def legend(sheet: Sheet, y: float, *entries: tuple[str, str, bool, str]) -> None:
    """A line that explains the marks: (shape, words, whether it is filled, colour)."""
    x = 24.0
    for shape, words, filled, colour in entries:
        if shape == "lobe":
            sheet.box(x - 8, y - 11, 16, 12, "key", fill=colour, fill_opacity="0.45")
        else:
            (sheet.triangle if shape == "landed" else sheet.disc)((x, y - 5), "key", colour, filled)
        sheet.text((x + 13, y), words, "small")
        x += 36 + 6.7 * len(words)


def strides() -> Sheet:
    """One stride forward and one backward, walking and running."""
    sheet = Sheet(860, 632, "Sagittal rate of the worn shank over one stride: walking and running, forward and backward")
    sheet.text((16, 26), "How fast the shank turns, in degrees a second", "small")
    pairs = (("Walking", Walk, BackwardWalk, 450, 200), ("Running", Run, BackwardRun, 700, 300))
    for row, (gait_name, ahead, back, most, tick) in enumerate(pairs):
        for backward, gait in enumerate((ahead, back)):
            seen = watch([Stand(3), gait(14), Stand(3)])
            name = "backward" if backward else "forward"
            found = [pair for pair in seen.pairs() if pair[0] > 9]
            worn = [pair for pair in found if pair[1]]
            stride = worn[2][0] - worn[1][0]
            from_s, to_s = worn[1][0] - 0.78 * stride, worn[2][0] + 0.2 * stride
            plot = Plot(sheet, 72 + 422 * backward, 68 + 260 * row, 340, 150, from_s, to_s, -most, most)
            skew = skewness([rate for _, rate in seen.between(worn[0][0], worn[5][0])])
            sheet.text((plot.left, plot.top - 12), f"{gait_name} {name}", "head", fill=COLOURS[name])
            words = f"skew {skew:+.1f}".replace("-", "−")
            sheet.text((plot.left + plot.width, plot.top - 12), words, "head end skew", fill=COLOURS[name])
            plot.y_axis([-2 * tick, -tick, 0, tick, 2 * tick])
            for pair in worn[1:4]:
                lobe = [point for point in seen.swing(pair[2], bool(backward)) if from_s <= point[0] <= to_s]
                if lobe:
                    plot.area(lobe, COLOURS[name])
            plot.curve(seen.between(from_s, to_s))
            below = plot.top + plot.height
            for t, own, credited, _ in found:
                if from_s <= t <= to_s:
                    sheet.line((plot.x(t), plot.top), (plot.x(t), below + 13), "axis", stroke_dasharray="3 3")
                    sheet.triangle((plot.x(t), below + 19), "landed", INK, own)
                if from_s <= credited <= to_s:
                    sheet.disc((plot.x(credited), below + 42), "credited", COLOURS[name], own)
            if not backward:
                sheet.text((plot.left - 8, below + 24), "lands", "small end")
                sheet.text((plot.left - 8, below + 47), "credited", "small end")
            bar_from = plot.left + plot.width - (plot.x(from_s + 0.5) - plot.left)
            sheet.line((bar_from, below + 60), (plot.left + plot.width, below + 60), "axis", stroke_width="2")
            sheet.text((bar_from - 6, below + 64), "0.5 s", "small end")
    legend(
        sheet,
        588,
        ("lobe", "the worn leg's swing", True, GREY),
        ("landed", "worn foot lands", True, INK),
        ("landed", "other foot lands", False, INK),
        ("credited", "step of the worn foot", True, INK),
        ("credited", "of the other", False, INK),
    )
    sheet.text((16, 614), SOURCE, "small")
    return sheet


def bar(plot: Plot, top: float, spans: Iterable[tuple[float, float, str]], kind: str) -> None:
    """Stretches of one direction each, with their names where there is room."""
    for from_s, to_s, name in spans:
        left, width = plot.x(from_s), plot.x(to_s) - plot.x(from_s)
        stroke = GREY if name == "unknown" else "#fff"
        plot.sheet.box(left, top, width, 24, kind, fill=COLOURS[name], stroke=stroke)
        if width > 8 * len(name) + 6:
            words = "" if name == "unknown" else "on"
            plot.sheet.text((left + width / 2, top + 17), name, f"mid {words}".strip())


def spans(changes: Sequence[tuple[float, str]], until: float) -> list[tuple[float, float, str]]:
    """(from, to, name) of what held from each change to the next."""
    ends = [t for t, _ in changes[1:]] + [until]
    return [(t, end, name) for (t, name), end in zip(changes, ends, strict=True) if end > t]


def directions() -> Sheet:
    """Evidence and decisions over a walk, a stand, a walk backward and a run backward."""
    seen = watch([Stand(2), Walk(8), Stand(5), BackwardWalk(8), BackwardRun(8), Stand(4)])
    end = seen.t_s[-1]
    sheet = Sheet(860, 470, "Evidence for the direction, and what the engine decided, over a walk forward, a walk and a run backward")
    plot = Plot(sheet, 96, 96, 740, 200, 0, end, -180, 180)
    sheet.text((plot.left - 8, 41), "true", "small end")
    bar(plot, 24, seen.truth_directions, "truth")
    for from_s, words in ((15, "walks"), (23, "runs")):
        sheet.line((plot.x(from_s) + 5, 54), (plot.x(from_s + 8) - 5, 54), "axis")
        sheet.text((plot.x(from_s + 4), 69), words, "small mid")
    sheet.text((plot.left, 86), "evidence", "bold")
    plot.y_axis([-160, -80, 0, 80, 160])
    least = evidence._DECIDE
    for limit in (least, -least):
        sheet.line((plot.left, plot.y(limit)), (plot.left + plot.width, plot.y(limit)), "limit", stroke=SOFT, stroke_dasharray="6 4")
    sheet.text((plot.x(22), plot.y(least) - 6), "above: forward", "small mid")
    sheet.text((plot.x(7), plot.y(-least) + 17), "below: backward", "small mid")
    course = list(zip(seen.t_s, seen.evidence, strict=True))
    changes = [course[0], *(b for a, b in pairwise(course) if a[1] != b[1])]
    plot.stairs(changes, end)
    told = spans([(0.0, "unknown"), *((at, name) for at, _, name in seen.directions)], end)
    kept = spans([(0.0, "unknown"), *((since, name) for _, since, name in seen.directions)], end)
    bars = ((plot.top + plot.height + 28, told, "told", "told then"), (plot.top + plot.height + 82, kept, "kept", "in the log"))
    for top, stretches, kind, words in bars:
        sheet.text((plot.left - 8, top + 17), words, "small end")
        bar(plot, top, stretches, kind)
    starts = [(t, name) for t, _, name in seen.truth_directions]
    for at, _, name in seen.directions:
        began = [t for t, true in starts if true == name and 0 < t <= at]
        x = plot.x(at)
        sheet.line((x, plot.top), (x, bars[0][0]), "decision", stroke=COLOURS[name] if name != "unknown" else INK, stroke_width="2")
        if began:
            words = f"{at - began[-1]:.1f} s late"
            if x > plot.left + plot.width - 70:
                sheet.text((plot.left + plot.width, bars[0][0] + 41), words, "small end lateness")
            else:
                sheet.text((x, bars[0][0] + 41), words, "small lateness")
    low = bars[1][0] + 24
    for t in range(0, int(end) + 1, 5):
        sheet.line((plot.x(t), low), (plot.x(t), low + 4), "axis")
        sheet.text((plot.x(t), low + 19), f"{t}" + (" s" if t + 5 > end else ""), "small mid")
    sheet.text((16, 456), SOURCE, "small")
    return sheet


def feet() -> Sheet:
    """The first strides of a backward walk: when each foot lands, which step is credited, and when."""
    seen = watch([Stand(3), BackwardWalk(9), Stand(3)])
    from_s, to_s = 2.6, 8.2
    sheet = Sheet(860, 476, "Steps of both feet from one shank, at the start of a backward walk")
    plot = Plot(sheet, 96, 40, 740, 150, from_s, to_s, -250, 400)
    sheet.text((plot.left, 26), "rate of the worn shank, degrees a second", "bold")
    plot.y_axis([-200, 0, 200, 400])
    found = [pair for pair in seen.pairs() if pair[2] <= to_s]
    for _, own, credited, _ in found:
        if own:
            plot.area(seen.swing(credited, True), ORANGE)
    plot.curve(seen.between(from_s, to_s))
    landed_y, credited_y, told_y = 228.0, 272.0, 352.0
    for y, words in ((landed_y, "lands"), (credited_y, "step t"), (told_y, "told at")):
        sheet.text((plot.left - 10, y + 5), words, "small end")
        sheet.line((plot.left, y), (plot.left + plot.width, y))
    for t, own, _ in seen.truth_steps:
        if t <= to_s:
            sheet.line((plot.x(t), plot.top), (plot.x(t), landed_y), "axis", stroke_dasharray="3 3")
            sheet.triangle((plot.x(t), landed_y), "landed", INK, own)
    own_of = {credited: own for _, own, credited, _ in found}
    told = [(t, at) for t, at in seen.steps if at <= to_s]
    for t, at in told:
        sheet.line((plot.x(t), credited_y), (plot.x(at), told_y), "late", stroke=ORANGE, stroke_width="1.4")
    for t, _ in told:
        sheet.disc((plot.x(t), credited_y), "credited", ORANGE, own_of.get(t, False))
    for at in sorted({at for _, at in told}):
        sheet.box(plot.x(at) - 4, told_y - 4, 8, 8, "told", fill=ORANGE)
        together = sum(1 for _, other in told if other == at)
        sheet.text((plot.x(at), told_y + 21), f"{together} step{'s' if together > 1 else ''}", "small mid")
    first_t, first_at = told[0]
    words = f"the gate opens: the first step is told {first_at - first_t:.1f} s after it was made"
    sheet.text((plot.x(first_at), told_y + 42), words, "gate mid" if plot.x(first_at) > 330 else "gate")
    legend(
        sheet,
        432,
        ("lobe", "swing", True, ORANGE),
        ("landed", "worn foot lands", True, INK),
        ("landed", "other foot", False, INK),
        ("credited", "step of the worn foot", True, ORANGE),
        ("credited", "of the other, at mid-stride", False, ORANGE),
    )
    sheet.text((16, 458), SOURCE, "small")
    return sheet


def ramp() -> Sheet:
    """A backward run whose cadence rises too fast."""
    start_s, rise = 3.0, Ramp(at_s=14, percent=20, over_s=10)
    segment = BackwardRun(34, 150, [rise])
    seen = watch([Stand(start_s), segment, Stand(3)])
    limits = Limits()
    from_s, to_s = 3.0, 38.0
    sheet = Sheet(860, 440, "Backward cadence that rises by 20 % in 10 s, the ramp's two limits and what the engine said")
    plot = Plot(sheet, 66, 52, 770, 280, from_s, to_s, 135, 200)
    sheet.text((14, 26), "steps a minute, both feet", "small")
    plot.y_axis([140, 150, 160, 170, 180, 190, 200], "{:g}")
    plot.x_axis(range(5, 40, 5), "s")

    def planned(t_s: float) -> float:
        return segment.cadence(t_s - start_s)

    def allowed(t_s: float, limit_x10: int) -> float:
        lowest = planned(max(start_s, t_s - limits.ramp_window_s))
        return lowest * (1 + limit_x10 / 1000)

    def said_at(t_s: float) -> float:
        return [spm for at, spm in seen.cadences if at <= t_s][-1]

    times = [start_s + k / 10 for k in range(int(10 * segment.seconds) + 1)]
    names = ((WARN, limits.ramp_warn_x10, "9 5"), (STOP, limits.ramp_stop_x10, "2 4"))
    for severity, limit, dash in names:
        line = [(t, allowed(t, limit)) for t in times if allowed(t, limit) <= plot.y_to]
        plot.curve(line, "curve limit", stroke=SOFT, stroke_dasharray=dash)
        words = f"{SEVERITY_NAMES[severity]}: +{limit / 10:g} % on the lowest of the last {limits.ramp_window_s} s"
        sheet.text((plot.x(from_s) + 8, plot.y(allowed(start_s, limit)) - 6), words, "small")
    plot.curve([(t, planned(t)) for t in times], "curve planned", stroke=BLUE, stroke_width="3", stroke_opacity="0.55")
    plot.stairs([c for c in seen.cadences if c[1]], start_s + segment.seconds, "curve said", stroke=ORANGE)
    for severity, limit, _ in names:
        at = next(at for at, said in seen.ramps if said == severity)
        passed = next(t for t in times if planned(t) >= allowed(t, limit))
        x = plot.x(at)
        words = f"{SEVERITY_NAMES[severity]}, {at - passed:.1f} s after the limit"
        if severity == WARN:
            y = plot.y(144)
            sheet.line((x, plot.y(said_at(at))), (x, y), "leader", stroke=ORANGE)
            sheet.triangle((x, y), "alert warn", ORANGE, True, 8)
        else:
            y = plot.y(151)
            sheet.line((x, plot.y(said_at(at))), (x, y), "leader", stroke=ORANGE)
            sheet.box(x - 8, y - 8, 16, 16, "alert stop", fill=ORANGE, stroke="#fff")
        sheet.text((x + 16, y + 5), words, "bold lateness")
    for x, colour, words in ((66, BLUE, "cadence as generated"), (280, ORANGE, "cadence as the engine says it")):
        sheet.line((x, 384), (x + 26, 384), "key", stroke=colour, stroke_width="3")
        sheet.text((x + 34, 389), words, "small")
    sheet.text((16, 422), SOURCE, "small")
    return sheet


DRAWN: dict[str, Callable[[], Sheet]] = {"strides": strides, "direction": directions, "feet": feet, "ramp": ramp}

PEOPLE = tuple((seed, side) for seed in (11, 12, 13) for side in ("left", "right"))
GAITS = (Walk, Jog, Run, BackwardWalk, BackwardJog, BackwardRun)


def _row(what: str, values: Sequence[float], unit: str, digits: int = 2) -> None:
    values = sorted(values)
    p90 = values[min(len(values) - 1, int(0.9 * len(values)))]
    print(f"| {what} | {statistics.median(values):.{digits}f} {unit} | {p90:.{digits}f} {unit} | {len(values)} |")


def figures() -> None:
    """How late and how far off: steady gaits from standing, switches without a pause, cadences made to rise."""
    errors: dict[str, list[float]] = {"forward": [], "walking backward": [], "running backward": []}
    late: dict[bool, list[float]] = {True: [], False: []}
    paid_back: list[float] = []
    begun: list[float] = []
    off_pct: list[float] = []
    true_steps = credited = 0
    for seed, side in PEOPLE:
        for gait in GAITS:
            seen = watch([Stand(3), gait(20), Stand(4)], seed, side)
            true_steps += len(seen.truth_steps)
            credited += len(seen.steps)
            found = seen.pairs()
            opened = seen.steps[0][1]
            name = seen.truth_steps[0][2]
            gait_name = name if name == "forward" else "walking backward" if gait is BackwardWalk else "running backward"
            for t, worn, credited_t, at in found:
                errors[gait_name].append(1000 * abs(credited_t - t))
                if at > opened:
                    late[worn].append(at - credited_t)
            paid_back.append(opened - seen.steps[0][0])
            begun += [at - 3.0 for at, _, said in seen.directions if said == name][:1]
            truth = [t for t, _, _ in seen.truth_steps]
            for at, spm in seen.cadences:
                last = [t for t in truth if t <= at][-5:]
                if spm and len(last) == 5 and 8 < at < 20:
                    off_pct.append(100 * abs(spm / (240 / (last[-1] - last[0])) - 1))
    switched: list[float] = []
    for seed, side in PEOPLE:
        seen = watch(PLANS["switches"][1](), seed, side)
        moving = [d for d in seen.truth_directions if d[2] != "still"]
        for from_s, to_s, name in moving[1:]:
            switched += [at - from_s for at, _, said in seen.directions if said == name and from_s - 1 < at < to_s][:1] or [to_s - from_s]
    stopped: list[float] = []
    for seed, side in PEOPLE:
        for percent in (20, 30):
            seen = watch([Stand(3), BackwardRun(36, 140, [Ramp(16, percent, 10)]), Stand(3)], seed, side)
            at = next((at for at, severity in seen.ramps if severity == STOP), math.inf)
            stopped.append(at - (19 + 10 * Limits().ramp_stop_x10 / 10 / percent))
    print("| what | median | 90 % within | measured |\n|---|---|---|---|")
    for name, values in errors.items():
        _row(f"when a step was made (`t`), {name}: off by", values, "ms", 0)
    _row("step of the worn foot: told after it was made (`at` - `t`)", late[True], "s")
    _row("step of the other foot, likewise", late[False], "s")
    _row("first step of a bout, paid back by the gate", paid_back, "s")
    _row("direction, from standing: told after the movement begins", begun, "s")
    _row("direction, changed without a pause: told after the change", switched, "s")
    _row("cadence, off by", off_pct, "%", 1)
    _row("stop for a rise of 20 or 30 % in 10 s, after it passes 15 %", stopped, "s", 1)
    print(f"\n{credited} steps credited, {true_steps} made; {len(PEOPLE)} people and legs (seeds 11 to 13, left and right).")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "firmware" / "pictures", metavar="FOLDER")
    parser.add_argument("--figures", action="store_true", help="print the table instead of drawing")
    given = parser.parse_args(arguments)
    if given.figures:
        figures()
        return 0
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, draw in DRAWN.items():
        path = given.folder / f"{name}.svg"
        draw().save(path)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
