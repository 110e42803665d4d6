from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from fondation.config.models import Config
from fondation.config.schema import json_schema, resolve, schema_at, schema_text, types_at

ROOT = Path(__file__).parents[2]


def test_the_committed_schema_is_the_models_own() -> None:
    committed = (ROOT / "schemas" / "agents.schema.json").read_text()
    assert committed == schema_text(), "run: fondation schema > schemas/agents.schema.json"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_our_own_file_names_the_schema_and_fits_it() -> None:
    text = (ROOT / "agents.yaml").read_text()
    assert text.splitlines()[0] == "# yaml-language-server: $schema=schemas/agents.schema.json"
    assert [*Draft202012Validator(json_schema()).iter_errors(yaml.safe_load(text))] == []


def parts(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [part for item in schema for part in parts(item)]
    if not isinstance(schema, dict):
        return []
    return [schema, *(part for value in schema.values() for part in parts(value))]


def test_every_mapping_refuses_unknown_keys_and_every_key_has_a_hover_text() -> None:
    conditions = [part["if"] for part in parts(json_schema()) if "if" in part]
    sections = [part for part in parts(json_schema()) if "properties" in part and part not in conditions]
    assert len(sections) > 20
    for section in sections:
        assert section["additionalProperties"] is False
        for name, value in section["properties"].items():
            assert {**resolve(value), **value}.get("description", "").endswith("."), name


def test_maps_with_names_refuse_other_names() -> None:
    named = [part for part in parts(json_schema()) if "patternProperties" in part]
    assert [part["additionalProperties"] for part in named] == [False] * 5


@pytest.mark.parametrize(
    ("tool", "fits"),
    [
        ("a:b", True),
        ({"python": "a:b"}, True),
        ({"python": "a:b", "runs_on": "server"}, True),
        ({"runs_on": "client", "description": "D.", "parameters": {}}, True),
        ({}, False),
        ({"runs_on": "server", "description": "D.", "parameters": {}}, False),
        ({"runs_on": "client", "parameters": {}}, False),
        ({"runs_on": "client", "description": "D."}, False),
    ],
)
def test_a_tool_has_a_function_or_says_what_the_page_is_to_run(tool: object, fits: bool) -> None:
    whole = json_schema()
    schema = {**whole["$defs"]["ToolConfig"], "$defs": whole["$defs"]}
    assert Draft202012Validator(schema).is_valid(tool) is fits


def test_nothing_admits_null_and_nothing_has_a_noisy_title() -> None:
    types = [part.get("type") for part in parts(json_schema())]
    assert "null" not in types
    titled = [part["title"] for part in parts(json_schema()) if isinstance(part.get("title"), str)]
    assert titled == ["agents.yaml"]


def test_defaults_are_as_they_are_written() -> None:
    assert schema_at(("limits", "run_timeout"))["default"] == "5m"
    assert schema_at(("limits", "max_body_size"))["default"] == "4MB"
    assert schema_at(("tools", "any", "timeout"))["default"] == "30s"
    assert schema_at(("tools", "any", "approval", "expires"))["default"] == "1h"
    route = schema_at(("routes", "/any"))["properties"]
    assert (route["on_disconnect"]["default"], route["show"]["default"]) == ("cancel", ["reasoning"])
    assert (route["titles"]["default"], schema_at(("tools", "any"))["properties"]["approval"]["default"]) == (
        False,
        "never",
    )
    assert "default" not in schema_at(("routes", "/any", "on_disconnect", "grace"))
    for part in parts(json_schema()):
        if "default" in part and "description" in part and "default" not in part.get("properties", {}):
            assert not [*Draft202012Validator({**part, "$defs": json_schema()["$defs"]}).iter_errors(part["default"])]


@pytest.mark.parametrize(
    ("path", "types"),
    [
        (("server", "port"), ["integer", "string"]),
        (("models", "any", "settings", "temperature"), ["number", "string"]),
        (("agents", "any", "tools"), "array"),
        (("agents", "any", "tools", 3), "string"),
        (("routes", "/any"), ["string", "object"]),
        (("routes", "/any", "on_disconnect"), ["string", "object"]),
        (("routes", "/any", "suggestions"), ["boolean", "object", "string"]),
        (("tools", "any", "approval", "by", 0), "string"),
        (("models", "any", "settings", "extra", "any", "any"), None),
        (("nothing",), None),
    ],
)
def test_the_part_of_the_schema_at_a_path(path: tuple[str | int, ...], types: object) -> None:
    assert schema_at(path).get("type") == types


def test_the_schema_has_every_key_of_the_models() -> None:
    assert list(json_schema()["properties"]) == list(Config.model_fields)


@pytest.mark.parametrize(
    ("path", "types"),
    [
        (("models", "sim", "id"), ("string",)),
        (("models", "sim", "retries"), ("integer",)),
        (("server", "host"), ("string",)),
        (("tools", "look_up"), ("string", "object")),
        (("nowhere", 0), ()),
    ],
)
def test_the_types_of_a_value_leave_a_whole_variable_out(path: tuple[str | int, ...], types: tuple[str, ...]) -> None:
    assert types_at(path) == types
