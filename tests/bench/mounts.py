"""Worn any way round: the labelled shank recordings, turned in all 24 right-angled ways, and tipped or twisted on top of that."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import permutations, product

import numpy as np
from retrostep_core.codes import BACKWARD, FORWARD, SHANK
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.units import AS_DECLARED, parse_mount
from support.places import DATA

from bench.inputs import labelled, rows, scorer
from bench.parallel import run_parallel
from bench.tables import figure, section, table

PERIOD_US = 9615
BLOCK = 12
# DESIGN's bars: no second in the wrong direction, and this share right after ten strides (20 steps).
STEPS_LEAST = 20
RIGHT_PCT_LEAST = 99.0
# As in the scorer: so long after a label changes, nothing is expected.
CHANGE_SAMPLES = int(1.5 * 104)
Matrix = np.ndarray


def _turned(axis: int, degrees: float) -> Matrix:
    """The rotation about body axis 0 forward, 1 left or 2 up."""
    out = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    out[a, a] = out[b, b] = np.cos(np.radians(degrees))
    out[b, a] = np.sin(np.radians(degrees))
    out[a, b] = -out[b, a]
    return out


WAYS: list[Matrix] = [
    way
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
    if np.linalg.det(way := np.eye(3)[list(order)] * np.array(signs)[:, None]) > 0
]
"""Sensor = way @ body, for the 24 right-angled ways."""
AS_IT_IS: dict[str, Matrix] = {"straight": np.eye(3)}
TIPS: dict[str, Matrix] = {
    f"{name} by {degrees:+d}": _turned(axis, degrees)
    for axis, name in ((1, "tipped forward or back"), (0, "tipped to the side"), (2, "twisted about the leg"))
    for degrees in (-30, 30)
}


@dataclass
class Seconds:
    """Labelled seconds of forward and backward, and what the engine made of them."""

    labelled: float = 0.0
    wrong: float = 0.0
    """Live: backward for forward or the other way round."""
    wrong_in_log: float = 0.0
    """The same with what was corrected later."""
    late: float = 0.0
    """After ten strides."""
    right: float = 0.0
    """Of those: live and right."""

    def __add__(self, other: "Seconds") -> "Seconds":
        return Seconds(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


class Sink:
    """Keeps what the engine reports about steps and directions."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.directions: list[tuple[int, int, int]] = []

    def step(self, t_ms: int, at_ms: int, direction: int) -> None:
        """A step."""
        self.steps.append(t_ms)

    def direction(self, at_ms: int, since_ms: int, direction: int) -> None:
        """A change of direction."""
        self.directions.append((at_ms, since_ms, direction))

    def cadence(self, *values: int) -> None:
        """Not needed."""

    alert = gap = found_mount = cadence


def played(t_s: np.ndarray, force: np.ndarray, gyro: np.ndarray, mounted: bool = True) -> tuple[Sink, Engine]:
    """The engine after samples of n x 3 g and degrees per second in body axes, as a board with a declared mount feeds them."""
    samples = np.clip(np.rint(np.hstack([force * 1000, gyro * 10])), -32767, 32767).astype("<i2")
    sink = Sink()
    engine = Engine(sink, Limits(), SHANK, 0, mounted)
    for start in range(0, len(t_s), BLOCK):
        block = samples[start : start + BLOCK]
        engine.samples(array("h", block.tobytes()), len(block), int(t_s[start] * 1000), PERIOD_US)
    engine.finish(int(t_s[-1] * 1000))
    return sink, engine


