"""Text for the terminal: nothing that came from a device, a log or a note can steer it."""

import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from retrostep.output.plain import clean

STYLES = {"fail": "bold red", "warn": "bold yellow", "unknown": "bold magenta", "info": "cyan", "ok": "green"}

def styled(text: str, style: str = "") -> Text:
    """`text`, cleaned, in a style; it is never read as markup."""
    return Text(clean(text), style)


def console() -> Console:
    """Standard output. What its encoding cannot show is escaped rather than raised."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(out: Console, text: str, indent: int, style: str = "") -> None:
    """A paragraph, cleaned and indented; wrapped on a terminal, one line elsewhere so that other programs find it whole."""
    cleaned = clean(text)
    lines = textwrap.wrap(cleaned, max(20, out.width - indent)) if out.is_terminal else [cleaned]
    for line in lines:
        out.print(Text(" " * indent + line, style), soft_wrap=True)


def print_json(value: Any) -> None:
    """`value` as JSON in ASCII: nothing in it can steer a terminal."""
    print(json.dumps(value, ensure_ascii=True, allow_nan=False, indent=2))


def print_json_list(name: str, values: Iterable[dict[str, Any]]) -> None:
    """`{"name": [...]}`, one object a line, as they come, so that any number needs no memory."""
    print(f'{{"{name}": [', end="")
    separator = "\n"
    for value in values:
        print(separator + json.dumps(value, ensure_ascii=True, allow_nan=False), end="")
        separator = ",\n"
    print("\n]}")


def columns(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """Rows as lines with columns of at least `widths` characters (negative: to the right), cleaned, as they come."""
    for row in rows:
        cells = [clean(cell) for cell in row]
        lined = [cell.rjust(-width) if width < 0 else cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        yield "  ".join(lined).rstrip()


def local_time(at_ms: int) -> str:
    """A moment in local time, to the minute."""
    return datetime.fromtimestamp(at_ms / 1_000).strftime("%Y-%m-%d %H:%M")


def clock(ms: int) -> str:
    """A time within a session: `7:05`, `1:02:03`."""
    minutes, seconds = divmod(ms // 1_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
