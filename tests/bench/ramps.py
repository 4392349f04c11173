"""Ramp alerts: backward recordings played faster and faster, so that cadence rises by a known share within 10 s."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from detectors import retrostep
from inputs import RATE_HZ, body, exported, labelled, motion, moved, recording, rows, scorer
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
CALM_PCT = 2.0


@dataclass
class Base:
    """A steady backward recording, and by how much its own cadence rises within 10 s, in per cent."""

    recording: Recording
    drift_pct: float


def run() -> None:
    """Rises on real legs played backward where they are at hand, then on generated ones, then what is said of recordings as they are."""
    section(
        "Ramp alerts",
        f"Backward recordings, {STEADY_S:g} s as they are, then played faster so that cadence rises by the given share in {OVER_S:g} s, "
        f"then at that pace; rates grow with it, forces do not. Limits: warn {WARN_PCT:g} %, stop {STOP_PCT:g} %. Delay: from the moment "
        f"at which the imposed rise passes the limit, median and latest; late: more than {IN_TIME_S:g} s.",
    )
    generated = [
        Base(m.recording, _drift(m.recording))
        for m in spread(moved, [([gait(36.0, spm)], seed) for seed in (7, 8, 9) for gait, spm in GAITS])
    ]
    if labelled():
        paths = exported()
        real = []
        for row in rows():
            if row["dataset"] == "reversed_running" and float(row["duration_s"]) >= LEAST_S:
                read = read_recording(paths[scorer().stem(row)])
                real.append(Base(read, _drift(read)))
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


def _drift(rec: Recording) -> float:
    """Largest rise of the recording's own cadence within 10 s, by the autocorrelation of the sagittal rate over 4 s; per cent."""
    t_s, samples = body(rec)
    rate = samples[:, 4]
    wide = int(4 * RATE_HZ)
    spm = []
    for start in range(0, len(rate) - wide, int(RATE_HZ)):
        piece = rate[start : start + wide] - rate[start : start + wide].mean()
        like = np.correlate(piece, piece, "full")[wide - 1 :] / np.arange(wide, 0, -1)
        least, most = int(0.4 * RATE_HZ), int(2.2 * RATE_HZ)
        # The first peak nearly as high as the highest: one stride, not two.
        peaks = [k for k in range(least, most) if like[k] >= max(like[k - 1], like[k + 1])]
        k = next(k for k in peaks if like[k] >= 0.85 * max(like[least:most]))
        left, here, right = like[k - 1], like[k], like[k + 1]
        k_fine = k + (left - right) / (2 * (left - 2 * here + right))
        spm.append(120 / (k_fine / RATE_HZ))
    return max(100 * (now / min(spm[max(0, k - 10) : k + 1]) - 1) for k, now in enumerate(spm))


def _alerts(source: Recording | Path, rise_pct: float) -> list[tuple[float, str]]:
    """(at s, severity) of the ramp alerts said about `source`, warped."""
    rec = read_recording(source) if isinstance(source, Path) else source
    events = retrostep(warp(rec, rise_pct) if rise_pct else rec)
    return [(e["at"], e["severity"]) for e in events if e["event"] == "alert" and e["kind"] == "cadence_ramp"]


def _table(title: str, bases: list[Base]) -> None:
    said = spread(_alerts, [(base.recording, rise) for rise in RISES_PCT for base in bases])
    drifts = [base.drift_pct for base in bases]
    calm = [base.drift_pct <= CALM_PCT for base in bases]
    lines = []
    for k, rise in enumerate(RISES_PCT):
        alerts = said[k * len(bases) : (k + 1) * len(bases)]
        line: list[object] = [f"+{rise} %"]
        for severity, limit in (("warn", WARN_PCT), ("stop", STOP_PCT)):
            # A stop says at least what a warning says.
            firsts = [min((at for at, what in found if what in (severity, "stop")), default=None) for found in alerts]
            told = [first is not None for first in firsts]
            share = 100 * sum(told) / len(told)
            if rise > limit:
                passed = STEADY_S + OVER_S * limit / rise
                delays = [first - passed for first in firsts if first is not None]
                late = sum(delay > IN_TIME_S for delay in delays)
                line += [
                    figure(share, 0, 100.0),
                    f"{np.median(delays):+.1f}" if delays else "",
                    figure(max(delays), 1, None, IN_TIME_S) if delays else "",
                    late + told.count(False),
                ]
            else:
                calm_told = sum(t for t, c in zip(told, calm, strict=True) if c)
                line += [figure(share, 0, None, 0.0), "", "", f"{calm_told} of {sum(calm)} calm"]
        lines.append(line)
    console.print()
    console.print(
        f"[bold]{title}[/bold]: {len(bases)} recordings; their own cadence rises by {np.median(drifts):.1f} % (median), {max(drifts):.1f} "
        f"% (most) within 10 s; calm: at most {CALM_PCT:g} %"
    )
    table("", ("rise", "warned %", "delay s", "latest s", "late or missed", "stopped %", "delay s", "latest s", "late or missed"), lines)


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
    counts = [len(found) for found in spread(_alerts, [(source, 0.0) for source in sources])]
    lines = []
    for name in dict.fromkeys(names):
        here = [k for k, other in enumerate(names) if other == name]
        minutes = sum(backward_s[k] for k in here) / 60
        alerts = sum(counts[k] for k in here)
        lines.append([name, len(here), f"{minutes:.1f}", alerts, figure(60 * alerts / minutes if minutes else None, 1)])
    console.print()
    table("Recordings as they are", ("", "recordings", "minutes backward", "ramp alerts", "an hour backward"), lines)
