from __future__ import annotations

import functools
import sqlite3
import sys
import typing
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError
from typing_extensions import TypedDict

from fondation import RunContext
from fondation.errors import EntryPointError
from fondation.signatures import describe


class Size(Enum):
    small = "small"
    large = "large"


class Address(BaseModel):
    """Where someone lives."""

    city: str = Field(description="The city.")
    title: str = "home"


class Point(TypedDict):
    x: float
    y: float


class OldPoint(typing.TypedDict):
    x: float


@dataclass
class Line:
    start: str
    end: str = "here"


async def order(
    name: str, count: int = 1, size: Size = Size.small, address: Address | None = None, tags: list[str] | None = None
) -> str:
    """Order something.

    It arrives tomorrow.

    Args:
        name: What to order,
            by its name.
        count (int): How many.
    """
    return name


def test_types_become_a_schema_without_noise() -> None:
    signature = describe(order)
    assert signature.is_async
    assert signature.description == "Order something.\n\nIt arrives tomorrow."
    assert signature.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "description": "What to order, by its name."},
            "count": {"type": "integer", "default": 1, "description": "How many."},
            "size": {"$ref": "#/$defs/Size", "default": "small"},
            "address": {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}], "default": None},
            "tags": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}], "default": None},
        },
        "$defs": {
            "Size": {"enum": ["small", "large"], "type": "string"},
            "Address": {
                "description": "Where someone lives.",
                "type": "object",
                "required": ["city"],
                "properties": {
                    "city": {"type": "string", "description": "The city."},
                    "title": {"type": "string", "default": "home"},
                },
            },
        },
    }


def test_arguments_become_keywords_of_their_types() -> None:
    validate = describe(order).validate
    assert validate({"name": "tea"}) == {"name": "tea"}
    assert validate({"name": "tea", "count": "2", "size": "large", "address": {"city": "Lyon"}}) == {
        "name": "tea",
        "count": 2,
        "size": Size.large,
        "address": Address(city="Lyon"),
    }


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        ({}, [("name",)]),
        ({"name": "tea", "count": "two"}, [("count",)]),
        ({"name": "tea", "colour": "red"}, [("colour",)]),
        ({"name": "tea", "address": {}}, [("address", "city")]),
    ],
)
def test_wrong_arguments_are_named_by_their_parameters(arguments: dict[str, object], places: list[object]) -> None:
    with pytest.raises(ValidationError) as caught:
        describe(order).validate(arguments)
    assert [error["loc"] for error in caught.value.errors()] == places


def test_structured_parameters_arrive_as_their_types() -> None:
    def draw(point: Point, line: Line, price: Decimal, mode: Literal["a", "b"]) -> None: ...

    arguments = {"point": {"x": 1, "y": 2}, "line": {"start": "a"}, "price": "1.50", "mode": "b"}
    assert describe(draw).validate(arguments) == {
        "point": {"x": 1.0, "y": 2.0},
        "line": Line("a"),
        "price": Decimal("1.50"),
        "mode": "b",
    }


def numpy_style(name: str) -> None:
    """Look up.

    Parameters
    ----------
    name : str
        The name.
    """


def rest_style(name: str) -> None:
    """Look up.

    :param name: The name.
    """


@pytest.mark.parametrize("function", [numpy_style, rest_style])
def test_other_docstring_styles_are_read(function: Callable[..., object]) -> None:
    signature = describe(function)
    assert signature.description == "Look up."
    assert signature.parameters["properties"]["name"]["description"] == "The name."


def test_an_annotated_description_wins() -> None:
    def look_up(name: Annotated[str, Field(description="From the hint.", max_length=5)]) -> None:
        """Look up.

        Args:
            name: From the docstring.
        """

    properties = describe(look_up).parameters["properties"]
    assert properties == {"name": {"type": "string", "description": "From the hint.", "maxLength": 5}}


def test_without_hints_any_value_is_accepted() -> None:
    def look_up(name, more=None):  # type: ignore[no-untyped-def]
        ...

    signature = describe(look_up)
    assert signature.description == ""
    assert signature.parameters["properties"] == {"name": {}, "more": {"default": None}}
    assert signature.validate({"name": [1, {"a": None}]}) == {"name": [1, {"a": None}]}


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    def now() -> None: ...

    assert describe(now).parameters == {"type": "object", "properties": {}, "additionalProperties": False}
    assert describe(now).validate({}) == {}


