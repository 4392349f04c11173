"""The summary of one log: the columns of the store that the log alone determines."""

import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from retrostep_core import codes
from retrostep_core.code_names import GAP_NAMES
from retrostep_core.codes import BACKWARD, FORWARD, GAP_FLASH, RAMP, STOP, WARN
from retrostep_core.log import decoded, records
from retrostep_core.log.decoded import ZERO, decode
from retrostep_core.log.reader import LogError, direction_changes, read_log, scan

from retrostep.archive.backward_gait import MIN_BOUT_MS, backward_gait
from retrostep.archive.dating import TICKS_LAST_MS, ClockFact
from retrostep.archive.identifiers import IMPORTED, device_name, session_id, session_number
from retrostep.errors import DamagedData, UnsafeName

MAX_STEPS_PER_S = 6
"""No runner takes more steps a second. Totals above it contradict the duration."""

Span = tuple[int, int, int]
"""(start_ms, end_ms, direction) of a stretch of one direction."""


DETAIL_COLUMNS: dict[str, tuple[str, ...]] = {
    "bouts": decoded.Bout._fields,
    "epochs": ("t_ms", *decoded.Totals._fields, "cadence_x10", "peak_mg"),
    "alerts": decoded.Alert._fields,
    "gaps": decoded.Gap._fields,
    "loads": decoded.Load._fields,
    "marks": decoded.Mark._fields,
}
"""The tables of a session's details, and their columns in the order of the rows in `LogSummary.details`."""

Details = dict[str, list[tuple[int, ...]]]
"""Rows of the tables of a session's details, by the table's name."""


@dataclass(frozen=True)
class LogSummary:
    """One log, summarized: its columns of the table `sessions`, the rows of its details, and its clock facts."""

    session: dict[str, Any]
    details: Details
    clock_facts: list[ClockFact]

    @property
    def key(self) -> tuple[str, int, int]:
        """Which log it is: device, session number, generation."""
        return self.session["device"], self.session["number"], self.session["generation"]

    @property
    def identity(self) -> tuple[int, int]:
        """(length, CRC-32) of the log's bytes."""
        return self.session["log_length"], self.session["log_crc"]

    @property
    def damage(self) -> tuple[int, int]:
        """(bytes that were skipped as damaged, records that are lost); both are 0 for a complete log."""
        return self.session["damage"], self.session["lost_records"]

    @property
    def is_damaged(self) -> bool:
        """Whether anything of the log is damaged or lost."""
        return any(self.damage)


def summarize_log(data: bytes, device: str | None = None, number: int | None = None, generation: int | None = None) -> LogSummary:
    """The summary of the log `data`. A `device`, session `number` or `generation` that is given must be that of the log's header.

    Raises DamagedData where there is no session to summarize: no header, another format version, another device's, session's or
    generation's log, or impossible times. UnsafeName for a header with an impossible name. Damage after the header is counted.
    """
    if device is not None and number is not None:
        name = f"session {session_id(device_name(device), session_number(number))}"
    else:
        name = "a session"
    try:
        log: Any = read_log(data)
    except LogError as error:
        raise DamagedData(f"The log of {name} cannot be read: {error}.") from error
    header = log.header
    if header.device == IMPORTED:
        raise UnsafeName(f"{IMPORTED} is no device's name: it stands for imported files.")
    if header.device != (device or header.device) or header.session != (number or header.session):
        raise DamagedData(f"The log received as {name} is that of session {header.session} of {ascii(header.device)}.")
    if header.generation != (header.generation if generation is None else generation):
        raise DamagedData(f"The log received as {name} is of another generation of the device: its flash was erased in between.")
    name = session_id(device_name(header.device), session_number(header.session))
    if header.start_ticks_ms >= TICKS_LAST_MS:
        raise DamagedData(f"The log of session {name} starts {header.start_ticks_ms} ms after the board, which is impossible.")
    return LogSummary(
        session=_session_columns(log, data),
        details=details_of(log),
        clock_facts=[
            fact for clock in log.clocks if (fact := ClockFact(header.boot, clock.ticks_ms, clock.epoch_ms, clock.source)).is_plausible()
        ],
    )


def details_of(log: Any) -> Details:
    """The rows of a log's details, as plain tuples."""
    return {
        "bouts": list(map(tuple, log.bouts)),
        "epochs": [(t_ms, *totals, cadence_x10, peak_mg) for t_ms, totals, cadence_x10, peak_mg in log.epochs],
        "alerts": list(map(tuple, log.alerts)),
        "gaps": joined_gaps(log.gaps),
        "loads": list(map(tuple, log.loads)),
        "marks": list(map(tuple, log.marks)),
    }


def joined_gaps(gaps: Iterable[tuple[int, int, int]]) -> list[tuple[int, ...]]:
    """The gaps, as (from_ms, to_ms, reason). One that continues the gap before it, for the same reason, is joined to it.

    A device reports a fault that lasts piece by piece.
    """
    joined: list[tuple[int, ...]] = []
    for from_ms, to_ms, reason in gaps:
        if joined and joined[-1][1:] == (from_ms, reason):
            joined[-1] = joined[-1][0], to_ms, reason
        else:
            joined.append((from_ms, to_ms, reason))
    return joined


def generation_of(data: bytes, default: int = 0) -> int:
    """The generation in a log's header, without reading the rest of the log; `default` where there is no readable header."""
    for _, kind, _, payload in scan(data[: 4 * records.MAX_RECORD]):
        if kind == records.HEADER:
            try:
                return int(decode(kind, payload).generation)
            except ValueError:
                break
    return default


