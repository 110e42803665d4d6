"""What the picture is made of: arrows, frames, numbers and lines of text."""

from __future__ import annotations

from fondation.graph.lines import Line, Point
from fondation.graph.placing import Box
from fondation.svg import Element, element

NAME, SMALL = 14.0, 12.0
"""Sizes of text."""
BOLD = 15.4
"""Names are bold, and as wide as a text of this size."""


def classes(name: str, **is_so: bool) -> str:
    """`classes("graph-line", gone=True, busy=False)` is `graph-line graph-line-gone`."""
    return " ".join([name, *(f"{name}-{word}" for word, applies in is_so.items() if applies)])


def arrow(line: Line, breadth: float) -> list[Element]:
    """The line, and the head at its end, whose point touches the box."""
    length, half = 7 + breadth, 3.5 + breadth * 0.75
    tip = line.end
    neck = Point(tip.x - line.heading * length, tip.y)
    path = f"M{_at(line.start)}"
    for curve in line.curves:
        path += f"C{_at(curve.first)} {_at(curve.second)} {_at(neck if curve is line.curves[-1] else curve.end)}"
    head = f"M{_at(tip)}L{_at(Point(neck.x, tip.y - half))}L{_at(Point(neck.x, tip.y + half))}Z"
    return [
        element("path", d=path, fill="none", stroke_width=breadth, class_="graph-way"),
        element("path", d=head, class_="graph-head"),
    ]


def frame(box: Box, radius: float) -> Element:
    return element("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=radius, class_="graph-frame")


def number(box: Box, text: str) -> Element:
    """A number on a line, in this box."""
    label = lettering(Point(box.x + box.width / 2, box.middle + 4), text, SMALL, "graph-figure", text_anchor="middle")
    return element("g", frame(box, box.height / 2), label, class_="graph-number")


def lettering(place: Point, text: str, size: float, class_: str, **attributes: str) -> Element:
    return element("text", text, x=place.x, y=place.y, font_size=size, class_=class_, **attributes)


def _at(point: Point) -> str:
    return f"{point.x:.1f},{point.y:.1f}"
