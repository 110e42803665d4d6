"""The agents as a graph: who hands the conversation to whom, and how often it happened."""

from __future__ import annotations

from fondation.graph.drawing import draw
from fondation.graph.model import Agent, Graph, Handoff, Route, graph_of, with_gone
from fondation.graph.rows import Passed, rows

__all__ = ["Agent", "Graph", "Handoff", "Passed", "Route", "draw", "graph_of", "rows", "with_gone"]
