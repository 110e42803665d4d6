"""What a chart drew, as numbers: where its marks are, and whether its texts stand in each other's way."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from hypothesis import strategies as st

from fondation.dashboard.charts.plane import BOLD, MEDIUM, PHONE, SMALL, WIDE
from fondation.lettering import width_of
from fondation.svg import Element

NAMES = st.text(st.characters(exclude_categories=["C"]), max_size=90)
"""Whatever can be printed."""
MARGIN = 72
"""Pixels around a plane, for texts."""
_ROUNDING = 0.0002


def of_class(drawing: Element, css: str) -> list[Element]:
    return [each for each in drawing.iter() if css in each.get("class", "").split()]


def share(text: str | None) -> float:
    """`12.5%` as 0.125."""
    assert text is not None
    assert text.endswith("%")
    return float(text[:-1]) / 100


def number(mark: Element, name: str) -> float:
    return float(mark.get(name, "nan"))


def assert_inside(drawing: Element) -> None:
    """Every mark is on the plane, and none has a negative length."""
    height = number(drawing, "height")
    for rect in drawing.iter("rect"):
        x, width = share(rect.get("x")), share(rect.get("width"))
        assert x >= 0
        assert width >= 0
        assert x + width <= 1 + _ROUNDING
        _assert_between(number(rect, "y"), number(rect, "y") + number(rect, "height"), height)
        assert number(rect, "height") >= 0
    for line in drawing.iter("line"):
        assert all(line.get(name) == "0" or 0 <= share(line.get(name)) <= 1 for name in ("x1", "x2"))
        for name in ("y1", "y2"):
            _assert_between(number(line, name), number(line, name), height)
    for circle in drawing.iter("circle"):
        assert 0 <= share(circle.get("cx")) <= 1
        _assert_between(number(circle, "cy") - number(circle, "r"), number(circle, "cy") + number(circle, "r"), height)
    for text in drawing.iter("text"):
        _assert_between(number(text, "y") - 10, number(text, "y") + 3, height)


def assert_legible(drawing: Element, phone: int = PHONE) -> None:
    """No two texts that are shown at once stand in each other's way, on a phone and elsewhere."""
    texts = [each for each in drawing.iter("text") if "readout" not in each.get("class", "")]
    for width, hidden in ((phone, "wide"), (WIDE, "narrow")):
        lines = defaultdict(list)
        for text in (each for each in texts if hidden not in each.get("class", "").split()):
            lines[number(text, "y")].append(_extent(text, width))
        for extents in lines.values():
            for (_, ends), (begins, _) in pairwise(sorted(extents)):
                assert ends <= begins
            assert min(extents)[0] >= -MARGIN
            assert max(ends for _, ends in extents) <= width + MARGIN / 2


def _extent(text: Element, width: int) -> tuple[float, float]:
    at = text.get("x", "")
    x = share(at) * width if at.endswith("%") else float(at)
    size = {"name": MEDIUM, "group": BOLD}.get(text.get("class", "").split()[0], SMALL)
    length = width_of(text.text or "", size)
    begins = x - {"start": 0, "middle": length / 2, "end": length}[text.get("text-anchor", "start")]
    return begins, begins + length


def _assert_between(low: float, high: float, height: float) -> None:
    assert low >= -0.01
    assert high <= height + 0.01
