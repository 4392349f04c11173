#!/usr/bin/env python3
"""Synthetic recordings of a lower leg, with a second file that holds the truth.

    motion.py --list
    motion.py PLAN [--seed N] [--side left|right] [--mount +y+z+x] [--rate HZ] OUT.csv

writes OUT.csv (a recording that `retrostep replay` and the virtual board read) and OUT.truth.json: the time, foot and direction of
every initial contact, the stretches of each direction and the scheduled cadence. The same plan, seed and options give the same bytes.
Another seed is another person: other leg lengths, reach, impacts, limp, strap, bias and alignment of the sensor.

As a library:

    from motion import BackwardRun, Ramp, Stand, Walk, generate
    made = generate([Stand(3), Walk(60), Stand(2), BackwardRun(40, 160, [Ramp(at_s=20, percent=20, over_s=8)]), Stand(4)], seed=7)
    made.write("out.csv")

In synthetic/: gaits.py has the joint angles, leg.py the leg, walker.py carries out a plan, places.py computes the motion at the place of
the sensor, and sensor.py adds strap, noise and bias. exercises.py and not_gait.py have motion without steps (cycling, machines, rides,
jumps), field.py the turns and shuffles of sports. Only the standard library is used. The model of the chip does clipping and rounding.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthetic import field as sports
from synthetic import not_gait
from synthetic.leg import Person
from synthetic.places import PLACES
from synthetic.plan import (
    PLANS as PLAIN_PLANS,
)
from synthetic.plan import (
    BackwardJog,
    BackwardRun,
    BackwardWalk,
    Jog,
    Ramp,
    Run,
    Segment,
    Shuffle,
    Sidestep,
    Sit,
    Stand,
    Turn,
    Walk,
)
from synthetic.sensor import Sample, Sensor, Wear
from synthetic.walker import Truth, Walker

__all__ = [
    "PLANS",
    "BackwardJog",
    "BackwardRun",
    "BackwardWalk",
    "Jog",
    "Person",
    "Ramp",
    "Recording",
    "Run",
    "Segment",
    "Shuffle",
    "Sidestep",
    "Sit",
    "Stand",
    "Truth",
    "Turn",
    "Walk",
    "Wear",
    "generate",
    "random_person",
]

PLANS = {**PLAIN_PLANS, **sports.PLANS, **not_gait.PLANS}
"""Name: (description, function that makes the segments)."""

FINE_HZ = 200.0
"""The motion is computed at a multiple of the sensor's rate: at least twice that rate, and at least this one, as an impact lasts 0.1 s."""
LEAST_HZ, MOST_HZ = 20.0, 2000.0
LEAST_S = 0.5


@dataclass
class Recording:
    """A recording and its truth."""

    name: str
    seed: int
    rate_hz: float
    wear: Wear
    samples: list[Sample]
    """In sensor axes."""
    truth: Truth

    @property
    def duration_s(self) -> float:
        """From the first sample to one period after the last."""
        return len(self.samples) / self.rate_hz

    @property
    def label(self) -> str:
        """Plan and seed, from which `generate` makes the same recording."""
        return f"retrostep motion, plan {self.name}, seed {self.seed}"

    def lines(self) -> list[str]:
        """The recording as CSV lines."""
        out = [
            "# retrostep-recording: 1",
            f"# synthetic: {self.label}",
            f"# placement: {'waist' if self.wear.place == 'waist' else 'shank'}",
            f"# side: {self.wear.side}",
            f"# mount: {self.wear.mount}",
            "t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps",
        ]
        for i, s in enumerate(self.samples):
            out.append(f"{i / self.rate_hz:.4f},{s[0]:.4f},{s[1]:.4f},{s[2]:.4f},{s[3]:.2f},{s[4]:.2f},{s[5]:.2f}")
        return out

    def write(self, path: str | Path) -> tuple[Path, Path]:
        """Write the recording and its truth; returns both paths."""
        path = Path(path)
        truth_path = path.with_name(path.stem + ".truth.json")
        path.write_text("\n".join(self.lines()) + "\n")
        truth = {
            "synthetic": self.label,
            "recording": path.stem,
            "duration_s": round(self.duration_s, 4),
            "side": self.wear.side,
            "steps": self.truth.steps,
            "directions": self.truth.directions,
            "cadence": self.truth.cadence,
        }
        truth_path.write_text(json.dumps(truth, indent=1) + "\n")
        return path, truth_path


