"""The agents as a graph: who hands the conversation to whom, and how often it happened."""

from __future__ import annotations

from fondation.graph.drawing import draw
from fondation.graph.formats import as_json
from fondation.graph.mermaid import as_mermaid
from fondation.graph.model import Agent, Graph, Handoff, Route, busiest_gone, graph_of, with_gone
from fondation.graph.rows import Passed, rows
from fondation.graph.standalone import standalone

__all__ = [
    "Agent",
    "Graph",
    "Handoff",
    "Passed",
    "Route",
    "as_json",
    "as_mermaid",
    "busiest_gone",
    "draw",
    "graph_of",
    "rows",
    "standalone",
    "with_gone",
]
