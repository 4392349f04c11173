"""Ramp alerts: backward recordings played faster and faster, so that cadence rises by a known share within 10 s."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from detectors import retrostep
from inputs import DATA, RATE_HZ, body, exported, labelled, motion, moved, recording, rows, scorer
from retrostep.replay.recording import Recording, read_recording
from show import console, figure, section, table
from work import spread

RISES_PCT = (5, 8, 12, 14, 16, 20, 30, 40)
OVER_S = 10.0
STEADY_S = 12.0
LEAST_S = 28.0
"""A rise of 40 % plays 12 s of a recording in 10: 24 s are needed, and some to run on."""
WARN_PCT, STOP_PCT = 10.0, 15.0
IN_TIME_S = 2.0
DOUBT_PCT = 1.0
"""How far a recording's own cadence, by autocorrelation, can be off."""
LOOK_S = 4.0
GRID_S = 0.25


@dataclass
class Base:
    """A steady backward recording, and its own cadence: when (s), steps a minute."""

    recording: Recording
    at_s: np.ndarray
    spm: np.ndarray

    def rise_pct(self, imposed_pct: float) -> float:
        """The largest rise within 10 s that the warped recording holds, its own included; per cent."""
        out_s = np.arange(self.at_s[0], self.at_s[-1], GRID_S)
        pace = 1 + imposed_pct / 100 * np.clip((out_s - STEADY_S) / OVER_S, 0, 1)
        played = out_s[0] + np.concatenate([[0], np.cumsum(pace[1:] * GRID_S)])
        spm = (pace * np.interp(played, self.at_s, self.spm))[played <= self.at_s[-1]]
        wide = int(OVER_S / GRID_S)
        return max(100 * (now / float(np.min(spm[max(0, k - wide) : k + 1])) - 1) for k, now in enumerate(spm))


def run() -> None:
    """Rises on real legs played backward where they are at hand, then on generated ones, then what is said of recordings as they are."""
    section(
        "Ramp alerts",
        f"Backward recordings, {STEADY_S:g} s as they are, then played faster so that cadence rises by the given share in {OVER_S:g} s, "
        f"then at that pace; rates grow with it, forces do not. Limits: warn {WARN_PCT:g} %, stop {STOP_PCT:g} %. In all: what imposed and "
        f"own cadence make together, by autocorrelation; what comes within {DOUBT_PCT:g} % of a limit is held against nobody. Delay: "
        "from the moment at which the imposed rise passes the limit, median and latest; late: more than "
        f"{IN_TIME_S:g} s. False: said though the rise stays below.",
    )
    generated = [
        _base(m.recording)
        for m in spread(moved, [([gait(36.0, spm)], seed) for seed in (7, 8, 9) for gait, spm in GAITS])
    ]
    if labelled():
        paths = exported()
        real = []
        for row in rows():
            if row["dataset"] == "reversed_running" and float(row["duration_s"]) >= LEAST_S:
                real.append(_base(read_recording(paths[scorer().stem(row)])))
        _table("recorded runners played backwards in time", real)
    else:
        console.print("No labelled recordings in ../shared/data: generated motion alone is warped.")
    _table("generated backward walks and runs", generated)
    _as_they_are(generated)


GAITS = ((motion.BackwardWalk, 90.0), (motion.BackwardWalk, 110.0), (motion.BackwardJog, 140.0), (motion.BackwardRun, 165.0))


def warp(base: Recording, rise_pct: float) -> Recording:
    """`base` played faster and faster after STEADY_S."""
    t_s, samples = body(base)
    t_s = t_s - t_s[0]
    out_s = np.arange(0, t_s[-1], 1 / RATE_HZ)
    pace = 1 + rise_pct / 100 * np.clip((out_s - STEADY_S) / OVER_S, 0, 1)
    played = np.concatenate([[0], np.cumsum((pace[1:] + pace[:-1]) / 2 / RATE_HZ)])
    keep = played <= t_s[-1]
    out = np.stack([np.interp(played[keep], t_s, column) for column in samples.T], 1)
    out[:, 3:] *= pace[keep, None]
    return recording(base.name, out_s[keep], out)


