"""What one log adds up to: the row of the store's `sessions` that can be told from the log alone, and the details that go with it."""

import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from retrostep_core.gait.codes import BACKWARD, FORWARD, GAP_FLASH, RAMP, STOP, WARN
from retrostep_core.log import records
from retrostep_core.log.decoded import decode
from retrostep_core.log.reader import LogError, read_log, scan, timeline

from retrostep.archive.dating import TICKS_LAST_MS, ClockFact
from retrostep.archive.names import device_name, session_id, session_number
from retrostep.errors import DamagedData

BOUT_LEAST_MS = 5_000
"""A backward stretch shorter than this does not end the warm-up (a step back, a turn). An engineering number."""

STEPS_PER_S_LAST = 6
"""More steps a second than anybody runs: totals beyond it contradict themselves."""


@dataclass(frozen=True)
class Digest:
    """A log's facts: `session` and the details are columns of the tables of the same name."""

    session: dict[str, Any]
    bouts: list[dict[str, int]]
    epochs: list[dict[str, int]]
    alerts: list[dict[str, int]]
    gaps: list[dict[str, int]]
    marks: list[dict[str, int]]
    clock_facts: list[ClockFact]


def digest(device: str, number: int, data: bytes, life: int = 0) -> Digest:
    """What the log `data` of session `number` of `device`, in that life of it, adds up to.

    Damage inside the log is counted in `damage` and `lost_records`. DamagedData where there is no session to tell of: no header, another
    format version, another device's or another session's log, or times that cannot be.
    """
    name = session_id(device_name(device), session_number(number))
    try:
        log: Any = read_log(data)
    except LogError as error:
        raise DamagedData(f"The log of session {name} cannot be read: {error}.") from error
    header = log.header
    if (header.device, header.session) != (device, number):
        raise DamagedData(f"The log that came as session {name} says it is {ascii(header.device)}/{header.session}.")
    if header.life != life:
        raise DamagedData(f"The log that came as session {name} is of another life of the device: its flash was erased in between.")
    if header.start_ticks_ms >= TICKS_LAST_MS:
        raise DamagedData(f"The log of session {name} says it began {header.start_ticks_ms} ms after the board's start, which cannot be.")

    stretches = _stretches(timeline(log.directions), log.duration_ms)
    backward = [(start, end) for start, end, direction in stretches if direction == BACKWARD]
    counted = [start for start, end in backward if end - start >= BOUT_LEAST_MS] or [start for start, _ in backward]
    first_backward_ms = counted[0] if counted else None
    warm_up_end = log.duration_ms if first_backward_ms is None else first_backward_ms
    totals = log.totals
    ramps = [alert.severity for alert in log.alerts if alert.kind == RAMP]
    last_backward_ms = max((end for _, end in backward), default=0)
    # Where flash was short nothing is unknown but when each step was.
    unknown = [gap for gap in log.gaps if gap.reason != GAP_FLASH]
    return Digest(
        session={
            "device": device,
            "life": life,
            "number": number,
            "boot": header.boot,
            "start_ticks_ms": header.start_ticks_ms,
            "duration_ms": log.duration_ms,
            "forward_steps": totals.forward_steps,
            "backward_steps": totals.backward_steps,
            "unknown_steps": totals.unknown_steps,
            "forward_ms": totals.forward_ms,
            "backward_ms": totals.backward_ms,
            "longest_backward_ms": max((end - start for start, end in backward), default=0),
            "first_backward_ms": first_backward_ms,
            "warm_up_ms": sum(min(end, warm_up_end) - start for start, end, what in stretches if what == FORWARD and start < warm_up_end),
            "backward_cadence_x10": _backward_cadence_x10(log),
            "ramp_warns": ramps.count(WARN),
            "ramp_stops": ramps.count(STOP),
            "warm_up_mark": any(mark.mark == records.MARK_WARM_UP for mark in log.marks),
            "stretch_mark": any(mark.mark == records.MARK_STRETCH and mark.at_ms >= last_backward_ms for mark in log.marks),
            "gaps": len(unknown),
            "gap_ms": sum(max(0, gap.to_ms - gap.from_ms) for gap in unknown),
            "end_reason": log.end.reason if log.closed else 0,
            "damage": sum(damage.length for damage in log.damage),
            "lost_records": sum(damage.missing for damage in log.damage),
            "contradictory": _contradicts_itself(log),
            "core_version": ".".join(str(part) for part in header.core_version),
            "core_hash": header.core_hash.hex(),
            "board": header.board,
            "placement": header.placement,
            "side": header.side,
            "trigger": header.trigger,
            "limits": header.limits.hex(),
            "log_length": len(data),
            "log_crc": binascii.crc32(data),
        },
        bouts=[bout._asdict() for bout in log.bouts],
        epochs=[
            {"t_ms": epoch.t_ms, **epoch.totals._asdict(), "cadence_x10": epoch.cadence_x10, "peak_mg": epoch.peak_mg}
            for epoch in log.epochs
        ],
        alerts=[alert._asdict() for alert in log.alerts],
        gaps=[gap._asdict() for gap in log.gaps],
        marks=[mark._asdict() for mark in log.marks],
        clock_facts=[
            fact for clock in log.clocks if (fact := ClockFact(header.boot, clock.ticks_ms, clock.epoch_ms, clock.source)).is_plausible()
        ],
    )


