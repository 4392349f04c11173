"""Plans: lists of segments, each of one activity; and the named plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synthetic.exercises import Exercise
from synthetic.gaits import BACKWARD_JOG, BACKWARD_RUN, BACKWARD_WALK, CARIOCA, JOG, RUN, SIDE_SHUFFLE, SIDESTEP, WALK, Style

SPM_MIN, SPM_MAX = 40, 260


@dataclass(frozen=True)
class Ramp:
    """The cadence changes by `percent` of what it was at `at_s`, evenly over `over_s` seconds."""

    at_s: float
    percent: float
    over_s: float


@dataclass(frozen=True)
class Turn:
    """The body turns by `degrees` (left is positive) over `over_s` seconds."""

    at_s: float
    degrees: float
    over_s: float


@dataclass(frozen=True)
class Cut(Turn):
    """A turn while running: the body leans into it, and steps get shorter by the share `slow` around its middle."""

    slow: float = 0.4


@dataclass(frozen=True)
class Stumble:
    """The swinging foot catches: the leg stops for a moment, then a quick short step follows."""

    at_s: float
    strength: float = 1.0


@dataclass(frozen=True)
class Push:
    """A push of `size_g` at its peak towards `degrees` (0 is forward, 90 left) over 0.35 s, and the next step comes early."""

    at_s: float
    size_g: float
    degrees: float


@dataclass(frozen=True)
class Segment:
    """A stretch of one activity; `style` None means that no step is taken."""

    seconds: float
    style: Style | None = None
    spm: float = 0.0
    ramps: tuple[Ramp, ...] = ()
    turns: tuple[Turn, ...] = ()
    idle: str = "stand"
    """Without a style: stand, shuffle or sit."""
    mishaps: tuple[Stumble | Push, ...] = ()
    exercise: Exercise | None = None
    """Motion that is not gait, instead of a style."""
    towards: str = "left"
    """Sideways gaits: left or right. The leg on this side leads."""

    def cadence(self, at_s: float) -> float:
        """Scheduled steps a minute, `at_s` seconds into the segment."""
        spm = self.spm
        for r in self.ramps:
            if at_s > r.at_s:
                share = min(1.0, (at_s - r.at_s) / r.over_s) if r.over_s > 0 else 1.0
                spm *= 1 + r.percent / 100 * share
        return spm

    @property
    def direction(self) -> str:
        """forward, backward, lateral, still or not_gait."""
        if self.exercise is not None:
            return "not_gait"
        if self.style is None:
            return "still"
        if self.style.sideways:
            return "lateral"
        return "backward" if self.style.backward else "forward"


def _moving(style: Style) -> Callable[..., Segment]:
    def make(
        seconds: float,
        spm: float = style.natural_spm,
        ramps: Sequence[Ramp] = (),
        turns: Sequence[Turn] = (),
        mishaps: Sequence[Stumble | Push] = (),
        towards: str = "left",
    ) -> Segment:
        segment = Segment(seconds, style, spm, tuple(ramps), tuple(turns), mishaps=tuple(mishaps), towards=towards)
        for at in (0.0, *(r.at_s for r in ramps), *(r.at_s + r.over_s for r in ramps)):
            asked = segment.cadence(at)
            if not SPM_MIN <= asked <= SPM_MAX:
                raise ValueError(f"{style.name}: {asked:.0f} steps a minute is outside {SPM_MIN} to {SPM_MAX}")
        return segment

    return make


Walk = _moving(WALK)
Jog = _moving(JOG)
Run = _moving(RUN)
BackwardWalk = _moving(BACKWARD_WALK)
BackwardJog = _moving(BACKWARD_JOG)
BackwardRun = _moving(BACKWARD_RUN)
Sidestep = _moving(SIDESTEP)
SideShuffle = _moving(SIDE_SHUFFLE)
Carioca = _moving(CARIOCA)


def Stand(seconds: float, turns: Sequence[Turn] = ()) -> Segment:
    """Quiet standing."""
    return Segment(seconds, turns=tuple(turns))


def Shuffle(seconds: float) -> Segment:
    """Standing, shifting weight, lifting a heel now and then: no steps."""
    return Segment(seconds, idle="shuffle")


def Sit(seconds: float) -> Segment:
    """Sitting, swinging or bouncing the leg now and then: no steps."""
    return Segment(seconds, idle="sit")


def _session() -> list[Segment]:
    return [
        Stand(4),
        Walk(40, 108),
        Jog(40, 156),
        Walk(4),
        Stand(4),
        BackwardWalk(25, 100),
        Stand(4),
        BackwardRun(40, 152, [Ramp(at_s=16, percent=20, over_s=8)]),
        BackwardWalk(4),
        Stand(8),
    ]


def _switches() -> list[Segment]:
    walks = [s for _ in range(6) for s in (Walk(8), BackwardWalk(8))]
    jogs = [s for _ in range(4) for s in (Jog(8), BackwardJog(8))]
    return [Stand(3), *walks, *jogs, Stand(3)]


def _errands() -> list[Segment]:
    plan = [Stand(3)]
    for seconds, spm in ((2.2, 95), (5, 105), (3, 88), (8, 112), (1.5, 80), (6, 70)):
        plan += [Walk(seconds, spm), Shuffle(4), Stand(1, turns=[Turn(0.1, 70, 0.8)]), Sidestep(2.5), Stand(1.5)]
        plan += [BackwardWalk(seconds / 2 + 1, spm * 0.9), Stand(2)]
    return plan


def _cadences() -> list[Segment]:
    slow, quick, quickest = (40, 60, 80, 100, 120), (140, 160), (180, 200, 220, 240, 260)
    plan = [Stand(3)]
    for walk, jog, run in ((Walk, Jog, Run), (BackwardWalk, BackwardJog, BackwardRun)):
        plan += [*(walk(20, spm) for spm in slow), *(jog(15, spm) for spm in quick), *(run(12, spm) for spm in quickest), Stand(4)]
    return plan


def _ramps() -> list[Segment]:
    return [s for percent in (8, 12, 20, 35) for s in (Stand(4), BackwardRun(40, 140, [Ramp(15, percent, 10)]))] + [Stand(4)]


PLANS: dict[str, tuple[str, Callable[[], list[Segment]]]] = {
    "session": ("warm-up walk, jog, backward walk, backward run whose cadence rises 20 % in 8 s, stop", _session),
    "walk": ("a minute of walking with a turn of 180 degrees", lambda: [Stand(3), Walk(60, 112, turns=[Turn(28, 180, 2.5)]), Stand(3)]),
    "jog": ("a minute of jogging", lambda: [Stand(3), Jog(60), Stand(3)]),
    "run": ("a minute of running", lambda: [Stand(3), Run(60), Stand(3)]),
    "steady_backward": (
        "backward walk and backward run, each a minute at one cadence",
        lambda: [Stand(3), BackwardWalk(60), Stand(2), BackwardRun(60), Stand(3)],
    ),
    "calibration": ("standing, then a walk: for `retrostep calibrate` on the virtual board", lambda: [Stand(20), Walk(15), Stand(5)]),
    "backward_ramps": ("backward runs whose cadence rises by 8, 12, 20 and 35 % in 10 s", _ramps),
    "switches": ("forward and backward in turn, 8 s each", _switches),
    "cadences": ("walk, jog and run through the cadences from 40 to 260, forward, then backward", _cadences),
    "sideways": ("sidesteps between two walks", lambda: [Stand(3), Walk(20), Stand(1), Sidestep(20), Stand(1), Walk(20), Stand(3)]),
    "errands": ("short walks forward, backward and sideways with pauses, turns and fidgeting", _errands),
    "no_steps": (
        "standing, shuffling and sitting restlessly: no step at all",
        lambda: [Stand(10), Shuffle(50), Stand(10), Sit(60), Stand(10)],
    ),
}
"""Name: (description, function that makes the segments)."""
