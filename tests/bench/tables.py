"""Tables and sentences on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False)
# Figures must not be cut. A narrower terminal wraps the lines.
console.width = max(console.width, 140)
GOOD, BAD = "green", "red"


def section(title: str, *sentences: str) -> None:
    """Print a heading and explanations."""
    console.print()
    console.rule(f"[bold]{title}", align="left")
    for sentence in sentences:
        console.print(Text(sentence, style="dim"))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], bold: Sequence[int] = ()) -> None:
    """Print a table: the first column is text, the others are figures; empty columns are omitted. Rows in `bold` are bold."""
    shown = Table(title=title or None, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    shown.padding = (0, 2, 0, 0)
    used = [k for k in range(len(columns)) if k == 0 or any(str(row[k]) for row in rows)]
    for k in used:
        shown.add_column(columns[k], justify="left" if k == 0 else "right", no_wrap=True)
    for k, row in enumerate(rows):
        shown.add_row(*[row[c] if isinstance(row[c], Text) else str(row[c]) for c in used], style="bold" if k in bold else None)
    console.print(shown)


def figure(value: float | None, digits: int, least: float | None = None, most: float | None = None) -> Text:
    """A figure, with a mark and a colour if it has a bar."""
    if value is None:
        return Text("")
    text = f"{value:.{digits}f}"
    if least is None and most is None:
        return Text(text)
    met = (least is None or value >= least) and (most is None or value <= most)
    return Text(text + (" ✓" if met else " ✗"), style=GOOD if met else BAD)