@pytest.mark.parametrize("annotation", [RunContext, RunContext | None, Annotated[RunContext, 1]])
def test_the_run_context_is_no_parameter_of_the_model(annotation: Any) -> None:
    def look_up(name: str, run: Any = None) -> None: ...

    look_up.__annotations__["run"] = annotation
    signature = describe(look_up)
    assert signature.context_parameter == "run"
    assert list(signature.parameters["properties"]) == ["name"]
    assert describe(order).context_parameter is None
    with pytest.raises(ValidationError):
        signature.validate({"name": "x", "run": {}})


def test_any_name_of_a_parameter_works() -> None:
    def look_up(_x: int, copy: str, schema: str, model_config: str, self_: int, p0: int = 0, z_: str = "") -> None: ...

    arguments: dict[str, object] = {"_x": 1, "copy": "c", "schema": "s", "model_config": "m", "self_": 2, "p0": 3}
    assert describe(look_up).validate(arguments) == arguments
    assert list(describe(look_up).parameters["properties"]) == [*arguments, "z_"]


class Desk:
    """A desk."""

    def search(self, name: str) -> str:
        """Search."""
        return name

    async def __call__(self, number: int) -> int:
        """Call the desk."""
        return number


def test_methods_partials_and_instances_are_described() -> None:
    assert list(describe(Desk().search).parameters["properties"]) == ["name"]
    instance = describe(Desk())
    assert (list(instance.parameters["properties"]), instance.is_async) == (["number"], True)
    half = describe(functools.partial(order, count=3))
    assert half.description.startswith("Order something.")
    assert half.parameters["properties"]["count"]["default"] == 3
    assert half.is_async
    assert describe(functools.partial(Desk().search)).description == "Search."


def test_a_decorated_function_keeps_its_own_signature() -> None:
    def logged(function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> object:
            return function(*args, **kwargs)

        return wrapper

    assert describe(logged(order)).parameters == describe(order).parameters
    assert describe(functools.lru_cache(numpy_style)).description == "Look up."


def anything(*names: str) -> None: ...
def keywords(**names: str) -> None: ...
def positional(name: str, /) -> None: ...
def connection(name: str, connection: sqlite3.Connection) -> None: ...
def callback(done: Callable[[], None]) -> None: ...
def unknown(name: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def old_typed_dict(point: OldPoint) -> None: ...
def two_contexts(a: RunContext, b: RunContext | None = None) -> None: ...
def yields() -> Iterator[int]:
    yield 1


async def yields_later() -> AsyncIterator[int]:
    yield 1


NO_VALUE = object()


def any_default(name: str = "me", much: float = float("inf"), other: Any = NO_VALUE) -> None: ...


def test_a_default_that_is_no_json_is_left_out_of_the_schema_in_silence() -> None:
    properties = describe(any_default).parameters["properties"]
    assert properties == {"name": {"default": "me", "type": "string"}, "much": {"type": "number"}, "other": {}}


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="typing.TypedDict is complete from Python 3.12 on")
def test_an_incomplete_typed_dict_says_where_the_other_is() -> None:
    with pytest.raises(EntryPointError) as caught:
        describe(old_typed_dict)
    assert caught.value.help == "import TypedDict from typing_extensions instead"


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (anything, "anything takes *names"),
        (keywords, "keywords takes **names"),
        (positional, '"name" of positional is positional only'),
        (connection, '"connection" of connection has the type Connection, which no JSON value can become'),
        (callback, '"done" of callback has the type'),
        (unknown, "\"name\" of unknown cannot be resolved: name 'Nowhere' is not defined"),
        (two_contexts, "two parameters that take the RunContext"),
        (yields, "yields yields its results"),
        (yields_later, "yields_later yields its results"),
    ],
)
def test_a_signature_that_no_model_can_use_says_why(function: Callable[..., object], says: str) -> None:
    with pytest.raises(EntryPointError) as caught:
        describe(function)
    assert says in caught.value.text
    assert caught.value.help
