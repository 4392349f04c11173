"""Plain SVG: a light sheet that is legible on any page, and plots on it. The same calls give the same bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

INK, SOFT, GRID = "#1f2328", "#57606a", "#d8dee4"
BLUE, ORANGE, GREY = "#0072b2", "#c85200", "#6e7781"
"""Blue and orange differ for every kind of colour vision; shapes and words say the same once more."""
_STYLE = f"""text{{font:14px "Helvetica Neue",Arial,"DejaVu Sans",sans-serif;fill:{INK}}}.small{{font-size:13px;fill:{SOFT}}}
.head{{font-weight:bold;font-size:15px}}.mid{{text-anchor:middle}}.end{{text-anchor:end}}.on{{fill:#fff}}.bold{{font-weight:bold}}
.curve{{fill:none;stroke:{INK};stroke-width:1.6;stroke-linejoin:round}}.grid{{stroke:{GRID}}}.axis{{stroke:#8c959f}}"""

Point = tuple[float, float]


def _number(value: float) -> str:
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


@dataclass
class Sheet:
    """A picture of so many pixels; x to the right, y down."""

    width: float
    height: float
    title: str
    body: list[str] = field(default_factory=list)

    def line(self, a: Point, b: Point, kind: str = "grid", **style: str) -> None:
        """A straight line."""
        x1, y1, x2, y2 = map(_number, (*a, *b))
        self._add(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"', kind, style)

    def path(self, points: Iterable[Point], kind: str = "curve", closed: bool = False, **style: str) -> None:
        """A line through many points, or the area inside it."""
        steps = " ".join(f"{_number(x)} {_number(y)}" for x, y in points)
        self._add(f'<path d="M{steps}{"Z" if closed else ""}"', kind, style)

    def box(self, x: float, y: float, width: float, height: float, kind: str, **style: str) -> None:
        """A rectangle from its upper left corner."""
        x_, y_, w, h = map(_number, (x, y, width, height))
        self._add(f'<rect x="{x_}" y="{y_}" width="{w}" height="{h}"', kind, style)

    def triangle(self, at: Point, kind: str, colour: str, filled: bool, size: float = 6) -> None:
        """A triangle that points down to where a foot landed."""
        x, y = at
        corners = [(x - size, y - size), (x + size, y - size), (x, y + size)]
        self.path(corners, kind, True, fill=colour if filled else "#fff", stroke=colour, stroke_width="1.8")

    def disc(self, at: Point, kind: str, colour: str, filled: bool, size: float = 5.5) -> None:
        """A circle."""
        x, y, r = map(_number, (*at, size))
        style = {"fill": colour if filled else "#fff", "stroke": colour, "stroke_width": "1.8"}
        self._add(f'<circle cx="{x}" cy="{y}" r="{r}"', kind, style)

    def text(self, at: Point, words: str, kind: str = "", **style: str) -> None:
        """Words on a line that begins (or, by kind, has its middle or end) at a point."""
        self._add(f'<text x="{_number(at[0])}" y="{_number(at[1])}"', kind, style, escape(words, quote=False))

    def _add(self, start: str, kind: str, style: dict[str, str], inside: str | None = None) -> None:
        attributes = f' class="{kind}"' if kind else ""
        if style:
            attributes += ' style="' + ";".join(f"{name.replace('_', '-')}:{value}" for name, value in style.items()) + '"'
        self.body.append(f"{start}{attributes}/>" if inside is None else f"{start}{attributes}>{inside}</text>")

    def save(self, path: Path) -> None:
        """Write the picture."""
        size = f"{_number(self.width)} {_number(self.height)}"
        w, h = size.split()
        inner_w, inner_h = _number(self.width - 2), _number(self.height - 2)
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{w}" height="{h}" role="img">',
            f"<title>{escape(self.title)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect x="1" y="1" width="{inner_w}" height="{inner_h}" rx="8" fill="#fdfdfc" stroke="#d0d7de"/>',
            *self.body,
            "</svg>",
        ]
        path.write_text("\n".join(lines) + "\n")


@dataclass
class Plot:
    """A part of a sheet with scales: its frame in pixels, and which values lie at its edges."""

    sheet: Sheet
    left: float
    top: float
    width: float
    height: float
    x_from: float
    x_to: float
    y_from: float = 0.0
    y_to: float = 1.0

    def x(self, value: float) -> float:
        """Pixels from the sheet's left."""
        return self.left + (value - self.x_from) / (self.x_to - self.x_from) * self.width

    def y(self, value: float) -> float:
        """Pixels from the sheet's top."""
        return self.top + self.height - (value - self.y_from) / (self.y_to - self.y_from) * self.height

    def x_axis(self, values: Sequence[float], unit: str, words: str = "{:g}") -> None:
        """Ticks and their values below the plot, the unit after the last."""
        bottom = self.top + self.height
        for value in values:
            self.sheet.line((self.x(value), self.top), (self.x(value), bottom + 4))
            last = value == values[-1]
            self.sheet.text((self.x(value), bottom + 19), words.format(value) + (f" {unit}" if last else ""), "small mid")

    def y_axis(self, values: Sequence[float], words: str = "{:+g}") -> None:
        """Lines across the plot, values to their left."""
        for value in values:
            y = self.y(value)
            self.sheet.line((self.left, y), (self.left + self.width, y), "axis" if value == 0 else "grid")
            self.sheet.text((self.left - 6, y + 4.5), words.format(value) if value else "0", "small end")

    def curve(self, points: Iterable[Point], kind: str = "curve", **style: str) -> None:
        """A curve through (x, y) values."""
        self.sheet.path([(self.x(x), self.y(y)) for x, y in points], kind, **style)

    def stairs(self, points: Sequence[Point], until: float, kind: str = "curve", **style: str) -> None:
        """A curve whose every value holds until the next one's time."""
        ends = [x for x, _ in points[1:]] + [until]
        self.curve([(x, y) for (start, y), end in zip(points, ends, strict=True) for x in (start, end)], kind, **style)

    def area(self, points: Sequence[Point], colour: str) -> None:
        """The area between a curve and zero."""
        inside = [(points[0][0], 0.0), *points, (points[-1][0], 0.0)]
        self.sheet.path([(self.x(x), self.y(y)) for x, y in inside], "swing", True, fill=colour, fill_opacity="0.45")
