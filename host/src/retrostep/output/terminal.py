"""Text for the terminal. Text from a device, a log or a note cannot control it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from retrostep.output.lines import aligned, width_of, wrapped
from retrostep.plain_text import clean

STYLES = {"fail": "bold white on red", "warn": "bold black on yellow", "unknown": "bold magenta", "info": "", "ok": "green"}
"""Readable on a dark and on a light background. The word itself says the same without any color."""


def styled(text: str, style: str = "") -> Text:
    """`text`, cleaned, in a style. It is never parsed as markup."""
    return Text(clean(text), style)


def console() -> Console:
    """Standard output, for styled text."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_paragraph(out: Console, text: str, indent: int, style: str = "") -> None:
    """Print a paragraph, cleaned and indented: wrapped on a terminal, on one line elsewhere, so that other programs can search it."""
    cleaned = clean(text)
    lines = wrapped(cleaned, max(20, out.width - indent)) if out.is_terminal else [cleaned]
    for line in lines:
        out.print(Text(" " * indent + line, style), soft_wrap=True)


def print_title(out: Console, title: Text, indent: int) -> None:
    """Print a styled line: on a terminal wrapped, with later lines indented."""
    lines = title.wrap(out, max(20, out.width - indent)) if out.is_terminal and title.cell_len > out.width else [title]
    for n, line in enumerate(lines):
        line.rstrip()
        out.print(Text(" " * indent * bool(n)).append_text(line), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print `value` as JSON in ASCII, which cannot control a terminal."""
    print(json.dumps(value, ensure_ascii=True, allow_nan=False, indent=2))


def print_json_list(name: str, values: Iterable[dict[str, Any]], more: dict[str, Any] | None = None) -> None:
    """Print `{"name": [...]}`, one object a line, then the fields of `more`. Values are printed as they come, so memory does not grow."""
    print(f'{{"{name}": [', end="")
    separator = "\n"
    for value in values:
        print(separator + json.dumps(value, ensure_ascii=True, allow_nan=False), end="")
        separator = ",\n"
    fields = "".join(
        f",\n{json.dumps(key)}: {json.dumps(value, ensure_ascii=True, allow_nan=False)}" for key, value in (more or {}).items()
    )
    print(f"\n]{fields}}}")


def columns(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """Rows as lines, cleaned, with columns of at least `widths` terminal columns (negative: aligned to the right)."""
    for row in rows:
        yield aligned(row, widths)


def table(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """Like `columns`, for a few rows: a column is as wide as its longest cell."""
    cleaned = [[clean(cell) for cell in row] for row in rows]
    longest = [max((width_of(row[k]) for row in cleaned), default=0) for k in range(len(widths))]
    yield from columns(cleaned, [max(abs(width), long) * (-1 if width < 0 else 1) for width, long in zip(widths, longest, strict=True)])
