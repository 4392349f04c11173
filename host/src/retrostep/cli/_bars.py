"""Progress on stderr while a command works."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from retrostep.device.progress import Progress, no_progress


class Bars(Protocol):
    """One line for each of several jobs that run at the same time."""

    @property
    def is_seen(self) -> bool:
        """Whether stderr is a terminal that shows the lines."""

    def of(self, title: str) -> Progress:
        """The progress callback of the job `title`. Any thread may call it."""

    def end(self, title: str, result: str, is_well: bool) -> None:
        """Replace the bar of `title` by its result."""


class _Unseen:
    """No bars: stderr is not a terminal, or they are not wanted."""

    is_seen = False

    def of(self, title: str) -> Progress:
        return no_progress

    def end(self, title: str, result: str, is_well: bool) -> None:
        pass


@contextmanager
def progress_bars(titles: Iterable[str], is_wanted: bool = True) -> Iterator[Bars]:
    """One line for each title until the block ends, if stderr is a terminal and `is_wanted`."""
    if not (is_wanted and sys.stderr.isatty()):
        yield _Unseen()
        return
    from retrostep.output.bars import Lines  # imported late: rich takes 0.2 s

    with Lines(titles) as lines:
        yield lines


@contextmanager
def progress_bar(title: str, is_wanted: bool = True) -> Iterator[Progress]:
    """The bar of a single job."""
    with progress_bars([title], is_wanted) as bars:
        yield bars.of(title)
