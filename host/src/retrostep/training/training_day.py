"""Sums of the sessions of one day, for days that are compared with and not judged.

A check judges one week and compares it with many weeks before. Adding those up by day takes a fraction of the time that a TrainingSession
for each session would take.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import compress
from operator import not_, sub
from typing import NamedTuple

from retrostep.archive.backward_gait import RUN
from retrostep.archive.queries import NOT_RECORDED, PARTIAL, STRETCHED, Recording
from retrostep.training.training_session import MAX_BREAK_MS, MIN_BACKWARD_MS


class DayPart(NamedTuple):
    """The sessions of a day that count as backward sessions, or those that count as sessions with jogging or running.

    number        number of sessions
    ms            their backward time, or its jogging and running
    longest_ms    the same of the longest session
    is_complete   whether the longest one was recorded completely
    last_ms       start of the last one, in ms since 1970
    contacts      backward contacts whose impact was measured; 0 if a session has none
    impact_g8     the sum of their peaks, in 1/8 g
    """

    number: int
    ms: int
    longest_ms: int
    is_complete: bool
    last_ms: int
    contacts: int
    impact_g8: int


NO_PART = DayPart(0, 0, 0, True, 0, 0, 0)


class TrainingDay(NamedTuple):
    """One day of an athlete on which every recording is a session of its own.

    day           day number
    backward      the backward sessions
    running       those of them with jogging or running
    has_walking   whether any backward time was walking
    stages        number of backward sessions by the fastest gait reached: NONE, WALK, JOG, RUN
    cadences      of backward sessions: the median cadences of those that were mostly walking, and of the others, in 0.1 steps a minute
    is_stretched  whether stretching was marked after a backward session
    is_recorded   whether any session shows backward movement; imported forward running does not
    """

    day: int
    backward: DayPart = NO_PART
    running: DayPart = NO_PART
    has_walking: bool = False
    stages: tuple[int, ...] = (0, 0, 0, 0)
    cadences: tuple[Sequence[int], Sequence[int]] = ((), ())
    is_stretched: bool = False
    is_recorded: bool = True

    @property
    def id(self) -> str:
        """Empty: its sessions have no names here."""
        return ""

    @property
    def placed_at_ms(self) -> int:
        """When the last session with jogging or running began."""
        return self.running.last_ms


def training_days(outlines: Sequence[tuple[int, ...]], day_starts_ms: Sequence[int], first_day: int) -> list[TrainingDay] | None:
    """The days of dated `queries.OUTLINE`s of one athlete, in order of their start; None if two may belong to one session.

    day_starts_ms   when the days from `first_day` on begin, up to one that begins after the last outline
    """
    if not outlines:
        return []
    _, starts, durations, *_ = columns = list(zip(*outlines, strict=True))
    if len(starts) > 1 and min(map(sub, map(sub, starts[1:], starts), durations)) <= MAX_BREAK_MS:
        return None
    found = []
    place = 0
    day = bisect_right(day_starts_ms, starts[0]) - 1
    while place < len(starts):
        end = bisect_left(starts, day_starts_ms[day + 1], lo=place)
        if end > place:
            found.append(_day(first_day + day, [column[place:end] for column in columns]))
        place = end
        day += 1
    return found


def may_continue(outline: tuple[int, ...], recording: Recording) -> bool:
    """Whether a recording may belong to one session with the outlined one before it."""
    _, start_ms, duration_ms, *_ = outline
    return recording.placed_at_ms - start_ms - duration_ms <= MAX_BREAK_MS


def _day(day: int, columns: list[tuple[int, ...]]) -> TrainingDay:
    """The sums of one day. `columns`: the values of its OUTLINEs, a tuple for each column."""
    _, _, _, backward, *_, flags = columns
    if min(backward) < MIN_BACKWARD_MS:
        columns = _chosen(columns, [ms >= MIN_BACKWARD_MS for ms in backward])
        if not columns:
            return TrainingDay(day, is_recorded=not all(flag & NOT_RECORDED for flag in flags))
    _, _, _, backward, walks, stages, cadences, _, _, flags = columns
    all_ = running = _part(columns, backward)
    walking: Sequence[int] = ()
    others: Sequence[int] = cadences
    has_walking = any(walks)
    if has_walking:
        ran = tuple(map(sub, backward, walks))
        ran_columns = _chosen([*columns, ran], [ms >= MIN_BACKWARD_MS for ms in ran])
        running = _part(ran_columns, ran_columns[-1]) if ran_columns else NO_PART
        is_running = [2 * ms >= own for ms, own in zip(ran, backward, strict=True)]
        walking = list(compress(cadences, map(not_, is_running)))
        others = list(compress(cadences, is_running))
    numbers = tuple(map(stages.count, range(RUN + 1)))
    return TrainingDay(day, all_, running, has_walking, numbers, (walking, others), any(flag & STRETCHED for flag in flags))


def _chosen(columns: list[tuple[int, ...]], are_chosen: Sequence[bool]) -> list[tuple[int, ...]]:
    """The rows of `columns` that are chosen; an empty list without any."""
    return [tuple(compress(column, are_chosen)) for column in columns] if any(are_chosen) else []


def _part(columns: list[tuple[int, ...]], ms: tuple[int, ...]) -> DayPart:
    """The sums of the sessions in `columns`, each of which counts with its time in `ms`."""
    _, starts, _, _, _, _, _, contacts, impacts, flags, *_ = columns
    longest_ms = max(ms)
    # Of two that are equally long, the later one is compared with (rules/load.py).
    is_partial = flags[len(ms) - 1 - ms[::-1].index(longest_ms)] & PARTIAL
    return DayPart(len(ms), sum(ms), longest_ms, not is_partial, starts[-1], sum(contacts) if all(contacts) else 0, sum(impacts))
