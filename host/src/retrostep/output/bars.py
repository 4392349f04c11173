"""Progress bars on a terminal, one line for each job that runs at the same time."""

from collections.abc import Iterable
from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Live
from rich.progress import ProgressColumn, Task, TextColumn
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from retrostep.device import progress
from retrostep.plain_text import clean
from retrostep.units import clock

_WAITING = "waiting for an answer"
_NAME_WIDTH = 20
_WHAT_WIDTH = 20
_BAR_WIDTH = 16


class Lines:
    """Lines on stderr inside a `with` block; they disappear at its end. Titles and words may come from outside: they are cleaned."""

    is_seen = True

    def __init__(self, titles: Iterable[str]) -> None:
        names = {title: clean(title).removeprefix("/dev/") for title in titles}
        column = Column(no_wrap=True, min_width=min(_NAME_WIDTH, max(map(len, names.values()), default=0)))
        columns = (TextColumn("{task.description}", markup=False, table_column=column), _State())
        self._live = Live(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
        self._lines = {title: self._live.add_task(name, total=None, what=_WAITING, end=None) for title, name in names.items()}

    def of(self, title: str) -> progress.Progress:
        """The progress callback of the job `title`: (what, done, total) in bytes. Any thread may call it."""
        line = self._lines[title]
        return lambda what, done, total: self._live.update(line, what=clean(what), completed=done, total=total or None)

    def end(self, title: str, result: str, is_well: bool) -> None:
        """Replace the bar of `title` by its result."""
        style = "green" if is_well else "red"
        self._live.update(self._lines[title], end=Text(clean(result), style, no_wrap=True, overflow="ellipsis"))

    def __enter__(self) -> "Lines":
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()


class _State(ProgressColumn):
    """The state of a job: its bar, or its result."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))

    def render(self, task: Task) -> Text | Table:
        """The part of the line after the title."""
        end: Text | None = task.fields["end"]
        if end is not None:
            return end
        what: str = task.fields["what"]
        if task.total is None:
            return Text(what, "dim")
        bar = ProgressBar(total=task.total, completed=task.completed, width=_BAR_WIDTH)
        left = "" if task.time_remaining is None else f"  {clock(int(1000 * task.time_remaining) + 499)} left"
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(what.ljust(_WHAT_WIDTH), no_wrap=True), bar, Text(f"{task.completed / 1024:.0f} of {task.total / 1024:.0f} KB{left}")
        )
        return line
