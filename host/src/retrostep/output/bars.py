"""Bars on a terminal: a line for each thing that is worked on at the same time."""

from collections.abc import Iterable
from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Live
from rich.progress import ProgressColumn, Task, TextColumn
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from retrostep.device import progress
from retrostep.output.plain import clean
from retrostep.output.terminal import clock

_WAITING = "waiting for an answer"
_NAME_WIDTH = 20
_WHAT_WIDTH = 20
_BAR_WIDTH = 16


class Lines:
    """Shown on stderr from `with` on, and gone at its end. Titles and words may come from outside."""

    is_seen = True

    def __init__(self, titles: Iterable[str]) -> None:
        names = {title: clean(title).removeprefix("/dev/") for title in titles}
        column = Column(no_wrap=True, min_width=min(_NAME_WIDTH, max(map(len, names.values()), default=0)))
        columns = (TextColumn("{task.description}", markup=False, table_column=column), _State())
        self._live = Live(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
        self._lines = {title: self._live.add_task(name, total=None, what=_WAITING, end=None) for title, name in names.items()}

    def of(self, title: str) -> progress.Progress:
        """Progress of what has that title; any thread may tell it."""
        line = self._lines[title]
        return lambda what, done, total: self._live.update(line, what=clean(what), completed=done, total=total or None)

    def end(self, title: str, said: str, is_well: bool) -> None:
        """What came of it, in the place of its bar."""
        style = "green" if is_well else "red"
        self._live.update(self._lines[title], end=Text(clean(said), style, no_wrap=True, overflow="ellipsis"))

    def __enter__(self) -> "Lines":
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()


class _State(ProgressColumn):
    """What a line is at: its bar, or its end."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))

    def render(self, task: Task) -> Text | Table:
        """The line behind its title."""
        end: Text | None = task.fields["end"]
        if end is not None:
            return end
        what: str = task.fields["what"]
        if task.total is None:
            return Text(what, "dim")
        bar = ProgressBar(total=task.total, completed=task.completed, width=_BAR_WIDTH)
        left = "" if task.time_remaining is None else f"  {clock(int(1000 * task.time_remaining) + 999)} left"
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(what.ljust(_WHAT_WIDTH), no_wrap=True), bar, Text(f"{task.completed / 1024:.0f} of {task.total / 1024:.0f} KB{left}")
        )
        return line
