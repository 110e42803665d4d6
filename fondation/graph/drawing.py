"""The graph as a picture: colours come from the classes, which graph.css or a page's own stylesheet knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from fondation.graph.columns import Vertex
from fondation.graph.layout import Layout, Size, lay_out
from fondation.graph.lines import Line, Point
from fondation.graph.model import Agent, Graph, Handoff, Route, with_gone
from fondation.graph.placing import Box
from fondation.graph.rows import times_of
from fondation.graph.shapes import BOLD, NAME, SMALL, arrow, classes, frame, lettering, number
from fondation.graph.wording import (
    agent_sentence,
    calls_text,
    cost_text,
    detail_text,
    graph_sentence,
    handoff_sentence,
    route_sentence,
)
from fondation.lettering import cut, width_of
from fondation.svg import Element, element, picture

if TYPE_CHECKING:
    from fondation.usage.traffic import Traffic

Link: TypeAlias = Callable[[str], str]
"""An agent's name -> the address of what there is to read about it."""

_PADDING = 14.0
_NARROWEST, _WIDEST = 120.0, 260.0
_HEIGHT, _HEIGHT_WITH_TRAFFIC, _HEIGHT_OF_ROUTE = 54.0, 76.0, 34.0
_CORNER = 10.0
_THIN, _THICK = 1.5, 6.0
_AROUND_NUMBER = 8.0


def draw(graph: Graph, traffic: Traffic | None = None, *, href: Link | None = None) -> Element:
    """The picture, for a page. With traffic the lines are as broad as they are busy, and what is gone is shown too.

    With `href` the boxes of agents are links.
    """
    return _Drawing(graph if traffic is None else with_gone(graph, traffic), traffic, href).drawn()


class _Drawing:
    def __init__(self, graph: Graph, traffic: Traffic | None, href: Link | None) -> None:
        self._graph = graph
        self._traffic = traffic
        self._href = href
        self._busiest = max(traffic.handoffs.values(), default=0) if traffic is not None else 0

    def drawn(self) -> Element:
        layout = lay_out(self._graph, self._sizes(), [*map(self._number_width, self._graph.handoffs)])
        return picture(
            layout.width,
            layout.height,
            graph_sentence(self._graph, self._traffic),
            element("g", *self._lines(layout), aria_hidden="true"),
            *self._boxes(layout),
            role="img" if self._href is None else "group",
            class_="graph",
        )

    def _sizes(self) -> dict[Vertex, Size]:
        sizes = {}
        for route in self._graph.routes:
            width = _box_width([width_of(route.path, SMALL, is_monospaced=True)])
            sizes[Vertex("route", route.path)] = Size(width, _HEIGHT_OF_ROUTE)
        height = _HEIGHT if self._traffic is None else _HEIGHT_WITH_TRAFFIC
        for agent in self._graph.agents:
            sizes[Vertex("agent", agent.name)] = Size(_box_width(self._text_widths(agent)), height)
        return sizes

    def _text_widths(self, agent: Agent) -> Iterator[float]:
        yield width_of(agent.name, BOLD)
        yield width_of(detail_text(agent, self._graph), SMALL)
        if self._traffic is not None:
            yield width_of("  ".join(self._figures(agent)), SMALL)

    def _number_width(self, handoff: Handoff) -> float:
        """What is never taken has none."""
        times = times_of(handoff, self._traffic)
        return width_of(f"{times:,}", SMALL) + _AROUND_NUMBER if times else 0.0

    def _figures(self, agent: Agent) -> tuple[str, str]:
        assert self._traffic is not None
        figures = self._traffic.agents.get(agent.name)
        return calls_text(figures), cost_text(figures)

    def _lines(self, layout: Layout) -> Iterator[Element]:
        """With their numbers. Who cannot see them reads `rows`."""
        for line in layout.of_routes:
            yield element("g", *arrow(line, _THIN), class_="graph-line")
        for handoff, line in zip(self._graph.handoffs, layout.of_handoffs, strict=True):
            yield self._line(handoff, line)
        for handoff, box in zip(self._graph.handoffs, layout.numbers, strict=True):
            if box is not None:
                yield number(box, f"{times_of(handoff, self._traffic):,}")

    def _line(self, handoff: Handoff, line: Line) -> Element:
        times = times_of(handoff, self._traffic)
        title = element("title", handoff_sentence(handoff.source, handoff.target, times, is_gone=handoff.is_gone))
        class_ = classes("graph-line", gone=handoff.is_gone, busy=bool(times))
        return element("g", title, *arrow(line, self._breadth(times)), class_=class_)

    def _breadth(self, times: int | None) -> float:
        """By the square root: what is seldom is seen too."""
        return _THIN + (_THICK - _THIN) * math.sqrt(times / self._busiest) if times else _THIN

    def _boxes(self, layout: Layout) -> Iterator[Element]:
        for route in self._graph.routes:
            yield _route(route, layout.boxes[Vertex("route", route.path)])
        for agent in self._graph.agents:
            yield self._agent(agent, layout.boxes[Vertex("agent", agent.name)])

    def _agent(self, agent: Agent, box: Box) -> Element:
        class_ = classes("graph-agent", gone=agent.is_gone, unreached=self._graph.leaves_out(agent))
        title = element("title", agent_sentence(agent, self._traffic))  # also the link's name
        content = [title, frame(box, _CORNER), *self._texts(agent, box)]
        if self._href is None:
            return element("g", *content, class_=class_)
        return element("a", *content, href=self._href(agent.name), class_=class_)

    def _texts(self, agent: Agent, box: Box) -> Iterator[Element]:
        room = box.width - 2 * _PADDING
        left, right = box.x + _PADDING, box.right - _PADDING
        name, detail = cut(agent.name, room, BOLD), cut(detail_text(agent, self._graph), room, SMALL)
        yield lettering(Point(left, box.y + 23), name, NAME, "graph-name", font_weight="600")
        yield lettering(Point(left, box.y + 41), detail, SMALL, "graph-detail")
        if self._traffic is not None:
            calls, cost = self._figures(agent)
            yield lettering(Point(left, box.y + 63), calls, SMALL, "graph-figure")
            yield lettering(Point(right, box.y + 63), cost, SMALL, "graph-figure", text_anchor="end")


def _route(route: Route, box: Box) -> Element:
    path = cut(route.path, box.width - 2 * _PADDING, SMALL, is_monospaced=True)
    middle = Point(box.x + box.width / 2, box.middle + 4)
    label = lettering(middle, path, SMALL, "graph-path", text_anchor="middle")
    return element(
        "g", element("title", route_sentence(route)), frame(box, box.height / 2), label, class_="graph-route"
    )


def _box_width(texts: Iterable[float]) -> float:
    return min(_WIDEST, max(_NARROWEST, math.ceil(max(texts) + 2 * _PADDING)))
