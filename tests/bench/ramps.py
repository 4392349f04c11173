"""Ramp alerts: backward recordings are played faster and faster, so that cadence rises by a known share within 10 s."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from retrostep.replay.recording import ImuRecording, read_recording

from bench.detectors import retrostep
from bench.inputs import DATA, RATE_HZ, body, exported, labelled, motion, plan_motion, recording, rows, scorer
from bench.parallel import run_parallel
from bench.tables import console, figure, section, table

RISES_PCT = (5, 8, 12, 14, 16, 20, 30, 40)
OVER_S = 10.0
STEADY_S = 12.0
LEAST_S = 28.0
"""A rise of 40 % plays 12 s of a recording in 10 s, so 24 s are needed, and a few seconds after that."""
WARN_PCT, STOP_PCT = 10.0, 15.0
IN_TIME_S = 2.0
DOUBT_PCT = 1.0
"""Error of a recording's own cadence, which is measured by autocorrelation."""
LOOK_S = 4.0
GRID_S = 0.25


@dataclass
class Base:
    """A steady backward recording and its own cadence: times in s, steps a minute."""

    recording: ImuRecording
    at_s: np.ndarray
    spm: np.ndarray

    def rise_pct(self, imposed_pct: float) -> float:
        """The largest rise within 10 s of the changed recording, with its own rise; per cent."""
        out_s = np.arange(self.at_s[0], self.at_s[-1], GRID_S)
        speed = 1 + imposed_pct / 100 * np.clip((out_s - STEADY_S) / OVER_S, 0, 1)
        played = out_s[0] + np.concatenate([[0], np.cumsum(speed[1:] * GRID_S)])
        spm = (speed * np.interp(played, self.at_s, self.spm))[played <= self.at_s[-1]]
        wide = int(OVER_S / GRID_S)
        return max(100 * (now / float(np.min(spm[max(0, k - wide) : k + 1])) - 1) for k, now in enumerate(spm))


def run() -> None:
    """Tables: rises on recorded runners played backward, rises on generated motion, and alerts on unchanged recordings."""
    section(
        "Ramp alerts",
        f"Backward recordings: {STEADY_S:g} s unchanged, then played faster, so that cadence rises by the given share in {OVER_S:g} s, "
        f"then at that speed. Angular velocities grow with it, accelerations do not. Limits: warn {WARN_PCT:g} %, stop {STOP_PCT:g} %. "
        "Total: the "
        f"imposed and the own rise together, by autocorrelation. A total within {DOUBT_PCT:g} % of a limit counts neither way. Delay: from "
        f"the time that the imposed rise exceeds the limit, median and latest. Late: more than {IN_TIME_S:g} s. False: an alert although "
        "the rise stays below the limit.",
    )
    generated = [
        _base(m.recording)
        for m in run_parallel(plan_motion, [([gait(36.0, spm)], seed) for seed in (7, 8, 9) for gait, spm in GAITS])
    ]
    if labelled():
        paths = exported()
        real = []
        for row in rows():
            if row["dataset"] == "reversed_running" and float(row["duration_s"]) >= LEAST_S:
                real.append(_base(read_recording(paths[scorer().stem(row)])))
        _table("recorded runners played backwards in time", real)
    else:
        console.print("No labelled recordings at ../shared/data: only generated motion is used.")
    _table("generated backward walks and runs", generated)
    _unchanged(generated)


GAITS = ((motion.BackwardWalk, 90.0), (motion.BackwardWalk, 110.0), (motion.BackwardJog, 140.0), (motion.BackwardRun, 165.0))


def warp(base: ImuRecording, rise_pct: float) -> ImuRecording:
    """`base`, played faster and faster after STEADY_S."""
    t_s, samples = body(base)
    t_s = t_s - t_s[0]
    out_s = np.arange(0, t_s[-1], 1 / RATE_HZ)
    speed = 1 + rise_pct / 100 * np.clip((out_s - STEADY_S) / OVER_S, 0, 1)
    played = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2 / RATE_HZ)])
    keep = played <= t_s[-1]
    out = np.stack([np.interp(played[keep], t_s, column) for column in samples.T], 1)
    out[:, 3:] *= speed[keep, None]
    return recording(base.name, out_s[keep], out)


def _base(rec: ImuRecording) -> Base:
    """The recording with its own cadence, by the autocorrelation of the sagittal angular velocity over 4 s."""
    t_s, samples = body(rec)
    rate = samples[:, 4]
    wide = int(LOOK_S * RATE_HZ)
    least, most = int(0.4 * RATE_HZ), int(2.2 * RATE_HZ)
    at_s, spm = [], []
    for start in range(0, len(rate) - wide, int(RATE_HZ / 2)):
        piece = rate[start : start + wide] - rate[start : start + wide].mean()
        like = np.correlate(piece, piece, "full")[wide - 1 :] / np.arange(wide, 0, -1)
        # The first peak nearly as high as the highest: one stride, not two.
        peaks = [k for k in range(least, most) if like[k] >= max(like[k - 1], like[k + 1])]
        k = next(k for k in peaks if like[k] >= 0.85 * max(like[least:most]))
        left, here, right = like[k - 1], like[k], like[k + 1]
        at_s.append(float(t_s[start] - t_s[0]) + LOOK_S / 2)
        spm.append(120 * RATE_HZ / (k + (left - right) / (2 * (left - 2 * here + right))))
    return Base(rec, np.array(at_s), np.array(spm))