def _base(rec: Recording) -> Base:
    """Own cadence by the autocorrelation of the sagittal rate over 4 s."""
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


def _alerts(source: Recording | Path, rise_pct: float) -> list[tuple[float, str]]:
    """(at s, severity) of the ramp alerts said about `source`, warped."""
    rec = read_recording(source) if isinstance(source, Path) else source
    events = retrostep(warp(rec, rise_pct) if rise_pct else rec)
    return [(e["at"], e["severity"]) for e in events if e["event"] == "alert" and e["kind"] == "cadence_ramp"]


def _table(title: str, bases: list[Base]) -> None:
    said = spread(_alerts, [(base.recording, rise) for rise in RISES_PCT for base in bases])
    lines = []
    for k, rise in enumerate(RISES_PCT):
        alerts = said[k * len(bases) : (k + 1) * len(bases)]
        true_pct = [base.rise_pct(rise) for base in bases]
        line: list[object] = [f"+{rise} %", f"{min(true_pct):.0f} to {max(true_pct):.0f} %"]
        for severity, limit in (("warn", WARN_PCT), ("stop", STOP_PCT)):
            # A stop says at least what a warning says.
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
    names = ("said %", "delay s", "latest", "late, missed", "false")
    table("", ("imposed", "in all", *(f"warn: {names[0]}", *names[1:]), *(f"stop: {names[0]}", *names[1:])), lines)


def _as_they_are(generated: list[Base]) -> None:
    """False alarms an hour of backward movement, in recordings that nobody has warped."""
    names = ["generated, steady"] * len(generated)
    backward_s = [base.recording.duration_s for base in generated]
    sources: list[Recording | Path] = [base.recording for base in generated]
    if labelled():
        paths = exported()
        for row in rows():
            if row["placement"] == "shank":
                here_s = float(row["backward_s"] or 0)
                names.append(row["dataset"] + ("" if here_s else ", forward only"))
                backward_s.append(here_s)
                sources.append(paths[scorer().stem(row)])
    said = spread(_alerts, [(source, 0.0) for source in sources])
    counts = [len(found) for found in said]
    lines = []
    for name in dict.fromkeys(names):
        here = [k for k, other in enumerate(names) if other == name]
        minutes = sum(backward_s[k] for k in here) / 60
        alerts = sum(counts[k] for k in here)
        lines.append([name, len(here), f"{minutes:.1f}", alerts, figure(60 * alerts / minutes if minutes else None, 1)])
    console.print()
    table("Recordings as they are", ("", "recordings", "minutes backward", "ramp alerts", "an hour backward"), lines)
    for source, found in zip(sources, said, strict=True):
        for at_s, severity in found if isinstance(source, Path) else ():
            console.print(f"  {severity} at {at_s:.1f} s in {source.stem}: {_true_rise(source.stem, at_s)}", style="dim")


def _true_rise(stem: str, at_s: float) -> str:
    """What the true steps say of a labelled recording's rise up to the alert: cadence of two strides, backward only, inside 12 s."""
    row = next(row for row in rows() if scorer().stem(row) == stem)
    loaded = scorer().load(str(DATA), row)
    steps = np.sort(np.asarray(loaded["steps"], float))
    label = np.asarray(loaded["direction"])
    backward = [t for t in steps if at_s - OVER_S - 2 <= t <= at_s and label[min(len(label) - 1, int(t * RATE_HZ))] == -1]
    if len(backward) < 6:
        return "too few true steps backward before it to judge"
    paces = 240 / (np.array(backward[4:]) - np.array(backward[:-4]))
    newest = max(paces[-3:])
    return f"true cadence {min(paces):.0f} to {newest:.0f} in those 12 s, {100 * (newest / min(paces) - 1):+.0f} %"
