"""The graph as a Mermaid flowchart, which GitHub and many editors draw."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fondation.config.words import printable
from fondation.graph.model import Agent, Graph, with_gone
from fondation.graph.rows import times_of
from fondation.graph.wording import calls_text, cost_text, detail_text

if TYPE_CHECKING:
    from fondation.usage.traffic import Traffic

_SPECIAL = re.compile(r"[^\w /,.-]|(?<![^\W_])[_.-]|[_.-](?![^\W_])")
"""What may mean something in a label, in its Markdown or to Mermaid itself: it is written as a number."""
_READ_AGAIN = r"\$:"
"""What Mermaid looks for once more when numbers are characters again: for a backslash and n, $$, and fa: of icons."""
_NOTHING = "#8203;"
"""A space without width, between them."""


def as_mermaid(graph: Graph, traffic: Traffic | None = None) -> str:
    """The text of the flowchart. With traffic the lines have numbers, and what is gone is shown too, dashed."""
    whole = graph if traffic is None else with_gone(graph, traffic)
    return "".join(f"{line}\n" for line in _lines(whole, traffic))


def _lines(graph: Graph, traffic: Traffic | None) -> Iterator[str]:
    routes = {route.path: f"r{number}" for number, route in enumerate(graph.routes, 1)}
    agents = {agent.name: f"a{number}" for number, agent in enumerate(graph.agents, 1)}
    yield "flowchart LR"
    for path, id in routes.items():
        yield f'  {id}(["{_escaped(path)}"])'
    for agent in graph.agents:
        yield f'  {agents[agent.name]}["{"<br/>".join(_label(agent, graph, traffic))}"]'
    for route in graph.routes:
        yield f"  {routes[route.path]} --> {agents[route.agent]}"
    for handoff in graph.handoffs:
        arrow = "-.->" if handoff.is_gone else "-->"
        times = times_of(handoff, traffic)
        number = "" if times is None else f"|{times}|"
        yield f"  {agents[handoff.source]} {arrow}{number} {agents[handoff.target]}"
    yield from _dashed(agents[agent.name] for agent in graph.agents if agent.is_gone or graph.leaves_out(agent))


def _label(agent: Agent, graph: Graph, traffic: Traffic | None) -> Iterator[str]:
    yield _escaped(agent.name)
    yield _escaped(detail_text(agent, graph))
    if traffic is not None:
        figures = traffic.agents.get(agent.name)
        yield ", ".join(filter(None, (calls_text(figures), cost_text(figures))))


def _dashed(ids: Iterable[str]) -> Iterator[str]:
    if listed := ",".join(ids):
        yield "  classDef dashed stroke-dasharray: 5 4"
        yield f"  class {listed} dashed"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: _number(match[0]), printable(text))


def _number(character: str) -> str:
    return f"#{ord(character)};{_NOTHING if character in _READ_AGAIN else ''}"