def weighted_median(values: Iterable[tuple[int, int]]) -> int:
    """The smallest value with at least half of the weight at or below it, from (value, weight) pairs; 0 where there are none."""
    ordered = sorted(pair for pair in values if pair[1] > 0)
    half = sum(weight for _, weight in ordered)
    seen = 0
    for value, weight in ordered:
        seen += 2 * weight
        if seen >= half:
            return value
    return 0


def _session_columns(log: Any, data: bytes) -> dict[str, Any]:
    header = log.header
    return {
        "device": header.device,
        "generation": header.generation,
        "number": header.session,
        "boot": header.boot,
        "start_ticks_ms": header.start_ticks_ms,
        **movement_columns(log),
        "core_version": ".".join(str(part) for part in header.core_version),
        "core_hash": header.core_hash.hex(),
        "board": header.board,
        "placement": header.placement,
        "side": header.side,
        "mount": header.mount,
        "found_mount": log.mounts[-1].mount if log.mounts else "",
        "trigger": header.trigger,
        "limits": header.limits.hex(),
        "log_length": len(data),
        "log_crc": binascii.crc32(data),
    }


def movement_columns(log: Any) -> dict[str, Any]:
    """The columns of a session that follow from its movement, from a `retrostep_core.log.reader.Log`."""
    spans = _spans(direction_changes(log.directions), log.duration_ms)
    backward = [(start, end) for start, end, direction in spans if direction == BACKWARD]
    gait = backward_gait(log, backward)
    first_backward_ms = _first_bout(backward)
    warm_up_end = log.duration_ms if first_backward_ms is None else first_backward_ms
    last_backward_ms = max((end for _, end in backward), default=0)
    ramps = [alert.severity for alert in log.alerts if alert.kind == RAMP]
    # Steps are counted while the flash is full; only their times are missing.
    gaps = joined_gaps(gap for gap in log.gaps if gap.reason != GAP_FLASH)
    return {
        "duration_ms": log.duration_ms,
        **log.totals._asdict(),
        "longest_backward_ms": max((end - start for start, end in backward), default=0),
        "first_backward_ms": first_backward_ms,
        "warm_up_ms": sum(min(end, warm_up_end) - start for start, end, what in spans if what == FORWARD and start < warm_up_end),
        "backward_walk_ms": gait.walk_ms,
        "backward_stage": gait.stage,
        "backward_contacts": gait.contacts,
        "backward_impact_g8": gait.impact_g8,
        "backward_cadence_x10": _backward_cadence_x10(log),
        "ramp_warns": ramps.count(WARN),
        "ramp_stops": ramps.count(STOP),
        "warm_up_mark": any(mark.mark == codes.MARK_WARM_UP for mark in log.marks),
        "stretch_mark": any(mark.mark == codes.MARK_STRETCH and mark.at_ms >= last_backward_ms for mark in log.marks),
        "gaps": len(gaps),
        "gap_ms": sum(max(0, to_ms - from_ms) for from_ms, to_ms, _ in gaps),
        "gap_reasons": _bits(gap.reason for gap in log.gaps if gap.reason != GAP_FLASH),
        "end_reason": log.end.reason if log.closed else 0,
        "damage": sum(damage.length for damage in log.damage),
        "lost_records": sum(damage.missing for damage in log.damage),
        "contradictory": _is_contradictory(log),
    }


def _bits(reasons: Iterable[int]) -> int:
    """A bit for each reason of a gap. The last bit stands for all that this version does not know."""
    bits = 0
    for reason in reasons:
        bits |= 1 << min(reason, len(GAP_NAMES))
    return bits


def _first_bout(backward: list[tuple[int, int]]) -> int | None:
    """Start of the first backward stretch that is long enough to end the warm-up, or of the first one where none is.

    A shorter one is a step back or a turn.
    """
    starts = [start for start, end in backward if end - start >= MIN_BOUT_MS] or [start for start, _ in backward]
    return starts[0] if starts else None


def _spans(directions: Iterable[tuple[int, int]], end_ms: int) -> list[Span]:
    """Every stretch of one direction up to `end_ms`, in order, from (since_ms, direction) pairs."""
    spans: list[Span] = []
    for since, direction in directions:
        start = min(since, end_ms)
        if spans:
            spans[-1] = (spans[-1][0], start, spans[-1][2])
        spans.append((start, end_ms, direction))
    joined: list[Span] = []
    for start, end, direction in spans:
        if joined and joined[-1][2] == direction:
            joined[-1] = (joined[-1][0], end, direction)
        else:
            joined.append((start, end, direction))
    return [span for span in joined if span[1] > span[0]]


def _backward_cadence_x10(log: Any) -> int:
    """Median cadence of the backward epochs. Where no complete epoch is backward: of the backward bouts, weighted by steps."""
    before = ZERO
    of_epochs = []
    for epoch in log.epochs:
        forward, backward = epoch.totals.forward_ms - before.forward_ms, epoch.totals.backward_ms - before.backward_ms
        if backward > forward and backward >= MIN_BOUT_MS and epoch.cadence_x10:
            of_epochs.append((epoch.cadence_x10, 1))
        before = epoch.totals
    of_bouts = [(bout.cadence_mean_x10, bout.steps) for bout in log.bouts if bout.direction == BACKWARD and bout.cadence_mean_x10]
    return weighted_median(of_epochs or of_bouts)


def _is_contradictory(log: Any) -> bool:
    """Whether the totals are impossible: more movement than time, or more steps than a runner takes."""
    totals = log.totals
    moved = totals.forward_ms + totals.backward_ms
    steps = totals.forward_steps + totals.backward_steps + totals.unknown_steps
    return bool(moved > log.duration_ms + 1_000 or steps > (log.duration_ms // 1_000 + 2) * MAX_STEPS_PER_S)
