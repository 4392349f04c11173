"""Whether a manual date is possible, by what else is known of the device."""

from collections.abc import Iterable

from retrostep.archive.dating import TOLERANCE_MS, is_possible_clock
from retrostep.archive.entry_values import BEGINNING_MS
from retrostep.archive.schema import SessionRow
from retrostep.errors import AfterReceipt, Contradiction, ImpossibleDate
from retrostep.units import local_time


def check_manual_date(row: SessionRow, sessions: Iterable[SessionRow], began_ms: int, now_ms: int, clock_was_wrong: bool = False) -> None:
    """Return where the session `row` can have started at `began_ms`. `sessions` are all of the same device and generation.

    Raises ImpossibleDate where it would not be over yet, or outside its bounds; AfterReceipt where it would not have been over when its
    log was received. Raises Contradiction where another boot of the device, whose date is known, would not be before or after it as the
    device recorded it. `clock_was_wrong`: the computer's clock was wrong at the receipt, so that neither receipt nor bounds count.
    """
    _check_alone(row, began_ms, now_ms, clock_was_wrong)
    sessions = list(sessions)
    boot_at_ms = began_ms - row.start_ticks_ms
    same_boot = [(boot_at_ms + other.start_ticks_ms, other.duration_ms) for other in sessions if other.boot == row.boot]
    first_ms, last_ms = min(start for start, _ in same_boot), max(start + length for start, length in same_boot)
    for other in sorted(sessions, key=lambda other: (other.boot, other.start_ticks_ms)):
        if other.started_at_ms is None or other.boot == row.boot:
            continue
        ended_ms = other.started_at_ms + other.duration_ms
        if other.boot < row.boot and ended_ms > first_ms + TOLERANCE_MS:
            why = f"The device recorded session {other.name} before {row.name}, and that one ended at {local_time(ended_ms)}."
            raise Contradiction(why, session=other.name)
        if other.boot > row.boot and last_ms > other.started_at_ms + TOLERANCE_MS:
            why = f"The device recorded session {other.name} after {row.name}, and that one began at {local_time(other.started_at_ms)}."
            raise Contradiction(why, session=other.name)
    if not clock_was_wrong:
        _check_bounds(row, began_ms)


def _check_alone(row: SessionRow, began_ms: int, now_ms: int, clock_was_wrong: bool) -> None:
    if began_ms + row.duration_ms > now_ms + TOLERANCE_MS:
        raise ImpossibleDate(f"Session {row.name} would not be over yet: it lasted {row.duration_ms / 60_000:.0f} minutes.")
    if clock_was_wrong or not is_possible_clock(row.received_at_ms):
        return
    # The bounds, or the date, are later than the receipt where other clocks contradict the one of the receipt.
    over_by_ms = max(row.received_at_ms, 0 if row.dated == "manual" else row.not_after_ms + row.duration_ms)
    if began_ms + row.duration_ms > over_by_ms + TOLERANCE_MS:
        received = local_time(row.received_at_ms)
        why = f"Session {row.name} was over when its log was received, at {received} by the computer's clock: enter an earlier time."
        raise AfterReceipt(why, session=row.name)


def _check_bounds(row: SessionRow, began_ms: int) -> None:
    if row.started_at_ms is not None or row.clock_spread_ms:
        return
    earliest = BEGINNING_MS if row.not_before_ms is None else row.not_before_ms
    if not earliest - TOLERANCE_MS <= began_ms <= row.not_after_ms + TOLERANCE_MS:
        since = "" if row.not_before_ms is None else f"not before {local_time(row.not_before_ms)} and "
        raise ImpossibleDate(f"Session {row.name} was {since}not after {local_time(row.not_after_ms)}, by the syncs of the device.")
