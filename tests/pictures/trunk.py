"""The shapes of steps at the waist that the engine compares, and its evidence."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from motion import Segment, Wear, generate
from retrostep.replay.imu import blocks
from retrostep.replay.recording import ImuRecording
from retrostep_core.codes import WAIST
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits

from pictures.engine_run import SEED, EngineRun

# The last steps that the engine looked at together.
STEPS = 8


@dataclass
class TrunkSteps:
    """The steps, or what was taken for them: of each the vertical force (g) in eight parts; and the evidence for them, in log odds."""

    name: str
    shapes: list[list[float]] = field(default_factory=list)
    evidence: float = 0.0
    repeated: float = 0.0
    """The share of the harmonics that repeats a stride later."""
    across: float = 0.0
    """The horizontal force beside the vertical one."""
    counted: int = 0


def trunk_steps(name: str, plan: Sequence[Segment], seed: int = SEED) -> TrunkSteps:
    """Run the engine over the plan's motion at the waist. The result is where it looked at the most steps together."""
    made = generate(plan, seed, Wear(place="waist"))
    columns = [array("d", column) for column in zip(*made.samples, strict=True)]
    recording = ImuRecording("generated", WAIST, t_s=array("d", [k / made.rate_hz for k in range(len(made.samples))]), values=columns)
    run = EngineRun()
    engine = Engine(run, Limits(), WAIST)
    shape = engine._detector._shape
    shapes: list[list[float]] = []
    found = TrunkSteps(name)
    add, restart, evidence = shape.add, shape.restart, shape.evidence

    def note_add(from_ms: int, to_ms: int, now_ms: int) -> None:
        add(from_ms, to_ms, now_ms)
        shapes.append([part / 500 for part in shape._parts])

    def note_restart() -> None:
        shapes.clear()
        restart()

    def note_evidence(period_ms: int) -> int:
        value: int = evidence(period_ms)
        if len(shapes) >= max(len(found.shapes), STEPS - 2) and 10 < now_s < 22:
            plain = 0 if shape._energy[0] > shape._energy[1] else 1
            harmonics = [k for k in range(3) if k != plain]
            found.shapes = shapes[-STEPS:]
            found.evidence = value / 4
            found.repeated = sum(shape._repeated[k] for k in harmonics) / max(1, sum(shape._energy[k] for k in harmonics))
            found.across = float((shape.horizontal_2 / shape.vertical_2) ** 0.5)
        return value

    shape.add, shape.restart, shape.evidence = note_add, note_restart, note_evidence
    for block in blocks(recording):
        now_s = block.t0_ms / 1000
        engine.samples(block.samples, block.n, block.t0_ms, block.period_us)
    engine.finish(block.t0_ms)
    found.counted = len(run.steps)
    return found
