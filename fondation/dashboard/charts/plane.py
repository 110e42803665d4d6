"""What charts are drawn on: a plane as wide as its place, with x in percent and y in pixels.

So a chart fills a phone as well as a screen, and its text has one size everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from fondation.lettering import cut
from fondation.svg import Element, element

SMALL, MEDIUM = 12, 13
"""Pixels: of the text of an axis, and of names."""
BOLD = MEDIUM * 1.1
"""What is bold is as wide as a text of this size."""
PHONE, WIDE = 285, 520
"""Pixels that a plane has at least, and where texts of the class `wide` are shown instead of those of `narrow`."""
HEAD = 26
"""Pixels of an axis above a chart."""


def plane(height: float, label: str, *content: Element, css: str) -> Element:
    """The `svg` element: one image, whose name for those who cannot see it is `label`."""
    return element(
        "svg",
        *content,
        xmlns="http://www.w3.org/2000/svg",
        width="100%",
        height=height,
        role="img",
        aria_label=label,
        class_=f"chart {css}",
    )


def percent(share: float) -> str:
    """A share of the width, from 0 to 1: `12.5%`."""
    return f"{round(min(max(share, 0.0), 1.0) * 100, 2):.2f}".rstrip("0").rstrip(".") + "%"


def box(x: float, y: float, width: float, height: float, css: str, *content: Element) -> Element:
    """A rectangle; `x` and `width` are shares of the width."""
    return element("rect", *content, x=percent(x), y=y, width=percent(width), height=height, class_=css)


def cap(x: float, y: float, width: float, *content: Element) -> Element:
    """A hatched line upon a bar: its height stands for nothing, more is there than the bar shows."""
    return element("line", *content, x1=percent(x), x2=percent(x + width), y1=y, y2=y, class_="cap")


def rule(y: float, css: str = "gridline") -> Element:
    """A line from side to side."""
    return element("line", x1=0, x2="100%", y1=y, y2=y, class_=css)


def upright(x: float, top: float, bottom: float, css: str = "gridline") -> Element:
    return element("line", x1=percent(x), x2=percent(x), y1=top, y2=bottom, class_=css)


def words(x: float | str, y: float, text: str, css: str, anchor: str = "start") -> Element:
    """A line of text; `x` is in pixels, or in percent as text."""
    return element("text", text, x=x, y=y, text_anchor=anchor, class_=css)


def tick(x: float, label: str, bottom: float, css: str = "tick") -> Iterator[Element]:
    """A tick of an axis above the chart, and its line down to the bottom."""
    yield upright(x, HEAD - 8, bottom)
    yield words(percent(x), 12, label, css, "start" if x <= 0 else "end" if x >= 1 else "middle")


def fitting(y: float, text: str, css: str, size: float = MEDIUM, taken: float = 0) -> Iterator[Element]:
    """A line of text from the left side on, as much of it as there is room for; `taken` pixels of it are another's."""
    short, long = (cut(text, room - taken, size) for room in (PHONE, WIDE))
    if short == long:
        yield words(0, y, text, css)
    else:
        yield words(0, y, short, f"{css} narrow")
        yield words(0, y, long, f"{css} wide")


def title(text: str) -> Element:
    """What a browser shows while the mouse rests on the element that this is the first part of."""
    return element("title", text)
