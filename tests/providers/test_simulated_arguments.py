"""Arguments that fit any schema, with the values of the message where they fit."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fondation.providers.simulated.arguments import write_arguments, write_value
from fondation.providers.simulated.mentions import find_mentions

MESSAGES = st.sampled_from(
    ["", "hello", "What's the weather in Lyon and Paris for 3 days?", 'Send "Bonjour" to ada@example.com, ref INV-42']
)
NAMES = st.sampled_from(["id", "cityName", "query", "count", "start_date", "tags", "x", "is_new", "notes", "email"])


def bounded(low_key: str, high_key: str, smallest: int, largest: int) -> st.SearchStrategy[dict[str, Any]]:
    """Two bounds that leave room, either or both left out."""
    both = st.tuples(st.integers(smallest, largest), st.integers(0, largest)).map(
        lambda pair: {low_key: pair[0], high_key: pair[0] + pair[1]}
    )
    return st.tuples(both, st.sets(st.sampled_from([low_key, high_key]))).map(
        lambda pair: {key: value for key, value in pair[0].items() if key in pair[1]}
    )


def typed(name: str, keywords: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return keywords.map(lambda found: {"type": name, **found})


TEXTS = typed(
    "string",
    bounded("minLength", "maxLength", 0, 30)
    | st.sampled_from(["email", "uri", "uuid", "date", "date-time", "ipv4", "duration"]).map(lambda f: {"format": f})
    | st.sampled_from([r"^[A-Z]{3}-\d{2,4}$", r"^\+?\d{8,12}$", "^(low|high)$", r"[a-f0-9]{8}", r"^\w+\.\w+$"]).map(
        lambda pattern: {"pattern": pattern}
    ),
)
INTEGERS = typed("integer", bounded("minimum", "maximum", -50, 50)) | typed(
    "integer", st.integers(1, 7).map(lambda step: {"multipleOf": step, "minimum": -9, "maximum": 9})
)
NUMBERS = typed("number", bounded("minimum", "maximum", -50, 50)) | typed(
    "number", st.integers(-5, 5).map(lambda low: {"exclusiveMinimum": low, "exclusiveMaximum": low + 1})
)
SCALARS = (
    TEXTS
    | INTEGERS
    | NUMBERS
    | st.just({"type": "boolean"})
    | st.just({"type": "null"})
    | st.lists(st.sampled_from(["low", "high", 3, None, True]), min_size=1, unique_by=repr).map(lambda v: {"enum": v})
    | st.sampled_from(["fixed", 7, {"a": 1}, [1, 2]]).map(lambda value: {"const": value})
)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    lists = st.builds(
        lambda items, fewest, room: {"type": "array", "items": items, "minItems": fewest, "maxItems": fewest + room},
        inner,
        st.integers(0, 4),
        st.integers(0, 3),
    )
    different = st.sampled_from(UNIQUE_ITEMS).map(lambda items: unique(items, 4))
    tuples = st.lists(inner, min_size=1, max_size=3).map(
        lambda parts: {"type": "array", "prefixItems": parts, "items": False, "minItems": len(parts)}
    )
    choices = st.tuples(st.sampled_from(["anyOf", "oneOf"]), inner).map(
        lambda pair: {pair[0]: [pair[1], {"type": "object", "required": ["only_here"]}]}
    )
    both = inner.map(lambda part: {"allOf": [part, {"description": "For example 'INV-42'."}]})
    return lists | different | tuples | choices | both | objects(inner)


def objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(NAMES, inner, max_size=4).flatmap(
        lambda properties: st.sets(st.sampled_from(sorted(properties)) if properties else st.nothing()).map(
            lambda required: {
                "type": "object",
                "properties": properties,
                "required": sorted(required),
                "additionalProperties": False,
            }
        )
    )


TEXT: dict[str, Any] = {"type": "string"}
UNIQUE_ITEMS: list[dict[str, Any]] = [TEXT, {"type": "integer", "minimum": 5}, {"enum": ["a", "b", "c", "d"]}]
INTEGER: dict[str, Any] = {"type": "integer"}
SCHEMAS = objects(st.recursive(SCALARS, nested, max_leaves=8))


@settings(max_examples=100, deadline=None)
@given(schema=SCHEMAS, message=MESSAGES)
def test_arguments_fit_any_schema(schema: dict[str, Any], message: str) -> None:
    arguments = write_arguments(schema, find_mentions(message))
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(arguments)


@settings(max_examples=30, deadline=None)
@given(schema=SCHEMAS, message=MESSAGES)
def test_the_same_schema_and_message_give_the_same_arguments(schema: dict[str, Any], message: str) -> None:
    assert write_arguments(schema, find_mentions(message)) == write_arguments(schema, find_mentions(message))


def string(**keywords: Any) -> dict[str, Any]:
    return {"type": "string", **keywords}


def unique(items: dict[str, Any], fewest: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "uniqueItems": True, "minItems": fewest}


def arguments_of(properties: dict[str, Any], message: str, required: list[str] | None = None) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }
    arguments = write_arguments(schema, find_mentions(message))
    Draft202012Validator(schema).validate(arguments)
    return arguments


@pytest.mark.parametrize(
    ("name", "schema", "message", "value"),
    [
        ("invoiceId", string(), "Is my invoice INV-42 paid?", "INV-42"),
        ("invoice_id", string(), "Is invoice 77 paid?", "77"),
        ("order", {"type": "integer"}, "Where is order ORD-981?", 981),
        ("location", string(), "What's the weather in Lyon?", "Lyon"),
        ("location", string(), "Quel temps fait-il à Saint-Étienne ?", "Saint-Étienne"),
        ("city", string(), "weather in new york today please", "new york"),
        ("city", string(), "How warm is it in New York City on Monday?", "New York City"),
        ("location", string(description='City name, for example "Lyon".'), "How warm is it?", "Lyon"),
        ("query", string(), "Find   the\nbest trains", "Find the best trains"),
        ("query", string(maxLength=8), "Find the best trains", "Find the"),
        ("title", string(), 'Call it "Spring plan" please', "Spring plan"),
        ("email", string(), "Write to ada@example.org today", "ada@example.org"),
        ("address", string(format="email"), "Write to ada@example.org today", "ada@example.org"),
        ("url", string(format="uri"), "Read https://example.org/a?b=1.", "https://example.org/a?b=1"),
        ("when", string(format="date"), "Book it for 2026-03-01", "2026-03-01"),
        ("when", string(format="date-time"), "Book it for 2026-03-01 09:30", "2026-03-01T09:30:00Z"),
        ("code", string(pattern="^[A-Z]{2}[0-9]{3}$"), "Use AB123, not INV-42", "AB123"),
        ("unit", string(enum=["celsius", "fahrenheit"]), "In Fahrenheit please", "fahrenheit"),
        ("unit", string(enum=["celsius", "fahrenheit"], default="celsius"), "How warm?", "celsius"),
        ("days", {"type": "integer", "maximum": 7}, "Room 12 for 3 days", 3),
        ("amount", {"type": "number"}, "Pay 12.50 now", 12.5),
        ("count", {"type": "integer", "minimum": 5}, "hello", 5),
        ("cities", {"type": "array", "items": string()}, "Rain in Lyon, Paris and Nice", ["Lyon", "Paris", "Nice"]),
        ("ids", {"type": "array", "items": string()}, "Are INV-1 and INV-2 paid?", ["INV-1", "INV-2"]),
        ("invoiceId", string(), "Vérifie la facture nº 12 s'il te plaît", "12"),
    ],
)  # fmt: skip
def test_values_come_from_the_message(name: str, schema: dict[str, Any], message: str, value: object) -> None:
    assert arguments_of({name: schema}, message) == {name: value}


def test_two_parameters_take_two_values_in_their_order() -> None:
    properties = {"origin": string(), "destination": string()}
    assert arguments_of(properties, "A train from Paris to Lyon") == {"origin": "Paris", "destination": "Lyon"}


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("What's the weather?", {}),
        ("What's the weather in Lyon?", {"city": "Lyon"}),
        ("The next 3 days in celsius", {"days": 3, "unit": "celsius"}),
        ("Room 12", {}),
    ],
)
def test_optional_parameters_are_written_only_where_the_message_speaks_of_them(
    message: str, arguments: dict[str, Any]
) -> None:
    properties = {
        "city": {"anyOf": [string(), {"type": "null"}], "default": None},
        "days": {"type": "integer", "default": 1},
        "unit": string(enum=["celsius", "fahrenheit"]),
        "verbose": {"type": "boolean"},
    }
    assert arguments_of(properties, message, required=[]) == arguments


LINKED = {
    "$ref": "#/$defs/Node",
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            },
            "required": ["value", "next"],
        }
    },
}
TREE = {
    "type": "object",
    "properties": {"name": string(), "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name", "children"],
}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        LINKED,
        TREE,
        {"allOf": [{"properties": {"a": {"minimum": 3}}}, {"properties": {"a": INTEGER}, "required": ["a"]}]},
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": string(), "b": string()}},
        {"properties": {"a": {"$ref": "#b"}, "b": {"$anchor": "b", "const": 4}}, "required": ["a"]},
        {
            "properties": {"kind": {"enum": ["card", "cash"]}},
            "required": ["kind"],
            "if": {"properties": {"kind": {"const": "card"}}},
            "then": {"properties": {"number": string(pattern=r"^\d{16}$")}, "required": ["number"]},
        },
        {"patternProperties": {"^x-": {"type": "integer"}}, "required": ["x-rate"]},
        {"additionalProperties": {"type": "boolean"}, "minProperties": 3},
        {"dependentRequired": {"a": ["b"]}, "properties": {"a": {"const": 1}, "b": string()}, "required": ["a"]},
        {"properties": {"a": {"type": "array", "contains": {"const": 9}, "minItems": 2}}, "required": ["a"]},
        {"properties": {"a": {"type": ["null", "integer"], "minimum": 2}}, "required": ["a"]},
        {"properties": {"a": {"not": {"type": "string"}}}, "required": ["a"]},
        {"properties": {"a": True, "b": {"multipleOf": 0.1, "minimum": 0.25}}, "required": ["a", "b"]},
        {"properties": {"a": {"examples": [4], "type": "integer"}}, "required": ["a"]},
        {"properties": {"a": unique({"type": "boolean"}, 2)}, "required": ["a"]},
        {"properties": {"a": unique({"enum": ["x", "y", "z"]}, 3)}, "required": ["a"]},
    ],
)  # fmt: skip
def test_every_keyword_is_met(schema: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(write_arguments(schema, find_mentions("the weather in Lyon, 3 days")))


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": "integer", "minimum": 5, "maximum": 1}}, "required": ["a"]},
        {"properties": {"a": {"type": "string", "pattern": "(?=x)(?!x)"}}, "required": ["a"]},
        {"properties": {"a": {"type": "string", "pattern": "("}}, "required": ["a"]},
        {"properties": {"a": {"$ref": "https://example.com/elsewhere"}}, "required": ["a"]},
        {"properties": {"a": {"$ref": "#/$defs/missing"}}, "required": ["a"]},
        {"properties": {"a": {"$ref": "#/properties/a"}}, "required": ["a"]},
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"patternProperties": {"(": {}}, "required": ["a"]},
        {"required": ["a"], "minProperties": 10_000_000},
        {"properties": {"a": {"type": "array", "minItems": 10_000_000}}, "required": ["a"]},
        {"properties": {"a": {"type": "strin"}}, "required": ["a"]},
    ],
)
def test_a_schema_that_nothing_fits_still_gets_an_object(schema: dict[str, Any]) -> None:
    assert "a" in write_arguments(schema, find_mentions("hello"))


def test_a_value_of_any_shape_is_written_for_a_structured_answer() -> None:
    schema = {"type": "array", "items": {"type": "integer"}, "minItems": 2}
    assert write_value(schema, find_mentions("")) == [1, 2]


def test_a_way_that_fails_leaves_its_values_to_the_next() -> None:
    impossible = {"type": "object", "properties": {"city": TEXT, "zip": {"enum": []}}, "required": ["city", "zip"]}
    possible = {"properties": {"city": TEXT}, "required": ["city"], "additionalProperties": False}
    written = arguments_of({"place": {"anyOf": [impossible, possible]}}, "What is it like in Lyon?")
    assert written == {"place": {"city": "Lyon"}}


def test_nothing_is_said_twice() -> None:
    written = arguments_of({"first_name": string(), "last_name": string()}, "I met Ada")
    assert len({re.sub("Ada$", "", value) for value in written.values()}) == 2