def _alerts(source: ImuRecording | Path, rise_pct: float) -> list[tuple[float, str]]:
    """(at s, severity) of the ramp alerts on `source`, played faster by `rise_pct`."""
    rec = read_recording(source) if isinstance(source, Path) else source
    events = retrostep(warp(rec, rise_pct) if rise_pct else rec)
    return [(e["at"], e["severity"]) for e in events if e["event"] == "alert" and e["kind"] == "cadence_ramp"]


def _table(title: str, bases: list[Base]) -> None:
    by_task = run_parallel(_alerts, [(base.recording, rise) for rise in RISES_PCT for base in bases])
    lines = []
    for k, rise in enumerate(RISES_PCT):
        alerts = by_task[k * len(bases) : (k + 1) * len(bases)]
        true_pct = [base.rise_pct(rise) for base in bases]
        line: list[object] = [f"+{rise} %", f"{min(true_pct):.0f} to {max(true_pct):.0f} %"]
        for severity, limit in (("warn", WARN_PCT), ("stop", STOP_PCT)):
            # A stop alert includes the warning.
            firsts = [min((at for at, what in found if what in (severity, "stop")), default=None) for found in alerts]
            above = [first for first, pct in zip(firsts, true_pct, strict=True) if pct > limit + DOUBT_PCT]
            below = [first for first, pct in zip(firsts, true_pct, strict=True) if pct < limit - DOUBT_PCT]
            passed = STEADY_S + OVER_S * min(1.0, limit / rise)
            delays = [first - passed for first in above if first is not None]
            line += [
                figure(100 * len(delays) / len(above) if above else None, 0, 100.0),
                f"{np.median(delays):+.1f}" if delays else "",
                figure(max(delays) if delays else None, 1, None, IN_TIME_S if severity == "stop" else None),
                f"{len(above) - sum(delay <= IN_TIME_S for delay in delays)} of {len(above)}" if above else "",
                f"{sum(first is not None for first in below)} of {len(below)}" if below else "",
            ]
        lines.append(line)
    own = [base.rise_pct(0) for base in bases]
    console.print()
    console.print(
        f"[bold]{title}[/bold]: {len(bases)} recordings; own rise in 10 s {np.median(own):.1f} % (median), {max(own):.1f} % (most)"
    )
    names = ("alerted %", "delay s", "latest", "late, missed", "false")
    table("", ("imposed", "total", *(f"warn: {names[0]}", *names[1:]), *(f"stop: {names[0]}", *names[1:])), lines)


def _unchanged(generated: list[Base]) -> None:
    """Alerts per hour of backward movement, in unchanged recordings."""
    names = ["generated, steady"] * len(generated)
    backward_s = [base.recording.duration_s for base in generated]
    sources: list[ImuRecording | Path] = [base.recording for base in generated]
    if labelled():
        paths = exported()
        for row in rows():
            if row["placement"] == "shank":
                here_s = float(row["backward_s"] or 0)
                names.append(row["dataset"] + ("" if here_s else ", forward only"))
                backward_s.append(here_s)
                sources.append(paths[scorer().stem(row)])
    by_source = run_parallel(_alerts, [(source, 0.0) for source in sources])
    counts = [len(found) for found in by_source]
    lines = []
    for name in dict.fromkeys(names):
        here = [k for k, other in enumerate(names) if other == name]
        minutes = sum(backward_s[k] for k in here) / 60
        alerts = sum(counts[k] for k in here)
        lines.append([name, len(here), f"{minutes:.1f}", alerts, figure(60 * alerts / minutes if minutes else None, 1)])
    console.print()
    table("Unchanged recordings", ("", "recordings", "minutes backward", "ramp alerts", "per hour backward"), lines)
    for source, found in zip(sources, by_source, strict=True):
        for at_s, severity in found if isinstance(source, Path) else ():
            console.print(f"  {severity} at {at_s:.1f} s in {source.stem}: {_true_rise(source.stem, at_s)}", style="dim")


def _true_rise(stem: str, at_s: float) -> str:
    """The rise in cadence by the true steps of a labelled recording before the alert: over two strides, backward only, within 12 s."""
    row = next(row for row in rows() if scorer().stem(row) == stem)
    loaded = scorer().load(str(DATA), row)
    steps = np.sort(np.asarray(loaded["steps"], float))
    label = np.asarray(loaded["direction"])
    backward = [t for t in steps if at_s - OVER_S - 2 <= t <= at_s and label[min(len(label) - 1, int(t * RATE_HZ))] == -1]
    if len(backward) < 6:
        return "too few true steps backward before it to judge"
    cadences = 240 / (np.array(backward[4:]) - np.array(backward[:-4]))
    newest = max(cadences[-3:])
    return f"true cadence {min(cadences):.0f} to {newest:.0f} in those 12 s, {100 * (newest / min(cadences) - 1):+.0f} %"
