from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from fondation.config.checks.json_schema import KEYWORDS, OTHER_NAMES, TYPES, resolves, subschemas
from fondation.config.source import Value

PLACE: dict[str, Value] = {
    "type": "object",
    "properties": {"city": {"$ref": "#/$defs/city"}, "a/b": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "enum": [{"type": "no schema"}],
    "default": {"properties": {"x": "no schema"}},
    "$defs": {"city": {"type": "array", "items": {"type": "string"}, "not": True}},
}


def test_every_keyword_that_is_looked_at_is_known() -> None:
    assert set(Draft202012Validator.VALIDATORS) <= KEYWORDS
    assert set(OTHER_NAMES.values()) <= set(TYPES)


def test_the_schemas_inside_a_schema() -> None:
    assert [path for path, _ in subschemas(PLACE, ("p",))] == [
        ("p",),
        ("p", "properties", "city"),
        ("p", "properties", "a/b"),
        ("p", "properties", "a/b", "anyOf", 0),
        ("p", "properties", "a/b", "anyOf", 1),
        ("p", "$defs", "city"),
        ("p", "$defs", "city", "items"),
        ("p", "$defs", "city", "not"),
    ]


@pytest.mark.parametrize(
    "reference", ["#", "#/$defs/city", "#/%24defs/city", "#/properties/a~1b", "#/properties/a~1b/anyOf/1"]
)
def test_a_pointer_into_the_schema_resolves(reference: str) -> None:
    assert resolves(reference, PLACE)


@pytest.mark.parametrize(
    "reference",
    ["", "city", "#city", "#/$defs/town", "#/properties/a~1b/anyOf/2", "#/type/0", "https://example.com/city.json"],
)
def test_what_points_elsewhere_does_not(reference: str) -> None:
    assert not resolves(reference, PLACE)
