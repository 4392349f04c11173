"""Motion that is not gait: what the engine and its peers count of cycling, machines, rides, jumps and carried sensors."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from synthetic.not_gait import CLASSES, Variant

from bench.detectors import OURS
from bench.inputs import Motion, plan_motion
from bench.parallel import available_detectors, run_detectors, run_parallel
from bench.scoring import Events
from bench.tables import figure, section, table

SEEDS = (1, 2)
# DESIGN's bars: false steps a minute in each class, and seconds of backward.
MOST_STEPS_PER_MIN = 1.0
MOST_BACKWARD_S = 0.0
CARRIED = "carried"


@dataclass
class Found:
    """What one detector reported in one class."""

    minutes: float = 0.0
    steps: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"forward": 0.0, "backward": 0.0})
    alerts: int = 0
    worst: tuple[float, str] = (0.0, "")
    """(false steps a minute, label) of the recording with the most."""

    def add(self, motion: Motion, events: Events, label: str) -> None:
        """One more recording. Steps that a carrier really took are not false, so only those beyond them are."""
        minutes = motion.truth.duration_s / 60
        steps = max(0, sum(1 for e in events if e["event"] == "step") - len(motion.truth.steps_s))
        self.minutes += minutes
        self.steps += steps
        self.alerts += sum(1 for e in events if e["event"] == "alert")
        for name, seconds in directed(events, motion.truth.duration_s).items():
            self.seconds[name] += seconds
        self.worst = max(self.worst, (steps / minutes, label))


def directed(events: Events, duration_s: float) -> dict[str, float]:
    """Seconds that count as forward and as backward in the end, as in a log: a change replaces what was reported from its `since` on."""
    out = {"forward": 0.0, "backward": 0.0}
    changes: list[tuple[float, str]] = []
    for event in sorted((e for e in events if e["event"] == "direction"), key=lambda e: e["at"]):
        since = event.get("since", event["at"])
        while changes and changes[-1][0] >= since:
            changes.pop()
        changes.append((since, event["direction"]))
    changes.append((duration_s, ""))
    for (at, name), (end, _) in pairwise(changes):
        if name in out:
            out[name] += max(0.0, end - at)
    return out


def made(variant: Variant, seed: int) -> Motion:
    """The recording of a variant by one person."""
    return plan_motion(list(variant.plan), seed, variant.wear(seed))


def run() -> None:
    """A table by class, and the classes in which the engine is weakest."""
    detectors, sentences = available_detectors()
    names = [d.name for d in detectors]
    tasks = [(name, variant, seed) for name, variants in CLASSES.items() for variant in variants for seed in SEEDS]
    motions: list[Motion] = run_parallel(made, [(variant, seed) for _, variant, seed in tasks])
    reported: list[dict[str, Events | None]] = run_parallel(run_detectors, [(m.recording, names) for m in motions])
    found: dict[str, dict[str, Found]] = {name: {} for name in CLASSES}
    for (name, variant, seed), motion, by_detector in zip(tasks, motions, reported, strict=True):
        for detector, events in by_detector.items():
            if events is not None:
                found[name].setdefault(detector, Found()).add(motion, events, f"{variant.label}, seed {seed}")
    section(
        "Motion that is not gait",
        "Generated: no step is taken, and no direction is right. Rope jumping: a jump is no step. Carried: a walker holds the sensor in a "
        "hand or a bag and it claims to be on a shank; only steps beyond those taken are false, and forward is right.",
        *sentences,
    )
    columns = ("", "minutes", "steps/min", "forward s", "backward s", "alerts/min", "worst recording, steps/min")
    table("Retrostep", columns, [_row(name, by_detector[OURS]) for name, by_detector in found.items()])
    by_peer = [[name, *(_rate(by_detector.get(peer)) for peer in names)] for name, by_detector in found.items()]
    table("False steps a minute, with peers", ("", *names), by_peer)
    peer = "sketch, 40 lines"
    if peer in names:
        rows = [[name, *_seconds(by_detector.get(peer))] for name, by_detector in found.items()]
        table(f"False seconds of the peer that knows a direction: {peer}", ("", "forward s", "backward s"), rows)


def _rate(found: Found | None) -> str:
    return f"{found.steps / found.minutes:.1f}" if found else ""


def _seconds(found: Found | None) -> list[str]:
    return [f"{found.seconds[name]:.0f}" if found else "" for name in ("forward", "backward")]


def _row(name: str, ours: Found) -> list[Any]:
    forward = None if name == CARRIED else 0.0
    return [
        name,
        f"{ours.minutes:.0f}",
        figure(ours.steps / ours.minutes, 1, None, MOST_STEPS_PER_MIN),
        figure(ours.seconds["forward"], 0, None, forward),
        figure(ours.seconds["backward"], 0, None, MOST_BACKWARD_S),
        figure(ours.alerts / ours.minutes, 2, None, 0),
        f"{ours.worst[1]}: {ours.worst[0]:.0f}" if ours.worst[0] else "",
    ]