def worn(row: dict[str, str], ways: list[Matrix], tips: dict[str, Matrix]) -> tuple[dict[str, Seconds], int]:
    """({tip: seconds} of one recording worn in these ways, each with these tips; in how many of all that the mount was found)."""
    data = scorer().load(str(DATA), row)
    axes = np.zeros((3, 3))
    for k, (index, sign) in enumerate(parse_mount(row["mount"]) or AS_DECLARED):
        axes[k, index] = sign
    t_s, force, gyro = data["t"], data["acc"] @ axes.T, data["gyr"] @ axes.T
    steps = np.sort(data["steps"]) if row["steps_kind"] == "both_feet" else np.array(played(t_s, force, gyro)[0].steps) / 1000
    late = t_s > (steps[STEPS_LEAST - 1] if len(steps) >= STEPS_LEAST else t_s[-1])
    counted: dict[str, Seconds] = {}
    found = 0
    for way, (name, tip) in product(ways, tips.items()):
        turn = way @ tip
        sink, engine = played(t_s, force @ turn.T, gyro @ turn.T)
        found += np.array_equal(_matrix(engine.mount), way.T)
        counted[name] = counted.get(name, Seconds()) + _seconds(t_s, data["direction"], sink, late)
    return counted, found


def _matrix(mount: tuple[tuple[int, int], ...]) -> Matrix:
    out = np.zeros((3, 3))
    for k, (index, sign) in enumerate(mount):
        out[k, index] = sign
    return out


def _seconds(t_s: np.ndarray, label: np.ndarray, sink: Sink, late: np.ndarray) -> Seconds:
    wanted = np.select([label == 1, label == -1], [FORWARD, BACKWARD], 0)
    counts = wanted > 0
    for change in (0, *np.flatnonzero(np.diff(label)) + 1):
        counts[change : change + CHANGE_SAMPLES] = False
    live = np.zeros(len(t_s), int)
    logged = np.zeros(len(t_s), int)
    for at_ms, since_ms, direction in sink.directions:
        live[np.searchsorted(t_s, at_ms / 1000) :] = direction
        logged[np.searchsorted(t_s, since_ms / 1000) :] = direction
    opposite = FORWARD + BACKWARD - wanted
    at_end = counts & late
    parts = (counts, counts & (live == opposite), counts & (logged == opposite), at_end, at_end & (live == wanted))
    return Seconds(*(float(part.sum()) / 104 for part in parts))


def shank_rows() -> Iterator[dict[str, str]]:
    """The labelled recordings of a shank with labelled directions."""
    for row in rows():
        if row["placement"] == "shank" and float(row["forward_s"] or 0) + float(row["backward_s"] or 0) > 0:
            yield row


def run() -> None:
    """A table by data set: all 24 ways; and one by tip: every sixth way."""
    section(
        "Worn any way round",
        "The declared mount is that of the recording; the sensor sits in another one. Seconds: labelled forward or backward, from 1.5 s "
        "after a change. Wrong: the other direction, live, and in the log with what was corrected. Right: live, after 20 steps.",
    )
    if not labelled():
        return
    found = list(shank_rows())
    straight = run_parallel(worn, [(row, WAYS, AS_IT_IS) for row in found])
    tipped = run_parallel(worn, [(row, WAYS[::6], TIPS) for row in found])
    _table("24 ways", [(row["dataset"], counted["straight"], n) for row, (counted, n) in zip(found, straight, strict=True)], len(WAYS))
    _table("Four ways, tipped or twisted", [(tip, seconds, 0) for counted, _ in tipped for tip, seconds in counted.items()], 0)


def _table(title: str, parts: list[tuple[str, Seconds, int]], ways: int) -> None:
    by_name: dict[str, tuple[int, Seconds, int]] = {}
    for name, seconds, n in [*parts, *(("all", seconds, n) for _, seconds, n in parts)]:
        before = by_name.get(name, (0, Seconds(), 0))
        by_name[name] = before[0] + 1, before[1] + seconds, before[2] + n
    lines = []
    for name, (count, seconds, n) in by_name.items():
        right = 100 * seconds.right / seconds.late if seconds.late else None
        lines.append(
            [
                name,
                count,
                f"{seconds.labelled:.0f}",
                figure(seconds.wrong, 1, None, 0.0),
                figure(seconds.wrong_in_log, 1, None, 0.0),
                f"{seconds.late:.0f}",
                figure(right, 2, RIGHT_PCT_LEAST),
                f"{100 * n / (count * ways):.1f}" if ways else "",
            ]
        )
    columns = ("", "recordings", "s", "wrong, s", "wrong in the log, s", "s after ten strides", "right, %", "mount found, %")
    table(title, columns, lines, bold=[len(lines) - 1])
