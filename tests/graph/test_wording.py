from __future__ import annotations

import pytest

from fondation.graph import Agent
from fondation.graph.wording import (
    agent_sentence,
    calls_text,
    cost_text,
    detail_text,
    graph_sentence,
    handoff_sentence,
)
from fondation.usage.figures import Figures

from .support import calls, graph, traffic_of

BILLING = Agent("Billing", "claude", "vendor/claude", ("check_invoice", "refund"))


UNREACHED = Agent("Lonely", "claude", "vendor/claude", is_reached=False)


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        (Agent("A", "claude"), "claude"),
        (Agent("A", "claude", tools=("one",)), "claude, 1 tool"),
        (BILLING, "claude, 2 tools"),
        (Agent("A", is_reached=False, is_gone=True), "no longer in the file"),
        (UNREACHED, "no route leads here"),
    ],
)
def test_the_detail_of_an_agent_is_its_model_and_how_many_tools_it_has(agent: Agent, text: str) -> None:
    assert detail_text(agent, graph("B", routes={"/": "B"})) == text


def test_where_there_are_no_routes_none_is_missed() -> None:
    assert detail_text(UNREACHED, graph("A B")) == "claude"


@pytest.mark.parametrize(
    ("figures", "number", "cost"),
    [
        (None, "no calls", ""),
        (calls(1, 0.0506), "1 call", "$0.0506"),
        (calls(1_400, 17.22, unknown=3), "1,403 calls", "$17.2200 + ?"),
        (calls(unknown=2), "2 calls", "cost unknown"),
        (calls(refused=2, simulated=1), "2 refused", ""),
        (calls(2, 0.5, refused=2), "2 calls", "$0.5000"),
        (calls(simulated=15), "15 simulated", ""),
        (calls(2, 0.5, simulated=15), "2 calls", "$0.5000"),
    ],
)
def test_what_an_agent_took_is_its_calls_and_their_cost(figures: Figures | None, number: str, cost: str) -> None:
    assert (calls_text(figures), cost_text(figures)) == (number, cost)


def test_the_sentence_of_an_agent_says_all_that_is_known_of_it() -> None:
    assert agent_sentence(BILLING, None) == "Billing: model claude (vendor/claude); tools check_invoice, refund"
    assert agent_sentence(UNREACHED, None) == "Lonely: model claude (vendor/claude); no tools; no route leads here"


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (calls(3, 0.25), "1 run; 3 calls; 3,000 tokens; $0.2500"),
        (calls(3, 0.25, unknown=2), "1 run; 5 calls; 5,000 tokens; $0.2500 + 2 calls of unknown cost"),
        (calls(unknown=1), "1 run; 1 call; 1,000 tokens; unknown (1 call)"),
        (calls(simulated=1), "1 simulated call"),
        (calls(refused=2), "2 refused calls"),
        (calls(1, 0.5, simulated=2), "1 run; 1 call; 1,000 tokens; $0.5000; 2 simulated calls"),
    ],
)
def test_with_traffic_it_says_what_the_agent_took_too(figures: Figures, said: str) -> None:
    assert agent_sentence(BILLING, traffic_of({}, Billing=figures)).endswith(f"; {said}")


def test_of_who_is_gone_only_the_traffic_is_known() -> None:
    gone = Agent("Sales", is_reached=False, is_gone=True)
    assert agent_sentence(gone, traffic_of({"Triage Sales": 1})) == "Sales: no longer in the file; no calls"


def test_the_sentence_of_a_handoff_says_how_often_it_happened() -> None:
    assert handoff_sentence("A", "B", None, is_gone=False) == "A to B"
    assert handoff_sentence("A", "B", 1, is_gone=False) == "A to B: 1 handoff"
    assert handoff_sentence("A", "B", 1_404, is_gone=True) == "A to B: 1,404 handoffs; no longer in the file"


def test_the_sentence_of_a_graph_says_how_large_it_is() -> None:
    of = graph("A B", "B A", "C", routes={"/": "A"})
    assert graph_sentence(of, None) == "1 route, 3 agents, 2 handoffs"
    assert graph_sentence(of, traffic_of({"A B": 7, "B A": 1})) == "1 route, 3 agents, 2 handoffs, taken 8 times"
    assert graph_sentence(graph("A"), traffic_of({})) == "0 routes, 1 agent, 0 handoffs, taken 0 times"
