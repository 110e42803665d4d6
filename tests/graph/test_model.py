from __future__ import annotations

from pathlib import Path

from fondation.config import load
from fondation.graph import Agent, Graph, Handoff, Route, busiest_gone, graph_of, with_gone

from .support import calls, graph, traffic_of

PROJECT = """\
version: 1
models:
  big: {provider: openrouter, id: vendor/big}
  small: {provider: simulated}
tools:
  look_up: shop:look_up
  order: shop:order
agents:
  Archive: {model: small, instructions: Keep.}
  Triage: {model: small, instructions: Route., handoffs: [Shop, Desk]}
  Shop: {model: big, instructions: Sell., description: Sells., tools: [order, look_up], handoffs: [Desk]}
  Desk: {model: big, instructions: Help., description: Helps., handoffs: [Shop]}
routes:
  /api/shop: Shop
  /api/chat: {agent: Triage}
"""


def of(tmp_path: Path, text: str) -> Graph:
    file = tmp_path / "agents.yaml"
    file.write_text(text)
    loaded = load(file, check_imports=False)
    assert loaded.config is not None, loaded.report()
    return graph_of(loaded.config)


def test_the_graph_has_all_that_the_file_declares_in_its_order(tmp_path: Path) -> None:
    assert of(tmp_path, PROJECT) == Graph(
        (Route("/api/shop", "Shop"), Route("/api/chat", "Triage")),
        (
            Agent("Archive", "small", "simulated", is_reached=False),
            Agent("Triage", "small", "simulated"),
            Agent("Shop", "big", "vendor/big", ("order", "look_up")),
            Agent("Desk", "big", "vendor/big"),
        ),
        (Handoff("Triage", "Shop"), Handoff("Triage", "Desk"), Handoff("Shop", "Desk"), Handoff("Desk", "Shop")),
    )


def test_an_agent_is_reached_over_handoffs_from_any_route(tmp_path: Path) -> None:
    reached = {agent.name: agent.is_reached for agent in of(tmp_path, PROJECT.replace("Triage}", "Archive}")).agents}
    assert reached == {"Archive": True, "Triage": False, "Shop": True, "Desk": True}


def test_what_only_the_ledger_knows_comes_last_and_is_gone() -> None:
    traffic = traffic_of({"A B": 1, "B A": 2, "Old A": 3}, A=calls(1, 0.5), Older=calls(1, 0.5))
    whole = with_gone(graph("A B"), traffic)
    assert whole.agents[2:] == (
        Agent("Old", is_reached=False, is_gone=True),
        Agent("Older", is_reached=False, is_gone=True),
    )
    assert whole.handoffs == (
        Handoff("A", "B"),
        Handoff("B", "A", is_gone=True),
        Handoff("Old", "A", is_gone=True),
    )


def test_where_nothing_is_gone_the_graph_stays_as_it_is() -> None:
    declared = graph("A B", routes={"/": "A"})
    assert with_gone(declared, traffic_of({"A B": 7}, A=calls(1, 0.5))) == declared


def test_of_the_agents_that_are_gone_the_busiest_stay() -> None:
    traffic = traffic_of({"Triage Old": 2, "Old Older": 9}, Triage=calls(1), Old=calls(5), Older=calls(3))
    declared = graph("Triage")
    kept, left_out = busiest_gone(declared, traffic, 1)
    assert (set(kept.agents), dict(kept.handoffs), left_out) == ({"Triage", "Old"}, {("Triage", "Old"): 2}, 1)
    assert busiest_gone(declared, traffic, 2) == (traffic, 0)
