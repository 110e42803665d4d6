from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from fondation.config.words import printable
from fondation.graph import Agent, Graph, Route, as_mermaid
from fondation.usage.traffic import Traffic

from .support import GOLDEN, graph, support_desk, traffic_of, travelled

LINE = re.compile(
    r"flowchart LR"
    r'|  r\d+\(\["(?P<route>[^"\[\](){}<>|`]*)"\]\)'
    r'|  a\d+\["(?P<agent>(?:[^"\[\](){}<>|`]|<br/>)*)"\]'
    r"|  [ra]\d+ (-->|-\.->)(\|\d+\|)? a\d+"
    r"|  classDef dashed stroke-dasharray: 5 4"
    r"|  class a\d+(,a\d+)* dashed"
)


def labels(text: str) -> list[str]:
    """The first line of each agent's label, as a reader sees it."""
    found = [match["agent"] for match in map(LINE.fullmatch, text.split("\n")) if match and match["agent"] is not None]
    return [read(label.partition("<br/>")[0]) for label in found]


def read(label: str) -> str:
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), label).replace("\u200b", "")


def test_routes_are_stadiums_and_agents_boxes_of_safe_ids() -> None:
    assert as_mermaid(graph("end graph", routes={"/api/chat": "end"})).splitlines() == [
        "flowchart LR",
        '  r1(["/api/chat"])',
        '  a1["end<br/>claude"]',
        '  a2["graph<br/>claude"]',
        "  r1 --> a1",
        "  a1 --> a2",
    ]


def test_with_traffic_each_handoff_has_its_number() -> None:
    text = as_mermaid(graph("A B", "B A"), traffic_of({"A B": 1_404, "B B": 3}))
    assert text.splitlines()[3:] == ["  a1 -->|1404| a2", "  a2 -->|0| a1", "  a2 -.->|3| a2"]


def test_who_is_gone_or_reached_by_no_route_is_dashed() -> None:
    of = Graph((Route("/", "B"),), (Agent("A", "m", is_reached=False), Agent("B", "m")), ())
    assert as_mermaid(of, traffic_of({"B Old": 1})).splitlines()[-2:] == [
        "  classDef dashed stroke-dasharray: 5 4",
        "  class a1,a3 dashed",
    ]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Billing_EU-2.1", "Billing_EU-2.1"),
        ('say "hi"', "say #34;hi#34;"),
        ("a[b](c){d}", "a#91;b#93;#40;c#41;#123;d#125;"),
        ("#35;", "#35;35#59;"),
        ("<b>&amp;", "#60;b#62;#38;amp#59;"),
        ("`**x**`", "#96;#42;#42;x#42;#42;#96;"),
        ("__x__", "#95;#95;x#95;#95;"),
        ("1. one", "1#46; one"),
        ("- one", "#45; one"),
        ("-x", "#45;x"),
        (r"a\nb", "a#92;#8203;nb"),
        ("$$x$$", "#36;#8203;#36;#8203;x#36;#8203;#36;#8203;"),
        ("fa:fa-car", "fa#58;#8203;fa-car"),
        ("a\nb", "a#65533;b"),
        ("日本語", "日本語"),
    ],
)
def test_what_means_something_to_mermaid_is_written_as_a_number(name: str, written: str) -> None:
    text = as_mermaid(Graph((), (Agent(name, "m"),), ()))
    assert text.splitlines()[1] == f'  a1["{written}<br/>m"]'


@given(of=travelled())
@settings(max_examples=80, deadline=None)
def test_whatever_names_there_are_each_line_is_sound_and_says_them(of: tuple[Graph, Traffic]) -> None:
    text = as_mermaid(*of)
    *lines, last = text.split("\n")
    assert last == ""
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    names = [agent.name for agent in of[0].agents]
    assert labels(text)[: len(names)] == [printable(name).replace("\u200b", "") for name in names]


@pytest.mark.parametrize("name", ["desk", "desk-with-traffic"])
def test_the_flowchart_is_the_golden_one(name: str) -> None:
    declared, traffic = support_desk()
    assert as_mermaid(declared, traffic if "traffic" in name else None) == (GOLDEN / f"{name}.mmd").read_text()
