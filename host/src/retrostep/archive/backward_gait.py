"""How an athlete moved backward in one recording: walking, jogging or running, from what its log measured.

Method:
1. The backward time of a log is cut at its EPOCHs, about every 10 s. Pieces of less than 3 s are joined to the next one.
2. The cadence of a piece is its backward steps over its backward time; where the whole epoch was backward, the epoch's own median.
3. Below the first zone of `_ZONES` a piece is walking, above it jogging; above the second zone it is running.
4. Within a zone the impact decides: a foot that lands after a flight phase lands harder. Where the log has no impact, or one between the
   two limits, the middle of the zone decides.
5. The stage of a recording is the fastest gait with at least MIN_STAGE_MS of it or of a faster one, and a bout of MIN_BOUT_MS in it.

All limits are engineering numbers: no published classifier of backward gait from one sensor was found. Backward walking turns into
running near 1.85 m/s (J Sports Sci Med 4:446), and at equal speed backward gait has the higher step frequency (J Exp Biol 215:75).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from retrostep_core.codes import BACKWARD

NONE, WALK, JOG, RUN = 0, 1, 2, 3
GAIT_NAMES = ("none", "walk", "jog", "run")

MIN_STAGE_MS = 10_000
"""Less time in a gait is a few steps. An engineering number."""

MIN_BOUT_MS = 5_000
"""The shortest backward bout that shows a stage: 20 m, the distance of the trials, take 5 to 7 s."""

_MIN_PIECE_MS = 3_000
"""In a shorter time one step more or less is a tenth of the cadence."""


class _Zone(NamedTuple):
    """Where two gaits overlap: cadence from `low` to `high` in 0.1 steps a minute, mean axial impact from `light` to `heavy` in 1/8 g."""

    low_x10: int
    high_x10: int
    light_g8: int
    heavy_g8: int

    def is_faster(self, cadence_x10: float, impact_g8: int | None) -> bool:
        """Whether a piece belongs to the faster one of the two gaits."""
        if self.low_x10 <= cadence_x10 < self.high_x10 and impact_g8 is not None and not self.light_g8 < impact_g8 < self.heavy_g8:
            return impact_g8 >= self.heavy_g8
        return cadence_x10 >= (self.low_x10 + self.high_x10) / 2


_ZONES = (_Zone(1_200, 1_500, 14, 18), _Zone(1_600, 1_900, 24, 32))
"""Between walking and jogging, and between jogging and running."""

WALK_MOST_SPM, JOG_LEAST_SPM = _ZONES[0].low_x10 // 10, _ZONES[0].high_x10 // 10
"""Below the first it is walking and from the second on jogging, whatever the impact; in steps a minute."""


class _Piece(NamedTuple):
    start_ms: int
    end_ms: int
    backward_ms: int
    gait: int


@dataclass(frozen=True)
class BackwardGait:
    """Backward gait of a recording.

    walk_ms     backward time that was walking; the rest was jogging or running
    stage       the fastest gait that was reached: NONE, WALK, JOG or RUN
    contacts    backward contacts of the worn leg whose impact was measured
    impact_g8   the sum of their peaks along the shank, in 1/8 g
    """

    walk_ms: int
    stage: int
    contacts: int
    impact_g8: int


def backward_gait(log: Any, bouts: Sequence[tuple[int, int]]) -> BackwardGait:
    """The backward gait in a log that was read. `bouts`: (start_ms, end_ms) of its backward stretches."""
    loads = [load for load in log.loads if load.direction == BACKWARD and load.count]
    pieces = list(_pieces(log))
    moved_ms = sum(piece.backward_ms for piece in pieces)
    walk_ms = sum(piece.backward_ms for piece in pieces if piece.gait == WALK)
    backward_ms = log.totals.backward_ms
    return BackwardGait(
        walk_ms=backward_ms * walk_ms // moved_ms if moved_ms else 0,
        stage=next((gait for gait in (RUN, JOG, WALK) if _is_reached(gait, pieces, bouts)), NONE),
        contacts=sum(load.count for load in loads),
        impact_g8=sum(load.count * load.axial_mean_g8 for load in loads),
    )


def _is_reached(gait: int, pieces: Sequence[_Piece], bouts: Sequence[tuple[int, int]]) -> bool:
    fast = [piece for piece in pieces if piece.gait >= gait]
    if sum(piece.backward_ms for piece in fast) < MIN_STAGE_MS:
        return False
    long = [(start, end) for start, end in bouts if end - start >= MIN_BOUT_MS]
    return any(start < piece.end_ms and end > piece.start_ms for piece in fast for start, end in long)


def _pieces(log: Any) -> Iterator[_Piece]:
    """The backward time of a log in pieces, in order."""
    impacts = {load.t_ms // 1_000: load.axial_mean_g8 for load in log.loads if load.direction == BACKWARD and load.count}
    totals = log.totals
    ends = [(epoch.t_ms, epoch.totals, epoch.cadence_x10) for epoch in log.epochs]
    if not ends or ends[-1][1].backward_ms < totals.backward_ms:
        ends.append((log.duration_ms, totals, 0))
    start_ms = steps = backward_ms = forward_ms = known_steps = known_ms = known_forward_ms = 0
    impact_g8 = None
    for place, (end_ms, known, cadence_x10) in enumerate(ends):
        steps += known.backward_steps - known_steps
        backward_ms += known.backward_ms - known_ms
        forward_ms += known.forward_ms - known_forward_ms
        known_steps, known_ms, known_forward_ms = known.backward_steps, known.backward_ms, known.forward_ms
        impact_g8 = impacts.get(min(end_ms // 1_000, 65_535), impact_g8)
        if backward_ms < _MIN_PIECE_MS and place + 1 < len(ends):
            continue
        if backward_ms > 0:
            is_plain = cadence_x10 > 0 and forward_ms <= 0
            yield _Piece(start_ms, end_ms, backward_ms, _gait(cadence_x10 if is_plain else steps * 600_000 / backward_ms, impact_g8))
        start_ms, steps, backward_ms, forward_ms, impact_g8 = end_ms, 0, 0, 0, None


def _gait(cadence_x10: float, impact_g8: int | None) -> int:
    return WALK + sum(zone.is_faster(cadence_x10, impact_g8) for zone in _ZONES)
