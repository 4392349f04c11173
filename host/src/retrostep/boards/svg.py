"""Boxes, lines and words of an SVG picture."""

from xml.etree import ElementTree

_INK = "#202124"
_SIZE = 13


def picture(width: int, height: int, title: str) -> ElementTree.Element:
    """An empty picture on white."""
    attributes = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width} {height}", "role": "img"}
    svg = ElementTree.Element("svg", attributes | {"font-family": "sans-serif", "font-size": str(_SIZE)})
    ElementTree.SubElement(svg, "title").text = title
    box(svg, 0, 0, width, height, "#ffffff", "none")
    return svg


def written(svg: ElementTree.Element) -> str:
    """The text of its file."""
    ElementTree.indent(svg)
    return ElementTree.tostring(svg, encoding="unicode") + "\n"


def box(svg: ElementTree.Element, x: int, y: int, width: int, height: int, fill: str, stroke: str, dashes: str = "") -> None:
    """A box with round corners; `dashes` as in stroke-dasharray."""
    area = {"x": str(x), "y": str(y), "width": str(width), "height": str(height), "rx": "4"}
    style = {"stroke-dasharray": dashes} if dashes else {}
    ElementTree.SubElement(svg, "rect", area | {"fill": fill, "stroke": stroke} | style)


def line(svg: ElementTree.Element, x1: int, y1: int, x2: int, y2: int, stroke: str, width: str = "1") -> None:
    """A straight line."""
    ends = {"x1": str(x1), "y1": str(y1), "x2": str(x2), "y2": str(y2)}
    ElementTree.SubElement(svg, "line", ends | {"stroke": stroke, "stroke-width": width})


def dot(svg: ElementTree.Element, x: int, y: int, fill: str, radius: int = 4) -> None:
    """The end of a wire, or of the line of a label."""
    ElementTree.SubElement(svg, "circle", {"cx": str(x), "cy": str(y), "r": str(radius), "fill": fill})


def text(svg: ElementTree.Element, x: int, y: int, words: str, size: int = _SIZE, weight: str = "", anchor: str = "") -> None:
    """Words from x on, or around it or up to it, with `anchor` as in text-anchor."""
    attributes = {"x": str(x), "y": str(y), "fill": _INK}
    if size != _SIZE:
        attributes["font-size"] = str(size)
    if weight:
        attributes["font-weight"] = weight
    if anchor:
        attributes["text-anchor"] = anchor
    ElementTree.SubElement(svg, "text", attributes).text = words
