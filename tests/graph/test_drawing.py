from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from fondation.graph import Agent, Graph, Handoff, draw, standalone
from fondation.graph.wording import agent_sentence
from fondation.svg import Element, as_text
from fondation.usage.traffic import Traffic

from .support import GOLDEN, calls, graph, support_desk, traffic_of, travelled

FORBIDDEN = {"style", "script", "foreignObject", "image", "use"}


def of_class(picture: Element, name: str) -> Iterator[Element]:
    return (each for each in picture.iter() if name in (each.get("class") or "").split())


def said(element: Element) -> list[str]:
    """Its texts, without what is only told who asks."""
    return [each.text or "" for each in element.iter("text")]


def title(element: Element) -> str:
    return element.findtext("title") or ""


def breadths(picture: Element) -> dict[str, float]:
    lines = [each for each in of_class(picture, "graph-line") if each.find("title") is not None]
    return {title(line).partition(":")[0]: float(line[1].get("stroke-width") or 0) for line in lines}


def test_each_route_agent_and_handoff_is_there() -> None:
    picture = draw(graph("A B", "B A", routes={"/api/chat": "A"}))
    assert [said(each) for each in of_class(picture, "graph-route")] == [["/api/chat"]]
    assert [said(each) for each in of_class(picture, "graph-agent")] == [["A", "claude"], ["B", "claude"]]
    assert len(list(of_class(picture, "graph-line"))) == 3
    assert list(of_class(picture, "graph-number")) == []


def test_with_traffic_the_numbers_are_there_too() -> None:
    traffic = traffic_of({"A B": 1_404}, A=calls(2, 0.25))
    picture = draw(graph("A B", "B A"), traffic)
    assert [said(each) for each in of_class(picture, "graph-agent")] == [
        ["A", "claude", "2 calls", "$0.2500"],
        ["B", "claude", "no calls", ""],
    ]
    assert [said(each) for each in of_class(picture, "graph-number")] == [["1,404"]]


def test_busier_lines_are_broader_and_unused_ones_are_thin() -> None:
    traffic = traffic_of({"A B": 400, "A C": 100, "A D": 1})
    found = breadths(draw(graph("A B", "A C", "A D", "A E"), traffic))
    assert found["A to B"] > found["A to C"] > found["A to D"] > found["A to E"]


def test_what_was_taken_and_what_is_gone_look_different() -> None:
    picture = draw(graph("A B", "A C"), traffic_of({"A B": 1, "B Old": 2}))
    gone = "B to Old: 2 handoffs; no longer in the file"
    assert [title(each) for each in of_class(picture, "graph-line-busy")] == ["A to B: 1 handoff", gone]
    assert [title(each) for each in of_class(picture, "graph-line-gone")] == [gone]
    assert [said(each)[0] for each in of_class(picture, "graph-agent-gone")] == ["Old"]


def test_who_is_reached_by_no_route_is_marked_where_there_are_routes() -> None:
    agents = (Agent("A", "m", "v/m"), Agent("B", "m", "v/m", is_reached=False))
    served = graph("A", routes={"/": "A"})
    picture = draw(Graph(served.routes, agents, ()))
    assert [said(each) for each in of_class(picture, "graph-agent-unreached")] == [["B", "no route leads here"]]
    assert list(of_class(draw(Graph((), agents, ())), "graph-agent-unreached")) == []


def test_long_names_are_cut_and_told_whole() -> None:
    name = "TheAgentThatKnowsEverythingAboutEverybodyAndTellsIt"
    (box,) = of_class(draw(graph(name)), "graph-agent")
    shown = said(box)[0]
    assert shown.endswith("…")
    assert name.startswith(shown[:-1])
    assert len(shown) > 15
    assert title(box).startswith(f"{name}: ")


def test_without_links_it_is_one_image() -> None:
    picture = draw(graph("A B"), None)
    assert (picture.get("role"), picture.get("aria-label")) == ("img", "0 routes, 2 agents, 1 handoff")
    assert list(picture.iter("a")) == []


def test_with_links_it_is_a_group_in_which_each_agent_is_one() -> None:
    traffic = traffic_of({"A B": 1}, A=calls(1, 0.5))
    picture = draw(graph("A B"), traffic, href=lambda name: f"/admin/usage?agent={name}")
    assert picture.get("role") == "group"
    links = list(picture.iter("a"))
    assert [each.get("href") for each in links] == ["/admin/usage?agent=A", "/admin/usage?agent=B"]
    assert title(links[0]) == agent_sentence(Agent("A", "claude", "vendor/claude"), traffic)


def test_who_is_gone_is_no_other_link() -> None:
    picture = draw(graph("A"), traffic_of({"A Old": 1}), href=lambda name: f"?agent={name}")
    assert [each.get("href") for each in picture.iter("a")] == ["?agent=A", "?agent=Old"]


@given(of=travelled())
@settings(max_examples=40, deadline=None)
def test_whatever_names_there_are_the_picture_holds_to_a_strict_policy(of: tuple[Graph, Traffic]) -> None:
    picture = draw(*of)
    assert {each.tag for each in picture.iter()} <= {"svg", "g", "title", "path", "rect", "text"}
    assert {name for each in picture.iter() for name in each.attrib} & {"style", "onload", "id"} == set()
    assert as_text(draw(*of)) == as_text(picture)


def test_a_graph_without_agents_is_an_empty_picture() -> None:
    assert said(draw(Graph((), (), ()))) == []


def test_an_agent_of_many_lines_has_room_for_them() -> None:
    others = [f"Other{number}" for number in range(40)]
    of = graph(*(f"Hub {name}" for name in others), *(f"{name} Hub" for name in others))
    hub = next(of_class(draw(of), "graph-agent"))
    frame = next(of_class(hub, "graph-frame"))
    assert float(frame.get("height") or 0) >= 79 * 10


def test_sixty_agents_that_all_know_each_other_are_drawn() -> None:
    names = [f"Agent{number}" for number in range(60)]
    of = Graph(
        (),
        tuple(Agent(name, "m", "v/m") for name in names),
        tuple(Handoff(one, other) for one in names for other in names if one != other),
    )
    assert len(list(of_class(draw(of), "graph-line"))) == 60 * 59


@pytest.mark.parametrize("name", ["desk", "desk-with-traffic"])
def test_the_picture_is_the_golden_one(name: str) -> None:
    declared, traffic = support_desk()
    picture = draw(declared, traffic if "traffic" in name else None)
    assert standalone(picture) == (GOLDEN / f"{name}.svg").read_text()
