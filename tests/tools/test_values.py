"""What tools may return, as JSON."""

from __future__ import annotations

import datetime
import enum
import math
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pydantic
import pytest

from fondation.tools.values import as_json


@dataclass
class Point:
    x: int
    label: str = "p"


class Invoice(pydantic.BaseModel):
    number: str
    due: datetime.date


class Color(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (None, None),
        ("text", "text"),
        ({"a": [1, 2.5, True, None]}, {"a": [1, 2.5, True, None]}),
        (Point(1), {"x": 1, "label": "p"}),
        (Invoice(number="7", due=datetime.date(2026, 1, 2)), {"number": "7", "due": "2026-01-02"}),
        ([Invoice(number="7", due=datetime.date(2026, 1, 2))], [{"number": "7", "due": "2026-01-02"}]),
        (datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC), "2026-01-02T03:04:00Z"),
        (datetime.timedelta(minutes=1), "PT1M"),
        ((1, 2), [1, 2]),
        ({1}, [1]),
        (frozenset({"a"}), ["a"]),
        (Color.RED, "red"),
        (Decimal("1.10"), "1.10"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Path("/x"), "/x"),
        (b"\xff\x00", "_wA="),
        ({1: "a", (2, 3): "b"}, {"1": "a", "2,3": "b"}),
        ([math.nan, math.inf], [None, None]),
        (2**70, 2**70),
    ],
)
def test_a_value_becomes_what_json_has_for_it(value: Any, json: Any) -> None:
    assert as_json(value) == json


@pytest.mark.parametrize(
    ("value", "mended"),
    [
        ("cut \ud83d", "cut \ufffd"),
        (["\udc00"], ["\ufffd"]),
        ({"\ud800": "\ud83d\ude00"}, {"\ufffd": "\U0001f600"}),
        (Point(1, "\ud800"), {"x": 1, "label": "\ufffd"}),
    ],
)
def test_a_lone_surrogate_is_replaced(value: Any, mended: Any) -> None:
    assert as_json(value) == mended
    msgspec.json.encode(as_json(value))


def test_the_value_is_its_own_and_no_later_change_reaches_it() -> None:
    state = {"done": [1]}
    made = as_json(state)
    state["done"].append(2)
    assert made == {"done": [1]}


def _circle() -> Any:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def _deep() -> Any:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize("make", [object, _circle, lambda: {"a": print}, _deep])
def test_what_cannot_become_json_is_a_value_error(make: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        as_json(make())
