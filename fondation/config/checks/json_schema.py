"""What a JSON Schema (draft 2020-12) is made of: its keywords, its types, the schemas inside it, its references."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from fondation.config.places import Path
from fondation.config.source import Value

TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
OTHER_NAMES = {
    "str": "string",
    "text": "string",
    "int": "integer",
    "float": "number",
    "decimal": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
    "map": "object",
}
"""What other languages call the types."""

_OF_A_SCHEMA = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_OF_A_LIST = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_OF_A_MAPPING = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_OTHERS = frozenset(
    {
        "$anchor",
        "$comment",
        "$dynamicAnchor",
        "$dynamicRef",
        "$id",
        "$ref",
        "$schema",
        "$vocabulary",
        "const",
        "contentEncoding",
        "contentMediaType",
        "default",
        "dependencies",
        "dependentRequired",
        "deprecated",
        "discriminator",
        "description",
        "enum",
        "example",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "nullable",
        "pattern",
        "readOnly",
        "required",
        "title",
        "type",
        "uniqueItems",
        "writeOnly",
    }
)
KEYWORDS = _OF_A_SCHEMA | _OF_A_LIST | _OF_A_MAPPING | _OTHERS
"""Those of the draft and the ones before it, and those that OpenAPI's schemas bring along."""


def subschemas(schema: Value, path: Path) -> Iterator[tuple[Path, Value]]:
    """What stands at `path`, where a schema belongs, and what stands where one belongs inside it."""
    yield path, schema
    for key, value in schema.items() if isinstance(schema, dict) else ():
        if key in _OF_A_SCHEMA:
            yield from subschemas(value, (*path, key))
        elif key in _OF_A_LIST and isinstance(value, list):
            for index, item in enumerate(value):
                yield from subschemas(item, (*path, key, index))
        elif key in _OF_A_MAPPING and isinstance(value, dict):
            for name, item in value.items():
                yield from subschemas(item, (*path, key, name))


def resolves(reference: str, schema: Value) -> bool:
    """Whether `reference` is a JSON pointer, like "#/$defs/city", to a part of `schema`."""
    start, *steps = unquote(reference).split("/")
    if start != "#":
        return False
    here = schema
    for step in steps:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and name in here:
            here = here[name]
        elif isinstance(here, list) and name.isdecimal() and int(name) < len(here):
            here = here[int(name)]
        else:
            return False
    return True
