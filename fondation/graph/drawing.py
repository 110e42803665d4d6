"""The graph as a picture: colours come from the classes, which graph.css or a page's own stylesheet knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from fondation.graph.columns import Vertex
from fondation.graph.layout import LABEL_HEIGHT, Layout, Size, lay_out
from fondation.graph.lines import Line
from fondation.graph.model import Agent, Graph, Handoff, Route, with_gone
from fondation.graph.placing import Box
from fondation.graph.rows import times_of
from fondation.graph.wording import (
    agent_sentence,
    calls_text,
    cost_text,
    detail_text,
    graph_sentence,
    handoff_sentence,
)
from fondation.lettering import cut, width_of
from fondation.svg import Element, element, picture

if TYPE_CHECKING:
    from fondation.usage.traffic import Traffic

Link: TypeAlias = Callable[[str], str]
"""An agent's name -> the address of what there is to read about it."""

_NAME, _SMALL = 14.0, 12.0
"""Sizes of text."""
_BOLD = 15.4
"""Names are bold, and as wide as a text of this size."""
_PADDING = 14.0
_NARROWEST, _WIDEST = 120.0, 232.0
_HEIGHT, _HEIGHT_WITH_TRAFFIC, _HEIGHT_OF_ROUTE = 54.0, 76.0, 34.0
_THIN, _THICK = 1.5, 6.0


def draw(graph: Graph, traffic: Traffic | None = None, *, href: Link | None = None) -> Element:
    """The picture, for a page. With traffic the lines are as broad as they are busy, and what is gone is shown too.

    With `href` the boxes of agents are links.
    """
    return _Drawing(graph if traffic is None else with_gone(graph, traffic), traffic, href).picture()


class _Drawing:
    def __init__(self, graph: Graph, traffic: Traffic | None, href: Link | None) -> None:
        self._graph = graph
        self._traffic = traffic
        self._href = href
        self._busiest = max(traffic.handoffs.values(), default=0) if traffic is not None else 0

    def picture(self) -> Element:
        labels = [0.0] * len(self._graph.routes) + [
            _label_width(times_of(each, self._traffic)) for each in self._graph.handoffs
        ]
        layout = lay_out(self._graph, self._sizes(), labels)
        return picture(
            layout.width,
            layout.height,
            graph_sentence(self._graph, self._traffic),
            element("g", *self._lines(layout), aria_hidden="true"),
            *self._boxes(layout),
            role="img" if self._href is None else "group",
            class_="graph",
        )

    def _lines(self, layout: Layout) -> Iterator[Element]:
        """With their numbers. Who cannot see them reads `rows`."""
        handoffs, first = self._graph.handoffs, len(self._graph.routes)
        for line in layout.lines[:first]:
            yield element("g", *_line(line, _THIN), class_="graph-line graph-line-of-route")
        for handoff, line in zip(handoffs, layout.lines[first:], strict=True):
            yield self._line(handoff, line)
        for handoff, box in zip(handoffs, layout.labels[first:], strict=True):
            if box is not None:
                yield _number(box, f"{times_of(handoff, self._traffic):,}")

    def _boxes(self, layout: Layout) -> Iterator[Element]:
        for route in self._graph.routes:
            yield _route(route, layout.boxes[Vertex("route", route.path)])
        for agent in self._graph.agents:
            yield self._agent(agent, layout.boxes[Vertex("agent", agent.name)])

    def _sizes(self) -> dict[Vertex, Size]:
        sizes = {}
        for route in self._graph.routes:
            width = _box_width([width_of(route.path, _SMALL, is_monospaced=True)])
            sizes[Vertex("route", route.path)] = Size(width, _HEIGHT_OF_ROUTE)
        height = _HEIGHT if self._traffic is None else _HEIGHT_WITH_TRAFFIC
        for agent in self._graph.agents:
            sizes[Vertex("agent", agent.name)] = Size(_box_width(self._text_widths(agent)), height)
        return sizes

    def _text_widths(self, agent: Agent) -> Iterator[float]:
        yield width_of(agent.name, _BOLD)
        yield width_of(detail_text(agent, self._graph), _SMALL)
        if self._traffic is not None:
            yield width_of("  ".join(self._figures(agent)), _SMALL)

    def _figures(self, agent: Agent) -> tuple[str, str]:
        assert self._traffic is not None
        figures = self._traffic.agents.get(agent.name)
        return calls_text(figures), cost_text(figures)

    def _line(self, handoff: Handoff, line: Line) -> Element:
        times = times_of(handoff, self._traffic)
        classes = ["graph-line"]
        classes += ["graph-line-gone"] if handoff.is_gone else []
        classes += ["graph-line-busy"] if times else []
        classes += ["graph-line-unused"] if times == 0 else []
        said = handoff_sentence(handoff.source, handoff.target, times, is_gone=handoff.is_gone)
        return element("g", element("title", said), *_line(line, self._breadth(times)), class_=" ".join(classes))

    def _breadth(self, times: int | None) -> float:
        """By the square root: what is seldom is seen too."""
        return _THIN + (_THICK - _THIN) * math.sqrt(times / self._busiest) if times else _THIN

    def _agent(self, agent: Agent, box: Box) -> Element:
        said = agent_sentence(agent, self._traffic)
        classes = ["graph-agent"]
        classes += ["graph-agent-gone"] if agent.is_gone else []
        classes += ["graph-agent-unreached"] if self._graph.leaves_out(agent) else []
        title, content = element("title", said), [_frame(box, 10), *self._lettering(agent, box)]
        if self._href is None:
            return element("g", title, *content, class_=" ".join(classes))
        shown = element("g", *content, aria_hidden="true")  # the link's name says it, and more
        return element("a", title, shown, href=self._href(agent.name), aria_label=said, class_=" ".join(classes))

    def _lettering(self, agent: Agent, box: Box) -> Iterator[Element]:
        room = box.width - 2 * _PADDING
        left, right = box.x + _PADDING, box.right - _PADDING
        yield _text(left, box.y + 23, cut(agent.name, room, _BOLD), _NAME, "graph-name", font_weight="600")
        yield _text(left, box.y + 41, cut(detail_text(agent, self._graph), room, _SMALL), _SMALL, "graph-detail")
        if self._traffic is not None:
            calls, cost = self._figures(agent)
            yield _text(left, box.y + 63, calls, _SMALL, "graph-figure")
            yield _text(right, box.y + 63, cost, _SMALL, "graph-figure", text_anchor="end")


