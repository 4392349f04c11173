"""Plans of running as in sports, with turns and sideways steps. All steps count; sideways ones have no direction."""

from __future__ import annotations

from collections.abc import Callable

from synthetic.plan import (
    BackwardJog,
    BackwardRun,
    BackwardWalk,
    Carioca,
    Cut,
    Jog,
    Push,
    Run,
    Segment,
    SideShuffle,
    Stand,
    Stumble,
    Walk,
)

SIDES = ("left", "right")


def _shuttle() -> list[Segment]:
    """Four seconds each way. The runner brakes with quick short steps, turns by 180 degrees, and runs back."""
    plan: list[Segment] = [Stand(3), Walk(6)]
    for k in range(8):
        plan += [Run(3.4, 172), Jog(1.4, 190, turns=[Cut(0.3, 180 if k % 2 else -180, 0.8, 0.65)])]
    return [*plan, Walk(4), Stand(3)]


def _zigzag() -> list[Segment]:
    """A turn every 1.6 s, by 60 to 100 degrees, alternately to either side."""
    cuts = [Cut(1.6 * k + 1.5, (1 if k % 2 else -1) * (60 + 10 * (k % 5)), 0.42, 0.4) for k in range(22)]
    return [Stand(3), Jog(4), Run(38, 170, turns=cuts), Walk(4), Stand(3)]


def _sharp_turns() -> list[Segment]:
    """A jog and a run with a turn of 90 degrees every three seconds."""
    jog = [Cut(3 * k + 2, 90 if k % 3 else -90, 0.6, 0.3) for k in range(9)]
    run = [Cut(3 * k + 2, -90 if k % 3 else 90, 0.5, 0.35) for k in range(9)]
    return [Stand(3), Jog(30, turns=jog), Run(30, turns=run), Walk(4), Stand(3)]


def _back_pedal() -> list[Segment]:
    """Run backward, turn by 180 degrees, sprint, walk."""
    plan: list[Segment] = [Stand(3)]
    for k in range(6):
        turn = Cut(0.0, 180 if k % 2 else -180, 0.6, 0.3)
        plan += [BackwardRun(4, 176), Run(4, 178, turns=[turn]), Walk(2), BackwardJog(3), Jog(3, turns=[turn]), Stand(1)]
    return [*plan, Stand(2)]


def _side_shuffle() -> list[Segment]:
    """Side shuffles to either side between runs."""
    return [Stand(3), Jog(5), *(s for k in range(6) for s in (SideShuffle(6, 168, towards=SIDES[k % 2]), Run(5, 172))), Walk(4), Stand(3)]


def _carioca() -> list[Segment]:
    """Carioca to either side between jogs."""
    return [Stand(3), Jog(5), *(s for k in range(6) for s in (Carioca(6, towards=SIDES[k % 2]), Jog(5))), Walk(4), Stand(3)]


def _stumbles() -> list[Segment]:
    """A walk, a jog, a run and a backward jog, each with a stumble every six seconds."""

    def caught(seconds: float) -> list[Stumble | Push]:
        return [Stumble(6 * k + 4, 0.6 + 0.2 * (k % 3)) for k in range(int(seconds / 6))]

    plan: list[Segment] = [Stand(3)]
    for gait in (Walk, Jog, Run, BackwardJog):
        plan += [gait(24, mishaps=caught(24)), Stand(2)]
    return [*plan, Stand(2)]


def _pushes() -> list[Segment]:
    """A jog, a run and a backward walk that are pushed from all sides every four seconds."""

    def pushed(seconds: float) -> list[Stumble | Push]:
        return [Push(4 * k + 3, 0.4 + 0.15 * (k % 4), 75 * k) for k in range(int(seconds / 4))]

    plan: list[Segment] = [Stand(3)]
    for gait in (Jog, Run, BackwardWalk):
        plan += [gait(24, mishaps=pushed(24)), Stand(2)]
    return [*plan, Stand(2)]


def _match() -> list[Segment]:
    """A mixture of all, as in a match."""
    plan: list[Segment] = [Stand(3), Walk(6), Jog(6)]
    for k in range(3):
        plan += [
            Run(5, 176, turns=[Cut(1.5, 70, 0.45), Cut(3.4, -80, 0.45)], mishaps=[Push(2.6, 0.6, 90 + 60 * k)]),
            Walk(2),
            SideShuffle(4, towards=SIDES[k % 2]),
            BackwardRun(4, 170),
            Run(4, 180, turns=[Cut(0.0, 180, 0.6)], mishaps=[Stumble(2.2, 0.7)]),
            Carioca(3, towards=SIDES[k % 2]),
            Jog(4, turns=[Cut(1.5, -120, 0.6)]),
            Stand(2),
        ]
    return [*plan, Walk(4), Stand(3)]


PLANS: dict[str, tuple[str, Callable[[], list[Segment]]]] = {
    "shuttle": ("shuttle runs, back and forth", _shuttle),
    "zigzag": ("a run with a turn every 1.6 s", _zigzag),
    "sharp_turns": ("jog and run with sharp turns", _sharp_turns),
    "back_pedal": ("back-pedal, turn and run, many times", _back_pedal),
    "side_shuffle": ("side shuffles between runs", _side_shuffle),
    "carioca": ("carioca between jogs", _carioca),
    "stumbles": ("walking and running with stumbles", _stumbles),
    "pushes": ("running and backward walking with pushes from all sides", _pushes),
    "match": ("turns, shuffles, back-pedalling and pushes as in a match", _match),
}
"""Name: (description, function that makes the segments)."""
