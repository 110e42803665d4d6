"""The JSON Schema of agents.yaml, from the models: for editors, and for `validate`."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic_core import core_schema

from fondation.config import scalars
from fondation.config.models import Config
from fondation.signatures import PlainJsonSchema

Schema = dict[str, Any]

_WRITTEN = {
    scalars.DURATION.pattern: scalars.written_duration,
    scalars.SIZE.pattern: scalars.written_size,
}
"""Pattern -> how a default is written in the file."""


class _Generator(PlainJsonSchema):
    """Pydantic's generator, with the language's own rules.

    A key that is left out has its default, so nothing admits null; a map with named keys admits no other; a whole
    `${NAME}` may stand where a number, a boolean or a choice belongs.
    """

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        inner = super().default_schema(schema)
        default, written = inner.get("default"), _WRITTEN.get(inner.get("pattern", ""))
        if default in (None, []) or isinstance(default, dict):
            inner.pop("default", None)
        elif written is not None:
            inner["default"] = written(default)
        return inner

    def dict_schema(self, schema: core_schema.DictSchema) -> Schema:
        mapping = super().dict_schema(schema)
        if "patternProperties" in mapping:
            mapping["additionalProperties"] = False
        return mapping

    def int_schema(self, schema: core_schema.IntSchema) -> Schema:
        return _or_variable(super().int_schema(schema))

    def float_schema(self, schema: core_schema.FloatSchema) -> Schema:
        return _or_variable(super().float_schema(schema))

    def bool_schema(self, schema: core_schema.BoolSchema) -> Schema:
        return _or_variable(super().bool_schema(schema))

    def literal_schema(self, schema: core_schema.LiteralSchema) -> Schema:
        literal = super().literal_schema(schema)
        if literal.get("type") != "string":
            return literal
        return {"anyOf": [literal, {"type": "string", "pattern": scalars.WHOLE_VARIABLE}]}


def _or_variable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "string"], "pattern": scalars.WHOLE_VARIABLE}


@cache
def json_schema() -> Schema:
    """The schema as data.

    The provider `simulated` is the one that needs no id. A tool has a function, or says what the page is to run.
    """
    schema = Config.model_json_schema(schema_generator=_Generator)
    model = schema["$defs"]["ModelConfig"]
    model["if"] = {"properties": {"provider": {"const": "simulated"}}, "required": ["provider"]}
    model["else"] = {"required": ["id"]}
    model["properties"]["id"].pop("default")
    tool = schema["$defs"]["ToolConfig"]
    tool["allOf"] = [
        {"if": {"properties": {"runs_on": {"const": "server"}}}, "then": {"required": ["python"]}},
        {
            "if": {"properties": {"runs_on": {"const": "client"}}, "required": ["runs_on"]},
            "then": {"required": ["description", "parameters"]},
        },
    ]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "agents.yaml", **schema}


def schema_text() -> str:
    """The schema as it is committed and printed."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def resolve(schema: Schema) -> Schema:
    """`schema` itself, or what its `$ref` names."""
    reference = schema.get("$ref")
    return json_schema()["$defs"][reference.rpartition("/")[2]] if reference else schema


def schema_at(path: tuple[str | int, ...]) -> Schema:
    """The part of the schema that governs the value at `path`; {} where anything goes."""
    here = resolve(json_schema())
    for part in path:
        here = resolve(_below(here, part))
    return here


def types_at(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The JSON Schema types of the value at `path`, without the text of a whole variable; () where anything goes."""
    schema = schema_at(path)
    types = schema.get("type", ())
    types = (types,) if isinstance(types, str) else tuple(types)
    return (
        tuple(name for name in types if name != "string") if schema.get("pattern") == scalars.WHOLE_VARIABLE else types
    )


def _below(schema: Schema, part: str | int) -> Schema:
    if isinstance(part, int):
        below = schema.get("items", {})
    elif part in schema.get("properties", {}):
        below = schema["properties"][part]
    elif "patternProperties" in schema:
        below = next(iter(schema["patternProperties"].values()))
    else:
        below = schema.get("additionalProperties", {})
    return below if isinstance(below, dict) else {}
