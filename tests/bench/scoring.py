"""Scores of step and direction events against a known truth; the rules are those of the labelled recordings' scorer.

- F1: one to one in time order, after the median offset of the recording (at most 0.2 s), tolerance min(0.25 s, 0.4 of the median step
  interval), without half a second at both ends; count error over recordings.
- Cadence against the last six true steps.
- Direction by the sample, without 1.5 s after each change; `unknown` is wrong. Delay of switches between forward and backward.
- False steps in recordings without steps.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

RATE_HZ = 104.0
EDGE_S = 0.5
SETTLE_S = 1.5
CADENCE_STEPS = 6
CADENCE_WINDOW_S = 6.0
NEVER_S = 99.0

Events = list[dict[str, Any]]


@dataclass
class Truth:
    """The truth of one recording."""

    duration_s: float
    steps_s: np.ndarray
    """Times of the initial contacts of both feet; empty if there are none."""
    directions: list[tuple[float, float, str]] = field(default_factory=list)
    """(from s, to s, forward | backward | anything else)"""


@dataclass
class Score:
    """Sums over recordings; `row` computes the figures."""

    recordings: int = 0
    hits: int = 0
    missed: list[int] = field(default_factory=list)
    extra: list[int] = field(default_factory=list)
    true_steps: int = 0
    latency_s: list[float] = field(default_factory=list)
    cadence_pct: list[float] = field(default_factory=list)
    labelled: dict[str, int] = field(default_factory=lambda: {"forward": 0, "backward": 0})
    right: int = 0
    reversed: dict[str, int] = field(default_factory=lambda: {"forward": 0, "backward": 0})
    switch_s: list[float] = field(default_factory=list)
    false_steps: int = 0
    empty_min: float = 0.0

    def add(self, truth: Truth, events: Events) -> None:
        """Add a recording and the events that a detector reported for it."""
        self.recordings += 1
        found = sorted((e["t"], e["at"]) for e in events if e["event"] == "step")
        if len(truth.steps_s):
            self._steps(truth, np.array([t for t, _ in found]))
            self.latency_s += [at - t for t, at in found]
            self._cadence(truth.steps_s, events)
        elif not any(name in ("forward", "backward") for _, _, name in truth.directions):
            self.false_steps += len(found)
            self.empty_min += truth.duration_s / 60
        self._directions(truth, events)

    def row(self) -> dict[str, float]:
        """The figures, named as in the labelled recordings' scorer; without those that were not measured."""
        out: dict[str, float] = {"recordings": self.recordings}
        if self.true_steps:
            missed, extra = np.array(self.missed), np.array(self.extra)
            out["steps"] = self.true_steps
            out["F1"] = 2 * self.hits / max(1, 2 * self.hits + int(missed.sum()) + int(extra.sum()))
            out["count_pct"] = 100 * float(np.abs(extra - missed).sum()) / self.true_steps
            out["bias_pct"] = 100 * float((extra - missed).sum()) / self.true_steps
            if self.latency_s:
                out["latency_s"] = float(np.median(self.latency_s))
        if self.cadence_pct:
            out["cadence_pct"] = float(np.median(self.cadence_pct))
            out["cadence_p95"] = float(np.percentile(self.cadence_pct, 95))
        if labelled := sum(self.labelled.values()):
            out["dir_ok_pct"] = 100 * self.right / labelled
            for name, n in self.labelled.items():
                if n:
                    out[f"wrong_{name}_pct"] = 100 * self.reversed[name] / n
        if self.switch_s:
            out["switch_s"] = float(np.median(self.switch_s))
            out["switch_p90"] = float(np.percentile(self.switch_s, 90))
        if self.empty_min:
            out["false_per_min"] = self.false_steps / self.empty_min
        return out

    def _steps(self, truth: Truth, found: np.ndarray) -> None:
        true = np.sort(truth.steps_s)
        tolerance = min(0.25, 0.4 * float(np.median(np.diff(true)))) if len(true) > 2 else 0.2
        pairs = match(true, found, tolerance)
        offsets = [found[j] - true[i] for i, j in pairs]
        found = found - (float(np.clip(np.median(offsets), -0.2, 0.2)) if offsets else 0.0)
        pairs = match(true, found, tolerance)
        self.hits += len(pairs)
        self.missed.append(_left(true, {i for i, _ in pairs}, truth.duration_s))
        self.extra.append(_left(found, {j for _, j in pairs}, truth.duration_s))
        self.true_steps += len(true)

    def _cadence(self, true: np.ndarray, events: Events) -> None:
        for event in events:
            if event["event"] != "cadence":
                continue
            truth_spm = cadence_at(true, event["at"])
            if truth_spm:
                self.cadence_pct.append(abs(event["spm"] - truth_spm) / truth_spm * 100)

    def _directions(self, truth: Truth, events: Events) -> None:
        if not any(name in self.labelled for _, _, name in truth.directions):
            return
        n = int(truth.duration_s * RATE_HZ)
        labels = np.full(n, "", object)
        for from_s, to_s, name in truth.directions:
            labels[round(from_s * RATE_HZ) : round(to_s * RATE_HZ)] = name
        state = np.full(n, "unknown", object)
        for at, name in sorted((e["at"], e["direction"]) for e in events if e["event"] == "direction"):
            state[int(np.ceil(at * RATE_HZ)) :] = name
        change = np.flatnonzero(labels[1:] != labels[:-1]) + 1
        judged = np.ones(n, bool)
        for start in (0, *change):
            judged[start : start + int(SETTLE_S * RATE_HZ)] = False
        for name, other in (("forward", "backward"), ("backward", "forward")):
            here = judged & (labels == name)
            self.labelled[name] += int(here.sum())
            self.right += int((state[here] == name).sum())
            self.reversed[name] += int((state[here] == other).sum())
        for k, start in enumerate(change):
            stop = int(change[k + 1]) if k + 1 < len(change) else n
            now = labels[start]
            before = labels[max(0, start - int(2 * RATE_HZ)) : start]
            if now not in self.labelled or stop - start <= 3 * RATE_HZ or not (before == _other(now)).any():
                continue
            found = np.flatnonzero(state[start:stop] == now)
            self.switch_s.append(found[0] / RATE_HZ if len(found) else NEVER_S)


def match(true: np.ndarray, found: np.ndarray, tolerance_s: float) -> list[tuple[int, int]]:
    """Pair two rising lists of times one to one; a later `found` that is nearer is preferred."""
    pairs = []
    i = j = 0
    while i < len(true) and j < len(found):
        late = found[j] - true[i]
        if late > tolerance_s:
            i += 1
        elif late < -tolerance_s or (j + 1 < len(found) and abs(found[j + 1] - true[i]) < abs(late)):
            j += 1
        else:
            pairs.append((i, j))
            i += 1
            j += 1
    return pairs


def cadence_at(true: np.ndarray, at_s: float) -> float:
    """Steps a minute over the last six true steps within 6 s, 0 if there are fewer or walking paused."""
    last = true[(true <= at_s) & (true > at_s - CADENCE_WINDOW_S)]
    if len(last) < CADENCE_STEPS or np.max(np.diff(last)) >= 1.2:
        return 0.0
    last = last[-CADENCE_STEPS:]
    return 60.0 * (CADENCE_STEPS - 1) / float(last[-1] - last[0])


def _left(times: np.ndarray, used: set[int], duration_s: float) -> int:
    return sum(1 for k, t in enumerate(times) if k not in used and EDGE_S <= t <= duration_s - EDGE_S)


def _other(name: str) -> str:
    return "backward" if name == "forward" else "forward"
