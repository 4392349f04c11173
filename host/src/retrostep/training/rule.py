"""What a rule is: its limits, what they rest on, and the function that judges by it."""

import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from retrostep.archive.store import Recording
from retrostep.training.finding import FAIL, OK, WARN
from retrostep.training.outing import Outing

WEEK_DAYS = 7
ABOVE, FROM, BELOW = "above", "from", "below"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force for a rule: beyond `warn` and `fail` (None: no such limit), in the rule's unit. `who`, `why`: an override's."""

    warn: float | None
    fail: float | None
    enabled: bool = True
    who: str = ""
    why: str = ""


@dataclass(slots=True)
class Training:
    """All that rules may look at: one athlete's outings in order, up to and on the day of the check.

    on, since     day numbers: the last and the first day that is judged; earlier outings are history
    outings       dated, by start; `backward` are those of them that count as backward sessions
    judged        indices into `backward` of the sessions that are judged
    undated       recordings that may have been on or after `since`
    """

    on: int
    since: int
    outings: list[Outing]
    undated: list[Recording]
    backward: list[Outing] = field(init=False)
    judged: range = field(init=False)

    def __post_init__(self) -> None:
        self.backward = [outing for outing in self.outings if outing.is_backward]
        self.judged = range(bisect_left(self.backward, self.since, key=Outing.day_of), len(self.backward))

    def within(self, first_day: int, last_day: int) -> list[Outing]:
        """The outings from `first_day` to `last_day`, both included."""
        first = bisect_left(self.outings, first_day, key=Outing.day_of)
        return self.outings[first : bisect_right(self.outings, last_day, lo=first, key=Outing.day_of)]


class Judgement(NamedTuple):
    """What a rule says of one session or stretch of time; the check adds the rule's own words."""

    verdict: str
    measured: float | None
    limit: float | None
    session: str | None
    why: str
    todo: str = ""


@dataclass(frozen=True)
class Rule:
    """A progression rule as data, and the function that judges by it.

    rule       its name
    judges     what is compared with what
    warn, fail default limits in `unit`
    exceeded   how a limit is exceeded: ABOVE it, FROM it on, or BELOW it
    basis      where the numbers come from, and what was chosen here for want of a study
    source     the citation, which says no more than the source does
    by_dates   whether an undated session could change what it says
    """

    rule: str
    judges: str
    warn: float | None
    fail: float | None
    unit: str
    basis: str
    source: str
    judge: Callable[[Training, Limits], Iterator[Judgement]]
    exceeded: str = ABOVE
    by_dates: bool = True
    enabled: bool = True

    @cached_property
    def citation(self) -> str:
        """Source and basis, as every finding carries them."""
        return f"{self.source} ({self.basis})"

    @property
    def limits(self) -> Limits:
        """The default limits."""
        return Limits(self.warn, self.fail, self.enabled)


def grade(value: float, limits: Limits, exceeded: str = ABOVE) -> tuple[str, float | None]:
    """(verdict, limit that was exceeded, or the nearest one) of a value, where limits are exceeded as `exceeded` says."""

    beyond = _BEYOND[exceeded]
    if limits.fail is not None and beyond(value, limits.fail):
        return FAIL, limits.fail
    if limits.warn is not None and beyond(value, limits.warn):
        return WARN, limits.warn
    return OK, limits.fail if limits.warn is None else limits.warn


_BEYOND: dict[str, Callable[[float, float], bool]] = {ABOVE: operator.gt, FROM: operator.ge, BELOW: operator.lt}