def _line(line: Line, breadth: float) -> list[Element]:
    """The line, and at its end the head of an arrow, whose point touches the box."""
    length, half = 7 + breadth, 3.5 + breadth * 0.75
    tip, neck = line.end, line.end.x - line.heading * length
    *others, last = line.curves
    path = f"M{_place(*line.start)}" + "".join(
        f"C{_place(*curve.first)} {_place(*curve.second)} {_place(*curve.end)}" for curve in others
    )
    path += f"C{_place(*last.first)} {_place(last.second.x, last.second.y)} {_place(neck, tip.y)}"
    head = f"M{_place(*tip)}L{_place(neck, tip.y - half)}L{_place(neck, tip.y + half)}Z"
    return [
        element("path", d=path, fill="none", stroke_width=breadth, class_="graph-way"),
        element("path", d=head, class_="graph-head"),
    ]


def _route(route: Route, box: Box) -> Element:
    shown = cut(route.path, box.width - 2 * _PADDING, _SMALL, is_monospaced=True)
    label = _text(box.x + box.width / 2, box.middle + 4, shown, _SMALL, "graph-path", text_anchor="middle")
    title = element("title", f"{route.path}: {route.agent} answers first")
    return element("g", title, _frame(box, _HEIGHT_OF_ROUTE / 2), label, class_="graph-route")


def _number(box: Box, text: str) -> Element:
    place = (box.x + box.width / 2, box.middle + 4)
    return element(
        "g", _frame(box, LABEL_HEIGHT / 2), _text(*place, text, _SMALL, "", text_anchor="middle"), class_="graph-number"
    )


def _frame(box: Box, radius: float) -> Element:
    return element("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=radius, class_="graph-frame")


def _text(x: float, y: float, text: str, size: float, class_: str, **attributes: str) -> Element:
    return element("text", text, x=x, y=y, font_size=size, class_=class_, **attributes)


def _place(x: float, y: float) -> str:
    return f"{x:.1f},{y:.1f}"


def _box_width(widths: Iterable[float]) -> float:
    return min(_WIDEST, max(_NARROWEST, math.ceil(max(widths) + 2 * _PADDING)))


def _label_width(times: int | None) -> float:
    return width_of(f"{times:,}", _SMALL) + 12 if times else 0.0
