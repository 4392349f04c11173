"""Lines that fit the terminal. Where the output is a file or a pipe, each stays on one line."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TextIO

import click
from rich.cells import cell_len

from retrostep.plain_text import clean

_KEPT_SPACE = "\ue000"
"""In place of a space at which a line must not end."""

_KEPT_TOGETHER = re.compile(r"`[^`]*`|\b[\d.]+ (?:min \d+ s\b|h \d+ min\b|%|(?:min|h|ms|s|g)\b)")

_SECOND_COLUMN = "\ue001"
"""Behind a wide character while lines are measured: it takes two columns."""


def terminal_width(stream: TextIO) -> int | None:
    """The width of the terminal that `stream` is; None where it is a file or a pipe."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """`text` in lines of at most `width` columns, later ones indented.

    A command in backticks stays on one line, to be copied, and a number with its unit, as in `1 min 15 s`."""
    kept = _KEPT_TOGETHER.sub(lambda found: found[0].replace(" ", _KEPT_SPACE), text)
    kept = "".join(char + _SECOND_COLUMN if width_of(char) == 2 else char for char in kept)
    words = kept.lstrip(" ")
    first = " " * (len(kept) - len(words))
    lines = textwrap.wrap(
        words, width, initial_indent=first, subsequent_indent=first + " " * indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(_KEPT_SPACE, " ").replace(_SECOND_COLUMN, "") for line in lines] or [""]


def echo(text: str, indent: int = 4, *, err: bool = False) -> None:
    """Print `text`, cleaned: wrapped on a terminal, with later lines indented; on one line elsewhere, so that programs can search it.

    `err` prints it to standard error.
    """
    cleaned, width = clean(text), terminal_width(sys.stderr if err else sys.stdout)
    lines = [cleaned] if width is None or width_of(cleaned) <= width else wrapped(cleaned, width, indent)
    click.echo("\n".join(lines), err=err)


def echo_row(cells: Iterable[str], widths: Sequence[int]) -> None:
    """Print cells as `columns` aligns them. Where a terminal is too narrow for the last one, it follows on lines of its own."""
    *first, last = cells
    width = terminal_width(sys.stdout)
    line = aligned([*first, last], widths)
    if width is None or width_of(line) <= width:
        click.echo(line)
        return
    click.echo("\n".join(wrapped(aligned([*first, ""], widths), width, 4)))
    if last:
        click.echo("\n".join(wrapped(f"    {clean(last)}", width)))


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells as a line, cleaned, each at least `widths` columns wide (negative: aligned to the right)."""
    return "  ".join(_padded(clean(cell), width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _padded(cell: str, width: int) -> str:
    space = " " * (abs(width) - width_of(cell))
    return space + cell if width < 0 else cell + space


def width_of(text: str) -> int:
    """How many columns of a terminal `text` takes: two for a wide character, none for one that combines with the one before."""
    return len(text) if text.isascii() else cell_len(text)
