"""Charts as inline SVG, written with xml.etree.

No charting library: a chart here is two kilobytes and takes a millisecond, needs no script in the page, takes its colours from the style
sheet (light, dark and print), and says in words what it shows. Vega-Lite by vl-convert would add 30 MB and seconds for a club.
"""

from collections.abc import Callable
from xml.etree import ElementTree

from markupsafe import Markup

WIDTH = 360
"""Of a chart, in its own units: on a phone one is nearly a pixel."""


class Drawing:
    """An SVG image with a title and a description for those who do not see it.

    `name` must be unique in the page: the ids of the texts are made from it.
    """

    def __init__(self, name: str, width: float, height: float, title: str, description: str = "", css: str = "chart") -> None:
        labels = f"{name}-t {name}-d" if description else f"{name}-t"
        box = f"0 0 {number(width)} {number(height)}"
        self.root = ElementTree.Element("svg", {"viewBox": box, "class": css, "role": "img", "aria-labelledby": labels})
        self.add("title", title, id=f"{name}-t")
        if description:
            self.add("desc", description, id=f"{name}-d")

    def add(self, tag: str, text: str = "", css: str = "", hint: str = "", **attributes: float | str) -> None:
        """Add an element. `hint` is shown where the pointer rests on it. Underscores in names of attributes become hyphens."""
        values = {key.replace("_", "-"): value if isinstance(value, str) else number(value) for key, value in attributes.items()}
        element = ElementTree.SubElement(self.root, tag, {**({"class": css} if css else {}), **values})
        if hint:
            ElementTree.SubElement(element, "title").text = hint
        element.text = text or None

    def text(self, x: float, y: float, text: str, css: str = "", anchor: str = "start") -> None:
        """Add a text. `anchor`: start, middle or end."""
        self.add("text", text, css, x=x, y=y, text_anchor=anchor)

    def markup(self) -> Markup:
        """The image, to be put into a page as it is. Texts in it are escaped."""
        return Markup(ElementTree.tostring(self.root, encoding="unicode"))


def number(value: float) -> str:
    """A coordinate: to a tenth, without a useless zero."""
    return f"{value:.1f}".removesuffix(".0")


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """What turns a value between `low` and `high` into a coordinate between `start` and `end`; values outside become the nearest."""
    span = (high - low) or 1

    def place(value: float) -> float:
        return start + (end - start) * min(1.0, max(0.0, (value - low) / span))

    return place


def round_up(value: float, steps: tuple[int, ...]) -> int:
    """The first multiple of one of `steps` (ascending) that is not below `value` and has at most four parts."""
    step = next((each for each in steps if value <= 4 * each), steps[-1])
    return max(step, -(-int(value + 0.999) // step) * step)
