from __future__ import annotations

from hypothesis import given, settings

from fondation.graph import Agent, Graph, Handoff, Route
from fondation.graph.columns import Vertex, columns_of

from .support import graph, graphs


def names(of: Graph) -> list[list[str]]:
    columns, _ = columns_of(of)
    return [[vertex.name for vertex in column if vertex.kind != "bend"] for column in columns]


def test_agents_stand_as_far_right_as_they_are_handoffs_away_from_the_nearest_route() -> None:
    of = graph("A B", "B C", "C D", "E D", routes={"/a": "A", "/e": "E"})
    assert names(of) == [["/a", "/e"], ["A", "E"], ["B", "D"], ["C"]]


def test_without_routes_the_first_column_is_of_those_to_whom_nobody_hands_off() -> None:
    assert names(graph("B C", "A B", "D C")) == [["A", "D"], ["B", "C"]]


def test_where_all_hand_off_to_each_other_the_first_of_the_file_is_first() -> None:
    assert names(graph("A B", "B C", "C A")) == [["A"], ["B"], ["C"]]


def test_whom_no_route_reaches_begins_beside_those_who_answer_first() -> None:
    assert names(graph("A B", "Lost Found", "Alone", routes={"/": "A"})) == [
        ["/"],
        ["A", "Lost", "Alone"],
        ["B", "Found"],
    ]


def test_what_is_gone_moves_nobody_who_is_in_the_file() -> None:
    routes, agents = (Route("/", "A"),), tuple(Agent(name, "m") for name in "ABCD")
    lawful = (Handoff("A", "B"), Handoff("B", "C"))
    gone = (Handoff("A", "C", is_gone=True), Handoff("C", "D", is_gone=True))
    assert names(Graph(routes, agents, lawful + gone)) == [["/"], ["A"], ["B"], ["C"], ["D"]]


def test_a_long_line_bends_in_each_column_between() -> None:
    _, ways = columns_of(graph("A B", "B C", "C D", "D A", "A A", routes={"/": "A"}))
    kinds = [[vertex.kind for vertex in way.vertices] for way in ways]
    assert kinds[4:] == [["agent", "bend", "bend", "agent"], ["agent", "agent"]]


@given(of=graphs())
@settings(max_examples=60, deadline=None)
def test_each_stands_once_and_each_line_goes_from_column_to_column(of: Graph) -> None:
    columns, ways = columns_of(of)
    places = [vertex for column in columns for vertex in column]
    place = {vertex: number for number, column in enumerate(columns) for vertex in column}
    assert len(places) == len(set(places))
    assert all(columns)
    assert {vertex.name for vertex in places if vertex.kind == "agent"} == {agent.name for agent in of.agents}
    for way in ways:
        steps = {place[two] - place[one] for one, two in zip(way.vertices, way.vertices[1:], strict=False)}
        assert steps in ({1}, {-1}, {0})
    for route in of.routes:
        assert place[Vertex("agent", route.agent)] == 1