def random_person(seed: int) -> Person:
    """A person drawn at random, the same one for the same seed."""
    r = random.Random(f"retrostep person {seed}")
    shank_m = r.uniform(0.39, 0.45)
    return Person(
        thigh_m=r.uniform(0.40, 0.46),
        shank_m=shank_m,
        sensor_m=shank_m - r.uniform(0.08, 0.13),
        reach=r.uniform(0.92, 1.08),
        impact=r.uniform(0.75, 1.3),
        asymmetry=r.uniform(-0.012, 0.012),
    )


def generate(
    plan: Sequence[Segment],
    seed: int = 1,
    wear: Wear | None = None,
    rate_hz: float = 104.0,
    name: str = "custom",
    person: Person | None = None,
) -> Recording:
    """Make a recording of the plan's segments, one after the other; `person` is random_person(seed) unless given.

    A bout of steps ends with a complete step, so it may last up to one step longer than its segments say. ValueError for a rate outside
    20 to 2000 Hz and for a plan shorter than half a second.
    """
    if sum(segment.seconds for segment in plan) < LEAST_S:
        raise ValueError(f"the plan is shorter than {LEAST_S:g} s")
    if not LEAST_HZ <= rate_hz <= MOST_HZ:
        raise ValueError(f"a rate of {rate_hz:g} Hz is outside {LEAST_HZ:g} to {MOST_HZ:g}")
    wear = wear or Wear()
    r = random.Random(f"retrostep motion {seed}")
    every = max(2, math.ceil(FINE_HZ / rate_hz))
    sensor = Sensor(wear, r)
    walker = Walker(plan, person or random_person(seed), wear, r, rate_hz * every)
    samples = sensor.measure(walker.channels(), walker.fine_hz, every)
    return Recording(name, seed, rate_hz, wear, samples, walker.truth)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: write the recording of a plan. Exit status 2 for wrong arguments, 1 if it cannot be written."""
    parser = argparse.ArgumentParser(prog="motion.py", description="Write a synthetic recording of a leg, and its truth in a second file.")
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="one of --list")
    parser.add_argument("out", nargs="?", metavar="OUT.csv")
    parser.add_argument("--list", action="store_true", help="list the plans")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another person (default 1)")
    parser.add_argument("--side", choices=("left", "right"), default="left")
    parser.add_argument("--place", choices=tuple(PLACES), default="shank", help="where the sensor is (default shank)")
    parser.add_argument("--mount", default="+x+y+z", help="body forward, left, up in sensor axes (default +x+y+z)")
    parser.add_argument("--rate", type=float, default=104.0, metavar="HZ", help="samples a second (default 104)")
    given = parser.parse_intermixed_args(arguments)
    if given.list:
        for name, (what, _) in PLANS.items():
            print(f"{name:16} {what}")
        return 0
    if given.plan is None or given.out is None:
        parser.error("PLAN and OUT.csv are needed; --list shows the plans")
    if given.plan not in PLANS:
        parser.error(f"there is no plan {given.plan!r}; there are {', '.join(PLANS)}")
    try:
        wear = Wear(side=given.side, mount=given.mount, place=given.place)
        made = generate(PLANS[given.plan][1](), given.seed, wear, given.rate, given.plan)
    except ValueError as problem:
        parser.error(str(problem))
    try:
        path, truth = made.write(given.out)
    except OSError as problem:
        parser.exit(1, f"{given.out}: cannot be written: {problem.strerror}.\n")
    print(f"{path}: {made.duration_s:.1f} s, {len(made.truth.steps)} steps (synthetic); truth in {truth}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
