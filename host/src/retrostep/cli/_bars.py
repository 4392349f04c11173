"""How far work has come, on stderr while it lasts."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from retrostep.device.progress import Progress, silent


class Bars(Protocol):
    """A line for each of several things that are worked on at once, where it `is_seen`."""

    @property
    def is_seen(self) -> bool: ...

    def of(self, title: str) -> Progress:
        """Progress of what has that title; any thread may tell it."""

    def end(self, title: str, said: str, is_well: bool) -> None:
        """What came of it, in the place of its bar."""


class _Unseen:
    """Bars where nobody looks."""

    is_seen = False

    def of(self, title: str) -> Progress:
        return silent

    def end(self, title: str, said: str, is_well: bool) -> None:
        pass


@contextmanager
def progress_bars(titles: Iterable[str], is_wanted: bool = True) -> Iterator[Bars]:
    """A line for each title while the work lasts, where stderr is a terminal and they are wanted."""
    if not (is_wanted and sys.stderr.isatty()):
        yield _Unseen()
        return
    from retrostep.output.bars import Lines  # a fifth of a second that a command without a bar need not spend

    with Lines(titles) as lines:
        yield lines


@contextmanager
def progress_bar(title: str, is_wanted: bool = True) -> Iterator[Progress]:
    """The bar of work that has only one."""
    with progress_bars([title], is_wanted) as bars:
        yield bars.of(title)
