from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fondation.graph import as_json
from fondation.usage.formats import FIGURES
from fondation.usage.periods import Period

from .support import GOLDEN, calls, graph, support_desk, traffic_of


def of(*arguments: Any) -> Any:
    return json.loads(as_json(*arguments))


def test_without_traffic_it_is_what_the_file_says() -> None:
    assert of(graph("A B", routes={"/": "A"})) == {
        "routes": [{"path": "/", "agent": "A"}],
        "agents": [
            {"name": name, "model": "claude", "model_id": "vendor/claude", "tools": [], "reached": True, "gone": False}
            for name in "AB"
        ],
        "handoffs": [{"from": "A", "to": "B", "gone": False}],
    }


def test_with_traffic_there_is_how_often_and_what_each_took() -> None:
    told = of(
        graph("A B", "B A"), traffic_of({"A B": 7}, A=calls(2, 0.5)), Period(since=datetime(2026, 11, 1, tzinfo=UTC))
    )
    assert (told["since"], told["until"]) == ("2026-11-01T00:00:00+00:00", None)
    assert [each["times"] for each in told["handoffs"]] == [7, 0]
    first, second = (agent["figures"] for agent in told["agents"])
    assert tuple(first) == FIGURES
    assert (first["calls"], first["cost"], second) == (2, 0.5, None)


@pytest.mark.parametrize("name", ["desk", "desk-with-traffic"])
def test_the_json_is_the_golden_one(name: str) -> None:
    declared, traffic = support_desk()
    assert as_json(declared, traffic if "traffic" in name else None) == (GOLDEN / f"{name}.json").read_text()