def life_of(data: bytes, otherwise: int = 0) -> int:
    """In which life of its device a log was written, as its header tells; `otherwise` where there is none."""
    for _, kind, _, payload in scan(data[: 4 * records.MAX_RECORD]):
        if kind == records.HEADER:
            try:
                return int(decode(kind, payload).life)
            except ValueError:
                break
    return otherwise


def _stretches(said: Iterable[tuple[int, int]], end_ms: int) -> list[tuple[int, int, int]]:
    """(start, end, direction) of every stretch of one direction, in order, up to `end_ms`."""
    stretches: list[tuple[int, int, int]] = []
    for since, direction in said:
        start = min(since, end_ms)
        if stretches:
            stretches[-1] = (stretches[-1][0], start, stretches[-1][2])
        stretches.append((start, end_ms, direction))
    joined: list[tuple[int, int, int]] = []
    for start, end, direction in stretches:
        if joined and joined[-1][2] == direction:
            joined[-1] = (joined[-1][0], end, direction)
        else:
            joined.append((start, end, direction))
    return [stretch for stretch in joined if stretch[1] > stretch[0]]


def _backward_cadence_x10(log: Any) -> int:
    """Median cadence of the backward epochs; of the backward bouts, by steps, where no whole epoch was backward."""
    before = records.ZERO
    of_epochs = []
    for epoch in log.epochs:
        forward, backward = epoch.totals.forward_ms - before.forward_ms, epoch.totals.backward_ms - before.backward_ms
        if backward > forward and backward >= BOUT_LEAST_MS and epoch.cadence_x10:
            of_epochs.append((epoch.cadence_x10, 1))
        before = epoch.totals
    of_bouts = [(bout.cadence_mean_x10, bout.steps) for bout in log.bouts if bout.direction == BACKWARD and bout.cadence_mean_x10]
    return weighted_median(of_epochs or of_bouts)


def weighted_median(values: Iterable[tuple[int, int]]) -> int:
    """The value that half of the weight of (value, weight) does not exceed; 0 of nothing."""
    ordered = sorted(pair for pair in values if pair[1] > 0)
    half = sum(weight for _, weight in ordered)
    seen = 0
    for value, weight in ordered:
        seen += 2 * weight
        if seen >= half:
            return value
    return 0


def _contradicts_itself(log: Any) -> bool:
    """Whether the totals cannot be: more movement than time, or more steps than anybody takes."""
    totals = log.totals
    moved = totals.forward_ms + totals.backward_ms
    steps = totals.forward_steps + totals.backward_steps + totals.unknown_steps
    return bool(moved > log.duration_ms + 1_000 or steps > (log.duration_ms // 1_000 + 2) * STEPS_PER_S_LAST)
