"""A JSON Schema taken apart: references followed, `allOf` merged, the ways of `anyOf` and its kin laid side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from fondation.messages import Json

Schema: TypeAlias = dict[str, Json]

_HOPS = 32
"""How many references, or choices inside choices, are followed before a schema counts as circular."""

_LARGER_WINS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_SMALLER_WINS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_TYPE_BY_KEYWORD = {
    "properties": "object",
    "required": "object",
    "additionalProperties": "object",
    "patternProperties": "object",
    "minProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "contains": "array",
    "minItems": "array",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
}
_SIMPLEST_FIRST = ("null", "boolean", "integer", "number", "string", "array", "object")


def branches(schema: Json, root: Schema) -> Iterator[Schema]:
    """Every way to satisfy `schema`, each without references and choices of its own level.

    A branch may turn out impossible: whoever writes a value for it checks the value against the whole.
    """
    yield from _branches(flattened(schema, root), root, _HOPS)


def _branches(schema: Schema, root: Schema, hops: int) -> Iterator[Schema]:
    options = _options(schema, root) if hops else None
    if options is None:
        yield schema
        return
    for option in options:
        yield from _branches(option, root, hops - 1)


def _options(schema: Schema, root: Schema) -> list[Schema] | None:
    """The ways that this level's choice leaves open; None where there is no choice."""
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            rest = {key: value for key, value in schema.items() if key != keyword}
            options = [merged(rest, flattened(option, root), root) for option in schema[keyword]]
            return sorted(options, key=lambda option: types_of(option) == ["null"])
    if "if" in schema:
        rest = {key: value for key, value in schema.items() if key not in ("if", "then", "else")}
        condition = merged(rest, flattened(schema["if"], root), root)
        then = merged(condition, flattened(schema.get("then", {}), root), root)
        return [then, merged(rest, flattened(schema.get("else", {}), root), root), rest]
    return None


def flattened(schema: Json, root: Schema) -> Schema:
    """`schema` with its own `$ref` and `allOf` merged in. True is {}, and so is what cannot be read."""
    for _ in range(_HOPS):
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = merged(_referenced(schema["$ref"], root), rest, root)
        elif "allOf" in schema:
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            for part in schema["allOf"]:
                rest = merged(rest, flattened(part, root), root)
            schema = rest
        else:
            return schema
    return {}


def _referenced(reference: Json, root: Schema) -> Schema:
    """What a reference inside this schema points to: "#", "#/$defs/Name" or "#name"."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return {}
    if reference[1:2] not in ("", "/"):
        return _anchored(root, reference[1:]) or {}
    found: Json = root
    for step in reference[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _anchored(schema: Json, name: str) -> Schema | None:
    if isinstance(schema, dict):
        if schema.get("$anchor") == name:
            return schema
        return next((found for part in schema.values() if (found := _anchored(part, name))), None)
    if isinstance(schema, list):
        return next((found for part in schema if (found := _anchored(part, name))), None)
    return None


def merged(one: Schema, other: Schema, root: Schema) -> Schema:
    """A schema that asks for both; where they cannot be brought together the second speaks."""
    result = dict(one)
    for key, value in other.items():
        result[key] = _both(key, result[key], value, root) if key in result else value
    return result


def _both(key: str, one: Json, other: Json, root: Schema) -> Json:
    if one == other:
        return one
    match key:
        case "properties" | "patternProperties" | "$defs":
            shared = {name: {"allOf": [one[name], other[name]]} for name in one if name in other}
            return {**one, **other, **shared}
        case "required":
            return [*one, *(name for name in other if name not in one)]
        case "enum":
            return [value for value in one if value in other]
        case "type":
            return _common_types(one, other)
        case "items" | "additionalProperties":
            return {"allOf": [one, other]} if other is not False else False
        case _ if key in _LARGER_WINS:
            return max(one, other)
        case _ if key in _SMALLER_WINS:
            return min(one, other)
        case _:
            return other


def _common_types(one: Json, other: Json) -> list[str]:
    ones, others = ([value] if isinstance(value, str) else list(value) for value in (one, other))
    if "integer" in ones and "number" in others:
        others.append("integer")
    if "integer" in others and "number" in ones:
        ones.append("integer")
    return [name for name in ones if name in others]


def types_of(schema: Schema, *, simplest_first: bool = False) -> list[str]:
    """The types to try, in the order written, null last; guessed from the keywords where none is written."""
    written = schema.get("type")
    if isinstance(written, str):
        return [written]
    if not written:
        return [next((_TYPE_BY_KEYWORD[key] for key in schema if key in _TYPE_BY_KEYWORD), "string")]
    if simplest_first:
        return sorted(written, key=_SIMPLEST_FIRST.index)
    return sorted(written, key=lambda name: name == "null")
